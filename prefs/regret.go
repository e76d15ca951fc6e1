package prefs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "regret", Aliases: []string{"eva"}, Usage: "regret(share=0.5,mix=0.2)",
		Help: "states drawn by the gap between their best and worst answers, mixed with even draws; of each its\nbest against its worst (arXiv 2411.00062)",
		Value: func(r *spec.Reader) Selector {
			return Regret{Share: readShare(r, 0.5), Mix: r.Float("mix", DefaultMix, 0, 1)}
		},
	})
}

// DefaultMix is the share of even draws: what is never drawn is never learnt of.
const DefaultMix = 0.2

// Regret is eva's way to choose what to learn from (Ye et al. 2024, arXiv
// 2411.00062): a state is the more informative the further the best of the
// policy's own answers lies above the worst, and is drawn in proportion to that,
//
//	info(x) = max_y r(x,y) − min_y r(x,y),
//
// mixed with even draws. Of each drawn state the best is set against the worst.
// eva has new prompts written from those drawn; a game's states are there.
type Regret struct {
	Share float64 // of the states
	Mix   float64 // share of even draws
}

// Select implements Selector.
func (s Regret) Select(_ context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error) {
	groups := slices.DeleteFunc(Groups(pairs), func(g Group) bool { gap, _, _ := g.Gap(); return gap <= 0 })
	c, err := NewCurriculum(len(groups), s.Mix)
	if err != nil {
		return nil, err
	}
	for i, g := range groups {
		gap, _, _ := g.Gap()
		c.info[i], c.seen[i] = gap, true
	}
	places, err := drawn(c.Odds(), s.Share, r)
	if err != nil {
		return nil, err
	}
	var out []Pair
	for _, i := range places {
		_, best, worst := groups[i].Gap()
		p := groups[i].State.With(best, worst)
		p.Rule = "regret"
		out = append(out, p)
	}
	return out, nil
}

// Curriculum draws where to start from by eva's informativeness: the gap between
// the best and the worst return of the learner's own games from a start, as it was
// seen last. Starts not yet tried count as the most informative known, so that
// every start is tried early; where nothing is informative all are as likely. The
// zero value has no starts; it is not for concurrent use.
type Curriculum struct {
	mix  float64
	info []float64
	seen []bool
}

// NewCurriculum returns a curriculum of n starts, of which a share mix of the
// draws takes each as likely as the other.
func NewCurriculum(n int, mix float64) (*Curriculum, error) {
	if n < 0 || !(mix >= 0 && mix <= 1) {
		return nil, fmt.Errorf("prefs: a curriculum of %d starts with mix=%g: expected a mix from 0 to 1", n, mix)
	}
	return &Curriculum{mix, make([]float64, n), make([]bool, n)}, nil
}

// Observe notes the returns of games from start i, two at least: fewer say nothing.
func (c *Curriculum) Observe(i int, returns []float64) {
	if len(returns) > 1 {
		c.info[i], c.seen[i] = slices.Max(returns)-slices.Min(returns), true
	}
}

// Odds are how likely each start is to be drawn.
func (c *Curriculum) Odds() []float64 {
	most := 0.0
	for _, x := range c.info {
		most = max(most, x)
	}
	if most == 0 {
		most = 1
	}
	out, sum := make([]float64, len(c.info)), 0.0
	for i, x := range c.info {
		if out[i] = x; !c.seen[i] {
			out[i] = most
		}
		sum += out[i]
	}
	even := 1 / float64(max(1, len(out)))
	for i := range out {
		if sum == 0 {
			out[i] = even
			continue
		}
		out[i] = (1-c.mix)*out[i]/sum + c.mix*even
	}
	return out
}

// Draw draws a start; there must be one.
func (c *Curriculum) Draw(r *rand.Rand) int {
	odds := c.Odds()
	x := r.Float64()
	for i, p := range odds {
		if x -= p; x < 0 {
			return i
		}
	}
	return len(odds) - 1
}
