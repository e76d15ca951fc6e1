package trainer

import (
	"fmt"
	"math"
	"strconv"

	"github.com/agon-rl/agon/internal/spec"
)

// Schedule is a number that changes over a run's updates: a plain number, or
// one of
//
//	linear(from,to)          from at the first update to to at the last
//	cosine(from,to)          the same along half a cosine
//	inverse(from,half=300)   from/(1+u/half): halved after half updates
//	exponential(from,half=300,to=0)  to + (from−to)·2^(−u/half)
type Schedule string

// ScheduleNames lists the forms besides a plain number.
var ScheduleNames = []string{"linear", "cosine", "inverse", "exponential"}

const (
	scheduleForms = "linear(from,to), cosine(from,to), inverse(from,half), exponential(from,half,to)"
	// mostScheduled bounds rates and weights, none of which may be negative: a
	// negative rate would climb the loss.
	mostScheduled = 1e9
)

// Compile returns the schedule as a function of the update, 0-based, in a run
// of total updates.
func (s Schedule) Compile(total int) (func(update int) float64, error) {
	if value, err := strconv.ParseFloat(string(s), 64); err == nil {
		if !(value >= 0 && value <= mostScheduled) {
			return nil, fmt.Errorf("%q: expected a number from 0 to %g", string(s), mostScheduled)
		}
		return func(int) float64 { return value }, nil
	}
	parsed, err := spec.Parse(string(s))
	if err != nil {
		return nil, err
	}
	r := spec.Read(parsed)
	// A number without a default is NaN where it is missing.
	number := func(key string) float64 { return r.Float(key, math.NaN(), 0, mostScheduled) }
	span := math.Max(1, float64(total-1))
	var f func(float64) float64
	switch parsed.Name {
	case "linear":
		from, to := number("from"), number("to")
		f = func(u float64) float64 { return from + (to-from)*u/span }
	case "cosine":
		from, to := number("from"), number("to")
		f = func(u float64) float64 { return to + (from-to)*(1+math.Cos(math.Pi*u/span))/2 }
	case "inverse":
		from, half := number("from"), r.Float("half", 300, 1e-9, 1e12)
		f = func(u float64) float64 { return from / (1 + u/half) }
	case "exponential":
		from, half, to := number("from"), r.Float("half", 300, 1e-9, 1e12), r.Float("to", 0, 0, mostScheduled)
		f = func(u float64) float64 { return to + (from-to)*math.Exp2(-u/half) }
	default:
		return nil, fmt.Errorf("%q: expected a number or one of %s%s",
			string(s), scheduleForms, spec.Suggest(parsed.Name, ScheduleNames))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if math.IsNaN(f(0)) {
		return nil, fmt.Errorf("%q: too few numbers: expected one of %s", string(s), scheduleForms)
	}
	return func(update int) float64 { return f(math.Min(float64(update), span)) }, nil
}
