// Package undercover holds "who is the spy" for four seats, after Vision-Zero
// (arXiv 2509.25541), over scenes in words: coloured balls, small or large, in
// a row. Chance picks the spy and the scene; the spy's scene differs in one
// ball. Every seat knows whether it is the spy. Each in turn gives clues from a
// list, true or not, none of them twice; then all vote, the spy too, and no
// vote is seen before the end.
//
// The spy is voted out where more seats name it than any other; votes of
// unsure count for nobody. It then gets -1 and each civilian +1/3, else +1 and
// each civilian -1/3.
package undercover

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
)

// Actions 0 to 3 vote for a seat; the clues follow Unsure.
const (
	Unsure    games.Action = 4
	FirstClue games.Action = 5
)

const (
	seats      = 4
	colours    = 3
	looks      = 2 * colours // a look is size*colours + colour
	large      = 1           // a size
	maxBalls   = 6
	maxClues   = 2 * seats // given in a game
	maxActions = maxClues + seats
)

var (
	sizeNames   = [...]string{"small", "large"}
	colourNames = [colours]string{"red", "green", "blue"}
)

func init() {
	games.Register(games.Rules{
		Name:    "undercover",
		Summary: "Who is the spy: four seats, one of which sees another scene, give clues and vote",
		Params: []games.Param{
			{Name: "balls", Default: "4", Help: fmt.Sprintf("balls in the scene, 1 to %d", maxBalls)},
			{Name: "rounds", Default: "1", Help: "clues that each seat gives, 1 or 2"},
		},
		Make: func(r *spec.Reader) (games.Game, error) {
			balls := r.Int("balls", 4, 1, maxBalls)
			rounds := r.Int("rounds", 1, 1, 2)
			if err := r.Err(); err != nil {
				return nil, err
			}
			return New(balls, rounds), nil
		},
	})
}

type game struct {
	info          games.Info
	balls, rounds int
	clues         []string // by action, less FirstClue
}

// New returns the game with 1 to 6 balls and 1 or 2 clues a seat.
func New(balls, rounds int) games.Game {
	g := &game{balls: balls, rounds: rounds, clues: clueNames(balls)}
	name := spec.Spec{Name: "undercover"}
	if balls != 4 {
		name.Args = append(name.Args, spec.Arg{Key: "balls", Value: strconv.Itoa(balls)})
	}
	if rounds != 1 {
		name.Args = append(name.Args, spec.Arg{Key: "rounds", Value: strconv.Itoa(rounds)})
	}
	g.info = games.Info{
		Name:      name.String(),
		Seats:     seats,
		Roles:     []string{"seat1", "seat2", "seat3", "seat4"}, // who is the spy is chance's
		Actions:   int(FirstClue) + len(g.clues),
		MaxLength: seats * (rounds + 1),
		MinReturn: -1,
		MaxReturn: 1,
		Chance:    games.Listed,
		Hidden:    true,
		// own seat, the spy's seat and the votes as far as known, the look of
		// every own ball, every clue given
		Tensor: []int{fixedTensor + balls*looks + seats*rounds*len(g.clues)},
		Recall: true,
	}
	return g
}

const fixedTensor = seats + seats + seats*int(FirstClue)

// clueNames lists the clues: how many balls have a colour or are large, then
// the colour and the size of each.
func clueNames(balls int) []string {
	var names []string
	for _, what := range append(colourNames[:], sizeNames[large]) {
		for n := range balls + 1 {
			if n == 1 {
				names = append(names, "1 ball is "+what)
			} else {
				names = append(names, fmt.Sprintf("%d balls are %s", n, what))
			}
		}
	}
	for ball := range balls {
		for _, what := range append(colourNames[:], sizeNames[:]...) {
			names = append(names, fmt.Sprintf("ball %d is %s", ball+1, what))
		}
	}
	return names
}

func (g *game) Info() games.Info { return g.info }

func (g *game) Start() games.State { return &state{game: g} }

// Chance draws the spy, the look of every ball, which ball is another to the
// spy, and the look of that.
func (g *game) draws() int { return g.balls + 3 }

