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

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
)

// branch is a place of a game that is written down: who moves, where actions lead, with
// what odds if it is chance, or what the seats get.
type branch struct {
	turn    games.Seat
	next    map[games.Action]*branch
	odds    []float64 // by ascending action
	returns []float64
}

func end(returns ...float64) *branch { return &branch{turn: games.Over, returns: returns} }

func moves(turn games.Seat, next ...*branch) *branch {
	b := &branch{turn: turn, next: map[games.Action]*branch{}}
	for i, n := range next {
		b.next[games.Action(i)] = n
	}
	return b
}

func chance(odds []float64, next ...*branch) *branch {
	b := moves(games.Chance, next...)
	b.odds = odds
	return b
}

// path is a state of a written game.
type path struct {
	at   *branch
	went []games.Action
}

func (p *path) Turn() games.Seat { return p.at.turn }
func (p *path) Actions(dst []games.Action) []games.Action {
	for a := range games.Action(len(p.at.next)) {
		dst = append(dst, a)
	}
	return dst
}
func (p *path) Odds(dst []float64) []float64 { return append(dst, p.at.odds...) }
func (p *path) Apply(a games.Action) error {
	next, ok := p.at.next[a]
	if !ok {
		return games.Illegal(p, a)
	}
	p.at, p.went = next, append(p.went, a)
	return nil
}
func (p *path) Returns(dst []float64) []float64 { return append(dst, p.at.returns...) }
func (p *path) Clone() games.State              { return &path{p.at, slices.Clone(p.went)} }
func (p *path) AppendKey(dst []byte, _ games.Seat) []byte {
	return fmt.Append(dst, p.went)
}
func (*path) Observe(_ games.Seat, dst []float32) { clear(dst) }

// dealt is a path whose chance is drawn by the game.
type dealt struct{ path }

func (d *dealt) Clone() games.State { return &dealt{path{d.at, slices.Clone(d.went)}} }
func (d *dealt) Sample(r *rand.Rand) games.Action {
	x := r.Float64()
	for i, p := range d.at.odds {
		if x -= p; x < 0 {
			return games.Action(i)
		}
	}
	return 0
}

// written is the game's description: two seats that share nothing, from −1 to 1.
func written(kind games.ChanceKind) games.Info {
	return games.Info{Name: "written", Seats: 2, Roles: []string{"a", "b"}, Actions: 9, MaxLength: 9, MinReturn: -1, MaxReturn: 1, Chance: kind}
}

// valued says that every state is worth the same to seat 0.
type valued float64

func (v valued) Evaluate(_ context.Context, leaves []Leaf, out []Evaluation) error {
	for i := range leaves {
		out[i].Values = append(out[i].Values, float64(v), -float64(v))
	}
	return nil
}

