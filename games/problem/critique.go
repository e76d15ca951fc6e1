package problem

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
)

// LeadsAway is the kind of a line that is true and from which the goal is out of
// reach.
const LeadsAway = "leads away"

// Errors are the kinds of wrong line of a domain, by name.
type Errors struct {
	Naive []string // those that come to mind first; part of Menu
	Menu  []string // those that can be named, and have lines in Solution.Next
	Other []string // those that only free writing reaches
}

// Count tells whether a kind is one of the domain's. A true line that leads away
// is wrong only where the domain says so.
func (e Errors) Count(kind string) bool {
	return slices.Contains(e.Menu, kind) || slices.Contains(e.Other, kind)
}

// All are the kinds in their order.
func (e Errors) All() []string { return slices.Concat(e.Menu, e.Other) }

// Slot is one of the choices that free writing makes.
type Slot struct {
	Name   string
	Values int // it is 0 to Values-1
}

// Critique says what a critic is to find in a domain, and what it sees.
type Critique struct {
	Errors Errors
	Slots  []Slot
	View   int // values that a network sees of a line where it stands
}

// Criticised is implemented by games whose lines a critic can judge.
type Criticised interface {
	games.Game
	Critique() Critique
}

// Solution is implemented by the states of such games, once the problem is drawn.
type Solution interface {
	games.State
	Verified
	// Next returns the lines that may stand here: right ones, which the game can
	// play, and wrong ones of the menu's kinds. Their texts differ.
	Next() []Line
	// Write returns the line that free choices make in place of a right one, with
	// the truth about it. It is false where they make none.
	Write(right Line, choices []int) (Line, bool)
	// Judge writes what a critic sees of a line here: Critique.View values, all
	// zero before.
	Judge(line Line, dst []float32)
	// Believe is where the solution stands after a line, right or wrong, if it is
	// believed.
	Believe(line Line) Solution
	// Before is where the solution stood before its last line, and that line with
	// the truth about it. It is false where no line is written yet.
	Before() (at Solution, line Line, ok bool)
	// Answer is what the solution comes to; "" before its end.
	Answer() string
}

// Follow solves a problem on as one does who believes what is written: by lines that
// are right and lead on, or at least true where an error has left none that lead on. It
// visits each line where it stands and returns the end, which may come early where
// nothing true is left to say.
func Follow(at Solution, r *rand.Rand, visit func(at Solution, line Line)) (end Solution) {
	for at.Turn() != games.Over {
		var right, away []Line
		for _, l := range at.Next() {
			switch l.Slip {
			case "":
				right = append(right, l)
			case LeadsAway:
				away = append(away, l)
			}
		}
		if right == nil {
			right = away
		}
		if right == nil {
			break
		}
		line := right[r.IntN(len(right))]
		visit(at, line)
		at = at.Believe(line)
	}
	return at
}

// NoAction is the action of a line that the game cannot play.
const NoAction games.Action = -1

// Digits writes the decimal digits of a number from 0 up, each as one of ten, the
// last digit first: ten values a digit.
func Digits(number int, dst []float32) {
	for ; len(dst) >= 10; dst = dst[10:] {
		dst[number%10] = 1
		number /= 10
	}
}

// SymmetricLog squeezes a number of any size into a few units.
func SymmetricLog(x float64) float32 {
	return float32(math.Copysign(math.Log1p(math.Abs(x)), x))
}
