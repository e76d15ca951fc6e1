package judge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "draws", Usage: "draws(votes=1,seed=1,judge=outcome)", Help: "labels drawn once a pair",
		Value: func(r *spec.Reader, env Environment) (Judge, error) {
			votes, seed := r.Int("votes", 1, 1, 1<<20), r.Int("seed", 1, 0, math.MaxInt)
			return env.around("draws", r, func(f Judge) Judge { return Draws{f, votes, uint64(seed)} })
		},
	})
}

// Draws are labels: the share of Votes drawn independently with the judge's
// probability that fell on a. A pair gets the same votes however often and in whichever
// order it is asked for, as in a set of labels that was gathered once.
type Draws struct {
	Judge Judge
	Votes int
	Seed  uint64
}

// Prefer implements Judge.
func (d Draws) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, err := d.Judge.Prefer(ctx, a, b)
	if err != nil {
		return 0, err
	}
	x, y := a.fingerprint(), b.fingerprint()
	swapped := x > y
	if swapped {
		x, y, p = y, x, 1-p
	}
	r := play.Generator(d.Seed, "feedback/draws", x, y)
	votes := 0
	for range d.Votes {
		if r.Float64() < p {
			votes++
		}
	}
	share := float64(votes) / float64(d.Votes)
	switch {
	case x == y:
		return 0.5, nil
	case swapped:
		return 1 - share, nil
	}
	return share, nil
}

// Close closes the judge.
func (d Draws) Close() error { return Close(d.Judge) }

// fingerprint tells answers apart.
func (a *Answer) fingerprint() uint64 {
	var buf []byte
	number := func(x uint64) { buf = binary.LittleEndian.AppendUint64(buf, x) }
	text := func(s string) { number(uint64(len(s))); buf = append(buf, s...) }
	floats := func(x []float64) {
		number(uint64(len(x)))
		for _, v := range x {
			number(math.Float64bits(v))
		}
	}
	text(a.Prompt)
	text(a.Text)
	number(uint64(len(a.Actions)))
	for _, x := range a.Actions {
		number(uint64(x))
	}
	number(uint64(len(a.States)))
	for _, x := range a.States {
		number(uint64(x))
	}
	floats(a.Features)
	floats(a.Rewards)
	floats(a.Hopes)
	number(math.Float64bits(a.Return))
	hash := sha256.Sum256(buf)
	return binary.LittleEndian.Uint64(hash[:])
}
