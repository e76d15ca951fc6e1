package trainer

import (
	"fmt"
	"math"
	"strconv"

	"github.com/agon-rl/agon/internal/spec"
)

// Schedule is a number that changes over a run's updates: a plain number, or one of
// ScheduleForms.
type Schedule string

// course reads a schedule's numbers and returns it as a function of the update, in a
// run whose last update is span.
type course func(r *spec.Reader, span float64) func(u float64) float64

// schedules are the forms by name.
var schedules spec.Registry[course]

// ScheduleForms documents what a schedule may be, beside a plain number.
func ScheduleForms() string { return schedules.Help() }

// mostScheduled bounds rates and weights, none of which may be negative: a
// negative rate would climb the loss.
const mostScheduled = 1e9

func init() {
	// A number without a default is NaN where it is missing.
	number := func(r *spec.Reader, key string) float64 { return r.Float(key, math.NaN(), 0, mostScheduled) }
	half := func(r *spec.Reader) float64 { return r.Float("half", 300, 1e-9, 1e12) }
	add := schedules.Register
	add("linear", "linear(from,to)", "from at the first update to to at the last", func(r *spec.Reader, span float64) func(float64) float64 {
		from, to := number(r, "from"), number(r, "to")
		return func(u float64) float64 { return from + (to-from)*u/span }
	})
	add("cosine", "cosine(from,to)", "the same along half a cosine", func(r *spec.Reader, span float64) func(float64) float64 {
		from, to := number(r, "from"), number(r, "to")
		return func(u float64) float64 { return to + (from-to)*(1+math.Cos(math.Pi*u/span))/2 }
	})
	add("inverse", "inverse(from,half=300)", "from/(1+u/half): halved after half updates", func(r *spec.Reader, _ float64) func(float64) float64 {
		from, half := number(r, "from"), half(r)
		return func(u float64) float64 { return from / (1 + u/half) }
	})
	add("exponential", "exponential(from,half=300,to=0)", "to + (from−to)·2^(−u/half)", func(r *spec.Reader, _ float64) func(float64) float64 {
		from, half, to := number(r, "from"), half(r), r.Float("to", 0, 0, mostScheduled)
		return func(u float64) float64 { return to + (from-to)*math.Exp2(-u/half) }
	})
}

// Compile returns the schedule as a function of the update, 0-based, in a run
// of total updates.
func (s Schedule) Compile(total int) (func(update int) float64, error) {
	if value, err := strconv.ParseFloat(string(s), 64); err == nil {
		if !(value >= 0 && value <= mostScheduled) {
			return nil, fmt.Errorf("%q: expected a number from 0 to %g", string(s), mostScheduled)
		}
		return func(int) float64 { return value }, nil
	}
	e, r, err := schedules.Read(string(s))
	if err != nil {
		return nil, fmt.Errorf("%w: expected a number, or one of them", err)
	}
	span := math.Max(1, float64(total-1))
	f := e.Value(r, span)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if math.IsNaN(f(0)) {
		return nil, fmt.Errorf("%q: too few numbers: expected %s", string(s), e.Usage)
	}
	return func(update int) float64 { return f(math.Min(float64(update), span)) }, nil
}
