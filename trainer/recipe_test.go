package trainer_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/recipes"
)

// The recipes that the program holds are read, and what they are completed to
// is read as the same.
func TestRecipesThatShip(t *testing.T) {
	names := recipes.Names("")
	if len(names) < 6 {
		t.Fatalf("recipes %v", names)
	}
	for _, name := range names {
		text, err := recipes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		recipe, err := trainer.ReadRecipe(text, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		roundTrip(t, recipe)
	}
}

func roundTrip(t *testing.T, recipe trainer.Recipe) {
	t.Helper()
	complete, err := recipe.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := trainer.ReadRecipe(complete, nil)
	if err != nil {
		t.Fatalf("the complete recipe is refused: %v\n%s", err, complete)
	}
	if !reflect.DeepEqual(again, recipe) {
		t.Fatalf("the complete recipe is read as another:\n%s", complete)
	}
}

func TestSettings(t *testing.T) {
	recipe, err := trainer.ReadRecipe([]byte("game: kuhn_poker\nepochs: 4\nstop: {measure: exploitability, below: 0.03}\n"), []string{
		"seed=7", "optimizer.rate=linear(0.01,0)", "magnet.weight=0.1", "policy.hidden=[8, 8]",
		"opponents=league(share=0.25,every=5,keep=3)", "evaluate.against=[random]", "stop.below=0.02",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := trainer.Defaults()
	below := 0.02
	want.Game, want.Seed, want.Epochs, want.Optimizer.Rate, want.Magnet.Weight = "kuhn_poker", 7, 4, "linear(0.01,0)", "0.1"
	want.Policy.Hidden, want.Opponents, want.Evaluate.Against = []int{8, 8}, "league(share=0.25,every=5,keep=3)", []string{"random"}
	want.Stop = trainer.Stop{Measure: "exploitability", Below: &below}
	if !reflect.DeepEqual(recipe, want) {
		t.Errorf("got  %+v\nwant %+v", recipe, want)
	}
}

// A wrong recipe is refused in one line that names the setting.
func TestRecipeRefuses(t *testing.T) {
	for setting, want := range map[string]string{
		"gaem=kuhn_poker":                  `unknown setting "gaem", did you mean "game"?`,
		"optimizer.rat=1":                  `unknown setting "optimizer.rat", did you mean "rate"?`,
		"optimizer=0.1":                    "optimizer: expected settings below it",
		"seed.value=1":                     "seed: expected a value, not settings",
		"seed=-1":                          "seed",
		"seed=many":                        "recipe",
		"updates=0":                        "updates: 0: expected 1 to",
		"games=1.5":                        "games: 1.5: expected a whole number",
		"policy.kind=transformer":          "transformer",
		"policy.hidden=[0]":                "hidden",
		"advantage=rea":                    `did you mean "rae"?`,
		"advantage=rae(decay=2)":           "decay=2: expected a number from 0 to 0.999999",
		"learn=[{from: games, loss: dqn}]": `learn[1]: loss: "dqn": expected ppo or reinforce`,
		"learn=[{from: games, loss: ppo(clip=0)}]": "clip=0: expected a number",
		"minibatches=1000":                         "minibatches: 1000: expected 1 to 512",
		"magnet.kind=copper":                       `did you mean "copy"?`,
		"optimizer.rate=liner(1,0)":                `did you mean "linear"?`,
		"optimizer.rate=.inf":                      "expected a number from 0 to 1e+09",
		"optimizer.rate=-1":                        `optimizer.rate: "-1": expected a number from 0`,
		"optimizer.rate=linear(0.1)":               "too few numbers: expected linear(from,to)",
		"entropy=inverse(half=3)":                  "too few numbers",
		"magnet.weight=cosine(1,-1)":               "to=-1: expected a number from 0",
		"optimizer.weight_decay=1e400":             "optimizer.weight_decay: 1e400: expected a number",
		"stop={measure: exploitabilty, below: 1}":  `"exploitabilty" is not measured in this run, did you mean "exploitability"?`,
		"stop={measure: score/random, above: 1}":   `"score/random" is not measured in this run`,
		"stop={measure: share, above: 0.5}":        `"share" is not measured in this run`,
		"stop={measure: guard/score, below: 0.5}":  `"guard/score" is not measured in this run`,
		"stop.below=low":                           "stop.below: low: expected a number",
		"policy.hidden=64":                         "policy.hidden: 64: expected a list such as [a, b]",
		"updates=ten":                              "updates: ten: expected a whole number",
		"guard.stop=perhaps":                       "guard.stop: perhaps: expected true or false",
		"rate=0.1":                                 `unknown setting "rate", did you mean "optimizer.rate"?`,
		"optimizer.beta1=1":                        "optimizer.beta1: 1: expected 0 to",
		"optimizer.clip_norm=-1":                   "optimizer.clip_norm: -1",
		"opponents=leagu3":                         `did you mean "league"?`,
		"opponents=league(share=2)":                "share=2: expected a number from 0 to 1",
		"opponents=league(prefer=weak)":            "prefer=weak: expected even, hard",
		"opponents=fixed":                          "expected an agent",
		"game=kuhn":                                "kuhn",
		"game=kuhn_poker(players=99)":              "players=99",
		"version=3":                                "version 3: this program reads versions 1 and 2",
		"stop.below=1":                             "stop: expected a measure",
		"evaluate.exploitability=maybe":            `evaluate.exploitability: "maybe"`,
		"checkpoint.keep=0":                        "checkpoint.keep: 0",
		"novalue":                                  "expected path=value",
		"seed=":                                    "expected path=value",
		"magnet.weight=linear(1,0,2)":              "unexpected argument",
	} {
		_, err := trainer.ReadRecipe([]byte("game: kuhn_poker\n"), []string{setting})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q", setting, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                      "game is missing",
		"- a\n- b\n":                            "recipe",
		"game: [":                               "recipe",
		"game: kuhn_poker\ngame: leduc_poker\n": "recipe",
	} {
		if _, err := trainer.ReadRecipe([]byte(text), nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", text, err, want)
		}
	}
}

// No text makes the reader panic, and a recipe that it takes survives being
// written.
func FuzzReadRecipe(f *testing.F) {
	files, err := filepath.Glob("recipes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "seed=3")
	}
	f.Add([]byte("game: kuhn_poker\nstop: {measure: exploitability, below: 1}\n"), "magnet.weight=cosine(1,0)")
	f.Add([]byte("objective: null\n? 1\n: x\n"), "a.b.c=[")
	f.Fuzz(func(t *testing.T, text []byte, setting string) {
		recipe, err := trainer.ReadRecipe(text, []string{setting})
		if err == nil {
			roundTrip(t, recipe)
		}
	})
}
