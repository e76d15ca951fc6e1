package arena

import (
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

// OpeningForms documents the openings for help texts.
const OpeningForms = `none                         games start at the start
random(plies=4)              a random legal beginning for each unit, drawn by the tournament's seed
book(file=FILE)              chess from a book: the positions of an EPD or FEN file, or the first moves of the games of a .pgn;
                             also order=sequential|random, plies=8 (moves of a game, of both sides; all where absent)`

// ParseOpenings reads where games start; nil for the start.
func ParseOpenings(text string, game games.Game, seed uint64) (Openings, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	r := spec.Read(s)
	var out Openings
	switch s.Name {
	case "none":
	case "random":
		out = randomOpenings{game: game, seed: seed, plies: r.Int("plies", 4, 1, 1<<16)}
	case "book":
		file, order, plies := r.String("file", ""), r.Choice("order", "sequential", "sequential", "random"), r.Int("plies", 0, 1, 1<<16)
		if err := r.Err(); err != nil {
			return nil, fmt.Errorf("openings: %w", err)
		}
		b, err := readBook(file, plies, game)
		if err != nil {
			return nil, fmt.Errorf("openings: book: %w", err)
		}
		if order == "random" {
			b.seed = &seed
		}
		return b, nil
	default:
		names := []string{"none", "random", "book"}
		return nil, fmt.Errorf("openings: unknown form %q%s; there are none, random, book", s.Name, spec.Suggest(s.Name, names))
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	if random, ok := out.(randomOpenings); ok {
		if _, err := random.draw(0); err != nil {
			return nil, err
		}
	}
	return out, nil
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
				return nil, fmt.Errorf("openings: %w", err)
			}
			done = append(done, action)
		}
		if s.Turn() != games.Over {
			return slices.Clip(done), nil
		}
	}
	return nil, fmt.Errorf("openings: random(plies=%d): %s is over before that: take fewer", o.plies, o.game.Info().Name)
}
