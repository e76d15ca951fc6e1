package arena_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/play"
)

// settings are of a small tournament, changed by path=value.
func settings(t testing.TB, game string, names []string, changes ...string) arena.Settings {
	t.Helper()
	s := arena.DefaultSettings()
	s.Tournament, s.Agents, s.Rounds, s.Rating.Resamples = game, names, 5, 50
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if s, err = arena.ReadSettings(text, changes); err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, s arena.Settings) arena.Tournament {
	t.Helper()
	game, err := games.New(s.Tournament)
	if err != nil {
		t.Fatal(err)
	}
	tournament, err := s.Open(t.Context(), agents.Environment{Game: game})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, e := range tournament.Entrants {
			if err := e.Agent.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return tournament
}

// run plays a tournament on with a log.
func run(t testing.TB, tournament arena.Tournament, path string) (*arena.Table, error) {
	t.Helper()
	log, err := arena.OpenLog(path)
	if err != nil {
		return nil, err
	}
	table, err := tournament.Run(t.Context(), log, nil)
	return table, errors.Join(err, log.Close())
}

// gamesOf are the lines of a log that hold games: those that seal them hold times.
func gamesOf(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `{"sealed"`) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

func summary(t testing.TB, table *arena.Table) string {
	t.Helper()
	s, err := table.Summarize(arena.Rating{Resamples: 20, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Standings {
		s.Standings[i].Cost.Time = 0
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var field = []string{"random", "early=mcts(sims=4)", "late=mcts(sims=20)"}

// Neither workers nor kills change a game or a number.
func TestWorkersAndKillsChangeNothing(t *testing.T) {
	for _, format := range []string{"roundrobin", "gauntlet", "swiss(rounds=3)", "knockout"} {
		t.Run(format, func(t *testing.T) {
			s := settings(t, "tic_tac_toe", field, "format="+format, "group=4", "openings=random(plies=2)")
			one := open(t, s)
			whole := filepath.Join(t.TempDir(), "games.log")
			table, err := run(t, one, whole)
			if err != nil {
				t.Fatal(err)
			}
			want, games := summary(t, table), gamesOf(t, whole)
			for _, workers := range []int{2, 8} {
				many := open(t, s)
				many.Workers = workers
				path := filepath.Join(t.TempDir(), "games.log")
				table, err := run(t, many, path)
				if err != nil {
					t.Fatal(err)
				}
				if summary(t, table) != want || gamesOf(t, path) != games {
					t.Errorf("%d workers play other games than one", workers)
				}
			}
			text, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			for cut := 0; cut <= len(text); cut += 1 + len(text)/17 {
				path := filepath.Join(t.TempDir(), "games.log")
				if err := os.WriteFile(path, text[:cut], 0o666); err != nil {
					t.Fatal(err)
				}
				table, err := run(t, open(t, s), path)
				if err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				if summary(t, table) != want || gamesOf(t, path) != games {
					t.Fatalf("a log cut at %d goes on with other games", cut)
				}
			}
		})
	}
}

// A log of another tournament, or one that was changed, is refused.
func TestStrangeLogs(t *testing.T) {
	s := settings(t, "tic_tac_toe", field, "group=4")
	path := filepath.Join(t.TempDir(), "games.log")
	if _, err := run(t, open(t, s), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fourth := func(line string) []byte { // the log with another fourth line
		lines := strings.SplitAfter(string(text), "\n")
		lines[3] = line + "\n"
		return []byte(strings.Join(lines, ""))
	}
	for name, c := range map[string]struct {
		settings arena.Settings
		text     []byte
		want     string
	}{
		"other agents": {settings(t, "tic_tac_toe", field[:2], "group=4"), text, "of another"},
		"fewer rounds": {settings(t, "tic_tac_toe", field, "group=4", "rounds=2"), text, "goes on after"},
		"other groups": {settings(t, "tic_tac_toe", field, "group=8"), text, "of another"},
		"changed":      {s, fourth("0,2|4,0,1|1,-1"), "of another"},
		"renumbered":   {s, fourth(`{"game":4,"seats":[2,0],"actions":[],"returns":[0,0]}`), "of another"},
		"no JSON":      {s, fourth("{{"), "line 4"},
		"no numbers":   {s, fourth("0,1|4,x|1,-1"), "line 4"},
		"lost lines":   {s, text[bytes.IndexByte(text, '\n')+1:], "seal"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "games.log")
			if err := os.WriteFile(path, c.text, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := run(t, open(t, c.settings), path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: expected %q", err, c.want)
			}
		})
	}
}

func TestSwissPairsNobodyTwice(t *testing.T) {
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprintf("p%d=random", i))
	}
	s := settings(t, "tic_tac_toe", names, "format=swiss(rounds=6)", "rounds=1")
	table, err := run(t, open(t, s), filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Pairings) != 18 || sum.Games != 36 {
		t.Errorf("%d pairings and %d games, expected 6 rounds of 3 meetings that all differ", len(sum.Pairings), sum.Games)
	}
	for _, r := range sum.Standings {
		if r.Games() < 10 {
			t.Errorf("%s has %d games: it rested more than once", r.Name, r.Games())
		}
	}
}

func TestKnockoutEndsWithTheBest(t *testing.T) {
	s := settings(t, "tic_tac_toe", []string{"a=random", "b=random", "c=random", "d=random", "best=minimax"}, "format=knockout", "rounds=3")
	table, err := run(t, open(t, s), filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for _, d := range sum.Pairings {
		if d.Second == "best" {
			met++
			if d.Score > 0.5 {
				t.Errorf("%s beats perfect play: %+v", d.First, d)
			}
		}
	}
	if met < 2 || len(sum.Pairings) != 4 {
		t.Errorf("%d meetings of the best in %d: expected a final, and 4 who lost one each", met, len(sum.Pairings))
	}
}

// flaky gets lost, or answers with rubbish, in every eleventh call.
type flaky struct {
	play.Agent
	calls *atomic.Int64
	err   error
}

func (f flaky) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	if err := f.Agent.Act(ctx, in, out); err != nil {
		return err
	}
	for i := range out {
		if f.calls.Add(1)%11 == 0 {
			out[i] = play.Decision{Err: f.err, Cost: play.Cost{Illegal: 1}}
		}
	}
	return nil
}

// What gets lost is nobody's loss; what is illegal is, and both have columns.
func TestFailuresAreCountedApart(t *testing.T) {
	for name, c := range map[string]struct {
		err             error
		voids, forfeits bool
	}{
		"lost":    {fmt.Errorf("%w: the server is gone", games.ErrLost), true, false},
		"illegal": {errors.New("no move in it"), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			tournament := open(t, settings(t, "tic_tac_toe", []string{"random", "flaky=minimax"}, "group=1"))
			tournament.Entrants[1].Agent = flaky{tournament.Entrants[1].Agent, &atomic.Int64{}, c.err}
			table, err := run(t, tournament, filepath.Join(t.TempDir(), "games.log"))
			if err != nil {
				t.Fatal(err)
			}
			sum, err := table.Summarize(arena.Rating{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range sum.Standings {
				if r.Name == "flaky" && (r.Voids > 0 != c.voids || r.Forfeits > 0 != c.forfeits || c.voids && r.Losses > 0) {
					t.Errorf("%+v", r)
				}
				if r.Name == "random" && r.Forfeits > 0 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// sleepy thinks too long.
type sleepy struct{ play.Agent }

func (s sleepy) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	time.Sleep(30 * time.Millisecond)
	return s.Agent.Act(ctx, in, out)
}

func TestClock(t *testing.T) {
	for _, clock := range []string{"clock.move=5ms", "clock.game=40ms"} {
		s := settings(t, "tic_tac_toe", []string{"minimax", "sleepy=minimax"}, clock, "clock.margin=10ms", "rounds=2")
		tournament := open(t, s)
		tournament.Entrants[1].Agent = sleepy{tournament.Entrants[1].Agent}
		table, err := run(t, tournament, filepath.Join(t.TempDir(), "games.log"))
		if err != nil {
			t.Fatal(err)
		}
		sum, err := table.Summarize(arena.Rating{})
		if err != nil {
			t.Fatal(err)
		}
		late := 0
		for _, r := range sum.Standings {
			if r.Name == "sleepy" {
				late = r.Late
			}
		}
		if late != 4 {
			t.Errorf("%s: %d games lost on time, expected all 4", clock, late)
		}
	}
}

func TestStops(t *testing.T) {
	s := settings(t, "tic_tac_toe", []string{"random", "minimax"}, "rounds=1000", "group=2", "stop.games=14")
	table, err := run(t, open(t, s), filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Games != 14 {
		t.Errorf("%d games, expected 14", sum.Games)
	}
	s = settings(t, "tic_tac_toe", []string{"random", "minimax"}, "rounds=1000", "group=2", "sprt='elo0=-30,elo1=0'")
	if table, err = run(t, open(t, s), filepath.Join(t.TempDir(), "games.log")); err != nil {
		t.Fatal(err)
	}
	if sum, err = table.Summarize(arena.Rating{}); err != nil {
		t.Fatal(err)
	}
	if sum.Games == 0 || sum.Games > 400 {
		t.Errorf("a test of what is plain took %d games", sum.Games)
	}
}

// Agents that leave nothing to chance repeat themselves: their games count once.
func TestRepeats(t *testing.T) {
	first := arena.Tournament{
		Entrants: []arena.Entrant{{"low", firstLegal{}}, {"low too", firstLegal{}}, {"random", agents.NewRandom()}},
		Group:    2, Seed: 1,
	}
	var err error
	if first.Game, err = games.New("connect_four"); err != nil {
		t.Fatal(err)
	}
	if first.Schedule, err = arena.ParseSchedule("roundrobin", 10, 1); err != nil {
		t.Fatal(err)
	}
	table, err := run(t, first, filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range sum.Pairings {
		want := 10
		if d.Second == "low too" {
			want = 1
		}
		if d.Effective != want {
			t.Errorf("%s against %s: %d units tell something, expected %d", d.First, d.Second, d.Effective, want)
		}
	}
}

type firstLegal struct{}

func (firstLegal) Act(_ context.Context, in []play.Request, out []play.Decision) error {
	for i, r := range in {
		out[i].Action = r.State.Actions(nil)[0]
	}
	return nil
}
func (firstLegal) Close() error { return nil }

// Games of a unit share their deal, unless they are told not to.
func TestDuplicateDeals(t *testing.T) {
	for _, independent := range []bool{false, true} {
		s := settings(t, "kuhn_poker", []string{"random", "nash=cfr(iterations=50)"}, fmt.Sprint("independent=", independent), "rounds=50")
		path := filepath.Join(t.TempDir(), "games.log")
		if _, err := run(t, open(t, s), path); err != nil {
			t.Fatal(err)
		}
		deals := map[int][][]games.Action{}
		log, err := arena.OpenLog(path)
		if err != nil {
			t.Fatal(err)
		}
		err = log.Results(func(r arena.Result) error {
			deals[r.Game/2] = append(deals[r.Game/2], r.Actions[:2])
			return nil
		})
		if err = errors.Join(err, log.Close()); err != nil {
			t.Fatal(err)
		}
		same := 0
		for _, d := range deals {
			if slices.Equal(d[0], d[1]) {
				same++
			}
		}
		if independent == (same == 50) {
			t.Errorf("independent=%t: %d of 50 units share their deal", independent, same)
		}
	}
}

// The margin without known luck has the same mean and, where both players are known,
// no variance; where one is not, less of it.
func TestKnownLuckIsTakenOff(t *testing.T) {
	game, err := games.New("kuhn_poker")
	if err != nil {
		t.Fatal(err)
	}
	env := agents.Environment{Game: game}
	nash, err := agents.Open(t.Context(), "cfr:iterations=200", env)
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ play.Agent }{agents.NewRandom()} // cannot be asked
	x, err := arena.NewExact(t.Context(), game, []arena.Entrant{{"nash", nash}, {"hidden", hidden}, {"random", agents.NewRandom()}})
	if err != nil {
		t.Fatal(err)
	}
	var plain, left, square, leftSquare float64
	var walk func(s games.State, history []games.Action, p float64)
	drawn, _ := agents.Drawn(nash)
	walk = func(s games.State, history []games.Action, p float64) {
		if s.Turn() == games.Over {
			returns := s.Returns(nil)
			corrected, ok, err := x.Corrected([]int{0, 1}, history, returns)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			plain, square = plain+p*returns[0], square+p*returns[0]*returns[0]
			left, leftSquare = left+p*corrected[0], leftSquare+p*corrected[0]*corrected[0]
			known, _, err := x.Corrected([]int{0, 2}, history, returns)
			if err != nil {
				t.Fatal(err)
			}
			if want := x.Margin(arena.Unit{First: 0, Second: 2}); p > 0 && math.Abs(known[0]-first(t, x)) > 1e-12 {
				t.Fatalf("%v: %g, expected %g (over both seats %g)", history, known[0], first(t, x), want)
			}
			return
		}
		actions, odds := s.Actions(nil), s.Odds(nil)
		switch s.Turn() {
		case 0:
			odds = make([]float64, len(actions))
			if err := drawn.Probabilities(t.Context(), []games.State{s}, [][]float64{odds}); err != nil {
				t.Fatal(err)
			}
		case 1: // the hidden player is not what is guessed of it
			odds = []float64{0.9, 0.1}
		}
		for i, a := range actions {
			next := s.Clone()
			if err := next.Apply(a); err != nil {
				t.Fatal(err)
			}
			walk(next, append(slices.Clone(history), a), p*odds[i])
		}
	}
	walk(game.Start(), nil, 1)
	if math.Abs(plain-left) > 1e-12 {
		t.Errorf("the mean changes from %g to %g", plain, left)
	}
	if v, w := square-plain*plain, leftSquare-left*left; w > v/2 {
		t.Errorf("the variance goes from %g to %g, expected less than half", v, w)
	}
}

// first is what nash earns in the first seat against random play.
func first(t *testing.T, x *arena.Exact) float64 {
	t.Helper()
	one, _, err := x.Corrected([]int{0, 2}, []games.Action{0, 1, 0, 0}, []float64{-1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return one[0]
}

// counted is a table of pairs of tic-tac-toe between entrants, by what the first of the
// two scored in either seat.
func counted(t *testing.T, names []string, pairs map[arena.Unit][][2]float64) *arena.Table {
	t.Helper()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	table, number := arena.NewTable(game, names), 0
	for i := range names {
		for j := i + 1; j < len(names); j++ {
			u := arena.Unit{First: i, Second: j}
			for _, scores := range pairs[u] {
				for g, s := range scores {
					seats, returns := []int{i, j}, []float64{2*s - 1, 1 - 2*s}
					if g == 1 {
						seats, returns = []int{j, i}, []float64{1 - 2*s, 2*s - 1}
					}
					// games of their own, that none counts as another's repeat
					table.Add(u, play.Opening{}, arena.Result{Game: number, Seats: seats, Returns: returns, Actions: []games.Action{games.Action(number)}})
					number++
				}
			}
		}
	}
	return table
}

// A test counts what agents that leave nothing to chance repeat as often as it tells
// something: once.
func TestRepeatsDoNotDecide(t *testing.T) {
	game, err := games.New("tic_tac_toe")
	if err != nil {
		t.Fatal(err)
	}
	test := rating.SPRT{Elo0: 0, Elo1: 30, Alpha: 0.05, Beta: 0.05, Model: rating.Logistic}
	llr := map[bool]float64{}
	for _, alike := range []bool{true, false} {
		table := arena.NewTable(game, []string{"a", "b"})
		for i := range 600 {
			action := games.Action(0)
			if !alike {
				action = games.Action(i)
			}
			returns := [][]float64{{1, -1}, {0, 0}}[i%2] // the first wins as the first and draws as the second
			table.Add(arena.Unit{First: 0, Second: 1}, play.Opening{}, arena.Result{Game: i, Seats: []int{i % 2, 1 - i%2}, Returns: returns, Actions: []games.Action{action}})
		}
		x, ok := table.LLR(test)
		if !ok {
			t.Fatal("no games")
		}
		llr[alike] = x
	}
	if _, upper := test.Bounds(); llr[true] >= upper || llr[false] <= upper {
		t.Errorf("LLR %g of one pair 300 times, %g of 300 pairs", llr[true], llr[false])
	}
}

// Where all games are drawn all are equal, the surer the more games there were.
func TestAllDrawn(t *testing.T) {
	width := math.Inf(1)
	for _, n := range []int{5, 50, 500} {
		drawn := slices.Repeat([][2]float64{{0.5, 0.5}}, n)
		table := counted(t, []string{"a", "b", "c"}, map[arena.Unit][][2]float64{{First: 0, Second: 1}: drawn, {First: 0, Second: 2}: drawn, {First: 1, Second: 2}: drawn})
		s, err := table.Summarize(arena.Rating{Resamples: 50})
		if err != nil || s.Unrated != "" || s.Draw != nil {
			t.Fatalf("%v, %q, %v", err, s.Unrated, s.Draw)
		}
		for _, r := range s.Standings {
			if *r.Elo != 0 || r.Elo95[0] >= 0 || r.Elo95[1] != -r.Elo95[0] {
				t.Errorf("%d pairs: %s has %g Elo, between %g and %g", n, r.Name, *r.Elo, r.Elo95[0], r.Elo95[1])
			}
		}
		if next := s.Standings[0].Elo95[1]; next > width/2 || next < width/5 && n > 5 {
			t.Errorf("%d pairs: ±%g Elo after ±%g", n, next, width)
		} else {
			width = next
		}
	}
}

// Who won everything is better by more than nothing, but nobody knows by how much; and
// one lost game of a hundred leaves room for none and for some more.
func TestNearlyAllWon(t *testing.T) {
	won := slices.Repeat([][2]float64{{1, 1}}, 50)
	for name, c := range map[string]struct {
		scores      [][2]float64
		least, most float64 // width of the interval of the difference
	}{
		"all won":     {won, 400, 2500},
		"one lost":    {append(slices.Clone(won[1:]), [2]float64{1, 0}), 250, 1500},
		"a few drawn": {append(slices.Clone(won[3:]), [2]float64{1, 0.5}, [2]float64{0.5, 1}, [2]float64{0.5, 0.5}), 250, 1500},
	} {
		t.Run(name, func(t *testing.T) {
			table := counted(t, []string{"a", "b"}, map[arena.Unit][][2]float64{{First: 0, Second: 1}: c.scores})
			s, err := table.Summarize(arena.Rating{Anchor: "b", Resamples: 300, Seed: 1})
			if err != nil || s.Unrated != "" {
				t.Fatal(err, s.Unrated)
			}
			a := s.Standings[0]
			if a.Name != "a" || a.Elo95[0] < 100 || *a.Elo < a.Elo95[0] || *a.Elo > a.Elo95[1] {
				t.Errorf("%s has %g Elo, between %g and %g", a.Name, *a.Elo, a.Elo95[0], a.Elo95[1])
			}
			if width := a.Elo95[1] - a.Elo95[0]; width < c.least || width > c.most {
				t.Errorf("%g Elo between %g and %g", *a.Elo, a.Elo95[0], a.Elo95[1])
			}
		})
	}
}

// Two agents' games outside of a tournament tell what the same games in one do.
func TestBetween(t *testing.T) {
	tournament := open(t, settings(t, "tic_tac_toe", []string{"random", "mcts(sims=10)"}, "rounds=40"))
	table, err := run(t, tournament, filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	var both []play.Agent
	for _, e := range tournament.Entrants {
		both = append(both, e.Agent)
	}
	match := play.Match{
		Game: tournament.Game, Seed: tournament.Seed, Agents: both, Group: tournament.Group,
		Seats: func(game uint64, _ int) []int { return play.OneAgainstRest(2, game) },
	}
	episodes, err := match.Play(t.Context(), 0, 81)
	if err != nil {
		t.Fatal(err)
	}
	got, err := arena.Between(tournament.Game, "random", "mcts(sims=10)", episodes)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Pairings[0]
	if got.Games() != 80 || got.Score >= 0.5 || got.Tally != want.Tally || got.Margin95 != want.Margin95 || got.Anytime != want.Anytime || *got.Elo != *want.Elo || *got.EloError != *want.EloError {
		t.Errorf("%+v, expected %+v", got, want)
	}
	if _, err := arena.Between(tournament.Game, "a", "b", episodes[:1]); err == nil {
		t.Error("one game makes a pair")
	}
}

// taker takes games until one is too many.
type taker struct {
	next, most int
	t          *testing.T
}

var errFull = errors.New("the disk is full")

func (w *taker) Write(r arena.Result, words arena.Transcript) error {
	if r.Game != w.next || words.Game != w.next {
		w.t.Errorf("game %d, in words %d, where %d was to come", r.Game, words.Game, w.next)
	}
	if w.next++; w.next > w.most {
		return errFull
	}
	return nil
}

func (w *taker) Close() error { return nil }

// Every writer gets all games in their order; one that fails stops all, and says why.
func TestExport(t *testing.T) {
	tournament := open(t, settings(t, "tic_tac_toe", []string{"a=random", "b=random"}, "rounds=3000"))
	log, err := arena.OpenLog(filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, err := tournament.Run(t.Context(), log, nil); err != nil {
		t.Fatal(err)
	}
	one, two := &taker{most: 6000, t: t}, &taker{most: 6000, t: t}
	if err := tournament.Export(t.Context(), log, one, two); err != nil || one.next != 6000 || two.next != 6000 {
		t.Errorf("%d and %d games, %v", one.next, two.next, err)
	}
	if err := tournament.Export(t.Context(), log, &taker{most: 6000, t: t}, &taker{most: 1500, t: t}); !errors.Is(err, errFull) {
		t.Errorf("%v, expected %v", err, errFull)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tournament.Export(gone, log, &taker{most: 6000, t: t}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, expected %v", err, context.Canceled)
	}
}
