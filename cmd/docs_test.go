package cmd

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the pages' commands need that the pages do not say. What changes with the program
// stands here: how training is cut short, and which commands are not run, with the reason.
var (
	// short are the settings that cut training short, by how a command begins, the longest
	// first; they follow the page's own.
	short = map[string][]string{
		"train":                {"updates=2", "games=16", "group=16", "evaluate.every=2", "evaluate.games=4", "checkpoint.every=1"},
		"spc train":            append([]string{"critic.warmup=1"}, shortRounds...),
		"spc train inspection": shortRounds, // it has no warm-up
	}
	shortRounds = []string{"critic.rounds=1", "updates=1", "games=16", "group=16", "evaluate.every=1", "critic.cases=2", "evaluate.games=2", "checkpoint.every=1"}
	// before are files that a page's commands expect, and commands that make them.
	before = map[string]struct {
		files    map[string]string
		blocks   map[string]string // the page's own block of a language, as a file
		commands [][]string
	}{
		"docs/guide/train.md":          {files: map[string]string{"my.yaml": "version: 1\ngame: kuhn_poker\n"}},
		"docs/guide/tournaments.md":    {blocks: map[string]string{"yaml": "mine.yaml"}},
		"docs/reference/objectives.md": {blocks: map[string]string{"json": "batch.jsonl"}},
		"docs/guide/preferences.md": {
			files: map[string]string{"cycle.jsonl": `{"a":{"actions":[0]},"b":{"actions":[1]},"p":0.9}
{"a":{"actions":[1]},"b":{"actions":[2]},"p":0.9}
{"a":{"actions":[2]},"b":{"actions":[0]},"p":0.9}
`},
			commands: [][]string{
				{"prefs", "collect", "tic_tac_toe", "--games", "2", "--agent", "mcts:sims=20,temperature=1", "--out", "old.parquet"},
				{"prefs", "collect", "tic_tac_toe", "--games", "2", "--agent", "mcts:sims=40,temperature=1", "--out", "now.parquet"},
				{"prefs", "collect", "tic_tac_toe", "--games", "2", "--agent", "mcts:sims=80,temperature=1", "--out", "ahead.parquet"},
			},
		},
	}
	// left are commands that are not run, by what they hold.
	left = []exception{
		{"plugin", "it needs the program of a plugin; the tests of plugins have those"},
		{"run:trained", "the run was trained on a plugin"},
		{"backend install", "it downloads"},
		{"xla:cpu", "its plugin is not everywhere"},
		{"openai:", "it asks a language model"},
		{"uci:", "it needs a chess engine"},
		{"agon play ", "it waits for a person"},
		{"agon spc play ", "it waits for a person"},
		{"runs/critic@100", "it needs the run as it is before it is cut short"},
		{"runs/connect_four", "it needs the run as it is before it is cut short"},
		{"round_0003", "it needs a run of three rounds"},
		{"train arithmetic", "it needs the pairs of a run of three rounds"},
	}
	// slow are commands that are run with AGON_TEST_SLOW=1 alone.
	slow = []exception{
		{"--strategy certain", "it fits an estimator for each part of the pairs: half a minute"},
		{"sure.parquet", "it needs what that writes"},
		{"solve liars_dice", "it takes several seconds"},
	}
)

// exception is a part of a command, and why it is treated apart.
type exception struct{ part, why string }

// find says why a command is an exception; "" where it is none.
func find(all []exception, c command) (why string) {
	for _, e := range all {
		if strings.Contains(c.full(), e.part) {
			return e.why
		}
	}
	return ""
}

// command is one that a page shows.
type command struct {
	text   string
	block  bool   // in a block of code, not in a line of text
	output string // what the page shows of what it prints
	words  []string
}

func (c command) full() string { return "agon " + strings.Join(c.words, " ") }

const top = ".." // the repository's root, from here

