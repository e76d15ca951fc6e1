package games_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
)

// count is how many histories of one length go on and how many end there.
type count struct{ live, over int }

func countFrom(s games.State, depth, limit int, counts []count, positions []map[string]bool) {
	if p, ok := s.(games.Positioned); ok {
		positions[depth][string(p.AppendPosition(nil))] = true
	}
	if s.Turn() == games.Over {
		counts[depth].over++
		return
	}
	counts[depth].live++
	if depth == limit {
		return
	}
	next := s.Clone()
	for _, a := range s.Actions(nil) {
		next = games.Copy(next, s)
		if err := next.Apply(a); err != nil {
			panic(err)
		}
		countFrom(next.Clone(), depth+1, limit, counts, positions)
	}
}

// TestCounts holds the sizes of games against published numbers: tic-tac-toe
// has 255,168 games and 5,478 positions; connect four's positions by ply are
// OEIS A212693, its histories are 7^n until a column is full or a game ends.
// Kuhn has 30 ends, Leduc 5,520, liar's dice 147,420.
func TestCounts(t *testing.T) {
	for _, test := range []struct {
		game      string
		limit     int
		over      []int // by depth
		live      []int // by depth, where known
		positions []int // by depth, where known
		all       int   // positions at all depths, where known
		ends      int   // at all depths
	}{
		{game: "tic_tac_toe", limit: 9, over: []int{0, 0, 0, 0, 0, 1440, 5328, 47952, 72576, 127872}, all: 5478, ends: 255168},
		{
			game: "connect_four", limit: 7, over: []int{0, 0, 0, 0, 0, 0, 0, 13032}, ends: 13032,
			live:      []int{1, 7, 49, 343, 2401, 16807, 117649, 810504},
			positions: []int{1, 7, 49, 238, 1120, 4263, 16422, 54859},
		},
		{game: "kuhn_poker", limit: 5, over: []int{0, 0, 0, 0, 18, 12}, ends: 30},
		{game: "leduc_poker", limit: 11, ends: 5520},
		{game: "liars_dice", limit: 15, ends: 147420},
	} {
		t.Run(test.game, func(t *testing.T) {
			counts := make([]count, test.limit+1)
			positions := make([]map[string]bool, test.limit+1)
			for depth := range positions {
				positions[depth] = map[string]bool{}
			}
			countFrom(stateAt(t, test.game), 0, test.limit, counts, positions)
			all, ends := map[string]bool{}, 0
			var over, live, places []int
			for depth, c := range counts {
				over, live, places = append(over, c.over), append(live, c.live), append(places, len(positions[depth]))
				maps.Copy(all, positions[depth])
				ends += c.over
			}
			for _, held := range []struct {
				name      string
				want, got []int
			}{{"ends by depth", test.over, over}, {"live histories by depth", test.live, live}, {"positions by depth", test.positions, places}} {
				if held.want != nil && !slices.Equal(held.want, held.got) {
					t.Errorf("%s (-want +got):\n%s", held.name, cmp.Diff(held.want, held.got))
				}
			}
			if test.all != 0 && len(all) != test.all {
				t.Errorf("%d positions, expected %d", len(all), test.all)
			}
			if ends != test.ends {
				t.Errorf("%d ends, expected %d", ends, test.ends)
			}
		})
	}
}

// Connect four's positions by ply to the tenth (OEIS A212693), walked position
// by position; the quick suite goes to the seventh.
func TestConnectFourPositions(t *testing.T) {
	want := []int{1, 7, 49, 238, 1120, 4263, 16422, 54859, 184275, 558186, 1662623}
	if os.Getenv("AGON_TEST_SLOW") == "" {
		want = want[:8]
	}
	ply := map[string]games.State{"": stateAt(t, "connect_four")}
	for depth, n := range want {
		if len(ply) != n {
			t.Errorf("%d positions at ply %d, expected %d", len(ply), depth, n)
		}
		if depth == len(want)-1 {
			break
		}
		next := map[string]games.State{}
		for _, s := range ply {
			for _, a := range s.Actions(nil) {
				child := s.Clone()
				if err := child.Apply(a); err != nil {
					t.Fatal(err)
				}
				next[string(child.(games.Positioned).AppendPosition(nil))] = child
			}
		}
		ply = next
	}
}
