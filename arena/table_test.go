package arena_test

import (
	"math"
	"slices"
	"testing"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// tableOf adds sets of tic-tac-toe between entrants 0 and 1: what the first seat scores
// in the game where entrant 0 has it, and where entrant 1 has it. The games all differ.
func tableOf(t *testing.T, sets ...[2]float64) *arena.Table {
	t.Helper()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	table, number := arena.NewTable(game, []string{"a", "b"}), 0
	for _, set := range sets {
		for g, score := range set {
			table.Add(arena.Unit{First: 0, Second: 1}, play.Opening{}, arena.Result{
				Game: number, Seats: []int{g, 1 - g}, Returns: []float64{2*score - 1, 1 - 2*score}, Actions: []games.Action{games.Action(number)},
			})
			number++
		}
	}
	return table
}

func summed(t *testing.T, table *arena.Table, r arena.Rating) arena.Summary {
	t.Helper()
	s, err := table.Summarize(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func standing(t *testing.T, s arena.Summary, name string) arena.Rated {
	t.Helper()
	i := slices.IndexFunc(s.Standings, func(r arena.Rated) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("%s has no standing", name)
	}
	return s.Standings[i]
}

// Two sets by hand. In the first a wins as the first seat and draws as the second; in
// the second it loses as the first and wins as the second.
func TestTableByHand(t *testing.T) {
	s := summed(t, tableOf(t, [2]float64{1, 0.5}, [2]float64{0, 0}), arena.Rating{})
	a, b := standing(t, s, "a"), standing(t, s, "b")
	for _, x := range []struct {
		name      string
		got, want arena.Tally
	}{
		{"a", a.Tally, arena.Tally{Wins: 2, Draws: 1, Losses: 1}},
		{"b", b.Tally, arena.Tally{Wins: 1, Draws: 1, Losses: 2}},
		{"a as the first", a.Seats[0], arena.Tally{Wins: 1, Losses: 1}},
		{"a as the second", a.Seats[1], arena.Tally{Wins: 1, Draws: 1}},
		{"b as the first", b.Seats[0], arena.Tally{Draws: 1, Losses: 1}},
		{"b as the second", b.Seats[1], arena.Tally{Wins: 1, Losses: 1}},
		{"the pairing", s.Pairings[0].Tally, arena.Tally{Wins: 2, Draws: 1, Losses: 1}},
	} {
		if x.got != x.want {
			t.Errorf("%s: %+v, expected %+v", x.name, x.got, x.want)
		}
	}
	d := s.Pairings[0]
	if d.First != "a" || d.Second != "b" || d.Units != 2 || d.Effective != 2 || s.Games != 4 || s.Units != 2 {
		t.Errorf("%+v of %d games and %d sets", d, s.Games, s.Units)
	}
	// By half points of a set: 3 of 4, and 2 of 4. The score is 0.625, the margin the mean
	// of 0.5 and 0.
	if !slices.Equal(d.Counts, []float64{0, 0, 1, 1, 0}) || d.Score != 0.625 || d.Margin != 0.25 || a.Score != 0.625 || b.Score != 0.375 {
		t.Errorf("counts %v, score %g, margin %g, of b %g", d.Counts, d.Score, d.Margin, b.Score)
	}
	// Student's t with one degree of freedom is 12.706; two margins half a point apart have
	// a standard error of 0.25, and no margin is beyond 1.
	if want := [2]float64{-1, 1}; d.Margin95 != want {
		t.Errorf("margin between %v, expected %v", d.Margin95, want)
	}
	if s.Standings[0].Name != "a" {
		t.Errorf("%s stands first", s.Standings[0].Name)
	}
}

// The interval of a margin is Student's: ten sets of margin 0.5 and ten of 0 have the mean
// 0.25 and a deviation of 0.25·√(20/19); t of 19 is 2.0930.
func TestMarginInterval(t *testing.T) {
	sets := slices.Concat(slices.Repeat([][2]float64{{1, 0.5}}, 10), slices.Repeat([][2]float64{{0.5, 0.5}}, 10))
	d := summed(t, tableOf(t, sets...), arena.Rating{}).Pairings[0]
	half := 2.093024 * 0.25 * math.Sqrt(20./19) / math.Sqrt(20)
	if math.Abs(d.Margin-0.25) > 1e-12 || math.Abs(d.Margin95[0]-(0.25-half)) > 1e-6 || math.Abs(d.Margin95[1]-(0.25+half)) > 1e-6 {
		t.Errorf("%g between %v, expected 0.25 ± %g", d.Margin, d.Margin95, half)
	}
}

// Failures are those of who sat in the seat, not of the seat's number.
func TestFailuresByHand(t *testing.T) {
	table := tableOf(t)
	seat := games.Seat(1)
	u := arena.Unit{First: 0, Second: 1}
	table.Add(u, play.Opening{}, arena.Result{Seats: []int{0, 1}, Returns: []float64{1, -1}, Forfeit: &seat, Late: true, Voids: 2})
	table.Add(u, play.Opening{}, arena.Result{Seats: []int{1, 0}, Returns: []float64{1, -1}, Forfeit: &seat, Voids: 1, Illegal: []int{2, 5}})
	table.Spend([]play.Cost{{Moves: 3, TokensIn: 10, TokensOut: 30, Dollars: 1}, {Moves: 4, TokensIn: 7, Failed: 1}})
	table.Spend([]play.Cost{{Moves: 1}, {Moves: 1}})
	s := summed(t, table, arena.Rating{})
	a, b := standing(t, s, "a"), standing(t, s, "b")
	if a.Forfeits != 1 || b.Forfeits != 1 || a.Late != 0 || b.Late != 1 {
		t.Errorf("forfeits: a %d (%d late), b %d (%d late), expected one each and b's late", a.Forfeits, a.Late, b.Forfeits, b.Late)
	}
	if a.Illegal != 5 || b.Illegal != 2 || a.Voids != 3 || b.Voids != 3 {
		t.Errorf("illegal answers: a %d, b %d, expected 5 and 2; voids %d and %d, expected 3", a.Illegal, b.Illegal, a.Voids, b.Voids)
	}
	if a.Cost != (play.Cost{Moves: 4, TokensIn: 10, TokensOut: 30, Dollars: 1}) || b.Cost != (play.Cost{Moves: 5, TokensIn: 7, Failed: 1}) {
		t.Errorf("costs: %+v and %+v", a.Cost, b.Cost)
	}
}

// Who scores three quarters from either seat is 400·log10(3) = 190.85 Elo better, and no
// seat is worth anything; with the other's rating known to be 1000 his is 1190.85.
func TestEloByHand(t *testing.T) {
	sets := [][2]float64{{1, 0}, {1, 0}, {1, 0}, {0, 1}}
	s := summed(t, tableOf(t, sets...), arena.Rating{Anchor: "b", AnchorElo: 1000})
	a, b := standing(t, s, "a"), standing(t, s, "b")
	if a.Elo == nil || b.Elo == nil || math.Abs(*a.Elo-1190.8485) > 1e-3 || math.Abs(*b.Elo-1000) > 1e-9 || math.Abs(*s.Seat) > 1e-6 {
		t.Errorf("a has %v, b %v, the seat is worth %v", a.Elo, b.Elo, s.Seat)
	}
	if d := s.Pairings[0]; math.Abs(*d.Elo-190.8485) > 1e-3 || *d.LOS < 0.5 || *d.NElo < 0 {
		t.Errorf("%g Elo, LOS %g, nElo %g", *d.Elo, *d.LOS, *d.NElo)
	}
	// Half of 190.85 up and down where the mean is anchored.
	s = summed(t, tableOf(t, sets...), arena.Rating{})
	if a = standing(t, s, "a"); math.Abs(*a.Elo-190.8485/2) > 1e-3 {
		t.Errorf("a has %g above the mean", *a.Elo)
	}
	if s.Standings[0].Name != "a" || *s.Standings[1].Elo >= 0 {
		t.Errorf("%+v", s.Standings)
	}
}

// Where three quarters of the games go to the first seat, whoever has it, the seat is
// worth 190.85 Elo and nobody is better.
func TestSeatByHand(t *testing.T) {
	s := summed(t, tableOf(t, [2]float64{1, 1}, [2]float64{1, 1}, [2]float64{1, 1}, [2]float64{0, 0}), arena.Rating{})
	if a := standing(t, s, "a"); math.Abs(*a.Elo) > 1e-6 || math.Abs(*s.Seat-190.8485) > 1e-3 || s.Draw != nil && *s.Draw != 0 {
		t.Errorf("a has %g, the seat is worth %g, draws %v", *a.Elo, *s.Seat, s.Draw)
	}
}

// Of equals who draw half of their games and share the rest, the odds of a draw to a win
// of either are 2 to 1.
func TestDrawByHand(t *testing.T) {
	s := summed(t, tableOf(t, [2]float64{0.5, 0.5}, [2]float64{0.5, 0.5}, [2]float64{1, 1}, [2]float64{0, 0}), arena.Rating{})
	if s.Draw == nil || math.Abs(*s.Draw-2) > 1e-6 {
		t.Errorf("the odds of a draw are %v, expected 2", s.Draw)
	}
}

// Of two, the better takes over the population and is all of the Nash average; the other
// would lose 0.5 a game against it, the margin of their sets.
func TestRanksByHand(t *testing.T) {
	s := summed(t, tableOf(t, [2]float64{1, 0.5}, [2]float64{1, 0.5}, [2]float64{1, 0.5}), arena.Rating{})
	a, b := standing(t, s, "a"), standing(t, s, "b")
	if *a.AlphaRank < 0.99 || *b.AlphaRank > 0.01 || *a.Nash < 1-1e-9 || math.Abs(*b.NashGain+0.5) > 1e-9 || math.Abs(*a.NashGain) > 1e-9 {
		t.Errorf("alpha-rank %g and %g, Nash %g and %g, gains %g and %g", *a.AlphaRank, *b.AlphaRank, *a.Nash, *b.Nash, *a.NashGain, *b.NashGain)
	}
	if len(s.Transitions) != 1 || s.Transitions[0].From != "b" || s.Transitions[0].To != "a" || *s.Cyclic > 1e-12 {
		t.Errorf("%+v, cyclic share %g, expected that b's population turns to a", s.Transitions, *s.Cyclic)
	}
}

// Rating a thousand tokens of a game: 190.85 Elo over 8 games with 80 tokens, which are 10
// a game.
func TestEloPerTokens(t *testing.T) {
	table := tableOf(t, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{0, 1})
	table.Spend([]play.Cost{{TokensIn: 30, TokensOut: 50}, {}})
	s := summed(t, table, arena.Rating{Anchor: "b"})
	a, b := standing(t, s, "a"), standing(t, s, "b")
	if a.EloPerKTokens == nil || math.Abs(*a.EloPerKTokens-190.8485/(80./8/1000)) > 0.1 || b.EloPerKTokens != nil {
		t.Errorf("%v and %v", a.EloPerKTokens, b.EloPerKTokens)
	}
}

// A sequential test follows the first entrant: enough wins of it accept the better of two
// hypotheses, losses the worse, and little decides nothing. Only two can be tested.
func TestSequentialTest(t *testing.T) {
	test := rating.SPRT{Elo0: 0, Elo1: 100, Alpha: 0.05, Beta: 0.05, Model: rating.Logistic}
	for want, sets := range map[string][][2]float64{
		"H1": slices.Repeat([][2]float64{{1, 0}, {1, 0.5}}, 30),
		"H0": slices.Repeat([][2]float64{{0, 1}, {0, 0.5}}, 30),
		"":   {{1, 0}},
	} {
		s := summed(t, tableOf(t, sets...), arena.Rating{Test: &test})
		if s.Test.Taken != want || s.Test.Elo0 != 0 || s.Test.Elo1 != 100 || s.Test.Model != rating.Logistic || s.Test.Lower != -s.Test.Upper || math.Abs(s.Test.Upper-math.Log(19)) > 1e-12 {
			t.Errorf("%+v, expected %q", *s.Test, want)
		}
		if (s.Test.LLR > 0) != (want != "H0") {
			t.Errorf("LLR %g, expected %q", s.Test.LLR, want)
		}
	}
	if s := summed(t, tableOf(t), arena.Rating{Test: &test}); s.Test.Taken != "" || s.Test.LLR != 0 {
		t.Errorf("before the first game: %+v", *s.Test)
	}
}

// A pairing is the same whoever comes first in a set; payoffs and tallies keep their
// sides.
func TestPairingsOfBothOrders(t *testing.T) {
	table := tableOf(t, [2]float64{1, 0}, [2]float64{1, 0.5})
	u := arena.Unit{First: 1, Second: 0} // b has the first seat first, and loses
	for g := range 2 {
		table.Add(u, play.Opening{}, arena.Result{Seats: []int{1 - g, g}, Returns: [][]float64{{-1, 1}, {1, -1}}[g], Actions: []games.Action{games.Action(90 + g)}})
	}
	s := summed(t, table, arena.Rating{})
	if len(s.Pairings) != 2 || s.Pairings[0].First != "a" || s.Pairings[1].First != "b" || s.Pairings[1].Margin != -1 || s.Pairings[1].Score != 0 {
		t.Fatalf("%+v", s.Pairings)
	}
	// (1 + 0.5 + 1)/3 a game is what b would lose against a.
	if b := standing(t, s, "b"); math.Abs(*b.NashGain+2.5/3) > 1e-9 {
		t.Errorf("b gains %g against the average, expected %g", *b.NashGain, -2.5/3)
	}
	if a := standing(t, s, "a"); a.Tally != (arena.Tally{Wins: 5, Draws: 1}) {
		t.Errorf("a: %+v", a.Tally)
	}
}

// Without games between some there are no ranks, and no ratings that would hang in the air.
func TestWhereNotAllMet(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	table := arena.NewTable(game, []string{"a", "b", "c"})
	for g := range 2 {
		table.Add(arena.Unit{First: 0, Second: 1}, play.Opening{}, arena.Result{Seats: []int{g, 1 - g}, Returns: []float64{1, -1}})
	}
	s := summed(t, table, arena.Rating{})
	if s.Unrated == "" || s.Cyclic != nil || standing(t, s, "a").Nash != nil || standing(t, s, "a").Elo != nil {
		t.Errorf("%+v", s)
	}
	if _, err := table.Summarize(arena.Rating{Anchor: "nobody"}); err == nil || err.Error() != "anchor=nobody: no entrant has that name" {
		t.Errorf("%v", err)
	}
}

// A table of sets as they run has no bootstrap and no ranks, and the same ratings.
func TestRunning(t *testing.T) {
	table := tableOf(t, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{0, 1})
	whole := summed(t, table, arena.Rating{Resamples: 30, Seed: 1})
	s, err := table.Running(arena.Rating{Resamples: 30, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.Standings {
		if w := whole.Standings[i]; r.Name != w.Name || *r.Elo != *w.Elo || r.Elo95 != nil || w.Elo95 == nil || r.Nash != nil || w.Nash == nil {
			t.Errorf("%+v beside %+v", r, w)
		}
	}
}

// The interval of a rating is as wide as its standard error says, where there are many
// sets: of a share p of n sets of two games that agree, 400/ln 10 / √(n·p·(1−p)).
func TestBootstrapWidth(t *testing.T) {
	var sets [][2]float64
	for i := range 400 {
		if i%4 == 0 {
			sets = append(sets, [2]float64{0, 1})
		} else {
			sets = append(sets, [2]float64{1, 0})
		}
	}
	a := standing(t, summed(t, tableOf(t, sets...), arena.Rating{Anchor: "b", Resamples: 600, Seed: 1}), "a")
	half := 1.96 * 400 / math.Ln10 / math.Sqrt(400*0.75*0.25)
	if low, high := *a.Elo-a.Elo95[0], a.Elo95[1]-*a.Elo; math.Abs(low-half) > 0.15*half || math.Abs(high-half) > 0.15*half {
		t.Errorf("%g Elo between %v, expected about ± %g", *a.Elo, *a.Elo95, half)
	}
}

// Units that began alike and went alike count once, as long as that is so without
// exception; another opening is another beginning.
func TestRepeatsByHand(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	type unit struct {
		opening []games.Action
		other   bool           // from another game's start
		actions []games.Action // of both games
	}
	same := unit{nil, false, []games.Action{0, 1}}
	for name, test := range map[string]struct {
		units []unit
		want  int
	}{
		"all alike":               {[]unit{same, same, same}, 1},
		"one alone":               {[]unit{same}, 1},
		"one that differs later":  {[]unit{same, same, same, {nil, false, []games.Action{0, 2}}}, 4},
		"one that differs first":  {[]unit{{nil, false, []games.Action{0, 2}}, same, same}, 3},
		"and back again":          {[]unit{same, same, {nil, false, []games.Action{0, 2}}, same, same}, 5},
		"two openings":            {[]unit{same, {[]games.Action{5}, false, []games.Action{0, 1}}, same, {[]games.Action{5}, false, []games.Action{0, 1}}}, 2},
		"another start":           {[]unit{same, {nil, true, []games.Action{0, 1}}, same}, 2},
		"one of two openings not": {[]unit{same, {[]games.Action{5}, false, []games.Action{0, 1}}, same, {[]games.Action{5}, false, []games.Action{0, 3}}}, 3},
	} {
		table := arena.NewTable(game, []string{"a", "b"})
		for _, u := range test.units {
			opening := play.Opening{Actions: u.opening}
			if u.other {
				if opening.Game, err = games.New("connect_four"); err != nil {
					t.Fatal(err)
				}
			}
			for g := range 2 {
				table.Add(arena.Unit{First: 0, Second: 1}, opening, arena.Result{Seats: []int{g, 1 - g}, Returns: []float64{1, -1}, Actions: append(slices.Clone(u.actions), games.Action(g))})
			}
		}
		if d := summed(t, table, arena.Rating{}).Pairings[0]; d.Effective != test.want || d.Units != len(test.units) {
			t.Errorf("%s: %d of %d units tell something, expected %d", name, d.Effective, d.Units, test.want)
		}
	}
}

// Where chance decides, sets that went alike are no repeats.
func TestNoRepeatsWithChance(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	table := arena.NewTable(game, []string{"a", "b"})
	for i := range 6 {
		table.Add(arena.Unit{First: 0, Second: 1}, play.Opening{}, arena.Result{Seats: []int{i % 2, 1 - i%2}, Returns: []float64{1, -1}, Actions: []games.Action{0, 1, 0, 0}})
	}
	if d := summed(t, table, arena.Rating{}).Pairings[0]; d.Effective != 3 {
		t.Errorf("%d of 3 sets tell something", d.Effective)
	}
}
