package plugins

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"

	"github.com/agon-rl/agon/games"
)

// desk holds states that were met a moment ago, so that a state's bytes, which
// are its history, seldom have to be played from the start. It is for one call
// at a time.
type desk struct {
	game  games.Game
	start games.State
	seed  maphash.Seed
	slots []slot

	scratch games.State
	actions []games.Action
	tensor  []float32
}

// slot keeps the state of a history; which slot a history takes, its hash says.
type slot struct {
	history []byte
	state   games.State // nil where the slot is empty
}

// slotCount bounds the memory of a desk; a power of two.
const slotCount = 1 << 13

func newDesk(game games.Game) *desk {
	return &desk{game: game, start: game.Start(), seed: maphash.MakeSeed(), slots: make([]slot, slotCount)}
}

func (d *desk) slot(history []byte) *slot {
	return &d.slots[maphash.Bytes(d.seed, history)&(slotCount-1)]
}

// find returns the state of a history. It is the desk's: callers must not
// change it, nor keep it beyond the next call of child.
func (d *desk) find(history []byte) (games.State, error) {
	if len(history) == 0 {
		return d.start, nil
	}
	at := d.slot(history)
	if at.state != nil && bytes.Equal(at.history, history) {
		return at.state, nil
	}
	d.scratch = games.Copy(d.scratch, d.start)
	if err := replay(d.scratch, history); err != nil {
		return nil, err
	}
	at.history = append(at.history[:0], history...)
	at.state, d.scratch = d.scratch, at.state
	return at.state, nil
}

// child returns the state after one more action and keeps it.
func (d *desk) child(parent games.State, history []byte, a games.Action) (games.State, error) {
	d.scratch = games.Copy(d.scratch, parent)
	if err := d.scratch.Apply(a); err != nil {
		return nil, err
	}
	var room [64]byte
	longer := appendAction(append(room[:0], history...), a)
	at := d.slot(longer)
	at.history = append(at.history[:0], longer...)
	at.state, d.scratch = d.scratch, at.state
	return at.state, nil
}

// A history is a list of varints, each with a tag in its lowest two bits: an
// action, or the length of a text that follows.
const (
	actionTag = iota // 0: nothing is added to the number
	talkTag
	proposeTag
)

func appendAction(history []byte, a games.Action) []byte {
	zigzag := uint64(uint32(a)<<1 ^ uint32(a>>31))
	return binary.AppendUvarint(history, zigzag<<2)
}

func appendText(history []byte, tag uint64, text string) []byte {
	return append(binary.AppendUvarint(history, uint64(len(text))<<2|tag), text...)
}

var errHistory = errors.New("the state's bytes are no history of this game")

// replay plays a history.
func replay(s games.State, history []byte) error {
	for len(history) > 0 {
		v, n := binary.Uvarint(history)
		if n <= 0 {
			return errHistory
		}
		history = history[n:]
		if v&3 == actionTag {
			zigzag := uint32(v >> 2)
			a := games.Action(zigzag>>1) ^ -games.Action(zigzag&1)
			if err := s.Apply(a); err != nil {
				return fmt.Errorf("%w: %w", errHistory, err)
			}
			continue
		}
		if v>>2 > uint64(len(history)) {
			return errHistory
		}
		text := string(history[:v>>2])
		history = history[v>>2:]
		talker, talks := s.(games.Talker)
		open, proposes := s.(games.Open)
		switch {
		case v&3 == talkTag && talks:
			talker.Talk(text)
		case v&3 == proposeTag && proposes:
			if _, err := open.Propose(text); err != nil {
				return fmt.Errorf("%w: %w", errHistory, err)
			}
		default:
			return errHistory
		}
	}
	return nil
}

func appendFloats(dst []byte, x []float32) []byte {
	for _, v := range x {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}
