package rae

import (
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Estimators.Add(spec.Entry[func(r *spec.Reader) Estimator]{
		Name: "gae", Usage: "gae(gamma=1,lambda=0.95)", Help: "the value network's, by generalised advantage estimation",
		Value: func(r *spec.Reader) Estimator {
			return &gae{gamma: readGamma(r), lambda: r.Float("lambda", 0.95, 0, 1)}
		},
	})
}

// gae is generalised advantage estimation (Schulman et al. 2016, arXiv
// 1506.02438, eq. 16) over each seat's own turns, with returns paid at the end:
//
//	δ_t = γV_{t+1} − V_t (last turn: R − V_t),  A_t = δ_t + γλA_{t+1}
type gae struct{ gamma, lambda float64 }

func (g *gae) Estimate(episodes []*play.Episode, roles []string, own func(*play.Episode, games.Seat) bool) ([][]Estimate, error) {
	out := make([][]Estimate, len(episodes))
	for i, e := range episodes {
		out[i] = make([]Estimate, len(e.Turns))
		next := make([]float64, len(roles))      // V_{t+1}, or R after the last turn
		advantage := make([]float64, len(roles)) // A_{t+1}
		last := make([]bool, len(roles))
		for seat := range roles {
			next[seat], last[seat] = e.Returns[seat], true
		}
		for t := len(e.Turns) - 1; t >= 0; t-- {
			seat := e.Turns[t].Seat
			if !own(e, seat) {
				continue
			}
			valued, ok := e.Turns[t].Record.(Valued)
			if !ok {
				return nil, fmt.Errorf("advantage gae needs a policy with a value head; this one records %T", e.Turns[t].Record)
			}
			value, gamma := valued.StateValue(), g.gamma
			if last[seat] {
				gamma = 1
			}
			advantage[seat] = gamma*next[seat] - value + g.gamma*g.lambda*advantage[seat]
			out[i][t] = Estimate{Advantage: advantage[seat], Target: advantage[seat] + value}
			next[seat], last[seat] = value, false
		}
	}
	return out, nil
}

func (g *gae) Baselines() map[string]float64 { return nil }
func (g *gae) MarshalJSON() ([]byte, error)  { return []byte("{}"), nil }
func (g *gae) UnmarshalJSON([]byte) error    { return nil }