func rule(t testing.TB, name string) Rule {
	t.Helper()
	r, err := NewRule(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// grow searches a state.
func grow(t testing.TB, info games.Info, s games.State, o Options, e Evaluator) *Tree {
	t.Helper()
	if o.Leaves == 0 {
		o.Leaves = 1
	}
	if o.Nodes == 0 {
		o.Nodes = 1000
	}
	search, err := New(o, e)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := NewTree(info, s, rand.New(rand.NewPCG(1, 2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := search.Run(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// Every rule takes the action of the highest Q + U by its formula, whatever was visited.
func TestRulesTakeTheHighestByFormula(t *testing.T) {
	formulas := map[string]func(c, q, p, n, total float64) float64{
		"uct":     func(c, q, _, n, total float64) float64 { return q + c*math.Sqrt(math.Log(total)/n) },
		"agent-q": func(c, q, _, n, total float64) float64 { return q + c*math.Sqrt(math.Log(total)/(1+n)) },
		"puct":    func(c, q, p, n, total float64) float64 { return q + c*p*math.Sqrt(total)/(1+n) },
		"alphazero": func(c, q, p, n, total float64) float64 {
			return q + (c+math.Log((total+19652+1)/19652))*p*math.Sqrt(total)/(1+n)
		},
	}
	for name, formula := range formulas {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := rapid.Float64Range(0.1, 3).Draw(t, "c")
				r := map[string]func(float64) Rule{"uct": UCT, "agent-q": AgentQ, "puct": PUCT, "alphazero": AlphaZero}[name](c)
				count := rapid.IntRange(2, 5).Draw(t, "actions")
				tree := &Tree{nodes: []node{{count: int32(count), tried: int32(count), visits: 1}}}
				for i := range count {
					least := 0
					if name == "uct" {
						least = 1
					}
					n := rapid.OneOf(rapid.IntRange(least, 5), rapid.IntRange(4000, 4200)).Draw(t, "visits")
					q := rapid.Float64Range(-1, 1).Draw(t, "q")
					tree.edges = append(tree.edges, edge{action: games.Action(i), child: None, visits: int32(n), prior: float32(rapid.Float64Range(0, 1).Draw(t, "prior")), total: q * float64(n)})
					tree.nodes[0].visits += int32(n)
					if n > 0 && rapid.IntRange(0, 5).Draw(t, "proven") == 0 {
						tree.edges[i].prove()
					}
				}
				score := func(e *edge) float64 {
					q := 0.0
					if e.visits > 0 {
						q = e.mean()
					}
					if e.proven() {
						return q // there is nothing to explore
					}
					return formula(c, q, float64(e.prior), float64(e.visits), float64(tree.nodes[0].visits))
				}
				best := math.Inf(-1)
				for i := range tree.edges {
					best = max(best, score(&tree.edges[i]))
				}
				if got := r.Interior(tree, Root); score(&tree.edges[got]) < best-1e-9 {
					t.Fatalf("%+v: %d is taken with %g, and the highest is %g", tree.edges, got, score(&tree.edges[got]), best)
				}
			})
		})
	}
}

// MuZero's rule scales Q to [0, 1] over the node's value and those of its tried actions.
func TestMuZeroByHand(t *testing.T) {
	r := MuZero(0) // c(N) is near 0 then
	tree := &Tree{
		nodes: []node{{count: 3, visits: 4, total: 4 * 0.25}},
		edges: []edge{{visits: 1, total: 0.5, prior: 0.2}, {visits: 1, total: 0.75, prior: 0.2}, {visits: 0, prior: 0.6}},
	}
	if got := r.Interior(tree, Root); got != 1 {
		t.Errorf("%d is taken, expected that of the highest value", got)
	}
	// Scaled, 0.5 is 1/2 and 0.75 is 1, and what is untried 0: of exploring by c·P·√4/(1+n)
	// the first has 0.2c, the untried 1.2c.
	for c, want := range map[float64]int32{0.9: 1, 1.1: 2} {
		r = MuZero(c - math.Log(float64(4+19652+1)/19652))
		if got := r.Interior(tree, Root); got != want {
			t.Errorf("c=%g: %d is taken, expected %d", c, got, want)
		}
	}
}

// UCT tries every action once before any twice, in an order that is drawn: each comes
// first as often as any other.
func TestUntriedInRandomOrder(t *testing.T) {
	r, random, first := rule(t, "uct"), rand.New(rand.NewPCG(1, 2)), map[games.Action]int{}
	for range 3000 {
		tree := &Tree{random: random, nodes: []node{{count: 3}}, edges: []edge{{action: 4, child: None}, {action: 5, child: None}, {action: 6, child: None}}}
		seen := map[games.Action]bool{}
		for i := range 3 {
			e := &tree.edges[r.Interior(tree, Root)]
			if i == 0 {
				first[e.action]++
			}
			seen[e.action] = true
			e.visits++
			tree.nodes[0].visits++
		}
		if len(seen) != 3 {
			t.Fatalf("three picks took %v", seen)
		}
	}
	for a, n := range first {
		if n < 870 || n > 1130 { // five standard deviations
			t.Errorf("action %d came first %d times of 3000", a, n)
		}
	}
}

// Returns become values by the bounds of the game; what all seats get together, too.
func TestRangeByHand(t *testing.T) {
	for _, test := range []struct {
		least, most, sum float64
		seats            int
		returns, values  []float64
		total            float64
	}{
		{-1, 1, 0, 2, []float64{-1, 0.5, 1}, []float64{-1, 0.5, 1}, 0},
		{0, 4, 4, 2, []float64{0, 1, 4}, []float64{-1, -0.5, 1}, 0},
		{-2, 4, 0, 3, []float64{-2, 1, 4}, []float64{-1, 0, 1}, -1},
		{-1, 1, 0.5, 2, []float64{-3, 7}, []float64{-1, 1}, 0.5}, // beyond the bounds
		{2, 2, 4, 2, []float64{2}, []float64{0}, 0},              // nothing to win
	} {
		r := newRange(games.Info{MinReturn: test.least, MaxReturn: test.most, Sum: test.sum, Seats: test.seats})
		for i, x := range test.returns {
			if got := r.normal(x); got != test.values[i] {
				t.Errorf("%g of %g to %g is %g, expected %g", x, test.least, test.most, got, test.values[i])
			}
		}
		if r.sum != test.total {
			t.Errorf("values of %d seats from %g to %g add up to %g, expected %g", test.seats, test.least, test.most, r.sum, test.total)
		}
	}
}

// What is known of one seat is known of all: of two the other has the rest.
func TestKnown(t *testing.T) {
	for _, test := range []struct {
		seats int
		sum   float64
		seat  games.Seat
		want  []float64
	}{
		{2, 0, 0, []float64{0.25, -0.25}},
		{2, 0, 1, []float64{-0.25, 0.25}},
		{2, 0.5, 1, []float64{0.25, 0.25}},
		{2, 0, games.Chance, []float64{0.25, -0.25}}, // of chance it is the first's
		{1, 0, 0, []float64{0.25}},
		{1, 0, games.Chance, []float64{0.25}},
	} {
		tree := &Tree{info: games.Info{Seats: test.seats}, bounds: valueRange{sum: test.sum}}
		if got := tree.known(nil, test.seat, 0.25); !slices.Equal(got, test.want) {
			t.Errorf("%d seats, seat %d: %v, expected %v", test.seats, test.seat, got, test.want)
		}
	}
}

// leafOf is a leaf for an evaluator.
func leafOf(info *games.Info, s games.State) Leaf {
	bounds := newRange(*info)
	return Leaf{State: s, Seat: s.Turn(), Info: info, Random: rand.New(rand.NewPCG(1, 2)), Open: true, bounds: &bounds}
}

func evaluated(t *testing.T, e Evaluator, info games.Info, states ...*branch) []Evaluation {
	t.Helper()
	var leaves []Leaf
	for _, s := range states {
		leaves = append(leaves, leafOf(&info, &path{at: s}))
	}
	out := make([]Evaluation, len(leaves))
	if err := e.Evaluate(t.Context(), leaves, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sameValues(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %v, expected %v", what, got, want)
		return
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s: %v, expected %v", what, got, want)
			return
		}
	}
}

// Random games are judged by the mean of what they returned, each seat's its own.
func TestRollouts(t *testing.T) {
	info := written(games.NoChance)
	info.MinReturn, info.MaxReturn = -2, 2
	sure := moves(0, end(1, -0.5))
	coin := moves(1, end(2, -2), end(-2, 2))
	for _, count := range []int{0, 1, 2, 5} {
		sameValues(t, fmt.Sprintf("%d games", count), evaluated(t, &Rollout{Count: count}, info, sure)[0].Values, []float64{0.5, -0.25}, 1e-12)
	}
	out := evaluated(t, &Rollout{Count: 2000}, info, coin, sure)
	sameValues(t, "2000 coins", out[0].Values, []float64{0, 0}, 5/math.Sqrt(2000))
	sameValues(t, "beside them", out[1].Values, []float64{0.5, -0.25}, 1e-9)
	if v := evaluated(t, &Rollout{Count: 1}, info, coin)[0].Values; math.Abs(v[0]) != 1 || v[1] != -v[0] {
		t.Errorf("one coin: %v", v)
	}
	if err := (&Rollout{Count: 2}).Evaluate(t.Context(), []Leaf{leafOf(&info, &path{at: moves(0)})}, make([]Evaluation, 1)); err == nil {
		t.Error("a state without an action is played")
	}
}

// scripted is a critic that prefers the first action and knows what states are worth.
type scripted struct {
	value float64
	err   error
	asked *int
}

func (s scripted) Judge(_ context.Context, states []games.State, priors [][]float64, values []float64) error {
	if s.asked != nil {
		*s.asked += len(states)
	}
	for i := range states {
		values[i] = s.value
		clear(priors[i])
		priors[i][0] = 1
	}
	return s.err
}

// A network's value is that of who moves. Of two seats the other has the rest, of three
// the others share it.
func TestNetworkByValue(t *testing.T) {
	two := written(games.NoChance)
	two.MinReturn, two.MaxReturn = -2, 2
	three := two
	three.Seats = 3
	for _, test := range []struct {
		name string
		info games.Info
		turn games.Seat
		want []float64
	}{
		{"the first of two", two, 0, []float64{0.75, -0.75}},
		{"the second of two", two, 1, []float64{-0.75, 0.75}},
		{"the second of three", three, 1, []float64{-0.375, 0.75, -0.375}},
	} {
		out := evaluated(t, Network{scripted{value: 1.5}}, test.info, moves(test.turn, end(), end()))[0]
		sameValues(t, test.name, out.Values, test.want, 1e-12)
		sameValues(t, test.name+", priors", out.Priors, []float64{1, 0}, 0)
		exact := Exact{Value: func(context.Context, games.State) (float64, error) { return 1.5, nil }}
		sameValues(t, test.name+", exactly", evaluated(t, exact, test.info, moves(test.turn, end()))[0].Values, test.want, 1e-12)
	}
	// The rest of what three share may be more than any of them can have.
	four := two
	four.Seats, four.Sum = 2, 3.5
	sameValues(t, "more than there is", evaluated(t, Network{scripted{value: 0}}, four, moves(0, end()))[0].Values, []float64{0, 1}, 1e-12)
	fault := errors.New("no network")
	for name, e := range map[string]Evaluator{
		"network": Network{scripted{err: fault}},
		"playout": Playout{scripted{err: fault}},
		"exact":   Exact{Value: func(context.Context, games.State) (float64, error) { return 0, fault }},
		"model":   SelfEvaluation{unsure{err: fault}},
		"mix":     Mix{{Network{scripted{err: fault}}, 1}},
	} {
		if err := e.Evaluate(t.Context(), []Leaf{leafOf(&two, &path{at: moves(0, end(0, 0))})}, make([]Evaluation, 1)); !errors.Is(err, fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A policy's playout goes its way to the end, chance included, all leaves side by side,
// and leaves the leaf as it was. Its priors are those of the leaf.
func TestPlayoutByValue(t *testing.T) {
	info := written(games.Listed)
	near := moves(0, end(0.5, -0.5), end(-1, 1))
	far := moves(1, chance([]float64{0, 1}, end(1, -1), moves(0, moves(1, end(-0.25, 0.25), end(1, -1)), end(1, -1))), end(1, -1))
	asked := 0
	out := evaluated(t, Playout{scripted{asked: &asked}}, info, near, far)
	sameValues(t, "one move from the end", out[0].Values, []float64{0.5, -0.5}, 0)
	sameValues(t, "three moves and a draw of chance from the end", out[1].Values, []float64{-0.25, 0.25}, 0)
	for i := range out {
		sameValues(t, "priors", out[i].Priors, []float64{1, 0}, 0)
	}
	if asked != 1+3 {
		t.Errorf("the policy was asked %d times, expected once a move", asked)
	}
	s := &path{at: far}
	if err := (Playout{scripted{}}).Evaluate(t.Context(), []Leaf{leafOf(&info, s)}, make([]Evaluation, 1)); err != nil || s.at != far {
		t.Errorf("the leaf was played on with: %v", err)
	}
	broken := chance([]float64{1})
	if err := (Playout{scripted{}}).Evaluate(t.Context(), []Leaf{leafOf(&info, &path{at: moves(0, broken)})}, make([]Evaluation, 1)); err == nil {
		t.Error("chance without outcomes is drawn")
	}
}

// unsure is a model that is as sure of every state.
type unsure struct {
	confidence float64
	err        error
}

func (u unsure) Confidence(_ context.Context, states []games.State, out []float64) error {
	for i := range states {
		out[i] = u.confidence
	}
	return u.err
}

// A confidence of 1 is worth 1 to who moves, one of 0 is worth −1.
func TestSelfEvaluation(t *testing.T) {
	for confidence, want := range map[float64][]float64{1: {-1, 1}, 0: {1, -1}, 0.75: {-0.5, 0.5}} {
		sameValues(t, fmt.Sprint("confidence ", confidence), evaluated(t, SelfEvaluation{unsure{confidence: confidence}}, written(games.NoChance), moves(1, end()))[0].Values, want, 1e-12)
	}
}

// A mix is the weighted mean of its parts, with the first priors that there are. A part
// that plays on with a state leaves those of the others alone.
func TestMixByValue(t *testing.T) {
	info := written(games.NoChance)
	leaf := moves(0, end(1, -1), end(-1, 1))
	out := evaluated(t, Mix{{&Rollout{Count: 1}, 0}, {valued(0.5), 3}, {Network{scripted{value: -0.5}}, 1}}, info, leaf)[0]
	sameValues(t, "three to one", out.Values, []float64{0.25, -0.25}, 1e-12)
	sameValues(t, "priors", out.Priors, []float64{1, 0}, 0)
	for _, weight := range []float64{0, -1, math.NaN()} {
		err := Mix{{valued(0.5), weight}}.Evaluate(t.Context(), []Leaf{leafOf(&info, &path{at: leaf})}, make([]Evaluation, 1))
		if err == nil || !strings.Contains(err.Error(), "expected more than 0") {
			t.Errorf("weight %g: %v", weight, err)
		}
	}
}

// Proofs by hand. Seat 0 may go to chance, which pays it 1 in a quarter of the cases and
// loses 1 in the others: −0.5; it may take 0; or leave seat 1 the choice of a win of its
// own.
func TestProofsByHand(t *testing.T) {
	o := Options{Rule: rule(t, "uct"), Simulations: 200, Prove: true}
	position := func() *branch {
		return moves(0, chance([]float64{0.25, 0.75}, end(1, -1), end(-1, 1)), end(0, 0), moves(1, end(1, -1), end(-1, 1)))
	}
	tree := grow(t, written(games.Listed), &path{at: position()}, o, &Rollout{Count: 1})
	for i, c := range tree.Children(Root) {
		if want := []float64{-0.5, 0, -1}[i]; !c.Proven || math.Abs(c.Q-want) > 1e-7 {
			t.Errorf("action %d is worth %g, proven %t, expected %g", i, c.Q, c.Proven, want)
		}
	}
	if best := tree.Best(); best != 1 {
		t.Errorf("action %d is best, expected 1", best)
	}
	if tree.Simulations() >= 200 {
		t.Errorf("%d simulations although all is proven", tree.Simulations())
	}
	// For seat 1 the same is turned round: it would go to chance.
	turned := position()
	turned.turn = 1
	turned.next[2].turn = 0
	tree = grow(t, written(games.Listed), &path{at: turned}, o, &Rollout{Count: 1})
	for i, c := range tree.Children(Root) {
		if want := []float64{0.5, 0, -1}[i]; !c.Proven || math.Abs(c.Q-want) > 1e-7 {
			t.Errorf("seat 1: action %d is worth %g, proven %t, expected %g", i, c.Q, c.Proven, want)
		}
	}
	if best := tree.Best(); best != 0 {
		t.Errorf("seat 1: action %d is best, expected 0", best)
	}
	// Chance that is drawn by the game has outcomes that were not seen yet.
	tree = grow(t, written(games.Sampled), &dealt{path{at: position()}}, o, &Rollout{Count: 1})
	if c := tree.Children(Root)[0]; c.Proven || c.Visits < 5 {
		t.Errorf("sampled chance: %+v", c)
	}
}

// A win that is proven proves the node at once, whatever is open beside it; a draw does not.
func TestProofOfANode(t *testing.T) {
	proven := func(value float64) edge {
		e := edge{child: 1, visits: 2, total: 2 * value, prior: 0.5}
		e.prove()
		return e
	}
	open := edge{child: None, prior: 0.5}
	for _, test := range []struct {
		name  string
		turn  games.Seat
		kind  games.ChanceKind
		edges []edge
		want  []float64 // nil: not proven
	}{
		{"a win beside what is open", 1, games.NoChance, []edge{open, proven(1)}, []float64{-1, 1}},
		{"a draw beside what is open", 1, games.NoChance, []edge{open, proven(0)}, nil},
		{"all proven", 0, games.NoChance, []edge{proven(-0.5), proven(0.25)}, []float64{0.25, -0.25}},
		{"all lost", 0, games.NoChance, []edge{proven(-1), proven(-1)}, []float64{-1, 1}},
		{"chance, all proven", games.Chance, games.Listed, []edge{proven(1), proven(-0.5)}, []float64{0.25, -0.25}},
		{"chance, one open", games.Chance, games.Listed, []edge{proven(1), open}, nil},
		{"chance that is sampled", games.Chance, games.Sampled, []edge{proven(1), proven(-0.5)}, nil},
	} {
		tree := &Tree{info: written(test.kind), nodes: []node{{seat: int16(test.turn), count: int32(len(test.edges))}}, edges: test.edges}
		given := []float64{7, -7}
		got, ok := tree.proof(Root, given)
		if ok != (test.want != nil) || ok && !slices.Equal(got, test.want) || !ok && !slices.Equal(got, []float64{7, -7}) {
			t.Errorf("%s: %v, %t, expected %v", test.name, got, ok, test.want)
		}
	}
}

// Chance falls by its odds in a search, listed or drawn by the game, and the value of a
// chance node is the mean over them. New outcomes keep what is known of old ones.
func TestChanceInSearch(t *testing.T) {
	odds := []float64{0.125, 0.25, 0.625}
	deal := func() *branch {
		long := func(v float64) *branch { return moves(1, moves(0, end(v, -v)), moves(0, end(v, -v))) }
		return moves(0, chance(odds, long(1), long(-1), long(0.5)))
	}
	const n = 4000
	for kind, s := range map[games.ChanceKind]games.State{games.Listed: &path{at: deal()}, games.Sampled: &dealt{path{at: deal()}}} {
		tree := grow(t, written(kind), s, Options{Rule: rule(t, "uct"), Simulations: n, Nodes: 100}, &Rollout{Count: 1})
		root := tree.Children(Root)[0]
		outcomes := tree.Children(root.Node)
		if len(outcomes) != 3 {
			t.Fatalf("%d outcomes", len(outcomes))
		}
		seen := 0
		for i, c := range outcomes {
			p := odds[i]
			if c.Action != games.Action(i) || math.Abs(float64(c.Visits)-n*p) > 5*math.Sqrt(n*p*(1-p)) {
				t.Errorf("chance %d: outcome %d came %d times of %d, expected about %g", kind, i, c.Visits, n, n*p)
			}
			if below := tree.Visits(c.Node); below != c.Visits {
				t.Errorf("chance %d: outcome %d was taken %d times, what it leads to visited %d times", kind, i, c.Visits, below)
			}
			if v := tree.Mean(c.Node); math.Abs(v-[]float64{-1, 1, -0.5}[i]) > 1e-9 { // to seat 1
				t.Errorf("chance %d: after outcome %d seat 1 has %g", kind, i, v)
			}
			seen += c.Visits
		}
		// The first visit of the node was its own evaluation.
		if seen != root.Visits || math.Abs(root.Q-(0.125-0.25+0.3125)) > 0.05 {
			t.Errorf("chance %d: %d outcomes of %d visits, worth %g", kind, seen, root.Visits, root.Q)
		}
	}
}

// What chance lacks of 1 by rounding falls to the last outcome.
func TestChanceLeftByRounding(t *testing.T) {
	tree := &Tree{info: written(games.Listed), random: rand.New(rand.NewPCG(1, 2)), nodes: []node{{count: 2}}, edges: []edge{{prior: 0.25}, {prior: 0.25}}}
	counts := [2]int{}
	for range 4000 {
		i, err := (&Search{}).roll(tree, Root, nil)
		if err != nil {
			t.Fatal(err)
		}
		counts[i]++
	}
	if counts[0] < 860 || counts[0] > 1140 {
		t.Errorf("%v", counts)
	}
}

// While a leaf waits to be judged, its way counts as lost: of two actions that look the
// same, the second is tried beside the first. One leaf at a time needs no such thing.
func TestVirtualLoss(t *testing.T) {
	r := PUCT(0)
	corridor := func() *branch {
		b := end(0, 0)
		for range 40 {
			b = moves(0, b)
		}
		return b
	}
	for leaves, want := range map[int]bool{1: false, 2: true} {
		tree := grow(t, written(games.NoChance), &path{at: moves(0, corridor(), corridor())}, Options{Rule: r, Simulations: 20, Leaves: leaves}, valued(0.5))
		children := tree.Children(Root)
		if tried := children[1].Visits > 0; tried != want || children[0].Visits+children[1].Visits != 20 {
			t.Errorf("%d leaves at a time: %+v", leaves, children)
		}
		for _, c := range children {
			if c.Visits > 0 && math.Abs(c.Q-0.5) > 1e-12 {
				t.Errorf("%d leaves at a time: action %d is worth %g, expected what the evaluator says", leaves, c.Action, c.Q)
			}
		}
	}
}

// stopping ends the context at its first call.
type stopping struct {
	valued

	stop  context.CancelFunc
	calls *int
}

func (s stopping) Evaluate(ctx context.Context, leaves []Leaf, out []Evaluation) error {
	*s.calls++
	s.stop()
	return s.valued.Evaluate(ctx, leaves, out)
}

// A search that may judge many leaves a call stops at once, one of single leaves within
// a few rounds.
func TestStopsSoon(t *testing.T) {
	for _, test := range []struct{ trees, leaves, most int }{{1, 2, 1}, {2, 1, 1}, {1, 1, patience}} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		search, err := New(Options{Rule: rule(t, "uct"), Simulations: 100_000, Leaves: test.leaves, Nodes: 200_000}, stopping{valued(0), cancel, &calls})
		if err != nil {
			t.Fatal(err)
		}
		var trees []*Tree
		wide := moves(0, end(0, 0))
		for range 300 {
			wide = moves(0, wide, wide)
		}
		for range test.trees {
			tree, err := NewTree(written(games.NoChance), &path{at: wide}, rand.New(rand.NewPCG(1, 2)), nil)
			if err != nil {
				t.Fatal(err)
			}
			trees = append(trees, tree)
		}
		if err := search.Run(ctx, trees...); err != nil {
			t.Fatal(err)
		}
		if calls < 1 || calls > test.most {
			t.Errorf("%d trees, %d leaves: %d calls, expected %d at most", test.trees, test.leaves, calls, test.most)
		}
	}
}

// What settings may be at their bounds, and what they may not.
func TestBoundsOfOptions(t *testing.T) {
	inf := math.Inf(1)
	for name, test := range map[string]struct {
		change func(*Options)
		ok     bool
	}{
		"one simulation":                 {func(o *Options) { o.Simulations = 1 }, true},
		"two nodes":                      {func(o *Options) { o.Nodes = 2 }, true},
		"no noise":                       {func(o *Options) { o.Noise = Noise{Alpha: -1} }, true},
		"all noise":                      {func(o *Options) { o.Noise = Noise{Alpha: 1, Share: 1} }, true},
		"more than all noise":            {func(o *Options) { o.Noise = Noise{Alpha: 1, Share: 1.01} }, false},
		"less than no noise":             {func(o *Options) { o.Noise = Noise{Alpha: 1, Share: -0.01} }, false},
		"noise of no number":             {func(o *Options) { o.Noise = Noise{Alpha: 1, Share: math.NaN()} }, false},
		"noise without alpha":            {func(o *Options) { o.Noise = Noise{Share: 0.5} }, false},
		"noise of alpha inf":             {func(o *Options) { o.Noise = Noise{Alpha: inf, Share: 0.5} }, false},
		"no exploring":                   {func(o *Options) { o.Rule = UCT(0) }, true},
		"only exploring":                 {func(o *Options) { o.Rule = UCT(inf) }, false},
		"exploring backwards":            {func(o *Options) { o.Rule = PUCT(-0.01) }, false},
		"gumbel of one":                  {func(o *Options) { o.Rule = Gumbel(1, DefaultGumbelScale) }, true},
		"gumbel of none":                 {func(o *Options) { o.Rule = Gumbel(0, DefaultGumbelScale) }, false},
		"a rule without a root":          {func(o *Options) { o.Rule.Root = nil }, false},
		"a rule without a rest":          {func(o *Options) { o.Rule.Interior = nil }, false},
		"a rule without a best":          {func(o *Options) { o.Rule.Best = nil }, false},
		"a rule that is not learnt from": {func(o *Options) { o.Rule.Target = nil }, false},
		"no simulation":                  {func(o *Options) { o.Simulations = 0 }, false},
		"no leaf":                        {func(o *Options) { o.Leaves = 0 }, false},
		"one node":                       {func(o *Options) { o.Nodes = 1 }, false},
	} {
		o := Options{Rule: rule(t, "uct"), Simulations: 10, Leaves: 1, Nodes: 10}
		test.change(&o)
		if err := o.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Exact values are passed up in games of at most two seats that hide nothing.
func TestWhatCanBeProven(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*games.Info)
		ok     bool
	}{
		"two seats":          {func(*games.Info) {}, true},
		"one seat":           {func(i *games.Info) { i.Seats = 1 }, true},
		"three seats":        {func(i *games.Info) { i.Seats = 3 }, false},
		"hidden information": {func(i *games.Info) { i.Hidden = true }, false},
	} {
		info := written(games.NoChance)
		test.change(&info)
		returns := []float64{1, -1, 0}[:info.Seats]
		s := &path{at: moves(0, end(returns...))}
		for _, prove := range []bool{true, false} {
			search, err := New(Options{Rule: rule(t, "uct"), Simulations: 5, Leaves: 1, Nodes: 10, Prove: prove}, &Rollout{Count: 1})
			if err != nil {
				t.Fatal(err)
			}
			tree, err := NewTree(info, s, rand.New(rand.NewPCG(1, 2)), &Worlds{info: info, states: map[string]*worldSet{}})
			if err != nil {
				t.Fatal(err)
			}
			tree.worlds, tree.index = nil, nil
			if err := search.Run(t.Context(), tree); (err == nil) != (test.ok || !prove) {
				t.Errorf("%s, prove %t: %v", name, prove, err)
			}
		}
	}
}

// A leaf whose priors or values are just what they may be is taken, and a little beyond by
// rounding as well.
func TestRoundingOfEvaluations(t *testing.T) {
	for _, test := range []struct {
		value, prior float64
		ok           bool
	}{
		{1, 1, true}, {-1, 0, true}, {1 + 1e-7, 1 + 1e-7, true}, {1 + 1e-5, 1, false}, {-1 - 1e-5, 1, false}, {0, 1 + 1e-5, false}, {0, -1e-9, false},
	} {
		search, err := New(Options{Rule: rule(t, "puct"), Simulations: 1, Leaves: 1, Nodes: 10}, given{Evaluation{Values: []float64{test.value, 0}, Priors: []float64{test.prior}}})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := NewTree(written(games.NoChance), &path{at: moves(0, end(0, 0))}, rand.New(rand.NewPCG(1, 2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := search.Run(t.Context(), tree); (err == nil) != test.ok {
			t.Errorf("value %g, prior %g: %v", test.value, test.prior, err)
		}
	}
}

type given struct{ evaluation Evaluation }

func (g given) Evaluate(_ context.Context, leaves []Leaf, out []Evaluation) error {
	for i := range leaves {
		out[i] = g.evaluation
	}
	return nil
}

// What is proven for the second seat goes up by its own sign: it takes the half loss that
// is proven over worse that is open, which is half a win for the first.
func TestProvenValuesGoUpBySeat(t *testing.T) {
	worse := end(0, 0)
	for range 400 {
		worse = moves(0, worse)
	}
	s := &path{at: moves(0, moves(1, end(0.5, -0.5), worse))}
	tree := grow(t, written(games.NoChance), s, Options{Rule: rule(t, "uct"), Simulations: 300, Prove: true}, valued(0.9))
	root := tree.Children(Root)[0]
	below := tree.Children(root.Node)
	if !below[0].Proven || below[0].Q != -0.5 || below[0].Visits < 200 || root.Proven {
		t.Fatalf("%+v, below it %+v", root, below)
	}
	if root.Q < 0.5 || root.Q > 0.65 || tree.Mean(root.Node) != -root.Q {
		t.Errorf("the first seat has %g, the second %g, expected a little over a half", root.Q, tree.Mean(root.Node))
	}
}

// seen is an edge of a finished search.
type seen struct {
	visits   int32
	q, prior float64
	proven   bool
	ends     bool // the game
}

func finished(t *testing.T, edges ...seen) *Tree {
	t.Helper()
	var next []*branch
	for range edges {
		next = append(next, end(0, 0))
	}
	tree := &Tree{info: written(games.NoChance), state: &path{at: moves(0, next...)}, rule: unruled, nodes: []node{{count: int32(len(edges)), seat: 0}}}
	for i, s := range edges {
		turn := games.Seat(1)
		if s.ends {
			turn = games.Over
		}
		tree.nodes = append(tree.nodes, newNode(turn))
		tree.edges = append(tree.edges, edge{action: games.Action(i), child: NodeID(i + 1), visits: s.visits, total: s.q * float64(s.visits), prior: float32(s.prior)})
		if s.proven {
			tree.edges[i].prove()
		}
	}
	return tree
}

// Which action is played in the end, by hand.
func TestBestByHand(t *testing.T) {
	for name, test := range map[string]struct {
		edges []seen
		want  games.Action
	}{
		"the most visited":                      {[]seen{{visits: 3, q: 0.9}, {visits: 5, q: -0.5}, {visits: 4}}, 1},
		"of these the one of higher value":      {[]seen{{visits: 5, q: 0.1}, {visits: 5, q: 0.2}, {visits: 5, q: -0.2}}, 1},
		"of these the likelier":                 {[]seen{{visits: 5, prior: 0.2}, {visits: 5, prior: 0.5}, {visits: 5, prior: 0.3}}, 1},
		"of these the first":                    {[]seen{{visits: 5}, {visits: 5}}, 0},
		"a proven win whatever its visits":      {[]seen{{visits: 50, q: 0.9}, {visits: 1, q: 1, proven: true}}, 1},
		"of wins the one that ends the game":    {[]seen{{visits: 50, q: 1, proven: true}, {visits: 1, q: 1, proven: true, ends: true}}, 1},
		"a draw that ends it does not":          {[]seen{{visits: 50, q: 0}, {visits: 1, q: 0, proven: true, ends: true}}, 0},
		"a win that is not proven is no win":    {[]seen{{visits: 50, q: 0.5}, {visits: 1, q: 1}}, 0},
		"no proven loss while another is open":  {[]seen{{visits: 50, q: -1, proven: true}, {visits: 1, q: -0.9}}, 1},
		"of proven ones the better":             {[]seen{{visits: 50, q: -0.5, proven: true}, {visits: 1, q: 0.25, proven: true}}, 1},
		"proven or not, by visits":              {[]seen{{visits: 50, q: -0.5, proven: true}, {visits: 1, q: 0.25}}, 0},
		"of losses any, here the most visited":  {[]seen{{visits: 1, q: -1, proven: true}, {visits: 2, q: -1, proven: true}}, 1},
		"a loss that ends the game is no worse": {[]seen{{visits: 1, q: -1, proven: true}, {visits: 2, q: -1, proven: true, ends: true}}, 1},
	} {
		if got := finished(t, test.edges...).Best(); got != test.want {
			t.Errorf("%s: %d, expected %d", name, got, test.want)
		}
	}
}

// Visits of 8, 2 and 0 are probabilities of 0.8, 0.2 and 0; at half the temperature they
// are squared, at twice the roots are taken; at 0 all is on the best.
func TestDistributionByHand(t *testing.T) {
	tree := finished(t, seen{visits: 2, q: 0.9}, seen{visits: 8}, seen{})
	for temperature, want := range map[float64][]float64{
		1:   {0.2, 0.8, 0},
		0.5: {4. / 68, 64. / 68, 0},
		2:   {math.Sqrt2 / (math.Sqrt2 + math.Sqrt(8)), math.Sqrt(8) / (math.Sqrt2 + math.Sqrt(8)), 0},
		0:   {0, 1, 0},
	} {
		actions, p := tree.Distribution(temperature)
		if !slices.Equal(actions, []games.Action{0, 1, 2}) {
			t.Errorf("actions %v", actions)
		}
		sameValues(t, fmt.Sprint("temperature ", temperature), p, want, 1e-12)
	}
	// Visits by the million do not overflow at low temperatures.
	_, p := finished(t, seen{visits: 2_000_000}, seen{visits: 1_000_000}).Distribution(0.01)
	sameValues(t, "many visits", p, []float64{1, math.Pow(0.5, 100)}, 1e-30)
	// Nothing was visited: all are as likely.
	_, p = finished(t, seen{}, seen{}).Distribution(1)
	sameValues(t, "no visits", p, []float64{0.5, 0.5}, 0)
}
