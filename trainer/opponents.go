package trainer

import (
	"fmt"
	"math"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// OpponentForms documents what a recipe's opponents may be.
const OpponentForms = `self                                   the current policy in every seat
past(share=0.5,every=50,keep=10)       in a share of the games, past snapshots drawn uniformly
league(share=0.5,every=50,keep=10,prefer=even)
                                       the same, drawn by the learner's score against them from
                                       the seat it has: even (near a half) or hard (low)
fixed(AGENT,share=1)                   in a share of the games, a fixed agent
half-step                              with preferences: the half step of an extragradient update (EGPO, Nash-MP)
mixture(weight=0.125)                  with preferences: π^(1−weight)·ref^weight, action by action (Nash-MD)
queue(size=4096,drawn=32)              with preferences: the current policy in every seat, and every answer is
                                       compared with so many drawn from the last answers (SPO)`

// opponentKinds lists the forms.
var opponentKinds = []string{"self", "past", "league", "fixed", "half-step", "mixture", "queue"}

// opponents says who sits opposite the learner.
type opponents struct {
	kind  string // of opponentKinds
	share float64
	every int // updates between snapshots
	keep  int
	size  int     // queue: answers that are remembered
	drawn int     // queue: of which each is compared with so many
	mixed float64 // mixture: weight of the reference
	even  bool    // league: prefer snapshots of the learner's strength, not the hardest
	agent string  // fixed: the agent's spec
}

func parseOpponents(text string) (opponents, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return opponents{}, fmt.Errorf("opponents: %w", err)
	}
	r := spec.Read(s)
	o := opponents{kind: s.Name}
	switch s.Name {
	case "self", "half-step":
	case "mixture":
		o.mixed = r.Float("weight", 0.125, 0, 1)
	case "queue":
		o.size, o.drawn = r.Int("size", 4096, 1, 1<<20), r.Int("drawn", 32, 1, 1<<16)
	case "past", "league":
		o.share, o.every, o.keep = r.Float("share", 0.5, 0, 1), r.Int("every", 50, 1, 1<<30), r.Int("keep", 10, 1, 1000)
		if s.Name == "league" {
			o.even = r.Choice("prefer", "even", "even", "hard") == "even"
		}
	case "fixed":
		o.agent, o.share = r.String("agent", ""), r.Float("share", 1, 0, 1)
		if o.agent == "" {
			return o, fmt.Errorf("opponents: fixed: expected an agent, such as fixed(random)")
		}
	default:
		return o, fmt.Errorf("opponents: unknown form %q%s; there are %s", s.Name, spec.Suggest(s.Name, opponentKinds), strings.Join(opponentKinds, ", "))
	}
	if err := r.Err(); err != nil {
		return o, fmt.Errorf("opponents: %w", err)
	}
	return o, nil
}

// snapshot is a past version of the learner in the pool.
type snapshot struct {
	Update  int       `json:"update"`
	Scores  []float64 `json:"scores"` // by the learner's seat: its running score against it, in [0, 1]
	weights *policy.Weights
	network *policy.Network
}

// pool is the past that the learner meets.
type pool []*snapshot

// scoreDecay forgets a snapshot's old games: the learner changes.
const scoreDecay = 0.98

// record counts one game of the learner in a seat, scored in [0, 1].
func (s *snapshot) record(seat int, score float64) {
	s.Scores[seat] = scoreDecay*s.Scores[seat] + (1-scoreDecay)*score
}

// weight is how much the learner has to learn from a snapshot in a seat, by
// prioritised fictitious self-play (Vinyals et al. 2019,
// doi 10.1038/s41586-019-1724-z): x(1−x) for even games, (1−x)² for the hardest,
// x the score. The small term keeps every snapshot in reach.
func (s *snapshot) weight(o opponents, seat int) float64 {
	const reach = 1e-3
	switch x := s.Scores[seat]; {
	case o.kind != "league":
		return 1
	case o.even:
		return x*(1-x) + reach
	default:
		return (1-x)*(1-x) + reach
	}
}

// superfluous picks the snapshot that a full pool forgets. A league forgets the
// one of least weight over all seats. A plain pool keeps its snapshots evenly
// spread over the run, the first and the newest always among them: a pool of
// recent selves alone collapses like self-play does, because all of them have
// narrowed to the same lines.
func (p pool) superfluous(o opponents) int {
	drop, least := 0, math.Inf(1)
	for i := 1; i < len(p)-1; i++ {
		cost := float64(p[i+1].Update - p[i-1].Update)
		if o.kind == "league" {
			cost = 0
			for seat := range p[i].Scores {
				cost += p[i].weight(o, seat)
			}
		}
		if cost < least {
			drop, least = i, cost
		}
	}
	return drop
}

// draw picks a snapshot for one group of games in which the learner has the
// given seat, or -1 for the learner itself.
func (p pool) draw(o opponents, seed uint64, update, group, seat int) int {
	r := play.Generator(seed, "opponent", uint64(update), uint64(group))
	if len(p) == 0 || r.Float64() >= o.share {
		return -1
	}
	weights := make([]float64, len(p))
	sum := 0.0
	for i, s := range p {
		weights[i] = s.weight(o, seat)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return policy.Sample(weights, r)
}
