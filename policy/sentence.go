package policy

import (
	"slices"

	"github.com/agon-rl/agon/games"
)

// Sentence is an answer of one or more steps with its reward, or one to imitate.
// The log-probabilities of its steps are the reference's.
type Sentence struct {
	Steps    []*Step
	Reward   float32
	Imitated bool // there is no reward
}

// SentenceTensors is how many tensors a batch of sentences has.
const SentenceTensors = 9

// NewSentenceBatch packs answers for a model. After the states come
//
//	Row        [steps, 1]
//	Action     [steps]
//	Answer     [steps]  the number of the step's answer
//	Share      [steps]  1 over the number of the answer's steps; 0 for padding
//	Reference  [steps]  the reference's log-probability
//	Reward     [steps]  by answer
//	Kind       [steps]  by answer: 1 rewarded, -1 imitated, 0 for padding
func NewSentenceBatch(m *Model, sentences []Sentence) (*Batch, error) {
	var steps []*Step
	var answer []int32
	var share, reference []float32
	for i, s := range sentences {
		for _, step := range s.Steps {
			steps, answer = append(steps, step), append(answer, int32(i))
			share, reference = append(share, 1/float32(len(s.Steps))), append(reference, step.LogProb)
		}
	}
	p, err := pack(m, len(steps), func(i int) ([]float32, []games.Action) { return steps[i].Encoded, steps[i].Legal })
	if err != nil {
		return nil, err
	}
	padded := len(p.row)
	action, reward, kind := slices.Repeat([]int32{int32(p.first)}, padded), make([]float32, padded), make([]float32, padded)
	for i, s := range steps {
		action[i] = int32(s.Chosen)
	}
	for i, s := range sentences {
		if reward[i], kind[i] = s.Reward, 1; s.Imitated {
			kind[i] = -1
		}
	}
	pad := padded - len(steps)
	answer = append(answer, make([]int32, pad)...)
	share, reference = append(share, make([]float32, pad)...), append(reference, make([]float32, pad)...)
	return p.batch(m, len(sentences), [][]int32{action, answer}, share, reference, reward, kind)
}
