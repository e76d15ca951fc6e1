package trainer

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/prefs"
)

// What must happen, by value: who sits where, whose outcome counts, which sign.

// method opens a run of the method play, without a folder.
func method(t *testing.T, settings ...string) *selfPlay {
	t.Helper()
	recipe, err := ReadRecipe([]byte("policy: {hidden: [8]}\nevaluate: {exploitability: off}\n"), settings)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(t.Context(), recipe, Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Open(); err != nil {
		t.Fatal(err)
	}
	return r.method.(*selfPlay)
}

// Against an opponent the learner's seat goes round with groups, and with updates.
func TestTheLearnersSeatGoesRound(t *testing.T) {
	m := method(t, "game=kuhn_poker(players=3)", "opponents=fixed(random)")
	for _, c := range []struct {
		done, group int
		want        []int // 0 the learner, 1 the fixed agent
	}{
		{0, 0, []int{0, 1, 1}},
		{0, 1, []int{1, 0, 1}},
		{0, 2, []int{1, 1, 0}},
		{0, 3, []int{0, 1, 1}},
		{1, 0, []int{1, 0, 1}},
		{2, 2, []int{1, 0, 1}},
	} {
		m.Done = c.done
		if got := m.seats(0, c.group); !slices.Equal(got, c.want) {
			t.Errorf("update %d, group %d: seats %v, expected %v", c.done, c.group, got, c.want)
		}
	}
	if m = method(t, "game=kuhn_poker(players=3)"); !slices.Equal(m.seats(0, 1), []int{0, 0, 0}) {
		t.Error("alone, the learner has all seats")
	}
}

// With a player for each role, each has its own seat, and an opponent's seat is that
// role's past.
func TestPlayersHaveTheSeatsOfTheirRoles(t *testing.T) {
	m := method(t, "game=kuhn_poker", "players=roles", "opponents=past(share=1,every=1,keep=2)")
	if got := m.seats(0, 0); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("without pasts: %v, expected 0, 1: the players", got)
	}
	for range 2 { // agents: 0, 1 the players; 2, 3 the older past; 4, 5 the newer
		if err := m.Remember(); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]bool{}
	for group := range 40 {
		seats := m.seats(0, group)
		own := group % 2
		if seats[own] != own || seats[1-own] != 3-own && seats[1-own] != 5-own {
			t.Fatalf("group %d: seats %v: expected the player in seat %d, and a past of the other role", group, seats, own)
		}
		seen[seats[1-own]] = true
	}
	if len(seen) != 4 {
		t.Errorf("the opponents %v: expected both pasts of both roles", seen)
	}
	a, b := m.Players[0].Updater.Weights(), m.Players[1].Updater.Weights()
	defer a.Close()
	defer b.Close()
	x, _ := a.Values(0)
	y, _ := b.Values(0)
	if slices.Equal(x, y) {
		t.Error("both roles start from the same weights")
	}
}

// A league prefers those that the learner is even with, or the hardest, seat by seat;
// a pool draws all alike.
func TestLeagueWeighsItsPasts(t *testing.T) {
	pasts := []*Past{{Scores: []float64{0.5, 1}}, {Scores: []float64{1, 0}}, {Scores: []float64{0.1, 0.5}}}
	for text, want := range map[string][][3]float64{
		"league":              {{0.251, 0.001, 0.091}, {0.001, 0.001, 0.251}},
		"league(prefer=hard)": {{0.251, 0.001, 0.811}, {0.001, 1.001, 0.251}},
		"past":                {{1, 1, 1}, {1, 1, 1}},
	} {
		o, err := parseOpponents(text)
		if err != nil {
			t.Fatal(err)
		}
		for seat, weights := range want {
			for i, p := range pasts {
				if got := o.weigh(p, seat); math.Abs(got-weights[i]) > 1e-12 {
					t.Errorf("%s, seat %d: past %d weighs %g, expected %g", text, seat, i, got, weights[i])
				}
			}
		}
	}
	o, err := parseOpponents("league(share=0.5)")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int]float64{}
	const draws = 20000
	for i := range draws {
		counts[o.meet(pasts, play.Generator(1, "test", uint64(i)), 0)] += 1.0 / draws
	}
	for who, want := range map[int]float64{-1: 0.5, 0: 0.5 * 0.251 / 0.343, 1: 0.5 * 0.001 / 0.343, 2: 0.5 * 0.091 / 0.343} {
		if math.Abs(counts[who]-want) > 0.015 {
			t.Errorf("past %d is met in %.3f of the groups, expected %.3f", who, counts[who], want)
		}
	}
	pasts[0].record(1, 0)
	if got := pasts[0].Scores; math.Abs(got[1]-0.98) > 1e-12 || got[0] != 0.5 {
		t.Errorf("after a loss in seat 1 the scores are %v, expected 0.5 and 0.98", got)
	}
}

