package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// wishes is a world of instructions: an answer is a word of eight letters y or n,
// an instruction wants one of them to be one or the other.
const wishes = 8

func wishList() []prefs.Instruction {
	var out []prefs.Instruction
	for i := range wishes {
		out = append(out, prefs.Instruction{
			Holds: func(a prefs.Candidate) bool { return a.Text[i] == 'y' },
			Ask: func(holds bool) string {
				if holds {
					return fmt.Sprint(i, "=y")
				}
				return fmt.Sprint(i, "=n")
			},
		})
	}
	return out
}

// wished tells a prompt of wishes and an answer by numbers: which wishes there are,
// and the answer's letters.
func wished(prompt, answer string) []float64 {
	x := make([]float64, 3*wishes+1)
	for _, line := range strings.Fields(prompt) {
		i := int(line[0] - '0')
		if line[2] == 'y' {
			x[i] = 1
		} else {
			x[wishes+i] = 1
		}
	}
	for i, c := range answer {
		x[2*wishes+i] = 1
		if c == 'n' {
			x[2*wishes+i] = -1
		}
	}
	return x
}

// wishPairs are pairs of prompts of k wishes, of which the chosen answer meets all
// and the rejected one does not. The last letter is a trait that nobody wishes for:
// chosen answers have it with the probability given, rejected ones with the rest.
func wishPairs(n, k int, trait float64, r *rand.Rand) ([]prefs.Pair, error) {
	word := func(trait float64) string {
		var b strings.Builder
		for range wishes {
			b.WriteByte("yn"[r.IntN(2)])
		}
		if r.Float64() < trait {
			return b.String() + "y"
		}
		return b.String() + "n"
	}
	var out []prefs.Pair
	for len(out) < n {
		some, err := prefs.Instruct([]prefs.Pair{{Chosen: word(trait), Rejected: word(1 - trait)}}, wishList(), k, r)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// instructed learns from pairs, and from what MAPL makes of them, and asks for answers to several
// instructions, without the trait telling anything.
func instructed(n int, trait float64) func(context.Context, uint64) (figures, error) {
	return func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/mapl")
		out := figures{}
		plain, err := wishPairs(n, 1, trait, r)
		if err != nil {
			return nil, err
		}
		bare := slices.Clone(plain) // what MAPL makes of the same answers
		for i := range bare {
			bare[i].Prompt = ""
		}
		further, err := wishPairs(2*n, 1, trait, play.Generator(seed, "claims/mapl/further"))
		if err != nil {
			return nil, err
		}
		two, err := prefs.Instruct(bare, wishList(), 2, r)
		if err != nil {
			return nil, err
		}
		turned, err := prefs.InstructIntra(bare, wishList(), 2, r)
		if err != nil {
			return nil, err
		}
		of := func(pairs []prefs.Pair) (out []prefs.Observation) {
			for _, p := range pairs {
				out = append(out, prefs.Observation{Chosen: wished(p.Prompt, p.Chosen), Rejected: wished(p.Prompt, p.Rejected), Target: 1})
			}
			return out
		}
		var intra []prefs.Observation
		for _, p := range turned {
			intra = append(intra, prefs.Observation{Chosen: wished(p.ChosenPrompt, p.Completion), Rejected: wished(p.RejectedPrompt, p.Completion), Target: 1})
		}
		base, inter := of(plain), of(two)
		for name, examples := range map[string][]prefs.Observation{
			"plain": slices.Concat(base, base, base), // as many steps for all
			"intra": slices.Concat(base, intra, intra),
			"inter": slices.Concat(base, inter, inter),
			"both":  slices.Concat(base, intra, inter),
			"fresh": slices.Concat(base, of(further)),
		} {
			e, err := preferenceModel(examples, 64, play.Generator(seed, "claims/mapl/learner"))
			if err != nil {
				return nil, err
			}
			for _, k := range []int{1, 3, 5} {
				test, err := wishPairs(1000, k, 0.5, play.Generator(seed, "claims/mapl/test", uint64(k)))
				if err != nil {
					return nil, err
				}
				out[fmt.Sprint(name, k)] = accuracyOn(e, of(test))
			}
		}
		out["better3"], out["better5"] = out["both3"]-out["plain3"], out["both5"]-out["plain5"]
		return out, nil
	}
}

const instructionsSay = "pairs of prompts for one answer, and pairs of several instructions, made of given pairs, teach to meet instructions together better than the given pairs alone"

var instructedMeasures = []measure{
	{key: "better3", what: "accuracy on three, with both kinds less plain pairs alone", expect: moreThan(0)},
	{key: "better5", what: "accuracy on five, the same", expect: moreThan(0)},
	{key: "plain3", what: "accuracy on three, plain pairs"},
	{key: "intra3", what: "accuracy on three, with intra"},
	{key: "inter3", what: "accuracy on three, with inter"},
	{key: "both3", what: "accuracy on three, with both"},
	{key: "fresh3", what: "accuracy on three, three times as many plain pairs instead"},
	{key: "plain5", what: "accuracy on five, plain pairs"},
	{key: "both5", what: "accuracy on five, with both"},
	{key: "fresh5", what: "accuracy on five, three times as many plain pairs instead"},
	{key: "plain1", what: "accuracy on one, plain pairs"},
	{key: "both1", what: "accuracy on one, with both"},
}

// manyInstructions is MAPL's two kinds of pairs where plain pairs tell all.
var manyInstructions = claim{
	id: "mapl-goals", source: "2505.12845", says: instructionsSay,
	setting: "answers of nine letters, instructions on one of eight of them; a network learns from 240 pairs of one instruction, and in as many steps from what is made of them, and is asked which answer meets three, or five, instructions at once",
	seeds:   20, run: instructed(240, 0.5), measures: instructedMeasures,
	more: "The score that the network has to learn is a sum over instructions, and nothing but the instruction sets the chosen answer apart.",
}

// instructionsBesideATrait is the same where plain pairs can be told without a look
// at the prompt.
var instructionsBesideATrait = claim{
	id: "mapl-trait", source: "2505.12845", says: instructionsSay + ", where chosen answers share a trait that has nothing to do with what was asked",
	setting: "the same, but in the pairs learnt from 95 % of chosen answers have a ninth letter that 95 % of the rejected ones lack; when asked it is a coin's toss",
	seeds:   20, run: instructed(240, 0.95), measures: instructedMeasures,
	more: "A pair of prompts for one answer cannot be told by the answer.",
}
