package plugins

import (
	"bytes"
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins/protocol"
)

// memory keeps the first views that a plugin gave. A plugin is a pure function of
// state and action, so what was asked once need not be asked again: small games,
// and the openings of large ones, are soon played without a call. A nil memory
// keeps nothing.
type memory struct {
	seed   maphash.Seed
	shards [16]shard
}

type shard struct {
	sync.RWMutex
	views map[string]*view
	bytes int
}

// What one shard may hold of views met in play, and with those foreseen.
const (
	mostMet      = 8 << 20
	mostForeseen = 64 << 20
)

func newMemory() *memory {
	m := &memory{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].views = map[string]*view{}
	}
	return m
}

func (m *memory) shard(key []byte) *shard {
	return &m.shards[maphash.Bytes(m.seed, key)%uint64(len(m.shards))]
}

// find plays an action from memory, if all that is wanted is known.
func (m *memory) find(s *state, a games.Action, want protocol.Want) bool {
	if m == nil {
		return false
	}
	var room [64]byte
	key := appendAction(append(room[:0], s.bytes...), a)
	at := m.shard(key)
	at.RLock()
	v := at.views[string(key)]
	at.RUnlock()
	if v == nil || !v.has(want) {
		return false
	}
	s.view = *v
	return true
}

// has tells whether a view holds what is wanted.
func (v *view) has(want protocol.Want) bool {
	mover := v.turn >= 0
	return (want&protocol.Want_WANT_KEYS == 0 || !mover || v.key != nil) &&
		(want&protocol.Want_WANT_OBSERVATIONS == 0 || !mover || v.tensor != nil) &&
		(want&protocol.Want_WANT_POSITIONS == 0 || v.position != nil)
}

// keep remembers a view, in memory of its own, while a shard has room; it tells
// whether there was some.
func (m *memory) keep(state []byte, a games.Action, v *view, room int) bool {
	if m == nil || v.failure != "" {
		return false
	}
	key := appendAction(append(make([]byte, 0, len(state)+5), state...), a)
	at := m.shard(key)
	at.Lock()
	defer at.Unlock()
	size := len(key) + len(v.bytes) + 4*len(v.actions) + 8*len(v.odds) + 8*len(v.returns) + len(v.key) + len(v.tensor) + len(v.position) + 200
	if at.bytes+size > room {
		return false
	}
	at.bytes += size
	at.views[string(key)] = &view{
		bytes: bytes.Clone(v.bytes), turn: v.turn, actions: slices.Clone(v.actions), odds: slices.Clone(v.odds),
		returns: slices.Clone(v.returns), key: bytes.Clone(v.key), tensor: bytes.Clone(v.tensor), position: bytes.Clone(v.position),
	}
	return true
}

// foreseen is how many steps are asked for in one call.
const foreseen = 2048

// Foresee implements games.Foreseer, breadth first, with keys and observations.
func (g *Game) Foresee(ctx context.Context, histories int) error {
	want := protocol.Want_WANT_OBSERVATIONS
	if !g.info.NoKeys {
		want |= protocol.Want_WANT_KEYS
	}
	if g.description.Positions {
		want |= protocol.Want_WANT_POSITIONS
	}
	g.want.Or(uint32(want))
	type ply struct {
		from   view
		action games.Action
	}
	var queue []ply
	add := func(v view) {
		for _, a := range v.actions {
			queue = append(queue, ply{v, a})
		}
	}
	add(g.start)
	for begin := 0; begin < len(queue) && begin < histories; {
		if err := ctx.Err(); err != nil {
			return err
		}
		some := queue[begin:min(begin+foreseen, len(queue), histories)]
		begin += len(some)
		in := &protocol.StepRequest{Want: uint32(want)}
		for _, p := range some {
			in.States = append(in.States, p.from.bytes...)
			in.Ends, in.Actions = append(in.Ends, uint32(len(in.States))), append(in.Actions, int32(p.action))
		}
		views := make([]view, len(some))
		if err := g.step(in, views); err != nil {
			return err
		}
		for i := range views {
			if !g.known.keep(some[i].from.bytes, some[i].action, &views[i], mostForeseen) {
				return nil
			}
			if views[i].failure == "" {
				add(views[i])
			}
		}
	}
	return nil
}
