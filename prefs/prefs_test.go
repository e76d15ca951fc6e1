package prefs_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/solve"
)

func extraction(t testing.TB, name string) prefs.Extraction {
	t.Helper()
	x, err := prefs.FindExtraction(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// grown returns the tree of a search after some moves.
func grown(t testing.TB, name string, simulations int, moves ...games.Action) (*mcts.Tree, prefs.Context) {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	s := game.Start()
	for _, a := range moves {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	rule, err := mcts.NewRule("uct")
	if err != nil {
		t.Fatal(err)
	}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: simulations, Leaves: 1, Nodes: mcts.DefaultNodes}, &mcts.Rollout{Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := mcts.NewTree(game.Info(), s, play.Generator(1, "search"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	return tree, prefs.Context{Game: game.Info().Name, History: moves, Source: "mcts", Seed: 1}
}

// Every pair keeps its rule's promise, and tells the state that it is of.
func TestExtract(t *testing.T) {
	tree, c := grown(t, "tic_tac_toe", 2000, 4, 0)
	root := tree.Children(mcts.Root)
	for _, kind := range prefs.Extractions.All() {
		rule := kind.Value
		pairs := prefs.Extract(tree, rule, c)
		if len(pairs) == 0 {
			t.Errorf("%s: no pairs", rule.Name)
		}
		atRoot, places := 0, map[string]int{}
		for _, p := range pairs {
			s, err := p.State()
			if err != nil {
				t.Fatal(err)
			}
			places[p.Key]++
			if s.Turn() != games.Seat(p.Seat) || games.Key(s, s.Turn()) != p.Key || games.Say(s, games.Action(p.ChosenAction)) != p.Chosen ||
				!strings.Contains(p.Prompt, "You are") || int(p.Depth) != len(p.History)-2 || p.Rule != rule.Name {
				t.Fatalf("%s: %+v", rule.Name, p)
			}
			if p.Depth == 0 {
				atRoot++
			}
			switch {
			case rule.Signs && !(p.ChosenQ > 0 && p.RejectedQ < 0),
				rule.Ranked == 1 && rule.Pairing != "best" && !(p.Gap() > 0 && p.Gap() >= rule.Gap),
				rule.Visits > 0 && (p.ChosenVisits < 1 || p.RejectedVisits < 1):
				t.Fatalf("%s takes %+v", rule.Name, p)
			}
		}
		most := map[string]int{"extremes": 1, "best": len(root) - 1, "fronts": 4, "all": len(root) * (len(root) - 1) / 2}[rule.Pairing]
		for key, n := range places {
			if n > most {
				t.Errorf("%s: %d pairs at %s, expected %d at most", rule.Name, n, key, most)
			}
		}
		if rule.Path && len(places) > 8 {
			t.Errorf("%s: pairs at %d states, and the path has 7", rule.Name, len(places))
		}
	}
	// At the root of tic-tac-toe after the centre and a corner nothing is lost
	// for x: best and worst are known by the tree.
	pair := prefs.Extract(tree, extraction(t, "mcts-dpo"), c)[0]
	for _, child := range root {
		if child.Q > pair.ChosenQ || child.Q < pair.RejectedQ {
			t.Errorf("mcts-dpo takes %+v beside %+v", pair, child)
		}
	}
}

// texts is a chain of arithmetic whose steps are texts: a state lists what was
// proposed at it so far, and nothing else.
type texts struct {
	games.State
	proposed []games.Action
}

func (s *texts) Prompt(seat games.Seat) string          { return s.State.(games.Speaker).Prompt(seat) }
func (s *texts) Say(a games.Action) string              { return s.State.(games.Speaker).Say(a) }
func (s *texts) Clone() games.State                     { return &texts{s.State.Clone(), slices.Clone(s.proposed)} }
func (s *texts) Hear(text string) (games.Action, error) { return s.State.(games.Speaker).Hear(text) }

func (s *texts) Propose(text string) (games.Action, error) {
	a, err := s.Hear(text)
	if err == nil && !slices.Contains(s.proposed, a) {
		s.proposed = append(s.proposed, a)
	}
	return a, err
}

func (s *texts) Actions(dst []games.Action) []games.Action {
	if s.Turn() < 0 {
		return s.State.Actions(dst)
	}
	return append(dst, s.proposed...)
}

func (s *texts) Apply(a games.Action) error {
	if s.Turn() >= 0 && !slices.Contains(s.proposed, a) {
		return games.Illegal(s, a)
	}
	s.proposed = nil
	return s.State.Apply(a)
}

// proposer samples steps of the chain as texts.
type proposer struct{}

const sampledAt = -1.5 // not the prior: that is renormalised

func (proposer) Propose(_ context.Context, states []games.State, k int, rands []*rand.Rand) ([][]mcts.Proposal, error) {
	out := make([][]mcts.Proposal, len(states))
	for i, s := range states {
		plain := s.(*texts).State
		legal := plain.Actions(nil)
		for range k {
			out[i] = append(out[i], mcts.Proposal{Text: "so " + games.Say(plain, legal[rands[i].IntN(len(legal))]), LogProb: sampledAt})
		}
	}
	return out, nil
}

// Where steps are proposed as texts, pairs hold these texts and what they were
// sampled with, at every depth of the tree.
func TestExtractProposed(t *testing.T) {
	game, err := games.New("modchain(length=3,seed=5)")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := mcts.NewRule("uct")
	if err != nil {
		t.Fatal(err)
	}
	truth := mcts.Exact{Value: func(_ context.Context, s games.State) (float64, error) {
		if s.(*texts).State.(problem.Verified).Solvable() {
			return 1, nil
		}
		return -1, nil
	}}
	search, err := mcts.New(mcts.Options{Rule: rule, Simulations: 300, Leaves: 1, Nodes: 10000}, mcts.Proposing{Proposer: proposer{}, K: 12, Evaluator: truth})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := mcts.NewTree(game.Info(), &texts{State: game.Start()}, play.Generator(1, "search"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	deep := int32(0)
	pairs := prefs.Extract(tree, extraction(t, "tpo"), prefs.Context{Game: game.Info().Spec()})
	for _, p := range pairs {
		deep = max(deep, p.Depth)
		if !strings.HasPrefix(p.Chosen, "so ") || !strings.HasPrefix(p.Rejected, "so ") || p.Chosen == p.Rejected ||
			p.ChosenBehaviour != sampledAt || p.RejectedBehaviour != sampledAt || p.ChosenPrior == sampledAt {
			t.Fatalf("%+v", p)
		}
	}
	if deep < 2 {
		t.Errorf("%d pairs, the deepest %d below the root", len(pairs), deep)
	}
}

// Pairs that a solver orders agree with the solver, those turned round do not.
func TestCheck(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	perfect, err := solve.Minimax(t.Context(), game)
	if err != nil {
		t.Fatal(err)
	}
	// x has two in a row: 2 wins, 8 does not.
	right := prefs.Pair{Game: "tic_tac_toe", History: []int32{0, 3, 1, 4}, ChosenAction: 2, RejectedAction: 8}
	wrong := right
	wrong.ChosenAction, wrong.RejectedAction = 8, 2
	first := prefs.Pair{Game: "tic_tac_toe", ChosenAction: 4, RejectedAction: 0} // both draw
	asSecond := prefs.Pair{Game: "tic_tac_toe", History: []int32{4, 0, 1}, Seat: 1, ChosenAction: 7, RejectedAction: 5}
	got, err := prefs.Check(t.Context(), []prefs.Pair{right, wrong, first, asSecond}, perfect.Value)
	if err != nil || got != (prefs.Errors{Pairs: 4, Wrong: 1, Even: 1}) || got.Rate() != 0.25 {
		t.Errorf("%+v, %v", got, err)
	}
	broken := prefs.Pair{Game: "tic_tac_toe", History: []int32{0, 0}}
	if _, err := prefs.Check(context.Background(), []prefs.Pair{broken}, perfect.Value); !errors.Is(err, games.ErrIllegal) {
		t.Errorf("%v", err)
	}
}

// More simulations make fewer wrong pairs.
func TestErrorRateFalls(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	perfect, err := solve.Minimax(t.Context(), game)
	if err != nil {
		t.Fatal(err)
	}
	rate := func(simulations int) float64 {
		tree, c := grown(t, "tic_tac_toe", simulations)
		e, err := prefs.Check(t.Context(), prefs.Extract(tree, extraction(t, "cpl"), c), perfect.Value)
		if err != nil {
			t.Fatal(err)
		}
		return e.Rate()
	}
	few, many := rate(200), rate(50_000)
	t.Logf("%.3f of the pairs are wrong after 200 simulations, %.3f after 50,000", few, many)
	if many >= few {
		t.Errorf("error rates %.3f and %.3f", few, many)
	}
}

func TestFindExtraction(t *testing.T) {
	r, err := prefs.FindExtraction("cpl(gap=0.5,visits=10)")
	if err != nil || r.Gap != 0.5 || r.Visits != 10 || !r.Signs {
		t.Errorf("%+v, %v", r, err)
	}
	for text, want := range map[string]string{
		"cpll":               `"cpll" is unknown, did you mean "cpl"`,
		"cpl(gap=3)":         "gap=3: expected a number from 0 to 2",
		"cpl(visits=-1)":     "visits=-1: expected a whole number",
		"tpo(pairing=mixed)": "pairing=mixed: expected extremes, all, best, fronts",
		"tpo(margin=1)":      `unknown parameter "margin"`,
		"":                   "expected a name",
	} {
		if _, err := prefs.FindExtraction(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

func pairOf(t *rapid.T) prefs.Pair {
	text := rapid.StringOf(rapid.RuneFrom([]rune("aé\n\"<,|😀")))
	number := rapid.Float64Range(-1e6, 1e6)
	return prefs.Pair{
		Prompt: text.Draw(t, "prompt"), Chosen: text.Draw(t, "chosen"), Rejected: text.Draw(t, "rejected"),
		Game: text.Draw(t, "game"), Key: text.Draw(t, "key"), Rule: text.Draw(t, "rule"),
		History: rapid.SliceOfN(rapid.Int32(), 1, 9).Draw(t, "history"),
		Seat:    rapid.Int32Range(0, 9).Draw(t, "seat"), ChosenAction: rapid.Int32().Draw(t, "action"),
		ChosenQ: number.Draw(t, "q"), ChosenVisits: rapid.Int64().Draw(t, "visits"), RejectedPrior: number.Draw(t, "prior"),
		Seed: rapid.Int64().Draw(t, "seed"),
	}
}

// What is written is read again, in either format.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(pairOf), 1, 20).Draw(t, "rows")
		for _, format := range prefs.Formats {
			path := filepath.Join(dir, "pairs"+format)
			if err := prefs.Write(path, rows); err != nil {
				t.Fatal(err)
			}
			again, err := prefs.Read[prefs.Pair](path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rows, again); diff != "" {
				t.Fatalf("%s (-written +read):\n%s", format, diff)
			}
		}
	})
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What cannot be read is said in a line, and nothing panics.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tree, c := grown(t, "tic_tac_toe", 100)
	good := filepath.Join(dir, "good.parquet")
	if err := prefs.Write(good, prefs.Extract(tree, extraction(t, "tpo"), c)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	const lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
	completions := filepath.Join(dir, "completions.parquet")
	if err := prefs.Write(completions, prefs.Pair{Prompt: "p"}.Completions()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.parquet"):                     "no such file",
		filepath.Join(dir, "pairs.csv"):                        "expected a file that ends in .parquet or .jsonl",
		write("empty.parquet", ""):                             "the file is empty",
		write("empty.jsonl", ""):                               "the file is empty",
		write("blank.jsonl", "\n\n"):                           "the file holds no rows",
		write("cut.parquet", string(whole[:len(whole)/2])):     "it is no whole Parquet file",
		write("text.parquet", "not parquet at all, not a bit"): "it is no whole Parquet file",
		write("lfs.parquet", lfs):                              "Git LFS pointer",
		write("lfs.jsonl", lfs):                                "Git LFS pointer",
		write("cut.jsonl", `{"prompt": "a"}`+"\n"+`{"promp`):   "line 2: unexpected EOF",
		write("type.jsonl", `{"prompt": 5}`):                   "line 1: json: cannot unmarshal number",
		write("column.jsonl", `{"promt": "a"}`):                `line 1: json: unknown field "promt"`,
		write("two.jsonl", `{"prompt": "a"} {}`):               "line 1: more than one value",
		completions:                                            `there is no column "chosen"`,
		dir + "/folder.jsonl":                                  "it is a folder",
	} {
		if strings.HasSuffix(path, "folder.jsonl") {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := prefs.Read[prefs.Pair](path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected %q", filepath.Base(path), err, want)
		}
	}
	for i := range whole { // a damaged file is an error or rows, never a panic
		if i%97 != 0 {
			continue
		}
		damaged := append([]byte{}, whole...)
		damaged[i] ^= 0xff
		_, _ = prefs.Read[prefs.Pair](write("damaged.parquet", string(damaged)))
	}
	if err := prefs.Write(filepath.Join(dir, "nosuch", "a.jsonl"), []prefs.Pair{{}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := prefs.Write(filepath.Join(dir, "nan.jsonl"), []prefs.Pair{{Value: math.NaN()}}); err == nil {
		t.Error("a value that is no number is written as JSON")
	}
	if _, err := os.Stat(filepath.Join(dir, "nan.jsonl")); err == nil {
		t.Error("a file half written stays behind")
	}
}

func TestStatsAndDiff(t *testing.T) {
	a := prefs.Pair{Game: "g", Rule: "r", Key: "k", ChosenAction: 1, RejectedAction: 2, ChosenQ: 1, ChosenVisits: 3, RejectedVisits: 5}
	b := prefs.Pair{Game: "g", Rule: "s", History: []int32{1}, ChosenAction: 3, RejectedAction: 2, ChosenQ: 0.5, RejectedQ: -0.5, Depth: 1, Seat: 1}
	turned := a
	turned.ChosenAction, turned.RejectedAction = 2, 1
	s := prefs.Describe([]prefs.Pair{a, b, b})
	if s.Pairs != 3 || s.States != 2 || s.Rules["s"] != 2 || s.Depths[1] != 2 || s.Seats[1] != 2 || s.Gap != [5]float64{1, 1, 1, 1, 1} || s.Visits[4] != 3 {
		t.Errorf("%+v", s)
	}
	d := prefs.Diff([]prefs.Pair{a, b}, []prefs.Pair{turned, b, {Game: "other"}})
	if d.Both != 1 || d.Contradicting != 1 || d.First != 0 || d.Second != 1 || len(d.Examples) != 1 || d.Examples[0].ChosenAction != 1 {
		t.Errorf("%+v", d)
	}
	if s := prefs.Describe(nil); s.Pairs != 0 || s.Gap != [5]float64{} {
		t.Errorf("%+v", s)
	}
}
