package cmd

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"

	"github.com/agon-rl/agon/games"
)

// The picture of a board, in pixels and colours.
const (
	cellSize   = 48
	stoneSize  = 0.36 * cellSize
	lineColour = "#8a8f98"
	xColour    = "#0072b2"
	oColour    = "#d55e00"
)

// sketch draws a board as text, a dot for an empty cell.
func sketch(b games.Board) string {
	var out strings.Builder
	for r, row := range b.Cells {
		if b.Slanted {
			out.WriteString(strings.Repeat(" ", r))
		}
		for c, mark := range row {
			if c > 0 {
				out.WriteByte(' ')
			}
			if mark == "" {
				mark = "."
			}
			out.WriteString(mark)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// picture draws a board as SVG: x and o as stones of two colours, other marks as
// text.
func picture(b games.Board) string {
	rows, columns := len(b.Cells), len(b.Cells[0])
	height, slant, space := float64(rows*cellSize), 0.0, 0.0
	if b.Slanted { // hexagons with a side of cellSize/√3
		slant, space = cellSize/2, cellSize/(2*math.Sqrt(3))
		height = (float64(rows)*1.5 + 0.5) * cellSize / math.Sqrt(3)
	}
	width := float64(columns*cellSize) + slant*float64(rows-1)
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 %.0f %.0f" width="%.0f" height="%.0f" font-family="sans-serif">`+"\n", width+4, height+4, width+4, height+4)
	for r, row := range b.Cells {
		for c, mark := range row {
			x, y := (float64(c)+0.5)*cellSize+slant*float64(r), (float64(r)+0.5)*cellSize
			if b.Slanted {
				y = space*2 + float64(r)*1.5*cellSize/math.Sqrt(3)
			}
			drawCell(&out, x, y, b.Slanted)
			drawMark(&out, x, y, mark)
		}
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func drawCell(out *strings.Builder, x, y float64, hexagon bool) {
	if !hexagon {
		fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="%d" height="%d" fill="none" stroke="%s"/>`+"\n", x-cellSize/2, y-cellSize/2, cellSize, cellSize, lineColour)
		return
	}
	var points []string
	for k := range 6 {
		angle := math.Pi * (float64(k)/3 + 0.5)
		points = append(points, fmt.Sprintf("%.1f,%.1f", x+cellSize/math.Sqrt(3)*math.Cos(angle), y+cellSize/math.Sqrt(3)*math.Sin(angle)))
	}
	fmt.Fprintf(out, `<polygon points="%s" fill="none" stroke="%s"/>`+"\n", strings.Join(points, " "), lineColour)
}

func drawMark(out *strings.Builder, x, y float64, mark string) {
	switch mark {
	case "":
	case "x":
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`+"\n", x, y, stoneSize, xColour)
	case "o":
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="none" stroke="%s" stroke-width="5"/>`+"\n", x, y, stoneSize-2.5, oColour)
	default:
		var text strings.Builder
		_ = xml.EscapeText(&text, []byte(mark)) // a strings.Builder takes everything
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f" font-size="%d" text-anchor="middle" dominant-baseline="central">%s</text>`+"\n", x, y, cellSize*3/4, text.String())
	}
}
