package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
)

func (p *program) replayVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay GAME [FILE|-]",
		Short: "Replay recorded actions and print every state on the way",
		Long: `Reads JSON lines {"id": …, "actions": [id or string, …]}, chance outcomes
included in order, and prints for each one JSON object: the states that the
actions were taken in, with legal actions, odds and information states, and the
returns. A line that cannot be replayed gets an "error" and leaves the others
alone.`,
		Example: `  echo '{"id":1,"actions":["Deal:0","Deal:2","Pass","Bet","Pass"]}' | agon replay kuhn_poker`,
		Args:    between(1, 2, "a game, and a file or - for standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			game, err := games.New(args[0])
			if err != nil {
				return usage(err)
			}
			in := p.in
			if len(args) == 2 && args[1] != "-" {
				file, err := os.Open(args[1])
				if err != nil {
					return fmt.Errorf("replay: %w", err)
				}
				defer file.Close() //nolint:errcheck // opened for reading
				in = file
			}
			return p.replay(c.Context(), game, in)
		},
	}
	p.jsonFlag(c, "JSON lines, as it does anyway,")
	return c
}

type replayLine struct {
	ID      json.RawMessage   `json:"id"`
	Actions []json.RawMessage `json:"actions"`
}

type replayReport struct {
	ID      json.RawMessage `json:"id"`
	Steps   []replayStep    `json:"steps"`
	Over    bool            `json:"over"`
	Returns []float64       `json:"returns"`
	Error   string          `json:"error,omitempty"`
}

type replayStep struct {
	Turn   games.Seat        `json:"turn"`
	Legal  []namedAction     `json:"legal"`
	Odds   []float64         `json:"odds,omitempty"`
	Keys   map[string]string `json:"keys"`
	Action games.Action      `json:"action"`
}

type namedAction struct {
	ID   games.Action `json:"id"`
	Name string       `json:"name"`
}

func (p *program) replay(ctx context.Context, game games.Game, in io.Reader) error {
	reader := bufio.NewReader(in)
	out := bufio.NewWriter(p.out)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for number := 1; ctx.Err() == nil; number++ {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 && !blank(line) {
			if err := encoder.Encode(replayOne(game, line, number)); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(out.Flush(), fmt.Errorf("replay: reading line %d: %w", number, err))
		}
	}
	return errors.Join(out.Flush(), ctx.Err())
}

func blank(line []byte) bool {
	return !slices.ContainsFunc(line, func(b byte) bool { return b != ' ' && b != '\t' && b != '\r' && b != '\n' })
}

func replayOne(game games.Game, text []byte, number int) replayReport {
	var line replayLine
	report := replayReport{ID: json.RawMessage("null"), Steps: []replayStep{}}
	s := game.Start()
	report.Returns = s.Returns(nil)
	if err := json.Unmarshal(text, &line); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) { // whose own text names a type of Go
			err = fmt.Errorf("found a JSON %s", wrong.Value)
		}
		report.Error = fmt.Sprintf(`line %d: expected {"id": …, "actions": […]}: %v`, number, err)
		return report
	}
	if line.ID != nil {
		report.ID = line.ID
	}
	if line.Actions == nil {
		report.Error = fmt.Sprintf(`line %d: expected {"id": …, "actions": […]}: "actions" is missing`, number)
		return report
	}
	for i, raw := range line.Actions {
		step, err := replayAction(s, game.Info().Seats, raw)
		if err != nil {
			report.Error = fmt.Sprintf("step %d: %v", i, err)
			break
		}
		report.Steps = append(report.Steps, step)
	}
	report.Over, report.Returns = s.Turn() == games.Over, s.Returns(nil)
	return report
}

// replayAction describes a state and plays an action, given as its number or
// its name, in it.
func replayAction(s games.State, seats int, raw json.RawMessage) (replayStep, error) {
	step := replayStep{Turn: s.Turn(), Legal: []namedAction{}, Keys: map[string]string{}}
	for _, a := range s.Actions(nil) {
		step.Legal = append(step.Legal, namedAction{a, games.Say(s, a)})
	}
	step.Odds = s.Odds(nil)
	for seat := range seats {
		step.Keys[strconv.Itoa(seat)] = games.Key(s, games.Seat(seat))
	}
	if err := json.Unmarshal(raw, &step.Action); err == nil && string(raw) != "null" {
		return step, s.Apply(step.Action)
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil || string(raw) == "null" {
		return step, fmt.Errorf("%s: expected an action's number or name", raw)
	}
	for _, legal := range step.Legal {
		if legal.Name == name {
			step.Action = legal.ID
			return step, s.Apply(step.Action)
		}
	}
	if s.Turn() == games.Over {
		return step, fmt.Errorf("%w %q: the game is over", games.ErrIllegal, name)
	}
	names := make([]string, len(step.Legal))
	for i, legal := range step.Legal {
		names[i] = legal.Name
	}
	return step, fmt.Errorf("%w %q: legal here are %q", games.ErrIllegal, name, names)
}
