package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// simulated is how many tournaments are played between players of known strength.
const simulated = 10_000

// The simulated players: strengths in Elo, the worth of the first seat, the odds of a
// draw between equals (ν), and how far an opening may favour a seat (its deviation in
// Elo), which is what makes the two games of a pair depend on each other.
var (
	strengths = []float64{-150, -40, 30, 160}
	apart     = []float64{-600, -160, 120, 640} // where most games of the ends are won
	seatWorth = 40.0
	drawOdds  = 0.8
	openings  = 80.0
)

// meetingPairs and resamples are of the tournaments of four. A tournament draws 1,000
// resamples; with these it takes less of the machine, and covers a little less.
const meetingPairs, resamples = 25, 300

// calibration tests intervals and tests by what they promise.
func calibration(ctx context.Context, l *lab) error {
	var rows [][]string
	row := func(what, promise string, hits int) {
		p := float64(hits) / simulated
		fmt.Fprintf(os.Stderr, "%s: %.2f %%\n", what, 100*p)
		rows = append(rows, []string{what, promise, fmt.Sprintf("%.2f %% ± %.2f", 100*p, 196*math.Sqrt(p*(1-p)/simulated))})
	}
	for _, pairs := range []int{50, 200} {
		covered := simulate(ctx, func(r *rand.Rand) []bool { return []bool{differenceCovers(pairs, r)} })
		row(fmt.Sprintf("difference of Elo from %d pairs", pairs), "covers in 94 to 96 %", covered[0])
	}
	for _, field := range []struct {
		what      string
		strengths []float64
	}{{"", strengths}, {" of four far apart", apart}} {
		covered := simulate(ctx, func(r *rand.Rand) []bool { return ratingsCover(field.strengths, r) })
		for i, hits := range covered {
			row(fmt.Sprintf("rating of %+g Elo%s, by bootstrap, %d pairs a meeting", field.strengths[i], field.what, meetingPairs), "covers in 94 to 96 %", hits)
		}
	}
	for _, model := range []string{rating.Logistic, rating.Normalized} {
		test := rating.SPRT{Elo0: 0, Elo1: 30, Alpha: 0.05, Beta: 0.05, Model: model}
		wrong := simulate(ctx, func(r *rand.Rand) []bool {
			return []bool{decide(test, test.Elo0, r), !decide(test, test.Elo1, r)}
		})
		row(fmt.Sprintf("SPRT of 0 against 30 Elo, %s: H1 taken where H0 holds", model), "in 5 % or less", wrong[0])
		row(fmt.Sprintf("SPRT of 0 against 30 Elo, %s: H0 taken where H1 holds", model), "in 5 % or less", wrong[1])
	}
	always := simulate(ctx, peek)
	row("confidence sequence, looked at after each of 500 games", "covers always in 95 % or more", always[0])
	row("an ordinary interval, looked at after each of 500 games", "promises nothing of the kind", always[1])
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.write(calibrationPage, "## Shares\n\nWith the 95 % error of the simulation:\n\n"+markdown([]string{"what", "promise", "share"}, rows))
}

var calibrationPage = page{
	name:    "calibration",
	title:   "Do the intervals keep what they promise?",
	command: "go run ./experiments calibration",
	setup: fmt.Sprintf(`Every line is of %d simulated tournaments between players whose strength is known: %v Elo,
a first seat worth %g Elo, draws, and pairs whose two games share an opening that favours a
seat by some %g Elo, so that they depend on each other (not so for the four players'
ratings, whose model has no openings, and whose interval is of %d resamples). The four far
apart have %v Elo.`, simulated, strengths, seatWorth, openings, resamples, apart),
}

