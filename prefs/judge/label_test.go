package judge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/prefs/judge"
)

// What could not be judged counts for nothing; other errors end it.
func TestRelabel(t *testing.T) {
	says := judge.Func(func(_ context.Context, a, b *judge.Answer) (float64, error) {
		switch d := a.Return - b.Return; {
		case d > 10:
			return 0, fmt.Errorf("%w: no answer", games.ErrLost)
		case d > 5:
			return 0, errors.New("no such thing")
		default:
			return judge.Logistic(d, 0, 0), nil
		}
	})
	pair := func(gap float64) [2]*judge.Answer { return [2]*judge.Answer{{Return: gap}, {}} }
	p, r, err := judge.Relabel(t.Context(), says, [][2]*judge.Answer{pair(1), pair(2), pair(3), pair(-1), pair(0), pair(11)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(judge.Relabelled{Pairs: 6, Agreed: 3, Swapped: 1, Tied: 1, Lost: 1, Kappa: 0.5}, r); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float64{1, 1, 1, 0, 0.5, -1}, p); d != "" {
		t.Error(d)
	}
	if _, _, err := judge.Relabel(t.Context(), says, [][2]*judge.Answer{pair(7)}); err == nil {
		t.Error("an error was passed over")
	}
	if _, r, err := judge.Relabel(t.Context(), says, nil); err != nil || r.Kappa != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
