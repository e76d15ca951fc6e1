package objective

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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

	params   []param
	template Objective
}

// Objective is an entry with its settings: a loss of pairs or of lists.
type Objective struct {
	Entry *Entry
	Pair  Pair
	List  List

	knobs knobs
}

// OfLists tells whether it is a loss of lists of answers.
func (o Objective) OfLists() bool { return o.List.Shape != "" }

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
func (o Objective) Settings() []Setting {
	var out []Setting
	for _, p := range o.Entry.params {
		out = append(out, Setting{
			Name: p.name, Aliases: p.aliases, Value: p.text(o), Default: p.text(o.Entry.template), Range: p.rangeText(), Help: p.help,
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
		if isReward(o.Pair.Shape) {
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
	o := e.template
	o.Entry = e
	o.Pair.Base, o.Pair.Parts = slices.Clone(o.Pair.Base), slices.Clone(o.Pair.Parts)
	given := map[string]bool{}
	for _, a := range args {
		p, err := e.param(a, given)
		if err != nil {
			return Objective{}, fmt.Errorf("preference objective %s: %w", name, err)
		}
		if given[p.name] {
			return Objective{}, fmt.Errorf("preference objective %s: %s is given twice", name, p.name)
		}
		given[p.name] = true
		if err := p.set(&o, a.Key, a.Value); err != nil {
			return Objective{}, fmt.Errorf("preference objective %s: %w", name, err)
		}
	}
	if err := o.settle(); err != nil {
		return Objective{}, fmt.Errorf("preference objective %s: %w", name, err)
	}
	if o.OfLists() {
		return o, o.List.Validate()
	}
	return o, o.Pair.Validate()
}

// param returns the entry's parameter of an argument's key, or the first that is not
// given where the key is empty.
func (e *Entry) param(a spec.Arg, given map[string]bool) (*param, error) {
	key := a.Key
	var names, known []string
	for i := range e.params {
		p := &e.params[i]
		if key == "" && !given[p.name] || key != "" && (p.name == key || slices.Contains(p.aliases, key)) {
			return p, nil
		}
		names = append(names, p.name)
		known = append(append(known, p.name), p.aliases...)
	}
	switch {
	case key == "":
		return nil, fmt.Errorf("unexpected argument %q", a.Value)
	case len(known) == 0:
		return nil, fmt.Errorf("unknown parameter %q: it takes none", key)
	}
	return nil, fmt.Errorf("unknown parameter %q%s; it takes %s", key, spec.Suggest(key, known), strings.Join(names, ", "))
}

// param is a setting that an objective takes: a number within [lo, hi], a word of
// a choice, or numbers.
type param struct {
	name    string
	aliases []string
	help    string
	lo, hi  float64
	choices []string
	list    bool

	number  func(*Objective) *float64
	word    func(*Objective) *string
	numbers func(*Objective) *[]float64
	// spelled translates other spellings of a word, or of a key.
	spelled map[string]string
	// flipped are aliases whose number counts the other way: value = 1 − given.
	flipped []string
}

// set reads the setting from text that was given under a key.
func (p *param) set(o *Objective, key, text string) error {
	shown := key
	if shown == "" {
		shown = p.name
	}
	switch {
	case p.list:
		fields := strings.FieldsFunc(strings.Trim(text, "[]"), func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
		var out []float64
		for _, f := range fields {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil || !(x >= p.lo && x <= p.hi) {
				return fmt.Errorf("%s=%s: expected numbers from %g to %g, such as \"0.5,0.5\"", shown, text, p.lo, p.hi)
			}
			out = append(out, x)
		}
		if len(out) == 0 {
			return fmt.Errorf("%s=%s: expected numbers, such as \"0.5,0.5\"", shown, text)
		}
		*p.numbers(o) = out
	case len(p.choices) > 0:
		if to, ok := p.spelled[text]; ok {
			text = to
		}
		if !slices.Contains(p.choices, text) {
			return fmt.Errorf("%s=%s: expected %s%s", shown, text, strings.Join(p.choices, ", "), spec.Suggest(text, p.choices))
		}
		*p.word(o) = text
	default:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= p.lo && x <= p.hi) {
			return fmt.Errorf("%s=%s: expected a number %s", shown, text, p.rangeText())
		}
		if slices.Contains(p.flipped, key) {
			x = 1 - x
		}
		*p.number(o) = x
	}
	return nil
}

// text is the setting's value.
func (p *param) text(o Objective) string {
	switch {
	case p.list:
		return listed(*p.numbers(&o))
	case len(p.choices) > 0:
		return *p.word(&o)
	}
	if x := *p.number(&o); !math.IsNaN(x) {
		return fmt.Sprintf("%g", x)
	}
	return "from the batch"
}

func (p *param) rangeText() string {
	switch {
	case len(p.choices) > 0:
		return strings.Join(p.choices, ", ")
	case p.hi == math.MaxFloat64 && p.lo == -math.MaxFloat64:
		return "that is finite"
	}
	return fmt.Sprintf("from %g to %g", p.lo, p.hi)
}

// listed are numbers as a setting takes them: 0.5,0.3.
func listed(xs []float64) string {
	texts := make([]string, len(xs))
	for i, x := range xs {
		texts[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strings.Join(texts, ",")
}
