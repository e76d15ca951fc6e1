// Package prefs holds step preferences: of two actions at one state, which a
// search found better and by how much. Records carry all that the published
// objectives ask for, are taken from finished trees by rules that are pure
// functions, and are read and written as Parquet and JSON lines in the columns
// that TRL's trainers load.
package prefs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/agon-rl/agon/games"
)

// Pair is one step preference. Prompt, Chosen and Rejected are the columns that
// TRL's DPO trainer reads.
type Pair struct {
	Prompt   string `json:"prompt" parquet:"prompt"`     // what the seat was told; the information state where the game does not speak
	Chosen   string `json:"chosen" parquet:"chosen"`     // the better action, in the game's words
	Rejected string `json:"rejected" parquet:"rejected"` // the worse

	Game    string  `json:"game" parquet:"game,dict"`       // with its parameters
	History []int32 `json:"history" parquet:"history,list"` // all actions from the start to the state, chance's included
	Key     string  `json:"key" parquet:"key"`              // the information state of the seat
	Seat    int32   `json:"seat" parquet:"seat"`            // who moves
	Depth   int32   `json:"depth" parquet:"depth"`          // how far below the tree's root the state is; 0 for the root

	ChosenAction   int32 `json:"chosen_action" parquet:"chosen_action"`
	RejectedAction int32 `json:"rejected_action" parquet:"rejected_action"`

	// What the search found: mean values in [-1, 1] to the seat, and visits.
	ChosenQ        float64 `json:"chosen_q" parquet:"chosen_q"`
	RejectedQ      float64 `json:"rejected_q" parquet:"rejected_q"`
	ChosenVisits   int64   `json:"chosen_visits" parquet:"chosen_visits"`
	RejectedVisits int64   `json:"rejected_visits" parquet:"rejected_visits"`
	Value          float64 `json:"value" parquet:"value"`   // of the state, to the seat
	Visits         int64   `json:"visits" parquet:"visits"` // of the state

	// Log-probabilities: the search's priors, and those of whoever proposed
	// the actions. The two are the same where the actions are the game's list.
	ChosenPrior       float64 `json:"chosen_prior" parquet:"chosen_prior"`
	RejectedPrior     float64 `json:"rejected_prior" parquet:"rejected_prior"`
	ChosenBehaviour   float64 `json:"chosen_behaviour" parquet:"chosen_behaviour"`
	RejectedBehaviour float64 `json:"rejected_behaviour" parquet:"rejected_behaviour"`

	Rule   string `json:"rule" parquet:"rule,dict"`     // how the pair was taken
	Source string `json:"source" parquet:"source,dict"` // the agent or run that searched
	Seed   int64  `json:"seed" parquet:"seed"`          // of that search

	// What a strategy found out (see Selector). Files from before these columns
	// are read as if they held nothing in them.
	ChosenSource   string  `json:"chosen_source" parquet:"chosen_source,dict"`     // whose answer it is, where the two are not of one source
	RejectedSource string  `json:"rejected_source" parquet:"rejected_source,dict"` //
	Doubt          float64 `json:"doubt" parquet:"doubt"`                          // how probable it is that the label is wrong; 0 where nobody asked
}

// Gap is how much better the chosen action was found to be.
func (p Pair) Gap() float64 { return p.ChosenQ - p.RejectedQ }

// Swapped is the pair the other way round. What was doubted of its label says nothing of
// the new one.
func (p Pair) Swapped() Pair {
	p.Chosen, p.Rejected = p.Rejected, p.Chosen
	p.ChosenAction, p.RejectedAction = p.RejectedAction, p.ChosenAction
	p.ChosenQ, p.RejectedQ = p.RejectedQ, p.ChosenQ
	p.ChosenVisits, p.RejectedVisits = p.RejectedVisits, p.ChosenVisits
	p.ChosenPrior, p.RejectedPrior = p.RejectedPrior, p.ChosenPrior
	p.ChosenBehaviour, p.RejectedBehaviour = p.RejectedBehaviour, p.ChosenBehaviour
	p.ChosenSource, p.RejectedSource = p.RejectedSource, p.ChosenSource
	p.Doubt = 0
	return p
}

// State replays a pair's history.
func (p Pair) State() (games.State, error) {
	game, err := games.New(p.Game)
	if err != nil {
		return nil, err
	}
	return p.stateOf(game)
}

// rulebook holds the games of pairs that were looked at, by Pair.Game.
type rulebook map[string]games.Game

func (b rulebook) of(name string) (games.Game, error) {
	if game := b[name]; game != nil {
		return game, nil
	}
	game, err := games.New(name)
	if err == nil {
		b[name] = game
	}
	return game, err
}

// stateOf is State by rules that are at hand.
func (p Pair) stateOf(game games.Game) (games.State, error) {
	s := game.Start()
	for i, a := range p.History {
		if err := s.Apply(games.Action(a)); err != nil {
			return nil, fmt.Errorf("prefs: a history of %s, action %d: %w", p.Game, i, err)
		}
	}
	return s, nil
}

// decision is stateOf where the pair's seat moves there, as it must to choose.
func (p Pair) decision(game games.Game) (games.State, error) {
	s, err := p.stateOf(game)
	if err == nil && s.Turn() != games.Seat(p.Seat) {
		err = fmt.Errorf("prefs: %s after %v: seat %d has a pair and does not move", p.Game, p.History, p.Seat)
	}
	return s, err
}

