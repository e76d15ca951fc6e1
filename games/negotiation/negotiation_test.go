package negotiation_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/negotiation"
)

var update = flag.Bool("update", false, "rewrite the golden transcript")

func v1() games.Game { return negotiation.New("v1", 5, 10) }

// say plays turns given in words.
func say(t *testing.T, g games.Game, turns ...string) games.State {
	t.Helper()
	s := g.Start()
	for i, text := range turns {
		a, err := s.(games.Speaker).Hear(text)
		if err != nil {
			t.Fatalf("turn %d, %q: %v", i+1, text, err)
		}
		if talker, ok := s.(games.Talker); ok {
			talker.Talk(text)
		}
		if err := s.Apply(a); err != nil {
			t.Fatalf("turn %d, %q: %v", i+1, text, err)
		}
	}
	return s
}

func refuse(t *testing.T, s games.State, text, want string) {
	t.Helper()
	if a, err := s.(games.Speaker).Hear(text); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: heard %d with error %v, want %q", text, a, err, want)
	}
}

func TestConformance(t *testing.T) {
	for _, name := range []string{"simple_negotiation", "simple_negotiation(max_offer=2,turns=4)", "simple_negotiation(form=v0,max_offer=2)"} {
		t.Run(name, func(t *testing.T) {
			game, err := games.New(name)
			if err != nil {
				t.Fatal(err)
			}
			gamestest.Run(t, game, gamestest.Options{Nodes: 1000, Walks: 8})
		})
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, negotiation.New("v1", 3, 6)) }
func FuzzHear(f *testing.F)  { gamestest.FuzzHear(f, negotiation.New("v1", 3, 6)) }

// holds reads a seat's goods off its prompt.
func holds(t *testing.T, s games.State, seat games.Seat) (wood, gold int) {
	t.Helper()
	_, own, _ := strings.Cut(s.(games.Speaker).Prompt(seat), "You own ")
	var value int
	if _, err := fmt.Sscanf(own, "%d Wood (worth %d each to you), %d Gold", &wood, &value, &gold); err != nil {
		t.Fatal(err)
	}
	return wood, gold
}

func TestAcceptSwapsTheGoods(t *testing.T) {
	s := say(t, v1(), "[Offer: 3 Wood -> 2 Gold]", "[Accept]")
	for seat, want := range [][2]int{{7, 12}, {13, 8}} {
		if wood, gold := holds(t, s, games.Seat(seat)); wood != want[0] || gold != want[1] {
			t.Errorf("seat %d holds %d Wood and %d Gold, want %v", seat, wood, gold, want)
		}
	}
}

func TestWordsAndStandingOffers(t *testing.T) {
	offered := "Offered to you: 3 Wood -> 2 Gold"
	for _, test := range []struct {
		name   string
		turns  []string
		stands bool // for the seat to move
	}{
		{"an offer stands for the other", []string{"[Offer: 3 Wood -> 2 Gold]"}, true},
		{"deny drops it", []string{"[Offer: 3 Wood -> 2 Gold]", "[Deny]", "[Pass]"}, false},
		{"neither word leaves it standing", []string{"[Offer: 3 Wood -> 2 Gold]", "[Pass]", "[Pass]"}, true},
		{"a counter-offer replaces it", []string{"[Offer: 3 Wood -> 2 Gold]", "[Offer: 1 Gold -> 1 Wood]", "[Pass]"}, false},
		{"accept uses it up", []string{"[Offer: 3 Wood -> 2 Gold]", "[Accept]", "[Pass]"}, false},
	} {
		s := say(t, v1(), test.turns...)
		if got := strings.Contains(s.(games.Speaker).Prompt(s.Turn()), offered); got != test.stands {
			t.Errorf("%s: offered to the seat to move: %v, want %v", test.name, got, test.stands)
		}
	}
}

// Both words are ignored where nothing of the other's stands: to accept one's
// own offer is not possible.
func TestWordsWithoutAnOfferAreIgnored(t *testing.T) {
	s := say(t, v1(), "[Accept]", "[Deny]")
	if wood, gold := holds(t, s, 0); wood != 10 || gold != 10 {
		t.Errorf("seat 0 holds %d and %d after empty words", wood, gold)
	}
	own := say(t, v1(), "[Offer: 3 Wood -> 2 Gold]", "[Pass]", "[Accept]")
	if wood, _ := holds(t, own, 0); wood != 10 {
		t.Errorf("seat 0 accepted its own offer")
	}
}

func TestRefusals(t *testing.T) {
	start := v1().Start()
	refuse(t, start, "I would like to trade", "no action found")
	refuse(t, start, "[Offer: 6 Wood -> 1 Gold]", "a quantity is from 1 to 5")
	refuse(t, start, "[Offer: 0 Wood -> 1 Gold]", "a quantity is from 1 to 5")
	refuse(t, start, "[Offer: 1 Wood -> 1 Wood]", "an offer of Wood for Wood")
	refuse(t, start, "[Offer: 1 Wool -> 1 Gold]", `goods "Wool": expected Wood, Gold`)
	refuse(t, start, "[Offer: 1 Wood]", "expected goods given -> goods wanted")
	refuse(t, start, "[Offer: Wood -> Gold]", "expected a quantity and a kind")
	refuse(t, start, "[Offer: 1 Wood, 1 Gold -> 2 Gold]", "one kind of goods for one other")
	// Seat 0 gives its Gold away and then offers Gold.
	poor := say(t, v1(), "[Offer: 5 Gold -> 1 Wood]", "[Accept]", "[Offer: 5 Gold -> 1 Wood]", "[Accept]")
	refuse(t, poor, "[Offer: 1 Gold -> 1 Wood]", "you offer 1 Gold and have 0")
	// And cannot pay for what asks for it.
	asked := say(t, v1(), "[Offer: 5 Gold -> 1 Wood]", "[Accept]", "[Offer: 5 Gold -> 1 Wood]", "[Accept] [Offer: 1 Wood -> 1 Gold]")
	refuse(t, asked, "[Accept]", "to accept takes 1 Gold, and you have 0")
}

