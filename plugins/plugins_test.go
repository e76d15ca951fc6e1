package plugins_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/plugins/plugintest"
	"github.com/agon-rl/agon/plugins/protocol"
)

// never is how often a plugin of these tests goes wrong that shall not.
const never = "1000000000"

// The test's own program is the plugin: it is started again with the handshake's
// variable set.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("AGON_PLUGIN") != "" && len(os.Args) == 2:
		rules, err := plugintest.Broken(os.Args[1])
		if os.Args[1] == "open" {
			rules, err = plugintest.Open()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		plugins.ServeRules(rules)
		os.Exit(0)
	case os.Getenv("AGON_PLUGIN") != "":
		if err := plugintest.Main(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case os.Getenv("AGON_TEST_HOST") != "":
		host()
	}
	goleak.VerifyTestMain(m)
}

// host opens a plugin, says its process's number and waits to be killed.
func host() {
	o := options("kuhn_poker", never, "panic")
	runner := os.Getenv("AGON_TEST_HOST") == "runner"
	if runner { // the program is a shell's child, not ours
		o.Command = append([]string{"sh", "-c", `"$@"; true`, "sh"}, o.Command...)
	}
	game, err := plugins.Open(o)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	pid := game.Processes()[0]
	if runner {
		out, _ := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output() //nolint:gosec,noctx // a test
		pid, _ = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	fmt.Println(pid)
	time.Sleep(time.Minute)
	_ = game.Close()
}

func options(game, every string, kinds ...string) plugins.Options {
	return plugins.Options{
		Command: append([]string{os.Args[0], game, every, "-"}, kinds...),
		Timeout: 300 * time.Millisecond,
	}
}

func open(t *testing.T, o plugins.Options) *plugins.Game {
	t.Helper()
	g, err := plugins.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func builtin(t *testing.T, name string) games.Game {
	t.Helper()
	g, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A game keeps its promises in a plugin, and is the same as in this process:
// hidden cards, words, talk, and chance that can only be sampled included.
func TestGamesThroughAPlugin(t *testing.T) {
	for _, name := range []string{"kuhn_poker", "leduc_poker", "tic_tac_toe", "simple_negotiation", "countdown", "goofspiel"} {
		t.Run(name, func(t *testing.T) {
			g := open(t, options(name, never, "panic"))
			if err := gamestest.Check(g, gamestest.Options{Nodes: 40, Walks: 2}); err != nil {
				t.Fatal(err)
			}
			if err := g.Err(); err != nil {
				t.Fatal(err)
			}
			want := builtin(t, name).Info()
			if got := g.Info(); !reflect.DeepEqual(got, want) {
				t.Errorf("described is %+v, it is %+v", got, want)
			}
			if want.Chance == games.Sampled {
				return
			}
			difference, err := plugins.Compare(t.Context(), g, builtin(t, name), plugins.CheckOptions{Histories: 200, Walks: 20})
			if err != nil || difference != "" {
				t.Errorf("%s, %v", difference, err)
			}
		})
	}
}

// walks plays random games side by side, all steps of a turn in one call, and
// returns their actions and returns in text.
func walks(game games.Game, count int, seed uint64) (string, error) {
	var b strings.Builder
	states, rands := make([]games.State, count), make([]*rand.Rand, count)
	for i := range states {
		states[i], rands[i] = game.Start(), rand.New(rand.NewPCG(seed, uint64(i)))
	}
	for len(states) > 0 {
		actions, errs := make([]games.Action, len(states)), make([]error, len(states))
		for i, s := range states {
			legal := s.Actions(nil)
			actions[i] = legal[rands[i].IntN(len(legal))]
		}
		games.Step(game, states, actions, errs)
		if err := errors.Join(errs...); err != nil {
			return "", err
		}
		fmt.Fprintln(&b, actions)
		left, leftRands := states[:0], rands[:0]
		for i, s := range states {
			if s.Turn() == games.Over {
				fmt.Fprintln(&b, s.Returns(nil), games.Key(s, 0))
			} else {
				left, leftRands = append(left, s), append(leftRands, rands[i])
			}
		}
		states, rands = left, leftRands
	}
	return b.String(), nil
}

// A plugin that is killed, hangs, panics or writes rubbish in a call of five
// plays the same games as one that never does.
func TestTransientFaults(t *testing.T) {
	const batches = 12
	for kind := range plugintest.Transient {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "faults")
			o := options("leduc_poker", "5", kind)
			o.Command[3] = log
			g, clean := open(t, o), builtin(t, "leduc_poker")
			for seed := range uint64(batches) {
				want, err := walks(clean, 8, seed)
				if err != nil {
					t.Fatal(err)
				}
				got, err := walks(g, 8, seed)
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Fatalf("batch %d: played\n%s, expected\n%s", seed, got, want)
				}
			}
			faults, err := os.ReadFile(log) //nolint:gosec // of this test
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d faults, %d processes started again", len(faults), g.Restarts())
			if len(faults) < 3 {
				t.Errorf("only %d faults", len(faults))
			}
		})
	}
}

