package cmd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/solve"
)

func (p *program) gamesVerb() *cobra.Command {
	var svg string
	c := &cobra.Command{
		Use:   "games [GAME]",
		Short: "List the games, or describe one",
		Example: `  agon games
  agon games kuhn_poker
  agon games 'connect_four(rows=5)' --json
  agon games hex --svg hex.svg`,
		Args: between(0, 1, "at most one game"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && svg != "":
				return usage(errors.New("games: --svg draws one game: name it, such as agon games hex --svg hex.svg"))
			case len(args) == 0:
				return p.listGames()
			}
			return p.describeGame(c.Context(), args[0], svg)
		},
	}
	c.Flags().StringVar(&svg, "svg", "", "draw the board at the end of the random game into this file")
	p.jsonFlag(c, "one object a game")
	return c
}

// gameReport is what --json prints of a game.
type gameReport struct {
	Name    string        `json:"name"`
	Summary string        `json:"summary,omitempty"`
	Params  []paramReport `json:"params,omitempty"`
	Info    *infoReport   `json:"info,omitempty"`
	Size    *sizeReport   `json:"size,omitempty"`
	Prompt  string        `json:"prompt,omitempty"`  // what the first player sees
	Example []string      `json:"example,omitempty"` // the moves of a random game
	Board   string        `json:"board,omitempty"`   // at its end
}

// paramReport and infoReport are games.Param and games.Info in JSON.
type paramReport struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Help    string `json:"help"`
}

type infoReport struct {
	Seats     int      `json:"seats"`
	Roles     []string `json:"roles"`
	Actions   int      `json:"actions"`
	MaxLength int      `json:"max_length"`
	MinReturn float64  `json:"min_return"`
	MaxReturn float64  `json:"max_return"`
	Sum       float64  `json:"sum"`
	Chance    string   `json:"chance"`
	Hidden    bool     `json:"hidden"`
	Tensor    []int    `json:"tensor"`
	Recall    bool     `json:"recall"`
}

// sizeReport is how large a game is: counted where it can be enumerated in a
// moment, else estimated as a power of ten.
type sizeReport struct {
	Histories         int     `json:"histories,omitempty"`
	InformationStates int     `json:"information_states,omitempty"`
	LogHistories      float64 `json:"log10_histories,omitempty"`
}

// countable bounds the games that are enumerated for their description.
const countable = 1_000_000

func sizeOf(ctx context.Context, game games.Game) (*sizeReport, error) {
	if game.Info().Chance == games.Sampled {
		return nil, nil
	}
	tree, err := solve.Compile(ctx, game, countable)
	switch {
	case err == nil:
		return &sizeReport{Histories: tree.Nodes(), InformationStates: len(tree.Sets)}, nil
	case !errors.Is(err, solve.ErrTooLarge):
		return nil, err
	}
	size, err := solve.Histories(game)
	if err != nil || math.IsInf(size, 1) {
		return nil, err
	}
	return &sizeReport{LogHistories: size}, nil
}

func returnsOf(info games.Info) string {
	if info.Seats == 1 {
		return fmt.Sprintf("%g to %g", info.MinReturn, info.MaxReturn)
	}
	return fmt.Sprintf("%g to %g, summing to %g", info.MinReturn, info.MaxReturn, info.Sum)
}

func (s *sizeReport) String() string {
	switch {
	case s == nil:
		return "chance cannot be listed"
	case s.LogHistories > 0:
		return fmt.Sprintf("about 10^%.1f histories", s.LogHistories)
	}
	return fmt.Sprintf("%d histories, %d information states", s.Histories, s.InformationStates)
}

var chanceNames = [...]string{games.NoChance: "none", games.Listed: "listed", games.Sampled: "sampled"}

func reportParams(params []games.Param) []paramReport {
	var out []paramReport
	for _, q := range params {
		out = append(out, paramReport(q))
	}
	return out
}

func (p *program) listGames() error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"game", "parameters", "summary"})
	for _, r := range games.All() {
		if p.json {
			if err := p.print(gameReport{Name: r.Name, Summary: r.Summary, Params: reportParams(r.Params)}); err != nil {
				return err
			}
			continue
		}
		var params []string
		for _, q := range r.Params {
			params = append(params, q.Name+"="+q.Default)
		}
		t.AppendRow(table.Row{r.Name, strings.Join(params, ", "), r.Summary})
	}
	if !p.json {
		p.say("%s", t.Render())
	}
	return nil
}

