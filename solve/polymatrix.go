package solve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"

	"github.com/agon-rl/agon/games"
)

// Earner is what the answers of one policy earn against another policy.
type Earner interface {
	// Earnings overwrites dst[i] with what answer i earns on average against an
	// opponent who gives answer j with probability opponent[j].
	Earnings(dst, opponent []float64)
}

// Players counts the seats: 2 where one policy meets itself.
func (g *Polymatrix) Players() int { return g.Seats * len(g.Sizes) }

// Duel is implemented by earners whose games can be sampled one comparison at a
// time.
type Duel interface {
	// Prefers is the probability that answer i wins the stake from answer j
	// rather than loses it.
	Prefers(i, j int) float64
	// Stake is what one comparison is worth: ½ where what an answer earns is the
	// probability that it is preferred, less ½.
	Stake() float64
}

// Polymatrix is a game of policies over answers that meet in pairs: what an answer
// earns is the sum of what it earns against each opponent. It holds preference
// games, where one policy meets itself, zero-sum matrix games and games of n
// players.
type Polymatrix struct {
	Name  string
	Sizes []int // by policy: how many answers it chooses from
	// Seats is how many seats each policy fills, by which its gains count: 2
	// where one policy meets itself.
	Seats int
	// Bound is half the span of what answers earn. Preferences have at most ½;
	// published step sizes are meant for that, and larger bounds shrink the steps
	// that are used where none is given.
	Bound float64
	Meet  [][]Earner // by policy and opponent; nil where the two do not meet
	// Alike says that the players are one population: a reference that is drawn
	// is drawn once for all.
	Alike bool

	mutex sync.Mutex
	known []regularised // games of RegularisedNash that are solved
}

// dense is a payoff matrix.
type dense struct {
	payoff [][]float64
	stake  float64
}

func (d dense) Earnings(dst, opponent []float64) {
	for i, row := range d.payoff {
		sum := 0.0
		for j, x := range row {
			sum += x * opponent[j]
		}
		dst[i] = sum
	}
}

func (d dense) Prefers(i, j int) float64 { return 0.5 + d.payoff[i][j]/(2*d.stake) }

func (d dense) Stake() float64 { return d.stake }

// SelfPlay is the game of one policy over n answers that meets itself. Bound is half the
// span of what they earn.
func SelfPlay(name string, n int, e Earner, bound float64) *Polymatrix {
	return &Polymatrix{Name: name, Sizes: []int{n}, Seats: 2, Bound: bound, Meet: [][]Earner{{e}}}
}

// Contest is the game of one policy that meets itself before a contest's judge.
func Contest(g games.Contest) *Polymatrix {
	info := g.Info()
	return SelfPlay(info.Name, g.Answers(), judged{g}, max(info.MaxReturn, -info.MinReturn))
}

// judged is a contest of which single comparisons can be drawn: an answer earns 1 where
// it is preferred and loses 1 elsewhere.
type judged struct{ games.Contest }

func (j judged) Prefers(i, k int) float64 { return (1 + j.Score(i, k)) / 2 }

func (judged) Stake() float64 { return 1 }

// ZeroSum is the game in which the row player is paid payoff[i][j] by the column
// player. Where the two can change seats (payoff[i][j] + payoff[j][i] is the same
// everywhere, as of preferences) one policy meets itself, and half that sum is taken
// from the payoffs; otherwise there are two policies.
func ZeroSum(name string, payoff [][]float64) (*Polymatrix, error) {
	if err := rectangular(payoff); err != nil {
		return nil, err
	}
	centred := antisymmetric(payoff)
	if centred != nil {
		payoff = centred
	}
	low, high := payoff[0][0], payoff[0][0]
	for _, row := range payoff {
		low, high = min(low, slices.Min(row)), max(high, slices.Max(row))
	}
	bound, stake := high/2-low/2, max(high, -low, 0.5)
	if centred != nil {
		return SelfPlay(name, len(payoff), dense{payoff, stake}, bound), nil
	}
	columns := make([][]float64, len(payoff[0]))
	for j := range columns {
		for i := range payoff {
			columns[j] = append(columns[j], 0-payoff[i][j])
		}
	}
	return &Polymatrix{
		Name: name, Sizes: []int{len(payoff), len(columns)}, Seats: 1, Bound: bound,
		Meet: [][]Earner{{nil, dense{payoff, stake}}, {dense{columns, stake}, nil}},
	}, nil
}

