// Package uci plays chess with engines that speak the Universal Chess Interface.
//
// An engine is a process of its own. As many are started as games wait at once; one
// that dies, hangs or talks rubbish is ended, the game that it was asked about is void,
// not lost, and the next question goes to a new process.
package uci

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/play"
)

// Options say which engine plays and how long it thinks.
type Options struct {
	Path     string        // of the program
	Settings [][2]string   // options of the engine, in order: name, value
	MoveTime time.Duration // for a move; 0 for no limit of its own
	Depth    int           // plies; 0 for no limit
	Nodes    int           // positions; 0 for no limit
	// Fresh has the engine forget other positions before each move, so that what it
	// plays depends on the game alone.
	Fresh    bool
	Grace    time.Duration // how much longer than its time a move may take before the engine is given up
	Parallel int           // processes at once
}

// Agent is an engine as an agent.
type Agent struct {
	options Options
	slots   chan struct{}

	mu   sync.Mutex
	idle []*engine
}

var _ play.Agent = (*Agent)(nil)

// New starts one engine, to see that it is one.
func New(ctx context.Context, o Options) (*Agent, error) {
	a := &Agent{options: o, slots: make(chan struct{}, max(1, o.Parallel))}
	e, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	a.idle = append(a.idle, e)
	return a, nil
}

// Act implements play.Agent.
func (a *Agent) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, request := range in {
		group.Go(func() error {
			select {
			case a.slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer func() { <-a.slots }()
			action, err := a.move(ctx, request)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			out[i] = play.Decision{Action: action, Err: err}
			return nil
		})
	}
	return group.Wait()
}

// move asks an idle engine, or a new one.
func (a *Agent) move(ctx context.Context, request play.Request) (games.Action, error) {
	record, err := chess.NewRecord(request.State)
	if err != nil {
		return 0, err
	}
	position, err := position(record)
	if err != nil {
		return 0, err
	}
	e := a.take()
	if e == nil {
		if e, err = start(ctx, a.options); err != nil {
			return 0, fmt.Errorf("%w: %w", games.ErrLost, err)
		}
	}
	word, err := e.best(ctx, position, a.options.limits(request), a.options.patience(request), a.options.Fresh || request.Turn < 2)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("%w: the engine %s: %w", games.ErrLost, a.options.Path, err), e.end())
	}
	a.mu.Lock()
	a.idle = append(a.idle, e)
	a.mu.Unlock()
	return chess.Find(request.State, word)
}

func (a *Agent) take() *engine {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.idle) == 0 {
		return nil
	}
	e := a.idle[len(a.idle)-1]
	a.idle = a.idle[:len(a.idle)-1]
	return e
}

// Close ends the engines.
func (a *Agent) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, e := range a.idle {
		errs = append(errs, e.quit())
	}
	a.idle = nil
	return errors.Join(errs...)
}

// position is the game so far, so that the engine sees repetitions.
func position(r chess.Record) (string, error) {
	game, err := chess.New(r.FEN, chess.FIDE)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("position fen " + r.FEN)
	s := game.Start()
	for i, a := range r.Moves {
		if i == 0 {
			b.WriteString(" moves")
		}
		word, err := chess.UCI(s, a)
		if err != nil {
			return "", err
		}
		b.WriteString(" " + word)
		if err := s.Apply(a); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// limits are what go is told.
func (o Options) limits(request play.Request) string {
	text := "go"
	left, moveTime := request.Left, o.MoveTime
	if left.Move > 0 && (moveTime == 0 || left.Share() < moveTime) {
		moveTime = left.Share()
	}
	switch {
	case left.Game > 0:
		game, gain := left.Game.Milliseconds(), left.Gain.Milliseconds()
		text += fmt.Sprintf(" wtime %d btime %d winc %d binc %d", game, game, gain, gain)
	case moveTime > 0:
		text += fmt.Sprintf(" movetime %d", max(1, moveTime.Milliseconds()))
	}
	if o.Depth > 0 {
		text += fmt.Sprintf(" depth %d", o.Depth)
	}
	if o.Nodes > 0 {
		text += fmt.Sprintf(" nodes %d", o.Nodes)
	}
	return text
}

// patience is how long an answer is waited for.
func (o Options) patience(request play.Request) time.Duration {
	limit := request.Left.Limit()
	if limit == 0 {
		limit = o.MoveTime
	}
	return limit + o.Grace
}

// engine is a process.
type engine struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string // closed at the end of its output
}

// answerTime is how long an engine may take to get ready.
const answerTime = 10 * time.Second

func start(ctx context.Context, o Options) (*engine, error) {
	e := &engine{command: exec.Command(o.Path), lines: make(chan string, 1024)}
	e.command.WaitDelay = time.Second
	in, err := e.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := e.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.in = in
	if err := e.command.Start(); err != nil {
		return nil, fmt.Errorf("the engine %s does not start: %w", o.Path, err)
	}
	go e.read(out)
	if err := e.prepare(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no engine that speaks UCI: %w", o.Path, err), e.end())
	}
	return e, nil
}

// read hands lines on until the engine's output ends, but for those that only inform,
// of which there are many and which nobody waits for.
func (e *engine) read(out io.Reader) {
	defer close(e.lines)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "info") {
			continue
		}
		e.lines <- line
	}
}

