package prefs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

func init() {
	Strategies.Add(spec.Entry[func(r *spec.Reader) Selector]{
		Name: "mapl", Usage: "mapl(kind=inter,k=2,share=1)",
		Help:  "inter: k pairs joined to one of k tasks; intra: one answer under the prompt where it was chosen and\none where it was rejected (arXiv 2505.12845)",
		Value: readMAPL,
	})
}

// PromptPair is a preference between two prompts of one answer: it does what the
// chosen prompt asks, and not what the rejected one does. It is what MAPL's
// intra-sample loss learns from,
//
//	−log σ(β·[log π(y|x_w)/π_ref(y|x_w) − log π(y|x_l)/π_ref(y|x_l)]).
type PromptPair struct {
	ChosenPrompt   string `json:"chosen_prompt" parquet:"chosen_prompt"`
	RejectedPrompt string `json:"rejected_prompt" parquet:"rejected_prompt"`
	Completion     string `json:"completion" parquet:"completion"`

	Game            string  `json:"game" parquet:"game,dict"`
	ChosenHistory   []int32 `json:"chosen_history" parquet:"chosen_history,list"`
	RejectedHistory []int32 `json:"rejected_history" parquet:"rejected_history,list"`
	Action          int32   `json:"action" parquet:"action"`
	ChosenQ         float64 `json:"chosen_q" parquet:"chosen_q"`     // the answer's value where it was chosen
	RejectedQ       float64 `json:"rejected_q" parquet:"rejected_q"` // and where it was rejected
	Source          string  `json:"source" parquet:"source,dict"`
}

// Intra makes MAPL's intra-sample pairs (Sun et al. 2025, arXiv 2505.12845): the
// same answer under a prompt that it meets and under one that it does not. The
// prompts are the states of a game where the answer was chosen and where it was
// rejected; each state in which it was chosen is set against one drawn among those
// of the same game in which the same words were rejected.
func Intra(pairs []Pair, r *rand.Rand) []PromptPair {
	tasks, rejected := tasksOf(pairs), map[string][]int{}
	key := func(p Pair, text string, action int32) string { return fmt.Sprint(p.Game, " ", action, " ", text) }
	for i, p := range pairs {
		k := key(p, p.Rejected, p.RejectedAction)
		rejected[k] = append(rejected[k], i)
	}
	var out []PromptPair
	for i, p := range pairs {
		others := slices.DeleteFunc(slices.Clone(rejected[key(p, p.Chosen, p.ChosenAction)]), func(j int) bool { return tasks[j] == tasks[i] })
		if len(others) == 0 {
			continue
		}
		q := pairs[others[r.IntN(len(others))]]
		out = append(out, PromptPair{
			ChosenPrompt: p.Prompt, RejectedPrompt: q.Prompt, Completion: p.Chosen, Game: p.Game,
			ChosenHistory: p.History, RejectedHistory: q.History, Action: p.ChosenAction,
			ChosenQ: p.ChosenQ, RejectedQ: q.RejectedQ, Source: p.Source,
		})
	}
	return out
}

// MAPL makes pairs of several tasks at once out of pairs of one. Kind inter joins
// each pair with K−1 others of other states: the chosen answer meets every task,
// the rejected one misses some, at least one. What it gives has no state, so it is
// for models of text. Kind intra is Intra, whose rows are PromptPairs.
type MAPL struct {
	Kind  string
	K     int
	Share float64 // pairs made, as a share of those given
}

func readMAPL(r *spec.Reader) Selector {
	return MAPL{Kind: r.Choice("kind", "inter", "inter", "intra"), K: r.Int("k", 2, 2, mostParts), Share: readShare(r, 1)}
}

// Select implements Selector for kind inter.
func (s MAPL) Select(_ context.Context, pairs []Pair, r *rand.Rand) ([]Pair, error) {
	if s.Kind != "inter" {
		return nil, errors.New("prefs: mapl(kind=intra) prefers prompts, not answers: see Intra")
	}
	tasks, distinct := tasksOf(pairs), map[string]bool{}
	for _, task := range tasks {
		distinct[task] = true
	}
	if s.K > mostParts {
		return nil, fmt.Errorf("prefs: mapl: k=%d: expected at most %d", s.K, mostParts)
	}
	if len(distinct) < s.K || s.K < 2 {
		return nil, fmt.Errorf("prefs: mapl: pairs of %d states cannot be joined to tasks of %d: expected as many states at least, and 2", len(distinct), s.K)
	}
	some, err := evenly(len(pairs), s.Share, r)
	if err != nil {
		return nil, err
	}
	out := make([]Pair, len(some))
	for i, first := range some {
		parts, met := []Pair{pairs[first]}, map[string]bool{tasks[first]: true}
		for len(parts) < s.K { // each of another state
			if j := r.IntN(len(pairs)); !met[tasks[j]] {
				met[tasks[j]] = true
				parts = append(parts, pairs[j])
			}
		}
		out[i] = Join(parts, r)
	}
	return out, nil
}

