package solve

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// DynamicsForms documents the methods of ParseDynamics for help texts.
const DynamicsForms = `hedge(eta=0.1)                         multiplicative weights; spo is another name
sppo(eta=0.1)                          SPPO's exact update, which is hedge's; its code has eta=1000
omd(eta=…,beta=0.1,schedule=constant)  online mirror descent on the regularised game;
                                       schedule=falling has steps of 2/(beta·(t+2))
inpo(eta=…,tau=0.1)                    the same by INPO's names: a step of 1/eta
mpo(eta=…,beta=0.1,every=0)            magnetic mirror descent; the magnet may move
nash-md(eta=…,beta=0.1,schedule=constant)   Nash-MD, against a mixture with the reference
egpo(eta=…,beta=0.1)                   extragradient: two queries an iteration
nash-mp(eta=2·beta,beta=0.1)           Nash Mirror Prox: the same by its own names
optimistic(eta=…,beta=0.1)             optimistic mirror descent: one query
mnpo(eta=…,tau=0.1,opponents=2,weights=…)   against the last policies, weights=0.7:0.3;
                                       population=players: against the other players
apo(eta=0.1,beta=0,alpha=0.3)          accelerated preference optimisation
comal(eta=…,beta=0.1,inner=50)         proximal point: the reference moves; proximal is another name`

// dynamicsNames lists the methods in the order of DynamicsForms.
var dynamicsNames = []string{"hedge", "spo", "sppo", "omd", "inpo", "mpo", "nash-md", "egpo", "nash-mp", "optimistic", "mnpo", "apo", "comal", "proximal"}

// parameters reads what the methods have in common. Payoffs of at most scale/2 shrink
// the steps that are used where none is given: those are 1/(β+3) for preferences.
type parameters struct {
	*spec.Reader
	name string
	err  error
}

// leastBeta is the least regularisation that is not none: below it the regularised
// equilibrium takes too long to find.
const leastBeta = 1e-3

// step reads a step size; 0 where none is given.
func (p *parameters) step() float64 { return p.Float("eta", 0, 1e-6, 1e6) }

func (p *parameters) beta(key string, fallback float64) float64 {
	beta := p.Float(key, fallback, 0, 1e6)
	if beta > 0 && beta < leastBeta {
		p.fail("%s=%g: expected 0 or a number from %g to 1e+06", key, beta, leastBeta)
	}
	return beta
}

// someBeta is beta where it must not be 0.
func (p *parameters) someBeta(key string) float64 { return p.Float(key, 0.1, leastBeta, 1e6) }

func (p *parameters) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %s", p.name, fmt.Sprintf(format, args...))
	}
}

// pull checks that a step does not overshoot the reference.
func (p *parameters) pull(eta, beta float64) {
	if eta*beta > 1 {
		p.fail("eta=%g, beta=%g: expected a product of at most 1, the share of the reference in a step", eta, beta)
	}
}

// weights reads the weights of MNPO's opponents.
func (p *parameters) weights(n int) []float64 {
	out := make([]float64, n)
	for j := range out {
		out[j] = 1 / float64(n)
	}
	text := p.String("weights", "")
	if text == "" {
		return out
	}
	parts := strings.Split(text, ":")
	if len(parts) != n {
		p.fail("weights=%s: %d weights for %d opponents: expected one each, such as 0.7:0.3", text, len(parts), n)
		return out
	}
	sum := 0.0
	for j, part := range parts {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || !(x >= 0 && x <= 1) {
			p.fail("weights=%s: %q: expected numbers from 0 to 1", text, part)
			return out
		}
		out[j], sum = x, sum+x
	}
	if math.Abs(sum-1) > 1e-9 {
		p.fail("weights=%s: they sum to %g: expected 1", text, sum)
	}
	return out
}

// parseUpdate reads a method's parameters; the reader keeps what is wrong with single
// ones. The update is made when the game's scale is known.
func parseUpdate(name string, r *spec.Reader) (update func(scale float64) Update, known bool, err error) {
	p := &parameters{Reader: r, name: name}
	update, known = p.update()
	return update, known, p.err
}