func (e *engine) prepare(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := e.say("uci"); err != nil {
		return err
	}
	offered := map[string]bool{}
	for {
		line, err := e.hear(ctx)
		if err != nil {
			return err
		}
		if line == "uciok" {
			break
		}
		if rest, ok := strings.CutPrefix(line, "option name "); ok {
			name, _, _ := strings.Cut(rest, " type ")
			offered[strings.ToLower(name)] = true
		}
	}
	for _, s := range o.Settings {
		if !offered[strings.ToLower(s[0])] {
			return fmt.Errorf("it has no option %q", s[0])
		}
		if err := e.say("setoption name " + s[0] + " value " + s[1]); err != nil {
			return err
		}
	}
	return e.ready(ctx)
}

func (e *engine) ready(ctx context.Context) error {
	if err := e.say("isready"); err != nil {
		return err
	}
	_, err := e.until(ctx, "readyok")
	return err
}

// best asks for a move.
func (e *engine) best(ctx context.Context, position, limits string, patience time.Duration, fresh bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if fresh {
		if err := e.say("ucinewgame"); err != nil {
			return "", err
		}
		if err := e.ready(ctx); err != nil {
			return "", err
		}
	}
	if err := e.say(position + "\n" + limits); err != nil {
		return "", err
	}
	line, err := e.until(ctx, "bestmove")
	if err != nil {
		return "", err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return "", fmt.Errorf("it said %q: expected bestmove and a move", line)
	}
	return words[1], nil
}

func (e *engine) say(text string) error {
	_, err := io.WriteString(e.in, text+"\n")
	return err
}

// until waits for a line that begins with a word.
func (e *engine) until(ctx context.Context, word string) (string, error) {
	for {
		line, err := e.hear(ctx)
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w", word, err)
		}
		if line == word || strings.HasPrefix(line, word+" ") {
			return line, nil
		}
	}
}

func (e *engine) hear(ctx context.Context) (string, error) {
	select {
	case line, ok := <-e.lines:
		if !ok {
			return "", errors.New("it ended")
		}
		return line, nil
	case <-ctx.Done():
		return "", fmt.Errorf("no answer in time: %w", ctx.Err())
	}
}

// quit asks the engine to end, and ends it where it does not.
func (e *engine) quit() error {
	if err := e.say("quit"); err != nil {
		return e.end()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for {
		select {
		case _, ok := <-e.lines:
			if !ok {
				return e.end()
			}
		case <-ctx.Done():
			return e.end()
		}
	}
}

// end kills the engine; that one that was killed did not end well is no error.
func (e *engine) end() error {
	_ = e.in.Close()             // it may be closed
	_ = e.command.Process.Kill() // it may have ended
	go func() {                  // whatever it still says
		for range e.lines { // drained
		}
	}()
	var exit *exec.ExitError
	if err := e.command.Wait(); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return err
	}
	return nil
}
