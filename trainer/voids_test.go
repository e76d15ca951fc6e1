package trainer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/agon-rl/agon/games"
)

// absent is a game whose rules give no answer to one call in ten, as those of a
// plugin may.
type absent struct {
	games.Game
	calls atomic.Int64
}

func (g *absent) Step(states []games.State, actions []games.Action, errs []error) {
	lost := g.calls.Add(1)%10 == 0
	for i, s := range states {
		if lost {
			errs[i] = fmt.Errorf("%w: no answer", games.ErrLost)
			continue
		}
		errs[i] = s.Apply(actions[i])
	}
}

// Games whose rules gave no answer are void: they are counted, and played again,
// so that what the run says of its games is what it would have been.
func TestVoidGamesAreCounted(t *testing.T) {
	games.Find(func(name string) (games.Game, error) {
		if name != "absent" {
			return nil, nil
		}
		game, err := games.New("kuhn_poker")
		return &absent{Game: game}, err
	})
	t.Cleanup(func() { games.Find(nil) })
	lines := func(game string) (out []map[string]float64) {
		dir := create(t, small, "game="+game, "updates=4", "opponents=self", "evaluate.every=4")
		finish(t, dir, 1)
		for line := range bytes.Lines(outcome(t, dir)["metrics"]) {
			var x map[string]float64
			if err := json.Unmarshal(line, &x); err != nil {
				t.Fatal(err)
			}
			out = append(out, x)
		}
		return out
	}
	want, got := lines("kuhn_poker"), lines("absent")
	voids := 0.0
	for i, line := range want {
		voids += got[i]["voids"]
		for _, name := range []string{"length", "forfeits", "return/first", "return/second"} {
			if line[name] != got[i][name] {
				t.Errorf("update %d: %s is %v, expected %v", i, name, got[i][name], line[name])
			}
		}
		if _, ok := line["voids"]; ok {
			t.Error("voids are counted in a game that answers")
		}
	}
	if voids == 0 {
		t.Error("no void game was counted")
	}
	t.Logf("%g games were void", voids)
}
