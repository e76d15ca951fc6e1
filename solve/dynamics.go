package solve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/agon-rl/agon/internal/spec"
)

// Dynamics is an Update under way on a game. All policies step at the same time. It
// belongs to one goroutine at a time.
type Dynamics struct {
	game   *Polymatrix
	update Update

	given     [][]float64   // the reference of the regularised game, in logarithms
	reference [][]float64   // that of the steps, which may move
	past      [][][]float64 // log-policies: the current ones, then those before them
	first     [][][]float64 // what the first step gave: in this iteration, in the last
	asked     [][][]float64 // what was earned against past[k], where that was asked; nil elsewhere
	sum       [][]float64   // of the policies with which iterations began

	done, queries int
	comparisons   int
	samples       int
	random        *rand.Rand

	start [][]float64 // the log-policies at the start
	nash  [][]float64 // the regularised equilibrium, in logarithms; nil until it is measured against
}

// DynamicsOptions say where an update starts and what it hears.
type DynamicsOptions struct {
	// Reference and Start are policies, by policy of the game; nil for uniform
	// ones, and for the reference.
	Reference, Start [][]float64
	// Samples is how many comparisons by the judge an answer gets, with answers
	// drawn from each opponent, whenever the judge is asked; 0 for exact
	// expectations. It needs Random.
	Samples int
	Random  *rand.Rand
}

// NewDynamics starts an update on a game.
func NewDynamics(g *Polymatrix, update Update, o DynamicsOptions) (*Dynamics, error) {
	d := &Dynamics{game: g, update: update, sum: g.perPolicy()}
	var err error
	if d.given, err = g.logs("the reference", o.Reference); err != nil {
		return nil, err
	}
	d.reference = d.given
	start := d.given
	if o.Start != nil {
		if start, err = g.logs("the start", o.Start); err != nil {
			return nil, err
		}
	}
	d.start = start
	d.past, d.first, d.asked = [][][]float64{start}, [][][]float64{start}, [][][]float64{nil}
	for _, step := range update.Steps(0) {
		for _, term := range step.Base {
			if term.Of == Others && (len(g.Sizes) < 2 || slices.Max(g.Sizes) != slices.Min(g.Sizes)) {
				return nil, fmt.Errorf("%s: %s among players needs two or more with the same answers", g.Name, update.Name)
			}
		}
	}
	if o.Samples > 0 {
		return d.Sampled(o.Samples, o.Random)
	}
	return d, nil
}

// Sampled makes the judge of what follows a sampled one, as DynamicsOptions say, and
// returns the same dynamics.
func (d *Dynamics) Sampled(samples int, random *rand.Rand) (*Dynamics, error) {
	if random == nil {
		return nil, errors.New("samples need a generator")
	}
	for _, row := range d.game.Meet {
		for _, e := range row {
			if _, ok := e.(Duel); e != nil && !ok {
				return nil, fmt.Errorf("%s: its judge gives expectations alone, so that it cannot be sampled", d.game.Name)
			}
		}
	}
	d.samples, d.random = samples, random
	return d, nil
}

// logs checks policies and returns their logarithms; uniform ones for nil.
func (g *Polymatrix) logs(what string, policies [][]float64) ([][]float64, error) {
	out := g.perPolicy() // zeros: uniform
	if policies != nil && len(policies) != len(out) {
		return nil, fmt.Errorf("%s: %s has %d policies: expected %d", g.Name, what, len(policies), len(out))
	}
	for i := range out {
		if policies != nil {
			if len(policies[i]) != len(out[i]) {
				return nil, fmt.Errorf("%s: %s has %d probabilities: expected %d", g.Name, what, len(policies[i]), len(out[i]))
			}
			if err := distribution(policies[i]); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", g.Name, what, err)
			}
			for y, p := range policies[i] {
				if p == 0 {
					return nil, fmt.Errorf("%s: %s gives answer %d no probability: expected some for each, since it could never come back", g.Name, what, y)
				}
				out[i][y] = math.Log(p)
			}
		}
		normalise(out[i])
	}
	return out, nil
}

