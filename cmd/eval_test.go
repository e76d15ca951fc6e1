package cmd

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// naming is a game of some seats that name a number in turn: each gets how much it is
// above the mean, and the first seat a bonus that the others pay.
type naming struct {
	seats int
	bonus float64
}

func (g naming) Info() games.Info {
	info := games.Info{Name: "naming", Seats: g.seats, Actions: 10, MaxLength: g.seats, MinReturn: -20, MaxReturn: 20, Tensor: []int{1}}
	for seat := range g.seats {
		info.Roles = append(info.Roles, fmt.Sprint("seat ", seat))
	}
	return info
}
func (g naming) Start() games.State { return &named{game: g} }

type named struct {
	game    naming
	numbers []games.Action
}

func (n *named) Turn() games.Seat {
	if len(n.numbers) == n.game.seats {
		return games.Over
	}
	return games.Seat(len(n.numbers))
}
func (*named) Actions(dst []games.Action) []games.Action { return append(dst, games.Ids(10)...) }
func (*named) Odds(dst []float64) []float64              { return dst }
func (n *named) Apply(a games.Action) error {
	n.numbers = append(n.numbers, a)
	return nil
}
func (n *named) Returns(dst []float64) []float64 {
	mean := 0.0
	for _, a := range n.numbers {
		mean += float64(a) / float64(n.game.seats)
	}
	for seat, a := range n.numbers {
		bonus := -n.game.bonus / float64(n.game.seats-1)
		if seat == 0 {
			bonus = n.game.bonus
		}
		dst = append(dst, float64(a)-mean+bonus)
	}
	return dst
}
func (n *named) Clone() games.State { return &named{n.game, slices.Clone(n.numbers)} }
func (n *named) AppendKey(dst []byte, _ games.Seat) []byte {
	return fmt.Append(dst, n.numbers)
}
func (*named) Observe(_ games.Seat, dst []float32) { clear(dst) }

// namer always names one number.
type namer games.Action

func (n namer) Act(_ context.Context, _ []play.Request, out []play.Decision) error {
	for i := range out {
		out[i].Action = games.Action(n)
	}
	return nil
}
func (namer) Close() error { return nil }

// The agent is alone in every seat as often as in any other, and what it gets there is its
// own: naming 5 against 2 it is 2 above the mean of three, and 1.5 above that of two; the
// first seat's bonus of 3 is paid by the others.
func TestVersusTakesAllSeats(t *testing.T) {
	for _, test := range []struct {
		game  naming
		games int
		want  vsReport
	}{
		{naming{3, 0}, 9, vsReport{Games: 9, Wins: 9, Mean: 2, BySeat: []vsSeat{
			{Role: "seat 0", Games: 3, Wins: 3, Mean: 2}, {Role: "seat 1", Games: 3, Wins: 3, Mean: 2}, {Role: "seat 2", Games: 3, Wins: 3, Mean: 2},
		}}},
		{naming{3, 6}, 9, vsReport{Games: 9, Wins: 3, Losses: 6, Mean: 2, BySeat: []vsSeat{
			{Role: "seat 0", Games: 3, Wins: 3, Mean: 8}, {Role: "seat 1", Games: 3, Losses: 3, Mean: -1}, {Role: "seat 2", Games: 3, Losses: 3, Mean: -1},
		}}},
		{naming{2, 1.5}, 6, vsReport{Games: 6, Wins: 3, Draws: 3, Mean: 1.5, BySeat: []vsSeat{
			{Role: "seat 0", Games: 3, Wins: 3, Mean: 3}, {Role: "seat 1", Games: 3, Draws: 3},
		}}},
	} {
		got, err := versus(t.Context(), test.game, namer(5), namer(2), evaluation{games: test.games})
		if err != nil {
			t.Fatal(err)
		}
		if got.CI95[0] > got.Mean || got.CI95[1] < got.Mean || (got.vsScore != nil) != (test.game.seats == 2) {
			t.Errorf("%+v: a mean of %g in %v, a score %+v", test.game, got.Mean, got.CI95, got.vsScore)
		}
		if s := got.vsScore; s != nil && (s.Score != 0.75 || s.Pairs != 3) {
			t.Errorf("%+v: %+v", test.game, *s)
		}
		got.CI95, got.vsScore = [2]float64{}, nil
		if d := cmp.Diff(test.want, got, cmp.AllowUnexported(vsReport{}), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); d != "" {
			t.Errorf("%+v (-expected +got):\n%s", test.game, d)
		}
	}
}
