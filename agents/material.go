package agents

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "material", Help: "chess: takes what is worth most, any of the best moves",
		Value: Kind{Open: openMaterial},
	})
}

// openMaterial opens material.
func openMaterial(_ context.Context, _ *spec.Reader, env Environment) (play.Agent, error) {
	if _, err := chess.FEN(env.Game.Start()); err != nil {
		return nil, fmt.Errorf("material: it counts pieces of chess, not of %s", env.Game.Info().Name)
	}
	return NewSampler(material{}, false), nil
}

// material plays any of the moves after which it is ahead most: a mark for others to
// be measured by.
type material struct{}

// worth of pieces, by their letter.
var worth = map[rune]float64{'p': 1, 'n': 3, 'b': 3, 'r': 5, 'q': 9}

var _ policy.Policy = material{}

// Probabilities implements policy.Policy.
func (material) Probabilities(_ context.Context, states []games.State, out [][]float64) error {
	for i, s := range states {
		best := math.Inf(-1)
		seat := s.Turn()
		for j, a := range s.Actions(nil) {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				return err
			}
			value, err := ahead(next, seat)
			if err != nil {
				return err
			}
			out[i][j] = value
			best = max(best, value)
		}
		count := 0.0
		for j, value := range out[i] {
			out[i][j] = 0
			if value == best {
				out[i][j] = 1
				count++
			}
		}
		for j := range out[i] {
			out[i][j] /= count
		}
	}
	return nil
}

// ahead is by how much a seat (1 is White) is ahead; a game that is over counts more
// than any pieces.
func ahead(s games.State, seat games.Seat) (float64, error) {
	if s.Turn() == games.Over {
		return 1000 * s.Returns(nil)[seat], nil
	}
	fen, err := chess.FEN(s)
	if err != nil {
		return 0, err
	}
	board, _, _ := strings.Cut(fen, " ")
	value := 0.0
	for _, piece := range board {
		value += worth[piece+('a'-'A')] - worth[piece] // White's letters are capitals
	}
	if seat == 0 {
		value = -value
	}
	return value, nil
}
