// Package sequence holds a game of answers and a judge whose preferences go in a
// circle: both seats write a sequence of letters, unseen by the other, and the
// judge prefers the one or the other with a probability that is known.
//
// The judge looks at three features of an answer: the shares x = (r, f, l) of its
// steps, from each letter to the next, that rise (in the alphabet), fall, or stay
// level. Rising beats falling, falling beats level, level beats rising:
//
//	P(y ≻ y') = ½ + ½ xᵀA x',   A = |  0  ρ −λ |
//	                                | −ρ  0  φ |
//	                                |  λ −φ  0 |
//
// with ρ, φ, λ in [0, 1]. A seat's return is 2P−1 = xᵀA x', its expected score,
// so that the game has no chance and all of it can be computed by enumeration of
// the answers, though there are symbols^(2·length) ways to play it. In equilibrium
// the mean features of a seat's answers are (φ, λ, ρ)/(ρ+φ+λ); by default no
// answer has them.
package sequence

import (
	"fmt"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	maxLength  = 12
	maxSymbols = 26
	maxAnswers = 1 << 20
)

// Settings are the game's parameters.
type Settings struct {
	Length, Symbols   int     // of an answer
	Rise, Fall, Level float64 // ρ, φ, λ: what each kind of step wins against the kind that it beats
}

// Defaults are 4 letters of 8, 4,096 answers.
func Defaults() Settings { return Settings{Length: 4, Symbols: 8, Rise: 1, Fall: 0.6, Level: 0.5} }

func init() {
	d := Defaults()
	games.Register(games.Rules{
		Name:    "sequence",
		Summary: "two answers of letters before a judge whose preferences go in a circle",
		Params: []games.Param{
			{Name: "length", Default: fmt.Sprint(d.Length), Help: fmt.Sprintf("letters of an answer, 2 to %d", maxLength)},
			{Name: "symbols", Default: fmt.Sprint(d.Symbols), Help: fmt.Sprintf("letters there are, 2 to %d; there are %d answers at most", maxSymbols, maxAnswers)},
			{Name: "rise", Default: fmt.Sprint(d.Rise), Help: "what rising steps win against falling ones, 0 to 1"},
			{Name: "fall", Default: fmt.Sprint(d.Fall), Help: "what falling steps win against level ones, 0 to 1"},
			{Name: "level", Default: fmt.Sprint(d.Level), Help: "what level steps win against rising ones, 0 to 1"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			s := Settings{
				Length: r.Int("length", d.Length, 2, maxLength), Symbols: r.Int("symbols", d.Symbols, 2, maxSymbols),
				Rise: r.Float("rise", d.Rise, 0, 1), Fall: r.Float("fall", d.Fall, 0, 1), Level: r.Float("level", d.Level, 0, 1),
			}
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(s)
		},
	})
}

// Features are the shares of an answer's steps that rise, fall and stay level.
type Features [3]float64

// Game is the game with its parameters fixed.
type Game struct {
	Settings
	info     games.Info
	answers  int
	features []Features // by answer
}

var _ games.Contest = (*Game)(nil)

// New returns the game. It refuses more than 1,048,576 answers.
func New(s Settings) (*Game, error) {
	if s.Length < 2 || s.Length > maxLength || s.Symbols < 2 || s.Symbols > maxSymbols {
		return nil, fmt.Errorf("sequence: length=%d, symbols=%d: expected 2 to %d and 2 to %d", s.Length, s.Symbols, maxLength, maxSymbols)
	}
	for _, x := range []float64{s.Rise, s.Fall, s.Level} {
		if !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("sequence: rise=%g, fall=%g, level=%g: expected numbers from 0 to 1", s.Rise, s.Fall, s.Level)
		}
	}
	g := &Game{Settings: s, answers: 1}
	for range s.Length {
		if g.answers *= s.Symbols; g.answers > maxAnswers {
			return nil, fmt.Errorf("sequence: length=%d, symbols=%d: more than %d answers: expected fewer", s.Length, s.Symbols, maxAnswers)
		}
	}
	g.features = make([]Features, g.answers)
	for i := range g.features {
		g.features[i] = g.featuresOf(g.Answer(i))
	}
	bound := max(s.Rise, s.Fall, s.Level)
	g.info = games.Info{
		Name: g.name(), Seats: 2, Roles: []string{"first", "second"}, Actions: s.Symbols, MaxLength: 2 * s.Length,
		MinReturn: -bound, MaxReturn: bound, Hidden: true,
		// own seat, then the letters of the seat's answer and of the other's, as far as
		// the seat knows them
		Tensor: []int{2 + 2*s.Length*s.Symbols}, Recall: true,
	}
	return g, nil
}

func (g *Game) name() string {
	d := Defaults()
	name := spec.Spec{Name: "sequence"}
	for _, p := range []struct {
		key           string
		value, normal any
	}{
		{"length", g.Length, d.Length},
		{"symbols", g.Symbols, d.Symbols},
		{"rise", g.Rise, d.Rise},
		{"fall", g.Fall, d.Fall},
		{"level", g.Level, d.Level},
	} {
		if p.value != p.normal {
			name.Args = append(name.Args, spec.Arg{Key: p.key, Value: fmt.Sprint(p.value)})
		}
	}
	return name.String()
}

// Info implements games.Game.
func (g *Game) Info() games.Info { return g.info }

// Start implements games.Game.
func (g *Game) Start() games.State { return &state{game: g} }

// Answers implements games.Contest: symbols^length.
func (g *Game) Answers() int { return g.answers }

// Answer implements games.Contest. The first letter counts most.
func (g *Game) Answer(i int) []games.Action {
	letters := make([]games.Action, g.Length)
	for at := g.Length - 1; at >= 0; at-- {
		letters[at], i = games.Action(i%g.Symbols), i/g.Symbols
	}
	return letters
}

