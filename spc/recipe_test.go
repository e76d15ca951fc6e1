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
	names := recipes.Names(spc.Method)
	if len(names) < 2 {
		t.Fatalf("recipes %v", names)
	}
	for _, name := range names {
		text, err := recipes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, read(t, string(text)))
	}
	for name, settings := range variants {
		t.Run(name, func(t *testing.T) { roundTrip(t, read(t, small, settings...)) })
	}
}

func roundTrip(t *testing.T, recipe trainer.Recipe) {
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
		{"method: critc", nil, `recipe: method: "critc" is unknown, did you mean "critic"?`},
		{"version: 3\nmethod: critic", nil, "recipe: version 3: this program reads versions 1 and 2"},
		{"method: critic\ngame: [", nil, "recipe: "},
		{"method: critic\nupdate: 3", nil, `recipe: unknown setting "update", did you mean "updates"?`},
		{"method: critic\nupdates: 1.5", nil, "recipe: updates: 1.5: expected a whole number"},
		{"", []string{"warmup=10"}, "recipe: warmup was a setting of version 0.1; now it is --set critic.warmup=200"},
		{"", []string{"objective.pull=0.1"}, "now it is --set magnet.weight=0.3"},
		{"", []string{"critic.warmups=1"}, `unknown setting "critic.warmups", did you mean "warmup"?`},
		{"", []string{"critic.warmup=-1"}, "recipe: critic.warmup: -1: expected 0 to"},
		{"", []string{"critic.warmup=0", "critic.rounds=0"}, "recipe: critic.warmup and critic.rounds are 0: nothing is learnt"},
		{"", []string{"critic.rounds=1001"}, "recipe: critic.rounds: 1001: expected 0 to 1000"},
		{"", []string{"games=0"}, "recipe: games: 0: expected 1 to"},
		{"", []string{"critic.cases=0"}, "recipe: critic.cases: 0: expected 1 to"},
		{"", []string{"critic.explore=1.5"}, "recipe: critic.explore: 1.5: expected 0 to 1"},
		{"", []string{"magnet.weight=-0.1"}, `recipe: magnet.weight: "-0.1": expected a number from 0`},
		{"", []string{"learn=[{from: games, loss: ppo(clip=1)}]"}, "recipe: learn: loss: ppo: clip=1: expected a number from"},
		{"", []string{"learn=[{from: rounds, loss: spc(clip=1)}]"}, "clip=1: expected more than 0 and less than 1"},
		{"", []string{"learn=[{from: games, loss: on-line}]"}, `recipe: learn: loss: "on-line" is unknown`},
		{"", []string{"learn=[{from: games, loss: spc}]"}, "learns from the games of the rounds so far: expected from: rounds"},
		{"", []string{"learn=[{from: rounds, loss: best-response}]"}, "learns from the game itself: expected from: games"},
		{"", []string{"learn=[{from: search, loss: visits}]"}, `learn: from: "search": expected games, rounds`},
		{"", []string{"learn=[{from: games, loss: ppo}, {from: rounds, loss: spc}]"}, "learn: 2 entries: expected one"},
		{"", []string{"minibatches=2"}, "minibatches: 2: rounds learn from an update's games at once"},
		{"", []string{"guard.every=5"}, "guard.every: 5"},
		{"", []string{"magnet.kind=unifrm"}, `did you mean "uniform"?`},
		{"", []string{"advantage=raee"}, `advantage "raee" is unknown, did you mean "rae"?`},
		{"", []string{"players=three"}, `recipe: players: "three": expected one, roles`},
		{"", []string{"critic.sneaky=clever"}, `recipe: critic.sneaky: "clever": expected learn, naive, menu`},
		{"", []string{"players=one", "critic.sneaky=menu"}, "recipe: players: one: critic.sneaky=menu is no network"},
		{"", []string{"opponents=pools"}, `recipe: opponents: "pools" is unknown, did you mean "pool"?`},
		{"", []string{"opponents=league"}, "opponents: league: rounds know self, earlier and pool"},
		{"", []string{"opponents=pool(share=2)"}, "opponents: pool: share=2"},
		{"", []string{"stages=adaptive(up=0.5,down=0.6)"}, "stages: adaptive: expected down below up"},
		{"", []string{"stages=adaptive(dwell=60)"}, "dwell at most most"},
		{"", []string{"stages=alternating"}, `"alternating" is unknown, did you mean "alternate"?`},
		{"", []string{"players=one", "stages=alternate"}, "stages: alternate: there is one player"},
		{"", []string{"stages=adaptive", "learn=[{from: rounds, loss: spc}]"}, "recipe: stages: adaptive: spc from rounds plays no games within a round by which to switch"},
		{"", []string{"critic.validity=drop(tries=0)"}, "validity: drop: tries=0"},
		{"", []string{"critic.curriculum=spread(width=3)"}, `curriculum: spread: unknown parameter "width"`},
		{"", []string{"critic.refine=pair"}, `refine: unknown form "pair", did you mean "pairs"?`},
		{"", []string{"optimizer.rate=linaer(1,0)"}, "recipe: optimizer.rate:"},
		{"", []string{"optimizer.beta1=1"}, "recipe: optimizer.beta1: 1"},
		{"", []string{"policy.kind=table"}, "policy.kind: table: expected mlp"},
		{"", []string{"policy.hidden=[0]"}, "hidden"},
		{"", []string{"game=chess"}, "recipe: critic.warmup: it wants kinds of error, and chess has none"},
		{"", []string{"game=sneaky_critc"}, `did you mean "sneaky_critic"?`},
		{"", []string{"game=sneaky_critic(domain=chess)"}, "expected problems that are solved line by line"},
		{"", []string{"game=countdown", "critic.warmup=0"}, "game countdown: expected a zero-sum game of two seats"},
		{"", []string{"game=inspection"}, "recipe: critic.warmup: it wants kinds of error, and inspection has none: take sneaky_critic, or leave it out"},
		{"", []string{"learn=[{from: games, loss: best-response(soft=-1)}]"}, "best-response: soft=-1: expected a number from 0"},
		{"", []string{"opponents=pool(temperature=0)"}, "recipe: opponents: pool: temperature=0"},
		{"", []string{"game=inspection", "critic.warmup=0", "learn=[{from: games, loss: best-response}]", "opponents=pool(temperature=2)"}, "are softened by best-response(soft=…)"},
		{"", []string{"critic.source=runs/other"}, "recipe: critic.source: ppo plays games of its own"},
		{"", []string{"learn=[{from: rounds, loss: ppo}]", "critic.source=runs/other"}, "recipe: critic.warmup: 200: a run starts from the round 0 of critic.source"},
		{"", []string{"game=inspection", "critic.warmup=0", "learn=[{from: rounds, loss: spc}]"}, "recipe: learn: loss: spc: it wants kinds of error"},
		{"", []string{"game=inspection", "critic.warmup=0", "learn=[{from: games, loss: best-response}]", "opponents=earlier"}, "recipe: opponents: earlier: best responses are to the latest"},
		{"", []string{"learn=[{from: games, loss: best-response}]"}, "too large to answer exactly: take inspection"},
		{"", []string{"critic.longer=sneaky_critic(domain=horn)"}, "critic.longer: sneaky_critic(domain=horn): expected sneaky_critic of the same domain"},
		{"", []string{"critic.longer=nothing"}, "critic.longer: unknown game"},
		{"", []string{"stop={measure: f2, above: 0.9}"}, `stop.measure: "f2" is not measured in this run, did you mean "f1"?`},
	} {
		if test.text == "" {
			test.text = "method: critic"
		}
		_, err := trainer.ReadRecipe([]byte(test.text), test.settings)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q %v: %v\nwant %q", test.text, test.settings, err, test.want)
		}
	}
}

