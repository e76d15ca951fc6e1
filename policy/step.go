package policy

import (
	"unsafe"

	"github.com/agon-rl/agon/games"
)

// Pick is one choice as it was sampled: an action, or a token of a text.
type Pick struct {
	Token   games.Action   // the action, or the token's id
	LogProb float32        // under the policy that acted, at the temperature it acted with
	Allowed []games.Action // what could be picked, in the game's order; nil: the whole vocabulary
}

// Step is what a policy records of one turn: what it saw and what it picked. A move on
// a board is one pick, an answer in words one for each token.
type Step struct {
	Input Input
	Picks []Pick
	Value float32 // what the policy expected its seat to get
}

// Input is what a policy saw, in a form that its own architecture reads: Encoded for
// networks.
type Input any

// Encoded is a state as a network sees it.
type Encoded []float32

// Action is the action of a turn that is one pick.
func (s *Step) Action() games.Action { return s.Picks[0].Token }

// StateValue implements rae.Valued.
func (s *Step) StateValue() float64 { return float64(s.Value) }

// Turn is what an update learns from one turn: the step, and what a lesson says of it.
// Only what the lesson reads must be given.
type Turn struct {
	*Step
	Advantage float32   // of policy gradient
	Return    float32   // the value head's target
	Target    []float32 // a distribution over what the first pick could have been, parallel to Allowed
	Slopes    []float32 // dL/d log π of each pick
}

// rowSet numbers distinct encoded states. Small games meet the same states
// again and again, so a batch of thousands of turns is often a few rows.
type rowSet struct {
	width int
	index map[string]int32
	rows  []float32
}

func newRowSet(width, capacity int) *rowSet {
	return &rowSet{width: width, index: make(map[string]int32, capacity), rows: make([]float32, 0, capacity*width)}
}

func (s *rowSet) len() int { return len(s.index) }

// add returns the number of the row equal to x. The set keeps its own copy.
func (s *rowSet) add(x []float32) int32 {
	if row, ok := s.index[bytesOf(x)]; ok {
		return row
	}
	row := int32(len(s.index))
	s.rows = append(s.rows, x...)
	s.index[string([]byte(bytesOf(x)))] = row
	return row
}

// bytesOf views floats as a string without copying; it is used for look-ups
// only.
func bytesOf(x []float32) string {
	return unsafe.String((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
