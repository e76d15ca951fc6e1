package truthdeception_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/truthdeception"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"truth_and_deception", "truth_and_deception(turns=2)", "truth_and_deception(turns=20)",
		"truth_and_deception(about=coin)", "truth_and_deception(about=coin,turns=2)",
	} {
		t.Run(name, func(t *testing.T) {
			game, err := games.New(name)
			if err != nil {
				t.Fatal(err)
			}
			gamestest.Run(t, game, gamestest.Options{Nodes: 2000, Walks: 20})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, truthdeception.New(false, 6)) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, truthdeception.New(false, 6)) }

// play plays actions in words, chance outcomes included.
func play(t *testing.T, g games.Game, actions ...string) games.State {
	t.Helper()
	s := g.Start()
	for _, text := range actions {
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

func TestTheGuessDecides(t *testing.T) {
	for _, secret := range []bool{false, true} {
		for truth := 1; truth <= 2; truth++ {
			for guess := 1; guess <= 2; guess++ {
				s := play(t, truthdeception.New(secret, 4), "pair 0", fmt.Sprintf("statement %d is true", truth),
					"It is the second. Claim 2", "Ask a question", "Say nothing", fmt.Sprintf("[%d]", guess))
				want := []float64{1, -1}
				if guess == truth {
					want = []float64{-1, 1}
				}
				if got := s.Returns(nil); s.Turn() != games.Over || !slices.Equal(got, want) {
					t.Errorf("statement %d is true, guess %d: %v at turn %d, want %v", truth, guess, got, s.Turn(), want)
				}
			}
		}
	}
}

// The order that chance draws puts the true statement first or second; only
// the deceiver reads which it is.
func TestWhoReadsWhat(t *testing.T) {
	const fact, lie = "The Pacific is the largest ocean.", "The Atlantic is the largest ocean."
	for truth, order := range map[int][2]string{1: {fact, lie}, 2: {lie, fact}} {
		s := play(t, truthdeception.New(false, 6), "pair 0", fmt.Sprintf("statement %d is true", truth), "Trust me. Claim 1")
		if read := s.(games.Speaker).Prompt(1); !strings.Contains(read, "Statement 1: "+order[0]+"\nStatement 2: "+order[1]+"\n") || !strings.Contains(read, "Trust me.") {
			t.Errorf("the guesser reads\n%s", read)
		}
		if read := s.(games.Speaker).Prompt(0); !strings.Contains(read, fact+" (true)\n") || !strings.Contains(read, lie+" (false)\n") {
			t.Errorf("the deceiver reads\n%s", read)
		}
	}
}

func TestTheCoinIsHiddenFromTheGuesser(t *testing.T) {
	game := truthdeception.New(true, 2)
	heads := play(t, game, "pair 0", "statement 1 is true", "Claim 1")
	tails := play(t, game, "pair 0", "statement 2 is true", "Claim 1")
	if games.Key(heads, 1) != games.Key(tails, 1) || heads.(games.Speaker).Prompt(1) != tails.(games.Speaker).Prompt(1) {
		t.Error("the guesser can tell how the coin lies")
	}
	if games.Key(heads, 0) == games.Key(tails, 0) {
		t.Error("the deceiver cannot tell how the coin lies")
	}
}

// The number in brackets is the statement's, in talk and in the guess.
func TestNumbersAreTheStatements(t *testing.T) {
	s := play(t, truthdeception.New(false, 2), "pair 3", "statement 1 is true")
	for _, want := range []string{"Claim 1", "Guess 1"} {
		a, err := s.(games.Speaker).Hear(`\boxed{1}`)
		if err != nil || games.Say(s, a) != want {
			t.Errorf("1 is %s with error %v, want %s", games.Say(s, a), err, want)
		}
		if err := s.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatementsDiffer(t *testing.T) {
	start := truthdeception.New(false, 2).Start()
	seen := map[string]bool{}
	for _, pair := range start.Actions(nil) {
		s := play(t, truthdeception.New(false, 2), games.Say(start, pair), "statement 1 is true")
		for _, line := range strings.Split(s.(games.Speaker).Prompt(1), "\n") {
			if _, text, ok := strings.Cut(line, "Statement "); ok && strings.HasPrefix(line, "Statement ") {
				if seen[text[3:]] {
					t.Errorf("%q stands twice", text)
				}
				seen[text[3:]] = true
			}
		}
	}
	if len(seen) != 2*len(start.Actions(nil)) {
		t.Errorf("%d statements in %d pairs", len(seen), len(start.Actions(nil)))
	}
}

func TestBadParameters(t *testing.T) {
	for name, want := range map[string]string{
		"truth_and_deception(turns=5)":    "turns=5: expected an even number",
		"truth_and_deception(turns=22)":   "turns=22: expected a whole number from 2 to 20",
		"truth_and_deception(about=card)": "about=card: expected world, coin",
		"truth_and_deception(turn=4)":     `did you mean "turns"?`,
	} {
		if _, err := games.New(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
