package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
)

func (p *program) playVerb() *cobra.Command {
	var seats []string
	var seed uint64
	var count int
	c := &cobra.Command{
		Use:   "play GAME",
		Short: "Play a game in the terminal, or watch agents play",
		Long:  "Agents:\n" + indent(agents.Forms()),
		Example: `  agon play tic_tac_toe
  agon play kuhn_poker --seat 0=cfr:iterations=1000 --seat 1=human
  agon play connect_four --seat 0=random --seat 1=random --json`,
		Args: exactly(1, "one game"),
		RunE: func(c *cobra.Command, args []string) error {
			game, err := games.New(args[0])
			if err != nil {
				return usage(err)
			}
			names, err := seatAgents(game.Info(), seats)
			if err != nil {
				return usage(err)
			}
			if count < 1 {
				return usage(fmt.Errorf("play: --games %d: expected 1 or more", count))
			}
			return p.play(c.Context(), game, names, seed, count)
		},
	}
	c.Flags().StringArrayVar(&seats, "seat", nil, "SEAT=AGENT; a person sits in seat 0 and random agents in the others unless said otherwise")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of chance and agents")
	c.Flags().IntVar(&count, "games", 1, "how many games")
	p.backendFlag(c)
	p.jsonFlag(c, "one object a game")
	return c
}

// seatAgents reads SEAT=AGENT flags.
func seatAgents(info games.Info, flags []string) ([]string, error) {
	names := make([]string, info.Seats)
	names[0] = "human"
	for i := 1; i < len(names); i++ {
		names[i] = "random"
	}
	for _, flag := range flags {
		number, agent, ok := strings.Cut(flag, "=")
		seat, err := strconv.Atoi(number)
		if err != nil || !ok || seat < 0 || seat >= info.Seats {
			return nil, fmt.Errorf("play: --seat %s: expected SEAT=AGENT with a seat from 0 to %d, such as 0=human", flag, info.Seats-1)
		}
		names[seat] = agent
	}
	return names, nil
}

// playReport is what --json prints of a game.
type playReport struct {
	Game    string         `json:"game"`
	Episode uint64         `json:"episode"`
	Seats   []string       `json:"seats"`
	Actions []games.Action `json:"actions"`
	Said    []string       `json:"said"`
	Returns []float64      `json:"returns"`
	Forfeit *games.Seat    `json:"forfeit,omitempty"`
}

func (p *program) play(ctx context.Context, game games.Game, names []string, seed uint64, count int) (err error) {
	match, err := p.openMatch(ctx, game, names, seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAgents(match.Agents)) }()
	p.tellBackend()
	for number := range count {
		episodes, err := match.Play(ctx, uint64(number), 1)
		if errors.Is(err, agents.ErrQuit) && ctx.Err() == nil {
			p.say("goodbye")
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.showGame(game, names, episodes[0]); err != nil {
			return err
		}
	}
	return nil
}

// openMatch seats the agents of these names at a game.
func (p *program) openMatch(ctx context.Context, game games.Game, names []string, seed uint64) (play.Match, error) {
	env := p.environment(game)
	if p.json {
		env.Out = p.errOut // a person's prompts must not mix with the report
	}
	match := play.Match{Game: game, Seed: seed, Seats: func(uint64, int) []int { return everySeat(len(names)) }, Group: 1}
	for _, name := range names {
		agent, err := agents.Open(ctx, name, env)
		if err != nil {
			return match, errors.Join(err, closeAgents(match.Agents))
		}
		match.Agents = append(match.Agents, agent)
	}
	return match, nil
}

func everySeat(n int) []int {
	seats := make([]int, n)
	for i := range seats {
		seats[i] = i
	}
	return seats
}

// showGame replays an episode in words.
func (p *program) showGame(game games.Game, names []string, e *play.Episode) error {
	info := game.Info()
	r := playReport{Game: info.Name, Episode: e.Number, Seats: names, Actions: e.Actions, Returns: e.Returns}
	if e.Forfeit != games.Over {
		r.Forfeit = &e.Forfeit
	}
	s := game.Start()
	for _, a := range e.Actions {
		who := "chance"
		if seat := s.Turn(); seat >= 0 {
			who = fmt.Sprintf("%s (%s)", info.Roles[seat], names[seat])
		}
		said := games.Say(s, a)
		r.Said = append(r.Said, said)
		if err := s.Apply(a); err != nil {
			return err
		}
		if !p.json {
			p.say("%-24s %s", who, said)
		}
	}
	if p.json {
		return p.print(r)
	}
	if speaker, ok := s.(games.Speaker); ok {
		if person := slices.Index(names, "human"); person >= 0 {
			p.say("\n%s", speaker.Prompt(games.Seat(person)))
		}
	}
	if r.Forfeit != nil {
		p.say("%s forfeits", info.Roles[*r.Forfeit])
	}
	var results []string
	for seat, ret := range e.Returns {
		results = append(results, fmt.Sprintf("%s %+g", info.Roles[seat], ret))
	}
	p.say("returns: %s\n", strings.Join(results, ", "))
	return nil
}
