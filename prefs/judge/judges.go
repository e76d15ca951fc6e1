package judge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/agon-rl/agon/play"
)

// Noisy answers the other way round with probability Flip:
// P'(a ≻ b) = (1−ε)·P(a ≻ b) + ε·(1 − P(a ≻ b)).
type Noisy struct {
	Judge Judge
	Flip  float64 // ε
}

// Prefer implements Judge.
func (n Noisy) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, err := n.Judge.Prefer(ctx, a, b)
	return p + n.Flip*(1-2*p), err
}

// Close closes the judge.
func (n Noisy) Close() error { return Close(n.Judge) }

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

// Symmetric asks in both orders and takes the mean, (P(a ≻ b) + 1 − P(b ≻ a))/2, which
// cancels a judge's liking for whoever comes first.
type Symmetric struct{ Judge Judge }

// Prefer implements Judge.
func (s Symmetric) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, err := s.Judge.Prefer(ctx, a, b)
	if err != nil {
		return 0, err
	}
	q, err := s.Judge.Prefer(ctx, b, a)
	return (p + 1 - q) / 2, err
}

// Close closes the judge.
func (s Symmetric) Close() error { return Close(s.Judge) }

// Mix is a population of judges of which one, drawn by weight, is asked. Even where
// each has a reward of its own, what the population prefers may go in circles.
type Mix []Weighted

// Weighted is a judge with its weight.
type Weighted struct {
	Judge  Judge
	Weight float64
}

// Prefer implements Judge.
func (m Mix) Prefer(ctx context.Context, a, b *Answer) (float64, error) {
	p, total := 0.0, 0.0
	for _, w := range m {
		x, err := w.Judge.Prefer(ctx, a, b)
		if err != nil {
			return 0, err
		}
		p += w.Weight * x
		total += w.Weight
	}
	if !(total > 0) {
		return 0, fmt.Errorf("feedback mix: the weights sum to %g: expected more than 0", total)
	}
	return p / total, nil
}

// Close closes all judges.
func (m Mix) Close() error {
	errs := make([]error, len(m))
	for i, w := range m {
		errs[i] = Close(w.Judge)
	}
	return errors.Join(errs...)
}
