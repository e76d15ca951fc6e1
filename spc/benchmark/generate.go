package benchmark

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/problem"
	"github.com/agon-rl/agon/play"
)

// Generate solves problems of a domain, each with a problem and lines drawn from the
// seed. Into every second solution one wrong line is slipped, of a kind drawn from
// those of the domain that may stand at a place drawn from its steps; what follows
// believes it.
func Generate(domain string, count int, seed uint64) ([]Solution, error) {
	inner, err := games.New(domain)
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	game, ok := inner.(problem.Reader)
	if !ok || inner.Info().Chance != games.Sampled {
		return nil, fmt.Errorf("benchmark: domain %s: expected problems that chance draws and that are solved line by line: arithmetic, countdown, equations, horn or word_problem", domain)
	}
	out := make([]Solution, count)
	for n := range out {
		r := play.Generator(seed, "benchmark "+game.Info().Name, uint64(n))
		for found := false; !found; {
			if out[n], found, err = generate(game, r, n%2 == 1); err != nil {
				return nil, fmt.Errorf("benchmark: %w", err)
			}
		}
		out[n].ID = fmt.Sprintf("%s-%d", inner.Info().Name, n)
	}
	return out, nil
}

// generate makes one solution; false where no wrong line may stand in it.
func generate(game problem.Reader, r *rand.Rand, wrong bool) (s Solution, found bool, err error) {
	start := game.Start()
	drawn := problem.Draw(r)
	if err := start.Apply(drawn); err != nil {
		return s, false, err
	}
	at := start.(problem.Solution)
	s = Solution{
		Generator: "agon", Problem: at.(problem.Readable).Problem(), First: -1,
		Origin: Origin{Domain: game.Info().Name, Seed: int64(drawn)},
	}
	kinds := game.Critique().Errors
	steps, answer := follow(at, r)
	slip := -1
	if wrong {
		slip = r.IntN(len(steps))
	}
	for i := 0; i < len(steps); i++ {
		line := steps[i]
		if i == slip {
			if line, found = slipped(at, kinds, r); !found {
				return s, false, nil
			}
			s.First, s.Wrong = i, []int{i}
		}
		s.Steps = append(s.Steps, line.Text)
		if at = at.Believe(line); i == slip {
			var rest []problem.Line
			rest, _ = follow(at, r)
			steps = append(slices.Clone(steps[:i+1]), rest...)
		}
	}
	s.FinalCorrect = at.Answer() != "" && at.Answer() == answer
	return s, true, nil
}

// follow solves a problem on from where a solution stands.
func follow(at problem.Solution, r *rand.Rand) (steps []problem.Line, answer string) {
	end := problem.Follow(at, r, func(_ problem.Solution, line problem.Line) { steps = append(steps, line) })
	return steps, end.Answer()
}

// slipped draws a wrong line: its kind first, since some kinds have more lines.
func slipped(at problem.Solution, kinds problem.Errors, r *rand.Rand) (problem.Line, bool) {
	byKind := map[string][]problem.Line{}
	for _, l := range at.Next() {
		byKind[l.Slip] = append(byKind[l.Slip], l)
	}
	var open []string
	for _, kind := range kinds.Menu {
		if len(byKind[kind]) > 0 {
			open = append(open, kind)
		}
	}
	if open == nil {
		return problem.Line{}, false
	}
	lines := byKind[open[r.IntN(len(open))]]
	return lines[r.IntN(len(lines))], true
}

// WriteProcessBench writes solutions in the schema of ProcessBench, with the domain
// and the problem's seed beside it.
func WriteProcessBench(w io.Writer, solutions []Solution) error {
	type row struct {
		ID           string   `json:"id"`
		Generator    string   `json:"generator"`
		Problem      string   `json:"problem"`
		Steps        []string `json:"steps"`
		FinalCorrect bool     `json:"final_answer_correct"`
		Label        int      `json:"label"`
		Domain       string   `json:"domain,omitempty"`
		Seed         int64    `json:"seed,omitempty"`
	}
	rows := make([]row, len(solutions))
	for i, s := range solutions {
		rows[i] = row{s.ID, s.Generator, s.Problem, s.Steps, s.FinalCorrect, s.First, s.Domain, s.Seed}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(rows); err != nil {
		return fmt.Errorf("benchmark: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("benchmark: %w", err)
	}
	return nil
}
