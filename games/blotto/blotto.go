// Package blotto holds Colonel Blotto (Borel 1921) for two players: both split
// their coins over fields without seeing the other's split, and whoever has more
// coins on more fields wins. The second split is played as a hidden move. Ids,
// names and returns are those of OpenSpiel's blotto turned into a sequential
// game.
package blotto

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

const (
	maxCoins  = 50
	maxFields = 6
	maxSplits = 5000
)

func init() {
	games.Register(games.Rules{
		Name:    "blotto",
		Summary: "Colonel Blotto: split your coins over fields, unseen, and win more of them",
		Params: []games.Param{
			{Name: "coins", Default: "10", Help: fmt.Sprintf("coins of each player, 1 to %d", maxCoins)},
			{Name: "fields", Default: "3", Help: fmt.Sprintf("fields, 1 to %d; there are %d ways to split at most", maxFields, maxSplits)},
			{Name: "players", Default: "2", Help: "number of players; only 2"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			coins, fields := r.Int("coins", 10, 1, maxCoins), r.Int("fields", 3, 1, maxFields)
			players := r.Int("players", 2, 2, 10)
			if err := r.Err(); err != nil {
				return nil, err
			}
			if players != 2 {
				return nil, fmt.Errorf("blotto: players=%d: only 2 players are supported", players)
			}
			return New(coins, fields)
		},
	})
}

type game struct {
	info          games.Info
	coins, fields int
	all           []games.Action
	splits        []int8 // by action × fields
	names         []string
}

// New returns Blotto with 1 to 50 coins and 1 to 6 fields. It refuses more than
// 5,000 ways to split the coins.
func New(coins, fields int) (games.Game, error) {
	if coins < 1 || coins > maxCoins || fields < 1 || fields > maxFields {
		return nil, fmt.Errorf("blotto: coins=%d, fields=%d: expected 1 to %d coins and 1 to %d fields", coins, fields, maxCoins, maxFields)
	}
	if ways := count(coins, fields); ways > maxSplits {
		return nil, fmt.Errorf("blotto: coins=%d, fields=%d: there are %d ways to split them, and %d is the limit", coins, fields, ways, maxSplits)
	}
	g := &game{coins: coins, fields: fields}
	g.split(nil, coins)
	for a := range len(g.splits) / fields {
		g.all = append(g.all, games.Action(a))
		g.names = append(g.names, strings.ReplaceAll(fmt.Sprint(g.coinsOf(int32(a))), " ", ","))
	}
	name := spec.Spec{Name: "blotto"}
	if coins != 10 {
		name.Args = append(name.Args, spec.Arg{Key: "coins", Value: strconv.Itoa(coins)})
	}
	if fields != 3 {
		name.Args = append(name.Args, spec.Arg{Key: "fields", Value: strconv.Itoa(fields)})
	}
	g.info = games.Info{
		Name: name.String(), Seats: 2, Roles: []string{"first", "second"}, Actions: len(g.all), MaxLength: 2,
		MinReturn: -1, MaxReturn: 1, Hidden: true,
		// own seat, then the coins on each field, as a share, of the seat's split
		// and of the other's, as far as the seat knows, and whether it knows them
		Tensor: []int{2 + 2*(fields+1)}, Recall: true,
	}
	return g, nil
}

// count is the number of ways to split coins over fields: coins+fields-1 choose
// fields-1.
func count(coins, fields int) int {
	ways := 1
	for k := 1; k < fields; k++ {
		ways = ways * (coins + k) / k
	}
	return ways
}

// split lists the ways to split what is left over the fields that have none yet,
// the fewest coins on the first field first.
func (g *game) split(taken []int8, left int) {
	if len(taken) == g.fields-1 {
		g.splits = append(append(g.splits, taken...), int8(left))
		return
	}
	for coins := range left + 1 {
		g.split(append(taken[:len(taken):len(taken)], int8(coins)), left-coins)
	}
}

// coinsOf is a split's coins by field.
func (g *game) coinsOf(split int32) []int8 {
	return g.splits[int(split)*g.fields : (int(split)+1)*g.fields]
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

type state struct {
	game  *game
	made  int8 // splits
	picks [2]int32
}

func (s *state) Turn() games.Seat {
	if s.made == 2 {
		return games.Over
	}
	return games.Seat(s.made)
}

func (s *state) Actions(dst []games.Action) []games.Action {
	if s.made == 2 {
		return dst
	}
	return append(dst, s.game.all...)
}

func (s *state) Odds(dst []float64) []float64 { return dst }

func (s *state) Apply(a games.Action) error {
	if s.made == 2 || a < 0 || int(a) >= len(s.game.all) {
		return games.Illegal(s, a)
	}
	s.picks[s.made] = int32(a)
	s.made++
	return nil
}

func (s *state) Returns(dst []float64) []float64 {
	if s.made < 2 {
		return append(dst, 0, 0)
	}
	lead, others := 0, s.game.coinsOf(s.picks[1])
	for field, coins := range s.game.coinsOf(s.picks[0]) {
		switch other := others[field]; {
		case coins > other:
			lead++
		case coins < other:
			lead--
		}
	}
	switch {
	case lead > 0:
		return append(dst, 1, -1)
	case lead < 0:
		return append(dst, -1, 1)
	}
	return append(dst, 0, 0)
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// knows tells whether a seat knows a split.
func (s *state) knows(seat, of games.Seat) bool {
	return s.made == 2 || seat == of && games.Seat(s.made) > of
}

// AppendKey writes the seat and the splits it knows: P0, P0 [1,2,7],
// P0 [1,2,7] [3,3,4].
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	dst = append(dst, 'P', '0'+byte(seat))
	for _, of := range [...]games.Seat{seat, 1 - seat} {
		if s.knows(seat, of) {
			dst = append(append(dst, ' '), s.game.names[s.picks[of]]...)
		}
	}
	return dst
}

func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	g := s.game
	dst[seat] = 1
	for i, of := range [...]games.Seat{seat, 1 - seat} {
		if !s.knows(seat, of) {
			continue
		}
		part := dst[2+i*(g.fields+1):]
		part[0] = 1
		for field, coins := range g.coinsOf(s.picks[of]) {
			part[1+field] = float32(coins) / float32(g.coins)
		}
	}
}

// Say names a split by the coins on each field, as in [1,2,7].
func (s *state) Say(a games.Action) string {
	if a < 0 || int(a) >= len(s.game.names) {
		return strconv.Itoa(int(a))
	}
	return s.game.names[a]
}

func (s *state) Hear(text string) (games.Action, error) {
	return games.Hear(s, text, games.Ids(len(s.game.all)))
}

func (s *state) Prompt(seat games.Seat) string {
	g := s.game
	var b strings.Builder
	fmt.Fprintf(&b, `Colonel Blotto. Both players have %d coins and split all of them over %d fields, without seeing the other's split. A field goes to whoever has more coins on it, to nobody where both have as many. Whoever has more fields wins (+1, the other -1); as many are a draw (0). A split is written as the coins on each field, as in %s.

You are player %d (%s).
`, g.coins, g.fields, g.names[0], seat, g.info.Roles[seat])
	if s.knows(seat, seat) {
		fmt.Fprintf(&b, "Your split: %s\n", g.names[s.picks[seat]])
	}
	if s.knows(seat, 1-seat) {
		fmt.Fprintf(&b, "The other's split: %s\n", g.names[s.picks[1-seat]])
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}
