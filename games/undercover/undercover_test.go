package undercover_test

import (
	"math"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/undercover"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"undercover", "undercover(balls=1)", "undercover(balls=6,rounds=2)"} {
		t.Run(name, func(t *testing.T) {
			game, err := games.New(name)
			if err != nil {
				t.Fatal(err)
			}
			gamestest.Run(t, game, gamestest.Options{Nodes: 1000, Walks: 20})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, undercover.New(2, 1)) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, undercover.New(2, 1)) }

// play says actions by name, each from a fresh scene of two balls: a small red
// and a large green one, of which the spy, player 2, sees the second as blue.
func play(t *testing.T, actions ...string) games.State {
	t.Helper()
	s := undercover.New(2, 1).Start()
	deal := []string{"player 2 is the spy", "small red", "large green", "ball 2 differs", "large blue"}
	for _, text := range append(deal, actions...) {
		a, err := s.(games.Speaker).Hear(text)
		if err != nil {
			t.Fatal(err)
		}
		if s.Turn() >= 0 {
			s.(games.Talker).Talk(text)
		}
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

var clues = []string{"ball 2 is green", "1 ball is green", "1 ball is large", "1 ball is red"}

func TestOnlyTheSpysSceneDiffers(t *testing.T) {
	s := play(t)
	for seat := range games.Seat(4) {
		want := "You are a civilian. Your scene: ball 1 is small red, ball 2 is large green."
		if seat == 2 {
			want = "You are the spy. Your scene: ball 1 is small red, ball 2 is large blue."
		}
		if prompt := s.(games.Speaker).Prompt(seat); !strings.Contains(prompt, want) {
			t.Errorf("seat %d reads\n%s\nwithout %q", seat, prompt, want)
		}
	}
}

func TestAClueIsGivenOnce(t *testing.T) {
	s := play(t, clues[0])
	if _, err := s.(games.Speaker).Hear(clues[0]); err == nil {
		t.Error("a clue is given twice")
	}
}

func TestVotes(t *testing.T) {
	for _, test := range []struct {
		name  string
		votes string // by seat; u is unsure
		spy   float64
	}{
		{"most name the spy", "2202", -1},
		{"one vote is enough where all others are unsure", "2uuu", -1},
		{"a tie lets the spy go", "2300", 1},
		{"so does a tie with the spy's own vote", "2u0u", 1},
		{"nobody is named", "uuuu", 1},
		{"a civilian is named", "1011", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			actions := clues
			for _, v := range test.votes {
				if v == 'u' {
					actions = append(actions[:len(actions):len(actions)], "Unsure")
				} else {
					actions = append(actions[:len(actions):len(actions)], "Vote for player "+string(v))
				}
			}
			for seat, got := range play(t, actions...).Returns(nil) {
				want := -test.spy / 3
				if seat == 2 {
					want = test.spy
				}
				if math.Abs(got-want) > 1e-12 {
					t.Errorf("seat %d gets %g, want %g", seat, got, want)
				}
			}
		})
	}
}

// The others hear what comes with a vote, but not the vote, however it is
// written.
func TestVotesAreHidden(t *testing.T) {
	for _, vote := range []string{"Vote for player 2", "[2]", `\boxed{2}`, `\boxed{\text{vote for player 2}}`} {
		s := play(t, append(clues[:4:4], "No doubt: "+vote)...)
		prompt := s.(games.Speaker).Prompt(1)
		_, told, _ := strings.Cut(prompt, "Player 0: voted.")
		told, _, _ = strings.Cut(told, "\n")
		if !strings.Contains(told, "No doubt") || strings.Contains(told, "2") {
			t.Errorf("after %q seat 1 reads %q", vote, told)
		}
		if own := s.(games.Speaker).Prompt(0); !strings.Contains(own, "You: voted for player 2.") {
			t.Errorf("seat 0 does not know its vote:\n%s", own)
		}
		if a, b := games.Key(s, 1), games.Key(play(t, append(clues[:4:4], "Unsure")...), 1); a != b {
			t.Errorf("seat 1 tells votes apart: %q and %q", a, b)
		}
	}
	if prompt := play(t, append(clues[:4:4], "2")...).(games.Speaker).Prompt(1); !strings.Contains(prompt, `voted. "…"`) {
		t.Errorf("a bare number is shown:\n%s", prompt)
	}
}

func TestPlayoutsDoNotAllocate(t *testing.T) {
	start := play(t)
	s := start.Clone()
	actions := make([]games.Action, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		s.(games.Copier).CopyFrom(start)
		for s.Turn() != games.Over {
			actions = s.Actions(actions[:0])
			if err := s.Apply(actions[len(actions)/2]); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%g allocations a playout", n)
	}
}

func TestBadParameters(t *testing.T) {
	for name, want := range map[string]string{
		"undercover(balls=7)":  "balls=7: expected a whole number from 1 to 6",
		"undercover(rounds=3)": "rounds=3: expected a whole number from 1 to 2",
		"undercover(round=2)":  `did you mean "rounds"?`,
	} {
		if _, err := games.New(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
