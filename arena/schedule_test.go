package arena

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

// met is a unit that was played, by what the first scored.
type met struct {
	first, second int
	score         float64
}

// after is a table of so many entrants after units.
func after(t testing.TB, entrants int, played ...met) *Table {
	t.Helper()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	table := NewTable(game, make([]string, entrants))
	for _, m := range played {
		u := Unit{m.first, m.second}
		first := 2*m.score - 1
		for g := range 2 {
			returns := []float64{first, -first}
			if g == 1 {
				returns = []float64{-first, first}
			}
			table.Add(u, play.Opening{}, Result{Seats: u.seats(2, g), Returns: returns})
		}
	}
	return table
}

func schedule(t testing.TB, format string, rounds int) Schedule {
	t.Helper()
	s, err := ParseSchedule(format, rounds, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func told(units []Unit) string {
	var out []string
	for _, u := range units {
		out = append(out, fmt.Sprintf("%d-%d", u.First, u.Second))
	}
	return strings.Join(out, " ")
}

// Who meets whom next, by hand.
func TestSchedulesByHand(t *testing.T) {
	for _, test := range []struct {
		format   string
		rounds   int
		entrants int
		played   []met
		want     string
	}{
		{"roundrobin", 1, 4, nil, "0-1 0-2 0-3 1-2 1-3 2-3"},
		{"roundrobin", 2, 3, nil, "0-1 0-2 1-2 0-1 0-2 1-2"},
		{"roundrobin", 2, 3, []met{{0, 1, 1}}, ""},
		{"gauntlet", 1, 4, nil, "0-1 0-2 0-3"},
		{"gauntlet(seeds=2)", 1, 4, nil, "0-2 0-3 1-2 1-3"},

		{"swiss(rounds=3)", 1, 4, nil, "0-1 2-3"},
		{"swiss(rounds=3)", 2, 4, nil, "0-1 0-1 2-3 2-3"},
		// 1 and 2 won and meet, then 0 and 3, who lost.
		{"swiss(rounds=3)", 1, 4, []met{{0, 1, 0}, {2, 3, 1}}, "1-2 0-3"},
		// 1 has met 2 and 0, so that 3 is left.
		{"swiss(rounds=3)", 1, 4, []met{{0, 1, 0}, {2, 3, 1}, {1, 2, 0.5}, {0, 3, 1}}, "1-3 2-0"},
		{"swiss(rounds=3)", 1, 4, []met{{0, 1, 0}, {2, 3, 1}, {1, 2, 0.5}, {0, 3, 1}, {1, 3, 1}, {2, 0, 1}}, ""},
		// Of five the last rests, which counts as a win; the next rest is another's.
		{"swiss(rounds=2)", 1, 5, nil, "0-1 2-3"},
		{"swiss(rounds=2)", 1, 5, []met{{0, 1, 1}, {2, 3, 1}}, "0-2 4-1"},

		{"knockout", 2, 4, nil, "0-3 0-3 1-2 1-2"},
		{"knockout", 2, 4, []met{{0, 3, 1}, {0, 3, 1}, {1, 2, 0}}, "1-2"},
		{"knockout", 2, 4, []met{{0, 3, 1}, {0, 3, 1}, {1, 2, 0}, {1, 2, 0}}, "0-2 0-2"},
		{"knockout", 1, 4, []met{{0, 3, 0}, {1, 2, 1}}, "1-3"},
		{"knockout", 1, 4, []met{{0, 3, 0}, {1, 2, 1}, {1, 3, 1}}, ""},
		// One more while it is even.
		{"knockout", 2, 2, []met{{0, 1, 1}, {0, 1, 0}}, "0-1"},
		{"knockout", 2, 2, []met{{0, 1, 1}, {0, 1, 0}, {0, 1, 0.5}}, "0-1"},
		{"knockout", 2, 2, []met{{0, 1, 1}, {0, 1, 0}, {0, 1, 0}}, ""},
		// The first of three has a bye.
		{"knockout", 1, 3, nil, "1-2"},
		{"knockout", 1, 3, []met{{1, 2, 0}}, "0-2"},
		{"knockout", 1, 5, nil, "3-4"},
		{"knockout", 1, 5, []met{{3, 4, 0}}, "0-4 1-2"},
	} {
		if got := told(schedule(t, test.format, test.rounds).next(after(t, test.entrants, test.played...))); got != test.want {
			t.Errorf("%s of %d, %d rounds, after %v: %q, expected %q", test.format, test.entrants, test.rounds, test.played, got, test.want)
		}
	}
}

// Where two are even to the end, lots are drawn: after ten sets more there is a winner,
// which another seed may draw otherwise.
func TestLots(t *testing.T) {
	winners := map[int]int{}
	for seed := range uint64(40) {
		k, err := ParseSchedule("knockout", 1, seed)
		if err != nil {
			t.Fatal(err)
		}
		even := slices.Repeat([]met{{1, 2, 0.5}}, 1+mostExtra)
		if more := k.next(after(t, 3, even[:mostExtra]...)); told(more) != "1-2" {
			t.Fatalf("%s after %d even sets", told(more), mostExtra)
		}
		final := k.next(after(t, 3, even...))
		if len(final) != 1 || final[0].First != 0 {
			t.Fatalf("%v, expected the final", final)
		}
		winners[final[0].Second]++
		if again := k.next(after(t, 3, even...)); !slices.Equal(final, again) {
			t.Errorf("seed %d draws %v and then %v", seed, final, again)
		}
	}
	if winners[1] < 8 || winners[2] < 8 {
		t.Errorf("won by lot: %v", winners)
	}
}

// The best seeds meet as late as can be, and the first the last.
func TestBracket(t *testing.T) {
	for n, want := range map[int][]int{1: {0}, 2: {0, 1}, 3: {0, 3, 1, 2}, 4: {0, 3, 1, 2}, 5: {0, 7, 3, 4, 1, 6, 2, 5}, 8: {0, 7, 3, 4, 1, 6, 2, 5}} {
		if got := bracket(n); !slices.Equal(got, want) {
			t.Errorf("of %d: %v, expected %v", n, got, want)
		}
	}
}

// Nobody meets the same twice where that can be helped, going back if need be; else the
// nearest meet.
func TestPairUp(t *testing.T) {
	for _, test := range []struct {
		order []int
		met   [][2]int
		want  string
	}{
		{[]int{0, 1, 2, 3}, nil, "0-1 2-3"},
		{[]int{3, 1, 2, 0}, nil, "3-1 2-0"},
		{[]int{0, 1, 2, 3}, [][2]int{{0, 1}}, "0-2 1-3"},
		{[]int{0, 1, 2, 3}, [][2]int{{2, 3}}, "0-2 1-3"},
		{[]int{0, 1, 2, 3}, [][2]int{{0, 1}, {0, 2}, {1, 2}}, "0-1 2-3"},
		{[]int{0, 1, 2, 3}, [][2]int{{0, 1}, {0, 2}}, "0-3 1-2"},
		{[]int{0, 1}, [][2]int{{0, 1}}, "0-1"},
	} {
		known := map[[2]int]bool{}
		for _, m := range test.met {
			known[m], known[[2]int{m[1], m[0]}] = true, true
		}
		if got := told(pairUp(test.order, known)); got != test.want {
			t.Errorf("%v, of whom %v have met: %s, expected %s", test.order, test.met, got, test.want)
		}
	}
}

// Of those that rested least, the last rests.
func TestWithoutRester(t *testing.T) {
	for _, test := range []struct{ order, rested, want []int }{
		{[]int{2, 0, 1}, []int{0, 0, 0}, []int{2, 0}},
		{[]int{2, 0, 1}, []int{0, 1, 0}, []int{2, 1}},
		{[]int{2, 0, 1}, []int{1, 2, 1}, []int{2, 1}},
	} {
		if got := withoutRester(test.order, test.rested); !slices.Equal(got, test.want) {
			t.Errorf("%v who rested %v: %v play, expected %v", test.order, test.rested, got, test.want)
		}
	}
}

// However the games go, a Swiss tournament has each round's pairs, nobody twice in a
// round, and rests that differ by one at most.
func TestSwissIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, rounds, units := rapid.IntRange(2, 9).Draw(t, "entrants"), rapid.IntRange(1, 4).Draw(t, "rounds"), rapid.IntRange(1, 2).Draw(t, "units")
		s := swiss{rounds: rounds, units: units}
		table := NewTable(mustBe(games.New("tic_tac_toe")), make([]string, n))
		plays := make([]int, n)
		for round := range rounds {
			next := s.next(table)
			if len(next) != n/2*units {
				t.Fatalf("round %d has %d units, expected %d", round, len(next), n/2*units)
			}
			seen := map[int]bool{}
			for i, u := range next {
				if i%units == 0 {
					if seen[u.First] || seen[u.Second] || u.First == u.Second {
						t.Fatalf("round %d: %v", round, next)
					}
					seen[u.First], seen[u.Second] = true, true
					plays[u.First]++
					plays[u.Second]++
				}
				table.units, table.scores = append(table.units, u), append(table.scores, rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "score"))
			}
			if slices.Max(plays)-slices.Min(plays) > 1 {
				t.Fatalf("after round %d: rounds played are %v", round, plays)
			}
		}
		if next := s.next(table); next != nil {
			t.Fatalf("after the last round: %v", next)
		}
		if s.planned(n) != len(table.units) {
			t.Fatalf("%d units, %d were planned", len(table.units), s.planned(n))
		}
	})
}

