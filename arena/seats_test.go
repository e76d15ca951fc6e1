package arena_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// three is a game of three seats, which name a number in turn. Who names more than the
// others gains what they lose; the first seat has a bonus of so much.
type three struct{ bonus float64 }

func (three) Info() games.Info {
	return games.Info{
		Name: "three", Seats: 3, Roles: []string{"a", "b", "c"}, Actions: 10, MaxLength: 3,
		MinReturn: -9, MaxReturn: 9, Tensor: []int{1},
	}
}
func (g three) Start() games.State { return &named{bonus: g.bonus} }

type named struct {
	bonus float64
	moves []games.Action
}

func (n *named) Turn() games.Seat {
	if len(n.moves) == 3 {
		return games.Over
	}
	return games.Seat(len(n.moves))
}
func (n *named) Actions(dst []games.Action) []games.Action {
	if len(n.moves) == 3 {
		return dst
	}
	return append(dst, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
}
func (*named) Odds(dst []float64) []float64 { return dst }
func (n *named) Apply(a games.Action) error {
	n.moves = append(n.moves, a)
	return nil
}
func (n *named) Returns(dst []float64) []float64 {
	if len(n.moves) < 3 {
		return append(dst, 0, 0, 0)
	}
	mean := float64(n.moves[0]+n.moves[1]+n.moves[2]) / 3
	for seat, a := range n.moves {
		bonus := -n.bonus / 2
		if seat == 0 {
			bonus = n.bonus
		}
		dst = append(dst, float64(a)-mean+bonus)
	}
	return dst
}
func (n *named) Clone() games.State { return &named{n.bonus, slices.Clone(n.moves)} }
func (n *named) AppendKey(dst []byte, _ games.Seat) []byte {
	return fmt.Append(dst, n.moves)
}
func (*named) Observe(_ games.Seat, dst []float32) { clear(dst) }

// always names one number.
type always struct{ games.Action }

func (a always) Act(_ context.Context, _ []play.Request, out []play.Decision) error {
	for i := range out {
		out[i].Action = a.Action
	}
	return nil
}
func (always) Close() error { return nil }

// resultsOf plays a tournament and returns its table and its games.
func resultsOf(t *testing.T, tournament arena.Tournament) (*arena.Table, []arena.Result) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "games.log")
	table, err := run(t, tournament, path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := arena.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var out []arena.Result
	if err := log.Results(func(r arena.Result) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return table, out
}

func roundRobin(t *testing.T, game games.Game, rounds int, numbers ...games.Action) arena.Tournament {
	t.Helper()
	schedule, err := arena.ParseSchedule("roundrobin", rounds, 1)
	if err != nil {
		t.Fatal(err)
	}
	out := arena.Tournament{Game: game, Schedule: schedule, Group: 1, Seed: 1}
	for i, n := range numbers {
		out.Entrants = append(out.Entrants, arena.Entrant{Name: fmt.Sprintf("%c names %d", 'a'+i, n), Agent: always{n}})
	}
	return out
}

// In a set of three seats each entrant is alone in the first, the second and the third
// seat, against the other in the two that are left: six games, and every move is that of
// who sits there.
func TestSeatsOfThree(t *testing.T) {
	_, results := resultsOf(t, roundRobin(t, three{}, 1, 2, 5, 7))
	var want [][]int
	for _, u := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
		a, b := u[0], u[1]
		want = append(want, []int{a, b, b}, []int{b, a, b}, []int{b, b, a}, []int{b, a, a}, []int{a, b, a}, []int{a, a, b})
	}
	if len(results) != len(want) {
		t.Fatalf("%d games, expected %d", len(results), len(want))
	}
	number := []games.Action{2, 5, 7}
	for i, r := range results {
		if r.Game != i || !slices.Equal(r.Seats, want[i]) {
			t.Errorf("game %d has %v in its seats, expected game %d with %v", r.Game, r.Seats, i, want[i])
		}
		for seat, a := range r.Actions {
			if a != number[r.Seats[seat]] {
				t.Errorf("game %d: seat %d names %d, and entrant %d sits there", i, seat, a, r.Seats[seat])
			}
		}
	}
}

// In a set of two seats the first entrant has the first seat, and then the second.
func TestSeatsOfTwo(t *testing.T) {
	tournament := roundRobin(t, must(games.New("tic_tac_toe")), 2, 0, 0)
	tournament.Entrants[0].Agent, tournament.Entrants[1].Agent = firstLegal{}, lastLegal{}
	_, results := resultsOf(t, tournament)
	for i, r := range results {
		want, first := []int{0, 1}, games.Action(0)
		if i%2 == 1 {
			want, first = []int{1, 0}, 8
		}
		if !slices.Equal(r.Seats, want) || r.Actions[0] != first {
			t.Errorf("game %d: %v in its seats, first action %d, expected %v and %d", i, r.Seats, r.Actions[0], want, first)
		}
	}
	if len(results) != 4 {
		t.Errorf("%d games, expected two sets of two", len(results))
	}
}

type lastLegal struct{ firstLegal }

func (lastLegal) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, r := range in {
		legal := r.State.Actions(nil)
		out[i].Action = legal[len(legal)-1]
	}
	return nil
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// Who names 5 beats who names 2 wherever either sits alone. Alone, 5 is 2 above the mean
// of 5, 2 and 2, and so is what the other's lone 2 lies below that of 2, 5 and 5: a
// margin of 2 a game. Tallies by seat are of the games in which one had the seat alone.
func TestTableOfThreeSeats(t *testing.T) {
	table, _ := resultsOf(t, roundRobin(t, three{}, 4, 2, 5))
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	best, worst := sum.Standings[0], sum.Standings[1]
	if best.Name != "b names 5" || best.Tally != (arena.Tally{Wins: 24}) || worst.Tally != (arena.Tally{Losses: 24}) {
		t.Errorf("%+v before %+v, expected 24 wins of who names 5", best, worst)
	}
	for seat := range 3 {
		if best.Seats[seat] != (arena.Tally{Wins: 4}) || worst.Seats[seat] != (arena.Tally{Losses: 4}) {
			t.Errorf("alone in seat %d: %+v and %+v, expected 4 wins and 4 losses", seat, best.Seats[seat], worst.Seats[seat])
		}
	}
	d := sum.Pairings[0]
	if d.First != "a names 2" || d.Second != "b names 5" || d.Tally != (arena.Tally{Losses: 24}) || d.Score != 0 || d.Margin != -2 || d.Units != 4 || d.Counts[0] != 4 {
		t.Errorf("%+v, expected that the first loses 4 sets by 2 a game", d)
	}
}

// Between equals the first seat alone decides, and everybody has it as often: the set is
// even, and the lone one wins from the first seat and loses from the others.
func TestTableOfThreeSeatsWithAnAdvantage(t *testing.T) {
	table, _ := resultsOf(t, roundRobin(t, three{bonus: 2}, 1, 3, 3))
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sum.Standings {
		if s.Tally != (arena.Tally{Wins: 3, Losses: 3}) || !slices.Equal(s.Seats, []arena.Tally{{Wins: 1}, {Losses: 1}, {Losses: 1}}) {
			t.Errorf("%+v, expected a win alone in the first seat, losses in the others, and the opposite of the other's", s)
		}
	}
	if d := sum.Pairings[0]; d.Score != 0.5 || d.Margin != 0 || d.Tally != (arena.Tally{Wins: 3, Losses: 3}) || d.Counts[6] != 1 {
		t.Errorf("%+v, expected an even set", d)
	}
}
