package cmd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// searching is what the search verb was asked for.
type searching struct {
	game, agent, moves, svg string
	seed                    uint64
	lines                   int
}

func (p *program) searchVerb() *cobra.Command {
	var o searching
	c := &cobra.Command{
		Use:   "search GAME",
		Short: "Search a position and show the tree",
		Long: `Grows a search tree from a position and shows what it thinks of the moves there.
Values are in [-1, 1] for the seat that is to move. Ctrl-C, or time=2s in the
agent's name, ends the search with its best answer so far.

Moves are separated by spaces, each an action's name or number. Chance is drawn
from the seed where no move names its outcome.`,
		Example: `  agon search connect_four --moves '3 3' --agent mcts:sims=10000
  agon search tic_tac_toe --agent mcts:sims=500,rule=gumbel --svg tree.svg
  agon search chess --agent 'mcts:sims=2000,time=5s' --json`,
		Args: exactly(1, "one game"),
		RunE: func(c *cobra.Command, args []string) error {
			o.game = args[0]
			if o.lines < 1 {
				return usage(fmt.Errorf("search: --lines %d: expected 1 or more", o.lines))
			}
			return p.search(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.agent, "agent", "mcts:sims=1000", "a search agent: mcts:sims=400,rule=puct,eval=run(DIR)")
	c.Flags().StringVar(&o.moves, "moves", "", "moves from the start to the position")
	c.Flags().StringVar(&o.svg, "svg", "", "draw the tree into this file")
	c.Flags().IntVar(&o.lines, "lines", 10, "how many moves to show")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of chance and of the search")
	p.backendFlag(c)
	p.jsonFlag(c, "one object")
	return c
}

// searchReport is what --json prints.
type searchReport struct {
	Game        string       `json:"game"`
	Moves       []string     `json:"moves"`
	Seat        games.Seat   `json:"seat"`
	Role        string       `json:"role"`
	Agent       string       `json:"agent"`
	Simulations int          `json:"simulations"`
	Asked       int          `json:"asked"` // simulations that were asked for; fewer are made where time runs out or all is proven
	Seconds     float64      `json:"seconds"`
	Nodes       int          `json:"nodes"`
	Full        bool         `json:"full"` // the tree met its bound on nodes and stopped growing
	Best        namedAction  `json:"best"`
	Value       float64      `json:"value"` // of the root, to the seat that moves
	Children    []searchMove `json:"children"`
}

// searchMove is a move as the search sees it, with the line that the most
// visited moves make from there.
type searchMove struct {
	ID     games.Action `json:"id"`
	Name   string       `json:"name"`
	Visits int          `json:"visits"`
	Q      float64      `json:"q"`
	Prior  float64      `json:"prior"`
	Proven bool         `json:"proven"`
	Line   []string     `json:"line"`
}

func (p *program) search(ctx context.Context, o searching) (err error) {
	game, err := games.New(o.game)
	if err != nil {
		return usage(err)
	}
	if err := writable("--svg", o.svg); err != nil {
		return err
	}
	state, said, err := position(game, o.moves, play.Generator(o.seed, "chance"))
	if err != nil {
		return usage(fmt.Errorf("search: %w", err))
	}
	agent, err := agents.OpenSearch(ctx, o.agent, p.environment(game))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	p.tellBackend()
	began := time.Now()
	trees, err := agent.Trees(ctx, []games.State{state}, []*rand.Rand{play.Generator(o.seed, "search")})
	if err != nil {
		return err
	}
	tree := trees[0]
	report := searchReport{
		Game: game.Info().Name, Moves: said, Seat: state.Turn(), Role: game.Info().Roles[state.Turn()], Agent: o.agent,
		Simulations: tree.Simulations(), Asked: agent.Options.Simulations, Seconds: time.Since(began).Seconds(),
		Nodes: tree.Nodes(), Full: tree.Full(), Value: tree.Mean(mcts.Root),
	}
	report.Best = namedAction{tree.Best(), games.Say(state, tree.Best())}
	for _, c := range byVisits(tree.Children(mcts.Root)) {
		report.Children = append(report.Children, searchMove{c.Action, games.Say(state, c.Action), c.Visits, c.Q, c.Prior, c.Proven, line(tree, state, c)})
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, []byte(treePicture(tree)), 0o644); err != nil { //nolint:gosec // a picture to look at
			return fmt.Errorf("search: --svg: %w", err)
		}
	}
	if p.json {
		return p.print(report)
	}
	p.showSearch(report, o.lines)
	return nil
}

func (p *program) showSearch(r searchReport, lines int) {
	at := "at the start"
	if len(r.Moves) > 0 {
		at = "after " + strings.Join(r.Moves, " ")
	}
	p.say("%s %s, seat %d (%s) to move", r.Game, at, r.Seat, r.Role)
	p.say("%d of %d simulations in %.3g s, %d nodes, value %+.3f", r.Simulations, r.Asked, r.Seconds, r.Nodes, r.Value)
	if r.Full {
		p.say("the tree met its bound on nodes and stopped growing")
	}
	t := table.NewWriter()
	t.AppendHeader(table.Row{"move", "visits", "share", "value", "prior", "line"})
	for i, c := range r.Children {
		if i == lines {
			break
		}
		value := fmt.Sprintf("%+.3f", c.Q)
		if c.Proven {
			value += " proven"
		} else if c.Visits == 0 {
			value = ""
		}
		t.AppendRow(table.Row{c.Name, c.Visits, fmt.Sprintf("%.1f %%", 100*float64(c.Visits)/float64(max(1, r.Simulations))), value, fmt.Sprintf("%.3f", c.Prior), strings.Join(c.Line, " ")})
	}
	p.say("%s", t.Render())
	if more := len(r.Children) - lines; more > 0 {
		p.say("and %d more moves", more)
	}
	p.say("best: %s", r.Best.Name)
}

// position plays moves from the start of a game. It returns what was played,
// chance included, and a state in which somebody is to move.
func position(game games.Game, moves string, r *rand.Rand) (games.State, []string, error) {
	s := game.Start()
	said := []string{}
	left := strings.Fields(moves)
	for s.Turn() == games.Chance || len(left) > 0 {
		if s.Turn() == games.Over {
			return nil, nil, fmt.Errorf("--moves: the game is over before %q", left[0])
		}
		a, named := games.Action(0), false
		if len(left) > 0 {
			a, named = move(s, left[0])
		}
		switch {
		case named:
			left = left[1:]
		case s.Turn() == games.Chance:
			var err error
			if a, err = games.Draw(s, r); err != nil {
				return nil, nil, err
			}
		default:
			return nil, nil, fmt.Errorf("--moves: %q is no move here: expected one of %s", left[0], strings.Join(names(s), " "))
		}
		said = append(said, games.Say(s, a))
		if err := s.Apply(a); err != nil {
			return nil, nil, err
		}
	}
	if s.Turn() == games.Over {
		return nil, nil, fmt.Errorf("--moves: the game is over after %s: nothing is left to search", strings.Join(said, " "))
	}
	return s, said, nil
}

// move finds an action by its name without spaces, or by its number.
func move(s games.State, text string) (games.Action, bool) {
	actions := s.Actions(nil)
	for _, a := range actions {
		if strings.ReplaceAll(games.Say(s, a), " ", "") == text {
			return a, true
		}
	}
	number, err := strconv.Atoi(text)
	if err == nil && slices.Contains(actions, games.Action(number)) && s.Turn() != games.Chance {
		return games.Action(number), true
	}
	if speaker, ok := s.(games.Speaker); ok && s.Turn() != games.Chance {
		a, err := speaker.Hear(text)
		return a, err == nil
	}
	return 0, false
}

func names(s games.State) []string {
	var out []string
	for _, a := range s.Actions(nil) {
		out = append(out, strings.ReplaceAll(games.Say(s, a), " ", ""))
	}
	return out
}

// byVisits sorts children by how often they were taken, the favourite first.
func byVisits(children []mcts.Child) []mcts.Child {
	slices.SortStableFunc(children, func(a, b mcts.Child) int { return b.Visits - a.Visits })
	return children
}

// longestLine is how many moves of a line are shown.
const longestLine = 8

// line is what the most visited moves lead to.
func line(tree *mcts.Tree, from games.State, c mcts.Child) []string {
	out := []string{}
	s := from.Clone()
	for len(out) < longestLine {
		out = append(out, games.Say(s, c.Action))
		if s.Apply(c.Action) != nil || c.Node == mcts.None || s.Turn() != tree.Seat(c.Node) {
			break
		}
		children := byVisits(tree.Children(c.Node))
		if len(children) == 0 || children[0].Visits == 0 || !slices.Contains(s.Actions(nil), children[0].Action) {
			break
		}
		c = children[0]
	}
	return out
}
