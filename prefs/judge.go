package prefs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "judge", Aliases: []string{"anyprefer"}, Usage: "judge(tool=solver,depth=4,own=prior)",
		Help:  "labels anew: by a solver that looks so many moves ahead, and where it does not know by the policy's\nown log-probabilities (own=prior), the old label (keep) or not at all (drop) (arXiv 2504.19276)",
		Value: readJudge,
	})
}

// Comparer tells the better of a pair's two answers. The margin is above 0 where the
// chosen one is better, 0 where they are as good; known is false where it cannot tell.
type Comparer interface {
	Compare(ctx context.Context, p Pair) (margin float64, known bool, err error)
}

// Panel asks its judges in turn until one knows: tools first, the model's own
// opinion last.
type Panel []Comparer

// Compare implements Comparer.
func (j Panel) Compare(ctx context.Context, p Pair) (margin float64, known bool, err error) {
	for _, judge := range j {
		if margin, known, err = judge.Compare(ctx, p); known || err != nil {
			return margin, known, err
		}
	}
	return 0, false, nil
}

// Own is the policy's judgement of its own answers by its own weights: what it
// finds more likely it finds better. It is what self-rewarding comes to where the
// judge shares the policy's weights.
type Own struct{}

// Compare implements Comparer.
func (Own) Compare(_ context.Context, p Pair) (float64, bool, error) {
	margin := p.ChosenPrior - p.RejectedPrior
	return margin, margin != 0, nil
}

// Labelled believes the label.
type Labelled struct{}

// Compare implements Comparer.
func (Labelled) Compare(context.Context, Pair) (float64, bool, error) { return 1, true, nil }

// Solver is a tool that proves which answer is better by looking so many moves
// ahead in a game of two seats without chance or hidden information, whoever moves
// best; in games of one seat that know whether they can still be solved it asks
// them. It knows where the proof is complete: where one action's value is at least
// what the other's is at most. A Solver remembers what it has seen and is not for
// concurrent use.
type Solver struct {
	Depth int // moves after the answer
	Nodes int // states it looks at for one answer, before it gives up

	rules rulebook
	known map[string]bounds
	left  int
}

// SolverNodes is how many states a Solver looks at unless told otherwise.
const SolverNodes = 1 << 17

// bounds are what is proven of the first seat's return.
type bounds struct{ low, high float64 }

// Compare implements Comparer.
func (j *Solver) Compare(ctx context.Context, p Pair) (margin float64, known bool, err error) {
	if j.rules == nil {
		j.rules, j.known = rulebook{}, map[string]bounds{}
	}
	game, err := j.rules.of(p.Game)
	if err != nil {
		return 0, false, fmt.Errorf("prefs: a solver as judge needs pairs of a game: %w", err)
	}
	info := game.Info()
	verify, verified := Verifier(game)
	if !verified && (info.Seats != 2 || info.Hidden || info.Chance != games.NoChance) {
		return 0, false, fmt.Errorf("prefs: %s has no exact judge: expected a game of two seats without chance or hidden information", info.Name)
	}
	s, err := p.decision(game)
	if err != nil {
		return 0, false, err
	}
	var worth [2]bounds
	for i, a := range [...]int32{p.ChosenAction, p.RejectedAction} {
		next := s.Clone()
		if err = next.Apply(games.Action(a)); err == nil {
			worth[i], err = j.worth(ctx, info, verify, next)
		}
		if err != nil {
			return 0, false, fmt.Errorf("prefs: %s after %v: %w", p.Game, p.History, err)
		}
		if p.Seat != 0 {
			worth[i] = bounds{-worth[i].high, -worth[i].low}
		}
	}
	c, r := worth[0], worth[1]
	switch {
	case c.low == c.high && r.low == r.high:
		return c.low - r.low, true, nil
	case c.low > r.high:
		return c.low - r.high, true, nil
	case r.low > c.high:
		return c.high - r.low, true, nil
	}
	return 0, false, nil
}

