package prefs_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// The policy finds better what it finds more likely, and nothing else is asked.
func TestOwnOpinion(t *testing.T) {
	for _, test := range []struct {
		chosen, rejected, margin float64
		known                    bool
	}{
		{-1, -3, 2, true},
		{-3, -1, -2, true},
		{-2, -2, 0, false},
	} {
		p := prefs.Pair{ChosenPrior: test.chosen, RejectedPrior: test.rejected, ChosenQ: 1, RejectedQ: -1, ChosenBehaviour: -9, RejectedBehaviour: -1}
		if margin, known, err := (prefs.Own{}).Compare(t.Context(), p); margin != test.margin || known != test.known || err != nil {
			t.Errorf("log-probabilities of %g and %g: %g, %t, %v, expected %g and %t", test.chosen, test.rejected, margin, known, err, test.margin, test.known)
		}
	}
}

// says is a judge of one answer.
type says struct {
	margin float64
	known  bool
	err    error
}

func (s says) Compare(context.Context, prefs.Pair) (float64, bool, error) {
	return s.margin, s.known, s.err
}

// The first judge of a panel that knows is believed, those after it are not asked.
func TestPanel(t *testing.T) {
	fault := errors.New("out of order")
	for name, test := range map[string]struct {
		panel  prefs.Panel
		margin float64
		known  bool
		err    error
	}{
		"nobody":            {prefs.Panel{}, 0, false, nil},
		"nobody knows":      {prefs.Panel{says{margin: 9}, says{margin: 8}}, 0, false, nil},
		"the second knows":  {prefs.Panel{says{margin: 9}, says{-2, true, nil}, says{5, true, nil}}, -2, true, nil},
		"the first is even": {prefs.Panel{says{0, true, nil}, says{5, true, nil}}, 0, true, nil},
		"the first fails":   {prefs.Panel{says{0, false, fault}, says{5, true, nil}}, 0, false, fault},
		"the label":         {prefs.Panel{says{}, prefs.Labelled{}}, 1, true, nil},
	} {
		margin, known, err := test.panel.Compare(t.Context(), prefs.Pair{})
		if margin != test.margin || known != test.known || !errors.Is(err, test.err) {
			t.Errorf("%s: %g, %t, %v, expected %g, %t, %v", name, margin, known, err, test.margin, test.known, test.err)
		}
	}
}

// byPrompt is a judge that answers by a pair's prompt.
type byPrompt map[string]says

func (b byPrompt) Compare(ctx context.Context, p prefs.Pair) (float64, bool, error) {
	return b[p.Prompt].Compare(ctx, p)
}