// mostParts is how many pairs Join joins at most: which parts are missed is a number of
// as many bits.
const mostParts = 64

// Join makes one pair of several, 64 at most: prompts and answers are put together in
// their order, and the rejected answer takes the worse part of at least one, every
// combination being as likely. Values and log-probabilities are those parts' means
// and sums.
func Join(parts []Pair, r *rand.Rand) Pair {
	missed := uint64(0) // a bit a part
	for missed == 0 {
		missed = r.Uint64() & (1<<len(parts) - 1)
	}
	var prompts, chosen, rejected []string
	out := Pair{Rule: "mapl", Source: parts[0].Source, Seed: parts[0].Seed}
	var good, bad Candidate
	n := float64(len(parts))
	for i, p := range parts {
		w, l := p.Answers()
		if missed>>i&1 == 0 {
			l = w
		}
		prompts = append(prompts, fmt.Sprintf("%d. %s", i+1, p.Prompt))
		chosen, rejected = append(chosen, fmt.Sprintf("%d. %s", i+1, w.Text)), append(rejected, fmt.Sprintf("%d. %s", i+1, l.Text))
		good.Q, bad.Q = good.Q+w.Q/n, bad.Q+l.Q/n
		good.Prior, bad.Prior = good.Prior+w.Prior, bad.Prior+l.Prior
		good.Behaviour, bad.Behaviour = good.Behaviour+w.Behaviour, bad.Behaviour+l.Behaviour
	}
	good.Text, bad.Text = strings.Join(chosen, "\n"), strings.Join(rejected, "\n")
	good.Source, bad.Source = out.Source, out.Source
	out = out.With(good, bad)
	out.Prompt, out.Seed = strings.Join(prompts, "\n\n"), parts[0].Seed
	out.ChosenAction, out.RejectedAction = -1, -1
	return out
}

// Instruction is a demand on an answer that can be checked. Ask words it so that it
// wants an answer of which Holds is true, or one of which it is false.
type Instruction struct {
	Holds func(a Candidate) bool
	Ask   func(holds bool) string
}

// Instruct makes MAPL's inter-sample pairs: k of the instructions, drawn for each
// pair, are added to its prompt in the words that the chosen answer meets. Where
// the rejected answer meets them all as well, the pair is tried again with others,
// and left out in the end.
func Instruct(pairs []Pair, instructions []Instruction, k int, r *rand.Rand) ([]Pair, error) {
	if k < 1 || k > len(instructions) {
		return nil, fmt.Errorf("prefs: %d of %d instructions: expected 1 at least and no more than there are", k, len(instructions))
	}
	var out []Pair
	for _, p := range pairs {
		chosen, rejected := p.Answers()
		for range instructTries {
			some := r.Perm(len(instructions))[:k]
			if slices.ContainsFunc(some, func(i int) bool { return instructions[i].Holds(chosen) != instructions[i].Holds(rejected) }) {
				p.Prompt, p.Rule = asked(p.Prompt, instructions, some, chosen, nil), "mapl"
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

// instructTries is how many sets of instructions are tried on a pair.
const instructTries = 16

// InstructIntra makes MAPL's intra-sample pairs of the chosen answers: k of the
// instructions in the words that an answer meets, against the same with some turned
// round, at least one, every combination being as likely.
func InstructIntra(pairs []Pair, instructions []Instruction, k int, r *rand.Rand) ([]PromptPair, error) {
	if k < 1 || k > len(instructions) || k > 30 {
		return nil, fmt.Errorf("prefs: %d of %d instructions: expected 1 to 30, and no more than there are", k, len(instructions))
	}
	out := make([]PromptPair, len(pairs))
	for i, p := range pairs {
		chosen, _ := p.Answers()
		some, turned := r.Perm(len(instructions))[:k], 1+r.IntN(1<<k-1)
		out[i] = PromptPair{
			ChosenPrompt:   asked(p.Prompt, instructions, some, chosen, nil),
			RejectedPrompt: asked(p.Prompt, instructions, some, chosen, func(j int) bool { return turned>>j&1 == 1 }),
			Completion:     p.Chosen, Game: p.Game, ChosenHistory: p.History, RejectedHistory: p.History, Action: p.ChosenAction,
			ChosenQ: p.ChosenQ, RejectedQ: p.ChosenQ, Source: p.Source,
		}
	}
	return out, nil
}

// asked is a prompt with instructions as an answer meets them, some turned round.
func asked(prompt string, instructions []Instruction, some []int, a Candidate, turned func(j int) bool) string {
	lines := []string{prompt}
	if prompt == "" {
		lines = nil
	}
	for j, i := range some {
		holds := instructions[i].Holds(a)
		lines = append(lines, instructions[i].Ask(holds != (turned != nil && turned(j))))
	}
	return strings.Join(lines, "\n")
}
