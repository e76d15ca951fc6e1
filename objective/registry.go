package objective

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agon-rl/agon/internal/spec"
)

// Entry is a published objective: where it comes from, what it needs, and its
// settings with their constants.
type Entry struct {
	Name    string
	Title   string
	ArXiv   string // "" where it was never there
	Aliases []string
	// Family says which part of the formula makes it: pair (a shape of one
	// difference), separable (a sum over both answers), batch (answers sorted or
	// shifted over a batch), terms (a pair loss and a term beside it), list.
	Family string
	// References names what its answers are compared with, in the order in which
	// their log-probabilities are given; empty where there is none.
	References []string
	// Margin says that a pair is given by how much its chosen answer should lead.
	Margin bool
	// Online says that its pairs are drawn from the policy as it is.
	Online bool
	// Source says from what the formula was taken.
	Source string
	// Equal are equalities to others, Notes what else one should know, such as
	// differences between TRL's versions.
	Equal []string
	Notes []string

	// A base of the formula, of pairs or of lists, to which the parameters are applied.
	params params
	pair   Pair
	list   List
}

// Objective is an entry with its settings: a loss of pairs or of lists.
type Objective struct {
	Entry *Entry
	Pair  Pair
	List  List

	values map[string]value // of the entry's parameters
}

// OfLists tells whether it is a loss of lists of answers.
func (o Objective) OfLists() bool { return o.List.Shape != "" }

// Formula is the loss with its settings filled in, a line a definition: w is the
// chosen answer, l the rejected, P the label of the pair.
func (o Objective) Formula() []string {
	if o.OfLists() {
		return o.List.formula(o.Entry.References)
	}
	return o.Pair.formula(o.Entry.References)
}

// Setting is one setting of an objective, as it stands.
type Setting struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	Value   string   `json:"value"`
	Default string   `json:"default"`
	Range   string   `json:"range"`
	Help    string   `json:"help"`
}

// Settings lists the settings with their values.
func (o Objective) Settings() (out []Setting) {
	for _, p := range o.Entry.params {
		out = append(out, Setting{
			Name: p.name, Aliases: p.aliases, Value: p.text(o.values[p.name]), Default: p.text(p.value), Range: p.rangeText(), Help: p.help,
		})
	}
	return out
}

// Needs is what data an objective wants beside the policy's log-probabilities.
type Needs struct {
	References []string `json:"references"`          // in their order; empty for none
	Scores     string   `json:"scores,omitempty"`    // q, n or target, and what they mean
	Margin     bool     `json:"margin,omitempty"`    // by how much the chosen answer should lead
	Extra      string   `json:"extra,omitempty"`     // what the third answer is
	Online     bool     `json:"online"`              // pairs come from the policy as it is
	Normalised bool     `json:"per_token,omitempty"` // gradients are in the mean log-probability
}

// Needs returns what the objective wants.
func (o Objective) Needs() Needs {
	n := Needs{References: o.Entry.References, Margin: o.Entry.Margin, Online: o.Entry.Online, Normalised: o.Pair.PerToken}
	if o.OfLists() {
		n.Scores = "a score of every answer"
		return n
	}
	switch o.Pair.Label {
	case "visits":
		n.Scores = "n: how often a search tried both, or target"
	case "q", "difference":
		n.Scores = "q: values or win rates of both, or target"
	case "scores":
		n.Scores = "q: scores of both, a tie at 0"
	}
	if o.Pair.Alpha != 0 {
		n.Scores = "q: values of both, or margin"
		if o.Pair.isReward() {
			n.Scores = "q: rewards of both"
		}
	}
	switch {
	case o.Pair.Third != 0 && o.Pair.Pessimism:
		n.Extra = "a calibration sample; the chosen answer where there is none"
	case o.Pair.Third != 0 && o.Pair.ThirdOf == "nll":
		n.Extra = "a third answer, the best one, to imitate"
	case o.Pair.Third != 0 && o.Pair.ThirdOf == "kl":
		n.Extra = "a sample of the policy itself"
	case o.Pair.Third != 0:
		n.Extra = "a sample of the policy or of the reference"
	case o.Pair.DeltaOf == "extra":
		n.Extra = "an answer to another prompt, for the KL; may be left out"
	}
	return n
}

