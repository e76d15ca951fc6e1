package main

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// interval is a mean with its 95 % interval over seeds (Student's t).
type interval struct{ mean, half float64 }

func intervalOf(values []float64) interval {
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	if n < 2 {
		return interval{mean, math.NaN()}
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975)
	return interval{mean, t * deviation / math.Sqrt(n)}
}

func (i interval) String() string {
	if math.IsNaN(i.mean) {
		return "–"
	}
	return fmt.Sprintf("%.3f ± %.3f", i.mean, i.half)
}

// averageOf is the mean of a metric over the last share of a run's lines.
func averageOf(metrics []map[string]float64, key string, share float64) float64 {
	_, values := run.Series(metrics, key)
	if len(values) == 0 {
		return math.NaN()
	}
	tail := values[len(values)-max(1, int(share*float64(len(values)))):]
	return stat.Mean(tail, nil)
}

// last is the newest value of a metric.
func last(metrics []map[string]float64, key string) float64 {
	_, values := run.Series(metrics, key)
	if len(values) == 0 {
		return math.NaN()
	}
	return values[len(values)-1]
}

// median joins a metric of several seeds to one series over games played.
func median(name string, trials []*trial, key string) report.Series {
	var series []report.Series
	for _, t := range trials {
		updates, values := run.Series(t.metrics, key)
		_, games := run.Series(t.metrics, "games")
		x := make([]float64, len(updates))
		for i, u := range updates {
			x[i] = games[int(u)-1]
		}
		series = append(series, report.Series{Name: name, X: x, Y: values})
	}
	return report.Median(name, series...)
}

// markdown renders a table.
func markdown(header []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range rows {
		line(row)
	}
	return b.String()
}
