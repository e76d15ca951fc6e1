package agents

import (
	"context"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/policy"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "policy", Usage: "policy:FILE.json", Help: "probabilities by information state; also greedy=true",
		Value: Kind{Open: openTable},
	})
}

// openTable opens policy.
func openTable(_ context.Context, r *spec.Reader, _ Environment) (play.Agent, error) {
	file, greedy := r.String("file", ""), r.Bool("greedy", false)
	if file == "" {
		return nil, Misnamed("policy: expected a file, such as policy:kuhn.json")
	}
	table, err := policy.ReadTable(file)
	if err != nil {
		return nil, err
	}
	return NewSampler(table, greedy), nil
}
