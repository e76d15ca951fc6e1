package agents

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/agon-rl/agon/agents/uci"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "uci", Usage: "uci:ENGINE,movetime=100",
		Help: `a chess engine, times in milliseconds; also depth=8, nodes=1000, elo=1500 (UCI_LimitStrength),
options=NAME:VALUE;NAME:VALUE, parallel=2, fresh=true (forget before each move)`,
		Value: Kind{Slow: true, Open: openEngine},
	})
}

// openEngine opens uci.
func openEngine(ctx context.Context, r *spec.Reader, env Environment) (play.Agent, error) {
	o := uci.Options{
		Path: r.String("file", ""), Depth: r.Int("depth", 0, 1, 1000), Nodes: r.Int("nodes", 0, 1, 1<<40),
		MoveTime: time.Duration(r.Int("movetime", 0, 1, 1<<30)) * time.Millisecond,
		Grace:    10 * time.Second, Parallel: r.Int("parallel", runtime.GOMAXPROCS(0), 1, 1024),
	}
	if elo := r.Int("elo", 0, 1, 10000); elo > 0 {
		o.Settings = append(o.Settings, [2]string{"UCI_LimitStrength", "true"}, [2]string{"UCI_Elo", fmt.Sprint(elo)})
	}
	for _, option := range strings.Split(r.String("options", ""), ";") {
		name, value, ok := strings.Cut(option, ":")
		if option != "" && !ok {
			return nil, Misnamed("uci: options=%s: expected NAME:VALUE;NAME:VALUE", option)
		}
		if option != "" {
			o.Settings = append(o.Settings, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	// Within positions or plies an engine plays the same again, if nothing else is in
	// its tables; within a time it does not anyway.
	o.Fresh = r.Bool("fresh", o.MoveTime == 0 && (o.Nodes > 0 || o.Depth > 0))
	if err := r.Err(); err != nil {
		return nil, err
	}
	if o.Path == "" {
		return nil, Misnamed("uci: expected an engine, such as uci:/usr/games/stockfish,movetime=50")
	}
	if _, err := chess.NewRecord(env.Game.Start()); err != nil {
		return nil, fmt.Errorf("uci: engines play chess, not %s", env.Game.Info().Name)
	}
	if o.MoveTime == 0 && o.Depth == 0 && o.Nodes == 0 {
		o.MoveTime = 100 * time.Millisecond
	}
	agent, err := uci.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return agent, nil
}
