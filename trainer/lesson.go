package trainer

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
)

// Lesson is a way to learn from turns. There are three: policy gradient, targets and
// slopes.
type Lesson struct {
	Name  string
	Stats []string // names of what a step returns, before the gradient's norm

	// pack adds what the loss reads to the columns of the architecture.
	pack func(c *policy.Columns, turns []policy.Turn)
	// loss is a batch's part of a step's: the parts, and their statistics, add up.
	loss func(out policy.Outputs, c policy.ColumnNodes, k objective.Coefficients) (loss *Node, stats []*Node)
}

// Names of the lessons.
const (
	gradientLesson = "turns"
	targetsLesson  = "targets"
	valuesLesson   = "values"
	slopesLesson   = "slopes"
)

// Advantages learns from advantages by policy gradient, and values from returns.
func Advantages(o objective.PolicyGradient) Lesson {
	return Lesson{Name: gradientLesson, Stats: objective.StatNames, pack: o.Pack, loss: o.Loss}
}

// Targets learns from distributions over actions, and values from returns.
func Targets() Lesson {
	o := objective.Visits{}
	return Lesson{Name: targetsLesson, Stats: objective.VisitStats, pack: o.Pack, loss: o.Loss}
}

// Values is Targets for the value head alone.
func Values() Lesson {
	o := objective.Visits{ValueOnly: true}
	return Lesson{Name: valuesLesson, Stats: objective.VisitStats, pack: o.Pack, loss: o.Loss}
}

// Slopes learns from the slopes of any objective on whole answers. Such an objective
// depends on the network through the answers' log-probabilities alone. Updater.Refer
// says what these are, package objective gives the loss's slopes in them,
// s_i = dL/d log π(y_i), and the graph needs no more to have the same gradient:
//
//	Σ_i s_i · log π(y_i)
//
// So that one graph serves every objective.
func Slopes() Lesson {
	return Lesson{
		Name: slopesLesson, Stats: []string{"entropy"},
		pack: func(c *policy.Columns, turns []policy.Turn) {
			c.ByPick("slope", turns, func(t *policy.Turn, pick int) float32 {
				if t.Slopes == nil { // they are set later; see policy.Batch.SetByPick
					return 0
				}
				return t.Slopes[pick]
			})
		},
		loss: func(out policy.Outputs, c policy.ColumnNodes, k objective.Coefficients) (*Node, []*Node) {
			entropy := Div(ReduceAllSum(Mul(out.Entropy, out.Picks)), k.Picks)
			return ReduceAllSum(Mul(out.LogProb, c["slope"])), []*Node{entropy}
		},
	}
}
