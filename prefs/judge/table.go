package judge

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "table", Usage: "table(FILE)", Help: "a JSON matrix of probabilities by answer",
		Value: func(r *spec.Reader, _ Environment) (Judge, error) {
			var p [][]float64
			if err := readJSON(r, "table: file", r.String("file", ""), &p); err != nil {
				return nil, err
			}
			return bare(NewTable(p))
		},
	})
}

// Table is P(i ≻ j) of answers that are single actions numbered from 0.
type Table [][]float64

// NewTable checks that a table is square, within [0, 1], with rows that agree with
// columns: P(i ≻ j) + P(j ≻ i) = 1.
func NewTable(p [][]float64) (Table, error) {
	if len(p) == 0 {
		return nil, errors.New("feedback table: it has no rows")
	}
	for i, row := range p {
		if len(row) != len(p) {
			return nil, fmt.Errorf("feedback table: row %d has %d numbers: expected %d, as many as rows", i, len(row), len(p))
		}
	}
	for i, row := range p {
		for j, x := range row {
			if !(x >= 0 && x <= 1) {
				return nil, fmt.Errorf("feedback table: row %d, column %d is %g: expected a probability", i, j, x)
			}
			if math.Abs(x+p[j][i]-1) > 1e-9 {
				return nil, fmt.Errorf("feedback table: %d beats %d with %g and %d beats %d with %g: expected the two to sum to 1", i, j, x, j, i, p[j][i])
			}
		}
	}
	return p, nil
}

// Prefer implements Judge.
func (t Table) Prefer(_ context.Context, a, b *Answer) (float64, error) {
	for _, x := range []*Answer{a, b} {
		if len(x.Actions) != 1 || x.Actions[0] < 0 || int(x.Actions[0]) >= len(t) {
			return 0, fmt.Errorf("feedback table: the answer's actions are %v: expected one from 0 to %d", x.Actions, len(t)-1)
		}
	}
	return t[a.Actions[0]][b.Actions[0]], nil
}