// or is a step, or, where none is given, another.
func or(eta, otherwise float64) float64 {
	if eta == 0 {
		return otherwise
	}
	return eta
}

// careful is the step that is used where none is given.
func careful(beta, scale float64) float64 { return 1 / (beta + 3*scale) }

// scheduled reads an update whose steps may fall.
func (p *parameters) scheduled(update func(eta, beta float64) Update) func(scale float64) Update {
	eta := p.step()
	if p.Choice("schedule", "constant", "constant", "falling") == "falling" {
		if eta != 0 {
			p.fail("eta=%g, schedule=falling: falling steps are 2/(beta·(t+2)): leave eta out", eta)
		}
		beta := p.someBeta("beta")
		return func(float64) Update { return Falling(beta, update) }
	}
	beta := p.beta("beta", 0.1)
	p.pull(eta, beta)
	return func(scale float64) Update { return update(or(eta, careful(beta, scale)), beta) }
}

func (p *parameters) update() (update func(scale float64) Update, known bool) {
	switch p.name {
	case "hedge", "spo", "sppo":
		eta := p.step()
		return func(scale float64) Update {
			r := Hedge(or(eta, 0.1/scale))
			r.Name = p.name
			return r
		}, true
	case "omd":
		return p.scheduled(OMD), true
	case "inpo":
		eta, tau := p.step(), p.beta("tau", 0.1)
		p.share(eta, tau)
		return func(scale float64) Update { return INPO(or(eta, 1/careful(tau, scale)), tau) }, true
	case "mpo":
		eta, beta, every := p.step(), p.beta("beta", 0.1), p.Int("every", 0, 0, 1<<31-1)
		return func(scale float64) Update {
			step := careful(beta, scale)
			return MPO(or(eta, step/(1-step*beta)), beta, every)
		}, true
	case "nash-md":
		return p.scheduled(NashMD), true
	case "egpo":
		eta, beta := p.step(), p.beta("beta", 0.1)
		p.pull(eta, beta)
		return func(scale float64) Update { return EGPO(or(eta, careful(beta, scale)), beta, scale) }, true
	case "nash-mp":
		eta, beta := p.step(), p.someBeta("beta")
		return func(scale float64) Update { return NashMP(or(eta, 2*beta/scale), beta, scale) }, true
	case "optimistic":
		eta, beta := p.step(), p.beta("beta", 0.1)
		p.pull(eta, beta)
		return func(scale float64) Update { return Optimistic(or(eta, careful(beta, scale)), beta) }, true
	case "mnpo":
		eta, tau := p.step(), p.beta("tau", 0.1)
		p.share(eta, tau)
		if p.Choice("population", "past", "past", "players") == "players" {
			return func(scale float64) Update { return MNPOPlayers(or(eta, 1/careful(tau, scale)), tau) }, true
		}
		weights := p.weights(p.Int("opponents", 2, 1, 100))
		return func(scale float64) Update { return MNPO(or(eta, 1/careful(tau, scale)), tau, weights) }, true
	case "apo":
		eta, beta, alpha := p.step(), p.beta("beta", 0), p.Float("alpha", 0.3, 0, 0.999)
		p.pull(eta, beta)
		return func(scale float64) Update { return APO(or(eta, 0.1/scale), beta, alpha) }, true
	case "comal", "proximal":
		eta, beta, inner := p.step(), p.someBeta("beta"), p.Int("inner", 50, 1, 1<<31-1)
		p.pull(eta, beta)
		return func(scale float64) Update { return COMAL(or(eta, 2/(scale+2*beta)), beta, inner) }, true
	}
	return nil, false
}

// share checks that INPO's step does not overshoot the reference.
func (p *parameters) share(eta, tau float64) {
	if eta != 0 && tau > eta {
		p.fail("eta=%g, tau=%g: expected tau of at most eta: tau/eta is the share of the reference in a step", eta, tau)
	}
}
