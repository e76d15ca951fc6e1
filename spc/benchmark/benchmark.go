// Package benchmark reads the field's benchmarks for critics of reasoning and
// scores verdicts by each benchmark's own rule: ProcessBench, DeltaBench,
// PRM800K, the step rows of SPC, and the answers of GSM8K and MATH.
//
// Agon brings no data set: the files are the user's copies.
package benchmark

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Origin tells which of Agon's domains a row was drawn from; no published
// benchmark has it.
type Origin struct {
	Domain string // "" where unknown
	Seed   int64
}

// Solution is a whole solution with its first wrong step known.
type Solution struct {
	ID           string
	Subset       string
	Generator    string // the model that wrote it, where known
	Problem      string
	Steps        []string // one or more
	First        int      // the first wrong step, from 0 on; -1 where all are right
	Wrong        []int    // wrong steps, ascending; only DeltaBench labels any after the first
	FinalCorrect bool     // the final answer is right, whatever the steps are
	Origin
}

// Question asks about one step that follows others.
type Question struct {
	ID      string
	Subset  string
	Problem string
	Prefix  []string // the steps before; never a wrong one
	Step    string
	Wrong   bool
	Origin
}

// Problem is a problem with its final answer.
type Problem struct {
	ID       string
	Subset   string
	Question string
	Gold     string
}

// Set is what a benchmark holds. Solutions and Questions are for critics,
// Problems for solvers; what a benchmark does not have is empty.
type Set struct {
	Name      string
	Solutions []Solution
	Questions []Question // the solutions' too, step by step
	Problems  []Problem
	Skipped   int // rows that nobody labelled to an end, as PRM800K has
}

// Questions asks about each step up to the first wrong one. What comes after
// stands on an error, and most benchmarks say nothing about it.
func (s Solution) Questions() []Question {
	n := len(s.Steps)
	if s.First >= 0 {
		n = s.First + 1
	}
	out := make([]Question, n)
	for i := range out {
		out[i] = Question{
			ID: s.ID + "/" + strconv.Itoa(i), Subset: s.Subset, Problem: s.Problem,
			Prefix: s.Steps[:i:i], Step: s.Steps[i], Wrong: i == s.First, Origin: s.Origin,
		}
	}
	return out
}

func (s *Set) add(solution Solution) {
	s.Solutions = append(s.Solutions, solution)
	s.Questions = append(s.Questions, solution.Questions()...)
}

// format is how a benchmark is read.
type format struct {
	files []string // names without ending that a folder is searched for; all files where there are none
	read  func(*row, *Set)
}

var formats = map[string]format{
	"deltabench":   {nil, readDeltaBench},
	"gsm8k":        {nil, readGSM8K},
	"math":         {nil, readMATH},
	"prm800k":      {nil, readPRM800K},
	"processbench": {[]string{"gsm8k", "math", "olympiadbench", "omnimath"}, readProcessBench},
	"spc":          {nil, readSPC},
}

// Names lists the benchmarks known.
func Names() []string { return slices.Sorted(maps.Keys(formats)) }

// Open reads a benchmark from a folder or from one file. In a folder it takes
// the files of one ending: .json and .jsonl before .parquet before .csv. The
// first row that does not fit ends it with an error that names file and line.
func Open(name, path string) (*Set, error) {
	f, found := formats[name]
	if !found {
		return nil, fmt.Errorf("benchmark: there is no benchmark %q; known are %s", name, strings.Join(Names(), ", "))
	}
	paths, err := list(path, f.files)
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	set := &Set{Name: name}
	for _, path := range paths {
		if err := readFile(path, func(r *row) { f.read(r, set) }); err != nil {
			return nil, fmt.Errorf("benchmark: %w", err)
		}
	}
	return set, nil
}
