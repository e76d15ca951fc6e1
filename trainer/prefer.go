package trainer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// GamePreferences is learning from which of two whole games is better: what one seat did
// in each, its answer, is preferred or not.
type GamePreferences struct {
	// Objective is one of package objective's, by name, such as dpo(beta=0.1) or
	// inpo; or reward, which makes the share of answers that an answer beats the
	// reward of objective.name (SPO by any policy gradient). Empty for no preferences.
	Objective string `yaml:"objective,omitempty"`
	// Samples are the games with the same deal whose answers are compared, K.
	Samples int `yaml:"samples"`
	// Judge says which answer is better; see JudgeForms.
	Judge string `yaml:"judge"`
	// Pairs says which answers are compared, of K: all, best_worst, or random(n).
	Pairs string `yaml:"pairs"`
	// Reference is what the objective's first reference is; see ReferenceForms.
	Reference string `yaml:"reference"`
	// Demonstrations names an agent whose answers are preferred to the learner's own
	// (SPIN). Empty: preferences are among the learner's own.
	Demonstrations string `yaml:"demonstrations,omitempty"`
}

// shareReward is the objective that only sets a reward.
const shareReward = "reward"

// preferring is what a run that learns from preferences has beside a trainer.
type preferring struct {
	settings      GamePreferences
	loss          *comparing // nil where preferences only make a reward
	judge         *ruling
	pairs         pairing
	references    references
	demonstrators play.Agent // nil where there are none
	queue         [][]rival  // by seat: answers of earlier updates, the newest last
}

// pairing says which of K answers are compared.
type pairing struct {
	kind string // all, best_worst or random
	n    int    // of random
}

func parsePairs(text string) (pairing, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return pairing{}, fmt.Errorf("preferences.pairs: %w", err)
	}
	r := spec.Read(s)
	p := pairing{kind: s.Name}
	names := []string{"all", "best_worst", "random"}
	if !slices.Contains(names, s.Name) {
		return p, fmt.Errorf("preferences.pairs: %q: expected all, best_worst or random(n)%s", s.Name, spec.Suggest(s.Name, names))
	}
	if s.Name == "random" {
		p.n = r.Int("n", 1, 1, 1<<20)
	}
	if err := r.Err(); err != nil {
		return p, fmt.Errorf("preferences.pairs: %w", err)
	}
	return p, nil
}

// choose returns the pairs of indices of answers that are compared.
func (p pairing) choose(group []*answer, r *rand.Rand) (pairs [][2]int) {
	switch p.kind {
	case "best_worst":
		best, worst := 0, 0
		for i, a := range group {
			if a.share > group[best].share {
				best = i
			}
			if a.share < group[worst].share {
				worst = i
			}
		}
		if best != worst {
			pairs = append(pairs, [2]int{best, worst})
		}
	case "random":
		for range p.n {
			if len(group) > 1 {
				i, j := r.IntN(len(group)), r.IntN(len(group)-1)
				if j >= i {
					j++
				}
				pairs = append(pairs, [2]int{i, j})
			}
		}
	default:
		for i := range group {
			for j := range i {
				pairs = append(pairs, [2]int{j, i})
			}
		}
	}
	return pairs
}

// prefers tells whether the recipe learns from preferences between games.
func (r Recipe) prefers() bool { return r.Preferences.Objective != "" }

// rewards tells whether preferences only make a reward.
func (p GamePreferences) rewards() bool { return p.Objective == shareReward }

