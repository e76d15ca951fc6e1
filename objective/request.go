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
	var r Request
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var all any
	if err := decoder.Decode(&all); err != nil {
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &syntax):
			return r, fmt.Errorf("column %d: not JSON: %w", syntax.Offset, err)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return r, errors.New("not JSON: it ends too early")
		}
		return r, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("more than one JSON value on a line: expected one object")
	}
	top, err := object("", all, "id", "objective", "settings", "pairs", "lists")
	if err != nil {
		return r, err
	}
	if id, ok := top["id"]; ok {
		if r.ID, err = json.Marshal(id); err != nil {
			return r, fmt.Errorf("id: %w", err)
		}
	}
	if r.Objective, err = readObjective(top); err != nil {
		return r, err
	}
	pairs, hasPairs := top["pairs"]
	given, hasLists := top["lists"]
	switch {
	case hasPairs && hasLists:
		return r, errors.New("pairs and lists: expected one of them")
	case hasLists && !r.Objective.OfLists():
		return r, fmt.Errorf("lists: objective %s is of pairs: expected \"pairs\"", r.Objective.Entry.Name)
	case hasLists:
		r.Lists, err = rows(given, "list", "at least one list of answers", r.readList)
	case !hasPairs:
		return r, errors.New("pairs: missing: expected \"pairs\":[{\"chosen\":{\"logp\":[…],\"ref\":[…]},\"rejected\":{…}}]")
	default:
		if r.Pairs, err = rows(pairs, "pair", "a list of at least one pair", r.readPair); err == nil && r.Objective.OfLists() {
			err = r.listPairs()
		}
	}
	return r, err
}

func readObjective(top map[string]any) (Objective, error) {
	value, ok := top["objective"]
	if !ok {
		return Objective{}, errors.New("objective: missing: expected a name such as \"dpo\"")
	}
	name, ok := value.(string)
	if !ok {
		return Objective{}, fmt.Errorf("objective: %s: expected a name such as \"dpo\"", kind(value))
	}
	s, err := parse(name)
	if err != nil {
		return Objective{}, fmt.Errorf("objective %w", err)
	}
	settings, err := object("settings", top["settings"])
	if err != nil && top["settings"] != nil {
		return Objective{}, err
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		text, err := settingText("settings."+key, settings[key])
		if err != nil {
			return Objective{}, err
		}
		s.Args = append(s.Args, spec.Arg{Key: key, Value: text})
	}
	return with(s.Name, s.Args)
}

func settingText(path string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	case []any:
		x, err := numbers(path, v)
		if err != nil {
			return "", err
		}
		return listed(x), nil
	}
	return "", fmt.Errorf("%s: %s: expected a number, a word or a list of numbers", path, kind(v))
}

// rows reads a batch, whose errors count from 1.
func rows[T any](v any, one, want string, read func(row any) (T, error)) ([]T, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%ss: %s: expected %s", one, kind(v), want)
	}
	out := make([]T, len(list))
	for i, row := range list {
		var err error
		if out[i], err = read(row); err != nil {
			return nil, fmt.Errorf("%s %d: %w", one, i+1, err)
		}
	}
	return out, nil
}

func (r *Request) readPair(v any) (Preference, error) {
	var e Preference
	fields, err := object("", v, "chosen", "rejected", "extra", "target", "margin", "weight", "q", "n")
	if err != nil {
		return e, err
	}
	for _, side := range []struct {
		name string
		into *Sequence
	}{{"chosen", &e.Chosen}, {"rejected", &e.Rejected}, {"extra", nil}} {
		value, ok := fields[side.name]
		switch {
		case !ok && side.into == nil:
			continue
		case !ok:
			return e, fmt.Errorf("%s: missing: expected {\"logp\":[…],\"ref\":[…]}", side.name)
		}
		s, err := r.readSequence(side.name, value)
		if err != nil {
			return e, err
		}
		if side.into == nil {
			e.Extra = &s
		} else {
			*side.into = s
		}
	}
	for _, x := range []struct {
		name string
		into **float64
	}{{"target", &e.Target}, {"margin", &e.Margin}, {"weight", &e.Weight}} {
		value, ok := fields[x.name]
		if !ok {
			continue
		}
		f, err := number(x.name, value)
		if err != nil {
			return e, err
		}
		*x.into = &f
	}
	for _, x := range []struct {
		name string
		into **[2]float64
	}{{"q", &e.Q}, {"n", &e.N}} {
		value, ok := fields[x.name]
		if !ok {
			continue
		}
		f, err := numbers(x.name, value)
		if err != nil {
			return e, err
		}
		if len(f) != 2 {
			return e, fmt.Errorf("%s: %d numbers: expected two, the chosen one's and the rejected one's", x.name, len(f))
		}
		*x.into = &[2]float64{f[0], f[1]}
	}
	return e, nil
}

