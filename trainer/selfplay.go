package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/rae"
	"github.com/agon-rl/agon/trainer/run"
)

func init() {
	Methods.Add(spec.Entry[MethodKind]{
		Name: playMethod, Help: "games of the players, and what a search or preferences make of them",
		Value: MethodKind{
			Validate:  Recipe.validatePlay,
			Measures:  Recipe.measures,
			Headlines: headlines,
			Updates:   func(r Recipe) int { return r.Updates },
			Lessons:   Recipe.lessons,
			Open:      openSelfPlay,
		},
	})
}

// validatePlay checks a recipe of the method play.
func (r Recipe) validatePlay(game games.Game) error {
	o, err := parseOpponents(r.Opponents)
	if err != nil {
		return err
	}
	if o.only == roundsOnly {
		return fmt.Errorf("opponents: %s: only a run of rounds knows it: expected past, or method: critic", o.kind)
	}
	return r.validateLearn(game)
}

// measures names what a run of the recipe measures.
func (r Recipe) measures(info games.Info) []string {
	names := []string{"length", "forfeits", "dropped", "gradient_norm", "gradient_noise"}
	names = slices.Concat(names, objective.StatNames, objective.VisitStats, objective.PairStats)
	switch {
	case info.Seats == 1:
		names = append(names, "solved")
	case r.Evaluate.Exploitability != "off":
		names = append(names, "exploitability")
	}
	for _, role := range info.Roles {
		names = append(names, "return/"+role, "wins/"+role, "advantage_variance/"+role)
	}
	for _, agent := range r.Evaluate.Against {
		names = append(names, "score/"+agent, "drawn/"+agent, "lost/"+agent)
	}
	if slices.ContainsFunc(r.Learn, func(l Learn) bool { return l.From == fromPreferences }) {
		names = append(names, "queries", "share")
	}
	if r.Opponents != "self" {
		names = append(names, "score/opponents")
	}
	if r.Guard.Every > 0 {
		names = append(names, "guard/score", "guard/best", "collapse")
	}
	return names
}

func headlines(r Recipe) []string {
	names := []string{"exploitability", "solved"}
	for _, agent := range r.Evaluate.Against {
		names = append(names, "score/"+agent)
	}
	return names
}

// selfPlay is the method play: every update plays games and learns from them what the
// recipe says.
type selfPlay struct {
	*Run
	sources    []source
	search     *teacher    // nil where no search teaches
	files      []files     // by source
	preferring *preferring // nil where games are not compared
	evaluator  *evaluator
	guard      guard
}