// RandomPolicies draws policies whose log-probabilities are standard normal, but for
// their sum.
func (g *Polymatrix) RandomPolicies(random *rand.Rand) [][]float64 {
	log := g.perPolicy()
	for _, row := range log {
		for y := range row {
			row[y] = random.NormFloat64()
		}
		normalise(row)
	}
	return probabilities(log)
}

// Iterations implements Solver.
func (d *Dynamics) Iterations() int { return d.done }

// Queries is how often the judge was asked what all answers earn against a play.
func (d *Dynamics) Queries() int { return d.queries }

// Comparisons is how many pairs of answers a sampled judge compared.
func (d *Dynamics) Comparisons() int { return d.comparisons }

// Policies returns the last iterate.
func (d *Dynamics) Policies() [][]float64 { return probabilities(d.past[0]) }

// Average returns the mean of the policies with which the iterations began, the
// first of all before any is done.
func (d *Dynamics) Average() [][]float64 {
	if d.done == 0 {
		return d.Policies()
	}
	out := d.game.perPolicy()
	for i, row := range d.sum {
		for y, x := range row {
			out[i][y] = x / float64(d.done)
		}
	}
	return out
}

// Strategy implements Solver: the last iterate, by seat.
func (d *Dynamics) Strategy() Strategy {
	var out Strategy
	for range d.game.Seats {
		for _, policy := range d.Policies() {
			out = append(out, policy...)
		}
	}
	return out
}

// Iterate implements Solver.
func (d *Dynamics) Iterate(ctx context.Context, n int) error {
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.iterate()
	}
	return nil
}

// iterate does the steps of one iteration.
func (d *Dynamics) iterate() {
	for i, policy := range d.Policies() {
		for y, p := range policy {
			d.sum[i][y] += p
		}
	}
	var next [][]float64
	deepest := 0
	steps := d.update.Steps(d.done)
	for k, step := range steps {
		next = d.step(step)
		if k == 0 {
			d.first = [][][]float64{next, d.first[0]}
		}
		for _, term := range slices.Concat(step.Base, step.Opponent) {
			deepest = max(deepest, term.Back)
		}
	}
	keep := min(len(d.past), deepest)
	d.past = slices.Insert(d.past[:keep], 0, next)
	d.asked = slices.Insert(d.asked[:keep], 0, nil)
	d.done++
	if d.update.Every > 0 && d.done%d.update.Every == 0 {
		d.reference = next
	}
}

// step is θ⁺ = Σ_k w_k·θ_k + Size·P·(Σ_j v_j·π_j).
func (d *Dynamics) step(s MirrorStep) [][]float64 {
	next := d.game.perPolicy()
	for _, term := range s.Base {
		for i, log := range d.logPolicies(term) {
			for y, x := range log {
				next[i][y] += term.Weight * x
			}
		}
	}
	if s.Size != 0 {
		for i, u := range d.earned(s.Opponent, next) {
			for y, x := range u {
				next[i][y] += s.Size * x
			}
		}
	}
	for _, log := range next {
		normalise(log)
	}
	return next
}

// logPolicies returns the log-policies that a term means.
func (d *Dynamics) logPolicies(t Term) [][]float64 {
	switch t.Of {
	case Reference:
		return d.reference
	case First:
		return d.first[min(t.Back, len(d.first)-1)]
	case Others:
		out := d.game.perPolicy()
		share := 1 / float64(len(out)-1)
		for i := range out {
			for j, log := range d.past[0] {
				for y, x := range log {
					if j != i {
						out[i][y] += share * x
					}
				}
			}
		}
		return out
	default:
		return d.past[min(t.Back, len(d.past)-1)]
	}
}

// earned asks what the answers earn against the opponent. A mixture of policies is
// asked as one opponent; a combination that is none, such as the optimistic one, is
// made of what was heard before.
func (d *Dynamics) earned(opponent []Term, base [][]float64) [][]float64 {
	mixture := !slices.ContainsFunc(opponent, func(t Term) bool { return t.Weight < 0 })
	out := d.game.perPolicy()
	add := func(rows [][]float64, weight float64) {
		for i, row := range rows {
			for y, x := range row {
				out[i][y] += weight * x
			}
		}
	}
	for _, term := range opponent {
		switch {
		case !mixture:
			add(d.heard(min(term.Back, len(d.past)-1)), term.Weight)
		case term.Of == OwnBase:
			own := d.game.perPolicy()
			for i := range own {
				copy(own[i], base[i])
				normalise(own[i])
			}
			add(probabilities(own), term.Weight)
		default:
			add(probabilities(d.logPolicies(term)), term.Weight)
		}
	}
	if mixture {
		return d.ask(out)
	}
	return out
}

