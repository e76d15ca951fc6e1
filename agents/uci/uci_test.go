package uci_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/agon-rl/agon/agents/uci"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/chess"
	"github.com/agon-rl/agon/play"
)

// engineEnv has the test's own program play an engine, of a kind.
const engineEnv = "AGON_TEST_ENGINE"

func TestMain(m *testing.M) {
	if kind := os.Getenv(engineEnv); kind != "" {
		engine(kind)
		return
	}
	goleak.VerifyTestMain(m)
}

// engine answers go with the first legal move of the position.
func engine(kind string) {
	in := bufio.NewScanner(os.Stdin)
	var position string
	for in.Scan() {
		switch line := in.Text(); {
		case line == "uci":
			fmt.Println("id name test\noption name Hash type spin default 16\nuciok")
		case line == "isready":
			fmt.Println("readyok")
		case strings.HasPrefix(line, "position "):
			position = line
		case line == "quit":
			return
		case strings.HasPrefix(line, "go"):
			switch kind {
			case "hangs":
				time.Sleep(time.Hour)
			case "dies":
				os.Exit(3)
			case "rubbish":
				fmt.Println("bestmove")
			case "illegal":
				fmt.Println("bestmove e1e8")
			default:
				fmt.Println("info depth 1\nbestmove " + first(position))
			}
		}
	}
}

func first(position string) string {
	fen, moves, _ := strings.Cut(strings.TrimPrefix(position, "position fen "), " moves ")
	game, err := chess.New(fen, chess.FIDE)
	if err != nil {
		return err.Error()
	}
	s := game.Start()
	for _, word := range strings.Fields(moves) {
		a, err := chess.Find(s, word)
		if err == nil {
			err = s.Apply(a)
		}
		if err != nil {
			return err.Error()
		}
	}
	word, err := chess.UCI(s, s.Actions(nil)[0])
	if err != nil {
		return err.Error()
	}
	return word
}

func open(t *testing.T, kind string, o uci.Options) (*uci.Agent, error) {
	t.Helper()
	t.Setenv(engineEnv, kind)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Path = program
	return uci.New(t.Context(), o)
}

func match(t *testing.T, a play.Agent, count int) ([]*play.Episode, error) {
	t.Helper()
	game, err := games.New("chess")
	if err != nil {
		t.Fatal(err)
	}
	m := play.Match{Game: game, Seed: 1, Agents: []play.Agent{a}, Seats: func(uint64, int) []int { return []int{0, 0} }, Group: 2, Workers: 2}
	return m.Play(t.Context(), 0, count)
}

// Engines get the game so far and their moves are played, several games at once.
func TestGames(t *testing.T) {
	a, err := open(t, "good", uci.Options{MoveTime: time.Second, Grace: time.Minute, Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	episodes, err := match(t, a, 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range episodes {
		if e.Forfeit != games.Over || len(e.Actions) < 5 {
			t.Errorf("a game of %d moves, forfeit %d", len(e.Actions), e.Forfeit)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// What an engine does not answer voids the game; an illegal move loses it.
func TestFaults(t *testing.T) {
	for _, kind := range []string{"hangs", "dies", "rubbish"} {
		a, err := open(t, kind, uci.Options{MoveTime: 10 * time.Millisecond, Grace: 200 * time.Millisecond, Parallel: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := match(t, a, 1); !errors.Is(err, games.ErrLost) {
			t.Errorf("an engine that %s: %v, expected a lost game", kind, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	a, err := open(t, "illegal", uci.Options{MoveTime: time.Second, Grace: time.Minute, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	episodes, err := match(t, a, 1)
	if err != nil || episodes[0].Forfeit == games.Over {
		t.Errorf("an illegal move: %+v, %v", episodes, err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoEngine(t *testing.T) {
	for _, c := range []struct {
		options uci.Options
		want    string
	}{
		{uci.Options{Path: "/no/such/engine"}, "does not start"},
		{uci.Options{Path: "/bin/true"}, "no engine that speaks UCI"},
	} {
		if _, err := uci.New(t.Context(), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.options, err)
		}
	}
	_, err := open(t, "good", uci.Options{Settings: [][2]string{{"Hush", "1"}}})
	if err == nil || !strings.Contains(err.Error(), `no option "Hush"`) {
		t.Errorf("%v", err)
	}
}
