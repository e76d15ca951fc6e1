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

// Preferences says how it comes out which of two whole games is better: what one seat
// did in each, its answer, is preferred or not.
type Preferences struct {
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

// preferring is what a run that learns from preferences has beside.
type preferring struct {
	loss          *comparing // nil where preferences only make a reward
	judge         *referee
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
func (p pairing) choose(group []*response, r *rand.Rand) (pairs [][2]int) {
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

// validatePreferences checks the settings of preferences between games.
func (r Recipe) validatePreferences(all []source, game games.Game) error {
	p := r.Preferences
	o, err := parseOpponents(r.Opponents)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(s source) bool { return s.from == fromPreferences })
	if at < 0 {
		if o.only == preferencesOnly {
			return fmt.Errorf("opponents: %s: only preferences between games know it: expected learn to hold an entry such as {from: preferences, loss: inpo}", o.kind)
		}
		return nil
	}
	c, info := all[at].compares, game.Info()
	rewards := c == nil
	others := slices.ContainsFunc(all, func(s source) bool { return s.from == fromGames || s.from == fromSearch })
	switch {
	case info.Seats != 2:
		return fmt.Errorf("learn: from: preferences: %s is a game of %d: expected one of two seats", info.Name, info.Seats)
	case r.Search.Agent != "" && r.Search.Acts:
		return fmt.Errorf("search.acts: true: the search plays, and preferences are between games that the network plays: set search.acts=false")
	case p.Samples < 1 || p.Samples > r.Games:
		return fmt.Errorf("preferences.samples: %d: expected 1 to %d, the games of an update", p.Samples, r.Games)
	case r.Games%p.Samples != 0 || r.Group%p.Samples != 0:
		return fmt.Errorf("preferences.samples: %d: expected a number that divides games, %d, and group, %d", p.Samples, r.Games, r.Group)
	case p.Samples == 1 && p.Demonstrations == "" && !rewards:
		return fmt.Errorf("preferences.samples: 1: there is nothing to compare an answer with: expected 2 or more, or preferences.demonstrations")
	case rewards && slices.ContainsFunc(all, func(s source) bool { return s.from == fromGames }):
		return fmt.Errorf("learn: %s from games and from preferences: the reward is what the game pays, or the share of answers that an answer beats: expected one of them", all[at].gradient.Name)
	case rewards && p.Demonstrations != "":
		return fmt.Errorf("preferences.demonstrations: a reward compares the learner's own games alone: leave demonstrations out")
	case o.kind == "half-step" && (rewards || others):
		return fmt.Errorf("opponents: half-step: it takes the update's step twice: expected learn to hold one entry, from preferences, with an objective such as online-ipo")
	}
	if r.Minibatches > r.Games/p.Samples {
		return fmt.Errorf("minibatches: %d: expected at most %d: minibatches are of all games with a deal", r.Minibatches, r.Games/p.Samples)
	}
	if !rewards {
		if _, contest := game.(games.Contest); !c.scored() && (o.kind == "queue" || contest && o.kind != "self") {
			return fmt.Errorf("opponents: %s: objective %s compares the learner's answers with each other alone: expected one of win rates, such as sppo or online-ipo, or preferences.pairs=best_worst", o.kind, c.Entry.Name)
		}
	}
	j, err := newReferee(context.Background(), p.Judge, game)
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

// openPreferences opens what the recipe's preferences name. loss is nil where they only
// make a reward.
func (m *selfPlay) openPreferences(ctx context.Context, loss *comparing) (p *preferring, err error) {
	settings := m.Recipe.Preferences
	p = &preferring{loss: loss, queue: make([][]rival, m.Info.Seats)}
	if p.judge, err = newReferee(ctx, settings.Judge, m.Game); err != nil {
		return p, err
	}
	if p.pairs, err = parsePairs(settings.Pairs); err != nil {
		return p, err
	}
	if p.references, err = parseReference(settings.Reference); err != nil {
		return p, err
	}
	if p.references.fixed, err = m.initial(m.Players[0]); err != nil {
		return p, err
	}
	if loss != nil {
		p.references.keep = max(p.references.keep, loss.history())
	}
	if settings.Demonstrations != "" {
		p.demonstrators, err = agents.Open(ctx, settings.Demonstrations, m.environment())
	}
	return p, err
}

func (p *preferring) close() error {
	if p == nil {
		return nil
	}
	errs := []error{p.judge.close(), p.references.close()}
	if p.demonstrators != nil {
		errs = append(errs, p.demonstrators.Close())
	}
	return errors.Join(errs...)
}

// group holds the answers to one deal by one seat.
type group struct {
	number int // in the update, seat by seat
	own    []*response
	shown  []*response // demonstrations
}

// groups sorts the learner's answers by deal and seat.
func (m *selfPlay) groups(episodes []*play.Episode) (out []*group) {
	k := m.Recipe.Preferences.Samples
	for first := 0; first < len(episodes); first += k {
		bySeat := make([]*group, m.Info.Seats)
		for i, e := range episodes[first : first+k] {
			for seat, a := range m.responsesOf(e) {
				if a == nil {
					continue
				}
				a.episode = first + i
				if bySeat[seat] == nil {
					bySeat[seat] = &group{number: first/k*m.Info.Seats + seat}
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
func (m *selfPlay) compare(groups []*group, stage uint64) {
	p := m.preferring
	p.judge.each(groups, func(_ int, g *group) {
		r := play.Generator(m.Recipe.Seed, "judge", uint64(m.Done), uint64(g.number), stage)
		queue := p.queue[g.seat(m.Info.Seats)]
		for i, a := range slices.Concat(g.own, g.shown) {
			sum := 0.0
			meet := func(b rival) {
				sum += p.judge.beats(a.rival, b, r)
				a.met++
			}
			switch {
			case m.opponents.kind == "queue" && len(queue) > 0:
				for range m.opponents.drawn { // drawn, so that a long queue costs no more than a short one
					meet(queue[r.IntN(len(queue))])
				}
			case p.judge.contest != nil:
				for _, b := range g.own {
					meet(rival{Number: b.against})
				}
			default:
				for j, b := range g.own {
					if i != j {
						meet(b.rival)
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
func (m *selfPlay) enqueue(groups []*group) {
	p := m.preferring
	if m.opponents.kind != "queue" {
		return
	}
	for _, g := range groups {
		seat := g.seat(m.Info.Seats)
		for _, a := range g.own {
			p.queue[seat] = append(p.queue[seat], a.rival)
		}
	}
	for seat, q := range p.queue {
		p.queue[seat] = slices.Clone(q[max(0, len(q)-m.opponents.size):])
	}
}

// reward is SPO's (Swamy et al. 2024, arXiv 2401.04056, algorithm 1): what an episode
// earns is how often its answer is preferred, 2·share − 1 to stay within -1 and 1.
// The estimator sees these returns in the place of the game's, where the recipe says
// so; else the games' own.
func (m *selfPlay) reward(episodes []*play.Episode, line Line) ([]*play.Episode, error) {
	if m.preferring == nil || m.preferring.loss != nil {
		return episodes, nil
	}
	groups := m.groups(episodes)
	m.compare(groups, 0)
	if err := m.preferring.judge.failed(); err != nil {
		return nil, err
	}
	out := make([]*play.Episode, len(episodes))
	for i, e := range episodes {
		other := *e
		other.Returns = slices.Clone(e.Returns)
		out[i] = &other
	}
	for _, g := range groups {
		for _, a := range g.own {
			out[a.episode].Returns[g.seat(m.Info.Seats)] = 2*a.share - 1
		}
	}
	m.enqueue(groups)
	m.asked(line)
	return out, nil
}

// asked writes how often the judge was asked in the update.
func (m *selfPlay) asked(line Line) { line["queries"] = float64(m.preferring.judge.asked.Swap(0)) }

// prefer does an update's steps on preferences between its games. With opponents: half-step
// it does so twice from the same weights: against the policy as it is, and then
// against what became of it, which is the extragradient step of EGPO (Zhou et al.
// 2025, arXiv 2503.08942) and of Nash mirror prox (arXiv 2505.19731).
func (m *selfPlay) prefer(ctx context.Context, episodes []*play.Episode, line Line) (err error) {
	p, updater := m.preferring, m.Players[0].Updater
	began := updater.Hold()
	restored := false
	defer func() {
		if !restored {
			err = errors.Join(err, began.close())
		}
	}()
	if err := p.references.begin(m.Model, m.Done, began.Weights); err != nil {
		return err
	}
	groups := m.groups(episodes)
	half := m.opponents.kind == "half-step"
	of := line
	if half {
		of = Line{} // what the half step did is nobody's news
	}
	if err := m.fit(ctx, groups, began.Weights, 0, of); err != nil {
		return err
	}
	now := began.Weights.Share()
	defer func() { err = errors.Join(err, now.Close()) }()
	if half {
		opponent := updater.Weights()
		restored = true
		if err := updater.Restore(began); err != nil {
			return errors.Join(err, opponent.Close())
		}
		groups, err = m.again(ctx, now, opponent)
		if err := errors.Join(err, opponent.Close()); err != nil {
			return err
		}
		if err := m.fit(ctx, groups, now, 1, line); err != nil {
			return err
		}
	}
	m.enqueue(groups)
	m.asked(line)
	return p.references.end(now)
}

// again plays the update's games against the half step.
func (m *selfPlay) again(ctx context.Context, now, half *policy.Weights) (groups []*group, err error) {
	learner, err := m.Model.Network(now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, learner.Close()) }()
	opponent, err := m.Model.Network(half)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opponent.Close()) }()
	match := m.match("half step", agents.Learner{Network: learner}, agents.NewSampler(opponent, false))
	match.Seats = func(_ uint64, group int) []int { return m.oneSeat(group, 1) }
	episodes, err := match.Play(ctx, uint64(m.Played), m.Recipe.Games)
	if err != nil {
		return nil, err
	}
	return m.groups(episodes), nil
}

// oneSeat puts the learner in one seat, which goes round with groups and updates.
func (m *selfPlay) oneSeat(group, opponent int) []int {
	seats := slices.Repeat([]int{opponent}, m.Info.Seats)
	seats[(m.Done+group)%m.Info.Seats] = 0
	return seats
}

// fit takes the gradient steps of an update, or of one of its stages, on groups of
// answers. now are the weights that the update began with.
func (m *selfPlay) fit(ctx context.Context, groups []*group, now *policy.Weights, stage uint64, line Line) error {
	p := m.preferring
	if err := m.demonstrate(ctx, groups); err != nil {
		return err
	}
	if p.loss.scored() {
		m.compare(groups, stage)
	}
	if err := m.referAll(groups, now); err != nil {
		return err
	}
	work := make([][]comparison, len(groups))
	p.judge.each(groups, func(i int, g *group) {
		r := play.Generator(m.Recipe.Seed, "pairs", uint64(m.Done), uint64(g.number), stage)
		work[i] = p.loss.comparisons(p, g, r)
	})
	if err := p.judge.failed(); err != nil {
		return err
	}
	if p.loss.scored() {
		line["share"] = 0
		for _, g := range groups {
			for _, a := range g.own {
				line["share"] += a.share / float64(len(g.own)*len(groups))
			}
		}
	}
	var all compared
	err := minibatches(m.Recipe, len(work), m.Done, stage, func(chosen []int) error {
		var batch []comparison
		for _, i := range chosen {
			batch = append(batch, work[i]...)
		}
		return all.step(m.Players[0], p.loss, batch, m.Coefficients())
	})
	all.write(fromPreferences, line)
	return err
}

// referAll evaluates the objective's references on all answers.
func (m *selfPlay) referAll(groups []*group, now *policy.Weights) error {
	p := m.preferring
	var answers []*response
	var steps []*policy.Step
	for _, g := range groups {
		answers = append(append(answers, g.own...), g.shown...)
	}
	for _, a := range answers {
		steps = append(steps, a.steps...)
	}
	values, err := m.refer(steps, p.loss.slots(&p.references, now))
	if err != nil {
		return err
	}
	next := 0
	for _, a := range answers {
		a.reference = make([][]float64, len(values))
		for slot := range values {
			a.reference[slot] = values[slot][next : next+a.picks()]
		}
		next += a.picks()
	}
	return nil
}

// demonstrate adds demonstrations to groups: the same deals with the demonstrator in
// the seat, against the learner as it is.
func (m *selfPlay) demonstrate(ctx context.Context, groups []*group) error {
	p := m.preferring
	if p.demonstrators == nil {
		return nil
	}
	match := m.match("demonstrations", p.demonstrators, agents.NewSampler(m.Players[0].Network, false))
	k, seats := uint64(m.Recipe.Preferences.Samples), uint64(m.Info.Seats)
	first := uint64(m.Played) * seats
	// Every seat has its episodes, and each of them the deal of the learner's.
	match.Seats = func(episode uint64, _ int) []int {
		out := slices.Repeat([]int{1}, int(seats))
		out[(episode-first)/k%seats] = 0
		return out
	}
	match.Deal = func(episode uint64) uint64 {
		return uint64(m.Played)/k + (episode-first)/(k*seats)
	}
	episodes, err := match.Play(ctx, first, m.Recipe.Games*int(seats))
	if err != nil {
		return fmt.Errorf("demonstrations: %w", err)
	}
	for _, g := range groups {
		for _, e := range episodes[g.number*int(k) : (g.number+1)*int(k)] {
			a, err := m.demonstration(e, games.Seat(g.seat(m.Info.Seats)))
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
func (m *selfPlay) demonstration(e *play.Episode, seat games.Seat) (*response, error) {
	a := m.newResponse(e, seat)
	s := m.Game.Start()
	for _, action := range e.Actions {
		if s.Turn() == seat {
			step, err := m.Model.Observe(s, action)
			if err != nil {
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
	if contest := m.preferring.judge.contest; contest != nil {
		var actions []games.Action
		for _, step := range a.steps {
			actions = append(actions, step.Action())
		}
		a.Number = contest.Number(actions)
	}
	return a, nil
}
