package sequence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	"github.com/agon-rl/agon/games/sequence"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{"sequence", "sequence(length=2,symbols=2)", "sequence(length=3,symbols=26,rise=0,fall=0.2,level=1)"} {
		t.Run(name, func(t *testing.T) { gamestest.Run(t, newGame(t, name), gamestest.Options{Nodes: 500}) })
	}
}

func FuzzApply(f *testing.F) { gamestest.FuzzApply(f, newGame(f, "sequence(length=3,symbols=4)")) }

func FuzzHear(f *testing.F) { gamestest.FuzzHear(f, newGame(f, "sequence(length=3,symbols=4)")) }

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"sequence(length=1)", "sequence(symbols=27)", "sequence(length=12)", "sequence(rise=1.1)", "sequence(level=nan)", "sequence(rises=1)"} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			t.Log(err)
		}
	}
}

// Answers are numbered and played alike; what the formula says of two of them is
// what the game pays; preferences of the two directions add up to 1 and go in a
// circle.
func TestJudge(t *testing.T) {
	g := newGame(t, "sequence").(*sequence.Game)
	if g.Answers() != 4096 {
		t.Fatalf("%d answers", g.Answers())
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		i, j := r.IntN(g.Answers()), r.IntN(g.Answers())
		s := g.Start()
		for _, a := range append(g.Answer(i), g.Answer(j)...) {
			if err := s.Apply(a); err != nil {
				t.Fatal(err)
			}
		}
		p := g.Prefers(i, j)
		if got := s.Returns(nil)[0]; math.Abs(got-(2*p-1)) > 1e-15 || p < 0 || p > 1 || math.Abs(p+g.Prefers(j, i)-1) > 1e-15 {
			t.Errorf("answers %d and %d: return %g, P %g and %g", i, j, got, p, g.Prefers(j, i))
		}
	}
	rising, falling, level := number(0, 1, 2, 3), number(7, 5, 2, 0), number(4, 4, 4, 4)
	for _, pair := range []struct {
		better, worse int
		want          float64
	}{{rising, falling, 1}, {falling, level, 0.8}, {level, rising, 0.75}} {
		if got := g.Prefers(pair.better, pair.worse); math.Abs(got-pair.want) > 1e-15 {
			t.Errorf("P(%v ≻ %v) = %g, expected %g", g.Answer(pair.better), g.Answer(pair.worse), got, pair.want)
		}
	}
}

func number(letters ...int) (i int) {
	for _, letter := range letters {
		i = 8*i + letter
	}
	return i
}

// Earnings are what summing over all pairs gives, and nothing earns anything
// against answers whose mean features are (φ, λ, ρ)/(ρ+φ+λ).
func TestEarnings(t *testing.T) {
	g := newGame(t, "sequence(length=3,symbols=4)").(*sequence.Game)
	r := rand.New(rand.NewPCG(3, 4))
	probs, sum := make([]float64, g.Answers()), 0.0
	for i := range probs {
		probs[i] = r.ExpFloat64()
		sum += probs[i]
	}
	for i := range probs {
		probs[i] /= sum
	}
	got := make([]float64, g.Answers())
	g.Earnings(got, probs)
	for i := range got {
		want := 0.0
		for j, p := range probs {
			want += p * (2*g.Prefers(i, j) - 1)
		}
		if math.Abs(got[i]-want) > 1e-14 {
			t.Errorf("answer %d earns %g, expected %g", i, got[i], want)
		}
	}
	clear(probs)
	total := g.Rise + g.Fall + g.Level
	for answer, share := range map[int]float64{0b000110: g.Fall, 0b100100: g.Level, 0b101010: g.Rise} { // abc, cba, ccc
		probs[answer] = share / total
	}
	t.Log(g.Mean(probs))
	g.Earnings(got, probs)
	for i, x := range got {
		if math.Abs(x) > 1e-15 {
			t.Errorf("in equilibrium answer %d earns %g", i, x)
		}
	}
}

func newGame(t testing.TB, name string) games.Game {
	t.Helper()
	game, err := games.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return game
}
