package agents

import (
	"context"

	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
)

func init() {
	Kinds.Add(spec.Entry[Kind]{
		Name: "random", Help: "every legal action with equal probability",
		Value: Kind{Open: func(context.Context, *spec.Reader, Environment) (play.Agent, error) { return NewRandom(), nil }},
	})
}
