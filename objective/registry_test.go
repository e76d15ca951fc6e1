package objective_test

import (
	"strings"
	"testing"

	"github.com/agon-rl/agon/objective"
)

// Every name, alias and arXiv id leads to one objective, whatever its spelling, and
// clashes are refused with what they name.
func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, e := range objective.Entries() {
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			if seen[name] != "" {
				t.Errorf("%s names %s and %s", name, seen[name], e.Name)
			}
			seen[name] = e.Name
			for _, spelled := range []string{name, strings.ToUpper(name), strings.ReplaceAll(name, "-", "_")} {
				if got, err := objective.Find(spelled); err != nil || got != e {
					t.Errorf("%s: %v, %v, expected %s", spelled, got, err, e.Name)
				}
			}
		}
		if e.ArXiv != "" {
			if _, err := objective.Find("arXiv:" + e.ArXiv); err != nil && !strings.Contains(err.Error(), "names several") {
				t.Error(err)
			}
		}
		o, err := objective.Get(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		formula := o.Formula()
		if last := formula[len(formula)-1]; !strings.Contains(last, "L = ") {
			t.Errorf("%s: %q", e.Name, formula)
		}
		if e.Title == "" || e.Source == "" || e.Family == "" {
			t.Errorf("%+v", e)
		}
		for _, s := range o.Settings() { // the values shown can be typed
			if s.Value == "" || s.Value == "from the batch" {
				continue
			}
			if _, err := objective.Get(e.Name + "(" + s.Name + "=\"" + s.Value + "\")"); err != nil {
				t.Errorf("%s: %s=%s: %v", e.Name, s.Name, s.Value, err)
			}
		}
	}
	for _, trl := range []string{
		"sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "aot_pair", "apo_zero", "apo_down",
		"discopop", "sft", "sigmoid_norm", "simpo", "alphapo", "tpo-l", "kto", "apo_zero_unpaired",
	} {
		if _, err := objective.Find(trl); err != nil {
			t.Error(err)
		}
	}
	for _, clash := range objective.Clashes() {
		_, err := objective.Find(clash.Acronym)
		if err == nil || !strings.Contains(err.Error(), "names several") {
			t.Errorf("%s: %v", clash.Acronym, err)
		}
		for _, word := range strings.Fields(clash.Names) {
			if strings.HasPrefix(word, clash.Acronym+"-") {
				if _, err := objective.Find(strings.TrimRight(word, ",")); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestBadPairs(t *testing.T) {
	for text, want := range map[string]string{
		"dpoo":                      `"dpoo" is unknown, did you mean "dpo"`,
		"dpo(beta=0)":               "beta=0: expected a number",
		"dpo(beta=x)":               "beta=x: expected a number",
		"cdpo(smoothing=0.7)":       "smoothing=0.7: expected a number from 0 to 0.5",
		"robust-dpo(smoothing=0.5)": "smoothing=0.5: expected 0 to 0.5, less than that for robust-dpo",
		"irpo(sft=-1)":              "sft=-1: expected a number",
		"step-apo(alfa=1)":          `unknown parameter "alfa", did you mean "alpha"`,
		"dpo(beta=0.1":              "not closed|expected NAME",
		"soft-dpo(temperature=-1)":  "temperature=-1",
		"tpo-tree":                  "of lists of answers: expected one of pairs, such as dpo",
	} {
		if _, err := objective.Named(text); err == nil || !containsAny(err.Error(), strings.Split(want, "|")) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}

// A name that is none is told what one looks like.
func TestFindNothing(t *testing.T) {
	if _, err := objective.Find(" "); err == nil || !strings.Contains(err.Error(), "expected a name such as dpo") {
		t.Error(err)
	}
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