// antisymmetric returns a matrix whose sum with its transpose is the same everywhere,
// less half that sum; nil for others.
func antisymmetric(payoff [][]float64) [][]float64 {
	if len(payoff) != len(payoff[0]) {
		return nil
	}
	half, largest := payoff[0][0], 0.0
	for _, row := range payoff {
		largest = max(largest, slices.Max(row), -slices.Min(row))
	}
	out := make([][]float64, len(payoff))
	for i, row := range payoff {
		for j, x := range row {
			if math.Abs(x/2+payoff[j][i]/2-half) > 1e-12*largest {
				return nil
			}
			out[i] = append(out[i], x/2-payoff[j][i]/2) // antisymmetric to the last bit
		}
	}
	return out
}

// Preferences is the preference game in which answer i is preferred to answer j
// with probability prefer[i][j]; an answer earns its probability less ½.
func Preferences(name string, prefer [][]float64) (*Polymatrix, error) {
	payoff, err := centred(prefer)
	if err != nil {
		return nil, err
	}
	return SelfPlay(name, len(payoff), dense{payoff, 0.5}, 0.5), nil
}

// Players is the preference game of n players with a policy each, as in MNPO (Wu et
// al. 2025, arXiv 2509.23102): an answer of player i earns the average, over the
// other players j, of the probability that judge i prefers it to j's answer, less
// ½. One judge serves all players; else there is one a player.
func Players(name string, n int, judges ...[][]float64) (*Polymatrix, error) {
	if n < 2 {
		return nil, fmt.Errorf("%s: %d players: expected 2 or more", name, n)
	}
	if len(judges) != 1 && len(judges) != n {
		return nil, fmt.Errorf("%s: %d judges for %d players: expected one, or one a player", name, len(judges), n)
	}
	g := &Polymatrix{Name: name, Seats: 1, Bound: 0.5, Alike: true, Meet: make([][]Earner, n)}
	for i := range n {
		payoff, err := centred(judges[i%len(judges)])
		if err != nil {
			return nil, err
		}
		if i > 0 && len(payoff) != g.Sizes[0] {
			return nil, fmt.Errorf("%s: judges of %d and of %d answers: expected as many", name, g.Sizes[0], len(payoff))
		}
		g.Sizes = append(g.Sizes, len(payoff))
		g.Meet[i] = among(i, n, dense{payoff, 0.5})
	}
	return g, nil
}

// Among is the game of one policy that meets itself, played by n players with a policy
// each, who meet all others and earn the average: MNPO's game with one judge.
func (g *Polymatrix) Among(n int) (*Polymatrix, error) {
	if len(g.Sizes) != 1 || n < 2 {
		return nil, fmt.Errorf("%s: %d policies for %d players: expected a game that is the same from both seats, and 2 players or more", g.Name, len(g.Sizes), n)
	}
	out := &Polymatrix{Name: g.Name, Seats: 1, Bound: g.Bound, Alike: true}
	for i := range n {
		out.Sizes = append(out.Sizes, g.Sizes[0])
		out.Meet = append(out.Meet, among(i, n, g.Meet[0][0]))
	}
	return out, nil
}

