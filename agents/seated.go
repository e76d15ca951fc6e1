package agents

import (
	"context"
	"errors"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// seated plays each seat with a policy of its own.
type seated []*Sampler

var (
	_ play.Agent = (seated)(nil)
	_ Queryable  = (seated)(nil)
)

// Act implements play.Agent.
func (a seated) Act(ctx context.Context, in []play.Request, out []play.Decision) error {
	for seat, sampler := range a {
		var some []play.Request
		var place []int
		for i, request := range in {
			if request.State.Turn() == games.Seat(seat) {
				some, place = append(some, request), append(place, i)
			}
		}
		if len(some) == 0 {
			continue
		}
		decisions := make([]play.Decision, len(some))
		if err := sampler.Act(ctx, some, decisions); err != nil {
			return err
		}
		for i, d := range decisions {
			out[place[i]] = d
		}
	}
	return nil
}

// Policy implements Queryable.
func (a seated) Policy() policy.Policy {
	policies := make(Seated, len(a))
	for i, s := range a {
		policies[i] = s.Policy()
	}
	return policies
}

// Close implements play.Agent.
func (a seated) Close() error {
	var errs []error
	for _, s := range a {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Seated is a policy made of one for each seat.
type Seated []policy.Policy

// Probabilities implements policy.Policy.
func (p Seated) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	for seat, own := range p {
		var some []games.State
		var probs [][]float64
		for i, s := range states {
			if s.Turn() == games.Seat(seat) {
				some, probs = append(some, s), append(probs, out[i])
			}
		}
		if len(some) == 0 {
			continue
		}
		if err := own.Probabilities(ctx, some, probs); err != nil {
			return err
		}
	}
	return nil
}