// validatePreferences checks the settings of preferences between games.
func (r Recipe) validatePreferences(game games.Game) error {
	p := r.Preferences
	o, err := parseOpponents(r.Opponents)
	if err != nil {
		return err
	}
	if !r.prefers() {
		if o.kind == "half-step" || o.kind == "mixture" || o.kind == "queue" {
			return fmt.Errorf("opponents: %s: only preferences between games know it: set preferences.objective, such as inpo", o.kind)
		}
		return nil
	}
	info := game.Info()
	switch {
	case info.Seats != 2:
		return fmt.Errorf("preferences.objective: %s is a game of %d: expected one of two seats", info.Name, info.Seats)
	case r.Search.teaches():
		return fmt.Errorf("preferences.objective and search: expected one of them")
	case p.Samples < 1 || p.Samples > r.Games:
		return fmt.Errorf("preferences.samples: %d: expected 1 to %d, the games of an update", p.Samples, r.Games)
	case r.Games%p.Samples != 0 || r.Group%p.Samples != 0:
		return fmt.Errorf("preferences.samples: %d: expected a number that divides games, %d, and group, %d", p.Samples, r.Games, r.Group)
	case p.Samples == 1 && p.Demonstrations == "" && !p.rewards():
		return fmt.Errorf("preferences.samples: 1: there is nothing to compare an answer with: expected 2 or more, or preferences.demonstrations")
	case p.rewards() && r.Objective.Name == noGradient:
		return fmt.Errorf("preferences.objective: reward: a policy gradient learns from it: set objective.name=ppo or reinforce")
	case p.rewards() && p.Demonstrations != "":
		return fmt.Errorf("preferences.demonstrations: reward compares the learner's own games alone: leave demonstrations out")
	case !p.rewards() && r.Objective.Name != noGradient:
		return fmt.Errorf("objective.name: %s: preferences teach by preferences.objective: set objective.name=none", r.Objective.Name)
	case o.kind == "half-step" && p.rewards():
		return fmt.Errorf("opponents: half-step: reward takes one step an update: expected an objective such as online-ipo")
	}
	if r.Objective.Minibatches > r.Games/p.Samples {
		return fmt.Errorf("objective.minibatches: %d: expected at most %d: minibatches are of all games with a deal", r.Objective.Minibatches, r.Games/p.Samples)
	}
	if !p.rewards() {
		c, err := newComparing(p)
		if err != nil {
			return err
		}
		if _, contest := game.(games.Contest); !c.scored() && (o.kind == "queue" || contest && o.kind != "self") {
			return fmt.Errorf("opponents: %s: objective %s compares the learner's answers with each other alone: expected one of win rates, such as sppo or online-ipo, or preferences.pairs=best_worst", o.kind, c.Entry.Name)
		}
	}
	j, err := newJudge(context.Background(), p.Judge, game)
	if err := errors.Join(err, j.close()); err != nil {
		return err
	}
	if _, err := parsePairs(p.Pairs); err != nil {
		return err
	}
	if p.Demonstrations != "" {
		if err := agents.Known(p.Demonstrations); err != nil {
			return fmt.Errorf("preferences.demonstrations: %w", err)
		}
	}
	_, err = parseReference(p.Reference)
	return err
}

// preparePreferences opens what the recipe's preferences name.
func (t *Trainer) preparePreferences(ctx context.Context) (err error) {
	if !t.recipe.prefers() {
		return nil
	}
	p := &preferring{settings: t.recipe.Preferences, queue: make([][]rival, t.info.Seats)}
	t.preferring = p
	if p.judge, err = newJudge(ctx, p.settings.Judge, t.game); err != nil {
		return err
	}
	if p.pairs, err = parsePairs(p.settings.Pairs); err != nil {
		return err
	}
	if p.references, err = parseReference(p.settings.Reference); err != nil {
		return err
	}
	p.references.fixed = t.initial()
	if !p.settings.rewards() {
		if p.loss, err = newComparing(p.settings); err != nil {
			return err
		}
		p.references.keep = max(p.references.keep, p.loss.history())
	}
	if p.settings.Demonstrations != "" {
		p.demonstrators, err = agents.Open(ctx, p.settings.Demonstrations, t.environment())
	}
	return err
}

func (p *preferring) close() error {
	switch {
	case p == nil:
		return nil
	case p.demonstrators == nil:
		return p.judge.close()
	}
	return errors.Join(p.judge.close(), p.demonstrators.Close())
}

// group holds the answers to one deal by one seat.
type group struct {
	number int // in the update, seat by seat
	own    []*answer
	shown  []*answer // demonstrations
}

