package play_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// small is a ring under another name, in which everybody has moved once.
type small struct{}

func (small) Info() games.Info {
	info := ring{}.Info()
	info.Name = "small"
	return info
}
func (small) Start() games.State { return &inner{around{[]games.Action{0, 0, 0}}} }

// inner is a state that takes copies of its own kind alone.
type inner struct{ around }

func (s *inner) Clone() games.State { return &inner{around{slices.Clone(s.moves)}} }
func (s *inner) CopyFrom(from games.State) {
	s.moves = append(s.moves[:0], from.(*inner).moves...)
}

// Games start where their opening says: after actions, or as another game of the kind.
// In one group some are at chance while others are past it.
func TestOpenings(t *testing.T) {
	for name, agents := range map[string][]play.Agent{"in batches": {one{2}}, "without": {quickly{one{2}}}} {
		match := play.Match{
			Game: ring{}, Agents: agents, Seats: func(uint64, int) []int { return []int{0, 0, 0} },
			Opening: func(episode uint64) play.Opening {
				return []play.Opening{{}, {Actions: []games.Action{1, 0}}, {Game: small{}}, {Game: small{}, Actions: []games.Action{1}}, {}}[episode]
			},
		}
		episodes, err := match.Play(t.Context(), 0, 5)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			game    string
			actions []games.Action
			turns   int
			returns []float64
		}{
			{"ring", []games.Action{2, 2, 2, 2, 2, 2}, 6, []float64{22, 22, 22}},
			{"ring", []games.Action{1, 0, 2, 2, 2, 2}, 4, []float64{12, 2, 22}},
			{"small", []games.Action{2, 2, 2}, 3, []float64{2, 2, 2}},
			{"small", []games.Action{1, 2, 2}, 2, []float64{1, 2, 2}},
			{"ring", []games.Action{2, 2, 2, 2, 2, 2}, 6, []float64{22, 22, 22}},
		} {
			e := episodes[i]
			if e.Game != want.game || !slices.Equal(e.Actions, want.actions) || len(e.Turns) != want.turns || !slices.Equal(e.Returns, want.returns) {
				t.Errorf("%s: episode %d: %+v, expected %+v", name, i, *e, want)
			}
			if first := e.Turns[0]; first.At != len(want.actions)-want.turns {
				t.Errorf("%s: episode %d: the first turn stands at %d of %d actions", name, i, first.At, len(e.Actions))
			}
		}

		match.Opening = func(episode uint64) play.Opening {
			return play.Opening{Actions: []games.Action{1, 7}[:1+episode]}
		}
		if _, err := match.Play(t.Context(), 0, 2); !errors.Is(err, games.ErrIllegal) || !strings.Contains(err.Error(), "game ring, episode 1: ") {
			t.Errorf("%s: an illegal opening: %v", name, err)
		}
	}
}