// state is flat, so that a copy is an assignment.
type state struct {
	game   *game
	drawn  int8 // chance outcomes so far
	length int8 // player actions so far
	spy    int8
	other  int8 // the ball that differs
	look   int8 // of that ball, to the spy
	scene  [maxBalls]int8
	given  uint64 // set of clues
	clues  [maxClues]int8
	votes  [seats]int8
	saying string
	said   [maxActions]string // the words that went along with each action
}

func (s *state) Turn() games.Seat {
	switch {
	case int(s.drawn) < s.game.draws():
		return games.Chance
	case int(s.length) == s.game.info.MaxLength:
		return games.Over
	}
	return games.Seat(s.length % seats)
}

// voting says whether the clues are all given.
func (s *state) voting() bool { return int(s.length) >= seats*s.game.rounds }

// outcomes returns how many outcomes the next draw has, counted from 0, and
// the one among them that is left out, or -1.
func (s *state) outcomes() (n, out int) {
	switch ball := int(s.drawn) - 1; {
	case ball < 0:
		return seats, -1
	case ball < s.game.balls:
		return looks, -1
	case ball == s.game.balls:
		return s.game.balls, -1
	}
	return looks, int(s.scene[s.other])
}

func (s *state) Actions(dst []games.Action) []games.Action {
	var from, to games.Action
	switch turn := s.Turn(); {
	case turn == games.Over:
		return dst
	case turn == games.Chance:
		n, _ := s.outcomes()
		to = games.Action(n)
	case s.voting():
		to = FirstClue
	default:
		from, to = FirstClue, games.Action(s.game.info.Actions)
	}
	for a := from; a < to; a++ {
		if s.legal(a) {
			dst = append(dst, a)
		}
	}
	return dst
}

func (s *state) legal(a games.Action) bool {
	switch turn := s.Turn(); {
	case turn == games.Over || a < 0:
		return false
	case turn == games.Chance:
		n, out := s.outcomes()
		return int(a) < n && int(a) != out
	case s.voting():
		return a <= Unsure && a != games.Action(turn)
	}
	return a >= FirstClue && int(a) < s.game.info.Actions && s.given>>(a-FirstClue)&1 == 0
}

func (s *state) Odds(dst []float64) []float64 {
	if s.Turn() != games.Chance {
		return dst
	}
	n, out := s.outcomes()
	if out >= 0 {
		n--
	}
	for range n {
		dst = append(dst, 1/float64(n))
	}
	return dst
}

func (s *state) Apply(a games.Action) error {
	if !s.legal(a) {
		return games.Illegal(s, a)
	}
	turn := s.Turn()
	if turn == games.Chance {
		s.draw(int8(a))
		return nil
	}
	if s.voting() {
		s.votes[turn] = int8(a)
		s.said[s.length] = strike(s.saying)
	} else {
		s.given |= 1 << (a - FirstClue)
		s.clues[s.length] = int8(a - FirstClue)
		s.said[s.length] = s.saying
	}
	s.saying = ""
	s.length++
	return nil
}

func (s *state) draw(outcome int8) {
	switch ball := int(s.drawn) - 1; {
	case ball < 0:
		s.spy = outcome
	case ball < s.game.balls:
		s.scene[ball] = outcome
	case ball == s.game.balls:
		s.other = outcome
	default:
		s.look = outcome
	}
	s.drawn++
}

// Talk implements games.Talker.
func (s *state) Talk(text string) { s.saying = text }

// vote matches all that Hear takes for a vote.
var vote = regexp.MustCompile(`(?i)\\boxed\{[^{}]*\}|\[\s*[+-]?\d+\s*\]|vote for player \d+|unsure|^\s*[+-]?\d+\s*$`)

// strike takes the vote out of the words that come with it: the others hear
// the words, but votes are hidden.
func strike(words string) string {
	if words == "" {
		return ""
	}
	return strings.TrimSpace(vote.ReplaceAllString(words, "…"))
}