// groups sorts the learner's answers by deal and seat.
func (t *Trainer) groups(episodes []*play.Episode) (out []*group) {
	k := t.recipe.Preferences.Samples
	for first := 0; first < len(episodes); first += k {
		bySeat := make([]*group, t.info.Seats)
		for i, e := range episodes[first : first+k] {
			for seat, a := range t.answersOf(e) {
				if a == nil {
					continue
				}
				a.episode = first + i
				if bySeat[seat] == nil {
					bySeat[seat] = &group{number: first/k*t.info.Seats + seat}
				}
				bySeat[seat].own = append(bySeat[seat].own, a)
			}
		}
		for _, g := range bySeat {
			if g != nil {
				out = append(out, g)
			}
		}
	}
	return out
}

// seat is whose answers a group holds.
func (g *group) seat(seats int) int { return g.number % seats }

// compare finds every answer's share: how probably it beats those that it meets. In a
// contest these are the answers that stood opposite in the group's games, elsewhere
// the group's others, and with opponents: queue those of earlier updates.
func (t *Trainer) compare(groups []*group, stage uint64) {
	p := t.preferring
	p.judge.each(groups, func(_ int, g *group) {
		r := play.Generator(t.recipe.Seed, "judge", uint64(t.update), uint64(g.number), stage)
		queue := p.queue[g.seat(t.info.Seats)]
		for i, a := range slices.Concat(g.own, g.shown) {
			sum := 0.0
			meet := func(b rival) {
				sum += p.judge.beats(a, b, r)
				a.met++
			}
			switch {
			case t.opponents.kind == "queue" && len(queue) > 0:
				for range t.opponents.drawn { // drawn, so that a long queue costs no more than a short one
					meet(queue[r.IntN(len(queue))])
				}
			case p.judge.contest != nil:
				for _, b := range g.own {
					meet(rival{Number: b.against})
				}
			default:
				for j, b := range g.own {
					if i != j {
						meet(b.rival())
					}
				}
			}
			if a.met > 0 {
				a.share = sum / float64(a.met)
			}
		}
	})
}

// enqueue remembers the update's answers for those of later ones.
func (t *Trainer) enqueue(groups []*group) {
	p := t.preferring
	if t.opponents.kind != "queue" {
		return
	}
	for _, g := range groups {
		seat := g.seat(t.info.Seats)
		for _, a := range g.own {
			p.queue[seat] = append(p.queue[seat], a.rival())
		}
	}
	for seat, q := range p.queue {
		p.queue[seat] = slices.Clone(q[max(0, len(q)-t.opponents.size):])
	}
}

// reward is SPO's (Swamy et al. 2024, arXiv 2401.04056, algorithm 1): what an episode
// earns is how often its answer is preferred, 2·share − 1 to stay within -1 and 1.
// The estimator sees these returns in the place of the game's.
func (t *Trainer) reward(episodes []*play.Episode, line map[string]float64) []*play.Episode {
	groups := t.groups(episodes)
	t.compare(groups, 0)
	out := make([]*play.Episode, len(episodes))
	for i, e := range episodes {
		other := *e
		other.Returns = slices.Clone(e.Returns)
		out[i] = &other
	}
	for _, g := range groups {
		for _, a := range g.own {
			out[a.episode].Returns[g.seat(t.info.Seats)] = 2*a.share - 1
		}
	}
	t.enqueue(groups)
	t.asked(line)
	return out
}

// asked writes how often the judge was asked in the update.
func (t *Trainer) asked(line map[string]float64) {
	line["queries"] = float64(t.preferring.judge.asked.Swap(0))
}

// prefer does an update's steps on preferences between its games. With opponents: half-step
// it does so twice from the same weights: against the policy as it is, and then
// against what became of it, which is the extragradient step of EGPO (Zhou et al.
// 2025, arXiv 2503.08942) and of Nash mirror prox (arXiv 2505.19731).
func (t *Trainer) prefer(ctx context.Context, episodes []*play.Episode, line map[string]float64) error {
	p := t.preferring
	began := t.updater.State()
	p.references.begin(t.update, began.Weights)
	groups := t.groups(episodes)
	if err := t.fit(ctx, groups, 0, line); err != nil {
		return err
	}
	if t.opponents.kind == "half-step" {
		half := t.updater.State().Weights
		if err := t.updater.Restore(began); err != nil {
			return err
		}
		var err error
		if groups, err = t.again(ctx, began.Weights, half); err != nil {
			return err
		}
		clear(line) // of the half step
		line["games"] = float64((t.update + 1) * t.recipe.Games)
		if err := t.fit(ctx, groups, 1, line); err != nil {
			return err
		}
	}
	t.enqueue(groups)
	p.references.end(began.Weights)
	t.asked(line)
	return nil
}