// In one group the first game's chance was dealt by its opening and the second's was not.
func TestOpeningsPastChance(t *testing.T) {
	match := play.Match{
		Game: duel{}, Agents: []play.Agent{one{0}}, Seats: both,
		Opening: func(episode uint64) play.Opening {
			if episode == 0 {
				return play.Opening{Actions: []games.Action{2}}
			}
			return play.Opening{}
		},
	}
	episodes, err := match.Play(t.Context(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range episodes {
		if len(e.Actions) != 3 || len(e.Turns) != 2 || e.Turns[0].At != 1 {
			t.Errorf("episode %d: %+v", i, *e)
		}
	}
	if episodes[0].Actions[0] != 2 {
		t.Errorf("the opening has become %v", episodes[0].Actions)
	}
}

// dealt is what chance dealt and what the two seats drew, of episodes that follow one
// another.
func dealt(t *testing.T, match play.Match, count int) (chance, draws [][]games.Action) {
	t.Helper()
	episodes, err := match.Play(t.Context(), 0, count)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range episodes {
		chance, draws = append(chance, e.Actions[:1]), append(draws, e.Actions[1:])
	}
	return chance, draws
}

// Episodes of one deal have the same chance, whoever plays; their seats draw anew.
func TestDeal(t *testing.T) {
	for name, agent := range map[string]play.Agent{"in batches": &dice{}, "without": &picker{}} {
		match := play.Match{Game: duel{}, Seed: 3, Agents: []play.Agent{agent}, Seats: both, Deal: func(episode uint64) uint64 { return episode / 40 }}
		chance, draws := dealt(t, match, 400)
		met := map[games.Action]bool{}
		pairs := map[string]bool{}
		for i := range chance {
			if chance[i][0] != chance[i/40*40][0] {
				t.Fatalf("%s: episode %d has another chance than others of its deal", name, i)
			}
			met[chance[i][0]] = true
			pairs[fmt.Sprint(draws[i])] = true
		}
		if len(met) != 3 || len(pairs) != 9 {
			t.Errorf("%s: %d outcomes of chance in ten deals and %d pairs of draws, expected 3 and 9", name, len(met), len(pairs))
		}
		match.Deal = func(episode uint64) uint64 { return episode }
		same, _ := dealt(t, match, 100)
		match.Deal = nil
		own, _ := dealt(t, match, 100)
		if fmt.Sprint(same) != fmt.Sprint(own) {
			t.Errorf("%s: an episode's own deal is not that of its number", name)
		}
	}
}

// No two seats, no two episodes and no two seeds draw from one stream, nor does a seat
// from chance's: what they draw together is spread over all that there is.
func TestStreamsAreNotShared(t *testing.T) {
	for name, agent := range map[string]play.Agent{"in batches": &dice{}, "without": &picker{}} {
		match := play.Match{Game: duel{}, Agents: []play.Agent{agent}, Seats: both}
		const count = 900
		joint, following, seeds := map[string]int{}, map[string]int{}, map[string]uint64{}
		for seed := range uint64(32) {
			match.Seed = seed
			_, draws := dealt(t, match, 40)
			text := fmt.Sprint(draws)
			if other, met := seeds[text]; met {
				t.Errorf("%s: seeds %d and %d play the same games", name, other, seed)
			}
			seeds[text] = seed
		}
		chance, draws := dealt(t, match, count)
		for i := range chance {
			joint[fmt.Sprint(chance[i], draws[i])]++
			following[fmt.Sprint(draws[max(0, i-1)][0], draws[i][0])]++
		}
		// Of 900 games a cell of a quarter, a third and a third expects 25, one of a third
		// and a third 100.
		for what, cells := range map[string]struct {
			met         map[string]int
			count, most int
		}{"in a game": {joint, 27, 85}, "of episodes that follow": {following, 9, 150}} {
			if len(cells.met) != cells.count {
				t.Errorf("%s: %d of %d combinations %s", name, len(cells.met), cells.count, what)
			}
			for which, n := range cells.met {
				if n > cells.most {
					t.Errorf("%s: %s comes %d times %s", name, which, n, what)
				}
			}
		}
	}
}

// Each looks at its context now and then, and before the first game.
func TestEachStops(t *testing.T) {
	match := play.Match{Game: ring{}, Agents: []play.Agent{quickly{one{1}}}, Seats: func(uint64, int) []int { return []int{0, 0, 0} }}
	ctx, cancel := context.WithCancel(t.Context())
	count := 0
	err := match.Each(ctx, 0, 10_000, func(*play.Episode) {
		if count++; count == 10 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || count > 1000 {
		t.Errorf("%d games after the tenth was to be the last, %v", count-10, err)
	}
	count = 0
	if err := match.Each(ctx, 0, 1, func(*play.Episode) { count++ }); !errors.Is(err, context.Canceled) || count != 0 {
		t.Errorf("%d games of a match that was called off, %v", count, err)
	}
}

// lottery is a duel whose chance is drawn by the game; it notes the first word of what
// it is given to draw from.
type lottery struct {
	duel

	words *[]uint64
}

func (l lottery) Start() games.State { return &ticket{node{}, l.words} }

type ticket struct {
	node
	words *[]uint64
}

func (s *ticket) Clone() games.State { return &ticket{node{slices.Clone(s.moves)}, s.words} }
func (s *ticket) Sample(r *rand.Rand) games.Action {
	*s.words = append(*s.words, r.Uint64())
	return 1
}

// listening notes the first words that its seats are given to draw from.
type listening struct {
	one

	words *[]uint64
}

func (l listening) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	for _, r := range in {
		*l.words = append(*l.words, r.Rand.Uint64())
	}
	return l.one.Act(ctx, in, out)
}

// The chance and both seats of every episode draw from generators of their own: none of
// their first words comes twice.
func TestEveryStreamIsItsOwn(t *testing.T) {
	var words []uint64
	match := play.Match{Game: lottery{words: &words}, Seed: 5, Agents: []play.Agent{listening{words: &words}}, Seats: both}
	if _, err := match.Play(t.Context(), 0, 20); err != nil {
		t.Fatal(err)
	}
	slices.Sort(words)
	if distinct := len(slices.Compact(slices.Clone(words))); len(words) != 60 || distinct != 60 {
		t.Errorf("%d words were drawn, %d different ones, expected 60", len(words), distinct)
	}
}
