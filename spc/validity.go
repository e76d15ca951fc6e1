package spc

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/trainer"
)

// validity decides whether a step slipped in is wrong. The verifier knows; SPC,
// which has none, completes the solution from the true step and from the other, and
// takes the step for wrong where that succeeds clearly less often.
type validity struct {
	drop      bool
	tries     int     // completions of each
	slips     float64 // how often the solver that completes takes any line, right or wrong
	high, gap float64 // the least success after the true step, and by how much less after the other
}

func parseValidity(text string) (validity, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return validity{}, fmt.Errorf("critic.validity: %w", err)
	}
	r := spec.Read(s)
	v := validity{drop: s.Name == "drop"}
	switch s.Name {
	case "exact":
	case "drop":
		v.tries, v.slips = r.Int("tries", 8, 1, 1024), r.Float("slips", 0.1, 0, 1)
		v.high, v.gap = r.Float("high", 0.5, 0, 1), r.Float("gap", 0.25, 0, 1)
	default:
		return v, fmt.Errorf("critic.validity: unknown form %q%s; there are exact, drop", s.Name, spec.Suggest(s.Name, []string{"exact", "drop"}))
	}
	if err := r.Err(); err != nil {
		return v, fmt.Errorf("critic.validity: %w", err)
	}
	return v, nil
}

// wrong tells whether a line is wrong by the drop of success, SPC section 3.2:
//
//	success(true line) ≥ high  and  success(true line) − success(line) ≥ gap
//
// Success is the right answer at the end, as a solver without a verifier sees it.
func (v validity) wrong(at problem.Solution, right, line problem.Line, r *rand.Rand) bool {
	truth := complete(at, right, 0, r)
	success := func(l problem.Line) float64 {
		hits := 0
		for range v.tries {
			if answer := complete(at, l, v.slips, r); answer != "" && answer == truth {
				hits++
			}
		}
		return float64(hits) / float64(v.tries)
	}
	before := success(right)
	return before >= v.high && before-success(line) >= v.gap
}

// complete solves the problem on from a line, which it believes, and returns the
// answer; "" where it comes to none. The solver takes right lines that lead on, and
// any line with the probability slips.
func complete(at problem.Solution, line problem.Line, slips float64, r *rand.Rand) string {
	s := at.Believe(line)
	for s.Turn() != games.Over {
		var open, right []problem.Line
		for _, l := range s.Next() {
			if l.Action == problem.NoAction {
				continue
			}
			if open = append(open, l); l.Slip == "" {
				right = append(right, l)
			}
		}
		if len(open) == 0 {
			break
		}
		if len(right) == 0 || r.Float64() < slips {
			right = open
		}
		if s.Apply(right[r.IntN(len(right))].Action) != nil {
			break
		}
	}
	return s.Answer()
}

// judgeValidity has the success rate decide instead of the verifier, where the recipe
// says so: a step that it takes for right is refused, so that the sneaky player loses
// and the critic's answer is nothing to learn from. It counts where the two disagree:
// on what the sneaky player wrote, and on right lines, one in each clean solution.
func (m *rounds) judgeValidity(episodes []*play.Episode, line trainer.Line) error {
	if !m.validity.drop {
		return nil
	}
	written, differ, right, condemned := 0.0, 0.0, 0.0, 0.0
	for _, e := range episodes {
		s, err := m.replay(e)
		if err != nil {
			return err
		}
		at, shown := s.Shown()
		r := play.Generator(m.Recipe.Seed, "validity", e.Number)
		if s.Clean() {
			if right++; m.validity.wrong(at, s.Right(), rightLine(at, r), r) {
				condemned++
			}
			continue
		}
		if shown == nil {
			continue
		}
		wrong := m.validity.wrong(at, s.Right(), *shown, r)
		if written++; wrong != s.Wrong() {
			differ++
		}
		if wrong {
			continue
		}
		e.Returns[sneakycritic.Sneaky], e.Returns[sneakycritic.Critic] = -1, 1
		for i := range e.Turns {
			if e.Turns[i].Seat == sneakycritic.Critic {
				e.Turns[i].Record = nil
			}
		}
	}
	if written > 0 {
		line["validity/differ"] = differ / written
	}
	if right > 0 {
		line["validity/condemned"] = condemned / right
	}
	return nil
}

// rightLine draws one of the right lines that lead on from where a clean solution
// stands.
func rightLine(at problem.Solution, r *rand.Rand) problem.Line {
	right := slices.DeleteFunc(at.Next(), func(l problem.Line) bool { return l.Slip != "" })
	return right[r.IntN(len(right))]
}

// replay plays an episode again, to its end.
func (m *rounds) replay(e *play.Episode) (*sneakycritic.State, error) {
	s := m.spc.Start().(*sneakycritic.State)
	for _, a := range e.Actions {
		if err := s.Apply(a); err != nil {
			return nil, fmt.Errorf("episode %d: %w", e.Number, err)
		}
	}
	return s, nil
}
