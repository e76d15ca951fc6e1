package plugins

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/agon-rl/agon/games"
)

// Options say how a plugin is run.
type Options struct {
	Command      []string      // the program and its arguments
	Dir          string        // where it runs; here if empty
	Env          []string      // variables beside the few that are passed on, as NAME=value
	Params       string        // the game's, as in rows=5,columns=4
	SHA256       string        // of the program's file, in hex; not checked if empty
	Processes    int           // how many share the load; 1 where zero
	Timeout      time.Duration // for one call; 10 s where zero
	StartTimeout time.Duration // to the first answer of a process; 20 s where zero
	Memory       int64         // bytes that one process may take; 4 GiB where zero
	Log          zerolog.Logger
}

func (o Options) withDefaults() Options {
	o.Processes = max(1, o.Processes)
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 20 * time.Second
	}
	if o.Memory == 0 {
		o.Memory = 4 << 30
	}
	return o
}

// How often a call is made before it is given up, and the pause after the first
// failure, which doubles.
const (
	mostAttempts = 6
	firstPause   = 10 * time.Millisecond
)

// host shares calls among the processes of a plugin and repeats those that fail.
type host struct {
	o         Options
	name      string // the program as the user named it
	processes []*process
	next      atomic.Uint32
	ctx       context.Context // until Close
	cancel    context.CancelFunc
	watching  sync.WaitGroup

	started  atomic.Bool // some process answered once
	restarts atomic.Int64

	refused atomic.Pointer[error] // sticky: what the plugin answered wrongly
}

func newHost(o Options) (*host, error) {
	o = o.withDefaults()
	if len(o.Command) == 0 || o.Command[0] == "" {
		return nil, errors.New("no command")
	}
	name := o.Command[0]
	if o.Dir != "" && strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		name = filepath.Join(o.Dir, name)
	}
	path, err := exec.LookPath(name)
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s may not be executed: chmod +x it", o.Command[0])
	case err != nil:
		return nil, fmt.Errorf("%s: there is no such program", o.Command[0])
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := checksum(path, o.SHA256); err != nil {
		return nil, err
	}
	h := &host{o: o, name: o.Command[0]}
	h.o.Command = append([]string{path}, o.Command[1:]...)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	for i := range o.Processes {
		log := o.Log.With().Str("plugin", h.name).Int("process", i).Logger()
		h.processes = append(h.processes, &process{o: h.o, says: &tail{log: func(line string) { log.Debug().Msg(line) }}})
	}
	h.watching.Go(h.watch)
	return h, nil
}

// checksum compares a file's SHA-256 with what a manifest says.
func checksum(path, want string) error {
	if want == "" {
		return nil
	}
	raw, err := hex.DecodeString(want)
	if err != nil || len(raw) != sha256.Size {
		return fmt.Errorf("sha256 %q: expected 64 hexadecimal digits", want)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the plugin that the user named
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != strings.ToLower(want) {
		return fmt.Errorf("%s has the SHA-256 %x, its manifest says %s: it was changed, or the manifest is old", path, sum, want)
	}
	return nil
}

// call makes one call until it is answered. The error wraps ErrRefused where the
// plugin cannot be used, games.ErrLost where it gave no answer.
func (h *host) call(work func(ctx context.Context, c client) error) error {
	pause := firstPause
	var last error
	for attempt := range mostAttempts {
		if err := h.err(); err != nil {
			return err
		}
		if attempt > 0 {
			select {
			case <-time.After(pause):
				pause *= 2
			case <-h.ctx.Done():
				return fmt.Errorf("%w: the plugin was closed", games.ErrLost)
			}
		}
		p := h.processes[int(h.next.Add(1))%len(h.processes)]
		c, generation, err := p.get(h.ctx)
		if err != nil && !h.started.Load() {
			return fmt.Errorf("plugin %s: %w", h.name, err) // it is not going to
		}
		if err != nil {
			last = err
			continue
		}
		h.started.Store(true)
		ctx, cancel := context.WithTimeout(h.ctx, h.o.Timeout)
		err = work(ctx, c)
		cancel()
		switch code := status.Code(err); {
		case err == nil:
			return nil
		case errors.Is(err, ErrRefused):
			return h.refuse(err)
		case code == codes.InvalidArgument, code == codes.Unimplemented, code == codes.ResourceExhausted:
			return h.refuse(fmt.Errorf("%w: %s", ErrRefused, clean(status.Convert(err).Message(), 300)))
		case code == codes.Internal: // the game panicked; the process lives
			last = errors.New(clean(status.Convert(err).Message(), 300))
		default:
			last = h.lost(p, code, err)
			p.drop(generation)
			h.restarts.Add(1)
			h.o.Log.Debug().Str("plugin", h.name).Err(last).Msg("started again")
		}
	}
	return fmt.Errorf("%w: plugin %s gave no answer to a call made %d times: %w", games.ErrLost, h.name, mostAttempts, last)
}

// lost says what became of a process in the middle of a call.
func (h *host) lost(p *process, code codes.Code, err error) error {
	text := "it ended"
	switch code {
	case codes.DeadlineExceeded:
		text = fmt.Sprintf("no answer within %v", h.o.Timeout)
	case codes.Unavailable, codes.Canceled:
	default:
		text = clean(status.Convert(err).Message(), 200)
	}
	if words := p.says.last(); words != "" {
		text += "; its last words: " + words
	}
	return errors.New(text)
}

func (h *host) refuse(err error) error {
	err = fmt.Errorf("plugin %s: %w", h.name, err)
	h.refused.CompareAndSwap(nil, &err)
	return h.err()
}

func (h *host) err() error {
	if err := h.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// close ends all processes.
func (h *host) close() {
	h.cancel()
	for _, p := range h.processes {
		p.mu.Lock()
		if p.running != nil {
			p.running.stop()
			p.running = nil
			p.generation++
		}
		p.mu.Unlock()
	}
	h.watching.Wait()
}

// watch drops processes that take too much memory.
func (h *host) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-tick.C:
		}
		for _, p := range h.processes {
			p.mu.Lock()
			pid, generation := 0, p.generation
			if p.running != nil {
				pid = p.running.runner.cmd.Process.Pid
			}
			p.mu.Unlock()
			if used := resident(pid); pid != 0 && used > h.o.Memory {
				h.o.Log.Warn().Str("plugin", h.name).Msgf("takes %d MiB of memory, more than %d: started again", used>>20, h.o.Memory>>20)
				p.drop(generation)
				h.restarts.Add(1)
			}
		}
	}
}

// resident is how many bytes of memory a process takes, where the system tells;
// otherwise 0.
func resident(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// environment is what plugins see of this process's: enough to run programs, and
// no secrets.
func environment() []string {
	var out []string
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH", "GOMAXPROCS", "GOCOVERDIR", "OMP_NUM_THREADS"} {
		if value, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+value)
		}
	}
	return out
}
