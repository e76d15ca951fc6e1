package spc_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/agon-rl/agon/spc"
	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
)

// The recipes that ship are read, and what they are completed to is read as the same.
func TestRecipesThatShip(t *testing.T) {
	names := recipes.Names(recipes.SPC)
	if len(names) < 2 {
		t.Fatalf("recipes %v", names)
	}
	for _, name := range names {
		text, err := recipes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, read(t, string(text)))
		if _, err := trainer.ReadRecipe(text, nil); err == nil || !strings.Contains(err.Error(), "agon spc train") {
			t.Errorf("%s as a recipe of agon train: %v", name, err)
		}
	}
	for name, settings := range variants {
		t.Run(name, func(t *testing.T) { roundTrip(t, read(t, small, settings...)) })
	}
}

func roundTrip(t *testing.T, recipe spc.Recipe) {
	t.Helper()
	complete, err := recipe.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if again := read(t, string(complete)); !reflect.DeepEqual(again, recipe) {
		t.Fatalf("the complete recipe is read as another:\n%s", complete)
	}
}

func TestBadRecipes(t *testing.T) {
	for _, test := range []struct {
		text     string
		settings []string
		want     string
	}{
		{"kind: spcc", nil, `recipe: kind: "spcc": expected spc`},
		{"kind: spc\nversion: 2", nil, "recipe: version 2: this program reads version 1"},
		{"kind: spc\ngame: [", nil, "recipe: [2:7] sequence end token"},
		{"kind: spc\nupdate: 3", nil, `recipe: unknown setting "update", did you mean "updates"?`},
		{"kind: spc\nupdates: 1.5", nil, "recipe: updates: 1.5: expected a whole number"},
		{"", []string{"warmup=-1"}, "recipe: warmup: -1: expected 0 to"},
		{"", []string{"warmup=0", "rounds=0"}, "recipe: warmup and rounds are 0: nothing is learnt"},
		{"", []string{"rounds=1001"}, "recipe: rounds: 1001: expected 0 to 1000"},
		{"", []string{"games=0"}, "recipe: games: 0: expected 1 to"},
		{"", []string{"evaluate.cases=0"}, "recipe: evaluate.cases: 0: expected 1 to"},
		{"", []string{"explore=1.5"}, "recipe: explore: 1.5: expected 0 to 1"},
		{"", []string{"objective.pull=-0.1"}, "recipe: objective.pull: -0.1: expected 0 to"},
		{"", []string{"objective.pull=.nan"}, "recipe: objective.pull: NaN: expected 0 to"},
		{"", []string{"objective.clip=1"}, "recipe: objective.clip: 1: expected more than 0 and less than 1"},
		{"", []string{"objective.name=on-line"}, `recipe: objective.name: "on-line": expected online, offline, replay, best-response, did you mean "online"?`},
		{"", []string{"objective.pull_to=unifrm"}, `did you mean "uniform"?`},
		{"", []string{"objective.advantage=raee"}, `advantage "raee" is unknown, did you mean "rae"?`},
		{"", []string{"policies=three"}, `recipe: policies: "three": expected two, one`},
		{"", []string{"sneaky=clever"}, `recipe: sneaky: "clever": expected learn, naive, menu`},
		{"", []string{"policies=one", "sneaky=menu"}, "recipe: policies: one: sneaky=menu is no network"},
		{"", []string{"opponents=pools"}, `recipe: opponents: unknown form "pools", did you mean "pool"?; there are latest, earlier, pool`},
		{"", []string{"opponents=pool(share=2)"}, "opponents: pool: share=2"},
		{"", []string{"stages=adaptive(up=0.5,down=0.6)"}, "stages: adaptive: expected down below up"},
		{"", []string{"stages=adaptive(dwell=60)"}, "dwell at most most"},
		{"", []string{"stages=alternating"}, `unknown form "alternating", did you mean "alternate"?`},
		{"", []string{"stages=adaptive", "objective.name=offline"}, "recipe: stages: adaptive: offline plays no games within a round by which to switch"},
		{"", []string{"validity=drop(tries=0)"}, "validity: drop: tries=0"},
		{"", []string{"curriculum=spread(width=3)"}, `curriculum: spread: unknown parameter "width"`},
		{"", []string{"refine=pair"}, `refine: unknown form "pair", did you mean "pairs"?`},
		{"", []string{"optimizer.rate=linaer(1,0)"}, "recipe: optimizer.rate:"},
		{"", []string{"optimizer.beta1=1"}, "recipe: optimizer.beta1: 1"},
		{"", []string{"policy.kind=table"}, "policy.kind: table: expected mlp"},
		{"", []string{"policy.hidden=[0]"}, "hidden"},
		{"", []string{"game=chess"}, "recipe: warmup: it wants kinds of error, and chess has none"},
		{"", []string{"game=sneaky_critc"}, `did you mean "sneaky_critic"?`},
		{"", []string{"game=sneaky_critic(domain=chess)"}, "expected problems that are solved line by line"},
		{"", []string{"game=countdown", "warmup=0"}, "game countdown: expected a zero-sum game of two seats"},
		{"", []string{"game=inspection"}, "recipe: warmup: it wants kinds of error, and inspection has none: take sneaky_critic, or leave it out"},
		{"", []string{"objective.soft=0.1"}, "recipe: objective.soft: 0.1 softens best responses, and online has none"},
		{"", []string{"objective.soft=-1"}, "recipe: objective.soft: -1: expected 0 to"},
		{"", []string{"opponents=pool(temperature=0)"}, "recipe: opponents: pool: temperature=0"},
		{"", []string{"game=inspection", "warmup=0", "objective.name=best-response", "opponents=pool(temperature=2)"}, "are softened by objective.soft"},
		{"", []string{"objective.players=runs/other"}, "recipe: objective.players: online plays games of its own"},
		{"", []string{"objective.name=replay", "objective.players=runs/other"}, "recipe: warmup: 200: a run starts from the round 0 of objective.players"},
		{"", []string{"game=inspection", "warmup=0", "objective.name=offline"}, "recipe: objective.name: offline: it wants kinds of error"},
		{"", []string{"game=inspection", "warmup=0", "objective.name=best-response", "opponents=earlier"}, "recipe: opponents: earlier: best responses are to the latest"},
		{"", []string{"objective.name=best-response"}, "too large to answer exactly: take inspection"},
		{"", []string{"evaluate.longer=sneaky_critic(domain=horn)"}, "evaluate.longer: sneaky_critic(domain=horn): expected sneaky_critic of the same domain"},
		{"", []string{"evaluate.longer=nothing"}, "evaluate.longer: unknown game"},
	} {
		_, err := spc.ReadRecipe([]byte(test.text), test.settings)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q %v: %v\nwant %q", test.text, test.settings, err, test.want)
		}
	}
}
