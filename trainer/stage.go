package trainer

import (
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
)

// stages decide which of two players trains in an update.
type stages struct {
	kind        string  // together, alternate or adaptive
	every       int     // alternate: updates of a stage
	up, down    float64 // adaptive: the last player's share of games won that ends its stage, and the first one's
	dwell, most int     // adaptive: the least and the most updates of a stage
	decay       float64 // adaptive: of the running mean
}

// stageKinds are the ways to decide.
var stageKinds spec.Registry[func(r *spec.Reader) (stages, error)]

// StageForms documents what a recipe's stages may be.
func StageForms() string { return stageKinds.Help() }

func init() {
	add := stageKinds.Register
	add("together", "", "all players in every update", func(*spec.Reader) (stages, error) { return stages{}, nil })
	add("alternate", "alternate(every=10)", "the players take turns, the last one first", func(r *spec.Reader) (stages, error) {
		return stages{every: r.Int("every", 10, 1, 1<<30)}, nil
	})
	add("adaptive", "adaptive(up=0.9,down=0.75,dwell=5,most=50,decay=0.9)", "the last player trains until its share of games won is up, then the first until it is down", readAdaptive)
}

func readAdaptive(r *spec.Reader) (stages, error) {
	s := stages{
		up: r.Float("up", 0.9, 0, 1), down: r.Float("down", 0.75, 0, 1),
		dwell: r.Int("dwell", 5, 1, 1<<30), most: r.Int("most", 50, 1, 1<<30), decay: r.Float("decay", 0.9, 0, 0.999999),
	}
	if r.Err() == nil && (s.down >= s.up || s.most < s.dwell) {
		return s, fmt.Errorf("adaptive: expected down below up and dwell at most most, not down=%g, up=%g, dwell=%d, most=%d", s.down, s.up, s.dwell, s.most)
	}
	return s, nil
}

func parseStages(text string) (stages, error) {
	e, r, err := stageKinds.Read(text)
	if err != nil {
		return stages{}, fmt.Errorf("stages: %w", err)
	}
	s, err := e.Value(r)
	if s.kind = e.Name; err == nil {
		err = r.Err()
	}
	if err != nil {
		return s, fmt.Errorf("stages: %w", err)
	}
	return s, nil
}

// stage is where a controller stands: two thresholds and a least dwell keep it from
// chattering (Vision-Zero's Iterative-SPO, arXiv 2509.25541, eq. 7-10).
type stage struct {
	First    bool    `json:"first"` // the first player trains, else the last
	Dwelt    int     `json:"dwelt"`
	Mean     float64 `json:"mean"`   // of the last player's share of games won, not yet corrected
	Weight   float64 `json:"weight"` // 1 - decay^n: what corrects it
	Switches int     `json:"switches"`
}

// trains tells whether the player with an index trains.
func (s stages) trains(at stage, player int) bool {
	return s.kind == "together" || (player == 0) == at.First
}

// next counts an update in which the last player won a share of the games.
func (s stages) next(at stage, won float64) stage {
	at.Dwelt++
	at.Mean = s.decay*at.Mean + (1-s.decay)*won
	at.Weight = s.decay*at.Weight + (1 - s.decay)
	over := false
	switch mean := at.Mean / at.Weight; {
	case s.kind == "alternate":
		over = at.Dwelt >= s.every
	case s.kind != "adaptive" || at.Dwelt < s.dwell:
	case at.First:
		over = mean <= s.down || at.Dwelt >= s.most
	default:
		over = mean >= s.up || at.Dwelt >= s.most
	}
	if over {
		at.First, at.Dwelt = !at.First, 0
		at.Switches++
	}
	return at
}
