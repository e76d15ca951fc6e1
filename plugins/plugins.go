// Package plugins lets games, and agents, live in processes of their own. Serve is the kit
// for games written in Go; package agon_game under plugins/python is the one for
// Python. Open is the host: it starts a plugin's processes with
// hashicorp/go-plugin, asks them in batches, checks everything they say, and
// starts them again where they crash or hang.
//
// The protocol (plugins/protocol) keeps no state in a plugin: a game is the
// bytes that the plugin made of it. So a call that was lost is made again, by
// any process, and a game in a plugin is as sure to end as one in this process.
package plugins

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/agon-rl/agon/plugins/protocol"
)

// handshake tells plugins of Agon from other programs. It is no secret.
var handshake = plugin.HandshakeConfig{
	MagicCookieKey:   "AGON_PLUGIN",
	MagicCookieValue: "f2a9e6a6-game",
}

// hostVariable tells a plugin the number of its host's process, which is not its
// parent's where a shell or another runner stands between.
const hostVariable = "AGON_HOST"

// Version is the newest version of the protocol; all since 1 are spoken.
const Version = 1

// What one message and one state may take.
const (
	maxMessage = 64 << 20
	maxState   = 1 << 20
	maxBatch   = 1 << 16
)

// ballast is memory that is never touched, and so takes no place. With it the
// collector of a process whose heap is small waits for 32 MiB of garbage: without,
// steps through a plugin would leave it no rest, for a third of all time.
var ballast = sync.OnceValue(func() []byte { return make([]byte, 32<<20) })

// service is the name under which go-plugin hands out the game.
const service = "game"

// ErrRefused is wrapped by errors about plugins that answer wrongly. Such a
// plugin is asked nothing more.
var ErrRefused = errors.New("the plugin is refused")

// link registers a server, or makes a client, on go-plugin's connection.
type link struct {
	plugin.NetRPCUnsupportedPlugin
	server protocol.GameServer  // nil for a plugin that only plays
	agent  protocol.AgentServer // nil for a plugin that is only a game
}

func (l *link) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if l.server != nil {
		protocol.RegisterGameServer(s, l.server)
	}
	if l.agent != nil {
		protocol.RegisterAgentServer(s, l.agent)
	}
	return nil
}

// client is a plugin's games and agents.
type client struct {
	protocol.GameClient
	protocol.AgentClient
}

func (l *link) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return client{protocol.NewGameClient(c), protocol.NewAgentClient(c)}, nil
}

func sets(l *link) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version: {service: l}}
}