// simulate counts how often each of some statements is true, on all cores.
func simulate(ctx context.Context, one func(*rand.Rand) []bool) []int {
	var mu sync.Mutex
	var counts []int
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				said := one(play.Generator(1, "simulation", uint64(i)))
				mu.Lock()
				if counts == nil {
					counts = make([]int, len(said))
				}
				for j, yes := range said {
					if yes {
						counts[j]++
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range simulated {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return counts
}

// odds are those of the three ends of a game, to the player of strength a in the first
// seat against b, where an opening favours it by some Elo.
func odds(a, b, opening float64) (win, draw, loss float64) {
	const scale = 400 / math.Ln10
	win = math.Exp((a + (seatWorth+opening)/2) / scale)
	loss = math.Exp((b - (seatWorth+opening)/2) / scale)
	return win, drawOdds * math.Exp((a+b)/2/scale), loss
}

// game draws what the player of strength a scores in the first seat against b, where an
// opening favours it by some Elo.
func game(a, b, opening float64, r *rand.Rand) float64 {
	win, draw, loss := odds(a, b, opening)
	switch x := r.Float64() * (win + loss + draw); {
	case x < win:
		return 1
	case x < win+draw:
		return 0.5
	}
	return 0
}

// pair draws a pair's two scores, the first player's.
func pair(a, b, deviation float64, r *rand.Rand) (first, second float64) {
	opening := deviation * r.NormFloat64()
	return game(a, b, opening, r), 1 - game(b, a, opening, r)
}

// expected is the first player's mean score in a pair, over the opening's distribution in
// a thousand even steps to five deviations.
func expected(a, b, deviation float64) float64 {
	mean := func(a, b, opening float64) float64 {
		win, draw, loss := odds(a, b, opening)
		return (win + draw/2) / (win + loss + draw)
	}
	sum, weight := 0.0, 0.0
	for i := -500; i <= 500; i++ {
		z := float64(i) / 100
		w := math.Exp(-z * z / 2)
		o := deviation * z
		sum, weight = sum+w*(mean(a, b, o)+1-mean(b, a, o))/2, weight+w
	}
	return sum / weight
}

func differenceCovers(pairs int, r *rand.Rand) bool {
	counts := make(rating.Counts, 5)
	for range pairs {
		x, y := pair(strengths[2], strengths[1], openings, r)
		counts[int(2*(x+y))]++
	}
	d := counts.Compare()
	return math.Abs(d.Elo-rating.EloOf(expected(strengths[2], strengths[1], openings))) <= d.EloError
}

// ratingsCover plays a round robin through a table and asks its ratings' intervals.
func ratingsCover(strengths []float64, r *rand.Rand) []bool {
	rules, err := games.New("tic_tac_toe")
	if err != nil {
		panic(err) // it is built in
	}
	t := arena.NewTable(rules, []string{"a", "b", "c", "d"})
	number := 0
	for range meetingPairs {
		for i := range strengths {
			for j := i + 1; j < len(strengths); j++ {
				x, y := pair(strengths[i], strengths[j], 0, r)
				for g, score := range []float64{x, y} {
					seats, returns := []int{i, j}, []float64{2*score - 1, 1 - 2*score}
					if g == 1 {
						seats, returns = []int{j, i}, []float64{1 - 2*score, 2*score - 1}
					}
					t.Add(arena.Unit{First: i, Second: j}, play.Opening{}, arena.Result{
						Game: number, Seats: seats, Returns: returns, Actions: []games.Action{games.Action(number)},
					})
					number++
				}
			}
		}
	}
	s, err := t.Summarize(arena.Rating{Resamples: resamples, Seed: r.Uint64()})
	out := make([]bool, len(strengths))
	for _, rated := range s.Standings {
		i := int(rated.Name[0] - 'a')
		out[i] = err == nil && rated.Elo95 != nil && rated.Elo95[0] <= strengths[i] && strengths[i] <= rated.Elo95[1]
	}
	return out
}

// decide runs a test to its end where the truth is a difference, and tells whether H1
// was taken.
func decide(test rating.SPRT, truth float64, r *rand.Rand) bool {
	b := 0.0
	a := b + strengthFor(test, truth)
	lower, upper := test.Bounds()
	counts := make(rating.Counts, 5)
	for {
		for range 4 { // pairs between two looks
			x, y := pair(a, b, openings, r)
			counts[int(2*(x+y))]++
		}
		switch llr := test.LLR(counts); {
		case llr >= upper:
			return true
		case llr <= lower:
			return false
		}
	}
}

// solved remembers strengthFor.
var solved sync.Map

// strengthFor is the strength at which the truth of a test's hypothesis is that
// difference, in the test's own unit, found by bisection.
func strengthFor(test rating.SPRT, truth float64) float64 {
	key := fmt.Sprint(test.Model, truth)
	if x, ok := solved.Load(key); ok {
		return x.(float64)
	}
	low, high := -400.0, 400.0
	for range 50 {
		mid := (low + high) / 2
		if differenceOf(test.Model, mid) < truth {
			low = mid
		} else {
			high = mid
		}
	}
	solved.Store(key, low)
	return low
}

// differenceOf is the true difference of a strength from 0, in the unit of a model.
func differenceOf(model string, strength float64) float64 {
	if model == rating.Logistic {
		return rating.EloOf(expected(strength, 0, openings))
	}
	// of many pairs, drawn alike for every strength
	r := play.Generator(2, "pairs")
	counts := make(rating.Counts, 5)
	for range 200_000 {
		x, y := pair(strength, 0, openings, r)
		counts[int(2*(x+y))]++
	}
	return counts.Compare().NElo
}

// peek looks at two intervals of a running score after every game and tells whether
// they always held the mean.
func peek(r *rand.Rand) []bool {
	mean := expected(strengths[2], strengths[1], openings)
	sequence := rating.NewSequence(0.05)
	counts := make(rating.Counts, 5)
	held, ordinary := true, true
	for i := range 250 {
		x, y := pair(strengths[2], strengths[1], openings, r)
		counts[int(2*(x+y))]++
		sequence.Add((x + y) / 2)
		held = held && sequence.Holds(mean)
		if d := counts.Compare(); i >= 10 && math.Abs(d.Score-mean) > d.ScoreError {
			ordinary = false
		}
	}
	return []bool{held, ordinary}
}