// out says whether the spy has more votes than any other seat.
func (s *state) out() bool {
	var tally [FirstClue]int
	for _, v := range s.votes {
		tally[v]++
	}
	for seat := range seats {
		if seat != int(s.spy) && tally[seat] >= tally[s.spy] {
			return false
		}
	}
	return true
}

func (s *state) Returns(dst []float64) []float64 {
	if s.Turn() != games.Over {
		return append(dst, 0, 0, 0, 0)
	}
	spy := 1.0
	if s.out() {
		spy = -1
	}
	for seat := range seats {
		if seat == int(s.spy) {
			dst = append(dst, spy)
		} else {
			dst = append(dst, -spy/(seats-1))
		}
	}
	return dst
}

func (s *state) Clone() games.State {
	c := *s
	return &c
}

func (s *state) CopyFrom(src games.State) { *s = *src.(*state) }

// dealt says whether the scenes are shown.
func (s *state) dealt() bool { return int(s.drawn) == s.game.draws() }

// sees returns the look of a ball to a seat.
func (s *state) sees(seat games.Seat, ball int) int8 {
	if int8(seat) == s.spy && ball == int(s.other) {
		return s.look
	}
	return s.scene[ball]
}

// knowsSpy and knowsVote say what a seat is told: the spy knows itself, a
// voter its vote, and at the end all is open but the scenes.
func (s *state) knowsSpy(seat games.Seat) bool {
	return s.dealt() && (int8(seat) == s.spy || s.Turn() == games.Over)
}

func (s *state) knowsVote(seat games.Seat, voter int) bool {
	return int(seat) == voter || s.Turn() == games.Over
}

// counts returns how many clues are given and how many votes cast.
func (s *state) counts() (clues, cast int) {
	clues = min(int(s.length), seats*s.game.rounds)
	return clues, int(s.length) - clues
}