func openSelfPlay(ctx context.Context, r *Run) (_ Method, err error) {
	m := &selfPlay{Run: r}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if m.sources, err = r.Recipe.sources(); err != nil {
		return nil, err
	}
	if m.evaluator, err = newEvaluator(ctx, r); err != nil {
		return nil, err
	}
	m.files = make([]files, len(m.sources))
	for i, s := range m.sources {
		switch s.from {
		case fromSearch:
			m.search, err = r.openTeacher(ctx)
		case fromFile:
			m.files[i], err = r.readPairs(s.file)
		case fromPreferences:
			m.preferring, err = m.openPreferences(ctx, s.compares)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Close implements Method.
func (m *selfPlay) Close() error {
	return errors.Join(m.preferring.close(), m.guard.close(), m.evaluator.close())
}

// Update implements Method: play, estimate, learn.
func (m *selfPlay) Update(ctx context.Context, line Line) error {
	began := time.Now()
	episodes, err := m.play(ctx)
	if err != nil {
		return err
	}
	m.Took("play", began)
	began = time.Now()
	found, err := m.searches(ctx, episodes)
	if err != nil {
		return err
	}
	// From here on what is learnt changes: an interruption waits for the end.
	ctx = context.WithoutCancel(ctx)
	judged, err := m.reward(episodes, line)
	if err != nil {
		return err
	}
	estimates, err := m.Estimator.Estimate(judged, m.Info.Roles, m.owns)
	if err != nil {
		return err
	}
	for i, s := range m.sources {
		if err := m.learn(ctx, i, s, episodes, estimates, found, line); err != nil {
			return err
		}
	}
	line["rate"] = m.Coefficients().Rate
	m.describe(episodes, estimates, line)
	m.recordOpponents(episodes, line)
	m.Played += m.Recipe.Games
	m.Took("learn", began)
	return nil
}

// learn does the update's gradient steps on one source.
func (m *selfPlay) learn(ctx context.Context, i int, s source, episodes []*play.Episode, estimates [][]rae.Estimate, found [][]searched, line Line) error {
	switch {
	case s.from == fromFile:
		return m.learnFile(s, m.files[i], line)
	case s.from == fromSearch:
		return m.learnSearch(s, found, line)
	case s.compares != nil:
		return m.prefer(ctx, episodes, line)
	}
	return m.learnGames(episodes, estimates, line)
}

// owns says whether a seat of an episode was a learner's: the players are the first
// agents.
func (m *selfPlay) owns(e *play.Episode, s games.Seat) bool { return e.Agents[s] < len(m.Players) }

// play plays the update's episodes.
func (m *selfPlay) play(ctx context.Context) (episodes []*play.Episode, err error) {
	if !slices.ContainsFunc(m.sources, func(s source) bool { return s.from != fromFile }) {
		return nil, nil
	}
	players := m.Agents(m.actor)
	if m.opponents.kind == "mixture" {
		mixed, err := m.mixture()
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, mixed.Close()) }()
		players = append(players, agents.NewSampler(mixed, false))
	}
	match := m.match("", players...)
	match.Seats = m.seats
	return match.Play(ctx, uint64(m.Played), m.Recipe.Games)
}

// match is Run.Match in which games that are compared have the same deal.
func (m *selfPlay) match(stream string, players ...play.Agent) play.Match {
	match := m.Match(stream, players...)
	if m.preferring != nil {
		k := uint64(m.Recipe.Preferences.Samples)
		match.Deal = func(episode uint64) uint64 { return episode / k }
	}
	return match
}

// actor is what plays a player's seats.
func (m *selfPlay) actor(p *Player) play.Agent {
	if m.search != nil && m.Recipe.Search.Acts {
		return m.searcher(p.Network)
	}
	return agents.Learner{Network: p.Network}
}

// seats puts the players in their seats or, in a group that meets an opponent, in one
// seat that goes round with groups and updates.
func (m *selfPlay) seats(_ uint64, group int) []int {
	seats := make([]int, m.Info.Seats)
	own := (m.Done + group) % len(seats)
	met := -1
	switch {
	case m.opponents.kind == "mixture":
		met = 0
	case m.opponents.pooled() || m.fixed != nil:
		met = m.Meet(group, games.Seat(own))
	}
	for s := range seats {
		if seats[s] = m.PlayerOf(games.Seat(s)); met >= 0 && s != own {
			seats[s] = m.Opponent(met, games.Seat(s))
		}
	}
	return seats
}

// learnGames takes the update's steps of policy gradient.
func (m *selfPlay) learnGames(episodes []*play.Episode, estimates [][]rae.Estimate, line Line) error {
	c := m.Coefficients()
	kept, all := 0, 0
	for i, p := range m.Players {
		if !m.stages.trains(m.stage, i) {
			continue
		}
		gather := func(chosen []int) []policy.Turn {
			turns, total := m.gather(p, episodes, estimates, chosen, c)
			kept, all = kept+len(turns), all+total
			return turns
		}
		if m.Evaluates(m.Done + 1) {
			noise, err := m.gradientNoise(p, episodes, estimates, c)
			if err != nil {
				return err
			}
			line[p.Metric("gradient_noise")] = noise
		}
		if err := p.Learn(gradientLesson, len(episodes), m.Done, c, line, gather); err != nil {
			return err
		}
	}
	line["dropped"] = 1 - float64(kept)/float64(max(1, all))
	if len(m.Players) > 1 {
		m.EndStage(m.wonByLast(episodes))
	}
	return nil
}

// wonByLast is the last player's share of games won.
func (m *selfPlay) wonByLast(episodes []*play.Episode) (won float64) {
	last := m.Players[len(m.Players)-1].Seats[0]
	for _, e := range episodes {
		if m.score(e, int(last)) == 1 {
			won += 1 / float64(len(episodes))
		}
	}
	return won
}

// gather returns a player's turns in the episodes chosen. Turns whose advantage is
// exactly zero teach nothing and are dropped, as SPIRAL does, unless a value head
// learns from them.
func (m *selfPlay) gather(p *Player, episodes []*play.Episode, estimates [][]rae.Estimate, chosen []int, c Coefficients) (turns []policy.Turn, total int) {
	for _, i := range chosen {
		for j, turn := range episodes[i].Turns {
			step, ok := turn.Record.(*policy.Step)
			if !ok || !m.owns(episodes[i], turn.Seat) || !slices.Contains(p.Seats, turn.Seat) {
				continue
			}
			total++
			estimate := estimates[i][j]
			if estimate.Advantage == 0 && c.Value == 0 {
				continue
			}
			turns = append(turns, policy.Turn{Step: step, Advantage: float32(estimate.Advantage), Return: float32(estimate.Target)})
		}
	}
	return turns, total
}

// noiseParts is how many parts of a batch the gradient's noise is estimated
// from.
const noiseParts = 8

// gradientNoise estimates the standard deviation of the batch's gradient, in
// the units of its norm: with the gradients g_i of k parts of whole games,
//
//	√( (Σ‖g_i‖² − k·‖ḡ‖²) / (k(k−1)) )
func (m *selfPlay) gradientNoise(p *Player, episodes []*play.Episode, estimates [][]rae.Estimate, c Coefficients) (noise float64, err error) {
	var batches []*policy.Batch
	defer func() {
		for _, b := range batches {
			err = errors.Join(err, b.Close())
		}
	}()
	for part := range noiseParts {
		var chosen []int
		for i := part; i < len(episodes); i += noiseParts {
			chosen = append(chosen, i)
		}
		turns, _ := m.gather(p, episodes, estimates, chosen, c)
		if len(turns) == 0 {
			continue
		}
		b, err := p.Updater.Batch(gradientLesson, turns)
		if err != nil {
			return 0, err
		}
		batches = append(batches, b)
	}
	k := float64(len(batches))
	if k < 2 {
		return 0, nil
	}
	each, mean, err := p.Updater.Norms(gradientLesson, batches, c)
	if err != nil {
		return 0, err
	}
	sum := -k * mean
	for _, square := range each {
		sum += square
	}
	return math.Sqrt(math.Max(0, sum) / (k * (k - 1))), nil
}

// Measure implements Method.
func (m *selfPlay) Measure(ctx context.Context, line Line) error {
	if m.Evaluates(m.Done) {
		if err := m.evaluator.measure(ctx, line); err != nil {
			return err
		}
	}
	if m.Recipe.Guard.Every > 0 && m.Done%m.Recipe.Guard.Every == 0 {
		return m.guard.watch(ctx, m.Run, line)
	}
	return nil
}

// selfPlayState is what a checkpoint holds of the method, beside tensors.
type selfPlayState struct {
	Guard guardState `json:"guard"`
	Queue [][]rival  `json:"queue,omitempty"` // of preferences
	Past  int        `json:"past,omitempty"`  // networks of earlier updates, for preferences
}

// Save implements Method.
func (m *selfPlay) Save(w *run.CheckpointWriter) (any, error) {
	s := selfPlayState{Guard: m.guard.state}
	if m.preferring == nil {
		return s, nil
	}
	s.Queue, s.Past = m.preferring.queue, len(m.preferring.references.past)
	return s, m.preferring.references.save(w)
}

// Restore implements Method.
func (m *selfPlay) Restore(c *run.Checkpoint, state []byte) error {
	var s selfPlayState
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("%s: %w", stateFile, err)
	}
	m.guard.state = s.Guard
	if m.preferring == nil {
		return nil
	}
	if s.Queue != nil {
		m.preferring.queue = s.Queue
	}
	return m.preferring.references.restore(m.Model.Device(), c, s.Past)
}