// among is whom player i of n meets, each for a share of what e pays.
func among(i, n int, e Earner) []Earner {
	part := Earner(portion{e, float64(n - 1)})
	if d, ok := e.(interface {
		Earner
		Duel
	}); ok {
		part = portionOfDuel{portion{e, float64(n - 1)}, d}
	}
	out := make([]Earner, n)
	for j := range out {
		if j != i {
			out[j] = part
		}
	}
	return out
}

// portion pays the nth part.
type portion struct {
	Earner
	n float64
}

func (s portion) Earnings(dst, opponent []float64) {
	s.Earner.Earnings(dst, opponent)
	for i := range dst {
		dst[i] /= s.n
	}
}

// portionOfDuel is a portion whose comparisons can be drawn.
type portionOfDuel struct {
	portion
	duel Duel
}

func (s portionOfDuel) Prefers(i, j int) float64 { return s.duel.Prefers(i, j) }

func (s portionOfDuel) Stake() float64 { return s.duel.Stake() / s.n }

// centred checks a preference matrix and takes ½ from it.
func centred(prefer [][]float64) ([][]float64, error) {
	if err := rectangular(prefer); err != nil {
		return nil, err
	}
	payoff := make([][]float64, len(prefer))
	for i, row := range prefer {
		if len(row) != len(prefer) {
			return nil, fmt.Errorf("preferences: %d rows of %d numbers: expected as many rows as columns", len(prefer), len(row))
		}
		for j, p := range row {
			if !(p >= 0 && p <= 1) || math.Abs(p+prefer[j][i]-1) > 1e-9 {
				return nil, fmt.Errorf("preferences: row %d, column %d is %g and row %d, column %d is %g: expected probabilities that sum to 1", i, j, p, j, i, prefer[j][i])
			}
			payoff[i] = append(payoff[i], (p-prefer[j][i])/2) // antisymmetric to the last bit
		}
	}
	return payoff, nil
}

func rectangular(payoff [][]float64) error {
	if len(payoff) == 0 || len(payoff[0]) == 0 {
		return errors.New("a matrix game without actions")
	}
	for i, r := range payoff {
		if len(r) != len(payoff[0]) {
			return fmt.Errorf("row %d of a matrix game has %d payoffs, the first has %d", i, len(r), len(payoff[0]))
		}
		for _, x := range r {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("a matrix game with a payoff of %g", x)
			}
		}
	}
	return nil
}

// Polymatrix returns the matrix game that a compiled game is: one in which both
// seats pick once, unseen.
func (t *Tree) Polymatrix() (*Polymatrix, error) {
	if t.Info.Seats != 2 || len(t.Sets) != 2 || t.Sets[0].Seat == t.Sets[1].Seat {
		return nil, fmt.Errorf("%s is no matrix game: it has %d seats and %d information states, where a matrix game has two seats that pick once, unseen", t.Info.Name, t.Info.Seats, len(t.Sets))
	}
	row, column := t.Sets[0], t.Sets[1]
	if row.Seat != 0 {
		row, column = column, row
	}
	payoff := make([][]float64, len(row.Actions))
	for i := range payoff {
		payoff[i] = make([]float64, len(column.Actions))
	}
	for end, p := range t.ends.chance {
		i, j := int(t.ends.sequence[2*end])-row.First, int(t.ends.sequence[2*end+1])-column.First
		if i < 0 || i >= len(payoff) || j < 0 || j >= len(payoff[0]) {
			return nil, fmt.Errorf("%s is no matrix game: it can end before both seats have picked", t.Info.Name)
		}
		payoff[i][j] += p * (t.ends.payoff[2*end] - t.ends.payoff[2*end+1]) / 2
	}
	return ZeroSum(t.Info.Name, payoff)
}

// MatrixOf returns the matrix game that a game is: a contest by its answers, any other
// by its tree, which is returned too.
func MatrixOf(ctx context.Context, game games.Game) (*Polymatrix, *Tree, error) {
	if contest, ok := game.(games.Contest); ok {
		return Contest(contest), nil, nil
	}
	t, err := Compile(ctx, game, DefaultNodes)
	if err != nil {
		return nil, nil, err
	}
	g, err := t.Polymatrix()
	return g, t, err
}

