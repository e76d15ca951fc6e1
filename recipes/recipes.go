// Package recipes holds the recipes that come with Agon.
package recipes

import (
	"embed"
	"fmt"
	"strings"

	"github.com/agon-rl/agon/spec"
)

//go:embed *.yaml
var files embed.FS

// Names lists the recipes.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil { // an embedded folder is always there
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
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
