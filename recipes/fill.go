package recipes

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/spec"
)

// Fill sets what a YAML text names in a recipe, a pointer to a struct, and then
// settings of the form path=value, such as objective.magnet.weight=0.1. Unknown
// names are refused with the nearest right one.
func Fill(recipe any, text []byte, settings []string) error {
	if err := overlay(recipe, text); err != nil {
		return err
	}
	for _, setting := range settings {
		path, value, ok := strings.Cut(setting, "=")
		if !ok || strings.TrimSpace(value) == "" {
			return fmt.Errorf("--set %q: expected path=value, such as optimizer.rate=0.001", setting)
		}
		parts := strings.Split(path, ".")
		var doc strings.Builder
		for i, part := range parts {
			fmt.Fprintf(&doc, "%s%s:", strings.Repeat("  ", i), part)
			if i < len(parts)-1 {
				doc.WriteByte('\n')
			}
		}
		fmt.Fprintf(&doc, " %s\n", value)
		if err := overlay(recipe, []byte(doc.String())); err != nil {
			return fmt.Errorf("--set %s: %w", setting, err)
		}
	}
	return nil
}

// oneLine keeps the first line of the YAML library's error, which goes on with
// a picture of the source.
func oneLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// overlay sets what a YAML text names, and refuses keys that a recipe does not
// have.
func overlay(dst any, text []byte) error {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("recipe: %s", oneLine(err))
	}
	if len(tree) == 0 { // which would set everything to zero
		return nil
	}
	if err := checkTree("", tree, reflect.TypeOf(dst).Elem()); err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(text, dst, yaml.Strict()); err != nil {
		return fmt.Errorf("recipe: %s", oneLine(err))
	}
	return nil
}

func checkTree(prefix string, tree map[string]any, t reflect.Type) error {
	fields := fieldsOf(t)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	keys := make([]string, 0, len(tree))
	for key := range tree {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		field, ok := fields[key]
		if !ok {
			return fmt.Errorf("recipe: unknown setting %q%s; there are %s", prefix+key, spec.Suggest(key, names), strings.Join(names, ", "))
		}
		sub, isTree := tree[key].(map[string]any)
		if field.Kind() == reflect.Struct != isTree && tree[key] != nil {
			if isTree {
				return fmt.Errorf("recipe: %s: expected a value, not settings", prefix+key)
			}
			return fmt.Errorf("recipe: %s: expected settings below it, such as %s.%s", prefix+key, prefix+key, firstOf(fieldsOf(field)))
		}
		// The YAML library would cut 1.5 down to 1.
		if n, isFloat := tree[key].(float64); isFloat && (field.Kind() == reflect.Int || field.Kind() == reflect.Uint64) {
			return fmt.Errorf("recipe: %s: %v: expected a whole number", prefix+key, n)
		}
		if isTree {
			if err := checkTree(prefix+key+".", sub, field); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstOf(fields map[string]reflect.Type) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	return slices.Min(names)
}

// fieldsOf returns a struct's fields by their YAML names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			for n, ft := range fieldsOf(f.Type) {
				out[n] = ft
			}
			continue
		}
		out[name] = f.Type
	}
	return out
}
