// Package recipes holds the recipes that come with Agon.
package recipes

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/internal/spec"
)

// Kinds of recipe.
const (
	Training = ""    // of package trainer: agon train
	SPC      = "spc" // of package spc: agon spc train
)

//go:embed *.yaml
var files embed.FS

// Kind tells which kind of recipe a YAML text is: what it says under kind, else
// Training.
func Kind(text []byte) string {
	kind, _ := kindOf(text)
	return kind
}

// kindOf is Kind; readable is false where the text is no YAML.
func kindOf(text []byte) (kind string, readable bool) {
	var head struct {
		Kind string `yaml:"kind"`
	}
	readable = yaml.Unmarshal(text, &head) == nil
	return head.Kind, readable
}

// Expect refuses a recipe of another kind, saying which verb takes it. What is wrong
// with a text that is no YAML is left to whoever reads all of it.
func Expect(kind string, text []byte) error {
	switch given, readable := kindOf(text); {
	case given == kind || !readable:
		return nil
	case given == Training:
		return fmt.Errorf("recipe: no kind: expected kind: %s; a recipe without a kind, and its run, belong to agon train", kind)
	case given == SPC:
		return fmt.Errorf("recipe: kind: spc: a recipe of this kind, and its run, belong to agon spc train")
	default:
		return fmt.Errorf("recipe: kind: %q: expected none, or spc%s", given, spec.Suggest(given, []string{SPC}))
	}
}

// Names lists the recipes of the given kinds; of all where none is given.
func Names(kinds ...string) []string {
	entries, err := files.ReadDir(".")
	if err != nil { // an embedded folder is always there
		return nil
	}
	var names []string
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err == nil && (len(kinds) == 0 || slices.Contains(kinds, Kind(text))) {
			names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
		}
	}
	return names
}

// Read returns the recipe of a name, or an error with the nearest one.
func Read(name string) ([]byte, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("unknown recipe %q%s; there are %s, or name a file ending in .yaml", name, spec.Suggest(name, Names()), strings.Join(Names(), ", "))
	}
	return text, nil
}
