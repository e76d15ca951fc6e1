package arena_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// What settings say is what is played, each in its own place.
func TestSettingsByValue(t *testing.T) {
	s := settings(t, "tic_tac_toe", []string{"random", "best=minimax"}, "seed=7", "independent=true", "group=1", "rounds=4", "openings=random(plies=2)",
		"clock.move=1s", "stop.games=11", "stop.tokens=12", "stop.dollars=1.5", "stop.time=2h",
		"rating.anchor=best", "rating.elo=1500", "rating.prior=2", "rating.resamples=9")
	s.Clock = arena.Times{Move: "1s", Game: "2m", Gain: "3s", Margin: "4ms"}
	got := open(t, s)
	if got.Clock != (play.Clock{Move: time.Second, Game: 2 * time.Minute, Gain: 3 * time.Second, Margin: 4 * time.Millisecond}) {
		t.Errorf("the clock is %+v", got.Clock)
	}
	if got.Seed != 7 || !got.Independent || got.Group != 1 || got.Stop.Games != 11 || got.Stop.Tokens != 12 || got.Stop.Dollars != 1.5 || got.Stop.Time != 2*time.Hour || got.Planned() != 8 {
		t.Errorf("%+v, %d games planned", got, got.Planned())
	}
	if got.Entrants[0].Name != "random" || got.Entrants[1].Name != "best" || got.Openings == nil || got.Stop.Decided != nil {
		t.Errorf("%+v", got)
	}
	rate, err := s.Rate()
	if err != nil || rate != (arena.Rating{Anchor: "best", AnchorElo: 1500, Prior: 2, Resamples: 9, Seed: 7}) {
		t.Errorf("%+v, %v", rate, err)
	}
	s.SPRT = "elo0=-5,elo1=25,alpha=0.01,beta=0.1,model=logistic"
	if rate, err = s.Rate(); err != nil || *rate.Test != (rating.SPRT{Elo0: -5, Elo1: 25, Alpha: 0.01, Beta: 0.1, Model: rating.Logistic}) {
		t.Errorf("%+v, %v", rate.Test, err)
	}
	if open(t, s).Stop.Decided == nil {
		t.Error("a test decides nothing")
	}
	// A margin alone is no clock.
	if got = open(t, settings(t, "tic_tac_toe", []string{"random", "minimax"}, "clock.margin=1s")); got.Clock != (play.Clock{}) {
		t.Errorf("the clock is %+v", got.Clock)
	}
}

// How many games advance together, unless it is said: few where a kill would lose much.
func TestGroupByDefault(t *testing.T) {
	for _, test := range []struct {
		agents  []string
		changes []string
		want    int
	}{
		{[]string{"a=random", "b=random"}, nil, 4096},
		{[]string{"random", "minimax"}, nil, 64},
		{[]string{"random", "minimax"}, []string{"sprt='elo1=10'"}, 8},
		{[]string{"random", "minimax"}, []string{"clock.move=1s"}, 1},
		{[]string{"random", "minimax"}, []string{"clock.game=1s"}, 1},
		{[]string{"a=random", "b=random"}, []string{"clock.game=1s"}, 1},
		{[]string{"a=random", "b=random"}, []string{"sprt='elo1=10'"}, 8},
		{[]string{"random", "human"}, nil, 1},
		{[]string{"random", "minimax"}, []string{"group=5"}, 5},
	} {
		if got := open(t, settings(t, "tic_tac_toe", test.agents, test.changes...)).Group; got != test.want {
			t.Errorf("%v with %v: groups of %d, expected %d", test.agents, test.changes, got, test.want)
		}
	}
}

// NAME=AGENT names an agent; an agent's own settings do not.
func TestNamesOfAgents(t *testing.T) {
	for text, want := range map[string][2]string{
		"random":                {"random", ""},
		"me=random":             {"me", ""},
		"mcts(sims=4)":          {"mcts(sims=4)", ""},
		"mcts:sims=4":           {"mcts:sims=4", ""},
		"me=mcts(sims=4)":       {"me", ""},
		"me=mcts:sims=4,rule=x": {"", "rule=x"},
		"=random":               {"", `agents: "=random": expected AGENT or NAME=AGENT`},
		"me=":                   {"", `agents: "me=": expected AGENT or NAME=AGENT`},
		"other":                 {"", `"other"`},
	} {
		s := arena.DefaultSettings()
		s.Tournament, s.Agents = "tic_tac_toe", []string{text, "opponent=random"}
		game, err := games.New(s.Tournament)
		if err != nil {
			t.Fatal(err)
		}
		tournament, err := s.Open(t.Context(), agents.Environment{Game: game})
		if want[1] != "" {
			if err == nil || !strings.Contains(err.Error(), want[1]) {
				t.Errorf("%q: %v, expected %q", text, err, want[1])
			}
			continue
		}
		if err != nil || tournament.Entrants[0].Name != want[0] {
			t.Errorf("%q is %+v, %v, expected %q", text, tournament.Entrants, err, want[0])
		}
	}
}

