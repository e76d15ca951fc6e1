package trainer

import (
	"fmt"
	"math"
	"strconv"

	"github.com/agon-rl/agon/spec"
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

// Compile returns the schedule as a function of the update, 0-based, in a run
// of total updates.
func (s Schedule) Compile(total int) (func(update int) float64, error) {
	if value, err := strconv.ParseFloat(string(s), 64); err == nil {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%q: expected a finite number", string(s))
		}
		return func(int) float64 { return value }, nil
	}
	parsed, err := spec.Parse(string(s))
	if err != nil {
		return nil, err
	}
	r := spec.Read(parsed)
	number := func(key string) float64 { return r.Float(key, 0, -1e9, 1e9) }
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
		from, half, to := number("from"), r.Float("half", 300, 1e-9, 1e12), number("to")
		f = func(u float64) float64 { return to + (from-to)*math.Exp2(-u/half) }
	default:
		return nil, fmt.Errorf("%q: expected a number or one of linear(from,to), cosine(from,to), inverse(from,half), exponential(from,half,to)%s",
			string(s), spec.Suggest(parsed.Name, ScheduleNames))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return func(update int) float64 { return f(math.Min(float64(update), span)) }, nil
}
