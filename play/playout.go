package play

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/agon-rl/agon/games"
)

// Playout plays games to their end with uniformly random actions, chance by
// its odds. It holds what one goroutine needs, so that after the first game
// nothing is allocated where states are games.Copiers. The zero value is
// ready.
type Playout struct {
	copy    games.State   // From's
	state   games.State   // played last
	sampler games.Sampler // state, where its chance is sampled
	dice    games.Dice    // state, where its chance may be dice
	actions []games.Action
	odds    []float64
	returns []float64
}

// From plays one game from a state, which it leaves alone, and returns what
// every seat gets. The slice is valid until the next call.
func (p *Playout) From(start games.State, r *rand.Rand) ([]float64, error) {
	p.copy = games.Copy(p.copy, start)
	return p.Finish(p.copy, r)
}

// Finish plays a state itself to its end and returns what every seat gets. The
// slice is valid until the next call.
func (p *Playout) Finish(s games.State, r *rand.Rand) ([]float64, error) {
	if s != p.state {
		p.state = s
		p.sampler, _ = s.(games.Sampler)
		p.dice, _ = s.(games.Dice)
	}
	die := die{r: r}
	for {
		var action games.Action
		switch turn := s.Turn(); {
		case turn >= 0:
			p.actions = s.Actions(p.actions[:0])
			if len(p.actions) == 0 {
				return nil, fmt.Errorf("playout: seat %d is to move and has no listed action", turn)
			}
			action = p.actions[die.roll(len(p.actions))]
		case turn == games.Over:
			p.returns = s.Returns(p.returns[:0])
			return p.returns, nil
		default:
			var err error
			if action, err = p.draw(&die); err != nil {
				return nil, fmt.Errorf("playout: %w", err)
			}
		}
		if err := s.Apply(action); err != nil {
			return nil, fmt.Errorf("playout: %w", err)
		}
	}
}

// draw is games.Draw without its allocations.
func (p *Playout) draw(d *die) (games.Action, error) {
	if p.sampler != nil {
		return p.sampler.Sample(d.r), nil
	}
	if p.dice != nil {
		if n := p.dice.Faces(); n > 0 {
			return games.Action(d.roll(n)), nil
		}
	}
	p.actions = p.state.Actions(p.actions[:0])
	p.odds = p.state.Odds(p.odds[:0])
	if len(p.actions) == 0 || len(p.odds) != len(p.actions) {
		return 0, fmt.Errorf("a chance node with %d outcomes has %d odds", len(p.actions), len(p.odds))
	}
	if uniform(p.odds) {
		return p.actions[d.roll(len(p.actions))], nil
	}
	x := d.r.Float64()
	for i, chance := range p.odds {
		if x -= chance; x < 0 {
			return p.actions[i], nil
		}
	}
	return p.actions[len(p.actions)-1], nil
}

func uniform(odds []float64) bool {
	first := odds[0]
	for _, p := range odds[1:] {
		if p != first {
			return false
		}
	}
	return true
}

// die draws many small numbers from few words of a generator. A word is read
// as a fraction in [0, 1): times n, its whole part is the number drawn and
// what is left is a fraction again (Lemire's multiply-shift, used up to the
// last good bit). A word is given up once 32 of its 64 bits are spent, so a
// number's odds are off by less than n/2^32.
type die struct {
	r    *rand.Rand
	word uint64
	good uint64 // how many values word may still have, at least; 0 before the first word
}

// roll returns a number in [0, n).
func (d *die) roll(n int) int {
	if d.good < 1<<32 {
		d.word, d.good = d.r.Uint64(), 1<<63
	}
	whole, rest := bits.Mul64(d.word, uint64(n))
	d.word = rest
	d.good >>= bits.Len(uint(n - 1))
	return int(whole)
}

// Playouts plays random games from a state for as long as asked and returns
// how many there were and how long they took.
func Playouts(start games.State, least time.Duration, r *rand.Rand) (count int, took time.Duration, err error) {
	const batch = 256 // games between two looks at the clock
	var p Playout
	for began := time.Now(); took < least; took = time.Since(began) {
		for range batch {
			if _, err := p.From(start, r); err != nil {
				return count, took, err
			}
			count++
		}
	}
	return count, took, nil
}
