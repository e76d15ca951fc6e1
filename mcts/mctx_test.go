package mcts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
	"github.com/agon-rl/agon/play"
)

// recordedGame is a game as testdata/mctx/record.py draws it, with what mctx
// finds.
type recordedGame struct {
	Actions  int         `json:"actions"`
	Logits   [][]float64 `json:"logits"`
	Value    []float64   `json:"value"`
	End      []bool      `json:"end"`
	Result   []float64   `json:"result"`
	Searches []struct {
		Simulations int          `json:"simulations"`
		Considered  int          `json:"considered"`
		MuZero      []float64    `json:"muzero"`
		Gumbel      []float64    `json:"gumbel"`
		Action      games.Action `json:"action"`
		Weights     []float64    `json:"weights"`
	} `json:"searches"`
}

// node is a state of such a game.
type node struct {
	game *recordedGame
	at   int
	turn games.Seat
}

func (n *node) Turn() games.Seat {
	if n.game.End[n.at] {
		return games.Over
	}
	return n.turn
}

func (n *node) Actions(dst []games.Action) []games.Action {
	for a := range games.Action(n.game.Actions) {
		dst = append(dst, a)
	}
	return dst
}

func (n *node) Odds(dst []float64) []float64 { return dst }

func (n *node) Apply(a games.Action) error {
	n.at, n.turn = n.at*n.game.Actions+1+int(a), 1-n.turn
	return nil
}

// Returns pays the end's result to the seat that moved there.
func (n *node) Returns(dst []float64) []float64 {
	r := n.game.Result[n.at]
	if n.turn == 0 { // seat 1 moved
		r = -r
	}
	return append(dst, r, -r)
}

func (n *node) Clone() games.State { c := *n; return &c }

func (n *node) AppendKey(dst []byte, _ games.Seat) []byte { return fmt.Append(dst, n.at) }

func (n *node) Observe(games.Seat, []float32) {}

// Evaluate implements mcts.Evaluator by the recorded logits and values.
func (g *recordedGame) Evaluate(_ context.Context, leaves []mcts.Leaf, out []mcts.Evaluation) error {
	for i, leaf := range leaves {
		at := leaf.State.(*node).at
		sum := 0.0
		for _, x := range g.Logits[at] {
			out[i].Priors = append(out[i].Priors, math.Exp(x))
			sum += math.Exp(x)
		}
		for a := range out[i].Priors {
			out[i].Priors[a] /= sum
		}
		v := g.Value[at]
		out[i].Values = []float64{v, -v}
		if leaf.Seat == 1 {
			out[i].Values = []float64{-v, v}
		}
	}
	return nil
}

// MuZero's and Gumbel's rules visit the root's actions as often as mctx does,
// and Gumbel's choice and improved policy are mctx's.
func TestVisitsAreThoseOfMctx(t *testing.T) {
	text, err := os.ReadFile("testdata/mctx.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Games []recordedGame `json:"games"`
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i := range recorded.Games {
		g := &recorded.Games[i]
		info := games.Info{Name: "recorded", Seats: 2, Roles: []string{"a", "b"}, Actions: g.Actions, MinReturn: -1, MaxReturn: 1}
		for _, want := range g.Searches {
			for _, rule := range []string{"muzero", "gumbel"} {
				o := options(t, rule, want.Simulations)
				if rule == "gumbel" {
					o.Rule = mcts.Gumbel(want.Considered, mcts.GumbelScale{Visit: 50, Value: 0.1})
				}
				tree, err := mcts.NewTree(info, &node{game: g}, play.Generator(1, "search"), nil)
				if err != nil {
					t.Fatal(err)
				}
				search(t, o, g, tree)
				var visits []float64
				for _, c := range tree.Children(mcts.Root) {
					visits = append(visits, float64(c.Visits))
				}
				visits = append(visits, make([]float64, g.Actions-len(visits))...)
				expected := want.MuZero
				if rule == "gumbel" {
					expected = want.Gumbel
				}
				if !slices.Equal(visits, expected) {
					t.Errorf("game %d, %s, %d simulations: visits %v, mctx has %v", i, rule, want.Simulations, visits, expected)
				}
				compared++
				if rule != "gumbel" {
					continue
				}
				if got := tree.Best(); got != want.Action {
					t.Errorf("game %d, gumbel, %d simulations: action %d, mctx takes %d", i, want.Simulations, got, want.Action)
				}
				_, p := tree.Distribution(1)
				for a := range p {
					if math.Abs(p[a]-want.Weights[a]) > 1e-4 {
						t.Errorf("game %d, gumbel, %d simulations: weights %v, mctx has %v", i, want.Simulations, p, want.Weights)
						break
					}
				}
			}
		}
	}
	t.Logf("%d searches are equal", compared)
}
