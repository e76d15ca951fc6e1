package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/prefs"
)

// writer writes words of one style: how often he sets a mark, and how often a
// capital. What makes a text good has to do with its letters alone.
type writer struct {
	name            string
	marks, capitals float64
	length          int
}

var (
	strongWriter = writer{"strong", 0.25, 0.3, 22}
	ownWriter    = writer{"own", 0.05, 0.1, 20}
)

// text writes one, with its quality: how much more often it has letters of the
// alphabet's first half.
func (w writer) text(r *rand.Rand) (string, float64) {
	var b strings.Builder
	quality, letters := 0.0, 0.0
	for range w.length - 2 + r.IntN(5) {
		switch {
		case r.Float64() < w.marks:
			b.WriteByte('!')
			continue
		case r.Float64() < 0.15:
			b.WriteByte(' ')
			continue
		}
		c := r.IntN(8)
		if letters++; c < 4 {
			quality++
		}
		if r.Float64() < w.capitals {
			b.WriteByte(byte('A' + c))
		} else {
			b.WriteByte(byte('a' + c))
		}
	}
	return b.String(), quality/max(1, letters) - 0.5
}

// writtenPairs are pairs in which the chosen text is better by 0.1 to 0.3.
func writtenPairs(n int, chosen, rejected writer, r *rand.Rand) (out []prefs.Pair) {
	for len(out) < n {
		x, q := chosen.text(r)
		y, s := rejected.text(r)
		if q-s < 0.1 || q-s > 0.3 {
			continue
		}
		out = append(out, prefs.Pair{Prompt: fmt.Sprint(len(out))}.With(prefs.Candidate{Text: x, Q: q, Source: chosen.name}, prefs.Candidate{Text: y, Q: s, Source: rejected.name}))
	}
	return out
}

// moreIsLess is the audit of pairs between two writers against pairs of one.
var moreIsLess = claim{
	id: "more-is-less", source: "2504.02193",
	says:    "where a stronger writer's texts are chosen over one's own, chosen and rejected can be told by style though they are no further apart in quality, and a model that learns from them goes by style",
	setting: "texts of two writers whose styles have nothing to do with quality; 600 pairs, quality apart by 0.1 to 0.3; the audit's surface probe; a linear model of letters learns from them",
	seeds:   20,
	run: func(_ context.Context, seed uint64) (figures, error) {
		r := play.Generator(seed, "claims/more")
		out := figures{}
		features := prefs.TextFeatures(256)
		test, err := examplesOf(writtenPairs(1000, ownWriter, ownWriter, r), features, false)
		if err != nil {
			return nil, err
		}
		against, err := examplesOf(writtenPairs(1000, ownWriter, strongWriter, r), features, false)
		if err != nil {
			return nil, err
		}
		for name, chosen := range map[string]writer{"mixed": strongWriter, "single": ownWriter} {
			pairs := writtenPairs(600, chosen, ownWriter, play.Generator(seed, "claims/more/"+name))
			audit, err := prefs.AuditOf(pairs, play.Generator(seed, "claims/more/audit"))
			if err != nil {
				return nil, err
			}
			surface := slices.IndexFunc(audit.Chosen, func(p prefs.Probe) bool { return p.Name == "surface" })
			out[name], out["gap "+name] = audit.Chosen[surface].Accuracy, audit.Quality.Gap
			if len(audit.Source) > 0 {
				out["source"] = audit.Source[0].Accuracy
			}
			examples, err := examplesOf(pairs, features, false)
			if err != nil {
				return nil, err
			}
			e, err := preferenceModel(examples, 0, play.Generator(seed, "claims/more/learner"))
			if err != nil {
				return nil, err
			}
			out["own "+name], out["against "+name] = accuracyOn(e, test), accuracyOn(e, against)
		}
		out["easier"], out["worse"] = out["mixed"]-out["single"], out["own single"]-out["own mixed"]
		out["gaps"] = out["gap mixed"] - out["gap single"]
		return out, nil
	},
	measures: []measure{
		{key: "easier", what: "the surface tells the chosen one: accuracy, two writers less one", expect: moreThan(0.2)},
		{key: "gaps", what: "quality gap, two writers less one", expect: between(-0.02, 0.02)},
		{key: "worse", what: "model asked for pairs of one writer: accuracy, learnt from one writer less from two", expect: moreThan(0)},
		{key: "mixed", what: "the surface tells the chosen one, two writers"},
		{key: "single", what: "the surface tells the chosen one, one writer"},
		{key: "source", what: "the surface tells whose a text is"},
		{key: "own mixed", what: "model of two writers, asked for pairs of one"},
		{key: "own single", what: "model of one writer, asked for the same"},
		{key: "against mixed", what: "model of two writers, asked where the better text is of the weaker's style"},
		{key: "against single", what: "model of one writer, asked for the same"},
	},
}
