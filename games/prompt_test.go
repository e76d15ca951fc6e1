package games_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/matrix"
	_ "github.com/agon-rl/agon/games/sneakycritic"
	_ "github.com/agon-rl/agon/games/wordproblem"
)

var update = flag.Bool("update", false, "write the golden prompts again")

// TestPrompts holds what people and language models read in one game of each
// kind against testdata/prompts: at every turn what the seat to move sees, at
// the end what all see. `go test ./games -run Prompts -update` writes it again.
func TestPrompts(t *testing.T) {
	for _, test := range []struct {
		game    string
		actions []games.Action
	}{
		{"kuhn_poker", []games.Action{2, 0, 0, 1, 1}},
		{"kuhn_poker(players=3)", []games.Action{1, 3, 0, 0, 1, 0, 1}},
		{"leduc_poker", []games.Action{1, 5, 1, 2, 1, 4, 2, 2, 0}},
		{"leduc_poker(players=3)", []games.Action{1, 5, 4, 1, 2, 0, 1, 2, 1, 2, 1}},
		{"leduc_poker(suit_isomorphism=true)", []games.Action{1, 1, 1, 1, 2, 2, 1}},
		{"tic_tac_toe", []games.Action{4, 0, 8, 2, 1, 7, 3, 5, 6}},
		{"connect_four", []games.Action{3, 3, 2, 3, 4, 3, 5}},
		{"matrix(biased_rps)", []games.Action{0, 2}},
		{"sneaky_critic(domain=word_problem(people=4))", []games.Action{9, 0, 1}},
		{"sneaky_critic(domain=word_problem(people=4),whole=true)", []games.Action{9, 0, 1}},
	} {
		t.Run(test.game, func(t *testing.T) {
			var b strings.Builder
			show := func(s games.State, seat games.Seat) {
				fmt.Fprintf(&b, "==== seat %d reads\n%s\n", seat, s.(games.Speaker).Prompt(seat))
			}
			s := stateAt(t, test.game)
			for i, a := range test.actions {
				if seat := s.Turn(); seat >= 0 {
					show(s, seat)
				}
				fmt.Fprintf(&b, "==== %s\n", games.Say(s, a))
				if err := s.Apply(a); err != nil {
					t.Fatalf("action %d: %v", i, err)
				}
			}
			if s.Turn() != games.Over {
				t.Fatal("the game is not over")
			}
			for seat := range s.Returns(nil) {
				show(s, games.Seat(seat))
			}
			file := filepath.Join("testdata", "prompts", strings.NewReplacer("(", "-", ")", "", ",", "-").Replace(test.game)+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}
