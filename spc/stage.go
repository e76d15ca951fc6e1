package spc

import (
	"context"
	"fmt"
	"math"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// stages decide who trains in an update.
type stages struct {
	kind        string  // together, alternate or adaptive
	every       int     // alternate: updates of a stage
	up, down    float64 // adaptive: the critic's share of games won that ends its stage, and the sneaky player's
	dwell, most int     // adaptive: the least and the most updates of a stage
	decay       float64 // adaptive: of the running mean
}

func parseStages(text string) (stages, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return stages{}, fmt.Errorf("stages: %w", err)
	}
	r := spec.Read(s)
	out := stages{kind: s.Name}
	switch s.Name {
	case "together":
	case "alternate":
		out.every = r.Int("every", 10, 1, 1<<30)
	case "adaptive":
		out.up, out.down = r.Float("up", 0.9, 0, 1), r.Float("down", 0.75, 0, 1)
		out.dwell, out.most = r.Int("dwell", 5, 1, 1<<30), r.Int("most", 50, 1, 1<<30)
		out.decay = r.Float("decay", 0.9, 0, 0.999999)
		if r.Err() == nil && (out.down >= out.up || out.most < out.dwell) {
			return out, fmt.Errorf("stages: adaptive: expected down below up and dwell at most most, not down=%g, up=%g, dwell=%d, most=%d", out.down, out.up, out.dwell, out.most)
		}
	default:
		return out, fmt.Errorf("stages: unknown form %q%s; there are together, alternate, adaptive", s.Name, spec.Suggest(s.Name, []string{"together", "alternate", "adaptive"}))
	}
	if err := r.Err(); err != nil {
		return out, fmt.Errorf("stages: %w", err)
	}
	return out, nil
}

// stage is where a controller stands: two thresholds and a least dwell keep it from
// chattering (Vision-Zero's Iterative-SPO, arXiv 2509.25541, eq. 7-10).
type stage struct {
	Sneaky   bool    `json:"sneaky"` // the sneaky player trains, else the critic
	Dwelt    int     `json:"dwelt"`
	Mean     float64 `json:"mean"`   // of the critic's share of games won, not yet corrected
	Weight   float64 `json:"weight"` // 1 - decay^n: what corrects it
	Switches int     `json:"switches"`
}

// trains tells whether a seat trains.
func (s stages) trains(at stage, seat games.Seat) bool {
	return s.kind == "together" || (seat == sneakycritic.Sneaky) == at.Sneaky
}

// next counts an update in which the critic won a share of the games.
func (s stages) next(at stage, won float64) stage {
	at.Dwelt++
	at.Mean = s.decay*at.Mean + (1-s.decay)*won
	at.Weight = s.decay*at.Weight + (1 - s.decay)
	over := false
	switch mean := at.Mean / at.Weight; {
	case s.kind == "alternate":
		over = at.Dwelt >= s.every
	case s.kind != "adaptive" || at.Dwelt < s.dwell:
	case at.Sneaky:
		over = mean <= s.down || at.Dwelt >= s.most
	default:
		over = mean >= s.up || at.Dwelt >= s.most
	}
	if over {
		at.Sneaky, at.Dwelt = !at.Sneaky, 0
		at.Switches++
	}
	return at
}

// opponents says whom a player in training meets.
type opponents struct {
	kind        string // latest, earlier or pool
	share       float64
	temperature float64 // of those of earlier rounds
}

func parseOpponents(text string) (opponents, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return opponents{}, fmt.Errorf("opponents: %w", err)
	}
	r := spec.Read(s)
	o := opponents{kind: s.Name, temperature: 1}
	switch s.Name {
	case "latest":
	case "earlier":
		o.temperature = r.Float("temperature", 1, 0.01, 100)
	case "pool":
		o.share, o.temperature = r.Float("share", 1, 0, 1), r.Float("temperature", 1, 0.01, 100)
	default:
		return o, fmt.Errorf("opponents: unknown form %q%s; there are latest, earlier, pool", s.Name, spec.Suggest(s.Name, []string{"latest", "earlier", "pool"}))
	}
	if err := r.Err(); err != nil {
		return o, fmt.Errorf("opponents: %w", err)
	}
	return o, nil
}

// past is a player of an earlier round, as it is met.
func (o opponents) past(p policy.Policy) play.Agent {
	if o.temperature != 1 {
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
	for i, s := range states {
		probs := out[i][:len(s.Actions(nil))]
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
