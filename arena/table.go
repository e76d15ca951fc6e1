package arena

import (
	"slices"

	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Table is what the results so far come to. Results are added in their order.
type Table struct {
	names    []string
	info     games.Info
	units    []Unit
	scores   []float64 // the first entrant's, by unit
	pairings map[Unit]*Pairing
	last     *Pairing // that was asked for
	entrants []Standing
	games    int
	cost     play.Cost
	current  []Result // of the unit under way
	exact    *Exact   // nil where the game is too large
}

// NewTable returns an empty table.
func NewTable(game games.Game, names []string) *Table {
	t := &Table{names: names, info: game.Info(), pairings: map[Unit]*Pairing{}, entrants: make([]Standing, len(names))}
	for i, name := range names {
		t.entrants[i] = Standing{Name: name, Seats: make([]Tally, t.info.Seats)}
	}
	return t
}

// Tally counts how games ended, as one entrant sees it.
type Tally struct {
	Wins   int `json:"wins"`
	Draws  int `json:"draws"`
	Losses int `json:"losses"`
}

// Games is how many there were.
func (t Tally) Games() int { return t.Wins + t.Draws + t.Losses }

// Score is the share of points, ½ for a draw.
func (t Tally) Score() float64 {
	return (float64(t.Wins) + float64(t.Draws)/2) / float64(max(1, t.Games()))
}

func (t *Tally) add(score float64) {
	switch score {
	case 1:
		t.Wins++
	case 0:
		t.Losses++
	default:
		t.Draws++
	}
}

// Standing is how an entrant did.
type Standing struct {
	Name string `json:"name"`
	Tally
	Seats    []Tally   `json:"seats"`    // by the seat that it had alone
	Illegal  int       `json:"illegal"`  // answers that were no legal action
	Forfeits int       `json:"forfeits"` // games lost by an illegal action, by none, or by one too late
	Late     int       `json:"late"`     // games lost on time, among them
	Voids    int       `json:"voids"`    // games played again because something got lost
	Cost     play.Cost `json:"cost"`
}

// Pairing is how two entrants did against each other. Counts and margins are the
// first's.
type Pairing struct {
	Unit
	Tally  Tally
	Counts rating.Counts // of the units' scores
	Margin Mean          // of a unit's return a game, beyond the even share
	// Reduced is the margin without the luck that is known, over the same units; none
	// where nothing is known of it.
	Reduced Mean
	// Sequence is the confidence sequence of the score, which may be looked at any
	// time.
	Sequence *rating.Sequence
	// joint counts units of games of two seats by what the first scored in the first
	// seat (×3) and in the second, each in half points.
	joint [9]float64

	starts  map[uint64]*start
	repeats int // units that tell nothing more
}

// Mean is a running mean.
type Mean struct {
	N       int
	Mean    float64
	squares float64 // sum of squared distances from the mean
}

func (m *Mean) add(x float64) {
	m.N++
	d := x - m.Mean
	m.Mean += d / float64(m.N)
	m.squares += d * (x - m.Mean)
}

// start are the units of a pairing that began alike in a game without chance.
type start struct {
	units int
	all   uint64 // hash of the games of the first
	same  bool   // whether all units were like the first
}

// Add takes a game of a unit into account. A unit counts when all its games are there.
func (t *Table) Add(u Unit, opening play.Opening, r Result) {
	t.games++
	for _, e := range []int{u.First, u.Second} {
		t.entrants[e].Voids += r.Voids
	}
	for seat, n := range r.Illegal {
		t.entrants[r.Seats[seat]].Illegal += n
	}
	if r.Forfeit != nil {
		loser := &t.entrants[r.Seats[*r.Forfeit]]
		if loser.Forfeits++; r.Late {
			loser.Late++
		}
	}
	if t.current = append(t.current, r); len(t.current) == gamesOf(t.info.Seats) {
		t.finish(u, opening)
		t.current = t.current[:0]
	}
}

// Spend takes into account what decisions took, by entrant.
func (t *Table) Spend(costs []play.Cost) {
	for i, c := range costs {
		t.entrants[i].Cost.Add(c)
		t.cost.Add(c)
	}
}

// finish adds the unit under way.
func (t *Table) finish(u Unit, opening play.Opening) {
	p := t.pairing(u)
	score, margin := 0.0, 0.0
	reduced, known := 0.0, t.exact != nil
	var halves [2]int
	for _, r := range t.current {
		alone, seat := aloneIn(u, r.Seats)
		other := u.First + u.Second - alone
		beyond := r.Returns[seat] - t.even()
		s := scoreOf(beyond)
		t.entrants[alone].add(s)
		t.entrants[alone].Seats[seat].add(s)
		t.entrants[other].add(1 - s)
		if t.info.Seats == 2 {
			t.entrants[other].Seats[1-seat].add(1 - s)
			halves[seat] = int(2 * s)
		}
		if alone == u.Second {
			s, beyond = 1-s, -beyond
		}
		p.Tally.add(s)
		score, margin = score+s, margin+beyond
		if known {
			var left float64
			left, known = t.corrected(u, r)
			reduced += left
		}
	}
	n := float64(len(t.current))
	p.joint[3*halves[0]+halves[1]]++
	p.Counts[int(2*score)]++
	p.Margin.add(margin / n)
	if known {
		p.Reduced.add(reduced / n)
	}
	p.Sequence.Add(score / n)
	t.units, t.scores = append(t.units, u), append(t.scores, score/n)
	if t.info.Chance == games.NoChance {
		p.repeat(opening, t.current)
	}
}

// corrected is the first entrant's margin in a game of two seats without known luck. A
// game that ended by a forfeit has none to tell, nor one with a start of its own.
func (t *Table) corrected(u Unit, r Result) (float64, bool) {
	if r.Forfeit != nil || r.Start != "" {
		return 0, false
	}
	returns, ok, err := t.exact.Corrected(r.Seats, r.Actions, r.Returns)
	if err != nil || !ok {
		return 0, false
	}
	return returns[slices.Index(r.Seats, u.First)] - t.even(), true
}

// aloneIn is the entrant that has a seat to itself, and the seat: the first of the
// unit where both have one.
func aloneIn(u Unit, seats []int) (entrant, seat int) {
	for _, e := range []int{u.First, u.Second} {
		first := slices.Index(seats, e)
		if !slices.Contains(seats[first+1:], e) {
			return e, first
		}
	}
	return u.First, 0
}

func scoreOf(beyond float64) float64 {
	switch {
	case beyond > 0:
		return 1
	case beyond < 0:
		return 0
	}
	return 0.5
}

// pairing is that of a unit, with its two entrants in one order.
func (t *Table) pairing(u Unit) *Pairing {
	if t.last != nil && t.last.Unit == u {
		return t.last
	}
	p := t.pairings[u]
	if p == nil {
		p = &Pairing{
			Unit: u, Counts: make(rating.Counts, 2*gamesOf(t.info.Seats)+1), Sequence: rating.NewSequence(0.05), starts: map[uint64]*start{},
		}
		t.pairings[u] = p
	}
	t.last = p
	return p
}

// fnv adds numbers to a hash (FNV-1a, by whole numbers).
func fnv[T ~int32 | ~uint8](h uint64, all []T) uint64 {
	for _, x := range all {
		h = (h ^ uint64(x)) * 0x100000001b3
	}
	return (h ^ h>>29) * 0xbf58476d1ce4e5b9
}

// repeat notes whether a unit's games were all played before.
func (p *Pairing) repeat(opening play.Opening, unit []Result) {
	key, games := fnv(1, opening.Actions), uint64(1)
	if opening.Game != nil {
		key = fnv(key, []byte(opening.Game.Info().Name))
	}
	for _, r := range unit {
		games = fnv(games, r.Actions)
	}
	s := p.starts[key]
	if s == nil {
		p.starts[key] = &start{units: 1, all: games, same: true}
		return
	}
	switch {
	case s.same && s.all == games:
		p.repeats++
	case s.same: // chance decides after all: none was a repeat
		p.repeats -= s.units - 1
		s.same = false
	}
	s.units++
}

// Effective is how many units tell something: those that began alike and went alike,
// two or more and without exception, were played by agents that leave nothing to
// chance, and count as one.
func (p *Pairing) Effective() int { return p.Margin.N - p.repeats }

// told are the counts as if only what is no repeat had been played.
func (p *Pairing) told() rating.Counts {
	out, share := make(rating.Counts, len(p.Counts)), float64(p.Effective())/float64(p.Margin.N)
	for i, n := range p.Counts {
		out[i] = n * share
	}
	return out
}

// Games is how many were played.
func (t *Table) Games() int { return t.games }
