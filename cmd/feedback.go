package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
	"github.com/agon-rl/agon/prefs/judge"
)

func (p *program) feedbackVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "feedback",
		Short: "Who says what is better: judge comparisons, fit rewards and embeddings, relabel pairs",
		Long: `Feedback says which of two answers is preferred. In recipes it is preferences.judge;
here it judges files. Feedback:

` + indent(judge.Kinds.Help()),
	}
	choose(c, p.judgeVerb(), p.fitVerb(), p.relabelVerb())
	return c
}

// comparisonsIn reads comparisons from a file, or from standard input for -.
func (p *program) comparisonsIn(path string) ([]judge.Comparison, error) {
	in := p.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("feedback: %w", err)
		}
		defer f.Close() //nolint:errcheck // opened for reading
		in = f
	}
	out, err := judge.ReadComparisons(in)
	if err != nil {
		return nil, fmt.Errorf("feedback: %s: %w", path, err)
	}
	return out, nil
}

// judging is a verb that opens feedback.
func (p *program) judging(by string, do func(judge.Judge) error) (err error) {
	f, err := agents.OpenFeedback(by, nil)
	if err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, judge.Close(f)) }()
	return do(f)
}

// agreement is how far feedback agrees with labels.
type agreement struct {
	Comparisons int       `json:"comparisons"`
	Accuracy    float64   `json:"accuracy"` // share on the labels' side, ties counting a half
	Loss        float64   `json:"loss"`     // mean log loss in nats
	P           []float64 `json:"p,omitempty"`
	File        string    `json:"file,omitempty"`
}

func (p *program) judgeVerb() *cobra.Command {
	var by string
	c := &cobra.Command{
		Use:   "judge FILE|-",
		Short: "Judge comparisons and hold the judgements against their labels",
		Long: `Reads comparisons, one as JSON a line, with the share p of judgements for a:

    {"a":{"actions":[0]},"b":{"actions":[1]},"p":0.9}

An answer may have prompt, text, actions, features, return, rewards, states and hopes;
what must be there depends on the feedback.`,
		Example: `  agon feedback judge pairs.jsonl --judge 'cycle(n=3)'
  agon feedback judge pairs.jsonl --judge 'noisy(flip=0.1,judge=learned(model.json))' --json`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.judging(by, func(f judge.Judge) error {
				labels, err := p.comparisonsIn(args[0])
				if err != nil {
					return err
				}
				return p.judge(c.Context(), f, labels)
			})
		},
	}
	c.Flags().StringVar(&by, "judge", "outcome", "feedback; see agon feedback --help")
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) judge(ctx context.Context, f judge.Judge, labels []judge.Comparison) error {
	out := agreement{Comparisons: len(labels)}
	var err error
	if out.P, err = judge.AskAll(ctx, f, labels); err != nil {
		return err
	}
	if out.Accuracy, out.Loss, err = judge.AgreementOf(out.P, labels); err != nil {
		return err
	}
	if p.json {
		return p.print(out)
	}
	for i, x := range out.P {
		p.say("%4d  p %.4f  label %.4f", i+1, x, labels[i].P)
	}
	p.say("accuracy %.4f, log loss %.4f", out.Accuracy, out.Loss)
	return nil
}

func (p *program) fitVerb() *cobra.Command {
	var model, out string
	var seed uint64
	c := &cobra.Command{
		Use:   "fit FILE|-",
		Short: "Fit a reward or an embedding to comparisons",
		Long: `Fits a model of preferences by maximum likelihood to comparisons as agon feedback judge
reads them, and writes it for the feedback learned(FILE). Models:

` + indent(judge.Models),
		Example: `  agon feedback fit pairs.jsonl --model 'reward(answers=3)' --out reward.json
  agon feedback fit pairs.jsonl --model 'embedding(dimension=2,answers=3)' --out embedding.json --json`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usage(errors.New("feedback fit: expected --out with a file, such as --out model.json"))
			}
			if err := writable("--out", out); err != nil {
				return err
			}
			labels, err := p.comparisonsIn(args[0])
			if err != nil {
				return err
			}
			f, err := judge.FitModel(model, labels, play.Generator(seed, "feedback/fit"))
			if err != nil {
				return usage(err)
			}
			report := agreement{Comparisons: len(labels), File: out}
			if report.Accuracy, report.Loss, err = judge.Agreement(c.Context(), f, labels); err != nil {
				return err
			}
			if err := judge.WriteModel(out, f); err != nil {
				return err
			}
			if p.json {
				return p.print(report)
			}
			p.say("%d comparisons: accuracy %.4f, log loss %.4f; written to %s", report.Comparisons, report.Accuracy, report.Loss, out)
			return nil
		},
	}
	c.Flags().StringVar(&model, "model", "reward", "reward or embedding, with settings")
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of an embedding's start")
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) relabelVerb() *cobra.Command {
	var by, out string
	c := &cobra.Command{
		Use:   "relabel FILE",
		Short: "Ask feedback for the labels of a file of pairs",
		Long: `Asks feedback which action of each pair of agon prefs collect is better, prints how far
it agrees, and writes the pairs as it has them: ties and pairs that could not be judged
are left out. An action's values, as the search found them, are its return.`,
		Example: `  agon feedback relabel pairs.parquet --judge 'draws(judge=noisy(flip=0.3))' --out noisy.parquet
  agon feedback relabel pairs.parquet --judge 'openai(model=NAME)' --json`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			if out != "" {
				if err := errors.Join(usage(prefs.CheckName(out)), writable("--out", out)); err != nil {
					return err
				}
			}
			return p.judging(by, func(f judge.Judge) error {
				pairs, err := prefs.Read[prefs.Pair](args[0])
				if err != nil {
					return err
				}
				return p.relabel(c.Context(), f, pairs, out)
			})
		},
	}
	c.Flags().StringVar(&by, "judge", "outcome", "feedback; see agon feedback --help")
	c.Flags().StringVar(&out, "out", "", "file to write, .parquet or .jsonl")
	p.jsonFlag(c, "one object")
	return c
}

func (p *program) relabel(ctx context.Context, f judge.Judge, pairs []prefs.Pair, out string) error {
	answers := make([][2]*judge.Answer, len(pairs))
	for i, pair := range pairs {
		answers[i] = [2]*judge.Answer{
			{Prompt: pair.Prompt, Text: pair.Chosen, Actions: []games.Action{games.Action(pair.ChosenAction)}, Return: pair.ChosenQ},
			{Prompt: pair.Prompt, Text: pair.Rejected, Actions: []games.Action{games.Action(pair.RejectedAction)}, Return: pair.RejectedQ},
		}
	}
	says, report, err := judge.Relabel(ctx, f, answers)
	if err != nil {
		return err
	}
	var kept []prefs.Pair
	for i, pair := range pairs {
		switch x := says[i]; {
		case x > 0.5:
			kept = append(kept, pair)
		case x >= 0 && x < 0.5:
			kept = append(kept, pair.Swapped())
		}
	}
	if out != "" {
		if _, err := writeRows(out, kept); err != nil {
			return err
		}
	}
	if p.json {
		return p.print(report)
	}
	p.say("%d pairs: %d agreed, %d swapped, %d tied, %d without a judgement; kappa %.3f", report.Pairs, report.Agreed, report.Swapped, report.Tied, report.Lost, report.Kappa)
	return nil
}
