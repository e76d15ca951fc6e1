package rae_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/rae"
)

// turns makes a game that pays returns, in which seats move as listed.
func turns(returns []float64, seats ...games.Seat) *play.Episode {
	e := &play.Episode{Game: "toy", Returns: returns}
	for _, s := range seats {
		e.Turns = append(e.Turns, play.Turn{Seat: s})
	}
	return e
}

func estimate(t *testing.T, e rae.Estimator, roles []string, own func(*play.Episode, games.Seat) bool, played ...*play.Episode) [][]rae.Estimate {
	t.Helper()
	got, err := e.Estimate(played, roles, own)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func estimator(t *testing.T, spec string) rae.Estimator {
	t.Helper()
	e, err := rae.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// advantages are those of a game's turns.
func advantages(of []rae.Estimate) (out []float64) {
	for _, e := range of {
		out = append(out, e.Advantage)
	}
	return out
}

// With α = 0.5 a role that got 4 has a baseline of 2 after its first game. The next
// game, worth 1, has 1 − 2 = −1, and leaves 0.5·2 + 0.5·1 = 1.5. Roles do not mix, and
// neither do games.
func TestBaselinesByHand(t *testing.T) {
	e := estimator(t, "rae(decay=0.5)")
	other := turns([]float64{8, -8}, 0, 1)
	other.Game = "other"
	got := estimate(t, e, roles, everyone, turns([]float64{4, -4}, 0, 1), turns([]float64{1, -1}, 0, 1), other)
	for i, want := range [][]float64{{4, -4}, {-1, 1}, {8, -8}} {
		if !slices.Equal(advantages(got[i]), want) {
			t.Errorf("game %d: %+v, expected the advantages %v", i, got[i], want)
		}
	}
	for key, want := range map[string]float64{"toy/first": 1.5, "toy/second": -1.5, "other/first": 4, "other/second": -4} {
		if mean := e.Baselines()[key]; mean != want {
			t.Errorf("the baseline of %s is %g, expected %g", key, mean, want)
		}
	}
}

// order=batch reads the old mean in the whole batch and then learns of the batch's own
// mean: of 2 and 4, which is 3, half; then of 1.
func TestBatchOrderByHand(t *testing.T) {
	e := estimator(t, "rae(decay=0.5,order=batch)")
	got := estimate(t, e, roles, everyone, turns([]float64{2, -2}, 0, 1), turns([]float64{4, -4}, 0, 1))
	if first, second := advantages(got[0]), advantages(got[1]); !slices.Equal(first, []float64{2, -2}) || !slices.Equal(second, []float64{4, -4}) {
		t.Errorf("the first batch: %v and %v, expected returns beyond 0", first, second)
	}
	got = estimate(t, e, roles, everyone, turns([]float64{1, -1}, 0, 1))
	if next := advantages(got[0]); !slices.Equal(next, []float64{1 - 1.5, -1 + 1.5}) {
		t.Errorf("the second batch: %v, expected the returns beyond 1.5 and −1.5", next)
	}
	if mean := e.Baselines()["toy/first"]; mean != 0.5*1.5+0.5*1 {
		t.Errorf("the baseline is %g after means of 3 and 1, expected 1.25", mean)
	}
}

// The batch's own mean is of the games of the same game and role that the learner
// played: 6 for the first seat of toy, of 4 and 8; not of the third game, where somebody
// else sat there, and not of the fourth, which is another game.
func TestBatchMeanByHand(t *testing.T) {
	e := estimator(t, "batch_mean")
	played := []*play.Episode{
		turns([]float64{4, -4}, 0, 1), turns([]float64{8, -8}, 0, 1), turns([]float64{100, -100}, 0, 1), turns([]float64{3, -3}, 0, 1),
	}
	for i, e := range played {
		e.Number = uint64(i)
	}
	played[3].Game = "other"
	own := func(e *play.Episode, s games.Seat) bool { return e.Number != 2 || s == 1 }
	got := estimate(t, e, roles, own, played...)
	second := -(4.0 + 8 + 100) / 3
	for i, want := range [][]float64{{-2, -4 - second}, {2, -8 - second}, {0, -100 - second}, {0, 0}} {
		if !slices.Equal(advantages(got[i]), want) {
			t.Errorf("game %d: %v, expected %v", i, advantages(got[i]), want)
		}
	}
	if mean := e.Baselines()["toy/first"]; mean != 6 {
		t.Errorf("the mean of 4 and 8 is %g", mean)
	}
}

// Games of one actor share a table, and an actor's games are every second one.
func TestActorsTablesByHand(t *testing.T) {
	e := estimator(t, "per_actor(actors=2,decay=0.5)")
	var played []*play.Episode
	for i := range 3 {
		played = append(played, turns([]float64{4, -4}, 0, 1))
		played[i].Number = uint64(i)
	}
	got := estimate(t, e, roles, everyone, played...)
	for i, want := range []float64{4, 4, 2} {
		if got[i][0].Advantage != want {
			t.Errorf("game %d: advantage %g, expected %g", i, got[i][0].Advantage, want)
		}
	}
}

// A learner that sits in the last of three seats alone is paid for that seat's turns,
// and a turn of somebody else, wherever it stands, neither gets an advantage nor ends
// the count.
func TestOneOfThreeSeats(t *testing.T) {
	three := []string{"a", "b", "c"}
	last := func(_ *play.Episode, s games.Seat) bool { return s == 2 }
	for _, spec := range []string{"rae(decay=0.5,gamma=0.5)", "rae(decay=0.5,gamma=0.5,order=batch)", "raw(gamma=0.5)", "shared(decay=0.5,gamma=0.5)"} {
		e := estimator(t, spec)
		got := estimate(t, e, three, last, turns([]float64{1, 2, -8}, 2, 0, 2, 1))[0]
		for i, want := range []rae.Estimate{{Advantage: -4, Target: -4}, {}, {Advantage: -8, Target: -8}, {}} {
			if got[i] != want {
				t.Errorf("%s: turn %d has %+v, expected %+v", spec, i, got[i], want)
			}
		}
		baseline := -4.0 // half of the −8 before
		if strings.HasPrefix(spec, "raw") {
			baseline = 0
		}
		if again := estimate(t, e, three, last, turns([]float64{1, 2, 6}, 2))[0][0]; again.Advantage != 6-baseline {
			t.Errorf("%s: the second game has %+v, expected 6 beyond %g", spec, again, baseline)
		}
	}
}

// What a value head should have answered is the discounted return, whatever the
// baseline; the advantage is the discounted return beyond it.
func TestTargetsAreReturns(t *testing.T) {
	e := estimator(t, "rae(decay=0.5,gamma=0.5)")
	estimate(t, e, roles, everyone, turns([]float64{4, -4}, 0, 1)) // the baselines are now 2 and −2
	got := estimate(t, e, roles, everyone, turns([]float64{6, -6}, 0, 1, 0))[0]
	for i, want := range []rae.Estimate{{Advantage: 0.5 * 4, Target: 0.5 * 6}, {Advantage: -4, Target: -6}, {Advantage: 4, Target: 6}} {
		if got[i] != want {
			t.Errorf("turn %d has %+v, expected %+v", i, got[i], want)
		}
	}
}

// Generalised advantages with γ = λ = 0.5, from the end: seat 0's last turn has
// 2 − 0.25 = 1.75, its first 0.5·0.25 − 0.5 + 0.25·1.75 = 0.0625. Seat 1's turn between
// them has its own return and value. Seat 2 is somebody else's and has no values.
func TestGAEByHand(t *testing.T) {
	played := turns([]float64{2, -2, 0}, 2, 0, 1, 0, 2)
	played.Turns[1].Record, played.Turns[2].Record, played.Turns[3].Record = value(0.5), value(1), value(0.25)
	own := func(_ *play.Episode, s games.Seat) bool { return s != 2 }
	got := estimate(t, estimator(t, "gae(gamma=0.5,lambda=0.5)"), []string{"a", "b", "c"}, own, played)[0]
	for i, want := range []rae.Estimate{{}, {Advantage: 0.0625, Target: 0.5625}, {Advantage: -3, Target: -2}, {Advantage: 1.75, Target: 2}, {}} {
		if got[i] != want {
			t.Errorf("turn %d has %+v, expected %+v", i, got[i], want)
		}
	}
	played.Turns[3].Record = "no value"
	if _, err := estimator(t, "gae").Estimate([]*play.Episode{played}, []string{"a", "b", "c"}, own); err == nil || !strings.Contains(err.Error(), "needs a policy with a value head; this one records string") {
		t.Errorf("a record without a value: %v", err)
	}
}

// The settings that nobody gives: α = 0.95, 8 actors, γ = 1, λ = 0.95.
func TestDefaults(t *testing.T) {
	for spec, want := range map[string]float64{ // of the first seat's turn in the tenth game
		"rae":                  1 - (1 - math.Pow(0.95, 9)),
		"rae(order=update)":    1 - (1 - math.Pow(0.95, 10)),
		"per_actor":            0.95, // one game of its actor came before
		"raw":                  1,
		"batch_mean":           0,
		"gae(gamma=0)":         0 - 0.5,
		"gae(gamma=1)":         0.95 * (1 - 0.5), // the first step gains nothing: V is 0.5 at both
		"shared(decay=0)":      1 + 1,            // the mean is what seat 1 got last
		"rae(decay=0,gamma=0)": 0,                // an earlier turn of the seat counts for nothing
	} {
		e := estimator(t, spec)
		var played []*play.Episode
		for i := range 10 {
			played = append(played, episode(1, 3))
			played[i].Number = uint64(i)
		}
		got := estimate(t, e, roles, everyone, played...)
		if a := got[9][0].Advantage; math.Abs(a-want) > 1e-12 {
			t.Errorf("%s: advantage %g, expected %g", spec, a, want)
		}
	}
}

// The running mean after any returns is (1−α) Σ α^(games since) R, so a game's
// advantage is its return beyond that sum over the games before it.
func TestBaselineIsTheExponentialMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		returns := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 30).Draw(t, "returns")
		var played []*play.Episode
		for _, r := range returns {
			played = append(played, turns([]float64{r, -r}, 0, 1))
		}
		e, err := rae.New("rae(decay=0.8)")
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Estimate(played, roles, everyone)
		if err != nil {
			t.Fatal(err)
		}
		for i := range returns {
			mean := 0.0
			for k, r := range returns[:i] {
				mean += 0.2 * math.Pow(0.8, float64(i-1-k)) * r
			}
			if first, second := got[i][0].Advantage, got[i][1].Advantage; math.Abs(first-(returns[i]-mean)) > 1e-9 || math.Abs(second+first) > 1e-9 {
				t.Fatalf("game %d: advantages %g and %g, expected ±%g", i, first, second, returns[i]-mean)
			}
		}
	})
}

func TestBrokenCheckpointsAreRefused(t *testing.T) {
	e := estimator(t, "rae(decay=0.5)")
	estimate(t, e, roles, everyone, turns([]float64{4, -4}, 0, 1))
	for _, text := range []string{`{"toy/first": "much"}`, `{"toy/first": 1e999}`, `[1]`} {
		if err := json.Unmarshal([]byte(text), e); err == nil || !strings.Contains(err.Error(), "reading the baselines: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if mean := e.Baselines()["toy/first"]; mean != 2 {
		t.Errorf("what could not be read made the baseline %g, expected that it stays 2", mean)
	}
}