func (g *Game) featuresOf(letters []games.Action) (x Features) {
	for i := 1; i < len(letters); i++ {
		switch {
		case letters[i] > letters[i-1]:
			x[0]++
		case letters[i] < letters[i-1]:
			x[1]++
		default:
			x[2]++
		}
	}
	for k := range x {
		x[k] /= float64(g.Length - 1)
	}
	return x
}

// Features returns an answer's features.
func (g *Game) Features(answer int) Features { return g.features[answer] }

// Describe returns an answer's features, as judges of features read them.
func (g *Game) Describe(answer int) []float64 { return g.features[answer][:] }

// Number implements games.Contest.
func (g *Game) Number(letters []games.Action) int { return number(letters, g.Symbols) }

func number[Letter games.Action | int8](letters []Letter, symbols int) (i int) {
	for _, letter := range letters {
		i = i*symbols + int(letter)
	}
	return i
}

// Score implements games.Contest: 2P(i ≻ j) − 1.
func (g *Game) Score(i, j int) float64 { return g.Judge(g.features[i], g.features[j]) }

// Judge is what an answer with features x earns against one with features y.
func (g *Game) Judge(x, y Features) float64 {
	return g.Rise*(x[0]*y[1]-x[1]*y[0]) + g.Fall*(x[1]*y[2]-x[2]*y[1]) + g.Level*(x[2]*y[0]-x[0]*y[2])
}

// Prefers is the probability that the judge prefers answer i to answer j.
func (g *Game) Prefers(i, j int) float64 { return (1 + g.Score(i, j)) / 2 }

// Mean returns the mean features of answers given with these probabilities.
func (g *Game) Mean(probs []float64) (x Features) {
	for i, p := range probs {
		for k := range x {
			x[k] += p * g.features[i][k]
		}
	}
	return x
}

// Earnings implements games.Contest. A score is linear in both answers' features,
// so what an answer earns on average depends on the mean of the other's alone.
func (g *Game) Earnings(dst, opponent []float64) {
	mean := g.Mean(opponent)
	for i, x := range g.features {
		dst[i] = g.Judge(x, mean)
	}
}

type state struct {
	game    *Game
	made    int8 // letters, of both
	letters [2 * maxLength]int8
}

func (s *state) Turn() games.Seat {
	if int(s.made) == 2*s.game.Length {
		return games.Over
	}
	return games.Seat(int(s.made) / s.game.Length)
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.Turn() == games.Over {
		return dst
	}
	for a := range s.game.Symbols {
		dst = append(dst, games.Action(a))
	}
	return dst
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if s.Turn() == games.Over || a < 0 || int(a) >= s.game.Symbols {
		return games.Illegal(s, a)
	}
	s.letters[s.made] = int8(a)
	s.made++
	return nil
}

// answer is the number of a seat's finished answer.
func (s *state) answer(seat games.Seat) int {
	return number(s.letters[int(seat)*s.game.Length:(int(seat)+1)*s.game.Length], s.game.Symbols)
}

func (s *state) Returns(dst []float64) []float64 {
	if s.Turn() != games.Over {
		return append(dst, 0, 0)
	}
	x := s.game.Score(s.answer(0), s.answer(1))
	return append(dst, x, 0-x)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// knows returns those letters of a seat that another knows: its own as they are
// written, the other's at the end.
func (s *state) knows(seat, of games.Seat) []int8 {
	if seat != of && s.Turn() != games.Over {
		return nil
	}
	first := int(of) * s.game.Length
	last := min(int(s.made), first+s.game.Length)
	return s.letters[first:max(first, last)]
}

func spell(dst []byte, letters []int8) []byte {
	for _, letter := range letters {
		dst = append(dst, 'a'+byte(letter))
	}
	return dst
}

// AppendKey writes the seat and the letters it knows: P0, P0 ab, P0 abca dddd.
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	dst = append(dst, 'P', '0'+byte(seat))
	for _, of := range [...]games.Seat{seat, 1 - seat} {
		if letters := s.knows(seat, of); len(letters) > 0 {
			dst = spell(append(dst, ' '), letters)
		}
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	for i, of := range [...]games.Seat{seat, 1 - seat} {
		for at, letter := range s.knows(seat, of) {
			dst[2+(i*s.game.Length+at)*s.game.Symbols+int(letter)] = 1
		}
	}
}

// Say names a letter.
func (s *state) Say(a games.Action) string {
	if a < 0 || int(a) >= s.game.Symbols {
		return fmt.Sprint(int(a))
	}
	return string(rune('a' + a))
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(s.game.Symbols))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	fmt.Fprintf(&b, `Two answers before a judge. Both players write %d letters from a to %c, one after the other, without seeing the other's. The judge looks at the steps from each letter to the next: the shares of them that rise in the alphabet (r), fall (f), or repeat the letter (l). Rising steps beat falling ones, falling ones beat level ones, level ones beat rising ones: your return is %g·(r f' - f r') %+g·(f l' - l f') %+g·(l r' - r l'), where the other's shares are primed, and the other's return is the negative of it.

You are player %d (%s).
`, g.Length, 'a'+rune(g.Symbols-1), g.Rise, g.Fall, g.Level, seat, g.info.Roles[seat])
	if letters := s.knows(seat, seat); len(letters) > 0 {
		fmt.Fprintf(&b, "Your letters: %s\n", spell(nil, letters))
	}
	if letters := s.knows(seat, 1-seat); len(letters) > 0 {
		fmt.Fprintf(&b, "The other's letters: %s\n", spell(nil, letters))
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
