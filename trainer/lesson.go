package trainer

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
)

// Lesson is a kind of batch that an updater learns from, with its loss. An
// update may hold several lessons, one after the other: turns with their
// advantages, a search's targets, step preferences.
type Lesson struct {
	Name  string
	Stats []string // names of what an update's step returns, before the gradient's norm

	tensors  int // of a batch
	validate func() error
	loss     func(u *Updater, n nodes) (loss *Node, stats []*Node)
	outputs  func(u *Updater, n nodes) *Node // what LogProbs returns; nil for most
}

// Turns is the lesson of policy.NewBatch: policy gradient. The magnet is the
// updater's copy of the network if copies is set, else uniform.
func Turns(o objective.PolicyGradient, copies bool) Lesson {
	return Lesson{
		Name: "turns", Stats: objective.StatNames, tensors: policy.TurnTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			mask, row, action := n.batch[1], n.batch[2], n.batch[3]
			spread := func(x *Node) *Node { return Gather(x, row) }
			lp, values := u.evaluate(n.params, n)
			turns := objective.Turns{
				LogProbs: spread(lp), Mask: spread(mask),
				Chosen:    OneHot(action, u.model.Info.Actions, lp.DType()),
				Behaviour: n.batch[4], Advantage: n.batch[5], Return: n.batch[6], Weight: n.batch[7],
				Values:        spread(values),
				EntropyWeight: n.knob(1), MagnetWeight: n.knob(2), ValueWeight: n.knob(3),
			}
			if copies {
				target, _ := u.evaluate(n.magnet, n)
				turns.Magnet = StopGradient(spread(target))
			}
			return o.Loss(turns)
		},
	}
}

// Targets is the lesson of policy.NewTargetBatch: expert iteration.
func Targets() Lesson { return targets("targets", objective.Visits{}) }

// Values is the same lesson for the value head alone.
func Values() Lesson { return targets("values", objective.Visits{ValueOnly: true}) }

func targets(name string, o objective.Visits) Lesson {
	return Lesson{
		Name: name, Stats: objective.VisitStats, tensors: policy.TargetTensors, validate: func() error { return nil },
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			spread := func(x *Node) *Node { return Gather(x, n.batch[2]) }
			lp, values := u.evaluate(n.params, n)
			return o.Loss(objective.Targets{
				LogProbs: spread(lp), Mask: spread(n.batch[1]), Values: spread(values),
				Target: n.batch[3], Return: n.batch[4], Weight: n.batch[5],
				EntropyWeight: n.knob(1), ValueWeight: n.knob(3),
			})
		},
	}
}

// Preferences is the lesson of policy.NewPreferenceBatch. The reference is the
// updater's copy of the network if copies is set, else what was logged.
func Preferences(o objective.Pair, copies bool) Lesson {
	return Lesson{
		Name: "preferences", Stats: objective.PairStats, tensors: policy.PreferenceTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			row, chosen, rejected := n.batch[2], n.batch[3], n.batch[4]
			at := func(logProbs, action *Node) *Node { return u.taken(logProbs, row, action) }
			lp, _ := u.evaluate(n.params, n)
			one := OnesLike(n.batch[12])
			pairs := objective.Pairs{
				Chosen: at(lp, chosen), Rejected: at(lp, rejected), ChosenLength: one, RejectedLength: one,
				ChosenReference: n.batch[5], RejectedReference: n.batch[6], ChosenQ: scoreOf(o, n.batch[7]), RejectedQ: scoreOf(o, n.batch[8]),
				ChosenVisits: n.batch[9], RejectedVisits: n.batch[10], Doubt: n.batch[11], Weight: n.batch[12],
			}
			if copies {
				reference, _ := u.evaluate(n.magnet, n)
				pairs.ChosenReference, pairs.RejectedReference = at(reference, chosen), at(reference, rejected)
			}
			return o.Loss(pairs)
		},
	}
}

// scoreOf is a value from -1 to 1 as the objective takes it: a win rate, if it wants one.
func scoreOf(o objective.Pair, value *Node) *Node {
	if o.OfWinRates() {
		return MulScalar(OnePlus(value), 0.5)
	}
	return value
}

// Labelled is the lesson of policy.NewPreferenceBatch whose chosen actions are
// desirable and whose rejected ones are not, each by itself: KTO. Where actions
// are listed, z₀ is known: the mean KL of the policy from the reference at the
// batch's states. That takes all of the reference's probabilities, so it is the
// updater's copy.
func Labelled(o objective.KTO) Lesson {
	return Lesson{
		Name: "labelled", Stats: objective.KTOStats, tensors: policy.PreferenceTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			mask, row, weight := n.batch[1], n.batch[2], n.batch[12]
			lp, _ := u.evaluate(n.params, n)
			reference, _ := u.evaluate(n.magnet, n)
			both := func(logProbs *Node) *Node {
				all := Gather(logProbs, row)
				at := func(action *Node) *Node {
					return ReduceSum(Mul(all, OneHot(action, u.model.Info.Actions, all.DType())), -1)
				}
				return Concatenate([]*Node{at(n.batch[3]), at(n.batch[4])}, 0)
			}
			kl := Gather(ReduceSum(Mul(Mul(Exp(lp), Sub(lp, reference)), mask), -1), row)
			one := OnesLike(weight)
			return o.Loss(objective.Labelled{
				LogProb: both(lp), Reference: both(reference),
				Desirable: Concatenate([]*Node{one, ZerosLike(one)}, 0),
				Weight:    Concatenate([]*Node{weight, weight}, 0),
				KL:        Div(ReduceAllSum(Mul(kl, weight)), ReduceAllSum(weight)),
			})
		},
	}
}

