package arena

import (
	"fmt"

	"github.com/agon-rl/agon/internal/spec"
)

// Schedule decides who meets whom.
type Schedule interface {
	check(entrants int) error
	// next returns the units that can be played now, given the table of all before;
	// none when the tournament is over.
	next(t *Table) []Unit
	// planned is how many units there will be at most; 0 where that depends on the
	// games.
	planned(entrants int) int
}

// Schedules are the formats that can be named. Each is added by the file that defines it.
var Schedules spec.Registry[scheduler]

// scheduler makes a schedule of the settings in r; rounds are the units of every meeting.
type scheduler func(r *spec.Reader, rounds int, seed uint64) Schedule

// ParseSchedule reads a format. Rounds are the units of every meeting.
func ParseSchedule(text string, rounds int, seed uint64) (Schedule, error) {
	if rounds < 1 {
		return nil, fmt.Errorf("rounds=%d: expected 1 or more", rounds)
	}
	kind, r, err := Schedules.Read(text)
	if err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	out := kind.Value(r, rounds, seed)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	return out, nil
}
