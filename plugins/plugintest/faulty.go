// Package plugintest holds plugins that go wrong on purpose, for the tests of
// those who must bear with them.
package plugintest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins"
	"github.com/agon-rl/agon/plugins/protocol"
)

// Transient are faults after which a plugin answers as if nothing had been.
var Transient = map[string]func(){
	"kill":  func() { os.Exit(137) },
	"panic": func() { panic("a game's mistake") },
	"hang":  func() { time.Sleep(time.Hour) },
	"stdout": func() {
		for range 3 {
			fmt.Println(strings.Repeat("rubbish ", 20000))
		}
	},
	"stderr": func() {
		fmt.Fprintln(os.Stderr, `{"@message": 1}`)
		fmt.Fprintln(os.Stderr, "\x1b[31m\x00\xff\xfe", strings.Repeat("x", 1<<20))
	},
}

// Wrong are answers for which a plugin is refused.
var Wrong = map[string]func(*protocol.StepReply){
	"truncated":  func(r *protocol.StepReply) { r.Turns = r.Turns[:len(r.Turns)-1] },
	"turn":       func(r *protocol.StepReply) { r.Turns[0] = 7 },
	"actions":    func(r *protocol.StepReply) { r.Actions = append([]int32{99}, r.Actions...); shift(r.ActionEnds, 1) },
	"ends":       func(r *protocol.StepReply) { r.ActionEnds[0] = 1 << 30 },
	"state ends": func(r *protocol.StepReply) { r.Ends[0] = 1 << 30 },
	"oversized": func(r *protocol.StepReply) {
		r.States = append(make([]byte, 2<<20), r.States...)
		shift(r.Ends, 2<<20)
	},
	"huge":    func(r *protocol.StepReply) { r.Observations = make([]byte, 65<<20) },
	"NaN":     func(r *protocol.StepReply) { fill(r, math.NaN()) },
	"Inf":     func(r *protocol.StepReply) { fill(r, math.Inf(1)) },
	"shape":   func(r *protocol.StepReply) { r.Observations = append(r.Observations, 0, 0, 0, 0) },
	"odds":    func(r *protocol.StepReply) { r.Odds = append(r.Odds, 0.5) },
	"returns": func(r *protocol.StepReply) { r.Returns = append(r.Returns, 1) },
	"failure": func(r *protocol.StepReply) { r.Failures = append(r.Failures, &protocol.Failure{Index: 0, Text: "no"}) },
}

// Harmless are answers that are odd, and right.
var Harmless = map[string]func(*protocol.StepReply){
	"later": func(r *protocol.StepReply) { // a field that a later version of the protocol may add
		r.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 999, protowire.VarintType), 7))
	},
}

func shift(ends []uint32, by uint32) {
	for i := range ends {
		ends[i] += by
	}
}

// fill makes the returns of ended games x, and where there are none the first
// odds or a new one.
func fill(r *protocol.StepReply, x float64) {
	switch {
	case len(r.Returns) > 0:
		r.Returns[0] = x
	case len(r.Odds) > 0:
		r.Odds[0] = x
	default:
		r.Odds = append(r.Odds, x)
	}
}

type faulty struct {
	protocol.GameServer
	kinds []string
	every int
	log   string
}

// Faulty serves a game and goes wrong in one Step of so many, drawn at random: as
// one of the named kinds. Each fault is noted with a byte in the file log, if one
// is given.
func Faulty(rules games.Rules, every int, log string, kinds ...string) (protocol.GameServer, error) {
	for _, kind := range kinds {
		if Transient[kind] == nil && Wrong[kind] == nil && Harmless[kind] == nil {
			return nil, fmt.Errorf("there is no fault %q", kind)
		}
	}
	return &faulty{GameServer: plugins.NewServer(rules), kinds: kinds, every: every, log: log}, nil
}

func (f *faulty) note() error {
	if f.log == "" {
		return nil
	}
	file, err := os.OpenFile(f.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte{'x'})
	return errors.Join(err, file.Close())
}

// Step implements the protocol, now and then badly.
func (f *faulty) Step(ctx context.Context, in *protocol.StepRequest) (out *protocol.StepReply, err error) {
	kind := f.kinds[rand.IntN(len(f.kinds))] //nolint:gosec // a fault need not be a secret
	strikes := rand.IntN(f.every) == 0 && len(in.Actions) > 0
	defer func() {
		if r := recover(); r != nil {
			err = status.Errorf(codes.Internal, "panic: %v", r)
		}
	}()
	if fault := Transient[kind]; strikes && fault != nil {
		if err := f.note(); err != nil {
			return nil, err
		}
		fault()
	}
	out, err = f.GameServer.Step(ctx, in)
	fault := Wrong[kind]
	if fault == nil {
		fault = Harmless[kind]
	}
	if strikes && fault != nil && err == nil {
		if err := f.note(); err != nil {
			return nil, err
		}
		fault(out)
	}
	return out, err
}

// Main is the program faulty: faulty GAME EVERY LOG KIND… serves a game that goes
// wrong in one step of EVERY.
func Main(args []string) error {
	if len(args) < 4 {
		return errors.New("faulty: expected GAME EVERY LOG KIND…")
	}
	every, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for _, r := range games.All() {
		if r.Name == args[0] {
			server, err := Faulty(r, every, strings.TrimPrefix(args[2], "-"), args[3:]...)
			if err != nil {
				return err
			}
			plugins.ServeServer(server)
			return nil
		}
	}
	return fmt.Errorf("faulty: no game %q", args[0])
}
