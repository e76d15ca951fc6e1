package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// opponents says who sits opposite the player that learns.
type opponents struct {
	kind  string
	share float64 // of the groups in which an opponent sits opposite
	every int     // updates between pasts; 0 where rounds end with one
	keep  int     // pasts; 0 for all
	// weight is how likely a past is drawn, by the learner's score against it; nil:
	// all alike.
	weight      func(score float64) float64
	newest      bool    // always the newest past
	temperature float64 // above 1 softens how pasts play
	agent       string  // fixed: the agent's spec
	mixed       float64 // mixture: weight of the reference
	size        int     // queue: answers that are remembered
	drawn       int     // queue: of which each is compared with so many
	// only names who knows this kind: preferences or rounds; "" for all.
	only string
}

// pooled tells whether there are pasts to meet.
func (o opponents) pooled() bool { return o.newest || o.keep > 0 || o.only == roundsOnly }

// Who else may know a kind of opponents.
const (
	preferencesOnly = "preferences"
	roundsOnly      = "rounds"
)

// opponentKinds are the kinds by name.
var opponentKinds spec.Registry[func(r *spec.Reader) (opponents, error)]

// OpponentForms documents what a recipe's opponents may be.
func OpponentForms() string { return opponentKinds.Help() }

func init() {
	add := opponentKinds.Register
	add("self", "", "the current players in every seat", func(*spec.Reader) (opponents, error) { return opponents{}, nil })
	add("past", "past(share=0.5,every=50,keep=10)", "in a share of the games, pasts drawn uniformly, spread over the run", readPast)
	add("league", "league(share=0.5,every=50,keep=10,prefer=even)",
		"pasts drawn by the learner's score against them from the seat it has: even (near a half) or hard (low)", readLeague)
	add("fixed", "fixed(AGENT,share=1)", "in a share of the games, a fixed agent", readFixed)
	add("half-step", "", "with preferences: the half step of an extragradient update (EGPO, Nash-MP)", func(*spec.Reader) (opponents, error) {
		return opponents{only: preferencesOnly}, nil
	})
	add("mixture", "mixture(weight=0.125)", "with preferences: π^(1−weight)·ref^weight, action by action (Nash-MD)", func(r *spec.Reader) (opponents, error) {
		return opponents{mixed: r.Float("weight", 0.125, 0, 1), only: preferencesOnly}, nil
	})
	add("queue", "queue(size=4096,drawn=32)", "with preferences: the current players in every seat, and every answer is\ncompared with so many drawn from the last answers (SPO)", func(r *spec.Reader) (opponents, error) {
		return opponents{size: r.Int("size", 4096, 1, 1<<20), drawn: r.Int("drawn", 32, 1, 1<<16), only: preferencesOnly}, nil
	})
	add("earlier", "earlier(temperature=1)", "with rounds: the others as they were at the end of the round before; a temperature above 1\nsoftens how they play, p^(1/temperature), normalised", func(r *spec.Reader) (opponents, error) {
		return opponents{share: 1, newest: true, temperature: r.Float("temperature", 1, 0.01, 100), only: roundsOnly}, nil
	})
	add("pool", "pool(share=1,temperature=1)", "with rounds: in a share of the games, the others as they were at the end of any round", func(r *spec.Reader) (opponents, error) {
		return opponents{share: r.Float("share", 1, 0, 1), temperature: r.Float("temperature", 1, 0.01, 100), only: roundsOnly}, nil
	})
}

func readPast(r *spec.Reader) (opponents, error) {
	return opponents{share: r.Float("share", 0.5, 0, 1), every: r.Int("every", 50, 1, 1<<30), keep: r.Int("keep", 10, 1, 1000)}, nil
}

// readLeague weighs pasts by how much the learner has to learn from them, by
// prioritised fictitious self-play (Vinyals et al. 2019, doi 10.1038/s41586-019-1724-z):
// x(1−x) for even games, (1−x)² for the hardest, x the score. The small term keeps
// every past in reach.
func readLeague(r *spec.Reader) (opponents, error) {
	const reach = 1e-3
	o, err := readPast(r)
	o.weight = func(x float64) float64 { return x*(1-x) + reach }
	if r.Choice("prefer", "even", "even", "hard") == "hard" {
		o.weight = func(x float64) float64 { return (1-x)*(1-x) + reach }
	}
	return o, err
}

