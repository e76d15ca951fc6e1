package main

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

// A verdict follows from the interval alone.
func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		expect    expectation
		low, high float64
		want      verdict
	}{
		{moreThan(0), 0.1, 0.3, holds},
		{moreThan(0), -0.1, 0.3, undecided},
		{moreThan(0), -0.3, -0.1, fails},
		{moreThan(0), 0, 0, fails},
		{lessThan(1), 0.1, 0.9, holds},
		{lessThan(1), 0.9, 1.1, undecided},
		{lessThan(1), 1, 1.1, fails},
		{between(0, 1), 0.2, 0.8, holds},
		{between(0, 1), -0.2, 0.8, undecided},
		{between(0, 1), -0.2, 1.8, undecided},
		{between(0, 1), 1.2, 1.8, fails},
		{moreThan(0), math.NaN(), math.NaN(), undecided},
		{expectation{}, 1, 2, shown},
	} {
		if got := test.expect.judge(test.low, test.high); got != test.want {
			t.Errorf("%s of [%g, %g]: %s, expected %s", test.expect, test.low, test.high, got, test.want)
		}
	}
}

func TestClaimsAreJudgedByTheirWorstMeasure(t *testing.T) {
	c := claim{
		id: "c", seeds: 3,
		run: func(_ context.Context, seed uint64) (figures, error) {
			return figures{"up": float64(seed), "found": 1, "wide": float64(seed) - 2}, nil
		},
		measures: []measure{
			{key: "up", expect: lessThan(10)},
			{key: "found", share: true, expect: moreThan(0.3)},
			{key: "wide"},
		},
	}
	done, err := c.test(t.Context())
	if err != nil || done.verdict != holds {
		t.Fatalf("%s, %v", done.verdict, err)
	}
	// 1, 2, 3: mean 2, s = 1, t(0.975, 2) = 4.302653.
	if m := done.evidence[0]; math.Abs(m.mean-2) > 1e-12 || math.Abs(m.high-2-4.302653/math.Sqrt(3)) > 1e-5 {
		t.Errorf("%+v", m)
	}
	// Three in three are a share of 0.438 to 1 (Wilson).
	if m := done.evidence[1]; math.Abs(m.low-0.4385) > 1e-3 || m.high != 1 {
		t.Errorf("%+v", m)
	}
	c.measures[2].expect = moreThan(0)
	if done, _ = c.test(t.Context()); done.verdict != undecided {
		t.Errorf("%s", done.verdict)
	}
	c.measures[0].expect = moreThan(10)
	if done, _ = c.test(t.Context()); done.verdict != fails {
		t.Errorf("%s", done.verdict)
	}
	c.measures[2].share = true
	if _, err = c.test(t.Context()); err == nil || !strings.Contains(err.Error(), "claim c: wide: seed 1 gave -1") {
		t.Errorf("%v", err)
	}
	c.measures[2].key = "nothing"
	if _, err = c.test(t.Context()); err == nil {
		t.Error("a figure that no seed gave was taken")
	}
	c.run = func(context.Context, uint64) (figures, error) { return nil, errors.New("no") }
	if _, err = c.test(t.Context()); err == nil || err.Error() != "claim c: no" {
		t.Errorf("%v", err)
	}
}

// Ids name rows and paragraphs.
func TestClaimsHaveIds(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range claimGroups {
		for _, c := range g.claims {
			if c.id == "" || seen[c.id] || c.says == "" || c.setting == "" || c.source == "" || c.seeds < 5 {
				t.Errorf("%q: an id of its own, its words and five seeds were expected", c.id)
			}
			seen[c.id] = true
		}
	}
}
