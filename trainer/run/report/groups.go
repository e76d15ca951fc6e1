package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/agon-rl/agon/trainer/run"
)

// group is what is drawn into one chart: measures that share a scale.
type group struct {
	Panel
	headline bool     // drawn into the pictures too
	keys     []string // of the series, in their order
}

// family says which measures go together. A measure belongs to the first
// family one of whose patterns it matches: a key, the part of a key before its
// slash, or one of the two with a * at its beginning or end.
type family struct {
	title, axis string
	patterns    []string
	log         bool
	headline    bool
}

// families are in the order in which a person wants to see them.
var families = []family{
	{"Exploitability", "exploitability", []string{"exploitability"}, true, true},
	{"NashConv", "NashConv", []string{"nash_conv"}, true, true},
	{"The critic's F1", "F1", []string{"f1"}, false, true},
	{"The critic's accuracy", "share judged right", []string{"accuracy"}, false, true},
	{"Lines that fool the critic", "share of the kind's lines", []string{"fooled"}, false, true},
	{"Errors that the critic finds", "share found", []string{"caught"}, false, false},
	{"What the sneaky player writes", "share of lines", []string{"written", "refused"}, false, false},
	{"Score", "mean score", []string{"score"}, false, true},
	{"Returns by role", "mean return", []string{"return"}, false, true},
	{"Share of wins by role", "share", []string{"wins"}, false, true},
	{"Policy entropy", "nats", []string{"entropy"}, false, true},
	{"Losses", "loss", []string{"loss", "loss_*"}, false, true},
	{"Game length", "turns", []string{"length"}, false, true},
	{"Divergences", "nats", []string{"*_kl"}, false, false},
	{"Gradient norm", "norm", []string{"gradient_norm"}, true, false},
	{"Shares", "share", []string{"clipped", "dropped", "forfeits"}, false, false},
}

// notCharted are counters, which would be straight lines.
var notCharted = []string{run.UpdateKey, "games", "round"}

// groupsOf sorts all measures into groups. Measures of no family make a group
// of their own, together with those that have the same name before a slash.
func groupsOf(lines []map[string]float64) []group {
	keys := map[string]bool{}
	for _, line := range lines {
		for key := range line {
			keys[key] = true
		}
	}
	all := slices.Clone(families)
	members := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(notCharted, key) {
			continue
		}
		i := slices.IndexFunc(all, func(f family) bool { return f.has(key) })
		if i < 0 {
			i = len(all)
			stem, _, _ := strings.Cut(key, "/")
			all = append(all, family{title: title(stem), axis: spaced(stem), patterns: []string{stem}})
		}
		members[all[i].title] = append(members[all[i].title], key)
	}
	var groups []group
	for _, f := range all {
		g := group{Panel: Panel{Title: f.title, X: "update", Y: f.axis, Log: f.log}, headline: f.headline}
		for _, key := range members[f.title] {
			if x, y := run.Series(lines, key); len(x) > 0 {
				g.keys = append(g.keys, key)
				g.Series = append(g.Series, Series{Name: label(key), X: x, Y: y})
			}
		}
		if len(g.keys) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func (f family) has(key string) bool {
	stem, _, _ := strings.Cut(key, "/")
	return slices.ContainsFunc(f.patterns, func(p string) bool {
		if rest, ok := strings.CutPrefix(p, "*"); ok {
			return strings.HasSuffix(stem, rest)
		}
		if rest, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(stem, rest)
		}
		return stem == p
	})
}

// label is a series' name: what comes behind the slash, where there is one.
func label(key string) string {
	stem, rest, _ := strings.Cut(key, "/")
	return cmp.Or(rest, spaced(stem))
}

func spaced(key string) string { return strings.ReplaceAll(key, "_", " ") }

func title(key string) string {
	text := spaced(key)
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}