// describe adds what the update's games looked like: what each role got, how its
// advantages spread, how long games were, and the signs of collapse.
func (m *selfPlay) describe(episodes []*play.Episode, estimates [][]rae.Estimate, line Line) {
	if len(episodes) == 0 {
		return
	}
	n := len(m.Info.Roles)
	returns, wins := make([]float64, n), make([]float64, n)
	sum, square, turns := make([]float64, n), make([]float64, n), make([]float64, n)
	length, forfeits, voids := 0, 0, 0
	played := make([]float64, n)
	for i, e := range episodes {
		length += len(e.Turns)
		voids += e.Voids
		if e.Forfeit != games.Over {
			forfeits++
		}
		for s := range n {
			if m.score(e, s) == 1 {
				wins[s]++
			}
			if m.owns(e, games.Seat(s)) {
				played[s]++
				returns[s] += e.Returns[s]
			}
		}
		for j, turn := range e.Turns {
			if m.owns(e, turn.Seat) {
				a := estimates[i][j].Advantage
				sum[turn.Seat] += a
				square[turn.Seat] += a * a
				turns[turn.Seat]++
			}
		}
	}
	games := float64(len(episodes))
	line["length"], line["forfeits"] = float64(length)/games, float64(forfeits)/games
	if voids > 0 { // no game of this process's own is ever void
		line["voids"] = float64(voids)
	}
	for s, role := range m.Info.Roles {
		if played[s] > 0 {
			line["return/"+role] = returns[s] / played[s]
		}
		line["wins/"+role] = wins[s] / games
		if turns[s] > 0 {
			mean := sum[s] / turns[s]
			line["advantage_variance/"+role] = square[s]/turns[s] - mean*mean
		}
	}
	if baselines := m.Estimator.Baselines(); len(baselines) <= n {
		for key, mean := range baselines {
			line["baseline/"+key] = mean
		}
	}
}

// recordOpponents counts the learner's results against opponents and adds its
// mean score to the line.
func (m *selfPlay) recordOpponents(episodes []*play.Episode, line Line) {
	total, count := 0.0, 0
	for _, e := range episodes {
		learner, opponent := m.versus(e)
		if opponent < 0 {
			continue
		}
		score := m.score(e, learner)
		total, count = total+score, count+1
		if past := opponent/len(m.Players) - 1; past < len(m.Pasts) {
			m.Pasts[past].record(learner, score)
		}
	}
	if count > 0 {
		line["score/opponents"] = total / float64(count)
	}
}

// versus returns a learner's seat and the agent that it met; -1 where learners sat
// everywhere.
func (m *selfPlay) versus(e *play.Episode) (learner, opponent int) {
	opponent = -1
	for s, agent := range e.Agents {
		if m.owns(e, games.Seat(s)) {
			learner = s
		} else {
			opponent = agent
		}
	}
	return learner, opponent
}
