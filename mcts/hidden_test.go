package mcts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// secret is a path whose first move, of chance, only one seat sees.
type secret struct {
	path
	knows games.Seat
}

func (s *secret) Clone() games.State { return &secret{path{s.at, slices.Clone(s.went)}, s.knows} }
func (s *secret) AppendKey(dst []byte, seat games.Seat) []byte {
	if seat == s.knows || len(s.went) == 0 {
		return fmt.Append(dst, s.went)
	}
	return fmt.Append(dst, "?", s.went[1:])
}

// hush is a game of secrets.
type hush struct {
	start *branch
	knows games.Seat
}

func (h hush) Info() games.Info {
	info := written(games.Listed)
	info.Hidden = true
	return info
}
func (h hush) Start() games.State { return &secret{path{at: h.start}, h.knows} }

func worldsOf(t *testing.T, game games.Game) *Worlds {
	t.Helper()
	w, err := NewWorlds(t.Context(), game, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func after(t *testing.T, s games.State, actions ...games.Action) games.State {
	t.Helper()
	for _, a := range actions {
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Chance deals 0 with ¼ and 1 with ¾, which seat 0 sees. Dealt 0 it has two actions, dealt
// 1 only the first, so that after that one 0 is 1/8 and 1 is 6/8 likely: one in seven. What
// seat 1 does then, of three actions in the one case and one in the other, tells itself
// nothing new.
func TestWorldsByHand(t *testing.T) {
	last := moves(1, end(0, 0))
	three, one := moves(1, last, end(0, 0), end(0, 0)), moves(1, last)
	game := hush{chance([]float64{0.25, 0.75}, moves(0, three, end(0, 0)), moves(0, one)), 0}
	w := worldsOf(t, game)
	r := rand.New(rand.NewPCG(1, 2))
	for name, test := range map[string]struct {
		actions []games.Action
		first   float64 // how likely it is that 0 was dealt
	}{
		"seat 0, who saw a 0":    {[]games.Action{0}, 1},
		"seat 0, who saw a 1":    {[]games.Action{1}, 0},
		"seat 1, after a 0":      {[]games.Action{0, 0}, 1. / 7},
		"seat 1, after a 1":      {[]games.Action{1, 0}, 1. / 7},
		"seat 1, after its own":  {[]games.Action{0, 0, 0}, 1. / 7},
		"seat 1, after its own1": {[]games.Action{1, 0, 0}, 1. / 7},
	} {
		s := after(t, game.Start(), test.actions...)
		const n = 4000
		zeros := 0
		var drawn games.State
		for range n {
			var err error
			if drawn, err = w.draw(s, drawn, r); err != nil {
				t.Fatal(err)
			}
			if seat := s.Turn(); drawn.Turn() != seat || games.Key(drawn, seat) != games.Key(s, seat) {
				t.Fatalf("%s: drawn is %v", name, drawn.(*secret).went)
			}
			if drawn.(*secret).went[0] == 0 {
				zeros++
			}
		}
		if got := float64(zeros) / n; math.Abs(got-test.first) > 5*math.Sqrt(test.first*(1-test.first)/n) {
			t.Errorf("%s: 0 was dealt in %.3f of its worlds, expected %.3f", name, got, test.first)
		}
	}
	if _, err := w.draw(&secret{path{moves(0, end(0, 0)), []games.Action{7}}, 0}, nil, r); err == nil || !strings.Contains(err.Error(), "never leads to") {
		t.Errorf("%v", err)
	}
}

// A search of hidden games lets each seat know what it sees and no more: seat 1 sees the
// deal and always wins by naming it; where seat 0 alone sees it, seat 1 wins half of the
// games.
func TestSeatsKnowWhatTheySee(t *testing.T) {
	guess := func(dealt int) *branch {
		out := []*branch{end(1, -1), end(1, -1)}
		out[dealt] = end(-1, 1)
		return moves(0, moves(1, out...))
	}
	for knows, want := range map[games.Seat]float64{1: -1, 0: 0} {
		game := hush{chance([]float64{0.5, 0.5}, guess(0), guess(1)), knows}
		search, err := New(Options{Rule: rule(t, "uct"), Simulations: 2000, Leaves: 1, Nodes: 1000}, &Rollout{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		root := after(t, game.Start(), 0)
		tree, err := NewTree(game.Info(), root, rand.New(rand.NewPCG(1, 2)), worldsOf(t, game))
		if err != nil {
			t.Fatal(err)
		}
		if err := search.Run(t.Context(), tree); err != nil {
			t.Fatal(err)
		}
		got := tree.Children(Root)[0].Q
		if knows == 0 { // seat 0 knows the 0, and seat 1's guess is one node that it learns at
			if got > -0.8 {
				t.Errorf("seat 0 has %g in a world that it knows", got)
			}
			continue
		}
		if math.Abs(got-want) > 0.15 {
			t.Errorf("seat %d sees the deal: seat 0 has %g, expected %g", knows, got, want)
		}
	}
}

// In Leduc poker a card is dealt in the middle of a search, in worlds that differ in what
// is left in the deck.
func TestDealsInWorlds(t *testing.T) {
	game, err := games.New("leduc_poker")
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorlds(t.Context(), game, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, cards := range [][]games.Action{{0, 1}, {2, 5}, {4, 3}} {
		for _, name := range []string{"uct", "puct"} {
			search, err := New(Options{Rule: rule(t, name), Simulations: 1500, Leaves: 1, Nodes: 100_000}, &Rollout{Count: 1})
			if err != nil {
				t.Fatal(err)
			}
			tree, err := NewTree(game.Info(), after(t, game.Start(), cards...), rand.New(rand.NewPCG(1, 2)), w)
			if err != nil {
				t.Fatal(err)
			}
			if err := search.Run(t.Context(), tree); err != nil {
				t.Fatalf("%s after %v: %v", name, cards, err)
			}
			for n := range NodeID(tree.Nodes()) {
				if tree.Seat(n) != games.Chance {
					continue
				}
				seen := 0
				for _, c := range tree.Children(n) {
					seen += c.Visits
				}
				if seen != tree.Visits(n) {
					t.Fatalf("%s after %v: a chance node of %d visits has outcomes of %d", name, cards, tree.Visits(n), seen)
				}
			}
		}
	}
}

// Walks through a game end with its context, and take so many decisions and no more: Kuhn
// poker has 6 deals with 4 decisions each.
func TestBoundsOfWorlds(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	for limit, ok := range map[int]bool{24: true, 23: false} {
		if _, err := NewWorlds(t.Context(), game, limit); (err == nil) != ok {
			t.Errorf("%d decisions at most: %v", limit, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewWorlds(ctx, game, 24); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	sampled, err := games.New("countdown")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewWorlds(t.Context(), sampled, 1000); err == nil || !strings.Contains(err.Error(), "can only be sampled") {
		t.Errorf("%v", err)
	}
}

// The value of every node is what the evaluator says everywhere, whoever moves there, one
// leaf at a time or many, with or without priors.
func TestMeansAreOfAllVisits(t *testing.T) {
	wide := end(0.5, -0.5)
	for i := range 12 {
		wide = moves(games.Seat(i%2), wide, wide)
	}
	for _, name := range Rules.Names() {
		for _, leaves := range []int{1, 7} {
			for what, e := range map[string]Evaluator{"without priors": valued(0.5), "with priors": Mix{{valued(0.5), 1}, {Network{scripted{}}, 1e-300}}} {
				tree := grow(t, written(games.NoChance), &path{at: wide}, Options{Rule: rule(t, name), Simulations: 60, Leaves: leaves, Nodes: 10_000}, e)
				if tree.Visits(Root) != 61 || tree.Simulations() != 60 {
					t.Errorf("%s, %d leaves, %s: %d visits and %d simulations", name, leaves, what, tree.Visits(Root), tree.Simulations())
				}
				for n := range NodeID(tree.Nodes()) {
					want := 0.5
					if tree.Seat(n) == 1 {
						want = -0.5
					}
					if tree.Seat(n) >= 0 && math.Abs(tree.Mean(n)-want) > 1e-9 || tree.Seat(n) >= 0 && math.Abs(tree.Value(n)-want) > 1e-6 {
						t.Fatalf("%s, %d leaves, %s: node %d of seat %d has mean %g and value %g", name, leaves, what, n, tree.Seat(n), tree.Mean(n), tree.Value(n))
					}
				}
			}
		}
	}
}

// own is a state that takes copies of its own kind alone.
type own struct{ path }

func (o *own) Clone() games.State        { return &own{path{o.at, slices.Clone(o.went)}} }
func (o *own) CopyFrom(from games.State) { o.path = from.(*own).Clone().(*own).path }

type others struct{ path }

func (o *others) Clone() games.State        { return &others{path{o.at, slices.Clone(o.went)}} }
func (o *others) CopyFrom(from games.State) { o.path = from.(*others).Clone().(*others).path }

// One search may grow trees of several games: what it plays on is of the tree's own.
func TestTreesOfSeveralGames(t *testing.T) {
	search, err := New(Options{Rule: rule(t, "uct"), Simulations: 20, Leaves: 2, Nodes: 100}, valued(0))
	if err != nil {
		t.Fatal(err)
	}
	one, two := written(games.NoChance), written(games.NoChance)
	two.Name = "of others"
	start := moves(0, moves(1, end(0, 0)), end(0, 0))
	a, err := NewTree(one, &own{path{at: start}}, rand.New(rand.NewPCG(1, 2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewTree(two, &others{path{at: start}}, rand.New(rand.NewPCG(1, 2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, trees := range [][]*Tree{{a}, {b}, {a, b}, {b, a}} {
		if err := search.Run(t.Context(), trees...); err != nil {
			t.Fatal(err)
		}
	}
	if a.Simulations() != 60 || b.Simulations() != 60 {
		t.Errorf("%d and %d simulations, expected 60", a.Simulations(), b.Simulations())
	}
}

// Of actions of the same score the first is taken.
func TestTiesGoToTheFirst(t *testing.T) {
	for _, name := range []string{"uct", "agent-q", "puct", "alphazero", "muzero"} {
		r := rule(t, name)
		tree := &Tree{nodes: []node{{count: 3, tried: 3, visits: 7}}}
		for range 3 {
			tree.edges = append(tree.edges, edge{visits: 2, total: 0.5, prior: 0.25})
		}
		if got := r.Interior(tree, Root); got != 0 {
			t.Errorf("%s takes %d of three that are alike", name, got)
		}
	}
	r := Gumbel(16, GumbelScale{Visit: 50, Value: 0.1})
	tree := grow(t, written(games.NoChance), &path{at: moves(0, end(0, 0), end(0, 0), end(0, 0))}, Options{Rule: r, Simulations: 3}, valued(0))
	if tree.Best() != 0 {
		t.Errorf("gumbel ends with %d of three that are alike", tree.Best())
	}
}

// Noise is drawn where there is something to choose, for reused trees too.
func TestNoiseWhereThereIsAChoice(t *testing.T) {
	o := Options{Rule: rule(t, "puct"), Simulations: 4, Leaves: 1, Nodes: 100, Noise: Noise{Alpha: 1, Share: 0.5}}
	priors := func(tree *Tree) (out []float64) {
		for _, c := range tree.Children(Root) {
			out = append(out, c.Prior)
		}
		return out
	}
	two := moves(0, moves(0, end(0, 0), end(0, 0)), end(0, 0))
	tree := grow(t, written(games.NoChance), &path{at: two}, o, valued(0))
	if p := priors(tree); p[0] == 0.5 || math.Abs(p[0]+p[1]-1) > 1e-6 || math.Abs(p[0]-0.5) > 0.25 {
		t.Errorf("two actions have the priors %v", p)
	}
	if p := priors(grow(t, written(games.NoChance), &path{at: moves(0, end(0, 0))}, o, valued(0))); p[0] != 1 {
		t.Errorf("the only action has the prior %v", p)
	}
	for tree.Children(tree.Children(Root)[0].Node) == nil { // until what is below is looked at
		again, err := New(o, valued(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Run(t.Context(), tree); err != nil {
			t.Fatal(err)
		}
	}
	if !tree.Advance(0, after(t, &path{at: two}, 0)) {
		t.Fatal("nothing was kept")
	}
	before := priors(tree)
	search, err := New(o, valued(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	if p := priors(tree); before[0] != 0.5 || p[0] == 0.5 || math.Abs(p[0]+p[1]-1) > 1e-6 {
		t.Errorf("the reused tree's priors go from %v to %v", before, p)
	}
}

// A Gumbel search that was stopped before it began may be run, one that began may not.
func TestGumbelIsGrownOnce(t *testing.T) {
	o := Options{Rule: rule(t, "gumbel"), Simulations: 4, Leaves: 1, Nodes: 100}
	search, err := New(o, valued(0))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := NewTree(written(games.NoChance), &path{at: moves(0, end(0, 0), end(0, 0))}, rand.New(rand.NewPCG(1, 2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := search.Run(stopped, tree); err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil || tree.Simulations() != 4 {
		t.Errorf("%d simulations, %v", tree.Simulations(), err)
	}
	if err := search.Run(t.Context(), tree); err == nil || !strings.Contains(err.Error(), "grown once") {
		t.Errorf("%v", err)
	}
}

// The improved policy is finite after many visits, when values weigh so much that their
// exponentials are not.
func TestImprovedPolicyIsFinite(t *testing.T) {
	tree := finished(t, seen{visits: 1_000_000, q: 0.9, prior: 0.5}, seen{visits: 10, q: -0.9, prior: 0.5})
	tree.rule, tree.gumbel = rule(t, "gumbel"), &gumbelRoot{noise: []float64{0, 0}}
	_, p := tree.Distribution(1)
	sameValues(t, "improved policy", p, []float64{1, 0}, 1e-12)
}

// A proven win is played at temperature 0 though another action was visited more, and who
// was not tried is worth nothing.
func TestDistributionOfProvenWins(t *testing.T) {
	tree := finished(t, seen{visits: 50, q: 0.9}, seen{visits: 1, q: 1, proven: true}, seen{})
	_, p := tree.Distribution(0)
	sameValues(t, "at temperature 0", p, []float64{0, 1, 0}, 0)
	if c := tree.Children(Root)[2]; c.Q != 0 || c.Visits != 0 {
		t.Errorf("what was not tried: %+v", c)
	}
}

// phrases is a state whose actions are texts: it takes those that begin with "go".
type phrases struct {
	path
	taken []games.Action
}

func (p *phrases) Propose(text string) (games.Action, error) {
	var a games.Action
	if _, err := fmt.Sscanf(text, "go %d", &a); err != nil {
		return 0, games.Illegal(p, 0)
	}
	if !slices.Contains(p.taken, a) {
		p.taken = append(p.taken, a)
	}
	return a, nil
}
func (p *phrases) Actions(dst []games.Action) []games.Action {
	return append(dst, slices.Sorted(slices.Values(p.taken))...)
}
func (p *phrases) Clone() games.State {
	return &phrases{path{p.at, slices.Clone(p.went)}, slices.Clone(p.taken)}
}
func (p *phrases) Apply(a games.Action) error {
	if !slices.Contains(p.taken, a) {
		return games.Illegal(p, a)
	}
	p.taken = nil
	return p.path.Apply(a)
}

// What is not understood is left out wherever it stands, what comes twice counts once, and
// the first of them holds.
func TestUnderstand(t *testing.T) {
	s := &phrases{path: path{at: moves(0, end(0, 0), end(0, 0))}}
	got, err := understand(s, []Proposal{{Text: "stay"}, {Text: "go 1", LogProb: -1}, {Text: "hm"}, {Text: "go 0", LogProb: -2}, {Text: "go  1", LogProb: -3}})
	if err != nil || len(got) != 2 || got[0] != (Proposal{Action: 1, Text: "go 1", LogProb: -1}) || got[1] != (Proposal{Action: 0, Text: "go 0", LogProb: -2}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := understand(s, []Proposal{{Text: "stay"}}); !errors.Is(err, games.ErrIllegal) || !strings.Contains(err.Error(), "none of 1 proposals") {
		t.Errorf("%v", err)
	}
	if _, err := understand(s, nil); !errors.Is(err, games.ErrIllegal) {
		t.Errorf("%v", err)
	}
	// An action that was proposed is opened again at another state of its node, one that is
	// listed needs no opening.
	fresh := &phrases{path: path{at: s.at}}
	if err := (Child{Action: 1, Proposal: &got[0]}).Open(fresh); err != nil || !slices.Equal(fresh.taken, []games.Action{1}) {
		t.Errorf("%v, %v", fresh.taken, err)
	}
	for _, c := range []Child{{Action: 1}, {Action: 1, Proposal: &Proposal{Action: 1}}} {
		if err := c.Open(&path{at: s.at}); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// told proposes what it is told to.
type told []Proposal

func (p told) Propose(_ context.Context, states []games.State, _ int, _ []*rand.Rand) ([][]Proposal, error) {
	if len(states) == 0 {
		return nil, errors.New("asked of nothing")
	}
	out := make([][]Proposal, len(states))
	for i := range out {
		out[i] = p
	}
	return out, nil
}

// Priors are the probabilities of sampling, renormalised, however small they are; where
// all are 0 they are even.
func TestPriorsOfProposals(t *testing.T) {
	inf := math.Inf(-1)
	for name, test := range map[string]struct {
		logs []float64
		want []float64 // nil: refused
	}{
		"one in e":         {[]float64{-1, -2}, []float64{1 / (1 + math.Exp(-1)), 1 / (1 + math.E)}},
		"tiny":             {[]float64{-801, -800}, []float64{1 / (1 + math.E), 1 / (1 + math.Exp(-1))}},
		"never":            {[]float64{-1, inf}, []float64{1, 0}},
		"both never":       {[]float64{inf, inf}, []float64{0.5, 0.5}},
		"sure, or rounded": {[]float64{1e-7, -1}, []float64{1 / (1 + math.Exp(-1)), 1 / (1 + math.E)}},
		"more than sure":   {[]float64{1e-5, -1}, nil},
		"no number":        {[]float64{math.NaN(), -1}, nil},
	} {
		search, err := New(Options{Rule: rule(t, "puct"), Simulations: 3, Leaves: 1, Nodes: 100}, Proposing{Proposer: told{{Action: 0, LogProb: test.logs[0]}, {Action: 1, LogProb: test.logs[1]}}, K: 2, Evaluator: valued(0), Late: true})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := NewTree(written(games.NoChance), &path{at: moves(0, end(0, 0), end(0, 0))}, rand.New(rand.NewPCG(1, 2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		err = search.Run(t.Context(), tree)
		if (err == nil) != (test.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		var priors []float64
		for _, c := range tree.Children(Root) {
			priors = append(priors, c.Prior)
		}
		sameValues(t, name, priors, test.want, 1e-6)
	}
	// A leaf that is judged before its steps are wanted is no reason to ask for steps.
	leaf := leafOf(&games.Info{Seats: 2, MinReturn: -1, MaxReturn: 1}, &path{at: moves(0, end(0, 0))})
	leaf.Open = false
	if err := (Proposing{Proposer: told{}, K: 1, Evaluator: valued(0)}).Evaluate(t.Context(), []Leaf{leaf}, make([]Evaluation, 1)); err != nil {
		t.Error(err)
	}
}

// Chance without outcomes ends a search with an error.
func TestBrokenChance(t *testing.T) {
	for kind, name := range map[games.ChanceKind]string{games.Listed: "listed", games.Sampled: "sampled"} {
		info := written(kind)
		search, err := New(Options{Rule: rule(t, "uct"), Simulations: 5, Leaves: 1, Nodes: 100}, valued(0))
		if err != nil {
			t.Fatal(err)
		}
		broken := chance([]float64{0.5, 0.5}, end(0, 0)) // two odds for one outcome
		tree, err := NewTree(info, &path{at: moves(0, broken)}, rand.New(rand.NewPCG(1, 2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := search.Run(t.Context(), tree); err == nil || !strings.Contains(err.Error(), "searching written") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