// AppendKey writes the spy where the seat knows it, the looks that the seat
// sees, the clues and the votes, ? where they are hidden: "-3105;12,7,0,33;?2".
func (s *state) AppendKey(dst []byte, seat games.Seat) []byte {
	if !s.dealt() {
		return dst
	}
	if s.knowsSpy(seat) {
		dst = append(dst, '0'+byte(s.spy))
	} else {
		dst = append(dst, '-')
	}
	for ball := range s.game.balls {
		dst = append(dst, '0'+byte(s.sees(seat, ball)))
	}
	clues, cast := s.counts()
	for i := range clues {
		dst = append(dst, ";,"[min(i, 1)])
		dst = strconv.AppendInt(dst, int64(s.clues[i]), 10)
	}
	dst = append(dst, ';')
	for voter := range cast {
		if s.knowsVote(seat, voter) {
			dst = append(dst, '0'+byte(s.votes[voter]))
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

// Observe writes one-hot: the own seat, the spy and each vote where the seat
// knows them, the looks that the seat sees, the clues.
func (s *state) Observe(seat games.Seat, dst []float32) {
	clear(dst)
	dst[seat] = 1
	if !s.dealt() {
		return
	}
	if s.knowsSpy(seat) {
		dst[seats+int(s.spy)] = 1
	}
	clues, cast := s.counts()
	votes := dst[seats+seats:]
	for voter := range cast {
		if s.knowsVote(seat, voter) {
			votes[voter*int(FirstClue)+int(s.votes[voter])] = 1
		}
	}
	scene := dst[fixedTensor:]
	for ball := range s.game.balls {
		scene[ball*looks+int(s.sees(seat, ball))] = 1
	}
	given := scene[s.game.balls*looks:]
	for i := range clues {
		given[i*len(s.game.clues)+int(s.clues[i])] = 1
	}
}

func lookName(look int8) string {
	return sizeNames[look/colours] + " " + colourNames[look%colours]
}

// Say names clues, votes and draws in plain words.
func (s *state) Say(a games.Action) string {
	switch {
	case a < 0 || int(a) >= s.game.info.Actions:
		return strconv.Itoa(int(a))
	case s.Turn() == games.Chance:
		return s.sayDraw(a)
	case a < Unsure:
		return fmt.Sprintf("Vote for player %d", a)
	case a == Unsure:
		return "Unsure"
	}
	return s.game.clues[a-FirstClue]
}

func (s *state) sayDraw(a games.Action) string {
	switch ball := int(s.drawn) - 1; {
	case ball < 0:
		return fmt.Sprintf("player %d is the spy", a)
	case ball == s.game.balls:
		return fmt.Sprintf("ball %d differs", a+1)
	case a >= looks:
		return strconv.Itoa(int(a))
	}
	return lookName(int8(a))
}

func (s *state) Hear(text string) (games.Action, error) {
	n := s.game.info.Actions
	if s.Turn() == games.Chance {
		n = looks
	}
	return games.Hear(s, text, games.Ids(n))
}

func (s *state) Prompt(seat games.Seat) string {
	var b strings.Builder
	clues := "a clue"
	if s.game.rounds > 1 {
		clues = fmt.Sprintf("%d clues, one a round,", s.game.rounds)
	}
	row := "a single ball"
	if s.game.balls > 1 {
		row = fmt.Sprintf("%d balls in a row, numbered from 1 on the left", s.game.balls)
	}
	fmt.Fprintf(&b, `Who is the spy? Four players, 0 to 3, each see a scene: %s, each small or large, and red, green or blue. Three players are civilians and see the same scene. One is the spy; its scene differs from theirs in the size or the colour, or both, of one ball. Every player knows whether it is the spy; civilians do not know who is, and the spy does not know which ball differs.
In turn, from player 0 on, each player gives %s from a list of statements about the scene. A clue may be true or not, but nobody may repeat one that was given. Then each votes for another player as the spy, or is unsure; votes are shown at the end only. If the spy has more votes than any other player, it is voted out: it gets -1 and each civilian +1/3. Otherwise the spy gets +1 and each civilian -1/3. Votes of unsure count for nobody. You may also talk with each action; the others read your words, but not your vote.

You are player %d.
`, row, clues, seat)
	if !s.dealt() {
		b.WriteString("The scenes are not shown yet.\n" + games.Menu(s, seat))
		return b.String()
	}
	s.tellScene(&b, seat)
	s.tellActions(&b, seat)
	if s.Turn() == games.Over {
		fate := "was not voted out"
		if s.out() {
			fate = "was voted out"
		}
		fmt.Fprintf(&b, "The spy was player %d and %s.\n", s.spy, fate)
	}
	b.WriteString(games.Menu(s, seat))
	return b.String()
}

func (s *state) tellScene(b *strings.Builder, seat games.Seat) {
	if int8(seat) == s.spy {
		b.WriteString("You are the spy. Your scene:")
	} else {
		b.WriteString("You are a civilian. Your scene:")
	}
	for ball := range s.game.balls {
		if ball > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " ball %d is %s", ball+1, lookName(s.sees(seat, ball)))
	}
	b.WriteString(".\n")
}

func (s *state) tellActions(b *strings.Builder, seat games.Seat) {
	clues, _ := s.counts()
	for i := range int(s.length) {
		player := i % seats
		name := fmt.Sprintf("Player %d", player)
		if player == int(seat) {
			name = "You"
		}
		switch {
		case i < clues:
			fmt.Fprintf(b, "%s: %s.", name, s.game.clues[s.clues[i]])
		case !s.knowsVote(seat, player):
			fmt.Fprintf(b, "%s: voted.", name)
		case s.votes[player] == int8(Unsure):
			fmt.Fprintf(b, "%s: unsure.", name)
		default:
			fmt.Fprintf(b, "%s: voted for player %d.", name, s.votes[player])
		}
		if s.said[i] != "" {
			fmt.Fprintf(b, " %q", s.said[i])
		}
		b.WriteByte('\n')
	}
}

var (
	_ games.State   = (*state)(nil)
	_ games.Copier  = (*state)(nil)
	_ games.Talker  = (*state)(nil)
	_ games.Speaker = (*state)(nil)
)
