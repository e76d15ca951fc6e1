package rae_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/rae"
)

type value float64

func (v value) StateValue() float64 { return float64(v) }

// episode makes a two-seat game in which the seats move in turn and seat 0
// gets ret.
func episode(ret float64, turns int) *play.Episode {
	e := &play.Episode{Game: "toy", Returns: []float64{ret, -ret}, Agents: []int{0, 0}}
	for t := range turns {
		e.Turns = append(e.Turns, play.Turn{Seat: games.Seat(t % 2), Record: value(0.5)})
	}
	return e
}

var roles = []string{"first", "second"}

func everyone(*play.Episode, games.Seat) bool { return true }

// Two games won by the first seat, worked out by hand with α = 0.5.
func TestEstimatorsByHand(t *testing.T) {
	tests := []struct {
		spec string
		// advantages of seat 0's and seat 1's first turn in game 1 and game 2
		want [2][2]float64
	}{
		{"raw", [2][2]float64{{1, -1}, {1, -1}}},
		{"rae(decay=0.5)", [2][2]float64{{1, -1}, {0.5, -0.5}}},
		{"rae(decay=0.5,order=update)", [2][2]float64{{0.5, -0.5}, {0.25, -0.25}}},
		{"rae(decay=0.5,order=batch)", [2][2]float64{{1, -1}, {1, -1}}},
		// One mean for both seats: after +1 and −1 it is 0.5·0.5 − 0.5 = −0.25.
		{"shared(decay=0.5)", [2][2]float64{{1, -1.5}, {1.25, -1.375}}},
		{"batch_mean", [2][2]float64{{0, 0}, {0, 0}}},
		// Every actor's table starts anew.
		{"per_actor(actors=2,decay=0.5)", [2][2]float64{{1, -1}, {1, -1}}},
		// λ = 1 is R − V whatever lies between.
		{"gae(lambda=1)", [2][2]float64{{0.5, -1.5}, {0.5, -1.5}}},
		// λ = 0 on a seat's only turn too.
		{"gae(lambda=0)", [2][2]float64{{0.5, -1.5}, {0.5, -1.5}}},
	}
	for _, test := range tests {
		t.Run(test.spec, func(t *testing.T) {
			e, err := rae.New(test.spec)
			if err != nil {
				t.Fatal(err)
			}
			played := []*play.Episode{episode(1, 2), episode(1, 2)}
			played[1].Number = 1
			got, err := e.Estimate(played, roles, everyone)
			if err != nil {
				t.Fatal(err)
			}
			for g := range 2 {
				for s := range 2 {
					if math.Abs(got[g][s].Advantage-test.want[g][s]) > 1e-12 {
						t.Errorf("game %d seat %d: advantage %g, want %g", g, s, got[g][s].Advantage, test.want[g][s])
					}
				}
			}
		})
	}
}

func TestDiscountCountsTheSeatsOwnTurns(t *testing.T) {
	e, err := rae.New("raw(gamma=0.5)")
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Estimate([]*play.Episode{episode(1, 5)}, roles, everyone)
	if err != nil {
		t.Fatal(err)
	}
	// Turns belong to seats 0 1 0 1 0.
	for i, want := range []float64{0.25, -0.5, 0.5, -1, 1} {
		if got[0][i].Advantage != want {
			t.Errorf("turn %d: advantage %g, want %g", i, got[0][i].Advantage, want)
		}
	}
}

func TestOthersTurnsAreLeftAlone(t *testing.T) {
	e, err := rae.New("rae(decay=0.5)")
	if err != nil {
		t.Fatal(err)
	}
	onlyFirst := func(_ *play.Episode, s games.Seat) bool { return s == 0 }
	got, err := e.Estimate([]*play.Episode{episode(1, 2)}, roles, onlyFirst)
	if err != nil {
		t.Fatal(err)
	}
	if got[0][1] != (rae.Estimate{}) {
		t.Errorf("somebody else's turn got %+v", got[0][1])
	}
	if _, there := e.Baselines()["toy/second"]; there {
		t.Error("somebody else's seat moved a baseline")
	}
}

// A role's mean return converges to its expectation, so the mean advantage of
// each role goes to zero although the roles' values differ.
func TestRunningMeanRemovesTheRolesBias(t *testing.T) {
	e, err := rae.New("rae(decay=0.99)")
	if err != nil {
		t.Fatal(err)
	}
	r := play.Generator(1, "test")
	sums := [2]float64{}
	const n = 20000
	for range n {
		ret := -1.0
		if r.Float64() < 0.7 { // the first seat is worth 0.4
			ret = 1
		}
		got, err := e.Estimate([]*play.Episode{episode(ret, 2)}, roles, everyone)
		if err != nil {
			t.Fatal(err)
		}
		sums[0] += got[0][0].Advantage
		sums[1] += got[0][1].Advantage
	}
	for seat, sum := range sums {
		if math.Abs(sum/n) > 0.03 {
			t.Errorf("seat %d: mean advantage %g, want about 0", seat, sum/n)
		}
	}
}

func TestStateSurvivesACheckpoint(t *testing.T) {
	for _, spec := range []string{"rae", "shared", "per_actor", "batch_mean", "raw", "gae"} {
		e, _ := rae.New(spec)
		if _, err := e.Estimate([]*play.Episode{episode(1, 2), episode(-1, 2), episode(1, 2)}, roles, everyone); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := rae.New(spec)
		if err := json.Unmarshal(data, again); err != nil {
			t.Fatal(err)
		}
		a, _ := e.Estimate([]*play.Episode{episode(1, 2)}, roles, everyone)
		b, _ := again.Estimate([]*play.Episode{episode(1, 2)}, roles, everyone)
		for i := range a[0] {
			if a[0][i] != b[0][i] {
				t.Errorf("%s: turn %d is %+v, after restoring %+v", spec, i, a[0][i], b[0][i])
			}
		}
	}
}

func TestBadSpecsAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		"reo":             `advantage "reo" is unknown, did you mean "rae"?; there are batch_mean, gae, per_actor, rae, raw, shared`,
		"rae(decay=2)":    "advantage rae: decay=2: expected a number from 0 to 0.999999",
		"rae(dekay=0.5)":  `advantage rae: unknown parameter "dekay", did you mean "decay"?; it takes decay, order, gamma`,
		"rae(order=last)": "advantage rae: order=last: expected read, update, batch",
		"gae(lambda=x)":   "advantage gae: lambda=x: expected a number from 0 to 1",
	} {
		if _, err := rae.New(spec); err == nil || err.Error() != want {
			t.Errorf("%s: error %q, want %q", spec, err, want)
		}
	}
}
