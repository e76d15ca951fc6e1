package objective

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/agon-rl/agon/internal/spec"
)

// Request is one line of `agon objectives eval`: an objective and a batch to
// evaluate it on.
type Request struct {
	ID        json.RawMessage // as it came; nil where there is none
	Objective Objective
	Pairs     []Preference
	Lists     []Listing
	// Positive tells that a log-probability is above 0, which those of tokens never
	// are.
	Positive bool
}

// Report is what a request comes to: losses by pair or list, their mean, and its
// gradients by answer.
type Report struct {
	ID     json.RawMessage `json:"id"`
	Loss   float64         `json:"loss"`
	Losses []float64       `json:"losses"`
	Grads  []any           `json:"grads"` // Slopes a pair, []float64 a list
}

// Slopes are a pair's gradients in a report.
type Slopes struct {
	Chosen   float64  `json:"chosen"`
	Rejected float64  `json:"rejected"`
	Extra    *float64 `json:"extra,omitempty"` // where the pair has a third answer
}

// ParseRequest reads a line
//
//	{"id": …, "objective": "dpo", "settings": {"beta": 0.1},
//	 "pairs": [{"chosen": {"logp": […], "ref": […]}, "rejected": {…}, "extra": {…},
//	            "target": …, "margin": …, "weight": …, "q": [w, l], "n": [w, l]}]}
//
// with log-probabilities by token. ref may be a list of such lists, one a
// reference. Objectives of lists take "lists": [{"answers": [{"logp", "ref"}, …],
// "scores": […], "weight": …}] too. An error says where it lies.
func ParseRequest(line []byte) (Request, error) {
	all, err := decode(line)
	if err != nil {
		return Request{}, err
	}
	var r reader
	top := r.object("", all, "id", "objective", "settings", "pairs", "lists")
	if r.err != nil {
		return Request{}, r.err
	}
	var out Request
	if id, ok := top["id"]; ok {
		if out.ID, err = json.Marshal(id); err != nil {
			return out, fmt.Errorf("id: %w", err)
		}
	}
	if out.Objective, err = r.objective(top); err != nil {
		return out, err
	}
	pairs, hasPairs := top["pairs"]
	lists, hasLists := top["lists"]
	switch {
	case hasPairs && hasLists:
		r.fail("pairs and lists: expected one of them")
	case hasLists && !out.Objective.OfLists():
		r.fail("lists: objective %s is of pairs: expected \"pairs\"", out.Objective.Entry.Name)
	case hasLists:
		out.Lists = rows(&r, lists, "list", "at least one list of answers", r.listing)
	case !hasPairs:
		r.fail("pairs: missing: expected \"pairs\":[{\"chosen\":{\"logp\":[…],\"ref\":[…]},\"rejected\":{…}}]")
	default:
		if out.Pairs = rows(&r, pairs, "pair", "a list of at least one pair", r.preference); r.err == nil && out.Objective.OfLists() {
			r.err = out.listPairs()
		}
	}
	out.Positive = r.positive
	return out, r.err
}

// decode reads the one JSON value of a line, with numbers as they stand.
func decode(line []byte) (all any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &syntax):
			return nil, fmt.Errorf("column %d: not JSON: %w", syntax.Offset, err)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return nil, errors.New("not JSON: it ends too early")
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value on a line: expected one object")
	}
	return all, nil
}

// listPairs makes lists of two of the pairs: scored by q, else 1 and 0.
func (r *Request) listPairs() error {
	for i, e := range r.Pairs {
		scores := []float64{1, 0}
		switch {
		case e.Target != nil || e.Margin != nil || e.N != nil || e.Extra != nil:
			return fmt.Errorf("pair %d: objective %s is of lists: a pair has chosen, rejected, q and weight", i+1, r.Objective.Entry.Name)
		case e.Q != nil:
			scores = e.Q[:]
		case r.Objective.List.softens():
			return fmt.Errorf("pair %d: q: missing: objective %s wants the scores of both, \"q\":[w,l]", i+1, r.Objective.Entry.Name)
		}
		r.Lists = append(r.Lists, Listing{Answers: []Sequence{e.Chosen, e.Rejected}, Scores: scores, Weight: e.Weight})
	}
	return nil
}

