package report

import (
	"fmt"
	"math"
	"slices"
)

// Panel is one plot: several series over the same axes.
type Panel struct {
	Title  string
	X, Y   string // the axes' titles
	Log    bool   // logarithmic y axis; values that are not positive are left out
	LogX   bool   // the same of the x axis
	Series []Series
}

// Series is a line, and, where Low and High are given, a band around it. All
// slices have one length; X ascends. Points that are not finite are left out.
type Series struct {
	Name      string
	X, Y      []float64
	Low, High []float64
}

func (s Series) check() error {
	if len(s.Y) != len(s.X) || len(s.Low) != len(s.High) || len(s.Low) != 0 && len(s.Low) != len(s.X) {
		return fmt.Errorf("series %q has %d x, %d y, %d low and %d high values: expected as many of each, or no low and high",
			s.Name, len(s.X), len(s.Y), len(s.Low), len(s.High))
	}
	if !slices.IsSorted(s.X) {
		return fmt.Errorf("series %q: expected x to ascend", s.Name)
	}
	return nil
}

// Median joins repetitions, such as runs of several seeds, to one series: the
// median as the line, and a band from the lowest to the highest value. It
// covers the x at which every repetition has a value.
func Median(name string, repetitions ...Series) Series {
	at := map[float64][]float64{}
	for _, r := range repetitions {
		for i, x := range r.X {
			at[x] = append(at[x], r.Y[i])
		}
	}
	s := Series{Name: name}
	for x, ys := range at {
		if len(ys) == len(repetitions) {
			s.X = append(s.X, x)
		}
	}
	slices.Sort(s.X)
	for _, x := range s.X {
		ys := slices.Sorted(slices.Values(at[x]))
		s.Y = append(s.Y, (ys[(len(ys)-1)/2]+ys[len(ys)/2])/2)
		s.Low, s.High = append(s.Low, ys[0]), append(s.High, ys[len(ys)-1])
	}
	return s
}

// huge and tiny bound what is drawn: beyond them the arithmetic of a plot
// overflows.
const (
	huge = 1e100
	tiny = 1 / huge
)

// drawable returns the series without points that cannot be drawn, its band
// around the line.
func (s Series) drawable(log, logX bool) Series {
	fits := func(v float64) bool { return math.Abs(v) < huge } // false of NaN
	out := Series{Name: s.Name}
	for i, y := range s.Y {
		if !fits(s.X[i]) || !fits(y) || log && y < tiny || logX && s.X[i] < tiny {
			continue
		}
		if len(s.Low) > 0 {
			low, high := min(s.Low[i], y), max(s.High[i], y)
			if !fits(low) || !fits(high) {
				continue
			}
			if log && low < tiny {
				low = max(y/10, tiny) // a logarithmic axis has no room for zero
			}
			out.Low, out.High = append(out.Low, low), append(out.High, high)
		}
		out.X, out.Y = append(out.X, s.X[i]), append(out.Y, y)
	}
	return out
}

// thinned keeps at most limit points, at least 3, of a longer series: of each
// stretch its lowest and its highest, so that every peak stays to be seen, and
// the last. A series with a band stays as it is.
func (s Series) thinned(limit int) Series {
	last := len(s.X) - 1
	if last < limit || len(s.Low) > 0 {
		return s
	}
	out := Series{Name: s.Name}
	keep := func(i int) { out.X, out.Y = append(out.X, s.X[i]), append(out.Y, s.Y[i]) }
	stretches := (limit - 1) / 2
	for b := range stretches {
		from, to := b*last/stretches, (b+1)*last/stretches
		low, high := from, from
		for i := from; i < to; i++ {
			if s.Y[i] < s.Y[low] {
				low = i
			}
			if s.Y[i] > s.Y[high] {
				high = i
			}
		}
		keep(min(low, high))
		if low != high {
			keep(max(low, high))
		}
	}
	keep(last)
	return out
}