// Recipes of version 1 of the critic are read as those of version 2 that mean the same.
func TestRecipesOfVersion1(t *testing.T) {
	old := read(t, `
kind: spc
version: 1
game: sneaky_critic(free=true)
warmup: 2
rounds: 2
updates: 3
policies: one
sneaky: learn
opponents: latest
validity: drop(tries=2)
objective: {name: offline, clip: 0.3, imitate: 0.5, pull: 0.05, pull_to: start, epochs: 4, data: 99, restart: false, advantage: raw}
evaluate: {every: 3, cases: 4, games: 32, longer: "sneaky_critic(free=true)"}
`)
	now := read(t, `
method: critic
game: sneaky_critic(free=true)
updates: 3
players: one
opponents: self
advantage: raw
learn: [{from: rounds, loss: "spc(clip=0.3,imitate=0.5)"}]
epochs: 4
magnet: {kind: start, weight: 0.05}
evaluate: {every: 3, games: 32}
critic: {warmup: 2, rounds: 2, sneaky: learn, validity: drop(tries=2), data: 99, restart: false, cases: 4, longer: "sneaky_critic(free=true)"}
`)
	if !reflect.DeepEqual(old, now) {
		t.Errorf("%+v\n%+v\nis not\n%+v\n%+v", old, old.Settings, now, now.Settings)
	}
}
