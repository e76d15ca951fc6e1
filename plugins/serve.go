package plugins

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/plugins/protocol"
)

// Serve serves a game as a plugin and returns when its host is done:
//
//	func main() { plugins.Serve(mygame.New()) }
func Serve(game games.Game) {
	ServeRules(games.Rules{
		Name: game.Info().Name,
		Make: func(r *spec.Reader) (games.Game, error) { return game, r.Err() },
	})
}

// ServeRules serves a game with parameters.
func ServeRules(rules games.Rules) { ServeServer(NewServer(rules)) }

// Called tells whether a host started this program to be a plugin.
func Called() bool { return os.Getenv(handshake.MagicCookieKey) == handshake.MagicCookieValue }

// ServeServer serves whatever answers the protocol's calls.
func ServeServer(s protocol.GameServer) { serve(&link{server: s}) }

func serve(l *link) {
	ballast()
	go leaveWithHost()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: sets(l),
		Logger:           hclog.NewNullLogger(),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))...)
		},
	})
}

// leaveWithHost ends a plugin whose host was killed: nobody else would.
func leaveWithHost() {
	host, err := strconv.Atoi(os.Getenv(hostVariable))
	for parent := os.Getppid(); os.Getppid() == parent && (err != nil || lives(host)); {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

// NewServer answers the protocol's calls for a game.
func NewServer(rules games.Rules) protocol.GameServer {
	return &server{rules: rules, made: map[string]*served{}}
}

type server struct {
	protocol.UnimplementedGameServer
	rules games.Rules
	mu    sync.Mutex
	made  map[string]*served // by parameters
}

// served is the game of some parameters.
type served struct {
	game games.Game
	info games.Info
	desk sync.Pool // of *desk
}

// mostGames bounds how many sets of parameters one process keeps.
const mostGames = 64

func (s *server) game(params string) (*served, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.made[params]; ok {
		return g, nil
	}
	parsed, err := spec.Parse("game(" + params + ")")
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "parameters %s: %v", params, err)
	}
	parsed.Name = s.rules.Name
	game, err := s.rules.Make(spec.Read(parsed))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	g := &served{game: game, info: game.Info()}
	g.desk.New = func() any { return newDesk(game) }
	if len(s.made) < mostGames {
		s.made[params] = g
	}
	return g, nil
}

// guard turns a panic of a game into an error, so that it ends a call and not
// the process with all others.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = status.Errorf(codes.Internal, "the game panicked: %v", r)
	}
}

// Describe implements the protocol.
func (s *server) Describe(_ context.Context, in *protocol.DescribeRequest) (out *protocol.Description, err error) {
	defer guard(&err)
	g, err := s.game(in.Params)
	if err != nil {
		return nil, err
	}
	i, start := g.info, g.game.Start()
	_, speaks := start.(games.Speaker)
	_, positions := start.(games.Positioned)
	_, open := start.(games.Open)
	_, talks := start.(games.Talker)
	out = &protocol.Description{
		Name: s.rules.Name, Summary: s.rules.Summary, Seats: int32(i.Seats), Roles: i.Roles,
		Actions: int32(i.Actions), MaxLength: int32(i.MaxLength),
		MinReturn: i.MinReturn, MaxReturn: i.MaxReturn, Sum: i.Sum,
		Chance: i.Chance == games.Listed, Sampled: i.Chance == games.Sampled,
		Hidden: i.Hidden, Recall: i.Recall, Speaks: speaks, Positions: positions, Open: open, Talks: talks,
		Protocol: Version,
	}
	for _, d := range i.Tensor {
		out.Tensor = append(out.Tensor, int32(d))
	}
	for _, p := range s.rules.Params {
		out.Params = append(out.Params, &protocol.Param{Name: p.Name, Default: p.Default, Help: p.Help})
	}
	return out, nil
}

// Step implements the protocol.
func (s *server) Step(_ context.Context, in *protocol.StepRequest) (out *protocol.StepReply, err error) {
	defer guard(&err)
	g, err := s.game(in.Params)
	if err != nil {
		return nil, err
	}
	d := g.desk.Get().(*desk)
	defer g.desk.Put(d)
	return d.step(g.info, in)
}