func (p *program) describeGame(ctx context.Context, text, svg string) error {
	game, err := games.New(text)
	if err != nil {
		return usage(err)
	}
	info := game.Info()
	example, end, err := examplePlay(game)
	if err != nil {
		return err
	}
	if err := draw(end, info.Name, svg); err != nil {
		return err
	}
	size, err := sizeOf(ctx, game)
	if err != nil {
		return err
	}
	report := gameReport{Name: info.Name, Example: example, Size: size, Info: &infoReport{
		Seats: info.Seats, Roles: info.Roles, Actions: info.Actions, MaxLength: info.MaxLength,
		MinReturn: info.MinReturn, MaxReturn: info.MaxReturn, Sum: info.Sum,
		Chance: chanceNames[info.Chance], Hidden: info.Hidden, Tensor: info.Tensor, Recall: info.Recall,
	}}
	if drawer, ok := end.(games.Drawer); ok {
		report.Board = sketch(drawer.Board())
	}
	if s, ok := firstSpeaker(game); ok {
		report.Prompt = s.Prompt(0)
	}
	for _, r := range games.All() {
		if r.Name == strings.SplitN(info.Name, "(", 2)[0] {
			report.Summary, report.Params = r.Summary, reportParams(r.Params)
		}
	}
	if p.json {
		return p.print(report)
	}
	p.say("%s: %s\n", report.Name, report.Summary)
	t := table.NewWriter()
	t.AppendRows([]table.Row{
		{"seats", fmt.Sprintf("%d: %s", info.Seats, strings.Join(info.Roles, ", "))},
		{"actions", info.Actions}, {"longest game", info.MaxLength},
		{"returns", returnsOf(info)},
		{"chance", chanceNames[info.Chance]},
		{"hidden information", info.Hidden}, {"tensor", fmt.Sprint(info.Tensor)}, {"size", size.String()},
	})
	for _, q := range report.Params {
		t.AppendRow(table.Row{"parameter " + q.Name, fmt.Sprintf("%s (default %s)", q.Help, q.Default)})
	}
	p.say("%s\n", t.Render())
	if report.Prompt != "" {
		p.say("What the first player sees:\n%s\n", indent(report.Prompt))
	}
	p.say("A random game: %s", strings.Join(example, ", "))
	if report.Board != "" {
		p.say("\nThe board at its end:\n%s", indent(report.Board))
	}
	return nil
}

// draw writes the picture of a state into a file, if one is named.
func draw(s games.State, name, file string) error {
	if file == "" {
		return nil
	}
	drawer, ok := s.(games.Drawer)
	if !ok {
		return usage(fmt.Errorf("games: --svg %s: %s has no board to draw", file, name))
	}
	if err := writable("--svg", file); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(picture(drawer.Board())), 0o644); err != nil { //nolint:gosec // a picture to look at
		return fmt.Errorf("games: --svg: %w", err)
	}
	return nil
}

func firstSpeaker(game games.Game) (games.Speaker, bool) {
	s := game.Start()
	r := play.Generator(1, "example")
	for s.Turn() == games.Chance {
		a, err := games.Draw(s, r)
		if err != nil || s.Apply(a) != nil {
			return nil, false
		}
	}
	speaker, ok := s.(games.Speaker)
	return speaker, ok
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// examplePlay names the actions of one random game, and returns its end.
func examplePlay(game games.Game) ([]string, games.State, error) {
	s := game.Start()
	r := play.Generator(1, "example")
	var said []string
	for s.Turn() != games.Over {
		var a games.Action
		if s.Turn() == games.Chance {
			drawn, err := games.Draw(s, r)
			if err != nil {
				return nil, nil, err
			}
			a = drawn
		} else {
			actions := s.Actions(nil)
			a = actions[r.IntN(len(actions))]
		}
		said = append(said, games.Say(s, a))
		if err := s.Apply(a); err != nil {
			return nil, nil, err
		}
	}
	return append(said, fmt.Sprintf("returns %v", s.Returns(nil))), s, nil
}
