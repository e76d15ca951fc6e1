package spc

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/agnivade/levenshtein"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/trainer"
)

// RefinedDir is the folder of a run that holds its refinement pairs, a file a round.
const RefinedDir = "refined"

// refinement is SPaR's (arXiv 2412.11605): what is wrong is repaired with as little
// changed as can be, and the repaired step and the original are a pair that differs in
// what matters alone. SPaR's refiner is a model that searches until its own judge is
// content; here the verifier's right lines are at hand.
type refinement struct {
	games    int  // at the end of every round; 0 for none
	playable bool // leave out lines that the problems' game cannot play
}

func parseRefinement(text string) (refinement, error) {
	s, err := spec.Parse(text)
	if err != nil {
		return refinement{}, fmt.Errorf("critic.refine: %w", err)
	}
	r := spec.Read(s)
	out := refinement{}
	switch s.Name {
	case "none":
	case "pairs":
		out.games, out.playable = r.Int("games", 1024, 1, 1<<22), r.Bool("playable", true)
	default:
		return out, fmt.Errorf("critic.refine: unknown form %q%s; there are none, pairs", s.Name, spec.Suggest(s.Name, []string{"none", "pairs"}))
	}
	if err := r.Err(); err != nil {
		return out, fmt.Errorf("critic.refine: %w", err)
	}
	return out, nil
}

// repair is the right line that leads on and is written most like a wrong one.
func repair(at problem.Solution, wrong problem.Line) (best problem.Line) {
	least := math.MaxInt
	for _, l := range at.Next() {
		if l.Slip != "" || l.Action == problem.NoAction {
			continue
		}
		if d := levenshtein.ComputeDistance(l.Text, wrong.Text); d < least {
			best, least = l, d
		}
	}
	return best
}

// Refine returns the preference of a judged line's repair over the line, to whoever
// solves the problem; ok is false where the line is right. The verifier's values are
// 1 and -1; there is no search, and the priors are those of a uniform draw. A line
// that the problems' game cannot play has the action problem.NoAction.
func Refine(game *sneakycritic.Game, s *sneakycritic.State, source string) (pair prefs.Pair, ok bool) {
	at, line := s.Shown()
	if line == nil || !s.Wrong() {
		return pair, false
	}
	right, open := repair(at, *line), at.Actions(nil)
	prior := -math.Log(float64(len(open)))
	history := make([]int32, len(s.History()))
	for i, a := range s.History() {
		history[i] = int32(a)
	}
	return prefs.Pair{
		Prompt: at.(games.Speaker).Prompt(0), Chosen: right.Text, Rejected: line.Text,
		Game: game.Problems().Info().Spec(), History: history, Key: games.Key(at, 0),
		ChosenAction: int32(right.Action), RejectedAction: int32(line.Action),
		ChosenQ: 1, RejectedQ: -1, ChosenPrior: prior, RejectedPrior: prior, ChosenBehaviour: prior, RejectedBehaviour: prior,
		Rule: "spar", Source: source,
	}, true
}

// refine writes the pairs of the round that has come to its end. A resumed run writes
// the same again.
func (m *rounds) refine(ctx context.Context, line trainer.Line) error {
	r := m.refinement
	if r.games == 0 {
		return nil
	}
	round := m.round(m.Done - 1)
	episodes, err := m.watchGames(ctx, "refine", uint64(round)*uint64(r.games), r.games)
	if err != nil {
		return err
	}
	var pairs []prefs.Pair
	for _, e := range episodes {
		s, err := m.replay(e)
		if err != nil {
			return err
		}
		pair, ok := Refine(m.spc, s, fmt.Sprintf("%s, round %d", m.Info.Name, round))
		if ok && (!r.playable || pair.RejectedAction != int32(problem.NoAction)) {
			pairs = append(pairs, pair)
		}
	}
	if line["refined"] = float64(len(pairs)); len(pairs) == 0 {
		return nil
	}
	if err := os.MkdirAll(m.Folder.Path(RefinedDir), 0o755); err != nil {
		return err
	}
	left, err := filepath.Glob(m.Folder.Path(RefinedDir, ".*.tmp-*")) // by a process that was killed
	if err != nil {
		return err
	}
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return prefs.Write(m.Folder.Path(RefinedDir, fmt.Sprintf("round_%04d.parquet", round)), pairs)
}
