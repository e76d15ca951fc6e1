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
	"github.com/agon-rl/agon/policy/backend"
	"github.com/agon-rl/agon/trainer/run"
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

	update      int             // t
	fixed, held *policy.Weights // θ_0; what every and ema have come to, and in the update under way:
	current     *policy.Weights
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

// begin notes that an update begins with the weights. Until its end, held is as it was,
// so that an update that is broken off has left no trace.
func (f *references) begin(m *policy.Model, update int, now *policy.Weights) (err error) {
	f.update = update
	old := f.current
	defer func() { err = errors.Join(err, old.Close()) }()
	switch {
	case (f.Kind != "every" && f.Kind != "ema") || update%f.Every != 0:
		if f.current = f.held; f.held != nil {
			f.held.Share()
		}
	case f.Kind == "every" || update == 0:
		f.current = now.Share()
	default:
		f.current, err = m.Average(f.held, now, f.Decay)
	}
	return err
}

// end notes that the update which began with the weights is over.
func (f *references) end(began *policy.Weights) error {
	old := f.held
	f.held, f.current = f.current, nil
	err := old.Close()
	if f.keep == 0 {
		return err
	}
	f.past = append([]*policy.Weights{began.Share()}, f.past...)
	if len(f.past) <= f.keep {
		return err
	}
	last := f.past[f.keep]
	f.past = f.past[:f.keep]
	return errors.Join(err, last.Close())
}

// close gives back all weights.
func (f *references) close() error {
	errs := []error{f.fixed.Close(), f.held.Close(), f.current.Close()}
	for _, w := range f.past {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}

// Files of a checkpoint.
const (
	heldFile    = "reference.safetensors"
	pastPattern = "before_%02d.safetensors"
)

// save writes what the references need of earlier updates.
func (f *references) save(w *run.CheckpointWriter) (err error) {
	if f.held != nil {
		err = policy.WriteWeights(w.File(heldFile), f.held, nil)
	}
	for i, past := range f.past {
		err = errors.Join(err, policy.WriteWeights(w.File(fmt.Sprintf(pastPattern, i+1)), past, nil))
	}
	return err
}

// restore reads what save wrote, of so many earlier updates.
func (f *references) restore(device backend.Backend, c *run.Checkpoint, past int) (err error) {
	if slices.Contains(c.Files(), heldFile) {
		if f.held, err = ReadWeights(device, c, heldFile); err != nil {
			return err
		}
	}
	for i := range past {
		w, err := ReadWeights(device, c, fmt.Sprintf(pastPattern, i+1))
		if err != nil {
			return err
		}
		f.past = append(f.past, w)
	}
	return nil
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
		return []term{{f.current, 1}}
	}
	for _, t := range f.At(f.update) {
		weights := f.fixed
		switch {
		case t.Checkpoint == f.update:
			weights = now
		case f.Kind == "every":
			weights = f.current
		case t.Checkpoint > 0:
			weights = f.before(f.update-t.Checkpoint, now)
		}
		out = append(out, term{weights, t.Weight})
	}
	return out
}

// refer evaluates references: for each list of terms, the log-probabilities of steps.
func (m *selfPlay) refer(steps []*policy.Step, slots [][]term) ([][]float64, error) {
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
				network, err := m.Model.Network(term.weights)
				if err != nil {
					return nil, err
				}
				values, err = network.LogProbs(steps)
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

func (m *selfPlay) blend(terms []term) (*blend, error) {
	b := &blend{}
	for _, term := range terms {
		network, err := m.Model.Network(term.weights)
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
func (m *selfPlay) mixture() (b *blend, err error) {
	f := &m.preferring.references
	now := m.Players[0].Network.Weights
	if err := f.begin(m.Model, m.Done, now); err != nil {
		return nil, err
	}
	terms := []term{{now, 1 - m.opponents.mixed}}
	for _, reference := range f.scheduled(now) {
		terms = append(terms, term{reference.weights, m.opponents.mixed * reference.weight})
	}
	return m.blend(terms)
}