// pagesWithCommands are README, CONTRIBUTING and all of docs.
func pagesWithCommands(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.md", "CONTRIBUTING.md", "plugins/python/README.md"}
	err := fs.WalkDir(os.DirFS(top), "docs", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

var (
	fenced   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	inline   = regexp.MustCompile("`((?:agon|go run \\./cmd/agon) [^`]*)`")
	ours     = regexp.MustCompile(`^(agon|go run \./cmd/agon) `)
	schema   = regexp.MustCompile(`…|\w\|\w`) // of commands that stand for several
	prompted = regexp.MustCompile(`(?m)^\$ `)
)

// commandsOf reads a page's commands: those in its blocks of code in their order, then
// those in its text.
func commandsOf(page string) (all []command) {
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		switch block[1] {
		case "console":
			for _, part := range prompted.Split(block[2], -1)[1:] {
				line, output, _ := strings.Cut(part, "\n")
				for strings.HasSuffix(line, "\\") {
					var more string
					more, output, _ = strings.Cut(output, "\n")
					line = strings.TrimSuffix(line, "\\") + more
				}
				if ours.MatchString(line) {
					all = append(all, command{text: line, block: true, output: output})
				}
			}
		case "sh", "":
			for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", "")) {
				if line = strings.TrimSpace(line); ours.MatchString(line) {
					all = append(all, command{text: line, block: true})
				}
			}
		}
	}
	for _, found := range inline.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		if line := strings.Join(strings.Fields(found[1]), " "); !schema.MatchString(line) {
			all = append(all, command{text: line})
		}
	}
	return all
}

// cut has the shell cut commands into words.
func cut(t *testing.T, all []command) {
	t.Helper()
	script := "agon() { for w in \"$@\"; do printf '%s\\036' \"$w\"; done; printf '\\035'; }\n"
	for _, c := range all {
		script += ours.ReplaceAllString(c.text, "agon ") + "\n"
	}
	out, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\035")
	if len(lines) != len(all)+1 {
		t.Fatalf("%d commands, of which the shell read %d", len(all), len(lines)-1)
	}
	for i := range all {
		words := strings.Split(lines[i], "\036")
		all[i].words = words[:len(words)-1]
	}
}

// parse looks up a command's verb and its flags and, of one that stands alone, how many
// arguments it takes. It runs nothing.
func parse(c command) error {
	root := (&program{}).root()
	root.InitDefaultHelpCmd()
	verb, rest, err := root.Find(c.words)
	if err != nil {
		return err
	}
	verb.InitDefaultHelpFlag()
	if c.block {
		if err := verb.ParseFlags(rest); err != nil {
			return err
		}
		return verb.ValidateArgs(verb.Flags().Args())
	}
	if verb.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") { // the text names a verb that is none
		return verb.ValidateArgs(rest)
	}
	for _, word := range rest {
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag && name != "" {
			name, _, _ = strings.Cut(name, "=")
			if verb.Flags().Lookup(name) == nil {
				return fmt.Errorf("%s has no flag --%s", verb.CommandPath(), name)
			}
		}
	}
	return nil
}

// TestCommandsInPagesParse wants every command that a page shows to be one of the
// program's: its verb, its flags, as many arguments as it takes.
func TestCommandsInPagesParse(t *testing.T) {
	for _, page := range pagesWithCommands(t) {
		all := commandsOf(pageText(t, page))
		cut(t, all)
		for _, c := range all {
			if err := parse(c); err != nil {
				t.Errorf("%s: %s: %v", page, c.text, err)
			}
		}
	}
	for _, wrong := range []command{
		{words: []string{"trian", "kuhn_poker"}},
		{words: []string{"spc", "trian"}},
		{words: []string{"train", "kuhn_poker", "--sett", "a=b"}},
		{words: []string{"train", "kuhn_poker", "--sett", "a=b"}, block: true},
		{words: []string{"solve"}, block: true},
	} {
		if parse(wrong) == nil {
			t.Errorf("%q was parsed", wrong.words)
		}
	}
}