// Evaluate returns the report: gradients of the mean loss, or of the losses' sum.
func (r Request) Evaluate(sum bool) (Report, error) {
	out, n := Report{ID: r.ID}, 1.0
	if sum {
		n = float64(max(len(r.Pairs), len(r.Lists)))
	}
	if r.Objective.OfLists() {
		result, err := r.Objective.List.Evaluate(r.Lists)
		if err != nil {
			return out, err
		}
		out.Loss, out.Losses = result.Loss, result.Losses
		for _, g := range result.Grads {
			g = scaled(g, n)
			if len(r.Pairs) > 0 {
				out.Grads = append(out.Grads, Slopes{Chosen: g[0], Rejected: g[1]})
			} else {
				out.Grads = append(out.Grads, g)
			}
		}
		return out, nil
	}
	result, err := r.Objective.Pair.Evaluate(r.Pairs)
	if err != nil {
		return out, err
	}
	out.Loss, out.Losses = result.Loss, result.Losses
	for i, g := range result.Grads {
		s := Slopes{Chosen: finite(g.Chosen * n), Rejected: finite(g.Rejected * n)}
		if r.Pairs[i].Extra != nil {
			extra := finite(g.Extra * n)
			s.Extra = &extra
		}
		out.Grads = append(out.Grads, s)
	}
	return out, nil
}

// reader takes JSON values apart. It notes the first error, with the path to it, and
// reads nothing of use after that.
type reader struct {
	err      error
	positive bool // a log-probability is above 0
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// within is a path of a field's name, which may stand at the top.
func within(path, name string) string {
	if path == "" {
		return name
	}
	return path + ": " + name
}

// object is v's fields, all of which are known; any are, where none are named.
func (r *reader) object(path string, v any, known ...string) map[string]any {
	fields, ok := v.(map[string]any)
	if !ok {
		r.fail("%s, found %s", within(path, "expected an object"), kind(v))
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if len(known) > 0 && !slices.Contains(known, key) {
			r.fail("%s %q%s", within(path, "unknown field"), key, spec.Suggest(key, known))
		}
	}
	return fields
}

func (r *reader) number(path string, v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		r.fail("%s: %s: expected a number", path, kind(v))
		return 0
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || math.IsInf(f, 0) {
		r.fail("%s: %s: expected a finite number", path, n)
	}
	return f
}

func (r *reader) numbers(path string, v any) []float64 {
	list, ok := v.([]any)
	if !ok {
		r.fail("%s: %s: expected a list of numbers", path, kind(v))
	}
	out := make([]float64, len(list))
	for i, x := range list {
		out[i] = r.number(fmt.Sprintf("%s: number %d", path, i+1), x)
	}
	return out
}

// optional is a number that may be missing.
func (r *reader) optional(path string, fields map[string]any, name string) *float64 {
	v, ok := fields[name]
	if !ok {
		return nil
	}
	x := r.number(within(path, name), v)
	return &x
}

// both are two numbers that may be missing.
func (r *reader) both(path string, fields map[string]any, name string) *[2]float64 {
	v, ok := fields[name]
	if !ok {
		return nil
	}
	x := r.numbers(within(path, name), v)
	if len(x) != 2 {
		r.fail("%s: %d numbers: expected two, the chosen one's and the rejected one's", within(path, name), len(x))
		return nil
	}
	return &[2]float64{x[0], x[1]}
}

// objective is a name, which may be a spec, with settings.
func (r *reader) objective(top map[string]any) (Objective, error) {
	given, ok := top["objective"]
	name, named := given.(string)
	switch {
	case !ok:
		return Objective{}, errors.New("objective: missing: expected a name such as \"dpo\"")
	case !named:
		return Objective{}, fmt.Errorf("objective: %s: expected a name such as \"dpo\"", kind(given))
	}
	s, err := parse(name)
	if err != nil {
		return Objective{}, fmt.Errorf("objective %w", err)
	}
	if top["settings"] != nil {
		settings := r.object("settings", top["settings"])
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			s.Args = append(s.Args, spec.Arg{Key: key, Value: r.setting("settings."+key, settings[key])})
		}
	}
	if r.err != nil {
		return Objective{}, r.err
	}
	return with(s.Name, s.Args)
}