// again plays the update's games against the half step.
func (t *Trainer) again(ctx context.Context, now, half *policy.Weights) (groups []*group, err error) {
	learner, err := t.model.Network(now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, learner.Close()) }()
	opponent, err := t.model.Network(half)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opponent.Close()) }()
	match := t.match(agents.Learner{Network: learner}, agents.NewSampler(opponent, false))
	match.Seats = func(_ uint64, group int) []int { return t.oneSeat(group, 1) }
	episodes, err := match.Play(ctx, 1<<61+uint64(t.update)*uint64(t.recipe.Games), t.recipe.Games)
	if err != nil {
		return nil, err
	}
	return t.groups(episodes), nil
}

// oneSeat puts the learner in one seat, which goes round with groups and updates.
func (t *Trainer) oneSeat(group, opponent int) []int {
	seats := slices.Repeat([]int{opponent}, t.info.Seats)
	seats[(t.update+group)%t.info.Seats] = 0
	return seats
}

// fit takes the gradient steps of an update on groups of answers.
func (t *Trainer) fit(ctx context.Context, groups []*group, stage uint64, line map[string]float64) error {
	p := t.preferring
	if err := t.demonstrate(ctx, groups); err != nil {
		return err
	}
	if p.loss.scored() {
		t.compare(groups, stage)
	}
	if err := t.referAll(groups); err != nil {
		return err
	}
	work := make([][]example, len(groups))
	p.judge.each(groups, func(i int, g *group) {
		r := play.Generator(t.recipe.Seed, "pairs", uint64(t.update), uint64(g.number), stage)
		work[i] = p.loss.examples(p, g, r)
	})
	share := 0.0
	for _, g := range groups {
		for _, a := range g.own {
			share += a.share / float64(len(g.own)*len(groups))
		}
	}
	if err := p.judge.failed(); err != nil {
		return err
	}
	c := t.coefficients(t.update)
	if line["rate"] = c.Rate; p.loss.scored() {
		line["share"] = share
	}
	shuffle := play.Generator(t.recipe.Seed, "minibatches", uint64(t.update), stage)
	sums, steps := map[string]float64{}, 0.0
	o := t.recipe.Objective
	for range o.Epochs {
		if o.Minibatches > 1 {
			shuffle.Shuffle(len(work), func(i, j int) { work[i], work[j] = work[j], work[i] })
		}
		for m := range o.Minibatches {
			stats, err := t.step(slices.Concat(work[m*len(work)/o.Minibatches:(m+1)*len(work)/o.Minibatches]...), c)
			if err != nil {
				return err
			}
			for name, x := range stats {
				sums[name] += x
			}
			if stats != nil {
				steps++
			}
		}
	}
	for name, x := range sums {
		line[name] = x / steps
	}
	return nil
}

// step takes one gradient step: the log-probabilities of the answers as they are now,
// the objective's slopes in them, and the graph's step with these slopes.
func (t *Trainer) step(batch []example, c Coefficients) (map[string]float64, error) {
	answers := answersIn(batch)
	if len(answers) == 0 {
		return nil, nil
	}
	var steps []*policy.Step
	for _, a := range answers {
		steps = append(steps, a.steps...)
	}
	b, err := policy.NewTrajectoryBatch(t.model, steps)
	if err != nil {
		return nil, err
	}
	defer b.Close() //nolint:errcheck // frees memory; nothing depends on it
	logProbs, err := t.updater.LogProbs(b)
	if err != nil {
		return nil, err
	}
	next := 0
	for _, a := range answers {
		a.slopes, a.logProbs = make([]float64, len(a.steps)), a.logProbs[:0]
		for range a.steps {
			a.logProbs = append(a.logProbs, float64(logProbs[next]))
			next++
		}
	}
	stats, err := t.preferring.loss.evaluate(batch)
	if err != nil {
		return nil, err
	}
	slopes := make([]float32, 0, len(steps))
	for _, a := range answers {
		for _, x := range a.slopes {
			slopes = append(slopes, float32(x))
		}
	}
	if err := b.Slopes(slopes); err != nil {
		return nil, err
	}
	out, err := t.updater.Step("trajectories", b, c)
	if err != nil {
		return nil, err
	}
	for i, name := range append(slices.Clone(TrajectoryStats), "gradient_norm") {
		stats[name] = float64(out[i])
	}
	return stats, nil
}