func readFixed(r *spec.Reader) (opponents, error) {
	o := opponents{agent: r.String("agent", ""), share: r.Float("share", 1, 0, 1)}
	if o.agent == "" {
		return o, fmt.Errorf("fixed: expected an agent, such as fixed(random)")
	}
	return o, nil
}

func parseOpponents(text string) (opponents, error) {
	if text == "latest" {
		return opponents{}, fmt.Errorf("opponents: latest was a name of version 0.1; now it is self")
	}
	e, r, err := opponentKinds.Read(text)
	if err != nil {
		return opponents{}, fmt.Errorf("opponents: %w", err)
	}
	o, err := e.Value(r)
	if o.kind = e.Name; err == nil {
		err = r.Err()
	}
	if err != nil {
		return o, fmt.Errorf("opponents: %w", err)
	}
	return o, nil
}

// Past is the players as they were: a snapshot that later ones may meet.
type Past struct {
	Update int       `json:"update"` // updates done
	Scores []float64 `json:"scores"` // by the learner's seat: its running score against it, in [0, 1]

	Networks []*policy.Network `json:"-"` // by player
}

// scoreDecay forgets a past's old games: the learner changes.
const scoreDecay = 0.98

// record counts one game of the learner in a seat, scored in [0, 1].
func (p *Past) record(seat int, score float64) {
	p.Scores[seat] = scoreDecay*p.Scores[seat] + (1-scoreDecay)*score
}

// Close frees the networks.
func (p *Past) Close() (err error) {
	for _, n := range p.Networks {
		err = errors.Join(err, n.Close())
	}
	return err
}

// weigh is a past's weight for a learner in a seat.
func (o opponents) weigh(p *Past, seat int) float64 {
	if o.weight == nil {
		return 1
	}
	return o.weight(p.Scores[seat])
}

// superfluous picks the past that a full pool forgets. A league forgets the one of
// least weight over all seats. A plain pool keeps its pasts evenly spread over the
// run, the first and the newest always among them: a pool of recent selves alone
// collapses like self-play does, because all of them have narrowed to the same lines.
func (o opponents) superfluous(pasts []*Past) int {
	drop, least := 0, math.Inf(1)
	for i := 1; i < len(pasts)-1; i++ {
		cost := float64(pasts[i+1].Update - pasts[i-1].Update)
		if o.weight != nil {
			cost = 0
			for seat := range pasts[i].Scores {
				cost += o.weigh(pasts[i], seat)
			}
		}
		if cost < least {
			drop, least = i, cost
		}
	}
	return drop
}

// meet picks the opponent of one group of games in which the learner has the given
// seat: the index of a past, or len(pasts) for the fixed agent; -1 for the current
// players.
func (o opponents) meet(pasts []*Past, r *rand.Rand, seat int) int {
	switch {
	case o.agent != "":
		if r.Float64() < o.share {
			return len(pasts)
		}
		return -1
	case len(pasts) == 0 || r.Float64() >= o.share:
		return -1
	case o.newest:
		return len(pasts) - 1
	}
	weights := make([]float64, len(pasts))
	sum := 0.0
	for i, p := range pasts {
		weights[i] = o.weigh(p, seat)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return policy.Sample(weights, r)
}

// AsOpponent is a past policy as the recipe's opponents are met.
func (r *Run) AsOpponent(p policy.Policy) play.Agent {
	o := r.opponents
	if o.temperature != 0 && o.temperature != 1 {
		p = tempered{p, o.temperature}
	}
	return agents.NewSampler(p, false)
}

// tempered plays another policy p softened, p^(1/T) normalised: the quantal response
// of temperature T to what log p says of the actions.
type tempered struct {
	policy.Policy
	temperature float64
}

// Probabilities implements policy.Policy.
func (t tempered) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	if err := t.Policy.Probabilities(ctx, states, out); err != nil {
		return err
	}
	for _, probs := range out {
		sum := 0.0
		for j, p := range probs {
			probs[j] = math.Pow(p, 1/t.temperature)
			sum += probs[j]
		}
		for j := range probs {
			probs[j] /= sum
		}
	}
	return nil
}