// What is wrong with settings is said in a line that names the setting.
func TestSettingsRefuse(t *testing.T) {
	for want, change := range map[string]func(*arena.Settings){
		"version 2: this program reads version 1": func(s *arena.Settings) { s.Version = 2 },
		"unknown game":                                          func(s *arena.Settings) { s.Tournament = "chest" },
		"rounds=0":                                              func(s *arena.Settings) { s.Rounds = 0 },
		`openings: "nothing" is unknown`:                        func(s *arena.Settings) { s.Openings = "nothing" },
		"clock.move: \"soon\"":                                  func(s *arena.Settings) { s.Clock.Move = "soon" },
		"clock.game: \"-1s\"":                                   func(s *arena.Settings) { s.Clock.Game = "-1s" },
		"clock.gain: \"1\"":                                     func(s *arena.Settings) { s.Clock.Gain = "1" },
		"clock.margin: \"x\"":                                   func(s *arena.Settings) { s.Clock.Margin = "x" },
		"stop.time: \"never\"":                                  func(s *arena.Settings) { s.Stop.Time = "never" },
		"stop.games, stop.tokens, stop.dollars, group":          func(s *arena.Settings) { s.Stop.Games = -1 },
		"stop.tokens, stop.dollars, group: expected":            func(s *arena.Settings) { s.Stop.Tokens = -1 },
		"stop.dollars, group: expected numbers":                 func(s *arena.Settings) { s.Stop.Dollars = math.NaN() },
		"group: expected numbers from 0 up":                     func(s *arena.Settings) { s.Group = -1 },
		"1 entrants: expected two or more":                      func(s *arena.Settings) { s.Agents = s.Agents[:1] },
		"two entrants have the name \"random\"":                 func(s *arena.Settings) { s.Agents[1] = "random" },
		"a clock needs games one at a time":                     func(s *arena.Settings) { s.Clock.Move, s.Group = "1s", 2 },
		"sprt: 3 entrants":                                      func(s *arena.Settings) { s.Agents, s.SPRT = append(s.Agents, "c=random"), "elo1=5" },
		"elo0=0, elo1=-5: expected elo0 below elo1":             func(s *arena.Settings) { s.SPRT = "elo1=-5" },
		"alpha=0.6, beta=0.5: expected both above 0":            func(s *arena.Settings) { s.SPRT = "alpha=0.6,beta=0.5" },
		"alpha=0, beta=0.05":                                    func(s *arena.Settings) { s.SPRT = "alpha=0" },
		"alpha=0.05, beta=0":                                    func(s *arena.Settings) { s.SPRT = "beta=0" },
		"model=bayes":                                           func(s *arena.Settings) { s.SPRT = "model=bayes" },
		"rating.anchor: \"minimx\" is no entrant, did you mean": func(s *arena.Settings) { s.Rating.Anchor = "minimx" },
		"resamples -1 and prior 0":                              func(s *arena.Settings) { s.Rating.Resamples = -1 },
		"resamples 1000001 and prior 0":                         func(s *arena.Settings) { s.Rating.Resamples = 1e6 + 1 },
		"resamples 1000 and prior -1":                           func(s *arena.Settings) { s.Rating.Prior = -1 },
		"resamples 1000 and prior 1e+07":                        func(s *arena.Settings) { s.Rating.Prior = 1e7 },
		"format: gauntlet with 2 seeds of 2 entrants":           func(s *arena.Settings) { s.Format = "gauntlet(seeds=2)" },
		"countdown has one seat and nobody to play":             func(s *arena.Settings) { s.Tournament = "countdown" },
	} {
		s := arena.DefaultSettings()
		s.Tournament, s.Agents = "tic_tac_toe", []string{"random", "minimax"}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	s := arena.DefaultSettings()
	s.Tournament, s.Agents = "tic_tac_toe", []string{"random", "minimax"}
	s.Rating.Resamples, s.Rating.Prior, s.Rating.Anchor = 1e6, 1e6, "minimax"
	if err := s.Validate(); err != nil {
		t.Errorf("the largest settings: %v", err)
	}
	if !arena.IsSettings([]byte("tournament: chess")) || arena.IsSettings([]byte("game: chess")) || arena.IsSettings([]byte("[")) {
		t.Error("a tournament is told from a run by its game")
	}
}

// spender pays for each decision and answers with rubbish before it.
type spender struct{ firstLegal }

func (s spender) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	if err := s.firstLegal.Act(ctx, in, out); err != nil {
		return err
	}
	for i := range out {
		out[i].Cost = play.Cost{TokensIn: 2, TokensOut: 3, Dollars: 0.25, Failed: 1, Illegal: 1}
		if in[i].Turn == 0 {
			out[i].Text = "hello"
		}
	}
	return nil
}

