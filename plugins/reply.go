package plugins

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/plugins/protocol"
)

// view is what a plugin said of one state. It shares memory with the reply that
// it came in, and nobody changes it.
type view struct {
	bytes    []byte // the plugin's own
	turn     games.Seat
	actions  []games.Action
	odds     []float64
	returns  []float64
	key      []byte // of the seat to move; nil where not asked for
	tensor   []byte // of the seat to move; nil where not asked for
	position []byte // nil where not asked for
	failure  string // why there is no view
}

// wrong is an error about an answer: the plugin is refused for it.
func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: its answer has "+format, append([]any{ErrRefused}, args...)...)
}

// unpack checks a reply about n states and cuts it into views. Where no action
// was played, the states are those asked about. Looking says which seat keys and
// tensors are for: seat plus one, or 0 for the seat to move.
func unpack(info games.Info, open bool, asked *protocol.StepRequest, r *protocol.StepReply, views []view) error {
	n := len(asked.Ends)
	if len(r.Turns) != n || len(r.ActionEnds) != n {
		return wrong("%d turns and %d lists of actions for %d states", len(r.Turns), len(r.ActionEnds), n)
	}
	states, ends := r.States, r.Ends
	if len(asked.Actions) == 0 {
		states, ends = asked.States, asked.Ends
	}
	actions := make([]games.Action, len(r.Actions))
	for i, a := range r.Actions {
		actions[i] = games.Action(a)
	}
	c := cutter{}
	failures, err := failuresOf(r, n)
	if err != nil {
		return err
	}
	for i := range views {
		v := &views[i]
		*v = view{turn: games.Seat(r.Turns[i]), failure: failures[uint32(i)]}
		if v.bytes, err = c.bytes(&c.state, states, ends, i, n, maxState, "state"); err != nil {
			return err
		}
		if end := r.ActionEnds[i]; end < c.action || int(end) > len(actions) {
			return wrong("a list of actions that ends at %d of %d", end, len(actions))
		}
		v.actions = actions[c.action:r.ActionEnds[i]:r.ActionEnds[i]]
		c.action = r.ActionEnds[i]
		if v.failure != "" {
			continue
		}
		if err := v.check(info, open, r, &c); err != nil {
			return err
		}
	}
	switch {
	case int(c.action) != len(actions):
		return wrong("%d actions beyond the last state's", len(actions)-int(c.action))
	case c.odds != len(r.Odds):
		return wrong("%d odds for %d outcomes of chance", len(r.Odds), c.odds)
	case c.returns != len(r.Returns):
		return wrong("%d returns where %d are due", len(r.Returns), c.returns)
	case int(c.state) != len(states):
		return wrong("%d bytes beyond the last state's", len(states)-int(c.state))
	}
	return c.wanted(info, asked, r, views)
}

func failuresOf(r *protocol.StepReply, n int) (map[uint32]string, error) {
	if len(r.Failures) == 0 {
		return nil, nil
	}
	out := map[uint32]string{}
	for _, f := range r.Failures {
		if int(f.Index) >= n {
			return nil, wrong("a failure of state %d of %d", f.Index, n)
		}
		out[f.Index] = "it failed: " + clean(f.Text, 300)
	}
	return out, nil
}

// cutter remembers how far into each list of a reply the states so far reach.
type cutter struct {
	state, action, key, position uint32
	odds, returns, tensor        int
}

// bytes cuts the i-th of n pieces.
func (c *cutter) bytes(at *uint32, all []byte, ends []uint32, i, n, most int, what string) ([]byte, error) {
	if len(ends) != n {
		return nil, wrong("%d %ss, asked for were %d", len(ends), what, n)
	}
	end := ends[i]
	if end < *at || int(end) > len(all) || int(end-*at) > most {
		return nil, wrong("a %s from %d to %d of %d bytes", what, *at, end, len(all))
	}
	piece := all[*at:end:end]
	*at = end
	return piece, nil
}

