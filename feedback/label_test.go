package feedback_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/feedback"
	"github.com/agon-rl/agon/games"
)

// What could not be judged counts for nothing; other errors end it.
func TestRelabel(t *testing.T) {
	judge := feedback.Func(func(_ context.Context, a, b *feedback.Answer) (float64, error) {
		switch d := a.Return - b.Return; {
		case d > 10:
			return 0, fmt.Errorf("%w: no answer", games.ErrLost)
		case d > 5:
			return 0, errors.New("no such thing")
		default:
			return feedback.Logistic(d, 0, 0), nil
		}
	})
	pair := func(gap float64) [2]*feedback.Answer { return [2]*feedback.Answer{{Return: gap}, {}} }
	p, r, err := feedback.Relabel(t.Context(), judge, [][2]*feedback.Answer{pair(1), pair(2), pair(3), pair(-1), pair(0), pair(11)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(feedback.Relabelled{Pairs: 6, Agreed: 3, Swapped: 1, Tied: 1, Lost: 1, Kappa: 0.5}, r); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float64{1, 1, 1, 0, 0.5, -1}, p); d != "" {
		t.Error(d)
	}
	if _, _, err := feedback.Relabel(t.Context(), judge, [][2]*feedback.Answer{pair(7)}); err == nil {
		t.Error("an error was passed over")
	}
	if _, r, err := feedback.Relabel(t.Context(), judge, nil); err != nil || r.Kappa != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