// worth bounds the first seat's return from a state, by the game's own verifier where it
// has one.
func (j *Solver) worth(ctx context.Context, info games.Info, verify func(context.Context, games.State) (float64, error), s games.State) (bounds, error) {
	if verify != nil {
		v, err := verify(ctx, s)
		return bounds{v, v}, err
	}
	if j.left = j.Nodes; j.left == 0 {
		j.left = SolverNodes
	}
	return j.look(ctx, info, s, j.Depth)
}

// look bounds the first seat's return from a state by so many moves.
func (j *Solver) look(ctx context.Context, info games.Info, s games.State, depth int) (bounds, error) {
	if s.Turn() == games.Over {
		v := s.Returns(nil)[0]
		return bounds{v, v}, nil
	}
	unknown := bounds{info.MinReturn, info.MaxReturn}
	if depth <= 0 || j.left <= 0 {
		return unknown, nil
	}
	key := fmt.Sprintf("%s %d %d ", info.Name, depth, s.Turn())
	if p, ok := s.(games.Positioned); ok {
		key += string(p.AppendPosition(nil))
	} else {
		key += games.Key(s, s.Turn())
	}
	if b, ok := j.known[key]; ok {
		return b, nil
	}
	if j.left--; j.left%1024 == 0 && ctx.Err() != nil {
		return bounds{}, ctx.Err()
	}
	sign := 1.0 // the first seat takes the most, the second leaves it the least
	if s.Turn() != 0 {
		sign = -1
	}
	best := bounds{math.Inf(-1), math.Inf(-1)}
	for _, a := range s.Actions(nil) {
		next := s.Clone()
		if err := next.Apply(a); err != nil {
			return bounds{}, err
		}
		b, err := j.look(ctx, info, next, depth-1)
		if err != nil {
			return bounds{}, err
		}
		if sign < 0 {
			b = bounds{-b.high, -b.low}
		}
		best = bounds{max(best.low, b.low), max(best.high, b.high)}
	}
	if sign < 0 {
		best = bounds{-best.high, -best.low}
	}
	if j.left > 0 { // else it was cut short
		j.known[key] = best
	}
	return best, nil
}

// Relabel has a judge label pairs anew (Anyprefer, Zhou et al. 2025, arXiv
// 2504.19276: a judge that has tools, since one that shares the policy's weights
// repeats its mistakes). Pairs that it finds even, or of which it cannot tell, are
// left out. Anyprefer also rewrites both models' prompts by a reward model's
// feedback, which has no counterpart here.
type Relabel struct{ Judge Comparer }

// Select implements Selector.
func (s Relabel) Select(ctx context.Context, pairs []Pair, _ *rand.Rand) ([]Pair, error) {
	var out []Pair
	for _, p := range pairs {
		margin, known, err := s.Judge.Compare(ctx, p)
		if err != nil {
			return nil, err
		}
		switch {
		case !known || margin == 0:
			continue
		case margin < 0:
			p = p.Swapped()
		}
		p.Rule, p.Doubt = "judge", 0
		out = append(out, p)
	}
	return out, nil
}

func readJudge(r *spec.Reader) Selector {
	tool := r.Choice("tool", "solver", "solver", "none")
	depth := r.Int("depth", 4, 0, 64)
	own := r.Choice("own", "prior", "prior", "keep", "drop")
	var panel Panel
	if tool == "solver" {
		panel = append(panel, &Solver{Depth: depth})
	}
	switch own {
	case "prior":
		panel = append(panel, Own{})
	case "keep":
		panel = append(panel, Labelled{})
	}
	if len(panel) == 0 {
		return failing{errors.New("prefs: judge(tool=none,own=drop) asks nobody: expected a tool, or own=prior or keep")}
	}
	return Relabel{panel}
}

// failing is a strategy whose settings contradict each other.
type failing struct{ err error }

func (f failing) Select(context.Context, []Pair, *rand.Rand) ([]Pair, error) { return nil, f.err }
