package solve

import (
	"context"

	"github.com/agon-rl/agon/games"
)

// matrixSteps is far more than the interior point method takes.
const matrixSteps = 500

// MatrixGame solves a two-seat zero-sum game in which the row player is paid
// payoff[i][j] (rows × columns, all rows of one length). It returns the value
// and an equilibrium, by von Neumann's linear program. Where there are many
// equilibria it is one in their middle.
func MatrixGame(payoff [][]float64) (value float64, row, column []float64, err error) {
	if err := rectangular(payoff); err != nil {
		return 0, nil, nil, err
	}
	t := matrixTree(payoff)
	l, err := NewLinearProgram(t)
	if err != nil {
		return 0, nil, nil, err
	}
	if err := l.Iterate(context.Background(), matrixSteps); err != nil {
		return 0, nil, nil, err
	}
	s := l.Strategy()
	return t.Value(s)[0], s[:len(payoff)], s[len(payoff):], nil
}

// matrixTree is the game in which the row player moves first, unseen.
func matrixTree(payoff [][]float64) *Tree {
	rows, columns := int32(len(payoff)), int32(len(payoff[0]))
	t := &Tree{
		Info:  games.Info{Name: "a matrix game", Seats: 2},
		nodes: int(1 + rows + rows*columns), actions: int(rows + columns),
		Sets: []Set{
			{Seat: 0, Actions: make([]games.Action, rows)},
			{Seat: 1, Actions: make([]games.Action, columns), First: int(rows)},
		},
	}
	empty := t.empty()
	t.own = [][]span{{{0, rows, empty}}, {{rows, rows + columns, empty}}}
	for i := range rows {
		first := 1 + rows + i*columns
		t.inner = append(t.inner, inner{id: 1 + i, child: first, count: columns, first: rows, seat: 1, chance: 1})
		t.before = append(t.before, i, empty)
		for j := range columns {
			x := payoff[i][j]
			t.ends.id = append(t.ends.id, first+j)
			t.ends.chance = append(t.ends.chance, 1)
			t.ends.sequence = append(t.ends.sequence, i, rows+j)
			t.ends.payoff = append(t.ends.payoff, x, -x)
		}
	}
	t.inner = append(t.inner, inner{id: 0, child: 1, count: rows, first: 0, seat: 0, chance: 1})
	t.before = append(t.before, empty, empty)
	return t
}
