package trainer

import (
	"errors"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// Player is what learns in a run: its seats, its updater and its newest network.
type Player struct {
	Name    string // the role; "" for one with all roles
	Seats   []games.Seat
	Updater *Updater
	Network *policy.Network // of the updater's weights, opened anew for every update and measurement

	recipe Recipe
}

// openPlayers makes the recipe's players.
func (r *Run) openPlayers() error {
	lessons, err := r.kind.Lessons(r.Recipe)
	if err != nil {
		return err
	}
	for _, p := range r.emptyPlayers() {
		start, err := r.initial(p)
		if err != nil {
			return err
		}
		p.Updater, err = NewUpdater(r.Model, r.Recipe.Optimizer.Optimizer, start, r.Recipe.Magnet.copies(), lessons...)
		if err := errors.Join(err, start.Close()); err != nil {
			return err
		}
		r.Players = append(r.Players, p)
	}
	return nil
}

func (r *Run) emptyPlayers() (out []*Player) {
	if r.Recipe.Players == "one" {
		p := &Player{recipe: r.Recipe}
		for seat := range r.Info.Seats {
			p.Seats = append(p.Seats, games.Seat(seat))
		}
		return []*Player{p}
	}
	for seat, role := range r.Info.Roles {
		out = append(out, &Player{Name: role, Seats: []games.Seat{games.Seat(seat)}, recipe: r.Recipe})
	}
	return out
}

// initial draws the weights that a player starts from.
func (r *Run) initial(p *Player) (*policy.Weights, error) {
	stream := "weights"
	if p.Name != "" {
		stream += " " + p.Name
	}
	return r.Model.Draw(play.Generator(r.Recipe.Seed, stream))
}

// open opens the network anew.
func (p *Player) open(m *policy.Model) error {
	w := p.Updater.Weights()
	network, err := m.Network(w)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	old := p.Network
	p.Network = network
	if old == nil {
		return nil
	}
	return old.Close()
}

func (p *Player) close() error {
	if p.Network == nil {
		return p.Updater.Close()
	}
	return errors.Join(p.Network.Close(), p.Updater.Close())
}

// Metric is the name of what is measured of the player alone: loss, or loss/ROLE.
func (p *Player) Metric(name string) string {
	if p.Name == "" {
		return name
	}
	return name + "/" + p.Name
}

// sums are the means of the statistics of several steps.
type sums struct {
	names []string
	total []float64
	steps int
}

func (s *sums) add(stats []float32) {
	if s.total == nil {
		s.total = make([]float64, len(stats))
	}
	for i, x := range stats {
		s.total[i] += float64(x)
	}
	s.steps++
}

// write adds the means to a line. What the line has already, of an earlier lesson,
// gets the lesson's name before it.
func (s *sums) write(p *Player, lesson string, line Line) {
	for i, name := range s.names {
		name = p.Metric(name)
		if _, other := line[name]; other {
			name = lesson + "/" + name
		}
		if s.steps > 0 {
			line[name] = s.total[i] / float64(s.steps)
		}
	}
}

// Learn does the epochs of one lesson on minibatches of so many things, such as games;
// turns gives what there is to learn from those with the numbers given, and may give
// nothing. The statistics go into the line.
func (p *Player) Learn(lesson string, things int, update int, c Coefficients, line Line, turns func(chosen []int) []policy.Turn) error {
	s := sums{names: append(append([]string(nil), p.Updater.lessons[lesson].Stats...), "gradient_norm")}
	err := minibatches(p.recipe, things, update, 0, func(chosen []int) error {
		some := turns(chosen)
		if len(some) == 0 {
			return nil
		}
		stats, err := p.Updater.Learn(lesson, some, c)
		if err == nil {
			s.add(stats)
		}
		return err
	})
	s.write(p, lesson, line)
	return err
}

// minibatches runs the epochs of an update over the numbers below count, shuffled
// where there are several minibatches. Stages of an update draw apart.
func minibatches(recipe Recipe, count, update int, stage uint64, do func(chosen []int) error) error {
	order := make([]int, count)
	for i := range order {
		order[i] = i
	}
	shuffle := play.Generator(recipe.Seed, "minibatches", uint64(update), stage)
	n := recipe.Minibatches
	for range recipe.Epochs {
		if n > 1 {
			shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for m := range n {
			if err := do(order[m*len(order)/n : (m+1)*len(order)/n]); err != nil {
				return err
			}
		}
	}
	return nil
}
