package trainer_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// A run that version 0.1 began, with a magnet, a league and the guard, goes on where it
// stood.
func TestRunsOfVersion01GoOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("testdata/version-0.1/play")); err != nil {
		t.Fatal(err)
	}
	folder, err := run.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	recipe, err := trainer.RecipeOf(folder)
	if err != nil {
		t.Fatal(err)
	}
	recipe.Updates = 55
	r, err := trainer.New(t.Context(), recipe, options(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var from trainer.Progress
	r.Options.Progress = func(p trainer.Progress) {
		if from.Update == 0 {
			from = p
		}
	}
	if _, err := r.Train(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if from.Update != 54 || from.Games != 54*32 {
		t.Errorf("it goes on with update %d after %d games, expected 54 after %d", from.Update, from.Games, 54*32)
	}
	var updates []int
	for _, past := range r.Pasts {
		updates = append(updates, past.Update)
	}
	if len(updates) != 3 || updates[0] != 0 || updates[2] != 54 {
		t.Errorf("pasts of updates %v, expected 0, …, 54", updates)
	}
	if lines, err := run.ReadMetrics(dir); err != nil || len(lines) != 55 {
		t.Errorf("%d lines of metrics (%v), expected 55", len(lines), err)
	}
}

// Recipes of version 1 are read as those of version 2 that mean the same.
func TestRecipesOfVersion1(t *testing.T) {
	for old, now := range map[string]string{
		"version: 1\ngame: kuhn_poker\n": "version: 2\ngame: kuhn_poker\n",
		"version: 1\ngame: kuhn_poker\nobjective: {name: ppo, clip: 0.1, epochs: 3, minibatches: 2, entropy: 0.01, value: 1, magnet: {kind: copy, weight: 0.2, every: 9}}\n": "game: kuhn_poker\nlearn: [{from: games, loss: ppo(clip=0.1)}]\nepochs: 3\nminibatches: 2\nentropy: 0.01\nvalue: 1\nmagnet: {kind: copy, weight: 0.2, every: 9}\n",
		"version: 1\ngame: kuhn_poker\nobjective: {name: reinforce}\n":                                                             "game: kuhn_poker\nlearn: [{from: games, loss: reinforce}]\n",
		"version: 1\ngame: tic_tac_toe\nobjective: {name: none, value: 1}\nsearch: {agent: \"mcts:sims=8\", share: 0.5}\n":         "game: tic_tac_toe\nlearn: [{from: search, loss: visits}]\nvalue: 1\nsearch: {agent: \"mcts:sims=8\", share: 0.5}\n",
		"version: 1\ngame: tic_tac_toe\nsearch: {agent: \"mcts:sims=8\", learn: step-apo(alpha=1), acts: false}\n":                 "game: tic_tac_toe\nlearn: [{from: games, loss: ppo}, {from: search, loss: step-apo(alpha=1)}]\nsearch: {agent: \"mcts:sims=8\", acts: false}\n",
		"version: 1\ngame: tic_tac_toe\nobjective: {name: none}\nsearch: {file: pairs.parquet, learn: dpo}\n":                      "game: tic_tac_toe\nlearn: [{from: file(pairs.parquet), loss: dpo}]\n",
		"version: 1\ngame: sequence\nobjective: {name: none}\npreferences: {objective: inpo(eta=0.2), samples: 4, judge: drawn}\n": "game: sequence\nlearn: [{from: preferences, loss: inpo(eta=0.2)}]\npreferences: {samples: 4, judge: drawn}\n",
		"version: 1\ngame: sequence\nobjective: {name: ppo}\npreferences: {objective: reward}\n":                                   "game: sequence\nlearn: [{from: preferences, loss: ppo}]\n",
	} {
		a, err := trainer.ReadRecipe([]byte(old), nil)
		if err != nil {
			t.Errorf("%s\n%v", old, err)
			continue
		}
		b, err := trainer.ReadRecipe([]byte(now), nil)
		if err != nil {
			t.Errorf("%s\n%v", now, err)
			continue
		}
		for i := range a.Learn { // constants may be spelt out, and names quoted
			a.Learn[i].Loss = strings.TrimSuffix(a.Learn[i].Loss, "(clip=0.2)")
			a.Learn[i].From = strings.ReplaceAll(a.Learn[i].From, `"`, "")
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s is read as\n%+v\nexpected\n%+v", old, a, b)
		}
	}
}

// Settings of version 1 are refused in one line that shows the new form.
func TestSettingsOfVersion1ShowTheNewForm(t *testing.T) {
	for setting, want := range map[string]string{
		"objective.name=reinforce":             "recipe: objective.name was a setting of version 0.1; now it is --set 'learn=[{from: games, loss: ppo}]'",
		"objective.magnet.weight=0.1":          "now it is --set magnet.weight=0.05",
		"search.learn=visits":                  "now it is --set 'learn=[{from: search, loss: visits}]'",
		"preferences.objective=inpo":           "now it is --set 'learn=[{from: preferences, loss: inpo}]'",
		"objective={name: none}":               "objective.name was a setting of version 0.1",
		"learn=ppo":                            "learn: ppo: expected a list such as [{from: …}]",
		"learn=[ppo]":                          "learn: entry 1: ppo: expected settings such as {from: …}",
		"learn=[{form: games}]":                `unknown setting "learn[1].form", did you mean "from"?`,
		"learn=[]":                             "nothing is learnt",
		"learn=[{from: game, loss: x}]":        `"game": expected games, search, preferences or file(PATH), did you mean "games"?`,
		"learn=[{from: games, loss: dpo}]":     `"dpo": expected ppo or reinforce`,
		"learn=[{from: search, loss: visits}]": "set search.agent, such as mcts",
		"learn=[{from: games, loss: ppo}, {from: games, loss: reinforce}]": "learn[2]: from: games: it stands there twice",
		"learn=[{from: preferences, loss: visits}]":                        "expected a preference objective such as dpo",
		"search.agent=mcts:sims=8":                                         "nothing is learnt from it",
		"players=roles, please":                                            `players: "roles, please": expected one, roles`,
		"stages=alternate":                                                 "there is one player",
		"method=plai":                                                      `method: "plai" is unknown, did you mean "play"?`,
		"policy.freeze=[hiden_0]":                                          `policy.freeze: "hiden_0": the network has no such tensor`,
		"policy.type=float16":                                              `policy.type: "float16": expected float32 or bfloat16`,
		"optimizer.accumulate=0":                                           "optimizer.accumulate: 0: expected 1",
	} {
		_, err := trainer.ReadRecipe([]byte("game: kuhn_poker\n"), []string{setting})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q", setting, err, want)
		}
	}
}

// What goes over every part of a run goes over accumulated gradients, frozen tensors and
// weights of 16 bits too.
func TestPartsOfTheUpdater(t *testing.T) {
	whole := create(t, small, "updates=4", "guard.every=0")
	finish(t, whole, 1)
	for name, settings := range map[string][]string{
		"accumulated": {"optimizer.accumulate=3"},
		"frozen":      {"policy.freeze=[hidden_0, value/biases]"},
		"bfloat16":    {"policy.type=bfloat16"},
		"sequence":    {`learn=[{from: games, loss: "ppo(ratio=sequence,mean=sequence)"}]`},
		"roles":       {"players=roles"},
		"alternate":   {"players=roles", "stages=alternate(every=1)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, again := create(t, small, append(settings, "updates=4", "guard.every=0")...), create(t, small, append(settings, "updates=4", "guard.every=0")...)
			finish(t, dir, 1)
			finish(t, again, 2)
			same(t, name, outcome(t, dir), outcome(t, again))
		})
	}
}