// A pair that is judged the other way round has all its columns turned; one that is even
// or cannot be told is left out. The judge's labels are his own, and not doubted.
func TestRelabelByValue(t *testing.T) {
	judge := byPrompt{"right": {margin: 0.5, known: true}, "wrong": {margin: -0.5, known: true}, "even": {known: true}, "unknown": {margin: 1}}
	var pairs []prefs.Pair
	for _, prompt := range []string{"wrong", "even", "right", "unknown"} {
		p := filled[prefs.Pair]()
		p.Prompt = prompt
		pairs = append(pairs, p)
	}
	got, err := prefs.Relabel{Judge: judge}.Select(t.Context(), pairs, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []prefs.Pair{pairs[0].Swapped(), pairs[2]}
	for i := range want {
		want[i].Rule, want[i].Doubt = "judge", 0
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A solver looks so many moves beyond the answer. x has two in a row and wins by 2 at
// once; after 8 o can block, and who wins is not told before more moves are looked at. It
// stands for the seat that moves: for o the same win of x is a loss.
func TestSolverByHand(t *testing.T) {
	//  x x .      x moves: 2 wins, 8 does not.      x x .     o moves: 2 blocks; after 8 x wins.
	//  o o .                                        . o .
	//  . . .                                        . . .
	x := prefs.Pair{Game: "tic_tac_toe", History: []int32{0, 3, 1, 4}, ChosenAction: 2, RejectedAction: 8}
	o := prefs.Pair{Game: "tic_tac_toe", History: []int32{0, 4, 1}, Seat: 1, ChosenAction: 2, RejectedAction: 8}
	for _, test := range []struct {
		name   string
		pair   prefs.Pair
		depth  int
		margin float64
		known  bool
	}{
		{"a win against what may be a win too", x, 0, 0, false},
		{"a win against a threat of o", x, 1, 2, true}, // o wins by 5
		{"the same turned round", x.Swapped(), 1, -2, true},
		{"a block against what is not seen yet", o, 0, 0, false},
		{"a block against a loss, whatever it is worth", o, 1, 0, false}, // it may be a loss as well
		{"a block that draws against a loss", o, 9, 1, true},
		{"a loss against a block", o.Swapped(), 9, -1, true},
	} {
		margin, known, err := (&prefs.Solver{Depth: test.depth}).Compare(t.Context(), test.pair)
		if margin != test.margin || known != test.known || err != nil {
			t.Errorf("%s, %d moves ahead: %g, %t, %v, expected %g and %t", test.name, test.depth, margin, known, err, test.margin, test.known)
		}
	}
}

// In games of one seat that know whether they can still be solved, they are asked: a
// step that leaves a solution is worth the most, one that does not the least.
func TestVerifierJudges(t *testing.T) {
	game, err := games.New("modchain(length=3,seed=5)")
	if err != nil {
		t.Fatal(err)
	}
	value, ok := prefs.Verifier(game)
	if !ok {
		t.Fatal("the chain cannot be verified")
	}
	var good, bad []games.Action
	for _, a := range game.Start().Actions(nil) {
		s := game.Start()
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
		solvable := s.(interface{ Solvable() bool }).Solvable()
		v, err := value(t.Context(), s)
		if want := map[bool]float64{true: game.Info().MaxReturn, false: game.Info().MinReturn}[solvable]; v != want || err != nil {
			t.Errorf("after %d: %g, %v, expected %g", a, v, err, want)
		}
		if solvable {
			good = append(good, a)
		} else {
			bad = append(bad, a)
		}
	}
	if len(good) == 0 || len(bad) == 0 {
		t.Fatalf("%d good and %d bad steps", len(good), len(bad))
	}
	p := prefs.Pair{Game: game.Info().Spec(), ChosenAction: int32(good[0]), RejectedAction: int32(bad[0])}
	span := game.Info().MaxReturn - game.Info().MinReturn
	for want, q := range map[float64]prefs.Pair{span: p, -span: p.Swapped()} {
		if margin, known, err := (&prefs.Solver{}).Compare(t.Context(), q); margin != want || !known || err != nil {
			t.Errorf("%d against %d: %g, %t, %v, expected %g", q.ChosenAction, q.RejectedAction, margin, known, err, want)
		}
	}
	board, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := prefs.Verifier(board); ok {
		t.Error("a game of two seats is verified")
	}
}

// Of two joined pairs every number is made of the parts that the answer takes: values
// are means, log-probabilities sums. Which parts the rejected one misses its text says.
func TestJoinByValue(t *testing.T) {
	parts := []prefs.Pair{
		{Prompt: "x", Chosen: "a", Rejected: "b", ChosenQ: 1, RejectedQ: -1, ChosenPrior: -1, RejectedPrior: -2, ChosenBehaviour: -16, RejectedBehaviour: -32, Source: "s", Seed: 3, ChosenAction: 4, RejectedAction: 5},
		{Prompt: "y", Chosen: "c", Rejected: "d", ChosenQ: 0.5, RejectedQ: 0, ChosenPrior: -4, RejectedPrior: -8, ChosenBehaviour: -64, RejectedBehaviour: -128, Source: "t", Seed: 9},
	}
	want := prefs.Pair{
		Prompt: "1. x\n\n2. y", Chosen: "1. a\n2. c", ChosenQ: 0.75, ChosenPrior: -5, ChosenBehaviour: -80,
		ChosenAction: -1, RejectedAction: -1, Rule: "mapl", Source: "s", Seed: 3,
	}
	r, met := play.Generator(1, "join"), map[string]bool{}
	for range 50 {
		got := prefs.Join(parts, r)
		want := want
		switch want.Rejected = got.Rejected; got.Rejected {
		case "1. b\n2. c":
			want.RejectedQ, want.RejectedPrior, want.RejectedBehaviour = -0.25, -6, -96
		case "1. a\n2. d":
			want.RejectedQ, want.RejectedPrior, want.RejectedBehaviour = 0.5, -9, -144
		case "1. b\n2. d":
			want.RejectedQ, want.RejectedPrior, want.RejectedBehaviour = -0.5, -10, -160
		default:
			t.Fatalf("the rejected answer is %q", got.Rejected)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		met[got.Rejected] = true
	}
	if len(met) != 3 {
		t.Errorf("%v", met)
	}
}

// wants are instructions: that an answer has a letter, or has none.
func wants(letters string) (out []prefs.Instruction) {
	for _, l := range letters {
		out = append(out, prefs.Instruction{
			Holds: func(a prefs.Candidate) bool { return strings.ContainsRune(a.Text, l) },
			Ask:   func(holds bool) string { return map[bool]string{true: "with ", false: "without "}[holds] + string(l) },
		})
	}
	return out
}

// Instructions are worded as the chosen answer meets them, so that the rejected one
// misses one at least. Where it meets all as well there is nothing to learn.
func TestInstruct(t *testing.T) {
	pairs := []prefs.Pair{
		{Prompt: "write", Chosen: "ab", Rejected: "b", ChosenQ: 1, RejectedQ: 0.5, Source: "s", Game: "g"},
		{Prompt: "", Chosen: "b", Rejected: "ab"},
		{Prompt: "same", Chosen: "ab", Rejected: "ba"},
	}
	got, err := prefs.Instruct(pairs, wants("ab"), 2, play.Generator(1, "instruct"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("%d pairs, expected those whose answers differ", len(got))
	}
	lines := strings.Split(got[0].Prompt, "\n")
	slices.Sort(lines[1:])
	if !slices.Equal(lines, []string{"write", "with a", "with b"}) {
		t.Errorf("the chosen answer has both letters: %q", got[0].Prompt)
	}
	if lines = strings.Split(got[1].Prompt, "\n"); !slices.Contains(lines, "without a") || !slices.Contains(lines, "with b") || len(lines) != 2 {
		t.Errorf("the chosen answer has b alone: %q", got[1].Prompt)
	}
	want := pairs[0]
	want.Prompt, want.Rule = got[0].Prompt, "mapl"
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Error(d)
	}
	// One instruction of two: that of b is the same for both, and is tried again.
	counts := map[string]int{}
	for i := range 200 {
		if got, err = prefs.Instruct(pairs[:1], wants("ab"), 1, play.Generator(uint64(i), "instruct")); err != nil || len(got) > 1 {
			t.Fatal(got, err)
		}
		for _, p := range got {
			counts[p.Prompt]++
		}
	}
	if counts["write\nwith a"] != 200 || len(counts) != 1 {
		t.Errorf("%v, expected that a is asked for, which tells the answers apart", counts)
	}
	for _, k := range []int{0, 3} {
		if _, err := prefs.Instruct(pairs, wants("ab"), k, nil); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d of 2 instructions", k)) {
			t.Errorf("%v", err)
		}
	}
}

// The same answer under what it does and under what it does not do: of two instructions
// the first, the second or both are turned round, each a third of the time.
func TestInstructIntra(t *testing.T) {
	p := prefs.Pair{Prompt: "write", Chosen: "ab", Rejected: "c", ChosenQ: 1, RejectedQ: 0.5, Source: "s", Game: "g", History: []int32{1, 2}, ChosenAction: 7, RejectedAction: 8}
	counts := map[string]int{}
	const n = 3000
	r := play.Generator(1, "instruct")
	for range n {
		got, err := prefs.InstructIntra([]prefs.Pair{p}, wants("ax"), 2, r)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		met, missed := strings.Split(got[0].ChosenPrompt, "\n"), strings.Split(got[0].RejectedPrompt, "\n")
		slices.Sort(met)
		slices.Sort(missed)
		if !slices.Equal(met, []string{"with a", "without x", "write"}) {
			t.Fatalf("the answer has a and not x: %q", got[0].ChosenPrompt)
		}
		counts[strings.Join(missed, ", ")]++
		want := prefs.PromptPair{
			ChosenPrompt: got[0].ChosenPrompt, RejectedPrompt: got[0].RejectedPrompt, Completion: "ab", Game: "g",
			ChosenHistory: []int32{1, 2}, RejectedHistory: []int32{1, 2}, Action: 7, ChosenQ: 1, RejectedQ: 1, Source: "s",
		}
		if d := cmp.Diff(want, got[0]); d != "" {
			t.Fatal(d)
		}
	}
	for _, prompt := range []string{"without a, without x, write", "with a, with x, write", "with x, without a, write"} {
		if math.Abs(float64(counts[prompt])/n-1./3) > 0.04 || len(counts) != 3 {
			t.Errorf("%q comes %d times of %d, expected a third: %v", prompt, counts[prompt], n, counts)
		}
	}
	for _, k := range []int{0, 3} {
		if _, err := prefs.InstructIntra([]prefs.Pair{p}, wants("ab"), k, nil); err == nil {
			t.Errorf("%d of 2 instructions are taken", k)
		}
	}
	if _, err := prefs.InstructIntra([]prefs.Pair{p}, wants(strings.Repeat("a", 40)), 31, nil); err == nil {
		t.Error("31 instructions are taken")
	}
	if got, err := prefs.InstructIntra([]prefs.Pair{p}, wants(strings.Repeat("a", 40)), 30, r); err != nil || len(strings.Split(got[0].RejectedPrompt, "\n")) != 31 {
		t.Errorf("30 instructions: %v", err)
	}
}

// A solver that remembers says what one says that has seen nothing, however far pairs lie
// apart.
func TestSolverRemembersRightly(t *testing.T) {
	for _, depth := range []int{1, 2, 3} {
		old := &prefs.Solver{Depth: depth}
		for _, p := range truePairs(t, 120, 8) {
			margin, known, err := old.Compare(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if m, k, err := (&prefs.Solver{Depth: depth}).Compare(t.Context(), p); m != margin || k != known || err != nil {
				t.Fatalf("%d moves ahead, %s: %g and %t, by a new one %g and %t, %v", depth, summary(p), margin, known, m, k, err)
			}
		}
	}
}

// A solver gives up after so many states, and knows nothing then; games that hide
// something or draw lots have no exact judge.
func TestSolverBounds(t *testing.T) {
	p := prefs.Pair{Game: "tic_tac_toe", ChosenAction: 4, RejectedAction: 0}
	for nodes, want := range map[int]bool{20: false, 0: true} {
		if _, known, err := (&prefs.Solver{Depth: 9, Nodes: nodes}).Compare(t.Context(), p); known != want || err != nil {
			t.Errorf("%d states at most: known %t, %v", nodes, known, err)
		}
	}
	for _, name := range []string{"pig", "phantom_ttt", "matrix(rps)", "undercover"} {
		if _, _, err := (&prefs.Solver{Depth: 1}).Compare(t.Context(), prefs.Pair{Game: name}); err == nil || !strings.Contains(err.Error(), "no exact judge") {
			t.Errorf("%s: %v", name, err)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := (&prefs.Solver{Depth: 9}).Compare(stopped, p); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A text of one word of three letters is that word, that run of letters and its length.
func TestTextFeaturesByHand(t *testing.T) {
	tell := prefs.TextFeatures(1 << 16)
	for text, want := range map[string]float64{"": 0, "ab": 1, "abc": 2, "abcd": 3, "ab cd": 2 + 3, "äöü": 2} {
		x, _, err := tell(prefs.Pair{Chosen: text})
		if err != nil {
			t.Fatal(err)
		}
		told := 0.0
		for _, v := range x[:len(x)-1] {
			told += math.Abs(v)
		}
		if told != want || x[len(x)-1] != float64(len([]rune(text)))/100 {
			t.Errorf("%q is told by %g words and runs and a length of %g, expected %g", text, told, x[len(x)-1], want)
		}
	}
	// Either side has its own.
	x, y, _ := tell(prefs.Pair{Chosen: "one", Rejected: "two"})
	a, b, _ := tell(prefs.Pair{Chosen: "two", Rejected: "one"})
	if !slices.Equal(x, b) || !slices.Equal(y, a) || slices.Equal(x, y) {
		t.Error("the two answers are told by each other's words")
	}
}