// step answers one request. Replies are packed as game.proto says.
func (d *desk) step(info games.Info, in *protocol.StepRequest) (*protocol.StepReply, error) {
	if len(in.Ends) > maxBatch || len(in.Actions) != 0 && len(in.Actions) != len(in.Ends) || int(in.Seat) > info.Seats {
		return nil, status.Errorf(codes.InvalidArgument, "%d states, %d actions, seat %d", len(in.Ends), len(in.Actions), in.Seat)
	}
	out := &protocol.StepReply{Id: in.Id, Turns: make([]int32, 0, len(in.Ends)), ActionEnds: make([]uint32, 0, len(in.Ends))}
	if len(in.Actions) > 0 {
		out.States, out.Ends = make([]byte, 0, len(in.States)+len(in.Ends)), make([]uint32, 0, len(in.Ends))
	}
	begin := uint32(0)
	for i, end := range in.Ends {
		if end < begin || int(end) > len(in.States) {
			return nil, status.Errorf(codes.InvalidArgument, "state %d ends at %d of %d bytes", i, end, len(in.States))
		}
		history := in.States[begin:end]
		begin = end
		state, err := d.find(history)
		if err == nil && len(in.Actions) > 0 {
			a := games.Action(in.Actions[i])
			state, err = d.child(state, history, a)
			out.States = appendAction(append(out.States, history...), a)
			out.Ends = append(out.Ends, uint32(len(out.States)))
		}
		if err != nil {
			out.Failures = append(out.Failures, &protocol.Failure{Index: uint32(i), Text: err.Error()})
			d.nothing(out, in.Want)
			continue
		}
		d.view(info, state, out, in.Want, in.Seat)
	}
	return out, nil
}

// nothing is the view of a state that could not be stepped.
func (d *desk) nothing(out *protocol.StepReply, want uint32) {
	out.Turns = append(out.Turns, int32(games.Over))
	out.ActionEnds = append(out.ActionEnds, uint32(len(out.Actions)))
	if want&uint32(protocol.Want_WANT_KEYS) != 0 {
		out.KeyEnds = append(out.KeyEnds, uint32(len(out.Keys)))
	}
	if want&uint32(protocol.Want_WANT_POSITIONS) != 0 {
		out.PositionEnds = append(out.PositionEnds, uint32(len(out.Positions)))
	}
}

// view appends what a state shows.
func (d *desk) view(info games.Info, s games.State, out *protocol.StepReply, want, seat uint32) {
	turn := s.Turn()
	out.Turns = append(out.Turns, int32(turn))
	d.actions = d.actions[:0]
	if turn != games.Over {
		d.actions = s.Actions(d.actions)
	}
	for _, a := range d.actions {
		out.Actions = append(out.Actions, int32(a))
	}
	out.ActionEnds = append(out.ActionEnds, uint32(len(out.Actions)))
	switch turn {
	case games.Chance:
		out.Odds = s.Odds(out.Odds)
	case games.Over:
		out.Returns = s.Returns(out.Returns)
	}
	looking := turn
	if seat > 0 {
		looking = games.Seat(seat - 1)
	}
	if want&uint32(protocol.Want_WANT_KEYS) != 0 {
		if looking >= 0 {
			out.Keys = s.AppendKey(out.Keys, looking)
		}
		out.KeyEnds = append(out.KeyEnds, uint32(len(out.Keys)))
	}
	if want&uint32(protocol.Want_WANT_OBSERVATIONS) != 0 && looking >= 0 {
		if d.tensor == nil {
			d.tensor = make([]float32, info.TensorSize())
		}
		s.Observe(looking, d.tensor)
		out.Observations = appendFloats(out.Observations, d.tensor)
	}
	if want&uint32(protocol.Want_WANT_POSITIONS) != 0 {
		if p, ok := s.(games.Positioned); ok {
			out.Positions = p.AppendPosition(out.Positions)
		}
		out.PositionEnds = append(out.PositionEnds, uint32(len(out.Positions)))
	}
}

// Speak implements the protocol.
func (s *server) Speak(_ context.Context, in *protocol.SpeakRequest) (out *protocol.SpeakReply, err error) {
	defer guard(&err)
	g, err := s.game(in.Params)
	if err != nil {
		return nil, err
	}
	d := g.desk.Get().(*desk)
	defer g.desk.Put(d)
	state, err := d.find(in.State)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	out = &protocol.SpeakReply{}
	if speaker, ok := state.(games.Speaker); ok {
		if in.Prompt {
			out.Prompt = speaker.Prompt(games.Seat(in.Seat))
		}
		for _, a := range in.Say {
			out.Names = append(out.Names, speaker.Say(games.Action(a)))
		}
		if in.Hear != nil {
			a, err := speaker.Hear(*in.Hear)
			if out.Action = int32(a); err != nil {
				out.Refused = err.Error()
			}
		}
	}
	switch {
	case in.Talk != nil:
		out.State = appendText(append([]byte(nil), in.State...), talkTag, *in.Talk)
	case in.Propose != nil:
		open, ok := state.Clone().(games.Open)
		if !ok {
			out.Refused = fmt.Sprintf("%s takes no proposals", s.rules.Name)
			return out, nil
		}
		a, err := open.Propose(*in.Propose)
		if out.Action = int32(a); err != nil {
			out.Refused = err.Error()
			return out, nil
		}
		out.State = appendText(append([]byte(nil), in.State...), proposeTag, *in.Propose)
	case in.Draw != nil:
		a, err := games.Draw(state, rand.New(rand.NewPCG(*in.Draw, 0)))
		if out.Action = int32(a); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	return out, nil
}
