package gamestest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/agon-rl/agon/games"
)

// view is all that a state shows. The order of its fields is the order in
// which differences are told.
type view struct {
	turn     games.Seat
	actions  []games.Action
	odds     []float64
	returns  []float64
	keys     []string    // by seat
	tensors  [][]float32 // by seat
	position string
	prompts  []string // by seat; nil after a mere glance
}

// look looks at everything.
func look(s games.State, info games.Info) view {
	v := glance(s, info)
	if speaker, ok := s.(games.Speaker); ok {
		for seat := range games.Seat(info.Seats) {
			v.prompts = append(v.prompts, speaker.Prompt(seat))
		}
	}
	return v
}

// glance looks at everything but the prompts, which take longest.
func glance(s games.State, info games.Info) view {
	v := view{turn: s.Turn(), actions: s.Actions(nil), odds: s.Odds(nil), returns: s.Returns(nil)}
	for seat := range games.Seat(info.Seats) {
		v.keys = append(v.keys, games.Key(s, seat))
		v.tensors = append(v.tensors, tensor(s, info, seat))
	}
	if p, ok := s.(games.Positioned); ok {
		v.position = string(p.AppendPosition(nil))
	}
	return v
}

// differs names the first thing that two views show differently. Prompts are
// held against one another where both views have them.
func (v view) differs(w view) string {
	switch {
	case v.turn != w.turn:
		return fmt.Sprintf("Turn was %d and is %d", v.turn, w.turn)
	case !slices.Equal(v.actions, w.actions):
		return fmt.Sprintf("Actions was %v and is %v", v.actions, w.actions)
	case !slices.Equal(v.odds, w.odds):
		return fmt.Sprintf("Odds was %v and is %v", v.odds, w.odds)
	case !slices.Equal(v.returns, w.returns):
		return fmt.Sprintf("Returns was %v and is %v", v.returns, w.returns)
	case v.position != w.position:
		return fmt.Sprintf("the position was %q and is %q", v.position, w.position)
	}
	for seat := range v.keys {
		switch {
		case v.keys[seat] != w.keys[seat]:
			return fmt.Sprintf("the key of seat %d was %q and is %q", seat, v.keys[seat], w.keys[seat])
		case !slices.Equal(v.tensors[seat], w.tensors[seat]):
			return fmt.Sprintf("the tensor of seat %d was %v and is %v", seat, v.tensors[seat], w.tensors[seat])
		}
	}
	for seat := range min(len(v.prompts), len(w.prompts)) {
		if v.prompts[seat] != w.prompts[seat] {
			return fmt.Sprintf("the prompt of seat %d was %q and is %q", seat, v.prompts[seat], w.prompts[seat])
		}
	}
	return ""
}

// hash chains one turn of a seat onto the hash of its turns before.
func hash(before uint64, key []byte, a games.Action) uint64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, before)
	h.Write(key)
	_ = binary.Write(h, binary.LittleEndian, a)
	return h.Sum64()
}

func tensorText(values []float32) string {
	text := make([]byte, 0, 4*len(values))
	for _, x := range values {
		text = binary.LittleEndian.AppendUint32(text, math.Float32bits(x))
	}
	return string(text)
}

// book remembers what was seen under every key, tensor and position, so that
// nodes can be held against one another.
type book struct {
	recall    map[seatText]seen[uint64] // key at any node -> the seat's own turns
	legal     map[seatText]seen[string] // key at the seat's turn -> its actions
	prompts   map[seatText]seen[string] // key at the seat's turn -> its prompt
	tensors   map[seatText]seen[string] // key at the seat's turn -> its tensor
	keys      map[seatText]seen[string] // tensor at the seat's turn -> its key
	positions map[string]seen[string]   // position -> turn, actions and returns
}

type seatText struct {
	seat games.Seat
	text string
}

type seen[T comparable] struct {
	what    T
	history []games.Action
}

func newBook() *book {
	return &book{
		recall:    map[seatText]seen[uint64]{},
		legal:     map[seatText]seen[string]{},
		prompts:   map[seatText]seen[string]{},
		tensors:   map[seatText]seen[string]{},
		keys:      map[seatText]seen[string]{},
		positions: map[string]seen[string]{},
	}
}

// meet notes what is seen under a name and returns the history at which
// something else was seen there.
func meet[K, T comparable](m map[K]seen[T], name K, what T, history []games.Action) ([]games.Action, bool) {
	before, ok := m[name]
	if !ok {
		m[name] = seen[T]{what, history}
		return nil, true
	}
	return before.history, before.what == what
}

func (b *book) compare(n node, info games.Info) error {
	s := n.state
	turn, actions := s.Turn(), fmt.Sprint(s.Actions(nil))
	for seat := range games.Seat(info.Seats) {
		key := seatText{seat, games.Key(s, seat)}
		if other, same := meet(b.recall, key, n.own[seat], n.history); !same {
			return fmt.Errorf("the key %q of seat %d is also that after actions %v, where the seat has seen or done something else before: no perfect recall", key.text, seat, other)
		}
		if seat != turn {
			continue
		}
		if other, same := meet(b.legal, key, actions, n.history); !same {
			return fmt.Errorf("the key %q of seat %d is also that after actions %v, where its legal actions are others than %s", key.text, seat, other, actions)
		}
		if speaker, ok := s.(games.Speaker); ok {
			if other, same := meet(b.prompts, key, speaker.Prompt(seat), n.history); !same {
				if _, talks := s.(games.Talker); !talks {
					return fmt.Errorf("the prompt of seat %d differs from that after actions %v, though the key %q is the same: it tells what the seat cannot know, or the key too little", seat, other, key.text)
				}
			}
		}
		values := tensorText(tensor(s, info, seat))
		if other, same := meet(b.tensors, key, values, n.history); !same {
			return fmt.Errorf("the tensor of seat %d differs from that after actions %v, though the key %q is the same: it shows what the seat cannot know, or the key too little", seat, other, key.text)
		}
		if info.Recall {
			if other, same := meet(b.keys, seatText{seat, values}, key.text, n.history); !same {
				return fmt.Errorf("the tensor of seat %d is also that after actions %v, though the keys differ: Info.Recall says that it tells as much as the key", seat, other)
			}
		}
	}
	if p, ok := s.(games.Positioned); ok {
		shows := fmt.Sprint(turn, actions, s.Returns(nil))
		if other, same := meet(b.positions, string(p.AppendPosition(nil)), shows, n.history); !same {
			return fmt.Errorf("the position is also that after actions %v, where turn, legal actions or returns are others than %s", other, shows)
		}
	}
	return nil
}