func (r *Request) readSequence(path string, v any) (Sequence, error) {
	var s Sequence
	fields, err := object(path, v, "logp", "ref")
	if err != nil {
		return s, err
	}
	value, ok := fields["logp"]
	if !ok {
		return s, fmt.Errorf("%s.logp: missing: expected the log-probability of every token", path)
	}
	if s.LogP, err = numbers(path+".logp", value); err != nil {
		return s, err
	}
	if value, ok = fields["ref"]; ok {
		rows, ok := value.([]any)
		if !ok {
			return s, fmt.Errorf("%s.ref: %s: expected a list of numbers, or one such list a reference", path, kind(value))
		}
		if len(rows) > 0 {
			if _, nested := rows[0].([]any); !nested {
				rows = []any{value}
			}
		}
		for _, row := range rows {
			ref, err := numbers(path+".ref", row)
			if err != nil {
				return s, err
			}
			s.Ref = append(s.Ref, ref)
		}
	}
	for _, x := range append([][]float64{s.LogP}, s.Ref...) {
		r.Positive = r.Positive || slices.ContainsFunc(x, func(v float64) bool { return v > 0 })
	}
	return s, nil
}

func (r *Request) readList(v any) (Listing, error) {
	var l Listing
	fields, err := object("", v, "answers", "scores", "weight")
	if err != nil {
		return l, err
	}
	answers, ok := fields["answers"].([]any)
	if !ok {
		return l, errors.New("answers: missing: expected \"answers\":[{\"logp\":[…],\"ref\":[…]},…]")
	}
	for k, a := range answers {
		s, err := r.readSequence(fmt.Sprintf("answer %d", k+1), a)
		if err != nil {
			return l, err
		}
		l.Answers = append(l.Answers, s)
	}
	scores, ok := fields["scores"]
	if !ok {
		return l, errors.New("scores: missing: expected \"scores\":[…], one an answer")
	}
	if l.Scores, err = numbers("scores", scores); err != nil {
		return l, err
	}
	if w, ok := fields["weight"]; ok {
		f, err := number("weight", w)
		if err != nil {
			return l, err
		}
		l.Weight = &f
	}
	return l, nil
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
		case r.Objective.List.Temperature > 0 && (r.Objective.List.Shape == "infonca" || r.Objective.List.Shape == "nca"):
			return fmt.Errorf("pair %d: q: missing: objective %s wants the scores of both, \"q\":[w,l]", i+1, r.Objective.Entry.Name)
		}
		r.Lists = append(r.Lists, Listing{Answers: []Sequence{e.Chosen, e.Rejected}, Scores: scores, Weight: e.Weight})
	}
	return nil
}

// Evaluate returns the report: gradients of the mean loss, or of the losses' sum.
func (r Request) Evaluate(sum bool) (Report, error) {
	out := Report{ID: r.ID}
	scale := 1.0
	if r.Objective.OfLists() {
		result, err := r.Objective.List.Evaluate(r.Lists)
		if err != nil {
			return out, err
		}
		if sum {
			scale = float64(len(r.Lists))
		}
		out.Loss, out.Losses = result.Loss, result.Losses
		for i, g := range result.Grads {
			for k := range g {
				g[k] = finite(g[k] * scale)
			}
			if len(r.Pairs) > 0 {
				out.Grads = append(out.Grads, Slopes{Chosen: result.Grads[i][0], Rejected: result.Grads[i][1]})
				continue
			}
			out.Grads = append(out.Grads, g)
		}
		return out, nil
	}
	result, err := r.Objective.Pair.Evaluate(r.Pairs)
	if err != nil {
		return out, err
	}
	if sum {
		scale = float64(len(r.Pairs))
	}
	out.Loss, out.Losses = result.Loss, result.Losses
	for i, g := range result.Grads {
		s := Slopes{Chosen: finite(g.Chosen * scale), Rejected: finite(g.Rejected * scale)}
		if r.Pairs[i].Extra != nil {
			extra := finite(g.Extra * scale)
			s.Extra = &extra
		}
		out.Grads = append(out.Grads, s)
	}
	return out, nil
}

// object is v's fields, all of which are known; any are, where none are named.
func object(path string, v any, known ...string) (map[string]any, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%sexpected an object, found %s", prefixed(path), kind(v))
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if len(known) > 0 && !slices.Contains(known, key) {
			return nil, fmt.Errorf("%sunknown field %q%s", prefixed(path), key, spec.Suggest(key, known))
		}
	}
	return fields, nil
}

func prefixed(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func numbers(path string, v any) ([]float64, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: %s: expected a list of numbers", path, kind(v))
	}
	out := make([]float64, len(list))
	for i, x := range list {
		f, err := number(fmt.Sprintf("%s: number %d", path, i+1), x)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}

func number(path string, v any) (float64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%s: %s: expected a number", path, kind(v))
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%s: %s: expected a finite number", path, n)
	}
	return f, nil
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