// Several processes share the calls, and one that takes more memory than it may is
// started again in the middle of games.
func TestLoadAndMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("the system does not tell how much memory a process takes")
	}
	o := options("leduc_poker", never, "panic")
	o.Processes, o.Memory, o.Timeout = 3, 1<<20, 20*time.Second
	g, plain := open(t, o), builtin(t, "leduc_poker")
	most := 0
	for seed := uint64(0); seed < 1000 && (g.Restarts() < 3 || most < 3); seed++ { // a busy machine takes longer
		got, err := walks(g, 8, seed)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := walks(plain, 8, seed); err != nil || got != want {
			t.Fatalf("played\n%s, expected\n%s (%v)", got, want, err)
		}
		most = max(most, len(g.Processes()))
	}
	if most != 3 || g.Restarts() < 3 {
		t.Errorf("%d processes answered and %d were started again, expected 3 and at least 3", most, g.Restarts())
	}
}

// A program that was changed is not started again under its old checksum.
func TestChecksum(t *testing.T) {
	program := filepath.Join(t.TempDir(), "game")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	o := options("tic_tac_toe", never, "panic")
	o.Command[0], o.Timeout = program, 20*time.Second
	o.SHA256 = fmt.Sprintf("%x", sha256.Sum256(text))
	g := open(t, o)
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, append(text, 0), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	if err := syscall.Kill(g.Processes()[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := g.Start().Apply(0); err == nil || !strings.Contains(err.Error(), "it was changed, or the manifest is old") {
		t.Errorf("%v", err)
	}
}

// A plugin or a host that is newer sends fields that the other does not know: both
// go on.
func TestFieldsOfALaterVersion(t *testing.T) {
	later := protowire.AppendVarint(protowire.AppendTag(nil, 999, protowire.VarintType), 7)
	server := plugins.NewServer(games.Rules{
		Name: "tic_tac_toe",
		Make: func(*spec.Reader) (games.Game, error) { return games.New("tic_tac_toe") },
	})
	in := &protocol.StepRequest{Ends: []uint32{0}, Actions: []int32{4}}
	want, err := server.Step(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(append(raw, later...), in); err != nil {
		t.Fatal(err)
	}
	if got, err := server.Step(t.Context(), in); err != nil || !proto.Equal(got, want) {
		t.Errorf("a newer host is answered %v, %v", got, err)
	}
	g := open(t, options("tic_tac_toe", "1", "later"))
	got, err := walks(g, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := walks(builtin(t, "tic_tac_toe"), 4, 1); err != nil || got != want {
		t.Errorf("a newer plugin plays\n%s, expected\n%s (%v)", got, want, err)
	}
}

// A plugin that answers wrongly is refused with what is wrong, and nothing that
// it said is used.
func TestWrongAnswers(t *testing.T) {
	for kind := range plugintest.Wrong {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := options("kuhn_poker", "3", kind)
			o.Timeout = 20 * time.Second // none of them is slow, but a race detector makes some so
			g := open(t, o)
			start := g.Start()
			start.Observe(0, make([]float32, g.Info().TensorSize()))
			var err error
			for seed := uint64(0); err == nil && seed < 200; seed++ {
				_, err = walks(g, 4, seed)
			}
			if !errors.Is(err, plugins.ErrRefused) || !errors.Is(err, games.ErrLost) {
				t.Fatalf("%v: expected a refusal", err)
			}
			t.Log(err)
			if err := g.Start().Apply(0); !errors.Is(err, plugins.ErrRefused) {
				t.Errorf("after the refusal: %v", err)
			}
		})
	}
}

// A check finds every defect that it promises to find, with a history that shows
// it.
func TestDefectsAreFound(t *testing.T) {
	for _, d := range plugintest.Defects {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			how := plugins.CheckOptions{Histories: 100, Walks: 10}
			if d.Name == "slow" {
				how = plugins.CheckOptions{Histories: 3, Walks: 1}
			}
			result, err := plugins.Check(t.Context(), plugins.Options{Command: []string{os.Args[0], d.Name}}, how)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(result.Notes, "\n")
			for _, failure := range result.Failures {
				said += "\n" + failure.Error()
			}
			t.Log(strings.TrimSpace(said))
			if !strings.Contains(said, d.Found) || d.Name != "slow" && len(result.Failures) == 0 {
				t.Errorf("%q: expected %q", said, d.Found)
			}
			if !strings.Contains(said, "after action") && !strings.Contains(said, "at the start") {
				t.Errorf("%q names no history", said)
			}
			if d.Name == "returns-do-not-sum" && !regexp.MustCompile(`after actions \[\d \d \d \d \d\] `).MatchString(said) {
				t.Errorf("%q: a game that is won takes five actions at least", said)
			}
		})
	}
}