// A full pool forgets the past that is least missed: in time, or for the league's draws.
func TestWhichPastIsForgotten(t *testing.T) {
	at := func(update int, score float64) *Past { return &Past{Update: update, Scores: []float64{score}} }
	pasts := []*Past{at(0, 0.5), at(10, 0.5), at(15, 0.9), at(40, 0.5), at(50, 0.5)}
	for text, want := range map[string]int{"past": 1, "league": 2} {
		o, err := parseOpponents(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.superfluous(pasts); got != want {
			t.Errorf("%s forgets %d, expected %d", text, got, want)
		}
	}
}

// The results against a past are the learner's, from the seat that it had.
func TestResultsAgainstPastsAreTheLearners(t *testing.T) {
	m := method(t, "game=kuhn_poker", "opponents=past(every=5)")
	for range 2 {
		if err := m.Remember(); err != nil {
			t.Fatal(err)
		}
	}
	line := Line{}
	m.recordOpponents([]*play.Episode{
		{Agents: []int{0, 2}, Returns: []float64{1, -1}}, // won from seat 0 against the second past
		{Agents: []int{2, 0}, Returns: []float64{2, -2}}, // lost from seat 1 against it
		{Agents: []int{1, 0}, Returns: []float64{-1, 1}}, // won from seat 1 against the first
		{Agents: []int{0, 0}, Returns: []float64{-1, 1}}, // with itself
		{Agents: []int{0, 1}, Returns: []float64{-1, 1}}, // lost from seat 0 against the first
		{Agents: []int{2, 0}, Returns: []float64{-1, 1}}, // won from seat 1 against the second
	}, line)
	if got := line["score/opponents"]; math.Abs(got-3.0/5) > 1e-12 {
		t.Errorf("score %g, expected 3 of 5", got)
	}
	const up, down = 0.98*0.5 + 0.02, 0.98 * 0.5
	want := [][]float64{{down, up}, {up, 0.98*down + 0.02}}
	for i, past := range m.Pasts {
		for seat, score := range past.Scores {
			if math.Abs(score-want[i][seat]) > 1e-12 {
				t.Errorf("past %d, seat %d: score %g, expected %g", i, seat, score, want[i][seat])
			}
		}
	}
}

// Both seats are taken in turn where strength is measured: uniform play is worth a half
// against itself, also where the first seat wins twice as often.
func TestMeasuredFromBothSeats(t *testing.T) {
	m := method(t, "game=tic_tac_toe", "evaluate.against=[random]", "evaluate.games=4000")
	line := Line{}
	if err := m.evaluator.measure(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	// The network as it is drawn is all but uniform. From the first seat alone it would
	// score 0.65; the standard error is 0.007.
	if got := line["score/random"]; math.Abs(got-0.5) > 0.04 {
		t.Errorf("score %g against random play, expected about a half", got)
	}
	score, _, err := (&guard{anchor: m.Players[0].Network}).versusAnchor(t.Context(), m.Run)
	if err != nil || math.Abs(score-0.5) > 0.15 {
		t.Errorf("score %g against itself (%v), expected about a half", score, err)
	}
}

// A seat's score is of its own return: more than an even share is a win.
func TestScoresAreBySeat(t *testing.T) {
	m := method(t, "game=kuhn_poker")
	e := &play.Episode{Returns: []float64{-1, 1}}
	if m.score(e, 0) != 0 || m.score(e, 1) != 1 || m.score(&play.Episode{Returns: []float64{0, 0}}, 1) != 0.5 {
		t.Error("a seat's score is not of its return")
	}
	score, drawn, lost := m.tally([]*play.Episode{
		{Agents: []int{0, 1}, Returns: []float64{1, -1}},
		{Agents: []int{1, 0}, Returns: []float64{1, -1}},
		{Agents: []int{1, 0}, Returns: []float64{0, 0}},
		{Agents: []int{1, 0}, Returns: []float64{-1, 1}},
	})
	if score != 0.625 || drawn != 0.25 || lost != 0.25 {
		t.Errorf("score %g, drawn %g, lost %g: expected 0.625, 0.25, 0.25", score, drawn, lost)
	}
}

// Collapse is a fall from the best score, not a rise; or a seat that always wins, or no
// entropy left, where the score no longer grows. A sign must last three looks.
func TestGuardSeesAFallAndNoRise(t *testing.T) {
	for name, c := range map[string]struct {
		scores  []float64
		wins    float64 // of the first role
		entropy float64
		want    int // the look at which collapse is seen, 0 for never
	}{
		"rises":          {[]float64{0.5, 0.6, 0.7, 0.8, 0.9, 0.95}, 0.5, 1, 0},
		"falls":          {[]float64{0.5, 0.9, 0.9, 0.6, 0.6, 0.6}, 0.5, 1, 6},
		"falls for two":  {[]float64{0.5, 0.9, 0.9, 0.6, 0.6, 0.9, 0.6}, 0.5, 1, 0},
		"wavers":         {[]float64{0.9, 0.88, 0.9, 0.88, 0.88, 0.88, 0.88}, 0.5, 1, 0},
		"one seat":       {[]float64{0.9, 0.9, 0.9, 0.9, 0.9, 0.9}, 0.97, 1, 4},
		"one seat grows": {[]float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, 0.97, 1, 0},
		"no entropy":     {[]float64{0.9, 0.9, 0.9, 0.9, 0.9, 0.9}, 0.5, 0.01, 4},
	} {
		t.Run(name, func(t *testing.T) {
			m := method(t, "game=kuhn_poker", "guard.every=10")
			g, seen := &guard{}, 0
			g.state.Entropy = 1
			for i, score := range c.scores {
				m.Done = 10 * (i + 1)
				line := Line{"entropy": c.entropy, "wins/first": c.wins}
				g.look(m.Run, score, 0.005, line)
				if line["guard/score"] != score || line["guard/best"] < score {
					t.Errorf("look %d: the line says %v", i+1, line)
				}
				if line["collapse"] == 1 && seen == 0 {
					seen = i + 1
				}
			}
			if seen != c.want {
				t.Errorf("seen at look %d, expected %d (0: never)", seen, c.want)
			}
		})
	}
}

// searchedTurn is a turn of a search, for a seat.
func searchedTurn(seat games.Seat) play.Turn {
	return play.Turn{Seat: seat, Record: &agents.Searched{Step: &policy.Step{}}}
}

// What a search's turn is worth is what the seat that moved got in the end, whichever
// seat that is, and turns of others teach nothing.
func TestSearchTargetsTakeTheMoversOutcome(t *testing.T) {
	m := method(t, "game=tic_tac_toe", "learn=[{from: search, loss: visits}]", "search.agent=mcts:sims=4")
	found, err := m.searches(t.Context(), []*play.Episode{
		{Agents: []int{0, 0}, Returns: []float64{-1, 1}, Turns: []play.Turn{searchedTurn(0), searchedTurn(1), searchedTurn(0)}},
		{Agents: []int{1, 0}, Returns: []float64{-1, 1}, Turns: []play.Turn{searchedTurn(0), searchedTurn(1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]float32
	for _, some := range found {
		var outcomes []float32
		for _, s := range some {
			outcomes = append(outcomes, s.outcome)
		}
		got = append(got, outcomes)
	}
	if d := cmp.Diff([][]float32{{-1, 1, -1}, {1}}, got); d != "" {
		t.Error(d)
	}
	// Where the network plays, the same goes for the turns that are searched afterwards.
	m = method(t, "game=tic_tac_toe", "learn=[{from: search, loss: visits}]", "search.agent=mcts:sims=4", "search.acts=false")
	found, err = m.searches(t.Context(), []*play.Episode{{Agents: []int{0, 0}, Returns: []float64{1, -1}, Actions: []games.Action{0, 3, 1, 4, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range found[0] {
		if want := float32(1 - 2*(i%2)); s.outcome != want {
			t.Errorf("turn %d: outcome %g, expected %g", i, s.outcome, want)
		}
		if turn := s.turn(true); turn.Return != s.outcome || slices.Max(turn.Target) != 1 {
			t.Errorf("turn %d: %+v", i, turn)
		}
	}
	if len(found[0]) != 5 {
		t.Errorf("%d turns were searched, expected 5", len(found[0]))
	}
}

// In SPO the reward of an episode is how often its answer is preferred: the better
// answer of a deal gets more, by 2·share − 1, in the seat that gave it.
func TestRewardOfTheBetterAnswerIsHigher(t *testing.T) {
	m := method(t, "game=kuhn_poker", "learn=[{from: preferences, loss: ppo}]", "preferences.samples=3", "games=6", "group=6", "preferences.judge=outcome")
	episode := func(returns ...float64) *play.Episode {
		e := &play.Episode{Agents: []int{0, 0}, Returns: returns}
		for seat := range games.Seat(2) {
			e.Turns = append(e.Turns, play.Turn{Seat: seat, Record: &policy.Step{}})
		}
		return e
	}
	line := Line{}
	judged, err := m.reward([]*play.Episode{episode(2, -2), episode(-1, 1), episode(-1, 1), episode(1, -1), episode(1, -1), episode(-2, 2)}, line)
	if err != nil {
		t.Fatal(err)
	}
	// Of the first deal, seat 0 got 2, -1, -1: the first beats both others, these tie.
	want := [][]float64{{1, -1}, {-0.5, 0.5}, {-0.5, 0.5}, {0.5, -0.5}, {0.5, -0.5}, {-1, 1}}
	for i, e := range judged {
		if !slices.Equal(e.Returns, want[i]) {
			t.Errorf("episode %d: reward %v, expected %v", i, e.Returns, want[i])
		}
	}
	if line["queries"] != 24 {
		t.Errorf("%g queries, expected 24: 2 deals, 2 seats, 3 answers against 2 others", line["queries"])
	}
}

// A doubt is the label's: a loss that has none, or takes the win rates of both answers in
// its place, gets no target, which it would refuse or take for a win rate.
func TestDoubtIsForLossesWithALabel(t *testing.T) {
	for name, labelled := range map[string]bool{
		"dpo": true, "ipo": true, "cdpo": true,
		"kto": false, "robust-dpo": false, "nca": false, "sppo": false, "spo-minimax": false, "sft": false,
	} {
		c, err := newComparing(name)
		if err != nil {
			t.Fatal(err)
		}
		target := c.pair(&response{}, &response{}, [2]float64{0.5, -0.5}, [2]float64{60, 20}, 0.125).Target
		if !labelled && target != nil {
			t.Errorf("%s: a doubt of 1/8 makes the target %g, expected none", name, *target)
		}
		if labelled && (target == nil || *target != 0.875) {
			t.Errorf("%s: a doubt of 1/8 makes the target %v, expected 7/8", name, target)
		}
	}
}

// Chosen stays chosen on the way from a search's children, and from a file's row, to
// what the objective reads: priors, values and visits.
func TestChosenAndRejectedKeepTheirColumns(t *testing.T) {
	c, err := newComparing("dpo")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := prefs.FindExtraction("tpo")
	if err != nil {
		t.Fatal(err)
	}
	legal := []games.Action{3, 5}
	s := searched{Searched: &agents.Searched{
		Step:     &policy.Step{Picks: []policy.Pick{{Token: 5, Allowed: legal}}},
		Children: []mcts.Child{{Action: 3, Prior: 0.25, Q: -0.5, Visits: 7}, {Action: 5, Prior: 0.75, Q: 0.5, Visits: 90}},
	}}
	pairs := (&teacher{rule: rule}).comparisons(c, s)
	if len(pairs) != 1 {
		t.Fatalf("%d pairs, expected 1", len(pairs))
	}
	check := func(e comparison, q, n [2]float64, priors [2]float64) {
		t.Helper()
		if e.chosen.steps[0].Action() != 5 || e.rejected.steps[0].Action() != 3 {
			t.Errorf("chosen %d, rejected %d: expected 5 and 3", e.chosen.steps[0].Action(), e.rejected.steps[0].Action())
		}
		if *e.Q != q || *e.N != n {
			t.Errorf("Q %v, N %v: expected %v, %v", *e.Q, *e.N, q, n)
		}
		if a, b := e.chosen.reference[0][0], e.rejected.reference[0][0]; math.Abs(a-priors[0]) > 1e-12 || math.Abs(b-priors[1]) > 1e-12 {
			t.Errorf("references %g and %g, expected %v", a, b, priors)
		}
	}
	check(pairs[0], [2]float64{0.5, -0.5}, [2]float64{90, 7}, [2]float64{math.Log(0.75), math.Log(0.25)})

	path := filepath.Join(t.TempDir(), "pairs.parquet")
	if err := prefs.Write(path, []prefs.Pair{{
		Game: "tic_tac_toe", ChosenAction: 5, RejectedAction: 3, ChosenPrior: -0.1, RejectedPrior: -0.2, ChosenBehaviour: -0.3, RejectedBehaviour: -0.4,
		ChosenQ: 0.25, RejectedQ: -0.75, ChosenVisits: 11, RejectedVisits: 12, Doubt: 0.125,
	}}); err != nil {
		t.Fatal(err)
	}
	m := method(t, "game=tic_tac_toe")
	all, err := m.readPairs(path)
	if err != nil {
		t.Fatal(err)
	}
	e := all[0].comparison(c)
	check(e, [2]float64{0.25, -0.75}, [2]float64{11, 12}, [2]float64{-0.1, -0.2})
	if *e.Target != 0.875 {
		t.Errorf("a doubt of 1/8 makes the target %g, expected 7/8", *e.Target)
	}
}

// A step on a preference makes the chosen answer more probable and the rejected less.
func TestAPreferenceIsLearntTheRightWayRound(t *testing.T) {
	for _, loss := range []string{"dpo", "ipo", "simpo", "step-apo(alpha=0.1)", "sppo", "tpo-tree"} {
		m := method(t, "game=tic_tac_toe", "learn=[{from: preferences, loss: dpo}]")
		c, err := newComparing(loss)
		if err != nil {
			t.Fatal(err)
		}
		c.logged = true
		step, err := m.Model.Observe(m.Game.Start(), 0)
		if err != nil {
			t.Fatal(err)
		}
		uniform := -math.Log(9)
		chosen, rejected := tried(step, 4, uniform), tried(step, 1, uniform)
		chosen.share, rejected.share = 1, 0
		batch := []comparison{c.pair(chosen, rejected, [2]float64{0.5, -0.5}, [2]float64{60, 20}, 0)}
		if c.OfLists() {
			batch = []comparison{{list: []*response{rejected, chosen}}}
		}
		logs := func() []float64 {
			if err := m.Open(); err != nil {
				t.Fatal(err)
			}
			x, err := m.Players[0].Network.LogProbs([]*policy.Step{chosen.steps[0], rejected.steps[0]})
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		before := logs()
		var all compared
		if err := all.step(m.Players[0], c, batch, Coefficients{Rate: 0.01}); err != nil {
			t.Fatalf("%s: %v", loss, err)
		}
		after := logs()
		if after[0] <= before[0] || after[1] >= before[1] {
			t.Errorf("%s: chosen %.4f to %.4f, rejected %.4f to %.4f", loss, before[0], after[0], before[1], after[1])
		}
	}
}

// The magnet moves at the multiples of every, to the weights of that moment.
func TestTheMagnetMovesWhenItSaysSo(t *testing.T) {
	m := method(t, "game=kuhn_poker", "magnet={kind: copy, weight: 0.1, every: 3}", "games=8", "group=8", "updates=7")
	first := func(w *policy.Weights) float32 {
		values, err := w.Values(0)
		if err != nil {
			t.Fatal(err)
		}
		return values[0]
	}
	magnet := first(m.Players[0].Updater.magnet)
	for range 7 {
		if err := m.update(t.Context(), Line{}); err != nil {
			t.Fatal(err)
		}
		now := first(m.Players[0].Updater.weights)
		if got := first(m.Players[0].Updater.magnet); m.Done%3 == 0 {
			if magnet = now; got != now {
				t.Errorf("after update %d the magnet is not the network", m.Done)
			}
		} else if got != magnet {
			t.Errorf("after update %d the magnet has moved", m.Done)
		}
	}
}

// Games are played by the newest weights, and a past stays what it was.
func TestActorsHaveTheNewestWeightsAndPastsStay(t *testing.T) {
	m := method(t, "game=kuhn_poker", "games=32", "group=32", "optimizer.rate=0.05", "opponents=past(share=0.5,every=1,keep=5)")
	var kept [][]float32
	for range 3 {
		if err := m.Remember(); err != nil {
			t.Fatal(err)
		}
		values, err := m.Players[0].Updater.weights.Values(0)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, values)
		if err := m.update(t.Context(), Line{}); err != nil {
			t.Fatal(err)
		}
		if err := m.Open(); err != nil {
			t.Fatal(err)
		}
		if m.Players[0].Network.Weights != m.Players[0].Updater.weights {
			t.Error("the actor's weights are not the updater's")
		}
	}
	for i, past := range m.Pasts {
		values, err := past.Networks[0].Weights.Values(0)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(values, kept[i]) {
			t.Errorf("past %d has changed", i)
		}
		if i > 0 && slices.Equal(kept[i], kept[i-1]) {
			t.Errorf("pasts %d and %d are the same", i-1, i)
		}
	}
}