// earnings writes, by policy, what its answers earn against the others' play.
func (g *Polymatrix) earnings(dst, play [][]float64) {
	for i := range g.Sizes {
		clear(dst[i])
		part := make([]float64, g.Sizes[i])
		for j, e := range g.Meet[i] {
			if e == nil {
				continue
			}
			e.Earnings(part, play[j])
			for y, x := range part {
				dst[i][y] += x
			}
		}
	}
}

// Gains returns, by policy, what a best response to the others' play gains over its
// own play. Their sum times Seats is the duality gap: 2·(max P·π − ½) where one
// policy meets itself before a judge.
func (g *Polymatrix) Gains(play [][]float64) []float64 {
	worth := g.perPolicy()
	g.earnings(worth, play)
	gains := make([]float64, len(worth))
	for i, u := range worth {
		own := 0.0
		for y, p := range play[i] {
			own += p * u[y]
		}
		gains[i] = max(slices.Max(u)-own, 0)
	}
	return gains
}

// Gap is the duality gap of the policies' play: 0 in equilibrium alone.
func (g *Polymatrix) Gap(play [][]float64) float64 {
	sum := 0.0
	for _, x := range g.Gains(play) {
		sum += x
	}
	return float64(g.Seats) * sum
}

// RegularisedGap is the duality gap of the game in which every policy π loses
// β·KL(π‖reference), given the log-policies of both:
//
//	Σ_i β·log Σ_y ref_i(y)·exp(u_i(y)/β) − ⟨π_i, u_i⟩ + β·KL(π_i‖ref_i)
func (g *Polymatrix) RegularisedGap(play, reference [][]float64, beta float64) float64 {
	sum := 0.0
	for i, best := range g.bestResponses(play, reference, beta) {
		sum += beta * divergence(play[i], best) // the same number, and exact near 0
	}
	return float64(g.Seats) * sum
}

// bestResponses returns the logarithms of the best responses in the regularised game:
// ref·exp(u/β), normalised.
func (g *Polymatrix) bestResponses(play, reference [][]float64, beta float64) [][]float64 {
	out := g.perPolicy()
	g.earnings(out, probabilities(play))
	for i, u := range out {
		for y, x := range u {
			u[y] = reference[i][y] + x/beta
		}
		normalise(u)
	}
	return out
}

// perPolicy returns space for a number an answer, by policy.
func (g *Polymatrix) perPolicy() [][]float64 {
	out := make([][]float64, len(g.Sizes))
	for i, n := range g.Sizes {
		out[i] = make([]float64, n)
	}
	return out
}

// scale is by what payoffs exceed those for which published steps are meant.
func (g *Polymatrix) scale() float64 { return max(1, 2*g.Bound) }

// normalise makes logarithms those of a distribution.
func normalise(log []float64) { floats.AddConst(-floats.LogSumExp(log), log) }

// probabilities returns what log-policies are the logarithms of.
func probabilities(log [][]float64) [][]float64 {
	out := make([][]float64, len(log))
	for i, row := range log {
		out[i] = make([]float64, len(row))
		for y, x := range row {
			out[i][y] = math.Exp(x)
		}
	}
	return out
}

// divergence is KL(p‖q) of logarithms, as Σ p·(x + e^{−x} − 1) with x = log p/q:
// every term is positive, so that it is exact to its last digits where it is tiny.
func divergence(p, q []float64) float64 {
	sum := 0.0
	for i := range p {
		x := p[i] - q[i]
		if math.Abs(x) < 1e-3 {
			sum += math.Exp(p[i]) * x * x * (1.0/2 - x/6 + x*x/24)
		} else {
			sum += math.Exp(p[i])*(x-1) + math.Exp(q[i])
		}
	}
	return max(sum, 0)
}