// heard is what was earned against past[back], asked now where it is the current one.
func (d *Dynamics) heard(back int) [][]float64 {
	if d.asked[back] == nil {
		d.asked[back] = d.ask(probabilities(d.past[back]))
	}
	return d.asked[back]
}

// ask is a query: by policy, what its answers earn against the others' play, as it is
// or as sampled comparisons show it.
func (d *Dynamics) ask(play [][]float64) [][]float64 {
	d.queries++
	out := d.game.perPolicy()
	if d.samples == 0 {
		d.game.earnings(out, play)
		return out
	}
	for j, policy := range play {
		upTo := make([]float64, len(policy))
		total := 0.0
		for y, p := range policy {
			total += p
			upTo[y] = total
		}
		for i := range out {
			if d.game.Meet[i][j] == nil {
				continue
			}
			duel := d.game.Meet[i][j].(Duel)
			worth := 2 * duel.Stake() / float64(d.samples)
			for y := range out[i] {
				wins := 0
				for range d.samples {
					z := min(sort.SearchFloat64s(upTo, total*d.random.Float64()), len(upTo)-1)
					if d.random.Float64() < duel.Prefers(y, z) {
						wins++
					}
				}
				out[i][y] += worth * (float64(wins) - float64(d.samples)/2)
			}
			d.comparisons += d.samples * len(out[i])
		}
	}
	return out
}

// DynamicsReport measures where an update stands.
type DynamicsReport struct {
	Iteration, Queries int
	Comparisons        int
	Gap                float64   // duality gap of the last iterate
	AverageGap         float64   // of the average iterate
	Gains              []float64 // by policy: what a best response gains on the last iterate
	// Where the update solves a regularised game, of the last iterate: the gap of that
	// game, and KL(π*‖π) from its equilibrium, summed over policies; NaN elsewhere.
	RegularisedGap float64
	KL             float64
	// KLBound is what theory says that KL is at most; NaN where it says nothing.
	KLBound float64
}

// Measure measures the iterate and the average. The first call of an update with a
// regularised game solves that game.
func (d *Dynamics) Measure(ctx context.Context) (DynamicsReport, error) {
	r := DynamicsReport{
		Iteration: d.done, Queries: d.queries, Comparisons: d.comparisons,
		Gains: d.game.Gains(d.Policies()), AverageGap: d.game.Gap(d.Average()),
		RegularisedGap: math.NaN(), KL: math.NaN(), KLBound: math.NaN(),
	}
	for _, x := range r.Gains {
		r.Gap += float64(d.game.Seats) * x
	}
	if d.update.Beta == 0 {
		return r, nil
	}
	if d.nash == nil {
		nash, err := d.game.RegularisedNash(ctx, d.given, d.update.Beta)
		if err != nil {
			return r, err
		}
		d.nash = nash
	}
	r.RegularisedGap = d.game.RegularisedGap(d.past[0], d.given, d.update.Beta)
	r.KL = divergences(d.nash, d.past[0])
	if d.update.Contraction > 0 && d.samples == 0 {
		r.KLBound = math.Pow(d.update.Contraction, float64(d.done)) * divergences(d.nash, d.start)
	}
	return r, nil
}

// divergences is the sum of KL(p_i‖q_i) of log-policies.
func divergences(p, q [][]float64) float64 {
	sum := 0.0
	for i := range p {
		sum += divergence(p[i], q[i])
	}
	return sum
}

// regularised is a game of RegularisedNash that is solved.
type regularised struct {
	beta      float64
	reference [][]float64
	nash      [][]float64
}

