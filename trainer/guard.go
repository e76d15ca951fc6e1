package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

// The collapse guard. Self-play against the latest self can narrow to a few
// lines that beat or draw with themselves while the policy forgets how to meet
// anything else; its returns stay near zero and show nothing. Three signs do:
// the score against an anchor that never changes falls from its best; or that
// score has stopped growing while one seat wins nearly all games, or while the
// policy's entropy is gone.
const (
	// A fall counts when it is larger than guardFall and than guardErrors
	// standard errors of the difference; growth when it is larger than
	// guardErrors standard errors, so that a plateau's luckiest look is none.
	guardFall   = 0.05
	guardErrors = 3
	// guardEntropy is the share of the first entropy below which the policy
	// has narrowed; guardSeat the share of wins above which a seat dominates.
	// Good play may be nearly deterministic, and in a young pool one seat often
	// does best: the bounds are strict.
	guardEntropy = 0.02
	guardSeat    = 0.95
	// guardLooks is how many looks in a row a sign must last.
	guardLooks = 3
)

// guardState is what a checkpoint remembers of the guard.
type guardState struct {
	Best      float64 `json:"best"`      // the best score against the anchor
	BestAt    int     `json:"best_at"`   // and its update
	Grown     float64 `json:"grown"`     // the score at the last growth
	GrownAt   int     `json:"grown_at"`  // and its update
	Entropy   float64 `json:"entropy"`   // at the first look
	Fallen    int     `json:"fallen"`    // looks in a row with the score fallen
	Streak    int     `json:"streak"`    // looks in a row with a dominant seat or no entropy
	Collapsed int     `json:"collapsed"` // the update at which collapse was seen, 0 if it was not
}

// guard plays the network against frozen anchors.
type guard struct {
	state  guardState
	anchor *policy.Network // the network as it was drawn
}

func (g *guard) close() error {
	if g.anchor == nil {
		return nil
	}
	return g.anchor.Close()
}

// watch adds the anchors' score to the line, with collapse = 1 from the update
// at which it is seen on.
func (g *guard) watch(ctx context.Context, r *Run, line Line) (err error) {
	if g.anchor == nil {
		start, err := r.initial(r.Players[0])
		if err != nil {
			return err
		}
		g.anchor, err = r.Model.Network(start)
		if err := errors.Join(err, start.Close()); err != nil {
			return err
		}
	}
	score, deviation, err := g.versusAnchor(ctx, r)
	if err != nil {
		return fmt.Errorf("the guard's games after update %d: %w", r.Done, err)
	}
	g.look(r, score, deviation, line)
	return nil
}

// look judges one look at the anchor: a score with its standard error.
func (g *guard) look(r *Run, score, deviation float64, line Line) {
	s := &g.state
	if s.Entropy == 0 {
		s.Entropy = line["entropy"]
	}
	if score > s.Best {
		s.Best, s.BestAt = score, r.Done
	}
	line["guard/score"], line["guard/best"] = score, s.Best
	margin := guardErrors * deviation * math.Sqrt2
	if score > s.Grown+margin {
		s.Grown, s.GrownAt = score, r.Done
	}
	if fall := s.Best - score; fall > guardFall && fall > margin {
		s.Fallen++
	} else {
		s.Fallen = 0
	}
	seat := r.dominantSeat(line)
	if seat != "" || line["entropy"] < guardEntropy*s.Entropy {
		s.Streak++
	} else {
		s.Streak = 0
	}
	stuck := s.Streak >= guardLooks && r.Done-s.GrownAt >= guardLooks*r.Recipe.Guard.Every
	if s.Collapsed == 0 && (s.Fallen >= guardLooks || stuck) {
		s.Collapsed = r.Done
		r.Options.Log.Warn().Int("update", r.Done).Float64("anchor_score", score).Float64("best", s.Best).Int("best_at", s.BestAt).
			Float64("entropy", line["entropy"]).Float64("entropy_first", s.Entropy).Str("dominant_seat", seat).
			Msg("collapse: play against the latest self has stopped making the policy stronger; try opponents: past(…) or a larger magnet.weight")
	}
	line["collapse"] = 0
	if s.Collapsed > 0 {
		line["collapse"] = 1
	}
}

// dominantSeat names the role that wins nearly all self-play games, if one does.
func (r *Run) dominantSeat(line Line) string {
	for _, role := range r.Info.Roles {
		if line["wins/"+role] > guardSeat {
			return role
		}
	}
	return ""
}

// versusAnchor returns the player's mean score in [0, 1] against the anchor, over both
// seats, and its standard error.
func (g *guard) versusAnchor(ctx context.Context, r *Run) (score, deviation float64, err error) {
	match := r.Match("guard", agents.NewSampler(r.Policy(), false), agents.NewSampler(g.anchor, false))
	match.Seats = func(episode uint64, _ int) []int { return play.OneAgainstRest(r.Info.Seats, episode) }
	count := r.Recipe.Guard.Games
	episodes, err := match.Play(ctx, uint64(r.Done)*uint64(count), count)
	if err != nil {
		return 0, 0, err
	}
	var sum, square float64
	for _, e := range episodes {
		x := r.score(e, seatOf(e, 0))
		sum, square = sum+x, square+x*x
	}
	n := float64(len(episodes))
	mean := sum / n
	return mean, math.Sqrt(math.Max(0, square/n-mean*mean) / n), nil
}