// Completion is a row of the columns that TRL's KTO trainer reads: a pair is two.
type Completion struct {
	Prompt     string  `json:"prompt" parquet:"prompt"`
	Completion string  `json:"completion" parquet:"completion"`
	Label      bool    `json:"label" parquet:"label"` // whether it was the chosen one
	Game       string  `json:"game" parquet:"game,dict"`
	Key        string  `json:"key" parquet:"key"`
	Q          float64 `json:"q" parquet:"q"`
	Rule       string  `json:"rule" parquet:"rule,dict"`
}

// Completions are the two rows of a pair.
func (p Pair) Completions() []Completion {
	return []Completion{
		{p.Prompt, p.Chosen, true, p.Game, p.Key, p.ChosenQ, p.Rule},
		{p.Prompt, p.Rejected, false, p.Game, p.Key, p.RejectedQ, p.Rule},
	}
}

// Outcome is a preference between two whole games from one start: the seat's
// actions in the better and in the worse one.
type Outcome struct {
	Prompt   string `json:"prompt" parquet:"prompt"`
	Chosen   string `json:"chosen" parquet:"chosen"`     // the seat's actions, a line each
	Rejected string `json:"rejected" parquet:"rejected"` // the seat's actions, a line each

	Game            string  `json:"game" parquet:"game,dict"`
	Seat            int32   `json:"seat" parquet:"seat"`
	Start           []int32 `json:"start" parquet:"start,list"`                       // actions from the start of the game to where the two part
	ChosenHistory   []int32 `json:"chosen_history" parquet:"chosen_history,list"`     // all actions of the better game
	RejectedHistory []int32 `json:"rejected_history" parquet:"rejected_history,list"` // of the worse
	ChosenReturn    float64 `json:"chosen_return" parquet:"chosen_return"`
	RejectedReturn  float64 `json:"rejected_return" parquet:"rejected_return"`
	Source          string  `json:"source" parquet:"source,dict"`
}

// Visit is a target of expert iteration: what a search made of a state.
type Visit struct {
	Prompt  string    `json:"prompt" parquet:"prompt"`
	Game    string    `json:"game" parquet:"game,dict"`
	History []int32   `json:"history" parquet:"history,list"`
	Key     string    `json:"key" parquet:"key"`
	Seat    int32     `json:"seat" parquet:"seat"`
	Actions []int32   `json:"actions" parquet:"actions,list"` // the legal actions
	Target  []float64 `json:"target" parquet:"target,list"`   // the search's distribution over them
	Value   float64   `json:"value" parquet:"value"`          // the search's, to the seat, in [-1, 1]
	Source  string    `json:"source" parquet:"source,dict"`
}

// Stats sums up pairs.
type Stats struct {
	Pairs  int            `json:"pairs"`
	States int            `json:"states"` // distinct ones
	Rules  map[string]int `json:"rules"`
	Games  map[string]int `json:"games"`
	Seats  map[int32]int  `json:"seats"`
	Depths map[int32]int  `json:"depths"`
	// Quantiles from the least to the most: 0, 25, 50, 75 and 100 per cent.
	Gap    [5]float64 `json:"gap"`
	Visits [5]float64 `json:"visits"` // of the less visited of the two
}

// Describe sums up pairs.
func Describe(pairs []Pair) Stats {
	s := Stats{Pairs: len(pairs), Rules: map[string]int{}, Games: map[string]int{}, Seats: map[int32]int{}, Depths: map[int32]int{}}
	states := map[string]bool{}
	var gaps, visits []float64
	for _, p := range pairs {
		s.Rules[p.Rule]++
		s.Games[p.Game]++
		s.Seats[p.Seat]++
		s.Depths[p.Depth]++
		states[p.place()] = true
		gaps, visits = append(gaps, p.Gap()), append(visits, float64(min(p.ChosenVisits, p.RejectedVisits)))
	}
	s.States = len(states)
	s.Gap, s.Visits = quantiles(gaps), quantiles(visits)
	return s
}

// place tells a pair's state from others.
func (p Pair) place() string { return fmt.Sprint(p.Game, p.History) }

func quantiles(x []float64) (out [5]float64) {
	if len(x) == 0 {
		return out
	}
	slices.Sort(x)
	for i := range out {
		out[i] = x[i*(len(x)-1)/4]
	}
	return out
}

// Difference compares two sets of pairs by state and the two actions.
type Difference struct {
	Both          int `json:"both"`          // in both
	First         int `json:"first"`         // in the first alone
	Second        int `json:"second"`        // in the second alone
	Contradicting int `json:"contradicting"` // the same two actions, the other way round
	// Examples are contradicting pairs, as the first set has them, those with
	// the largest gap first.
	Examples []Pair `json:"examples"`
}

// exampleCount is how many examples Diff gives.
const exampleCount = 5

// Diff compares two sets of pairs.
func Diff(first, second []Pair) Difference {
	index := func(pairs []Pair) map[string]Pair {
		out := map[string]Pair{}
		for _, p := range pairs {
			out[fmt.Sprint(p.place(), p.ChosenAction, p.RejectedAction)] = p
		}
		return out
	}
	a, b := index(first), index(second)
	var d Difference
	for _, key := range slices.Sorted(maps.Keys(a)) {
		p := a[key]
		_, same := b[key]
		_, reversed := b[fmt.Sprint(p.place(), p.RejectedAction, p.ChosenAction)]
		switch {
		case same:
			d.Both++
		case reversed:
			d.Contradicting++
			d.Examples = append(d.Examples, p)
		default:
			d.First++
		}
	}
	d.Second = len(b) - d.Both - d.Contradicting
	slices.SortStableFunc(d.Examples, func(p, q Pair) int { return cmp.Compare(q.Gap(), p.Gap()) })
	d.Examples = d.Examples[:min(len(d.Examples), exampleCount)]
	return d
}