// Comparisons is the lesson of policy.NewComparisonBatch: a preference objective
// on whole games, whose log-probability is the sum of their steps'. The
// reference is what was logged.
func Comparisons(o objective.Pair) Lesson {
	return Lesson{
		Name: "comparisons", Stats: objective.PairStats, tensors: policy.ComparisonTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			row, action, pair, logged, side := n.batch[2], n.batch[3], n.batch[4], n.batch[5], n.batch[6]
			lp, _ := u.evaluate(n.params, n)
			own := u.taken(lp, row, action)
			sum := func(x, side *Node) *Node { // by comparison
				return ReduceSum(Mul(OneHot(pair, pair.Shape().Dim(0), x.DType()), InsertAxes(Mul(x, side), -1)), 0)
			}
			chosen, rejected := MaxScalar(side, 0), MaxScalar(Neg(side), 0)
			one := OnesLike(n.batch[7])
			return o.Loss(objective.Pairs{
				Chosen: sum(own, chosen), Rejected: sum(own, rejected),
				ChosenReference: sum(logged, chosen), RejectedReference: sum(logged, rejected),
				ChosenLength: one, RejectedLength: one, ChosenQ: scoreOf(o, one), RejectedQ: scoreOf(o, Neg(one)), ChosenVisits: one, RejectedVisits: one,
				Weight: n.batch[7],
			})
		},
	}
}

// Sentences is the lesson of policy.NewSentenceBatch: SPC's offline objective.
func Sentences(o objective.Sentence) Lesson { return sentences("sentences", o) }

// Imitation is the same lesson where all answers are to be imitated.
func Imitation() Lesson { return sentences("imitation", objective.Sentence{Clip: 0.5, Imitate: 1}) }

func sentences(name string, o objective.Sentence) Lesson {
	return Lesson{
		Name: name, Stats: objective.SentenceStats, tensors: policy.SentenceTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			row, action, answer, share, reference := n.batch[2], n.batch[3], n.batch[4], n.batch[5], n.batch[6]
			lp, _ := u.evaluate(n.params, n)
			own := u.taken(lp, row, action)
			mean := func(x *Node) *Node { // by answer
				return ReduceSum(Mul(OneHot(answer, answer.Shape().Dim(0), x.DType()), InsertAxes(Mul(x, share), -1)), 0)
			}
			kind := n.batch[8]
			return o.Loss(objective.Sentences{
				LogProb: mean(own), Reference: mean(reference), Reward: n.batch[7],
				Rewarded: MaxScalar(kind, 0), Imitated: MaxScalar(Neg(kind), 0),
			})
		},
	}
}

// TrajectoryStats names the statistics of the lesson Trajectories.
var TrajectoryStats = []string{"entropy"}

// Trajectories is the lesson of policy.NewTrajectoryBatch. A preference objective
// on whole trajectories depends on the network through their log-probabilities
// alone. Package objective gives its slopes in them, s_i = dL/d log π(y_i), and the
// graph needs no more to have the same gradient:
//
//	Σ_i s_i · log π(y_i)
//
// So that one graph serves every objective. The slopes are of the weights that take
// the step; Updater.LogProbs says what the log-probabilities are.
func Trajectories() Lesson {
	return Lesson{
		Name: "trajectories", Stats: TrajectoryStats, tensors: policy.TrajectoryTensors, validate: func() error { return nil },
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			mask, row, action, real, slope := n.batch[1], n.batch[2], n.batch[3], n.batch[4], n.batch[5]
			lp, _ := u.evaluate(n.params, n)
			entropy := Gather(Neg(ReduceSum(Mul(Mul(Exp(lp), lp), mask), -1)), row)
			return ReduceAllSum(Mul(u.taken(lp, row, action), slope)), []*Node{Div(ReduceAllSum(Mul(entropy, real)), ReduceAllSum(real))}
		},
		outputs: func(u *Updater, n nodes) *Node {
			lp, _ := u.evaluate(n.params, n)
			return u.taken(lp, n.batch[2], n.batch[3])
		},
	}
}

// taken are the log-probabilities of the actions taken, by step.
func (u *Updater) taken(logProbs, row, action *Node) *Node {
	return ReduceSum(Mul(Gather(logProbs, row), OneHot(action, u.model.Info.Actions, logProbs.DType())), -1)
}

// Lists is the lesson of policy.NewListingBatch: TPO. References are as for
// Preferences.
func Lists(o objective.List, copies bool) Lesson {
	return Lesson{
		Name: "lists", Stats: objective.PairStats, tensors: policy.ListingTensors, validate: o.Validate,
		loss: func(u *Updater, n nodes) (*Node, []*Node) {
			spread := func(x *Node) *Node { return Gather(x, n.batch[2]) }
			tried := n.batch[5]
			lp, _ := u.evaluate(n.params, n)
			reference := n.batch[6]
			if copies {
				r, _ := u.evaluate(n.magnet, n)
				reference = spread(r)
			}
			// Illegal actions have a huge negative log-probability: out of sight.
			return o.Loss(objective.Lists{
				LogProbs: Mul(spread(lp), tried), Reference: Mul(reference, tried),
				Value: n.batch[3], Rank: n.batch[4], Mask: tried, Weight: n.batch[7],
			})
		},
	}
}

// evaluate returns the log-probabilities [rows, actions] and values [rows] of
// the batch's distinct states.
func (u *Updater) evaluate(params []*Node, n nodes) (logProbs, values *Node) {
	states, mask := n.batch[0], n.batch[1]
	logits, values := u.model.Arch.Forward(params, u.model.Encoder.Shape(), states)
	// An illegal action's logit drops by 1e9, so its probability is exactly 0.
	masked := Add(Mul(logits, mask), MulScalar(AddScalar(mask, -1), 1e9))
	return LogSoftmax(masked), values
}
