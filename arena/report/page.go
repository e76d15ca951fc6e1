package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/agon-rl/agon/arena"
	runreport "github.com/agon-rl/agon/trainer/run/report"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"elo":      func(x *float64) string { return number("%+.0f", x) },
	"fixed":    func(x float64) string { return fmt.Sprintf("%.3f", x) },
	"optional": func(x *float64) string { return number("%.3f", x) },
	"small":    func(x *float64) string { return number("%.2g", x) },
	"percent":  percent,
	"span":     span,
	"pair":     func(x [2]float64) *[2]float64 { return &x },
	"value":    value,
	"tally":    func(t arena.Tally) string { return fmt.Sprintf("%d – %d – %d", t.Wins, t.Draws, t.Losses) },
}).Parse(pageText))

// number writes a number that may not be there.
func number(format string, x *float64) string {
	if x == nil {
		return "–"
	}
	return strings.Replace(fmt.Sprintf(format, *x), "-", "−", 1)
}

// value is what a cell is sorted by.
func value(x *float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprint(*x)
}

func percent(x *float64) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100**x)
}

// span writes an interval that may not be there.
func span(format string, x *[2]float64) string {
	if x == nil {
		return "–"
	}
	return strings.ReplaceAll(fmt.Sprintf(format+" to "+format, x[0], x[1]), "-", "−")
}

// cell is a place of the crosstable.
type cell struct {
	Played bool
	Score  float64
	Tally  arena.Tally
	Colour template.CSS
}

// content is what the template is filled with.
type content struct {
	Finished

	Style                  template.CSS
	Script, Data           template.JS
	Roles                  []string
	Names                  []string // best first
	Cross                  [][]cell
	Plot, Heat, Flow       template.HTML
	Measures, Tokens, Luck bool // whether there is something in the columns
	Shown                  int
}

func render(w io.Writer, f Finished, games []shown) error {
	info := f.Tournament.Game.Info()
	data, err := json.Marshal(map[string]any{"games": games, "roles": info.Roles}) // escapes <, > and &
	if err != nil {
		return err
	}
	c := content{
		Finished: f, Style: template.CSS(runreport.Style() + pageStyle), Script: template.JS(pageScript), Data: template.JS(data),
		Roles: info.Roles, Shown: len(games),
	}
	for _, r := range f.Summary.Standings {
		c.Names = append(c.Names, r.Name)
		c.Measures = c.Measures || r.Exploitability != nil
		c.Tokens = c.Tokens || r.Cost.TokensIn+r.Cost.TokensOut > 0
	}
	for _, d := range f.Summary.Pairings {
		c.Luck = c.Luck || d.Reduced != nil || d.Exact != nil
	}
	table := pairs(f.Summary, c.Names)
	c.Cross = cross(table)
	c.Plot, c.Heat, c.Flow = plotRatings(f.Summary.Standings), plotPayoffs(c.Names, table, info.MaxReturn-info.MinReturn), plotFlow(f.Summary)
	return pageTemplate.Execute(w, c)
}

// met is how one entrant did against another.
type met struct {
	arena.Tally
	units  int
	margin float64 // mean return a game beyond the even share
}

// pairs is the table of who did how against whom, in the order of the names.
func pairs(s arena.Summary, names []string) [][]met {
	out := make([][]met, len(names))
	for i := range out {
		out[i] = make([]met, len(names))
	}
	for _, d := range s.Pairings {
		i, j := slices.Index(names, d.First), slices.Index(names, d.Second)
		out[i][j].add(d.Tally, d.Margin, d.Units)
		out[j][i].add(arena.Tally{Wins: d.Losses, Draws: d.Draws, Losses: d.Wins}, -d.Margin, d.Units)
	}
	return out
}

func (m *met) add(t arena.Tally, margin float64, units int) {
	m.Wins, m.Draws, m.Losses = m.Wins+t.Wins, m.Draws+t.Draws, m.Losses+t.Losses
	m.margin = (m.margin*float64(m.units) + margin*float64(units)) / float64(m.units+units)
	m.units += units
}

func cross(table [][]met) [][]cell {
	out := make([][]cell, len(table))
	for i, row := range table {
		out[i] = make([]cell, len(row))
		for j, m := range row {
			if m.units > 0 {
				out[i][j] = cell{Played: true, Score: m.Score(), Tally: m.Tally, Colour: template.CSS(shade(2*m.Score() - 1))}
			}
		}
	}
	return out
}