// Entries lists all objectives in the order in which they are shown.
func Entries() []*Entry { return entries }

// Find returns the entry of a name, an alias, TRL's name or an arXiv id. An
// acronym that names several is refused with their names.
func Find(name string) (*Entry, error) {
	key := canonical(name)
	if e := byName[key]; e != nil {
		return e, nil
	}
	if c, ok := clashes[key]; ok {
		return nil, fmt.Errorf("preference objective %q names several: %s", name, c)
	}
	if key == "" {
		return nil, fmt.Errorf("preference objective %q: expected a name such as dpo (agon objectives list)", name)
	}
	return nil, fmt.Errorf("preference objective %q is unknown%s; agon objectives list shows all %d", name, spec.Suggest(key, allNames), len(entries))
}

// canonical makes spellings equal: apo_zero, APO-zero, arXiv:2305.18290.
func canonical(name string) string {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	return strings.TrimPrefix(strings.TrimPrefix(name, "arxiv:"), "arxiv-")
}

// Get returns the objective of a spec: dpo, inpo(eta=0.01), 2405.00675.
func Get(text string) (Objective, error) {
	s, err := parse(text)
	if err != nil {
		return Objective{}, fmt.Errorf("preference objective %w", err)
	}
	return with(s.Name, s.Args)
}

// parse reads a spec, whose name may be an arXiv id with its prefix.
func parse(text string) (spec.Spec, error) {
	if id, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(text)), "arxiv:"); ok {
		text = id
	}
	return spec.Parse(text)
}

// with returns the objective of a name with settings. Settings without a name come
// in the order in which they are listed.
func with(name string, args []spec.Arg) (Objective, error) {
	e, err := Find(name)
	if err != nil {
		return Objective{}, err
	}
	fail := func(err error) (Objective, error) {
		return Objective{}, fmt.Errorf("preference objective %s: %w", name, err)
	}
	o := Objective{Entry: e, Pair: e.pair, List: e.list, values: map[string]value{}}
	for _, a := range args {
		p, err := e.params.find(a, o.values)
		if err != nil {
			return fail(err)
		}
		if _, twice := o.values[p.name]; twice {
			return fail(fmt.Errorf("%s is given twice", p.name))
		}
		if o.values[p.name], err = p.parse(a.Key, a.Value); err != nil {
			return fail(err)
		}
	}
	for _, p := range e.params {
		if _, given := o.values[p.name]; !given {
			o.values[p.name] = p.value
		}
	}
	// What no parameter sets.
	o.Pair.Name, o.List.Name, o.Pair.Parts = e.Name, e.Name, slices.Clone(e.pair.Parts)
	o.Pair.Shape, o.Pair.Beta = cmp.Or(e.pair.Shape, "sigmoid"), cmp.Or(e.pair.Beta, 0.1)
	o.Pair.Scale, o.Pair.Temperature = cmp.Or(e.pair.Scale, 1), 1
	for _, p := range e.params {
		p.apply(&o, o.values[p.name])
	}
	if o.OfLists() {
		return o, o.List.Validate()
	}
	return o, o.Pair.Validate()
}

var (
	byName   = map[string]*Entry{}
	allNames []string
)

func init() {
	for _, e := range entries {
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			byName[canonical(name)] = e
			if !isID(name) {
				allNames = append(allNames, name)
			}
		}
	}
}

// isID tells arXiv ids from names.
func isID(name string) bool { return strings.Contains(name, ".") }

// Clash is what an acronym names, where it names several methods.
type Clash struct {
	Acronym string `json:"acronym"`
	Names   string `json:"names"`
}

// Clashes lists the acronyms that Find refuses.
func Clashes() (out []Clash) {
	for _, a := range slices.Sorted(maps.Keys(clashes)) {
		if !isID(a) {
			out = append(out, Clash{Acronym: a, Names: clashes[a]})
		}
	}
	return out
}

// Clash is the line on the acronym that begins an entry's name; "" where it is clear.
func (e *Entry) Clash() string {
	first, _, _ := strings.Cut(e.Name, "-")
	return clashes[first]
}
