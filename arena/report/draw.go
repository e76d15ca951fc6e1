package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"github.com/agon-rl/agon/arena"
	runreport "github.com/agon-rl/agon/trainer/run/report"
)

// Colours that people with colour blindness tell apart (Okabe and Ito 2008).
const (
	good = "0,114,178" // blue
	bad  = "213,94,0"  // vermilion
)

// shade is the colour of an advantage from -1 to 1.
func shade(x float64) string {
	x = max(-1, min(1, x))
	colour := good
	if x < 0 {
		colour = bad
	}
	return fmt.Sprintf("rgba(%s,%.2f)", colour, 0.75*math.Abs(x))
}

// svg begins a picture that takes the page's colours.
func svg(out *strings.Builder, class string, width, height float64) {
	fmt.Fprintf(out, `<svg class=%q viewBox="0 0 %.0f %.0f" style="max-width:%.0fpx" role="img">`, class, width, height, width)
}

func label(out *strings.Builder, x, y float64, anchor, text string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor=%q dominant-baseline="central">%s</text>`, x, y, anchor, html.EscapeString(text))
}

// brief cuts a name that would not fit.
func brief(name string, most int) string {
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

// plotRatings draws ratings with their intervals.
func plotRatings(all []arena.Rated) template.HTML {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range all {
		if r.Elo == nil {
			return ""
		}
		low, high = min(low, *r.Elo), max(high, *r.Elo)
		if r.Elo95 != nil {
			low, high = min(low, r.Elo95[0]), max(high, r.Elo95[1])
		}
	}
	const width, left, right, row, top = 900, 240, 30, 28, 8
	air := max(10, (high-low)*0.04)
	low, high = low-air, high+air
	at := func(elo float64) float64 { return left + (elo-low)/(high-low)*(width-left-right) }
	bottom := float64(top + row*len(all))
	var out strings.Builder
	svg(&out, "ratings", width, bottom+36)
	step := runreport.RoundStep((high - low) / 8)
	for tick := math.Ceil(low/step) * step; tick <= high; tick += step {
		fmt.Fprintf(&out, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%.1f"/>`, at(tick), at(tick), top, bottom)
		label(&out, at(tick), bottom+16, "middle", strings.Replace(fmt.Sprintf("%.0f", tick+0), "-", "−", 1))
	}
	for i, r := range all {
		y := float64(top) + (float64(i)+0.5)*row
		label(&out, left-12, y, "end", brief(r.Name, 32))
		text := fmt.Sprintf("%s: %+.0f", r.Name, *r.Elo)
		if r.Elo95 != nil {
			text += fmt.Sprintf(", 95 %% interval %+.0f to %+.0f", r.Elo95[0], r.Elo95[1])
			fmt.Fprintf(&out, `<line class="interval" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at(r.Elo95[0]), at(r.Elo95[1]), y, y)
		}
		fmt.Fprintf(&out, `<circle class="rating" cx="%.1f" cy="%.1f" r="5"><title>%s</title></circle>`, at(*r.Elo), y, html.EscapeString(text))
	}
	out.WriteString("</svg>")
	return template.HTML(out.String())
}

// plotPayoffs draws what each earns against each, beyond the even share; full colour
// is half of what a game can pay.
func plotPayoffs(names []string, table [][]met, reach float64) template.HTML {
	const square, left, top = 58, 240, 44
	size := float64(square * len(names))
	var out strings.Builder
	svg(&out, "payoffs", left+size+10, top+size+10)
	for i, name := range names {
		middle := (float64(i) + 0.5) * square
		label(&out, left-12, top+middle, "end", brief(name, 32))
		label(&out, left+middle, top-16, "middle", brief(name, 8))
		for j, m := range table[i] {
			if m.units == 0 {
				continue
			}
			x, y := float64(left+j*square), float64(top+i*square)
			fmt.Fprintf(&out, `<rect x="%.0f" y="%.0f" width="%d" height="%d" fill=%q><title>%s against %s: %+.4f</title></rect>`,
				x, y, square-2, square-2, shade(2*m.margin/reach), html.EscapeString(name), html.EscapeString(names[j]), m.margin)
			label(&out, x+square/2-1, y+square/2-1, "middle", strings.Replace(fmt.Sprintf("%+.2f", m.margin), "-", "−", 1))
		}
	}
	out.WriteString("</svg>")
	return template.HTML(out.String())
}

// mostNodes is how many entrants a graph can show.
const mostNodes = 16

// plotFlow draws alpha-rank's population: its shares as circles, and the ways on
// which it moves as arrows.
func plotFlow(s arena.Summary) template.HTML {
	if len(s.Standings) == 0 || s.Standings[0].AlphaRank == nil {
		return ""
	}
	nodes := s.Standings[:min(mostNodes, len(s.Standings))]
	const width, height, radius, node = 760, 520, 180, 26
	place := map[string][2]float64{}
	for i, r := range nodes {
		angle := 2*math.Pi*float64(i)/float64(len(nodes)) - math.Pi/2
		place[r.Name] = [2]float64{width/2 + radius*1.25*math.Cos(angle), height/2 + radius*math.Sin(angle)}
	}
	var out strings.Builder
	svg(&out, "flow", width, height)
	out.WriteString(`<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 10 5 0 10z"/></marker></defs>`)
	for _, t := range s.Transitions {
		from, ok := place[t.From]
		to, there := place[t.To]
		if !ok || !there {
			continue
		}
		dx, dy := to[0]-from[0], to[1]-from[1]
		length := math.Hypot(dx, dy)
		dx, dy = dx/length, dy/length
		fmt.Fprintf(&out, `<line class="way" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke-width="%.2f" marker-end="url(#arrow)"><title>%s → %s: %.3g times as likely as by chance</title></line>`,
			from[0]+dx*node, from[1]+dy*node, to[0]-dx*(node+2), to[1]-dy*(node+2), 0.75+math.Log10(t.Ratio)*1.5,
			html.EscapeString(t.From), html.EscapeString(t.To), t.Ratio)
	}
	for _, r := range nodes {
		at := place[r.Name]
		fmt.Fprintf(&out, `<circle class="share" cx="%.1f" cy="%.1f" r="%d"/><circle cx="%.1f" cy="%.1f" r="%d" fill="rgba(%s,%.2f)"><title>%s: %.4f</title></circle>`,
			at[0], at[1], node, at[0], at[1], node, good, 0.8**r.AlphaRank, html.EscapeString(r.Name), *r.AlphaRank)
		label(&out, at[0], at[1], "middle", fmt.Sprintf("%.2f", *r.AlphaRank))
		y := at[1] + node + 14
		if at[1] < height/2 {
			y = at[1] - node - 14
		}
		label(&out, at[0], y, "middle", brief(r.Name, 32))
	}
	out.WriteString("</svg>")
	return template.HTML(out.String())
}
