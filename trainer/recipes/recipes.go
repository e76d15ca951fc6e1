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

//go:embed *.yaml
var files embed.FS

// Head is what tells recipes apart before they are read whole.
type Head struct {
	Version int    `yaml:"version"`
	Method  string `yaml:"method"`
	Kind    string `yaml:"kind"` // of version 1: none, or spc
}

// HeadOf reads the head of a YAML text; of a text that is none it is empty, and what
// is wrong with it is left to whoever reads all of it.
func HeadOf(text []byte) (h Head) {
	if yaml.Unmarshal(text, &h) != nil {
		return Head{}
	}
	return h
}

// Names lists the recipes, or those of a method where one is given.
func Names(method ...string) []string {
	entries, err := files.ReadDir(".")
	if err != nil { // an embedded folder is always there
		return nil
	}
	var names []string
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err == nil && (len(method) == 0 || slices.Contains(method, HeadOf(text).Method)) {
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
