package play

import (
	"testing"
	"time"
)

// A sequence of SplitMix64 from seed 0 (Steele, Lea and Flood 2014): its n-th number is
// the finaliser of n times the golden ratio. Numbers of episodes go through it, so that
// those that follow one another start far apart.
func TestMixIsSplitMix64(t *testing.T) {
	golden := uint64(0x9e3779b97f4a7c15)
	for n, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec} {
		if got := mix(uint64(n+1) * golden); got != want {
			t.Errorf("number %d is %#x, expected %#x", n, got, want)
		}
	}
}

// A seat with a minute for the game and 2 s more for each decision has, after three
// decisions that took 20 s in all, 60 + 3·2 − 20 = 46 s left; what it has for each move
// does not change. A seat that used up all has a nanosecond, since 0 is no limit.
func TestTimeLeft(t *testing.T) {
	for name, test := range map[string]struct {
		clock Clock
		used  Cost
		want  Clock
	}{
		"at the start":    {Clock{Game: time.Minute, Gain: 2 * time.Second}, Cost{}, Clock{Game: time.Minute, Gain: 2 * time.Second}},
		"under way":       {Clock{Game: time.Minute, Gain: 2 * time.Second}, Cost{Moves: 3, Time: 20 * time.Second}, Clock{Game: 46 * time.Second, Gain: 2 * time.Second}},
		"a limit by move": {Clock{Move: time.Second}, Cost{Moves: 3, Time: 20 * time.Second}, Clock{Move: time.Second}},
		"used up":         {Clock{Game: time.Minute, Margin: time.Hour}, Cost{Moves: 3, Time: 2 * time.Minute}, Clock{Game: time.Nanosecond, Margin: time.Hour}},
	} {
		if got := test.clock.left(test.used); got != test.want {
			t.Errorf("%s: %+v, expected %+v", name, got, test.want)
		}
	}
}
