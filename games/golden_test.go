package games_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// playthrough is one line of testdata, as testdata/openspiel/record.py writes
// them.
type playthrough struct {
	Game    string         `json:"game"`
	Actions []games.Action `json:"actions,omitempty"`
	Steps   []step         `json:"steps,omitempty"`
	Sum     uint32         `json:"sum,omitempty"` // in place of steps
	Returns []float64      `json:"returns"`
}

type step struct {
	Turn  games.Seat     `json:"turn"`
	Legal []games.Action `json:"legal,omitempty"`
	Names []string       `json:"names,omitempty"`
	Odds  []float64      `json:"odds,omitempty"`
	Keys  []string       `json:"keys,omitempty"` // absent where OpenSpiel's differ by design
	Set   int            `json:"set,omitempty"`  // the information state's number; present where keys differ but tell the same apart
	Ones  [][]int        `json:"ones,omitempty"` // by seat, where the tensor is 1; absent for boards
}

// sets numbers information states as they come up.
type sets map[[sha256.Size]byte]int

func (n sets) number(s games.State) int {
	if s.Turn() < 0 {
		return 0
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%d %s", s.Turn(), games.Key(s, s.Turn())))
	if n[key] == 0 {
		n[key] = len(n) + 1
	}
	return n[key]
}

func observe(s games.State, info games.Info, like step, numbers sets) step {
	out := step{Turn: s.Turn(), Legal: s.Actions(nil), Odds: s.Odds(nil)}
	for _, a := range out.Legal {
		out.Names = append(out.Names, games.Say(s, a))
	}
	if like.Set != 0 {
		out.Set = numbers.number(s)
	}
	for seat := range games.Seat(info.Seats) {
		if like.Keys != nil {
			out.Keys = append(out.Keys, games.Key(s, seat))
		}
		if like.Ones == nil {
			continue
		}
		ones, tensor := []int{}, make([]float32, info.TensorSize())
		s.Observe(seat, tensor)
		for i, x := range tensor {
			if x == 1 {
				ones = append(ones, i)
			}
		}
		out.Ones = append(out.Ones, ones)
	}
	return out
}

// TestGolden replays a thousand playthroughs and more of each game, recorded from
// OpenSpiel, and compares every value at every node. The quick suite has a hundred
// of chess.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			played, numbers := readPlaythroughs(t, file), sets{}
			if len(played) < 1000 {
				t.Fatalf("%d playthroughs, expected 1000 at least", len(played))
			}
			if strings.HasPrefix(filepath.Base(file), "chess") && os.Getenv("AGON_TEST_SLOW") == "" {
				played = played[:100]
			}
			for line, want := range played {
				game, err := games.New(want.Game)
				if err != nil {
					t.Fatal(err)
				}
				info := game.Info()
				if info.Name != want.Game {
					t.Fatalf("the game calls itself %s, expected %s", info.Name, want.Game)
				}
				got := playthrough{Game: info.Name, Actions: want.Actions}
				like := played[0].Steps[firstDecision(played[0])]
				s := game.Start()
				for i, a := range want.Actions {
					got.Steps = append(got.Steps, observe(s, info, like, numbers))
					if err := s.Apply(a); err != nil {
						t.Fatalf("line %d, action %d: %v", line+1, i, err)
					}
				}
				got.Steps = append(got.Steps, observe(s, info, like, numbers))
				got.Returns = s.Returns(nil)
				if want.Steps == nil {
					got.Steps, got.Sum = nil, checksum(got.Steps)
				}
				if !bytes.Equal(encode(t, want), encode(t, got)) {
					t.Fatalf("line %d (-OpenSpiel +Agon):\n%s", line+1, cmp.Diff(want, got, cmpopts.EquateEmpty()))
				}
			}
		})
	}
}

// firstDecision is the first step at which a seat moves: what it holds, all hold.
func firstDecision(p playthrough) int {
	return slices.IndexFunc(p.Steps, func(s step) bool { return s.Turn >= 0 })
}

// checksum is the sum that record.py writes in place of steps.
func checksum(steps []step) uint32 {
	sum := crc32.NewIEEE()
	for _, s := range steps {
		legal := make([]string, len(s.Legal))
		for i, a := range s.Legal {
			legal[i] = strconv.Itoa(int(a))
		}
		fmt.Fprintf(sum, "%d|%s|%s|%d\n", s.Turn, strings.Join(legal, " "), strings.Join(s.Names, " "), s.Set)
	}
	return sum.Sum32()
}

func encode(t *testing.T, p playthrough) []byte {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readPlaythroughs(t *testing.T, file string) []playthrough {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []playthrough
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p playthrough
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatalf("%s, line %d: %v", file, len(out)+1, err)
		}
		out = append(out, p)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
