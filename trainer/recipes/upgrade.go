package recipes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Upgrade returns a recipe of version 1, that of Agon 0.1, in the form of version 2,
// which means the same. Others are returned as they are, and so is what is no YAML.
func Upgrade(text []byte) ([]byte, error) {
	var t tree
	if err := yaml.Unmarshal(text, &t); err != nil {
		return text, nil //nolint:nilerr // whoever reads it says what is wrong
	}
	if version := HeadOf(text).Version; version != 1 && !(version == 0 && t.old()) {
		return text, nil
	}
	t["version"] = 2
	if t["kind"] == "spc" {
		t.upgradeCritic()
	} else {
		t.upgradePlay()
	}
	return yaml.Marshal(t)
}

// tree is settings by name.
type tree map[string]any

// old tells whether a recipe that says no version has settings of version 1.
func (t tree) old() bool {
	has := func(name string, below ...string) bool {
		settings, _ := t[name].(map[string]any)
		return slices.ContainsFunc(below, func(b string) bool { _, ok := settings[b]; return ok })
	}
	_, objective := t["objective"].(map[string]any)
	return objective || t["kind"] == "spc" || has("search", "learn", "file") || has("preferences", "objective")
}

// take removes a setting and returns it; sub is that of settings below it.
func (t tree) take(name string, fallback any) any {
	value, ok := t[name]
	delete(t, name)
	if !ok || value == nil {
		return fallback
	}
	return value
}

func (t tree) sub(name string) tree {
	switch below := t.take(name, nil).(type) {
	case map[string]any:
		return below
	case tree:
		return below
	}
	return tree{}
}

// move gives settings that are there a place in another tree, under other names.
func (t tree) move(to tree, names map[string]string) {
	for name, other := range names {
		if value, ok := t[name]; ok {
			to[other] = value
			delete(t, name)
		}
	}
}

// rest keeps what was not understood where it was, so that it is refused by its name.
func (t tree) rest(name string, below tree) {
	if len(below) > 0 {
		t[name] = map[string]any(below)
	}
}

func entry(from, loss any) map[string]any { return map[string]any{"from": from, "loss": loss} }

func (t tree) upgradePlay() {
	o, search, preferences := t.sub("objective"), t.sub("search"), t.sub("preferences")
	o.move(t, map[string]string{"epochs": "epochs", "minibatches": "minibatches", "entropy": "entropy", "value": "value", "magnet": "magnet"})
	loss := gradient(o)
	var learn []any
	prefers := preferences.take("objective", "")
	switch {
	case prefers == "reward":
		learn = append(learn, entry("preferences", loss))
	case loss != "":
		learn = append(learn, entry("games", loss))
	}
	if prefers != "" && prefers != "reward" {
		learn = append(learn, entry("preferences", prefers))
	}
	learnt := search.take("learn", "visits")
	if agent, ok := search["agent"]; ok && agent != "" {
		learn = append(learn, entry("search", learnt))
	}
	if file := search.take("file", ""); file != "" {
		learn = append(learn, entry(fmt.Sprintf("file(%q)", file), learnt))
	}
	t["learn"] = learn
	t.rest("objective", o)
	t.rest("search", search)
	t.rest("preferences", preferences)
}

// gradient is a loss of policy gradient by the names of version 1; "" for none.
func gradient(o tree) string {
	name, clip := o.take("name", "ppo"), o.take("clip", 0.2)
	switch name {
	case "none":
		return ""
	case "ppo":
		return fmt.Sprintf("ppo(clip=%v)", clip)
	}
	return fmt.Sprint(name)
}

func (t tree) upgradeCritic() {
	delete(t, "kind")
	t["method"] = "critic"
	o, critic, magnet := t.sub("objective"), tree{}, tree{}
	t.move(critic, map[string]string{"warmup": "warmup", "rounds": "rounds", "sneaky": "sneaky", "explore": "explore", "validity": "validity", "curriculum": "curriculum", "refine": "refine"})
	evaluate := t.sub("evaluate")
	evaluate.move(critic, map[string]string{"cases": "cases", "longer": "longer"})
	t.rest("evaluate", evaluate)
	if t.take("policies", "two") == "one" {
		t["players"] = "one"
	}
	if t["opponents"] == "latest" {
		t["opponents"] = "self"
	}
	o.move(t, map[string]string{"epochs": "epochs", "advantage": "advantage"})
	o.move(magnet, map[string]string{"pull": "weight", "pull_to": "kind"})
	o.move(critic, map[string]string{"data": "data", "restart": "restart", "players": "source"})
	name, imitate, soft := o.take("name", "online"), o.take("imitate", 0.15), o.take("soft", nil)
	clip := o.take("clip", 0.2)
	from, loss := "games", fmt.Sprintf("ppo(clip=%v)", clip)
	switch name {
	case "offline":
		from, loss = "rounds", fmt.Sprintf("spc(clip=%v,imitate=%v)", clip, imitate)
	case "replay":
		from = "rounds"
	case "best-response":
		if loss = "best-response"; soft != nil {
			loss = fmt.Sprintf("best-response(soft=%v)", soft)
		}
	}
	t["learn"] = []any{entry(from, loss)}
	t.rest("objective", o)
	t.rest("magnet", magnet)
	t.rest("critic", critic)
}

// moved says what settings of version 1 are now.
var moved = map[string]string{
	"objective.name":        "--set 'learn=[{from: games, loss: ppo}]'",
	"objective.clip":        "--set 'learn=[{from: games, loss: ppo(clip=0.2)}]'",
	"objective.epochs":      "--set epochs=2",
	"objective.minibatches": "--set minibatches=1",
	"objective.entropy":     "--set entropy=0.01",
	"objective.value":       "--set value=1",
	"objective.magnet":      "--set magnet.weight=0.05",
	"objective.pull":        "--set magnet.weight=0.3",
	"objective.pull_to":     "--set magnet.kind=uniform",
	"objective.advantage":   "--set advantage=rae",
	"objective.data":        "--set critic.data=16384",
	"objective.restart":     "--set critic.restart=true",
	"objective.players":     "--set critic.source=DIR",
	"objective.imitate":     "--set 'learn=[{from: rounds, loss: spc(imitate=0.15)}]'",
	"objective.soft":        "--set 'learn=[{from: games, loss: best-response(soft=0.1)}]'",
	"search.learn":          "--set 'learn=[{from: search, loss: visits}]'",
	"search.file":           "--set 'learn=[{from: file(pairs.parquet), loss: dpo}]'",
	"preferences.objective": "--set 'learn=[{from: preferences, loss: inpo}]'",
	"policies":              "--set players=one",
	"warmup":                "--set critic.warmup=200",
	"rounds":                "--set critic.rounds=3",
	"sneaky":                "--set critic.sneaky=learn",
	"explore":               "--set critic.explore=0.25",
	"validity":              "--set critic.validity=exact",
	"curriculum":            "--set critic.curriculum=uniform",
	"refine":                "--set critic.refine=none",
	"evaluate.cases":        "--set critic.cases=200",
	"evaluate.longer":       "--set critic.longer=GAME",
	"kind":                  "method: critic",
}

// Moved says what has become of a setting of version 1, where path is one or lies
// below one.
func Moved(path string) (now string, ok bool) {
	for ; path != ""; path, _, _ = cutLast(path) {
		if now, ok = moved[path]; ok {
			return now, true
		}
	}
	return "", false
}

func cutLast(path string) (before, after string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