// check reads turn, actions, odds and returns of one state.
func (v *view) check(info games.Info, open bool, r *protocol.StepReply, c *cutter) error {
	for j, a := range v.actions {
		if j > 0 && a <= v.actions[j-1] {
			return wrong("actions that are not in ascending order: %v", v.actions)
		}
		if v.turn >= 0 && !open && (a < 0 || int(a) >= info.Actions) {
			return wrong("action %d, described are 0 to %d", a, info.Actions-1)
		}
	}
	switch {
	case v.turn == games.Over:
		if len(v.actions) > 0 {
			return wrong("%d actions at the end of a game", len(v.actions))
		}
		end := c.returns + info.Seats
		if end > len(r.Returns) {
			return wrong("%d returns where %d are due", len(r.Returns), end)
		}
		v.returns = r.Returns[c.returns:end:end]
		c.returns = end
		return checkReturns(info, v.returns)
	case v.turn == games.Chance && info.Chance == games.NoChance:
		return wrong("a chance node, described was a game without chance")
	case v.turn == games.Chance && info.Chance == games.Sampled:
		return nil
	case v.turn == games.Chance:
		end := c.odds + len(v.actions)
		if end > len(r.Odds) {
			return wrong("%d odds for %d outcomes of chance", len(r.Odds), end)
		}
		v.odds = r.Odds[c.odds:end:end]
		c.odds = end
		return checkOdds(v.odds)
	case v.turn < 0 || int(v.turn) >= info.Seats:
		return wrong("turn %d: expected a seat from 0 to %d, %d for chance, %d for the end", v.turn, info.Seats-1, games.Chance, games.Over)
	case len(v.actions) == 0 && !open:
		return wrong("no action for seat %d", v.turn)
	}
	return nil
}

func checkOdds(odds []float64) error {
	sum := 0.0
	for _, p := range odds {
		if !(p > 0 && p <= 1) {
			return wrong("the odds %v", odds)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-9 {
		return wrong("odds that sum to %v", sum)
	}
	return nil
}

func checkReturns(info games.Info, returns []float64) error {
	const slack = 1e-9
	sum := 0.0
	for _, x := range returns {
		if !(x >= info.MinReturn-slack && x <= info.MaxReturn+slack) {
			return wrong("the return %v, described are %v to %v", x, info.MinReturn, info.MaxReturn)
		}
		sum += x
	}
	if info.Seats > 1 && math.Abs(sum-info.Sum) > slack*float64(info.Seats) {
		return wrong("returns that sum to %v, described was %v", sum, info.Sum)
	}
	return nil
}

// wanted reads keys, tensors and positions.
func (c *cutter) wanted(info games.Info, asked *protocol.StepRequest, r *protocol.StepReply, views []view) (err error) {
	wants := func(w protocol.Want) bool { return asked.Want&uint32(w) != 0 }
	size := 4 * info.TensorSize()
	for i := range views {
		v := &views[i]
		if wants(protocol.Want_WANT_KEYS) {
			if v.key, err = c.bytes(&c.key, r.Keys, r.KeyEnds, i, len(views), maxState, "key"); err != nil {
				return err
			}
		}
		if wants(protocol.Want_WANT_POSITIONS) {
			if v.position, err = c.bytes(&c.position, r.Positions, r.PositionEnds, i, len(views), maxState, "position"); err != nil {
				return err
			}
		}
		if wants(protocol.Want_WANT_OBSERVATIONS) && v.failure == "" && (asked.Seat > 0 || v.turn >= 0) {
			end := c.tensor + size
			if end > len(r.Observations) {
				return wrong("%d bytes of observations where %d are due", len(r.Observations), end)
			}
			v.tensor = r.Observations[c.tensor:end:end]
			c.tensor = end
			if err := checkFinite(v.tensor); err != nil {
				return err
			}
		}
	}
	if c.tensor != len(r.Observations) {
		return wrong("%d bytes of observations beyond the last state's", len(r.Observations)-c.tensor)
	}
	return nil
}

func checkFinite(tensor []byte) error {
	const exponent = 0x7f800000 // all of it set: infinite or no number
	for i := 0; i < len(tensor); i += 4 {
		if bits := binary.LittleEndian.Uint32(tensor[i:]); bits&exponent == exponent {
			return wrong("the value %v in an observation", math.Float32frombits(bits))
		}
	}
	return nil
}
