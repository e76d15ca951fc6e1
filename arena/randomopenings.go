package arena

import (
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	OpeningKinds.Add(spec.Entry[opener]{
		Name: "random", Usage: "random(plies=4)",
		Help: "a random legal beginning for each unit, drawn by the tournament's seed",
		Value: func(r *spec.Reader, game games.Game, seed uint64) (Openings, error) {
			out := randomOpenings{game: game, seed: seed, plies: r.Int("plies", 4, 1, 1<<16)}
			if err := r.Err(); err != nil {
				return nil, err
			}
			_, err := out.draw(0)
			return out, err
		},
	})
}

// randomOpenings draw legal actions, and chance.
type randomOpenings struct {
	game  games.Game
	seed  uint64
	plies int // of players
}

// beginnings are how often a beginning may be drawn that ends the game.
const beginnings = 1000

func (o randomOpenings) Of(unit int) play.Opening {
	actions, err := o.draw(unit)
	if err != nil { // of a thousand none: the game starts at its start
		return play.Opening{}
	}
	return play.Opening{Actions: actions}
}

func (o randomOpenings) draw(unit int) ([]games.Action, error) {
	r := play.Generator(o.seed, "opening", uint64(unit))
	for range beginnings {
		s := o.game.Start()
		var done []games.Action
		for plies := 0; s.Turn() != games.Over && (plies < o.plies || s.Turn() == games.Chance); {
			var action games.Action
			var err error
			if s.Turn() == games.Chance {
				action, err = games.Draw(s, r)
			} else {
				plies++
				legal := s.Actions(nil)
				action = legal[r.IntN(len(legal))]
			}
			if err == nil {
				err = s.Apply(action)
			}
			if err != nil {
				return nil, err
			}
			done = append(done, action)
		}
		if s.Turn() != games.Over {
			return slices.Clip(done), nil
		}
	}
	return nil, fmt.Errorf("random(plies=%d): %s is over before that: take fewer", o.plies, o.game.Info().Name)
}
