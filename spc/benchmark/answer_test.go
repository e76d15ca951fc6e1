package benchmark_test

import (
	"testing"

	"github.com/agon-rl/agon/spc/benchmark"
)

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"72", "72", true},
		{"72", "73", false},
		{"72", "72.0", true},
		{"72", "72.", true},
		{"1,234", "1234", true},
		{"1,234,567", "1234567", true},
		{`40,\!000`, "40000", true},
		{"1{,}000", "1000", true},
		{"$18", "18", true},
		{`\$18.00`, "18", true},
		{"5\\$", "5", true},
		{"18 dollars", "18", true},
		{"50%", "50", true},
		{`50\%`, "50", true},
		{"50%", "0.5", false},
		{"5 cm", "5", true},
		{"5cm", "5", true},
		{"12 cm^2", "12", true},
		{`12\text{ cm}^2`, "12", true},
		{`12\text{ cm}^2`, "144", false},
		{"30^\\circ", "30", true},
		{`30^{\circ}`, "30", true},
		{"3 hours", "3", true},
		{"3 million", "3000000", false}, // an integer must be written as one
		{`\text{Sunday}`, "sunday", true},
		{`\text{(B)}`, "B", true},
		{`\text{even}`, "odd", false},
		{"even", "neve", false}, // three letters are no algebra
		{"x = 5", "5", true},
		{"y=5", "6", false},

		{"1/2", `\frac{1}{2}`, true},
		{"1/2", `\frac12`, true},
		{`\dfrac{1}{2}`, `\tfrac12`, true},
		{"0.5", `\frac{1}{2}`, true},
		{".5", "1/2", true},
		{"0.333", "1/3", false},
		{"2/4", "1/2", false}, // not in the form of the other
		{"8/2", "4", false},   // not written as an integer
		{`-\frac{1}{2}`, "-1/2", true},
		{`\frac{-1}{2}`, `-\frac12`, true},
		{`\frac{1}{-2}`, `-\frac12`, true},
		{`-\frac{1}{2}`, "1/2", false},
		{"7 3/4", "31/4", true},
		{`7\frac{3}{4}`, "7.75", true},
		{`-1\frac{1}{2}`, "-1.5", true},
		{"2(3/4)", "1.5", true},
		{"2(3/4)", "2.75", false},
		{"3 4", "12", false},
		{"1/0", "2/0", false},

		{`\sqrt{2}`, "sqrt(2)", true},
		{`\sqrt2`, "√2", true},
		{"√12", `2\sqrt{3}`, true},
		{`2\sqrt{3}`, `\sqrt{12}`, true},
		{`2\sqrt{3}`, `\sqrt{13}`, false},
		{`\frac{\sqrt{2}}{2}`, `\frac{1}{\sqrt{2}}`, true},
		{`\sqrt[3]{8}`, `8^{1/3}`, true},
		{`\pi`, "pi", true},
		{`2\pi`, `\pi\cdot 2`, true},
		{`\pi`, "3.14159", false},
		{`\pi/2`, `\frac{\pi}{2}`, true},
		{"2^{10}", "2^10", true},
		{"2^{-1}", "1/2", true},
		{"-2^2", "(-2)^2", false},
		{`\sin 30`, `\sin(30)`, true},
		{`\sin 30`, `0\sin 3`, false},
		{"2^{100}", "2^{100}+1", false},

		{"x+1", "1+x", true},
		{"(x+1)^2", "x^2+2x+1", true},
		{"(x+1)^2", "x^2+1", false},
		{"2xy", "2yx", true},
		{"x/y", `\frac{x}{y}`, true},
		{"x-y", "y-x", false},
		{"a+b+c", "c+b+a", false}, // more than two letters
		{"x", "y", false},
		{"1/x", "x^{-1}", true},
		{`\frac{x^2-1}{x-1}`, "x+1", true},

		{"(1, 2)", "(1,2)", true},
		{"(1,2)", "(2,1)", false},
		{"(1,2)", "[1,2]", false},
		{"(1,2]", "(1,2]", true},
		{"(1,2]", "(1,2)", false},
		{`\left(\frac{1}{2}, 3\right)`, "(0.5, 3)", true},
		{"(1,2)", "(1,2,3)", false},
		{`(-\infty, 3)`, `(-\infty,3.0)`, true},
		{`\{1, 2\}`, `\{1,2\}`, true},
		{`\{1, 2\}`, "(1,2)", false},
		{"1 or 2", "1, 2", true},
		{`1 \text{ and } 2`, "1,2", true},
		{"(1,2)", "12", false},
		{"(3)", "3", true},
		{"", "", false},
		{"5", "", false},
		{`\frac{1}`, "1", false},
		{"((", "((", true},
		{"((", "(", false},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := benchmark.Equal(pair[0], pair[1]); got != c.want {
				t.Errorf("Equal(%q, %q) = %t", pair[0], pair[1], got)
			}
		}
	}
}

func TestFinal(t *testing.T) {
	for text, want := range map[string]string{
		"2 + 3 = 5\nThe answer is 5.":                        "5",
		"The answer is: 3.5":                                 "3.5",
		"The answer is 5. Check it again, 7 times.":          "5",
		"The answer is **72**.":                              "72",
		"The final answer is $\\boxed{\\frac{1}{2}}$.":       `\frac{1}{2}`,
		"the answer is 4\nno, the answer is $\\sqrt{2}$.":    `\sqrt{2}`,
		`so \boxed{1}, or rather \boxed{\frac{1}{\sqrt{2}}}`: `\frac{1}{\sqrt{2}}`,
		`so \boxed{\{1\}} and \boxed{2`:                      `\{1\}`,
		"we get 3 and then 1,234.50":                         "1,234.50",
		"that is -7 degrees":                                 "-7",
		"10-5":                                               "5",
		"half of it, 1/2":                                    "1/2",
		"The answer is":                                      "",
		"no number":                                          "",
	} {
		got, found := benchmark.Final(text)
		if got != want || found != (want != "") {
			t.Errorf("Final(%q) = %q, %t; expected %q", text, got, found, want)
		}
	}
}

// An answer is its own equal whatever it says, and order does not matter.
func FuzzEqual(f *testing.F) {
	for _, s := range []string{"1/2", `\frac{1}{2}`, "(1,2]", `2\sqrt{3}`, "x^2+1", `\{a, b\}`, "7 3/4", "9^9^9^9", "((((", `\text{`} {
		f.Add(s, "0.5")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if benchmark.Equal(a, b) != benchmark.Equal(b, a) {
			t.Errorf("%q and %q: the order matters", a, b)
		}
		if benchmark.Equal(a, b) && !benchmark.Equal(a, a) {
			t.Errorf("%q does not equal itself", a)
		}
		benchmark.Final(a)
	})
}
