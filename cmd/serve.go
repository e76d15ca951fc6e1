package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/web/openenv"
)

// serving is what the serve verb was asked for.
type serving struct {
	openenv  string
	opponent string
	address  string
	seat     int
	seed     uint64
}

func (p *program) serveVerb() *cobra.Command {
	var o serving
	c := &cobra.Command{
		Use:   "serve --openenv GAME",
		Short: "Offer a game to other programs over the network",
		Long: `Offers a game as an OpenEnv environment (HTTP and WebSocket, version 0.3) on
this machine: the client plays one seat, an agent the others.

Agents:
` + indent(agents.Forms()),
		Example: `  agon serve --openenv kuhn_poker --opponent run:runs/kuhn_poker
  agon serve --openenv tic_tac_toe --opponent minimax --address 127.0.0.1:9000`,
		Args: exactly(0, "flags alone"),
		RunE: func(c *cobra.Command, _ []string) error { return p.serve(c.Context(), o) },
	}
	c.Flags().StringVar(&o.openenv, "openenv", "", "the game to offer")
	c.Flags().StringVar(&o.opponent, "opponent", "random", "the agent in the other seats")
	c.Flags().StringVar(&o.address, "address", "127.0.0.1:8000", "where to listen; this machine's own addresses alone")
	c.Flags().IntVar(&o.seat, "seat", 0, "the client's seat, unless its reset asks for another")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "of episodes that are reset without one")
	p.backendFlag(c)
	return c
}

func (p *program) serve(ctx context.Context, o serving) (err error) {
	if o.openenv == "" {
		return usage(errors.New("serve: expected --openenv GAME"))
	}
	game, err := games.New(o.openenv)
	if err != nil {
		return usage(err)
	}
	if seats := game.Info().Seats; o.seat < 0 || o.seat >= seats {
		return usage(fmt.Errorf("serve: --seat %d: expected 0 to %d", o.seat, seats-1))
	}
	host, _, err := net.SplitHostPort(o.address)
	if err != nil {
		return usage(fmt.Errorf("serve: --address %s: expected an address and a port, such as 127.0.0.1:8000", o.address))
	}
	// Whoever reaches the port can play: there is no password, so nobody else may.
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usage(fmt.Errorf("serve: --address %s: expected an address of this machine alone, such as 127.0.0.1:8000; for others put a proxy that asks who they are before it", o.address))
	}
	agent, err := agents.Open(ctx, o.opponent, p.environment(game))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Close()) }()
	if _, person := agent.(*agents.Human); person {
		return usage(errors.New("serve: --opponent human: expected an agent that needs no terminal"))
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.address)
	if err != nil {
		return fmt.Errorf("serve: --address: %w", err)
	}
	p.tellBackend()
	server := &openenv.Server{Game: game, Opponent: agent, Seat: games.Seat(o.seat), Seed: o.seed}
	web := &http.Server{Handler: ownHost(server.Handler()), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = web.Close() })
	defer stop()
	p.log.Info().Msgf("%s as an OpenEnv environment at http://%s", game.Info().Name, listener.Addr())
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ownHost refuses requests that came by another name than this machine's: a page
// elsewhere could have its name stand for 127.0.0.1.
func ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this server answers this machine alone", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
