package benchmark

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Class is how a critic did on the rows of one truth.
type Class struct {
	Hits     int     `json:"hits"`
	N        int     `json:"n"` // what Accuracy divides by
	Invalid  int     `json:"invalid"`
	Accuracy float64 `json:"accuracy"` // Hits/N; 0 where N is 0
}

// String shows the accuracy, if there is one.
func (c Class) String() string {
	if c.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4f", c.Accuracy)
}

func (c *Class) count(hit bool) {
	c.N++
	if hit {
		c.Hits++
	}
	c.Accuracy = float64(c.Hits) / float64(c.N)
}

// Row is how a critic did on a subset. A mean of both classes hides a critic that
// has one answer to everything, so they stand beside every score.
type Row struct {
	Subset    string  `json:"subset"`
	Correct   Class   `json:"correct"`   // what is right
	Erroneous Class   `json:"erroneous"` // what is wrong
	Average   float64 `json:"average"`   // the mean of both accuracies
	Harmonic  float64 `json:"harmonic"`  // their harmonic mean, which ProcessBench calls F1; 0 where both are 0
	Plain     float64 `json:"plain"`     // the accuracy over all
}

func (r *Row) class(wrong bool) *Class {
	if wrong {
		return &r.Erroneous
	}
	return &r.Correct
}

func (r *Row) finish() {
	a, b := r.Correct.Accuracy, r.Erroneous.Accuracy
	r.Average, r.Harmonic = (a+b)/2, harmonic(a, b)
	r.Plain = ratio(r.Correct.Hits+r.Erroneous.Hits, r.Correct.N+r.Erroneous.N)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Table is the scores of a critic on a benchmark.
type Table struct {
	Measure string  `json:"measure"` // what Score is
	Score   float64 `json:"score"`
	Rows    []Row   `json:"rows"` // by subset, in the order of the benchmark
	Total   Row     `json:"total"`
}

// row finds a subset's row.
func (t *Table) row(subset string) *Row {
	i := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Subset == subset })
	if i < 0 {
		i, t.Rows = len(t.Rows), append(t.Rows, Row{Subset: subset})
	}
	return &t.Rows[i]
}

func (t *Table) count(subset string, wrong, hit bool) {
	t.row(subset).class(wrong).count(hit)
	t.Total.class(wrong).count(hit)
}

func (t *Table) invalid(subset string, wrong bool) {
	t.row(subset).class(wrong).Invalid++
	t.Total.class(wrong).Invalid++
}

func (t *Table) finish() {
	for i := range t.Rows {
		t.Rows[i].finish()
	}
	t.Total.Subset = "all"
	t.Total.finish()
}

// mean averages a score over the subsets in which anything was scored.
func (t *Table) mean(score func(Row) float64) (mean float64) {
	n := 0
	for _, r := range t.Rows {
		if r.Correct.N+r.Erroneous.N > 0 {
			mean += score(r)
			n++
		}
	}
	return mean / max(float64(n), 1)
}

// String shows the table as text.
func (t Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "subset\tcorrect acc\tn\terroneous acc\tn\taverage\tharmonic\tplain\tinvalid\t") //nolint:errcheck // a strings.Builder takes all
	for _, r := range append(slices.Clone(t.Rows), t.Total) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%.4f\t%.4f\t%.4f\t%d\t\n", r.Subset, //nolint:errcheck // a strings.Builder takes all
			r.Correct, r.Correct.N, r.Erroneous, r.Erroneous.N,
			r.Average, r.Harmonic, r.Plain, r.Correct.Invalid+r.Erroneous.Invalid)
	}
	w.Flush() //nolint:errcheck // a strings.Builder takes all
	fmt.Fprintf(&b, "%s: %.4f\n", t.Measure, t.Score)
	return b.String()
}

// FirstErrorF1 scores the first wrong steps that a critic names, from 0 on or -1
// for none, as ProcessBench does (Zheng et al. 2024, section 3): the harmonic mean
// of the share of erroneous solutions whose first error is found exactly and of
// the share of right ones that are called right, averaged over the subsets. Unread
// ones count as wrong answers.
func FirstErrorF1(solutions []Solution, firsts []int) (Table, error) {
	t := Table{Measure: "ProcessBench F1, mean over subsets"}
	if err := matches(len(solutions), len(firsts), "solutions"); err != nil {
		return t, err
	}
	for i, s := range solutions {
		t.count(s.Subset, s.First >= 0, firsts[i] == s.First)
		if firsts[i] < -1 {
			t.invalid(s.Subset, s.First >= 0)
		}
	}
	t.finish()
	t.Score = t.mean(func(r Row) float64 { return r.Harmonic })
	return t, nil
}

// StepAccuracy scores verdicts on single steps as SPC's evaluation does: the
// accuracy of each class with its mean and harmonic mean, and as Score the plain
// accuracy averaged over the subsets. Invalid verdicts are counted and left out.
// It is not ProcessBench's F1, though SPC reports it under that name's benchmark.
func StepAccuracy(questions []Question, verdicts []Verdict) (Table, error) {
	t := Table{Measure: "SPC step accuracy, mean over subsets"}
	if err := matches(len(questions), len(verdicts), "questions"); err != nil {
		return t, err
	}
	for i, q := range questions {
		switch v := verdicts[i]; v {
		case Correct, Incorrect:
			t.count(q.Subset, q.Wrong, (v == Incorrect) == q.Wrong)
		default:
			t.invalid(q.Subset, q.Wrong)
		}
	}
	t.finish()
	t.Score = t.mean(func(r Row) float64 { return r.Plain })
	return t, nil
}

