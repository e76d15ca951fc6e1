package spc

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/sneakycritic"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer/run"
)

// Example is a wrong line that was slipped into a solution.
type Example struct {
	Kind     string  `json:"kind"`     // of error
	Problem  string  `json:"problem"`  // with the solution so far
	Right    string  `json:"right"`    // the line in whose place it stands
	Line     string  `json:"line"`     // what was slipped in
	Why      string  `json:"why"`      // what is wrong with it
	Believed float64 `json:"believed"` // the critic's probability of Correct
}

// How many examples are kept, and of one kind.
const (
	mostExamples = 12
	mostOfAKind  = 3
)

// sneakiest picks the lines that a critic believes most.
func sneakiest(ctx context.Context, critic policy.Policy, judged []*sneakycritic.State) ([]Example, error) {
	shown := make([]games.State, len(judged))
	for i, s := range judged {
		_, line := s.Shown()
		shown[i] = s.Show(*line)
	}
	believed, err := chances(ctx, critic, shown, make([]games.Action, len(shown)))
	if err != nil {
		return nil, err
	}
	order := make([]int, len(judged))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(believed[b], believed[a]) })
	var out []Example
	kinds := map[string]int{}
	for _, i := range order {
		kind := judged[i].Kind()
		if len(out) == mostExamples || kinds[kind] == mostOfAKind {
			continue
		}
		kinds[kind]++
		_, line := judged[i].Shown()
		out = append(out, Example{
			Kind: kind, Problem: judged[i].Problem(), Right: judged[i].Right().Text, Line: line.Text, Why: line.Why, Believed: believed[i],
		})
	}
	return out, nil
}

// examplesOf reads a checkpoint's examples.
func examplesOf(c *run.Checkpoint) ([]Example, error) {
	text, err := c.ReadFile(sneakiestFile)
	if err != nil {
		return nil, err
	}
	var examples []Example
	if err := json.Unmarshal(text, &examples); err != nil {
		return nil, fmt.Errorf("%s: %w", sneakiestFile, err)
	}
	return examples, nil
}