// What an entrant's decisions took is its own, in whatever seat it sat; so are its
// answers that were no action, and what it said stands at its move.
func TestCostsByEntrant(t *testing.T) {
	tournament := roundRobin(t, mustGame(t, "tic_tac_toe"), 2, 0, 1)
	tournament.Entrants[0].Agent, tournament.Entrants[1].Agent = firstLegal{}, spender{}
	table, results := resultsOf(t, tournament)
	moves := [2]int{}
	for i, r := range results {
		count := [2]int{}
		for at := range r.Actions {
			count[r.Seats[at%2]]++
		}
		want := []int{0, 0}
		want[slices.Index(r.Seats, 1)] = count[1]
		if !slices.Equal(r.Illegal, want) {
			t.Errorf("game %d: illegal answers %v of the entrants %v, expected %v", i, r.Illegal, r.Seats, want)
		}
		spoken := r.Seats[0] == 1
		if spoken != (len(r.Talk) == 1) || spoken && r.Talk[0] != (arena.Talk{At: 0, Text: "hello"}) {
			t.Errorf("game %d of %v: %+v", i, r.Seats, r.Talk)
		}
		moves[0], moves[1] = moves[0]+count[0], moves[1]+count[1]
	}
	s, err := table.Summarize(arena.Rating{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := standing(t, s, "a names 0"), standing(t, s, "b names 1")
	a.Cost.Time, b.Cost.Time = 0, 0
	n := moves[1]
	if a.Cost != (play.Cost{Moves: moves[0]}) || a.Illegal != 0 || b.Illegal != n ||
		b.Cost != (play.Cost{Moves: n, TokensIn: 2 * int64(n), TokensOut: 3 * int64(n), Dollars: 0.25 * float64(n), Failed: n}) {
		t.Errorf("a with %d moves: %+v, %d illegal; b with %d: %+v, %d illegal", moves[0], a.Cost, a.Illegal, n, b.Cost, b.Illegal)
	}
}

// A tournament ends with the group in which its bound is met. First against first legal
// in tic-tac-toe, a game has 7 moves, 3 or 4 of the spender's: a set has 7.
func TestBounds(t *testing.T) {
	for name, test := range map[string]struct {
		stop  arena.Stop
		games int
	}{
		"none":           {arena.Stop{}, 20},
		"games":          {arena.Stop{Games: 3}, 4},
		"games, exactly": {arena.Stop{Games: 4}, 4},
		"tokens":         {arena.Stop{Tokens: 36}, 4}, // 35 by the first set
		"exact tokens":   {arena.Stop{Tokens: 35}, 2},
		"dollars":        {arena.Stop{Dollars: 1.76}, 4}, // 1.75 by the first set
		"exact dollars":  {arena.Stop{Dollars: 1.75}, 2},
		"time":           {arena.Stop{Time: time.Nanosecond}, 2},
		"much time":      {arena.Stop{Time: time.Hour}, 20},
		"decided":        {arena.Stop{Decided: func(table *arena.Table) bool { return table.Games() >= 5 }}, 6},
	} {
		tournament := roundRobin(t, mustGame(t, "tic_tac_toe"), 10, 0, 1)
		tournament.Entrants[0].Agent, tournament.Entrants[1].Agent = firstLegal{}, spender{}
		tournament.Group, tournament.Stop = 2, test.stop
		if table, results := resultsOf(t, tournament); len(results) != test.games || table.Games() != test.games {
			t.Errorf("%s: %d games, expected %d", name, len(results), test.games)
		}
	}
}

// Another seed deals and draws other games; units of one tournament differ among
// themselves.
func TestSeedsOfTournaments(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(5) {
		s := settings(t, "kuhn_poker", []string{"a=random", "b=random"}, fmt.Sprint("seed=", seed), "rounds=40", "group=8")
		_, results := resultsOf(t, open(t, s))
		units := map[string]bool{}
		var text strings.Builder
		for i, r := range results {
			fmt.Fprint(&text, r.Actions)
			if i%2 == 1 {
				if !slices.Equal(r.Actions[:2], results[i-1].Actions[:2]) {
					t.Errorf("seed %d: the games of unit %d have the deals %v and %v", seed, i/2, results[i-1].Actions, r.Actions)
				}
				units[fmt.Sprint(results[i-1].Actions, r.Actions)] = true
			}
		}
		if len(units) < 25 {
			t.Errorf("seed %d: %d of 40 units differ", seed, len(units))
		}
		if other, met := seen[text.String()]; met {
			t.Errorf("seeds %d and %d play the same games", other, seed)
		}
		seen[text.String()] = seed
	}
}

// Random openings are legal moves of so many plies, drawn by seed and unit, that end no
// game; in games of chance they go on until somebody is to move.
func TestRandomOpenings(t *testing.T) {
	for _, test := range []struct {
		game   string
		plies  int
		length int
	}{{"tic_tac_toe", 4, 4}, {"kuhn_poker", 1, 3}, {"connect_four", 1, 1}} {
		game := mustGame(t, test.game)
		distinct, again := map[string]bool{}, 0
		for seed := range uint64(2) {
			openings, err := arena.ParseOpenings(fmt.Sprintf("random(plies=%d)", test.plies), game, seed)
			if err != nil {
				t.Fatal(err)
			}
			for unit := range 20 {
				o := openings.Of(unit)
				s := game.Start()
				for _, a := range o.Actions {
					if err := s.Apply(a); err != nil {
						t.Fatalf("%s: %v: %v", test.game, o.Actions, err)
					}
				}
				if len(o.Actions) != test.length || s.Turn() < 0 || o.Game != nil {
					t.Errorf("%s: an opening of %d actions, then seat %d is to move: expected %d", test.game, len(o.Actions), s.Turn(), test.length)
				}
				if !slices.Equal(o.Actions, openings.Of(unit).Actions) {
					again++
				}
				distinct[fmt.Sprint(seed, o.Actions)] = true
			}
		}
		if again > 0 || len(distinct) < 8 {
			t.Errorf("%s: %d openings of 40 differ, %d are drawn anew", test.game, len(distinct), again)
		}
	}
	if openings, err := arena.ParseOpenings("none", mustGame(t, "tic_tac_toe"), 1); openings != nil || err != nil {
		t.Errorf("%v, %v", openings, err)
	}
	for form, want := range map[string]string{
		"random(plies=0)":    "plies=0",
		"random(plies=9)":    "openings: random(plies=9): tic_tac_toe is over before that: take fewer",
		"random(ply=1)":      `unknown parameter "ply"`,
		"rand":               `"rand" is unknown, did you mean "random"`,
		"book":               "expected a file, such as",
		"book(file=x.epd)":   "books are of chess, not of tic_tac_toe",
		"book(order=upward)": "order=upward",
		"":                   "openings: ",
	} {
		if _, err := arena.ParseOpenings(form, mustGame(t, "tic_tac_toe"), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", form, err, want)
		}
	}
}

// failingAgent fails after some calls.
type failingAgent struct {
	firstLegal
	err error
}

func (f failingAgent) Act(context.Context, []play.Request, []play.Decision) error { return f.err }

// An agent that fails ends the tournament, with its own error, whatever the workers.
func TestAgentsErrorsEndTournaments(t *testing.T) {
	fault := errors.New("the cable is cut")
	for _, workers := range []int{0, 3} {
		tournament := roundRobin(t, mustGame(t, "tic_tac_toe"), 10, 0, 1)
		tournament.Entrants[0].Agent, tournament.Entrants[1].Agent = firstLegal{}, failingAgent{err: fault}
		tournament.Workers = workers
		if _, err := run(t, tournament, filepath.Join(t.TempDir(), "games.log")); !errors.Is(err, fault) {
			t.Errorf("%v", err)
		}
	}
}

// Progress hears of the table after every group, in order.
func TestProgress(t *testing.T) {
	tournament := roundRobin(t, mustGame(t, "tic_tac_toe"), 6, 0, 1)
	tournament.Entrants[0].Agent, tournament.Entrants[1].Agent = firstLegal{}, lastLegal{}
	tournament.Group, tournament.Workers = 4, 3
	log, err := arena.OpenLog(filepath.Join(t.TempDir(), "games.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var heard []int
	if _, err := tournament.Run(t.Context(), log, func(table *arena.Table) { heard = append(heard, table.Games()) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(heard, []int{4, 8, 12}) {
		t.Errorf("heard of %v games, expected 4, 8 and 12", heard)
	}
}
