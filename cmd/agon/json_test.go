package main

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json [PATH VALUE]… wants standard output to be JSON objects, one a line, and
// nothing else, and the last of them to hold the values. A path is keys and
// indices with dots between. A number may be off by 1e-9, one written as ~X by
// 1e-3.
func jsonLine(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stdout")
	if !strings.HasSuffix(text, "\n") {
		ts.Fatalf("standard output %q does not end in a line", text)
	}
	var last map[string]any
	for line := range strings.Lines(text) {
		last = nil
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			ts.Fatalf("standard output has the line %q: %v", line, err)
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		got, err := lookUp(last, args[i])
		ts.Check(err)
		if !equalJSON(got, args[i+1]) {
			ts.Fatalf("%s is %v, expected %s", args[i], got, args[i+1])
		}
	}
}

func lookUp(v any, path string) (any, error) {
	for key := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			value, ok := node[key]
			if !ok {
				return nil, fmt.Errorf("%s: no %q in %v", path, key, node)
			}
			v = value
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(node) {
				return nil, fmt.Errorf("%s: no %q in %v", path, key, node)
			}
			v = node[i]
		default:
			return nil, fmt.Errorf("%s: nothing below %v", path, v)
		}
	}
	return v, nil
}

func equalJSON(got any, want string) bool {
	tolerance := 1e-9
	if rest, ok := strings.CutPrefix(want, "~"); ok {
		want, tolerance = rest, 1e-3
	}
	var value any
	if err := json.Unmarshal([]byte(want), &value); err != nil {
		value = want
	}
	if number, ok := got.(float64); ok {
		other, ok := value.(float64)
		return ok && math.Abs(number-other) <= tolerance
	}
	return reflect.DeepEqual(got, value)
}