func pageText(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCommandsInPagesRun runs the commands of every page's blocks in their order, in a
// folder of the page's own, and wants those whose output the page shows to print that.
func TestCommandsInPagesRun(t *testing.T) {
	met := map[exception]bool{}
	for _, page := range pagesWithCommands(t) {
		text := pageText(t, page)
		all := slices.DeleteFunc(commandsOf(text), func(c command) bool { return !c.block })
		if len(all) == 0 {
			continue
		}
		cut(t, all)
		for _, e := range slices.Concat(left, slow) {
			met[e] = met[e] || slices.ContainsFunc(all, func(c command) bool { return strings.Contains(c.full(), e.part) })
		}
		t.Run(page, func(t *testing.T) {
			t.Setenv("AGON_BACKEND", "go")
			t.Setenv("AGON_PJRT_DIR", filepath.Join(t.TempDir(), "none"))
			t.Chdir(t.TempDir())
			prepare(t, page, text)
			for _, c := range all {
				if why := find(left, c); why != "" {
					t.Logf("left: %s: %s", c.full(), why)
					continue
				}
				if why := find(slow, c); why != "" && os.Getenv("AGON_TEST_SLOW") == "" {
					t.Logf("left to AGON_TEST_SLOW=1: %s: %s", c.full(), why)
					continue
				}
				runAsShown(t, c)
			}
		})
	}
	for _, e := range slices.Concat(left, slow) {
		if !met[e] {
			t.Errorf("no page has a command with %q any more", e.part)
		}
	}
}

// prepare makes what a page's commands expect.
func prepare(t *testing.T, page, text string) {
	t.Helper()
	for name, content := range before[page].files {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for language, name := range before[page].blocks {
		for _, block := range fenced.FindAllStringSubmatch(text, -1) {
			if block[1] != language {
				continue
			}
			if language == "json" { // of several lines on a page, one in a file
				block[2] = strings.Join(strings.Fields(block[2]), " ")
			}
			if err := os.WriteFile(name, []byte(block[2]), 0o644); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	for _, words := range before[page].commands {
		var out, errOut bytes.Buffer
		if status := Main(words, strings.NewReader(""), &out, &errOut); status != statusDone {
			t.Fatalf("before the page, agon %s: %s", strings.Join(words, " "), errOut.String())
		}
	}
}

// seconds are what a page shows of time, which is another every time, and blanks those at
// the end of a line, which a page does not have.
var (
	seconds = regexp.MustCompile(`[0-9.]+(e-\d+)? s\b`)
	blanks  = regexp.MustCompile(`(?m) +$`)
)

func runAsShown(t *testing.T, c command) {
	t.Helper()
	words := slices.Clone(c.words)
	settings := shortened(words)
	for _, s := range settings {
		words = append(words, "--set", s)
	}
	var out, errOut bytes.Buffer
	start := time.Now()
	status := Main(words, strings.NewReader(""), &out, &errOut)
	t.Logf("%5.1f s  agon %s", time.Since(start).Seconds(), strings.Join(words, " "))
	got, want := out.String(), statusDone
	if strings.HasPrefix(c.output, "agon: ") {
		got, want = errOut.String(), statusFailed
	}
	if status != want {
		t.Errorf("agon %s: exit status %d, expected %d: %s", strings.Join(words, " "), status, want, errOut.String())
		return
	}
	if c.output != "" && settings == nil && runtime.GOARCH == "amd64" { // elsewhere sums are rounded otherwise
		tidy := func(s string) string {
			return strings.TrimSpace(blanks.ReplaceAllString(seconds.ReplaceAllString(s, "T s"), ""))
		}
		if diff := cmp.Diff(tidy(c.output), tidy(got)); diff != "" {
			t.Errorf("agon %s prints something else than the page (-) shows:\n%s", strings.Join(words, " "), diff)
		}
	}
}

// shortened are the settings that cut a command short; none for what trains nothing or
// goes on with a run.
func shortened(words []string) []string {
	if resumes(words) {
		return nil
	}
	text := strings.Join(words, " ") + " "
	longest := ""
	for beginning := range short {
		if strings.HasPrefix(text, beginning+" ") && len(beginning) > len(longest) {
			longest = beginning
		}
	}
	return short[longest]
}

// resumes tells whether a command goes on with a run, which keeps its recipe.
func resumes(words []string) bool {
	if slices.Contains(words, "--resume") {
		return true
	}
	for _, w := range words[1:] {
		if _, err := os.Stat(filepath.Join(w, "run.json")); err == nil {
			return true
		}
	}
	return false
}

// TestListsInPages wants the reference to have a row for all that the program lists.
func TestListsInPages(t *testing.T) {
	for page, words := range map[string][]string{
		"docs/reference/games.md":      {"games"},
		"docs/reference/objectives.md": {"objectives", "list"},
	} {
		var out, errOut bytes.Buffer
		if status := Main(words, strings.NewReader(""), &out, &errOut); status != statusDone {
			t.Fatalf("agon %s: %s", strings.Join(words, " "), errOut.String())
		}
		text, rows := pageText(t, page), 0
		for _, row := range regexp.MustCompile(`(?m)^\| ([a-z]\S*) +\| (.*?) +\|`).FindAllStringSubmatch(out.String(), -1) {
			name, second := row[1], strings.TrimSpace(row[2])
			rows++
			if !regexp.MustCompile("(?m)^\\| `" + name + "` \\| `?" + regexp.QuoteMeta(second) + "`? \\|").MatchString(text) {
				t.Errorf("%s has no row of %s with %q: agon %s prints it", page, name, second, strings.Join(words, " "))
			}
		}
		if rows < 20 {
			t.Errorf("agon %s: %d rows read", strings.Join(words, " "), rows)
		}
	}
}
