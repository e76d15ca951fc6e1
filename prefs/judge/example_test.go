package judge_test

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs/judge"
)

// No reward explains preferences that go in a circle; an embedding does.
func ExampleFitEmbedding() {
	ctx := context.Background()
	cycle, err := judge.Cycle(3, 0.8) // rock, paper and scissors, each with 0.9
	if err != nil {
		fmt.Println(err)
		return
	}
	answers := []*judge.Answer{{Actions: []games.Action{0}}, {Actions: []games.Action{1}}, {Actions: []games.Action{2}}}
	pairs := [][2]*judge.Answer{{answers[0], answers[1]}, {answers[1], answers[2]}, {answers[2], answers[0]}}
	labels, err := judge.Label(ctx, cycle, pairs)
	if err != nil {
		fmt.Println(err)
		return
	}
	reward, err := judge.FitReward(labels, judge.Inputs{Answers: 3}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	options := judge.EmbeddingOptions{Dimension: 2, Temperature: 0.1, Starts: 1}
	embedding, err := judge.FitEmbedding(labels, judge.Inputs{Answers: 3}, options, play.Generator(1, "fit"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, fitted := range []judge.Judge{reward, embedding} {
		accuracy, _, err := judge.Agreement(ctx, fitted, labels)
		fmt.Printf("%T agrees on %.2f of the pairs, %v\n", fitted, accuracy, err)
	}
	// Output:
	// *judge.Reward agrees on 0.50 of the pairs, <nil>
	// *judge.Embedding agrees on 1.00 of the pairs, <nil>
}
