package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/policy"
)

// ReferenceForms documents what a recipe's preferences.reference may be. θ_t is the
// network as it is when the update begins.
const ReferenceForms = `auto                     what the objective names: θ_0, or θ_t where its reference is the previous policy
fixed                    the network as it was drawn, θ_0
previous                 θ_t
every(10)                the network as it was at the last multiple of so many updates
ema(decay=0.9,every=1)   a moving average of the weights
geometric(weight=0.33)   θ_0^weight · θ_t^(1−weight)
extrapolated(alpha=0.3)  θ_t^(1+alpha) / θ_(t−1)^alpha (accelerated APO, arXiv 2410.06293)`

// autoReference leaves the reference to the objective.
const autoReference = "auto"

// references says which networks an update's references are, by the schedule of the
// recipe, and remembers what they need of earlier updates.
type references struct {
	objective.References
	keep int // θ_(t−1), …, θ_(t−keep) are kept

	update      int               // t
	fixed, held *policy.Weights   // θ_0; what every and ema have come to
	past        []*policy.Weights // θ_(t−1), θ_(t−2), …
}

func parseReference(text string) (references, error) {
	if text == autoReference {
		text = "fixed"
	}
	kinds := append([]string{autoReference}, objective.ReferenceKinds...)
	if s, err := spec.Parse(text); err == nil && !slices.Contains(kinds, s.Name) {
		return references{}, fmt.Errorf("preferences.reference: %q: expected %s%s", s.Name, strings.Join(kinds, ", "), spec.Suggest(s.Name, kinds))
	}
	schedule, err := objective.ParseReferences(text)
	if err != nil {
		return references{}, fmt.Errorf("preferences.reference: %w", err)
	}
	out := references{References: schedule}
	if schedule.Kind == "extrapolated" {
		out.keep = 1
	}
	return out, nil
}

// term is a network's share of a reference: log ref = Σ weight·log π, as far as it
// does not depend on the answer.
type term struct {
	weights *policy.Weights
	weight  float64
}

// begin notes that an update begins with the weights.
func (f *references) begin(update int, now *policy.Weights) {
	f.update = update
	if (f.Kind != "every" && f.Kind != "ema") || update%f.Every != 0 {
		return
	}
	if f.Kind == "every" || update == 0 {
		f.held = now
		return
	}
	next := &policy.Weights{Params: now.Params, Values: make([][]float32, len(now.Values))}
	for i, values := range now.Values {
		next.Values[i] = make([]float32, len(values))
		for j, x := range values {
			next.Values[i][j] = float32(f.Decay)*f.held.Values[i][j] + float32(1-f.Decay)*x
		}
	}
	f.held = next
}

// end notes that the update which began with the weights is over.
func (f *references) end(began *policy.Weights) {
	if f.keep > 0 {
		f.past = append([]*policy.Weights{began}, f.past[:min(len(f.past), f.keep-1)]...)
	}
}

// before is θ_(t−k), or the earliest that there is.
func (f *references) before(k int, now *policy.Weights) *policy.Weights {
	if k = min(k, len(f.past)); k > 0 {
		return f.past[k-1]
	}
	return now
}

// scheduled is the reference that the recipe names.
func (f *references) scheduled(now *policy.Weights) (out []term) {
	if f.OfParameters() {
		return []term{{f.held, 1}}
	}
	for _, t := range f.At(f.update) {
		weights := f.fixed
		switch {
		case t.Checkpoint == f.update:
			weights = now
		case f.Kind == "every":
			weights = f.held
		case t.Checkpoint > 0:
			weights = f.before(f.update-t.Checkpoint, now)
		}
		out = append(out, term{weights, t.Weight})
	}
	return out
}

// refer evaluates references: for each list of terms, the log-probabilities of steps.
func (t *Trainer) refer(steps []*policy.Step, slots [][]term) ([][]float64, error) {
	known := map[*policy.Weights][]float64{}
	out := make([][]float64, len(slots))
	for i, slot := range slots {
		out[i] = make([]float64, len(steps))
		for _, term := range slot {
			if term.weight == 0 {
				continue
			}
			values, ok := known[term.weights]
			if !ok {
				network, err := t.model.Network(term.weights)
				if err != nil {
					return nil, err
				}
				values, err = network.Evaluate(steps)
				if err := errors.Join(err, network.Close()); err != nil {
					return nil, err
				}
				known[term.weights] = values
			}
			for j, x := range values {
				out[i][j] += term.weight * x
			}
		}
	}
	return out, nil
}

// blend plays a geometric mixture of networks, action by action: Π π_k^w_k, made to
// add up to 1. It is the opponent of Nash-MD (Munos et al. 2023, arXiv 2312.00886).
type blend struct {
	networks []*policy.Network
	weights  []float64
}

var _ policy.Policy = (*blend)(nil)

func (t *Trainer) blend(terms []term) (*blend, error) {
	b := &blend{}
	for _, term := range terms {
		network, err := t.model.Network(term.weights)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		b.networks, b.weights = append(b.networks, network), append(b.weights, term.weight)
	}
	return b, nil
}

// Probabilities implements policy.Policy.
func (b *blend) Probabilities(ctx context.Context, states []games.State, out [][]float64) error {
	sums := make([][]float64, len(out))
	for i := range out {
		sums[i] = make([]float64, len(out[i]))
	}
	for k, network := range b.networks {
		if err := network.Probabilities(ctx, states, out); err != nil {
			return err
		}
		for i, probs := range out {
			for j, p := range probs {
				sums[i][j] += b.weights[k] * math.Log(max(p, math.SmallestNonzeroFloat64))
			}
		}
	}
	for i, logs := range sums {
		softmax(out[i], logs)
	}
	return nil
}

// softmax writes exp(logs), made to add up to 1.
func softmax(dst, logs []float64) {
	highest, sum := math.Inf(-1), 0.0
	for _, x := range logs {
		highest = math.Max(highest, x)
	}
	for i, x := range logs {
		dst[i] = math.Exp(x - highest)
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}

// Close frees the networks.
func (b *blend) Close() error {
	var errs []error
	for _, n := range b.networks {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// mixture is the opponent of opponents: mixture, as an update begins.
func (t *Trainer) mixture() (*blend, error) {
	f, now := t.preferring.references, t.updater.State().Weights
	f.begin(t.update, now) // of a copy: the update itself has not begun
	terms := []term{{now, 1 - t.opponents.mixed}}
	for _, reference := range f.scheduled(now) {
		terms = append(terms, term{reference.weights, t.opponents.mixed * reference.weight})
	}
	return t.blend(terms)
}
