package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"

	"github.com/agon-rl/agon/trainer/run"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	// uPlot draws the page's charts. It is licensed under the MIT licence,
	// which travels with it into every page.
	//
	//go:embed uplot/uPlot.iife.min.js
	uplotScript string
	//go:embed uplot/uPlot.min.css
	uplotStyle string
	//go:embed uplot/LICENSE
	uplotLicence string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"percent": percent}).Parse(pageText))

// percent is a share as CSS takes it.
func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*min(max(share, 0), 1)) }

// chart is a group as uPlot takes it: Data[0] holds the updates, and Data[i+1]
// the values of the series Names[i], null where it has none.
type chart struct {
	Title string       `json:"title"`
	Axis  string       `json:"axis"`
	Log   bool         `json:"log"`
	Names []string     `json:"names"`
	Data  [][]*float64 `json:"data"`
}

// measure is a row of the page's table.
type measure struct {
	Key                   string
	Last, Lowest, Highest string
	Update                string // of the last value
}

func renderPage(name, recipe string, lines []map[string]float64, groups []group, sections []Section) ([]byte, error) {
	var charts []chart
	var rows []measure
	for _, g := range groups {
		charts = append(charts, chartOf(g))
		for i, key := range g.keys {
			rows = append(rows, measureOf(key, g.Series[i]))
		}
	}
	data, err := json.Marshal(charts) // escapes <, > and &
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = pageTemplate.Execute(&page, map[string]any{
		"Name": name, "Recipe": recipe, "Summary": summary(lines), "Measures": rows, "Any": len(charts) > 0, "Sections": sections,
		"Charts": template.JS(data),
		"Style":  template.CSS(uplotStyle + pageStyle),
		"UPlot":  template.JS("/*! uPlot\n" + uplotLicence + "*/\n" + uplotScript),
		"Script": template.JS(pageScript),
	})
	return page.Bytes(), err
}

// summary says how far the run has come, in a few words.
func summary(lines []map[string]float64) []string {
	var words []string
	for _, counter := range []struct{ key, noun string }{{run.UpdateKey, "updates"}, {"games", "games"}} {
		if _, values := run.Series(lines, counter.key); len(values) > 0 {
			words = append(words, grouped(values[len(values)-1])+" "+counter.noun)
		}
	}
	if len(words) == 0 {
		return []string{"nothing measured yet"}
	}
	return words
}

func chartOf(g group) chart {
	c := chart{Title: g.Title, Axis: g.Y, Log: g.Log}
	rows := map[float64]int{}
	var updates []float64
	var thin []Series
	for _, s := range g.Series {
		s = s.thinned(maxPoints)
		thin = append(thin, s)
		updates = append(updates, s.X...)
	}
	slices.Sort(updates)
	updates = slices.Compact(updates)
	column := make([]*float64, len(updates))
	for i := range updates {
		rows[updates[i]] = i
		column[i] = &updates[i]
	}
	c.Data = append(c.Data, column)
	for _, s := range thin {
		column := make([]*float64, len(updates))
		for i := range s.X {
			column[rows[s.X[i]]] = &s.Y[i]
		}
		c.Names = append(c.Names, s.Name)
		c.Data = append(c.Data, column)
	}
	return c
}

func measureOf(key string, s Series) measure {
	last := len(s.X) - 1
	return measure{
		Key: key, Last: short(s.Y[last]), Update: grouped(s.X[last]),
		Lowest: short(slices.Min(s.Y)), Highest: short(slices.Max(s.Y)),
	}
}

func short(v float64) string { return fmt.Sprintf("%.5g", v) }

// grouped writes a whole number with a thin space between thousands.
func grouped(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u2009" + digits[i:]
	}
	return digits
}

// Style is the style sheet of the pages.
func Style() string { return pageStyle }
