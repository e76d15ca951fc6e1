package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/plugins/plugintest"
)

var update = flag.Bool("update", false, "write what cmp finds into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"agon": main, "faulty": faulty, "bot": bot})
}

// faulty is a plugin that goes wrong now and then.
func faulty() {
	if err := plugintest.Main(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bot is an agent in a plugin: it says what it does and dies at every thirtieth
// question. With an argument it makes a wrong answer of it.
func bot() {
	questions := 0
	plugins.ServeAgent(func(_ context.Context, q plugins.Question) (plugins.Decision, error) {
		if questions++; questions%30 == 0 {
			os.Exit(3)
		}
		if len(q.Names) != len(q.Actions) || q.Prompt == "" || len(q.Key) == 0 || len(q.Observation) == 0 {
			return plugins.Decision{}, fmt.Errorf("a question without all that its seat may know: %+v", q)
		}
		i := q.Rand.IntN(len(q.Actions))
		switch {
		case slices.Contains(os.Args, "illegal"):
			return plugins.Decision{Action: 99}, nil
		case slices.Contains(os.Args, "mute"):
			return plugins.Decision{Text: "no idea", Heard: true}, nil
		case i == 0:
			return plugins.Decision{Action: q.Actions[i], Text: "the first of " + q.Game}, nil
		}
		return plugins.Decision{Text: "I take " + q.Names[i], Heard: true}, nil
	})
}

// TestScript runs the program as a person would: one script a subject, in
// testdata/script. The commands below are there beside testscript's own.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		ContinueOnError:     true, // a script is a table of cases
		Setup: func(env *testscript.Env) error {
			env.Setenv("AGON_BACKEND", "go")
			env.Setenv("AGON_PJRT_DIR", filepath.Join(env.WorkDir, "no-plugins"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "mount":
				return canMount(), nil
			case "slow":
				return os.Getenv("AGON_TEST_SLOW") != "", nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refused": refused, "json": jsonLine, "waitfor": waitFor, "damage": damage, "smalldisk": smallDisk,
		},
	})
}

// refused STATUS PATTERN agon ARGS… wants what every bad input must give: the
// exit status, one line on standard error which begins with "agon: " and
// matches, nothing on standard output, and no file changed, made or left.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: refused STATUS PATTERN COMMAND…")
	}
	before := content(ts)
	err := ts.Exec(args[2], args[3:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, expected %s", status, args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output has %q", out)
	}
	text := ts.ReadFile("stderr")
	line, rest, ended := strings.Cut(text, "\n")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	if !ended || rest != "" || !strings.HasPrefix(line, "agon: ") || !pattern.MatchString(line) {
		ts.Fatalf("standard error is %q, expected one line, %q and then %q", text, "agon: ", args[1])
	}
	if diff := cmp.Diff(before, content(ts)); diff != "" {
		ts.Fatalf("files before (-) and after (+):\n%s", diff)
	}
}

// content maps the files below the script's folder to what they hold.
func content(ts *testscript.TestScript) map[string]string {
	files := map[string]string{}
	root := ts.Getenv("WORK")
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files[path] = d.Type().String()
		if d.Type().IsRegular() {
			text, err := os.ReadFile(path)
			files[path] += string(text)
			return err
		}
		return nil
	}))
	return files
}

// waitfor FILE waits until a file is there and holds something.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// damage flip|cut FILE turns one bit in a file's middle, or cuts it in half.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[1])
	data, err := os.ReadFile(path)
	ts.Check(err)
	switch args[0] {
	case "flip":
		data[len(data)/2] ^= 4
	case "cut":
		data = data[:len(data)/2]
	default:
		ts.Fatalf("damage %s: expected flip or cut", args[0])
	}
	ts.Check(os.WriteFile(path, data, 0o600))
}