// A regularised equilibrium is found when no log-probability is further than
// nashTolerance from that of the regularised best response to it; or when rounding lets
// nothing improve, and it is nearer than nashAccepted, times what payoffs add to them.
const (
	nashTolerance = 1e-14
	nashAccepted  = 1e-10
	nashChunk     = 64
	nashPatience  = 20 // chunks without a better one
)

// RegularisedNash returns the equilibrium, in logarithms, of the game in which every
// policy π loses β·KL(π‖reference), given the logarithms of the reference. In
// zero-sum games it is unique; Nash Mirror Prox comes nearer to it by 1/(1+2β) an
// iteration. It is kept for the next call.
func (g *Polymatrix) RegularisedNash(ctx context.Context, reference [][]float64, beta float64) ([][]float64, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for _, k := range g.known {
		if k.beta == beta && slices.EqualFunc(k.reference, reference, slices.Equal) {
			return k.nash, nil
		}
	}
	d, err := NewDynamics(g, NashMP(2*beta/g.scale(), beta, g.scale()), DynamicsOptions{Reference: probabilities(reference)})
	if err != nil {
		return nil, err
	}
	d.reference, d.past[0] = reference, reference // to the last bit
	best, nash := math.Inf(1), reference
	for stale := 0; best > nashTolerance && stale < nashPatience; stale++ {
		if err := d.Iterate(ctx, nashChunk); err != nil {
			return nil, err
		}
		if far := g.fromBestResponse(d.past[0], reference, beta); far < best {
			best, nash, stale = far, d.past[0], 0
		}
	}
	if !(best <= nashAccepted*max(1, g.Bound/beta)) {
		return nil, fmt.Errorf("%s: the equilibrium regularised by %g was not found: the log-probabilities stay %.1g from those of best responses: take a larger regularisation, or a game that is zero-sum", g.Name, beta, best)
	}
	g.known = append(g.known, regularised{beta, reference, nash})
	return nash, nil
}

// fromBestResponse is the largest difference between log-policies and the regularised
// best responses to them.
func (g *Polymatrix) fromBestResponse(log, reference [][]float64, beta float64) float64 {
	far := 0.0
	for i, best := range g.bestResponses(log, reference, beta) {
		for y := range best {
			far = max(far, math.Abs(best[y]-log[i][y]))
		}
	}
	return far
}

// ParseDynamics checks a method of DynamicsForms with its parameters and returns what
// starts it on a game. The second result is false where the name is no such method.
func ParseDynamics(text string) (start func(*Polymatrix) (*Dynamics, error), known bool, err error) {
	s, err := spec.Parse(text)
	if err != nil {
		return nil, false, &MethodError{fmt.Errorf("method %w", err)}
	}
	r := spec.Read(s)
	update, known, wrong := parseUpdate(s.Name, r)
	if !known {
		return nil, false, nil
	}
	random := r.Choice("reference", "uniform", "uniform", "random") == "random"
	from := r.Choice("start", "reference", "reference", "uniform", "random")
	seed := uint64(r.Int("seed", 1, 0, 1<<53)) //nolint:gosec // not negative
	samples := r.Int("samples", 0, 0, 1e6)
	if err := cmp.Or(r.Err(), wrong); err != nil {
		return nil, true, &MethodError{fmt.Errorf("method %w", err)}
	}
	return func(g *Polymatrix) (*Dynamics, error) {
		// One stream each, so that a method with another start hears the same noise.
		o := DynamicsOptions{Samples: samples, Random: rand.New(rand.NewPCG(seed, 2))}
		if random {
			o.Reference = g.RandomPolicies(rand.New(rand.NewPCG(seed, 0)))
			for i := range o.Reference {
				if g.Alike {
					o.Reference[i] = o.Reference[0]
				}
			}
		}
		switch from {
		case "uniform":
			o.Start = probabilities(g.uniform())
		case "random":
			o.Start = g.RandomPolicies(rand.New(rand.NewPCG(seed, 1)))
		}
		return NewDynamics(g, update(g.scale()), o)
	}, true, nil
}

// uniform returns the logarithms of uniform policies.
func (g *Polymatrix) uniform() [][]float64 {
	out := g.perPolicy()
	for _, row := range out {
		normalise(row)
	}
	return out
}