// referAll evaluates the objective's references on all answers.
func (t *Trainer) referAll(groups []*group) error {
	p := t.preferring
	var answers []*answer
	var steps []*policy.Step
	for _, g := range groups {
		answers = append(append(answers, g.own...), g.shown...)
	}
	for _, a := range answers {
		steps = append(steps, a.steps...)
	}
	values, err := t.refer(steps, p.loss.slots(&p.references, t.updater.State().Weights))
	if err != nil {
		return err
	}
	next := 0
	for _, a := range answers {
		a.reference = make([][]float64, len(values))
		for slot := range values {
			a.reference[slot] = values[slot][next : next+len(a.steps)]
		}
		next += len(a.steps)
	}
	return nil
}

// demonstrate adds demonstrations to groups: the same deals with the demonstrator in
// the seat, against the learner as it is.
func (t *Trainer) demonstrate(ctx context.Context, groups []*group) (err error) {
	p := t.preferring
	if p.demonstrators == nil {
		return nil
	}
	learner, err := t.model.Network(t.updater.State().Weights)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, learner.Close()) }()
	match := t.match(p.demonstrators, agents.NewSampler(learner, false))
	k, seats := uint64(t.recipe.Preferences.Samples), uint64(t.info.Seats)
	first := 1<<60 + uint64(t.update)*uint64(t.recipe.Games)*seats
	// Every seat has its episodes, and each of them the deal of the learner's.
	match.Seats = func(episode uint64, _ int) []int {
		out := slices.Repeat([]int{1}, int(seats))
		out[(episode-first)/k%seats] = 0
		return out
	}
	match.Deal = func(episode uint64) uint64 {
		return uint64(t.update)*uint64(t.recipe.Games)/k + (episode-first)/(k*seats)
	}
	episodes, err := match.Play(ctx, first, t.recipe.Games*int(seats))
	if err != nil {
		return fmt.Errorf("demonstrations: %w", err)
	}
	for _, g := range groups {
		for _, e := range episodes[g.number*int(k) : (g.number+1)*int(k)] {
			a, err := t.demonstration(e, games.Seat(g.seat(t.info.Seats)))
			if err != nil {
				return err
			}
			if a != nil {
				g.shown = append(g.shown, a)
			}
		}
	}
	return nil
}

// demonstration is what a seat did in an episode, encoded as the network would have
// seen it.
func (t *Trainer) demonstration(e *play.Episode, seat games.Seat) (*answer, error) {
	a := t.newAnswer(e, seat)
	s := t.game.Start()
	for _, action := range e.Actions {
		if s.Turn() == seat {
			step := &policy.Step{Encoded: make([]float32, t.model.Encoder.Size()), Legal: s.Actions(nil), Chosen: action}
			if err := t.model.Encoder.Encode(s, seat, step.Encoded); err != nil {
				return nil, err
			}
			a.steps = append(a.steps, step)
		}
		if err := s.Apply(action); err != nil {
			return nil, fmt.Errorf("demonstration: %w", err)
		}
	}
	if len(a.steps) == 0 {
		return nil, nil
	}
	if contest := t.preferring.judge.contest; contest != nil {
		var actions []games.Action
		for _, step := range a.steps {
			actions = append(actions, step.Chosen)
		}
		a.number = contest.Number(actions)
	}
	return a, nil
}
