package chat

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/agon-rl/agon/games"
)

// Confidence asks a model how likely states are to end well for the seat that is to
// move, as language models judge their own steps. It is an mcts.Confidence.
type Confidence struct {
	client *Client
	info   games.Info
}

// NewConfidence returns the confidence of a model in states of a game whose states are games.Speakers.
func NewConfidence(c *Client, game games.Game) (*Confidence, error) {
	if _, ok := game.Start().(games.Speaker); !ok {
		return nil, fmt.Errorf("%s does not speak: expected a game that can be played in text", game.Info().Name)
	}
	return &Confidence{client: c, info: game.Info()}, nil
}

const confidenceQuestion = `

Do not act now. Judge what was done so far: how likely is it, in per cent, that it is right and ends well for you? Think as long as you need to. Then write the number, and nothing else, on the last line of your answer.`

// Confidence overwrites out[i] with what the model says of states[i]. It asks for
// all at once, as far as the client's limits allow.
func (c *Confidence) Confidence(ctx context.Context, states []games.State, out []float64) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range states {
		speaker, ok := s.(games.Speaker)
		if !ok {
			return fmt.Errorf("%s: a model cannot judge a state that does not speak", c.info.Name)
		}
		messages := []Message{{"user", speaker.Prompt(s.Turn()) + confidenceQuestion}}
		group.Go(func() error {
			reply, err := c.client.Complete(ctx, messages)
			out[i] = confidence(reply.Text)
			return err
		})
	}
	return group.Wait()
}

var number = regexp.MustCompile(`\d+(?:\.\d+)?`)

// confidence is the last number of an answer's last line, per cent. An answer
// without one says nothing: it is worth a half.
func confidence(text string) float64 {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	all := number.FindAllString(lines[len(lines)-1], -1)
	if len(all) == 0 {
		return 0.5
	}
	percent, err := strconv.ParseFloat(all[len(all)-1], 64)
	if err != nil || percent > 100 {
		return 0.5
	}
	return percent / 100
}
