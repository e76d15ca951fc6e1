package games_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
)

// playthrough is one line of testdata, as scripts/openspiel/record.py writes
// them.
type playthrough struct {
	Game    string         `json:"game"`
	Actions []games.Action `json:"actions,omitempty"`
	Steps   []step         `json:"steps"`
	Returns []float64      `json:"returns"`
}

type step struct {
	Turn  games.Seat     `json:"turn"`
	Legal []games.Action `json:"legal,omitempty"`
	Names []string       `json:"names,omitempty"`
	Odds  []float64      `json:"odds,omitempty"`
	Keys  []string       `json:"keys,omitempty"` // absent where OpenSpiel's differ by design
	Ones  [][]int        `json:"ones,omitempty"` // by seat, where the tensor is 1; absent for boards
}

func observe(s games.State, info games.Info, like step) step {
	out := step{Turn: s.Turn(), Legal: s.Actions(nil), Odds: s.Odds(nil)}
	for _, a := range out.Legal {
		out.Names = append(out.Names, games.Say(s, a))
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

// TestGolden replays playthroughs recorded from OpenSpiel and compares every
// value at every node.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			for line, want := range readPlaythroughs(t, file) {
				game, err := games.New(want.Game)
				if err != nil {
					t.Fatal(err)
				}
				info := game.Info()
				if info.Name != want.Game {
					t.Fatalf("the game calls itself %s, expected %s", info.Name, want.Game)
				}
				got := playthrough{Game: info.Name, Actions: want.Actions}
				s := game.Start()
				for i, a := range want.Actions {
					got.Steps = append(got.Steps, observe(s, info, want.Steps[0]))
					if err := s.Apply(a); err != nil {
						t.Fatalf("line %d, action %d: %v", line+1, i, err)
					}
				}
				got.Steps = append(got.Steps, observe(s, info, want.Steps[0]))
				got.Returns = s.Returns(nil)
				if !bytes.Equal(encode(t, want), encode(t, got)) {
					t.Fatalf("line %d (-OpenSpiel +Agon):\n%s", line+1, cmp.Diff(want, got, cmpopts.EquateEmpty()))
				}
			}
		})
	}
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
