package solve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// MethodForms documents the methods of ParseMethod for help texts.
const MethodForms = `cfr(simultaneous=false)                counterfactual regret minimisation
cfr+                                   with regret matching+ and a linear average
lcfr                                   linear CFR: dcfr(alpha=1,beta=1,gamma=1)
dcfr(alpha=1.5,beta=0,gamma=2)         discounted CFR
pcfr+                                  predictive CFR+ with a quadratic average
mccfr(sampling=external,seed=1)        Monte Carlo CFR; sampling=outcome(epsilon=0.6) too
fp                                     fictitious play: best responses to the averages
mmd(alpha=0.3,eta=10)                  magnetic mirror descent: the last iterate
double_oracle                          best responses join a matrix game until none improves
lp                                     the sequence-form linear program

Methods of Nash and preference learning, exactly, on matrix games and contests of
answers (sequence). Rock, paper, scissors and preferences less ½ are games against
oneself, of one policy; payoffs of more than ½ shrink the default steps:

` + DynamicsForms + `

A step eta=… is 1/(beta+3) where none is given, 2/(1+2·beta) of comal, and the inverse
of the first of inpo and mnpo. All take reference=uniform|random, start=reference|uniform|random, seed=1, and
samples=0: how many comparisons by the judge an answer gets when it is asked, in
place of exact expectations`

var methods = append([]string{"cfr", "cfr+", "lcfr", "dcfr", "pcfr+", "mccfr", "fp", "mmd", "double_oracle", "lp"}, dynamicsNames...)

// Solver is a method under way. It belongs to one goroutine at a time.
type Solver interface {
	// Iterations is how many are done.
	Iterations() int
	// Iterate does n more iterations. It ends early, without an error, where a
	// method that is exact has nothing left to do, and with the context's
	// error where that ends.
	Iterate(ctx context.Context, n int) error
	// Strategy is the approximate equilibrium so far: the average strategy, or
	// the last iterate of methods that converge in it.
	Strategy() Strategy
}

// MethodError is the error of ParseMethod for a wrong name or parameter.
type MethodError struct{ err error }

func (e *MethodError) Error() string { return e.err.Error() }

func (e *MethodError) Unwrap() error { return e.err }

// ParseMethod checks a method's name and parameters and returns what starts
// it on a tree.
func ParseMethod(text string) (func(*Tree) (Solver, error), error) {
	dynamics, ok, err := ParseDynamics(text)
	if err != nil {
		return nil, err
	}
	if ok {
		return func(t *Tree) (Solver, error) {
			g, err := t.Polymatrix()
			if err != nil {
				return nil, err
			}
			return dynamics(g)
		}, nil
	}
	s, err := spec.Parse(text)
	if err != nil {
		return nil, &MethodError{fmt.Errorf("method %w", err)}
	}
	r := spec.Read(s)
	start, known := parseMethod(s.Name, r)
	if !known {
		return nil, &MethodError{fmt.Errorf("method %q is unknown%s; there are %s", s.Name, spec.Suggest(s.Name, methods), strings.Join(methods, ", "))}
	}
	if err := r.Err(); err != nil {
		return nil, &MethodError{fmt.Errorf("method %w", err)}
	}
	return start, nil
}

func parseMethod(name string, r *spec.Reader) (start func(*Tree) (Solver, error), known bool) {
	regret := func(v Variant) (func(*Tree) (Solver, error), bool) {
		return func(t *Tree) (Solver, error) { return NewCFR(t, v), nil }, true
	}
	switch name {
	case "cfr":
		return regret(Variant{Simultaneous: r.Bool("simultaneous", false)})
	case "cfr+":
		return regret(Variant{Plus: true, Average: 1})
	case "lcfr":
		return regret(Variant{Discount: &[2]float64{1, 1}, Average: 1})
	case "dcfr":
		return regret(Variant{Discount: &[2]float64{r.Float("alpha", 1.5, -100, 100), r.Float("beta", 0, -100, 100)}, Average: r.Float("gamma", 2, 0, 100)})
	case "pcfr+":
		return regret(Variant{Plus: true, Predictive: true, Average: 2})
	case "mccfr":
		outcome := r.Choice("sampling", "external", "external", "outcome") == "outcome"
		random := rand.New(rand.NewPCG(uint64(r.Int("seed", 1, 0, 1<<53)), 0))
		epsilon := 0.0
		if outcome {
			epsilon = r.Float("epsilon", 0.6, 0, 1)
		}
		return func(t *Tree) (Solver, error) { return NewMCCFR(t, outcome, epsilon, random), nil }, true
	case "fp":
		return func(t *Tree) (Solver, error) { return NewFictitiousPlay(t), nil }, true
	case "mmd":
		alpha, eta := r.Float("alpha", 0.3, 0, 1e6), r.Float("eta", 10, 1e-9, 1e6)
		return func(t *Tree) (Solver, error) { return NewMirrorDescent(t, alpha, eta) }, true
	case "double_oracle":
		return func(t *Tree) (Solver, error) { return NewDoubleOracle(t) }, true
	case "lp":
		return func(t *Tree) (Solver, error) { return NewLinearProgram(t) }, true
	}
	return nil, false
}

// twoSeats refuses games that a method for two-seat zero-sum games cannot
// solve.
func (t *Tree) twoSeats(method string) error {
	if t.Info.Seats != 2 {
		return fmt.Errorf("%s: %s has %d seats, and it needs two", method, t.Info.Name, t.Info.Seats)
	}
	return nil
}

// behaviour turns a realisation plan, by sequence, into a strategy: uniform
// where its seat never comes.
func (t *Tree) behaviour(plan []float64) Strategy {
	out := slices.Clone(Strategy(plan[:t.actions]))
	for _, set := range t.Sets {
		lo, hi := set.First, set.First+len(set.Actions)
		proportional(out[lo:hi], out[lo:hi])
	}
	return out
}