func matches(rows, verdicts int, what string) error {
	if rows != verdicts {
		return fmt.Errorf("benchmark: got %d verdicts for %d %s, expected one for each", verdicts, rows, what)
	}
	return nil
}

// PRF is precision, recall and their harmonic mean.
type PRF struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func prf(found, named, wrong int) PRF {
	p, r := ratio(found, named), ratio(found, wrong)
	return PRF{p, r, harmonic(p, r)}
}

// SectionTable is the scores of a critic on DeltaBench. Its classes count
// sections.
type SectionTable struct {
	Table
	Macro PRF `json:"macro"` // the mean over solutions
	Micro PRF `json:"micro"` // over all sections together
}

// String shows the table as text.
func (t SectionTable) String() string {
	return t.Table.String() + fmt.Sprintf("macro: precision %.4f, recall %.4f, F1 %.4f\nmicro: precision %.4f, recall %.4f, F1 %.4f\n",
		t.Macro.Precision, t.Macro.Recall, t.Macro.F1, t.Micro.Precision, t.Micro.Recall, t.Micro.F1)
}

// SectionF1 scores the wrong sections that a critic names, from 0 on, as
// DeltaBench does (He et al. 2025): sections named after the last wrong one are
// dropped, and a solution without wrong sections has no precision or recall. nil
// is an answer that could not be read; it finds nothing, here in the micro scores
// too, where DeltaBench's script leaves such rows out.
func SectionF1(solutions []Solution, named [][]int) (SectionTable, error) {
	t := SectionTable{Table: Table{Measure: "DeltaBench macro F1"}}
	if err := matches(len(solutions), len(named), "solutions"); err != nil {
		return t, err
	}
	rows, found, total, wrong := 0, 0, 0, 0
	for i, s := range solutions {
		t.countSections(s, named[i])
		if len(s.Wrong) == 0 {
			continue
		}
		hits, kept := compare(s.Wrong, named[i])
		one := prf(hits, kept, len(s.Wrong))
		t.Macro.Precision += one.Precision
		t.Macro.Recall += one.Recall
		t.Macro.F1 += one.F1
		rows, found, total, wrong = rows+1, found+hits, total+kept, wrong+len(s.Wrong)
	}
	n := max(float64(rows), 1)
	t.Macro = PRF{t.Macro.Precision / n, t.Macro.Recall / n, t.Macro.F1 / n}
	t.Micro = prf(found, total, wrong)
	t.finish()
	t.Score = t.Macro.F1
	return t, nil
}

// compare counts the distinct sections named up to the last wrong one, and those
// of them that are wrong.
func compare(wrong, named []int) (hits, kept int) {
	named = slices.Compact(slices.Sorted(slices.Values(named)))
	for _, n := range named {
		if n > wrong[len(wrong)-1] {
			break
		}
		kept++
		if slices.Contains(wrong, n) {
			hits++
		}
	}
	return hits, kept
}

func (t *SectionTable) countSections(s Solution, named []int) {
	for i := range s.Steps {
		wrong := slices.Contains(s.Wrong, i)
		t.count(s.Subset, wrong, named != nil && slices.Contains(named, i) == wrong)
		if named == nil {
			t.invalid(s.Subset, wrong)
		}
	}
}

// AnswerRow is how a solver did on a subset.
type AnswerRow struct {
	Subset string `json:"subset"`
	Class
}

// AnswerTable is the scores of a solver.
type AnswerTable struct {
	Measure string      `json:"measure"` // what Score is
	Score   float64     `json:"score"`
	Rows    []AnswerRow `json:"rows"` // by subset, in the order of the benchmark
	Total   AnswerRow   `json:"total"`
}

// AnswerAccuracy scores solutions by their final answers: Final finds them and
// Equal compares. Where there is none, the problem counts as not solved, as in the
// evaluations of GSM8K and MATH.
func AnswerAccuracy(problems []Problem, solutions []string) AnswerTable {
	t := AnswerTable{Measure: "accuracy of final answers", Total: AnswerRow{Subset: "all"}}
	for i, p := range problems {
		at := slices.IndexFunc(t.Rows, func(r AnswerRow) bool { return r.Subset == p.Subset })
		if at < 0 {
			at, t.Rows = len(t.Rows), append(t.Rows, AnswerRow{Subset: p.Subset})
		}
		answer, found := Final(solutions[i])
		for _, c := range []*Class{&t.Rows[at].Class, &t.Total.Class} {
			c.count(found && Equal(answer, p.Gold))
			if !found {
				c.Invalid++
			}
		}
	}
	t.Score = t.Total.Accuracy
	return t
}

// String shows the table as text.
func (t AnswerTable) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "subset\taccuracy\tright\tn\tinvalid\t") //nolint:errcheck // a strings.Builder takes all
	for _, r := range append(slices.Clone(t.Rows), t.Total) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t\n", r.Subset, r.Class, r.Hits, r.N, r.Invalid) //nolint:errcheck // a strings.Builder takes all
	}
	w.Flush() //nolint:errcheck // a strings.Builder takes all
	fmt.Fprintf(&b, "%s: %.4f\n", t.Measure, t.Score)
	return b.String()
}