func TestWaysToSayAnOffer(t *testing.T) {
	want, err := v1().Start().(games.Speaker).Hear("[Offer: 3 Wood -> 1 Gold]")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"[Offer: I give 3 Wood -> 1 Gold]",
		"[offer: 3 woods -> 1 golds.]",
		"Let us trade! [Offer: 3 Wood -> 1 Gold!] Deal?",
		"[Offer: 3 Wood -> 1 Gold] or else [Offer: 5 Wood -> 1 Gold]", // the first counts
	} {
		if got, err := v1().Start().(games.Speaker).Hear(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

// Seat 0 values Gold at 15, seat 1 at 5: Gold for Wood gains for both, and who
// gains more wins.
func TestTheLargerGainWins(t *testing.T) {
	pass := slices.Repeat([]string{"[Pass]"}, 8)
	for offer, want := range map[string]float64{
		"[Offer: 1 Wood -> 1 Gold]": 0,  // +10 and +10
		"[Offer: 1 Wood -> 2 Gold]": 1,  // +25 and +5
		"[Offer: 2 Wood -> 1 Gold]": -1, // +5 and +25
	} {
		s := say(t, v1(), append([]string{offer, "[Accept]"}, pass...)...)
		if s.Turn() != games.Over {
			t.Fatalf("after ten actions the turn is %d", s.Turn())
		}
		if got := s.Returns(nil); !slices.Equal(got, []float64{want, -want}) {
			t.Errorf("%s: %v, want %g", offer, got, want)
		}
	}
}

func TestTalkIsHeardByTheOtherAndNotByKeys(t *testing.T) {
	quiet, loud := v1().Start(), v1().Start()
	loud.(games.Talker).Talk("My last word!")
	for _, s := range []games.State{quiet, loud} {
		if err := s.Apply(0); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(loud.(games.Speaker).Prompt(1), "My last word!") {
		t.Error("the other does not hear what was said")
	}
	if games.Key(quiet, 1) != games.Key(loud, 1) {
		t.Error("talk changes the information state")
	}
}

// The five-resource form: quantities from 5 to 25, values within a fifth of
// their base and from 5 to 40, and neither seat sees the other's.
func TestFiveResources(t *testing.T) {
	g := negotiation.New("v0", 5, 10)
	s := g.Start()
	outcomes := map[int][2]games.Action{0: {5, 25}, 1: {5, 6}, 3: {8, 12}, 5: {12, 18}, 7: {20, 30}, 9: {32, 40}}
	for n := 0; s.Turn() == games.Chance; n++ {
		actions, odds := s.Actions(nil), s.Odds(nil)
		if want, there := outcomes[n]; there && (actions[0] != want[0] || actions[len(actions)-1] != want[1]) {
			t.Errorf("draw %d is from %d to %d, want %v", n, actions[0], actions[len(actions)-1], want)
		}
		sum := 0.0
		for _, p := range odds {
			sum += p
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("draw %d: the odds sum to %g", n, sum)
		}
		if n == 9 && math.Abs(odds[len(odds)-1]-9.0/17) > 1e-12 {
			t.Errorf("Ore is worth 40 with probability %g, want 9/17: values above are cut", odds[len(odds)-1])
		}
		if err := s.Apply(actions[len(actions)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := games.Key(s, 0), games.Key(s, 1); a != " 25x6 25x12 25x18 25x30 25x40;" || b != a {
		t.Errorf("keys %q and %q", a, b)
	}
}

func TestIllegalActionsSayWhatIsOpen(t *testing.T) {
	s := v1().Start()
	if err := s.Apply(games.Action(v1().Info().Actions)); !errors.Is(err, games.ErrIllegal) {
		t.Errorf("an action out of range: %v", err)
	}
}

func TestBadParameters(t *testing.T) {
	for name, want := range map[string]string{
		"simple_negotiation(form=v2)":      "expected v1, v0",
		"simple_negotiation(turns=3)":      "expected an even number",
		"simple_negotiation(max_offer=99)": "from 1 to 20",
		"simple_negotiation(maxoffer=2)":   `did you mean "max_offer"?`,
	} {
		if _, err := games.New(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A game as both players read it.
func TestTranscript(t *testing.T) {
	turns := []string{
		"I love gold. [Offer: 2 Wood -> 2 Gold]", "Too dear. [Deny] [Offer: 1 Gold -> 3 Wood]",
		"[Accept]", "[Pass]", "[Offer: 1 Wood -> 3 Gold]", "[Accept]", "[Pass]", "[Pass]", "[Pass]", "[Pass]",
	}
	var b strings.Builder
	for n := range len(turns) + 1 {
		s := say(t, v1(), turns[:n]...)
		seat := s.Turn()
		if seat == games.Over {
			seat = 0
		}
		fmt.Fprintf(&b, "--- before action %d, seat %d\n%s\n", n+1, seat, s.(games.Speaker).Prompt(seat))
	}
	path := filepath.Join("testdata", "transcript.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the transcript differs from %s; -update rewrites it:\n%s", path, b.String())
	}
}