func mustBe[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// How many games are planned: units by the games of one, or fewer where they are bounded.
func TestPlanned(t *testing.T) {
	for _, test := range []struct {
		format   string
		rounds   int
		entrants int
		most     int
		want     int
	}{
		{"roundrobin", 5, 4, 0, 60},
		{"gauntlet(seeds=2)", 5, 5, 0, 60},
		{"gauntlet", 5, 5, 0, 40},
		{"swiss(rounds=3)", 2, 5, 0, 24},
		{"knockout", 5, 4, 0, 0},
		{"knockout", 5, 4, 7, 7},
		{"roundrobin", 5, 4, 59, 59},
		{"roundrobin", 5, 4, 61, 60},
	} {
		tournament := Tournament{Game: mustBe(games.New("tic_tac_toe")), Entrants: make([]Entrant, test.entrants), Schedule: schedule(t, test.format, test.rounds), Stop: Stop{Games: test.most}}
		if got := tournament.Planned(); got != test.want {
			t.Errorf("%s of %d, %d rounds, %d games at most: %d, expected %d", test.format, test.entrants, test.rounds, test.most, got, test.want)
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	for format, want := range map[string]string{
		"round":              `format: "round" is unknown`,
		"":                   "format: ",
		"swiss(rounds=0)":    "format: swiss: rounds=0",
		"gauntlet(seeds=0)":  "format: gauntlet: seeds=0",
		"roundrobin(seed=1)": `unknown parameter "seed"`,
	} {
		if _, err := ParseSchedule(format, 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", format, err, want)
		}
	}
	if _, err := ParseSchedule("roundrobin", 0, 1); err == nil || err.Error() != "rounds=0: expected 1 or more" {
		t.Errorf("%v", err)
	}
	if err := schedule(t, "gauntlet(seeds=3)", 1).check(3); err == nil || schedule(t, "gauntlet(seeds=2)", 1).check(3) != nil {
		t.Errorf("three seeds of three: %v", err)
	}
}