// Actions can be proposed in words: the same text is the same action, copies are
// independent, and a game of proposals goes on in any process.
func TestProposals(t *testing.T) {
	g := open(t, plugins.Options{Command: []string{os.Args[0], "open"}, Processes: 2})
	plain := builtin(t, "modchain(length=3,seed=5)").Start()
	s := g.Start()
	for plain.Turn() != games.Over {
		if actions := s.Actions(nil); len(actions) != 0 {
			t.Fatalf("open are %v before anything was proposed", actions)
		}
		want := plain.Actions(nil)[0]
		text := "I say " + games.Say(plain, want)
		copied := s.Clone()
		for range 2 {
			a, err := s.(games.Open).Propose(text)
			if err != nil || a != want {
				t.Fatalf("%q is action %d, %v; expected %d", text, a, err, want)
			}
		}
		if _, err := s.(games.Open).Propose("nothing"); err == nil {
			t.Error("nonsense is taken")
		}
		if actions := s.Actions(nil); len(actions) != 1 || actions[0] != want || len(copied.Actions(nil)) != 0 {
			t.Fatalf("open are %v, and %v at a copy", actions, copied.Actions(nil))
		}
		if err := copied.Apply(want); !errors.Is(err, games.ErrIllegal) {
			t.Errorf("what was not proposed is played: %v", err)
		}
		for _, x := range []games.State{s, plain} {
			if err := x.Apply(want); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.Turn() != games.Over || s.Returns(nil)[0] != plain.Returns(nil)[0] {
		t.Errorf("turn %d, returns %v", s.Turn(), s.Returns(nil))
	}
	if err := g.Err(); err != nil {
		t.Error(err)
	}
}

// What cannot be opened says why in one line, with what to do.
func TestWhatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script := func(name, text string) string { return write(name, "#!/bin/sh\n"+text+"\n", 0o700) }
	manifest := func(name, text string) string {
		return plugins.Prefix + filepath.Dir(write(filepath.Join(name, plugins.ManifestFile), text, 0o600))
	}
	sum := strings.Repeat("a", 64)
	for _, c := range []struct{ name, want string }{
		{"plugin:", "expected a program after plugin:"},
		{"plugin:./not-there", "there is no such program"},
		{"plugin:" + write("plain.txt", "hello", 0o600), "may not be executed: chmod"},
		{"plugin:" + script("quiet", "exit 3"), "it ended before it said that it serves"},
		{"plugin:" + script("dying", "echo boom >&2; exit 3"), "its last words: boom"},
		{"plugin:" + script("chatty", "echo hello; sleep 9"), "it is no plugin: it wrote hello"},
		{"plugin:" + script("old", "echo '1|99|unix|/tmp/x|grpc|'; sleep 9"), "another version of the protocol than 1"},
		{"plugin:" + script("core", "echo '7|1|unix|/tmp/x|grpc|'; sleep 9"), "incompatible core API version"},
		{"plugin:" + script("rpc", "echo '1|1|unix|/tmp/x|netrpc|'; sleep 9"), "unsupported plugin protocol"},
		{"plugin:" + script("deaf", "sleep 99"), "did not say within 1s that it serves"},
		{"plugin:" + script("absent", "echo '1|1|unix|/nowhere/x|grpc|'; sleep 99"), "no such file"},
		{"plugin:" + script("port", "echo '1|1|tcp|127.0.0.1:1|grpc|'; sleep 99"), "connection refused"},
		{"plugin:python-that-is-not-there nim.py", "python-that-is-not-there: there is no such program"},
		{"plugin:./x(rows=", "there is no such program"},
		{"plugin:./x(rows=(1)", "parenthesis is not closed"},
		{manifest("empty", "name: empty\n"), "expected a command"},
		{manifest("unknown", "command: [./x]\nspeed: 9\n"), "speed"},
		{manifest("memory", "command: [./x]\nmemory: lots\n"), `memory "lots": expected an amount such as 512MiB`},
		{manifest("timeout", "command: [./x]\ntimeout: soon\n"), "soon"},
		{manifest("gone", "command: [./gone]\n"), "there is no such program"},
		{manifest("hex", "command: [sh]\nsha256: abc\n"), "expected 64 hexadecimal digits"},
		{manifest("sum", "command: [sh]\nsha256: "+sum+"\n"), "it was changed, or the manifest is old"},
		{"plugin:" + filepath.Join(dir, "memory", "sub"), "there is no such program"},
		{"plugin:" + os.Args[0] + " no_such_game 1 - panic", `no game "no_such_game"`},
		{"plugin:" + os.Args[0] + " kuhn_poker 1000 - panic(players=99)", "players=99"},
	} {
		o, found, err := plugins.Named(c.name)
		if err == nil {
			if !found {
				t.Errorf("%s: is no plugin", c.name)
				continue
			}
			o.StartTimeout, o.Timeout = 20*time.Second, time.Second
			if strings.Contains(c.want, "within 1s") { // what does not say so may take longer on a busy machine
				o.StartTimeout = time.Second
			}
			var g *plugins.Game
			if g, err = plugins.Open(o); err == nil {
				t.Errorf("%s is opened", c.name)
				_ = g.Close()
				continue
			}
		}
		if text := err.Error(); !strings.Contains(text, c.want) || strings.Contains(text, "\n") || len(text) > 900 {
			t.Errorf("%s: %q: expected one line with %q", c.name, text, c.want)
		}
	}
}

// Environment variables of the host, such as keys for a paid service, do not
// reach a plugin.
func TestSecretsStay(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "secret")
	path := filepath.Join(t.TempDir(), "nosy")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nenv >&2\necho \"key:$OPENAI_API_KEY.\" >&2\n"), 0o700); err != nil { //nolint:gosec // a test's program
		t.Fatal(err)
	}
	_, err := plugins.Open(plugins.Options{Command: []string{path}})
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "key:.") {
		t.Errorf("%v", err)
	}
}

// A plugin whose host is killed ends by itself, also where a shell stands between.
func TestOrphansEnd(t *testing.T) {
	if _, err := exec.LookPath("pgrep"); err != nil {
		t.Skip("no pgrep")
	}
	for _, kind := range []string{"child", "runner"} {
		t.Run(kind, func(t *testing.T) { orphanEnds(t, kind) })
	}
}

func orphanEnds(t *testing.T, kind string) {
	host := exec.CommandContext(context.Background(), os.Args[0]) //nolint:gosec // this test's own program
	host.Env = append(os.Environ(), "AGON_TEST_HOST="+kind)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("the plugin lives on after its host was killed")
}

// Both directions of the description's limits: a start is there at once, and the
// plugin's processes are gone after Close, even a stopped one.
func TestCloseEndsAStoppedProcess(t *testing.T) {
	g, err := plugins.Open(options("kuhn_poker", never, "panic"))
	if err != nil {
		t.Fatal(err)
	}
	pids := g.Processes()
	if len(pids) != 1 {
		t.Fatalf("%d processes", len(pids))
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("closing took %v", took)
	}
	if syscall.Kill(pids[0], 0) == nil {
		t.Error("the process is still there")
	}
}
