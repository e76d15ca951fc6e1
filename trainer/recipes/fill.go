package recipes

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/internal/spec"
)

// Section is a part of a recipe that belongs to whoever reads it: settings, a pointer
// to a struct, below a name of their own.
type Section struct {
	Name     string
	Settings any
}

// Fill sets what a YAML text names in a recipe, a pointer to a struct, and in its
// section, if it has a name, and then settings of the form path=value, such as
// magnet.weight=0.1. Unknown names are refused with the nearest right one; errors begin
// with the kind, such as recipe.
func Fill(kind string, recipe any, section Section, text []byte, settings []string) error {
	whole := Join(recipe, section)
	if err := fill(kind, whole.Interface(), text, settings); err != nil {
		return err
	}
	reflect.ValueOf(recipe).Elem().Set(whole.Elem().Field(0))
	if section.Name != "" {
		reflect.ValueOf(section.Settings).Elem().Set(whole.Elem().Field(1))
	}
	return nil
}

// Join returns a pointer to a struct that holds a copy of the recipe and, below its
// name, of its section, as they are written and read.
func Join(recipe any, section Section) reflect.Value {
	r := reflect.ValueOf(recipe).Elem()
	fields := []reflect.StructField{{Name: "Recipe", Type: r.Type(), Tag: `yaml:",inline"`}}
	if section.Name != "" {
		fields = append(fields, reflect.StructField{
			Name: "Section", Type: reflect.TypeOf(section.Settings).Elem(), Tag: reflect.StructTag(fmt.Sprintf("yaml:%q", section.Name)),
		})
	}
	whole := reflect.New(reflect.StructOf(fields))
	whole.Elem().Field(0).Set(r)
	if section.Name != "" {
		whole.Elem().Field(1).Set(reflect.ValueOf(section.Settings).Elem())
	}
	return whole
}

func fill(kind string, recipe any, text []byte, settings []string) error {
	if err := overlay(kind, recipe, text); err != nil {
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
		if err := overlay(kind, recipe, []byte(doc.String())); err != nil {
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
func overlay(kind string, dst any, text []byte) error {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("%s: %s", kind, oneLine(err))
	}
	if len(tree) == 0 { // which would set everything to zero
		return nil
	}
	if err := checkTree(kind, "", tree, reflect.TypeOf(dst).Elem()); err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(text, dst, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %s", kind, oneLine(err))
	}
	return nil
}

func checkTree(kind, prefix string, tree map[string]any, t reflect.Type) error {
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
		if now, was := Moved(firstLeaf(prefix+key, tree[key])); !ok && was && kind == "recipe" {
			return fmt.Errorf("%s: %s was a setting of version 0.1; now it is %s", kind, firstLeaf(prefix+key, tree[key]), now)
		}
		if !ok && strings.HasSuffix(key, ")") {
			return fmt.Errorf("%s: %s: a text was cut at its comma: put it in quotes, such as loss: \"inpo(eta=0.2,ratio=0.1)\"", kind, prefix+key)
		}
		if !ok {
			return fmt.Errorf("%s: unknown setting %q%s; there are %s", kind, prefix+key, suggest(key, names, fields), strings.Join(names, ", "))
		}
		sub, isTree := tree[key].(map[string]any)
		if field.Kind() == reflect.Struct != isTree && tree[key] != nil {
			if expected := unlike(tree[key], field); isTree && expected != "" {
				return fmt.Errorf("%s: %s: expected %s", kind, prefix+key, expected)
			}
			if isTree {
				return fmt.Errorf("%s: %s: expected a value, not settings", kind, prefix+key)
			}
			return fmt.Errorf("%s: %s: expected settings below it, such as %s.%s", kind, prefix+key, prefix+key, firstOf(fieldsOf(field)))
		}
		if expected := unlike(tree[key], field); expected != "" {
			return fmt.Errorf("%s: %s: %v: expected %s", kind, prefix+key, tree[key], expected)
		}
		if isTree {
			if err := checkTree(kind, prefix+key+".", sub, field); err != nil {
				return err
			}
		}
		if err := checkList(kind, prefix+key, tree[key], field); err != nil {
			return err
		}
	}
	return nil
}

// firstLeaf is the path of the first setting at or below a path.
func firstLeaf(path string, value any) string {
	below, ok := value.(map[string]any)
	if !ok || len(below) == 0 {
		return path
	}
	first := slices.Min(slices.Collect(maps.Keys(below)))
	return firstLeaf(path+"."+first, below[first])
}

// checkList is checkTree of the entries of a list of settings.
func checkList(kind, path string, list any, t reflect.Type) error {
	entries, isList := list.([]any)
	if !isList || t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	for i, entry := range entries {
		sub, isTree := entry.(map[string]any)
		if !isTree {
			return fmt.Errorf("%s: %s: entry %d: %v: expected settings such as {%s: …}", kind, path, i+1, entry, firstOf(fieldsOf(t.Elem())))
		}
		if err := checkTree(kind, fmt.Sprintf("%s[%d].", path, i+1), sub, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

// suggest is spec.Suggest, which prefers a setting of that very name further
// down: optimizer.rate for rate.
func suggest(key string, names []string, fields map[string]reflect.Type) string {
	for _, name := range names {
		if fields[name].Kind() != reflect.Struct {
			continue
		}
		if _, ok := fieldsOf(fields[name])[key]; ok {
			return fmt.Sprintf(", did you mean %q?", name+"."+key)
		}
	}
	return spec.Suggest(key, names)
}

// unlike says what was expected in place of a value of another kind, and nothing
// where the value fits or is judged later. The YAML library would cut 1.5 down to
// 1, and name Go's types where it refuses.
func unlike(value any, field reflect.Type) string {
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	_, isFloat := value.(float64)
	text, isText := value.(string)
	_, isBool := value.(bool)
	switch field.Kind() {
	case reflect.Int, reflect.Uint64:
		if _, err := strconv.ParseInt(text, 0, 64); isFloat || isBool || isText && err != nil {
			return "a whole number"
		}
	case reflect.Float64: // to the library, 1e-08 is a text that it takes for a number
		if _, err := strconv.ParseFloat(text, 64); isBool || isText && err != nil {
			return "a number"
		}
	case reflect.Bool:
		if value != nil && !isBool {
			return "true or false"
		}
	case reflect.Slice:
		if _, isList := value.([]any); value != nil && !isList {
			if field.Elem().Kind() == reflect.Struct {
				return fmt.Sprintf("a list such as [{%s: …}]", firstOf(fieldsOf(field.Elem())))
			}
			return "a list such as [a, b]"
		}
	}
	return ""
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
		if name != "-" {
			out[name] = f.Type
		}
	}
	return out
}
