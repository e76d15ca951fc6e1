package arena

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

// Summary is what a table says, with an interval on every number that has one. What
// is infinite or cannot be told is null in JSON.
type Summary struct {
	Game      string  `json:"game"`
	Games     int     `json:"games"`
	Units     int     `json:"units"`
	Standings []Rated `json:"standings"` // best first
	Pairings  []Duel  `json:"pairings"`
	// Seat is what the first seat is worth in Elo, Draw the odds of a draw between
	// equals to a win of either.
	Seat *float64 `json:"seat,omitempty"`
	Draw *float64 `json:"draw,omitempty"`
	// Cyclic is the share of the payoffs that no rating can tell.
	Cyclic *float64 `json:"cyclic_share,omitempty"`
	// Unrated says why there are no ratings.
	Unrated string `json:"unrated,omitempty"`
	// Transitions are the ways on which alpha-rank's population moves: from an entrant
	// to one that pays better against it.
	Transitions []Transition `json:"transitions,omitempty"`
	// Test is how far the sequential test is, where one was asked for.
	Test *Test `json:"sprt,omitempty"`
}

// Transition is the chance that one mutant of To takes over a population of From, in
// units of what it would be if they were paid the same.
type Transition struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Ratio float64 `json:"ratio"`
}

// Test is a sequential test under way.
type Test struct {
	Elo0  float64 `json:"elo0"`
	Elo1  float64 `json:"elo1"`
	Model string  `json:"model"`
	LLR   float64 `json:"llr"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
	Taken string  `json:"taken,omitempty"` // H0 or H1, once it is decided
}

// Rated is an entrant's standing with its rating.
type Rated struct {
	Standing
	Score float64     `json:"score"`
	Elo   *float64    `json:"elo"`
	Elo95 *[2]float64 `json:"elo95"` // by bootstrap over units
	// AlphaRank is its share in alpha-rank's population, Nash its part in the Nash
	// average and NashGain what it gains against that, a game.
	AlphaRank *float64 `json:"alpha_rank,omitempty"`
	Nash      *float64 `json:"nash,omitempty"`
	NashGain  *float64 `json:"nash_gain,omitempty"`
	// EloPerKTokens is the rating, from its anchor, a thousand tokens of a game; none
	// where there were no tokens.
	EloPerKTokens *float64 `json:"elo_per_ktokens,omitempty"`
	// Exploitability is exact, of an entrant that can be asked for its probabilities
	// in a game small enough.
	Exploitability *float64 `json:"exploitability,omitempty"`
}

// Duel is a pairing, as its first entrant sees it.
type Duel struct {
	First     string    `json:"first"`
	Second    string    `json:"second"`
	Tally               // of games
	Units     int       `json:"units"`
	Effective int       `json:"effective_units"` // those that are no repeats of others
	Counts    []float64 `json:"counts"`          // units by score; LL, LD, DD+WL, WD, WW in games of two seats
	Score     float64   `json:"score"`
	// Anytime is the interval of the score that may be looked at after every game.
	Anytime  [2]float64 `json:"score_anytime95"`
	Elo      *float64   `json:"elo"`
	EloError *float64   `json:"elo_error"` // half of its 95 % interval
	NElo     *float64   `json:"nelo"`
	LOS      *float64   `json:"los"`
	Margin   float64    `json:"margin"` // mean return a game beyond the even share
	Margin95 [2]float64 `json:"margin95"`
	// Reduced is the margin without the luck that is known, Exact what it is where
	// both can be asked for their probabilities.
	Reduced   *float64    `json:"margin_reduced,omitempty"`
	Reduced95 *[2]float64 `json:"margin_reduced95,omitempty"`
	Exact     *float64    `json:"margin_exact,omitempty"`
}

// Rating says how entrants are rated.
type Rating struct {
	Anchor    string  // the entrant of a known rating; "" makes the mean AnchorElo
	AnchorElo float64 //
	// Prior is how many games, half won and half lost, are added between those that met;
	// without one, and where some won or lost all games, one is.
	Prior     float64
	Resamples int // of the bootstrap
	Seed      uint64
	Test      *rating.SPRT // of the first two entrants; nil for none
}

// defaultPrior bounds the rating of who won all games.
const defaultPrior = 1

// Summarize computes the summary.
func (t *Table) Summarize(r Rating) (Summary, error) {
	s := t.counted(r)
	if err := t.measure(&s); err != nil {
		return s, err
	}
	if err := t.rate(r, &s); err != nil {
		return s, err
	}
	if err := t.rank(&s); err != nil {
		return s, err
	}
	s.sort()
	return s, nil
}

// Running computes what a summary can tell many times a second while games are
// played: no bootstrap, no ranks, nothing that a walk through the whole game measures.
func (t *Table) Running(r Rating) (Summary, error) {
	s := t.counted(r)
	r.Resamples = 0
	err := t.rate(r, &s)
	s.sort()
	return s, err
}

// counted is what follows from counts.
func (t *Table) counted(r Rating) Summary {
	s := Summary{Game: t.info.Spec(), Games: t.games, Units: len(t.units)}
	for _, e := range t.entrants {
		s.Standings = append(s.Standings, Rated{Standing: e, Score: e.Score()})
	}
	for _, p := range t.ordered() {
		s.Pairings = append(s.Pairings, t.duel(p))
	}
	if r.Test != nil {
		s.Test = t.test(*r.Test)
	}
	return s
}

func (t *Table) test(sprt rating.SPRT) *Test {
	out := &Test{Elo0: sprt.Elo0, Elo1: sprt.Elo1, Model: sprt.Model}
	out.LLR, _ = t.LLR(sprt)
	out.Lower, out.Upper = sprt.Bounds()
	switch {
	case out.LLR <= out.Lower:
		out.Taken = "H0"
	case out.LLR >= out.Upper:
		out.Taken = "H1"
	}
	return out
}

// sort puts the best first.
func (s *Summary) sort() {
	slices.SortStableFunc(s.Standings, func(a, b Rated) int {
		x, y := a.Score, b.Score
		if a.Elo != nil && b.Elo != nil {
			x, y = *a.Elo, *b.Elo
		}
		return cmp.Compare(y, x)
	})
}

// measure adds what is exact of those entrants that can be asked for their
// probabilities.
func (t *Table) measure(s *Summary) error {
	x := t.exact
	if x == nil {
		return nil
	}
	for i := range s.Standings {
		if !x.Known(i) {
			continue
		}
		e, err := x.Exploitability(i)
		if err != nil {
			return err
		}
		s.Standings[i].Exploitability = &e
	}
	for i, p := range t.ordered() {
		if x.Known(p.First) && x.Known(p.Second) {
			margin := x.Margin(p.Unit)
			s.Pairings[i].Exact = &margin
		}
	}
	return nil
}

// ordered are the pairings in the order of their entrants.
func (t *Table) ordered() (out []*Pairing) {
	for i := range t.names {
		for j := i + 1; j < len(t.names); j++ {
			for _, u := range []Unit{{i, j}, {j, i}} {
				if p := t.pairings[u]; p != nil {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// finite is x, or nothing where it is beyond all bounds.
func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func (t *Table) duel(p *Pairing) Duel {
	units, effective := p.Margin.N, p.Effective()
	d := p.told().Compare()
	out := Duel{
		First: t.names[p.First], Second: t.names[p.Second], Tally: p.Tally, Units: units, Effective: effective, Counts: p.Counts,
		Score: d.Score, Elo: finite(d.Elo), EloError: finite(d.EloError), NElo: finite(d.NElo), LOS: finite(d.LOS), Margin: p.Margin.Mean,
	}
	out.Anytime[0], out.Anytime[1] = p.Sequence.Interval()
	out.Margin95 = t.bounded(p.Margin.interval(effective))
	if p.Margin.squares == 0 { // sets that all ended alike leave room for one that does not
		out.Margin95 = play.MeanInterval(slices.Repeat([]float64{out.Margin}, effective), t.info.MinReturn-t.even(), t.info.MaxReturn-t.even())
	}
	if p.Reduced.N == units {
		out.Reduced = &p.Reduced.Mean
		if low, high := p.Reduced.interval(units); !math.IsInf(low, 0) {
			out.Reduced95 = &[2]float64{low, high}
		}
	}
	return out
}

// Between says what games of two seats show in which two agents, the first 0 and the
// second 1, swapped the seats from each to the next: two by two, a last one without
// another left out.
func Between(game games.Game, first, second string, episodes []*play.Episode) (Duel, error) {
	if game.Info().Seats != 2 {
		return Duel{}, fmt.Errorf("%s has %d seats: expected two", game.Info().Name, game.Info().Seats)
	}
	t := NewTable(game, []string{first, second})
	held := sealed{seal: seal{Costs: make([]play.Cost, 2)}}
	for _, e := range episodes[:len(episodes)&^1] {
		held.add(e, e.Game)
	}
	for _, r := range held.results {
		t.Add(Unit{0, 1}, play.Opening{}, r)
	}
	p := t.pairings[Unit{0, 1}]
	if p == nil {
		return Duel{}, fmt.Errorf("%d games: expected two or more", len(episodes))
	}
	return t.duel(p), nil
}

// interval is the mean's 95 % interval by Student's t, from so many that tell
// something; without bounds for fewer than two.
func (m Mean) interval(n int) (low, high float64) {
	if n < 2 {
		return math.Inf(-1), math.Inf(1)
	}
	half := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975) * math.Sqrt(m.squares/float64(m.N-1)/float64(n))
	return m.Mean - half, m.Mean + half
}

// bounded keeps an interval of a margin within what the game can pay.
func (t *Table) bounded(low, high float64) [2]float64 {
	return [2]float64{max(t.info.MinReturn-t.even(), low), min(t.info.MaxReturn-t.even(), high)}
}

func (t *Table) even() float64 { return t.info.Sum / float64(t.info.Seats) }

// rate fits ratings and their bootstrap.
func (t *Table) rate(r Rating, s *Summary) error {
	model := rating.Model{Players: len(t.names), Anchor: -1, AnchorElo: r.AnchorElo, Seat: t.info.Seats == 2, Prior: r.Prior}
	if r.Anchor != "" {
		if model.Anchor = slices.Index(t.names, r.Anchor); model.Anchor < 0 {
			return fmt.Errorf("anchor=%s: no entrant has that name", r.Anchor)
		}
	}
	meetings := t.meetings()
	fit, err := fitted(model, records(meetings, nil))
	if err != nil {
		s.Unrated = err.Error()
		return nil //nolint:nilerr // the summary says it
	}
	intervals, err := t.intervals(fit, meetings, r)
	if err != nil {
		return err
	}
	for i := range s.Standings {
		e := &s.Standings[i]
		e.Elo = finite(fit.Elo[i])
		if tokens := e.Cost.TokensIn + e.Cost.TokensOut; tokens > 0 && e.Games() > 0 {
			e.EloPerKTokens = finite(fit.Elo[i] / (float64(tokens) / float64(e.Games()) / 1000))
		}
		e.Elo95 = intervals[i]
	}
	if fit.model.Seat {
		s.Seat = finite(fit.Seat)
		if !fit.drawn {
			s.Draw = finite(fit.Draw)
		}
	}
	return nil
}

// fit is a fitted model, with the records that it was fitted to.
type fit struct {
	rating.Ratings

	model   rating.Model
	records []rating.Record
	helped  bool // whether the games alone do not bound it
	drawn   bool // whether all games were drawn
}

// fitted fits a model, or the nearest that the records bound. Where all games are drawn
// no odds of a draw are large enough: each then counts as half a win and half a loss
// (Bradley and Terry's model without ties). Where somebody, or a seat, won or lost
// everything, half a win and half a loss are added to every meeting, as Haldane (1955)
// adds them to odds.
func fitted(m rating.Model, records []rating.Record) (fit, error) {
	f := fit{model: m, records: records, drawn: true}
	for _, r := range records {
		f.drawn = f.drawn && r.Wins == 0 && r.Losses == 0
	}
	if f.drawn {
		f.records, f.helped = slices.Clone(records), true
		for i := range f.records {
			r := &f.records[i]
			r.Wins, r.Losses, r.Draws = r.Draws/2, r.Draws/2, 0
		}
	}
	var err error
	if f.Ratings, err = m.Fit(f.records); err != nil && m.Prior == 0 {
		f.helped, f.model.Prior = true, defaultPrior
		f.Ratings, err = f.model.Fit(f.records)
	}
	return f, err
}

// meeting is what two entrants' units came to, by kind: in games of two seats by what
// the first scored in either seat, else by the score.
type meeting struct {
	first, second int
	pair          bool      // whether the units are two games with the seats swapped
	counts        []float64 // of units that tell something
	effective     int       // their sum
}

func (t *Table) meetings() (out []meeting) {
	for _, p := range t.ordered() {
		m := meeting{first: p.First, second: p.Second, pair: t.info.Seats == 2, counts: slices.Clone(p.Counts), effective: p.Effective()}
		if m.pair {
			m.counts = slices.Clone(p.joint[:])
		}
		for i := range m.counts {
			m.counts[i] *= float64(m.effective) / float64(p.Margin.N)
		}
		out = append(out, m)
	}
	return out
}

// records are units as ratings want them.
func (m meeting) records(counts []float64) []rating.Record {
	if !m.pair { // a unit has no seats to tell apart
		record := rating.Record{First: m.first, Second: m.second}
		for i, n := range counts {
			score := float64(i) / float64(len(counts)-1)
			record.Wins, record.Losses = record.Wins+n*score, record.Losses+n*(1-score)
		}
		return []rating.Record{record}
	}
	first, second := rating.Record{First: m.first, Second: m.second}, rating.Record{First: m.second, Second: m.first}
	for i, n := range counts {
		count(&first, i/3, n)
		count(&second, 2-i%3, n)
	}
	return []rating.Record{first, second}
}

// records are all games as ratings want them, or, with a generator, those of units
// drawn from every meeting's with replacement: one unit fewer than there are, and
// scaled up, which makes the variance of the drawn means what the unbiased estimate
// says (Rao and Wu 1988). Of a meeting of one unit nothing can be drawn but itself.
func records(meetings []meeting, r *rand.Rand) (out []rating.Record) {
	for _, m := range meetings {
		counts := m.counts
		if fewer := m.effective - 1; r != nil && fewer > 0 {
			counts = drawn(counts, fewer, r)
			for i := range counts {
				counts[i] *= float64(m.effective) / float64(fewer)
			}
		}
		out = append(out, m.records(counts)...)
	}
	return out
}

func count(r *rating.Record, halves int, n float64) {
	switch halves {
	case 0:
		r.Losses += n
	case 1:
		r.Draws += n
	default:
		r.Wins += n
	}
}

// drawn draws so many from counts, with replacement.
func drawn(counts []float64, total int, r *rand.Rand) []float64 {
	const few = 100 // as many are drawn one by one
	out := make([]float64, len(counts))
	sums, sum := make([]float64, len(counts)), 0.0
	for i, n := range counts {
		sum += n
		sums[i] = sum
	}
	if total > few { // binomially from what is left, kind after kind
		left, rest := float64(total), sum
		for i, n := range counts {
			switch {
			case n == 0 || left == 0:
			case n >= rest*(1-1e-12):
				out[i] = left
			default:
				out[i] = distuv.Binomial{N: left, P: n / rest, Src: r}.Rand()
			}
			left, rest = left-out[i], rest-n
		}
		return out
	}
	for range total {
		i, found := slices.BinarySearch(sums, r.Float64()*sum)
		if found { // the sum up to i itself belongs to what follows
			i++
		}
		for counts[min(i, len(counts)-1)] == 0 {
			i++
		}
		out[i]++
	}
	return out
}

// intervals returns each entrant's 95 % interval: by BCa's bootstrap over the units of
// every meeting. What never happened no resample shows, so where the games alone do not
// bound the ratings an interval reaches at least as far as the model's own error says.
// None where no resamples were asked for.
func (t *Table) intervals(f fit, meetings []meeting, r Rating) ([]*[2]float64, error) {
	out := make([]*[2]float64, len(t.names))
	if r.Resamples < 2 {
		return out, nil
	}
	resamples := t.bootstrap(f, meetings, r)
	accelerations, err := t.accelerations(f, meetings)
	if err != nil {
		return nil, err
	}
	for i, elo := range f.Elo {
		if len(resamples[i]) < 2 {
			continue
		}
		low, high := rating.BCa(resamples[i], elo, accelerations[i])
		if f.helped {
			low, high = min(low, elo-rating.Z95*f.Error[i]), max(high, elo+rating.Z95*f.Error[i])
		}
		out[i] = &[2]float64{low, high}
	}
	return out, nil
}

// bootstrap returns each entrant's rating in tournaments of units drawn anew, each
// fitted as well as it can be.
func (t *Table) bootstrap(f fit, meetings []meeting, r Rating) [][]float64 {
	out := make([][]float64, len(t.names))
	random := play.Generator(r.Seed, "bootstrap")
	model := f.model
	model.Near = &f.Ratings
	for range r.Resamples {
		again, err := fitted(model, records(meetings, random))
		if err != nil { // some met nobody: it is so in all resamples
			continue
		}
		for i, elo := range again.Elo {
			out[i] = append(out[i], elo)
		}
	}
	return out
}

// accelerations are BCa's, by entrant.
func (t *Table) accelerations(f fit, meetings []meeting) ([]float64, error) {
	var units [][]rating.Record // one of every kind that there is, meeting by meeting
	for _, meeting := range meetings {
		for i, n := range meeting.counts {
			if n > 0 {
				one := make([]float64, len(meeting.counts))
				one[i] = 1
				units = append(units, meeting.records(one))
			}
		}
	}
	influences, err := f.model.Influence(f.records, units)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(t.names))
	for p := range out {
		var samples [][]rating.Weighted
		next := 0
		for _, meeting := range meetings {
			var sample []rating.Weighted
			for _, n := range meeting.counts {
				if n > 0 {
					sample = append(sample, rating.Weighted{Influence: influences[next][p], Count: n})
					next++
				}
			}
			samples = append(samples, sample)
		}
		out[p] = rating.Acceleration(samples)
	}
	return out, nil
}

// rank adds what a single rating hides, where everybody met everybody: alpha-rank,
// the Nash average, and how much of the payoffs runs in circles.
func (t *Table) rank(s *Summary) error {
	n := len(t.names)
	payoff := make([][]float64, n)
	for i := range payoff {
		payoff[i] = make([]float64, n)
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			margin, units := 0.0, 0
			for _, u := range []Unit{{i, j}, {j, i}} {
				if p := t.pairings[u]; p != nil {
					sign := 1.0
					if u.First == j {
						sign = -1
					}
					margin, units = margin+sign*p.Margin.Mean*float64(p.Margin.N), units+p.Margin.N
				}
			}
			if units == 0 {
				return nil
			}
			payoff[i][j], payoff[j][i] = margin/float64(units), -margin/float64(units)
		}
	}
	s.Cyclic = finite(rating.CyclicShare(payoff))
	alpha, err := rating.AlphaRank(payoff, t.selection(), members)
	if err != nil {
		return err
	}
	for i, row := range rating.Takeovers(payoff, t.selection(), members) {
		for j, ratio := range row {
			if ratio > 1 {
				s.Transitions = append(s.Transitions, Transition{From: t.names[i], To: t.names[j], Ratio: ratio})
			}
		}
	}
	nash, gains, err := rating.NashAverage(payoff)
	if err != nil {
		return err
	}
	for i := range s.Standings {
		s.Standings[i].AlphaRank, s.Standings[i].Nash, s.Standings[i].NashGain = &alpha[i], &nash[i], &gains[i]
	}
	return nil
}

// members is the size of alpha-rank's population.
const members = 50

// selection is alpha-rank's intensity: strong for payoffs of the game's range.
func (t *Table) selection() float64 { return 10 / (t.info.MaxReturn - t.info.MinReturn) }
