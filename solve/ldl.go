package solve

import (
	"errors"
	"fmt"
	"slices"
)

// triplet is one entry of a sparse matrix.
type triplet struct {
	row, column int32
	value       float64
}

// ldl factorises a sparse symmetric quasi-definite matrix as LDLᵀ with L unit
// lower triangular and D diagonal. Such a matrix, [A Bᵀ; B −C] with A and C
// positive definite, has that factorisation in any order of its rows
// (Vanderbei 1995, "Symmetric Quasidefinite Matrices"), so that the pattern is
// found once and no pivot is searched. Rows are eliminated in their order.
type ldl struct {
	n int
	// The upper triangle by columns, the diagonal included.
	start, row []int32
	value      []float64
	// L by columns, without its diagonal.
	first, below []int32
	lower        []float64
	diagonal     []float64

	parent []int32   // of the elimination tree
	filled []int32   // entries of each column of L found so far
	mark   []int32   // the row that last visited a column
	path   []int32   // columns of the row under way
	work   []float64 // the row under way
}

// newLDL analyses the pattern of the given entries, each in the upper triangle
// and at most once. Where L would hold more than limit entries it is an error
// that wraps ErrTooLarge.
func newLDL(n int, entries []triplet, limit int) (*ldl, error) {
	slices.SortFunc(entries, func(a, b triplet) int {
		if a.column != b.column {
			return int(a.column) - int(b.column)
		}
		return int(a.row) - int(b.row)
	})
	f := &ldl{
		n: n, start: make([]int32, n+1), first: make([]int32, n+1), diagonal: make([]float64, n),
		parent: make([]int32, n), filled: make([]int32, n), mark: make([]int32, n), path: make([]int32, n), work: make([]float64, n),
	}
	for _, e := range entries {
		f.row, f.value = append(f.row, e.row), append(f.value, e.value)
		f.start[e.column+1]++
	}
	for i := range n {
		f.start[i+1] += f.start[i]
	}
	counts := make([]int, n)
	for k := range int32(n) {
		f.parent[k], f.mark[k] = -1, k
		for _, i := range f.row[f.start[k]:f.start[k+1]] {
			for ; f.mark[i] != k; i = f.parent[i] {
				if f.parent[i] < 0 {
					f.parent[i] = k
				}
				counts[i]++
				f.mark[i] = k
			}
		}
	}
	total := 0
	for i, c := range counts {
		if total += c; total > limit {
			return nil, fmt.Errorf("%w: the factors of its linear program have more than %d entries", ErrTooLarge, limit)
		}
		f.first[i+1] = int32(total)
	}
	f.below, f.lower = make([]int32, total), make([]float64, total)
	return f, nil
}

// errPivot is the error of a matrix too close to a singular one.
var errPivot = errors.New("a pivot is lost to rounding")

// factorise computes L and D of the values, row by row: row k of L solves a
// triangular system whose pattern is what the elimination tree reaches from
// the entries of row k. D has the signs of the matrix's blocks; where rounding
// leaves another, the error is errPivot.
func (f *ldl) factorise(sign []float64) error {
	for k := range int32(f.n) {
		top := f.n
		f.mark[k], f.filled[k], f.work[k] = k, 0, 0
		for p := f.start[k]; p < f.start[k+1]; p++ {
			i := f.row[p]
			f.work[i] += f.value[p]
			length := 0
			for ; f.mark[i] != k; i = f.parent[i] {
				f.path[length] = i
				length++
				f.mark[i] = k
			}
			for length > 0 {
				top, length = top-1, length-1
				f.path[top] = f.path[length]
			}
		}
		d := f.work[k]
		f.work[k] = 0
		for _, i := range f.path[top:] {
			y := f.work[i]
			f.work[i] = 0
			lo, hi := f.first[i], f.first[i]+f.filled[i]
			for p := lo; p < hi; p++ {
				f.work[f.below[p]] -= f.lower[p] * y
			}
			l := y / f.diagonal[i]
			d -= l * y
			f.below[hi], f.lower[hi] = k, l
			f.filled[i]++
		}
		if !(d*sign[k] > 0) {
			return errPivot
		}
		f.diagonal[k] = d
	}
	return nil
}

// solve overwrites b with the solution.
func (f *ldl) solve(b []float64) {
	for i := range f.n {
		for p := f.first[i]; p < f.first[i+1]; p++ {
			b[f.below[p]] -= f.lower[p] * b[i]
		}
	}
	for i, d := range f.diagonal {
		b[i] /= d
	}
	for i := f.n - 1; i >= 0; i-- {
		for p := f.first[i]; p < f.first[i+1]; p++ {
			b[i] -= f.lower[p] * b[f.below[p]]
		}
	}
}

// multiply returns the matrix times x.
func (f *ldl) multiply(x []float64) []float64 {
	out := make([]float64, f.n)
	for k := range int32(f.n) {
		for p := f.start[k]; p < f.start[k+1]; p++ {
			i := f.row[p]
			out[i] += f.value[p] * x[k]
			if i != k {
				out[k] += f.value[p] * x[i]
			}
		}
	}
	return out
}