// setting is a setting as a spec has it.
func (r *reader) setting(path string, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case []any:
		return listed(r.numbers(path, v))
	}
	r.fail("%s: %s: expected a number, a word or a list of numbers", path, kind(v))
	return ""
}

// rows reads a batch, whose errors count from 1.
func rows[T any](r *reader, v any, one, want string, read func(path string, row any) T) []T {
	list, _ := v.([]any)
	if len(list) == 0 {
		r.fail("%ss: %s: expected %s", one, kind(v), want)
	}
	out := make([]T, len(list))
	for i, row := range list {
		out[i] = read(fmt.Sprintf("%s %d", one, i+1), row)
	}
	return out
}

func (r *reader) preference(path string, v any) Preference {
	fields := r.object(path, v, "chosen", "rejected", "extra", "target", "margin", "weight", "q", "n")
	answer := func(side string) (s Sequence) {
		v, ok := fields[side]
		if !ok {
			r.fail("%s: missing: expected {\"logp\":[…],\"ref\":[…]}", within(path, side))
			return s
		}
		return r.sequence(within(path, side), v)
	}
	p := Preference{Chosen: answer("chosen"), Rejected: answer("rejected")}
	if _, ok := fields["extra"]; ok {
		extra := answer("extra")
		p.Extra = &extra
	}
	p.Target, p.Margin, p.Weight = r.optional(path, fields, "target"), r.optional(path, fields, "margin"), r.optional(path, fields, "weight")
	p.Q, p.N = r.both(path, fields, "q"), r.both(path, fields, "n")
	return p
}

func (r *reader) sequence(path string, v any) (s Sequence) {
	fields := r.object(path, v, "logp", "ref")
	logp, ok := fields["logp"]
	if !ok {
		r.fail("%s.logp: missing: expected the log-probability of every token", path)
		return s
	}
	s.LogP = r.numbers(path+".logp", logp)
	if ref, ok := fields["ref"]; ok {
		rows, ok := ref.([]any)
		if !ok {
			r.fail("%s.ref: %s: expected a list of numbers, or one such list a reference", path, kind(ref))
		}
		if len(rows) > 0 {
			if _, nested := rows[0].([]any); !nested {
				rows = []any{ref}
			}
		}
		for _, row := range rows {
			s.Ref = append(s.Ref, r.numbers(path+".ref", row))
		}
	}
	for _, x := range append([][]float64{s.LogP}, s.Ref...) {
		r.positive = r.positive || slices.ContainsFunc(x, func(v float64) bool { return v > 0 })
	}
	return s
}

func (r *reader) listing(path string, v any) (l Listing) {
	fields := r.object(path, v, "answers", "scores", "weight")
	answers, ok := fields["answers"].([]any)
	if !ok {
		r.fail("%s: missing: expected \"answers\":[{\"logp\":[…],\"ref\":[…]},…]", within(path, "answers"))
	}
	for k, a := range answers {
		l.Answers = append(l.Answers, r.sequence(fmt.Sprintf("%s: answer %d", path, k+1), a))
	}
	scores, ok := fields["scores"]
	if !ok {
		r.fail("%s: missing: expected \"scores\":[…], one an answer", within(path, "scores"))
	}
	l.Scores, l.Weight = r.numbers(within(path, "scores"), scores), r.optional(path, fields, "weight")
	return l
}

// kind names a JSON value for errors.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return strconv.Quote(v)
	case json.Number:
		return v.String()
	case []any:
		if len(v) == 0 {
			return "an empty list"
		}
		return "a list"
	}
	return "an object"
}
