package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of one panel, in the unit of length of a page.
const (
	panelWidth  = 5 * vg.Inch
	panelHeight = 3.1 * vg.Inch
	margin      = 0.16 * vg.Inch
	dpi         = 144
	maxPoints   = 1000 // a series; more cannot be told apart
)

// palette holds colours that people with colour blindness tell apart: Okabe
// and Ito, "Color universal design", 2008; its black and yellow left out.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky
	{0x6b, 0x6b, 0x6b, 0xff}, // grey
	{0x22, 0x26, 0x2b, 0xff}, // black
}

var (
	ink      = color.NRGBA{0x22, 0x26, 0x2b, 0xff}
	faintInk = color.NRGBA{0x5f, 0x66, 0x6f, 0xff}
	gridInk  = color.NRGBA{0xe4, 0xe7, 0xeb, 0xff}
)

// Curves draws panels, two in a row, into the file path, whose name ends in
// .png or .svg.
func Curves(path string, panels ...Panel) error {
	if len(panels) == 0 {
		return fmt.Errorf("draw %s: expected at least one panel", path)
	}
	columns := min(2, len(panels))
	rows := (len(panels) + columns - 1) / columns
	width, height := panelWidth*vg.Length(columns), panelHeight*vg.Length(rows)
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch ext := filepath.Ext(path); ext {
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	case ".svg":
		canvas = vgsvg.New(width, height)
	default:
		return fmt.Errorf("draw %s: expected a name that ends in .png or .svg, not %q", path, ext)
	}
	page := draw.New(canvas)
	page.FillPolygon(color.White, corners(page.Rectangle))
	for i, p := range panels {
		column, row := vg.Length(i%columns), vg.Length(i/columns)
		area := draw.Crop(page,
			column*panelWidth+margin, (column+1)*panelWidth-width-margin,
			height-(row+1)*panelHeight+margin, -row*panelHeight-margin)
		if err := p.draw(area); err != nil {
			return fmt.Errorf("draw %s, panel %q: %w", path, p.Title, err)
		}
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return fmt.Errorf("draw %s: %w", path, err)
	}
	// Where the font of the measurements is missing, one of the same widths.
	data := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	return replaceFile(path, data)
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

// draw draws, from above: the title, the legend, the plot.
func (p Panel) draw(area draw.Canvas) error {
	plt := p.axes()
	for i, s := range p.Series {
		if err := s.check(); err != nil {
			return err
		}
		if err := s.drawable(p.Log, p.LogX).thinned(maxPoints).addTo(plt, strokeOf(i)); err != nil {
			return err
		}
	}
	p.fitAxes(plt)

	heading := textStyle(11, ink)
	heading.Font.Weight = xfont.WeightBold
	top := area.Max.Y - heading.Font.Size
	area.FillText(heading, vg.Point{X: area.Min.X, Y: top}, p.Title)
	bottom := p.drawLegend(area, top-heading.Font.Size*0.5)
	plt.Draw(draw.Crop(area, 0, 0, 0, bottom-area.Max.Y))
	return nil
}

// drawLegend writes the series' names in rows below top, if there are several,
// and returns the lowest y that it needs.
func (p Panel) drawLegend(area draw.Canvas, top vg.Length) vg.Length {
	if len(p.Series) < 2 {
		return top
	}
	style := textStyle(9, faintInk)
	const swatch, gap = 14, 6
	x, y := area.Min.X, top-style.Font.Size
	for i, s := range p.Series {
		width := swatch + gap/2 + style.Width(s.Name) + 2*gap
		if x > area.Min.X && x+width > area.Max.X {
			x, y = area.Min.X, y-1.4*style.Font.Size
		}
		middle := y + 0.35*style.Font.Size
		stroke := strokeOf(i)
		stroke.Width = 2
		area.StrokeLine2(stroke, x, middle, x+swatch, middle)
		area.FillText(style, vg.Point{X: x + swatch + gap/2, Y: y}, s.Name)
		x += width
	}
	return y - 0.6*style.Font.Size
}

// strokeOf is how series i is drawn. Where the colours are used up, dashes begin.
func strokeOf(i int) draw.LineStyle {
	stroke := draw.LineStyle{Color: palette[i%len(palette)], Width: 1.3}
	if i >= len(palette) {
		stroke.Dashes = []vg.Length{4, 2}
	}
	return stroke
}

func textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

func (p Panel) axes() *plot.Plot {
	plt := plot.New()
	plt.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&plt.X, &plt.Y} {
		axis.LineStyle.Color, axis.LineStyle.Width = faintInk, 0.5
		axis.Tick.LineStyle = axis.LineStyle
		axis.Tick.Length = 3
		axis.Padding = 0
		relabel(&axis.Tick.Label, textStyle(9, faintInk))
		relabel(&axis.Label.TextStyle, textStyle(9, faintInk))
	}
	plt.X.Label.Text, plt.Y.Label.Text = p.X, p.Y
	plt.X.Tick.Marker, plt.Y.Tick.Marker = linearTicks{}, linearTicks{}
	if p.Log {
		plt.Y.Scale, plt.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if p.LogX {
		plt.X.Scale, plt.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: gridInk, Width: 0.6}
	grid.Vertical = draw.LineStyle{}
	plt.Add(grid)
	return plt
}

// relabel takes over font and colour; the alignment stays the axis'.
func relabel(old *text.Style, with text.Style) { old.Font, old.Color = with.Font, with.Color }

// addTo adds the series' band and line to a plot.
func (s Series) addTo(plt *plot.Plot, stroke draw.LineStyle) error {
	if len(s.X) == 0 {
		return nil
	}
	c := color.NRGBAModel.Convert(stroke.Color).(color.NRGBA)
	if len(s.Low) > 0 {
		var outline plotter.XYs
		for i, x := range s.X {
			outline = append(outline, plotter.XY{X: x, Y: s.High[i]})
		}
		for i := len(s.X) - 1; i >= 0; i-- {
			outline = append(outline, plotter.XY{X: s.X[i], Y: s.Low[i]})
		}
		band, err := plotter.NewPolygon(outline)
		if err != nil {
			return err
		}
		band.Color = color.NRGBA{c.R, c.G, c.B, 0x38}
		band.LineStyle.Width = 0
		plt.Add(band)
	}
	points := make(plotter.XYs, len(s.X))
	for i := range points {
		points[i] = plotter.XY{X: s.X[i], Y: s.Y[i]}
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.LineStyle = stroke
	if len(points) > 150 {
		line.Width = 0.8 // noise should not fill the plot
	}
	plt.Add(line)
	if len(points) <= 30 {
		dots.GlyphStyle = draw.GlyphStyle{Color: c, Radius: 1.8, Shape: draw.CircleGlyph{}}
		plt.Add(dots)
	}
	return nil
}

// fitAxes leaves some air around the data, and gives axes without data, or
// with a single value, a range.
func (p Panel) fitAxes(plt *plot.Plot) {
	if plt.X.Min > plt.X.Max { // no data
		plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = 0, 1, 0, 1
		if p.Log {
			plt.Y.Min = 0.1
		}
		if p.LogX {
			plt.X.Min = 0.1
		}
	}
	if plt.X.Min == plt.X.Max && p.LogX {
		plt.X.Min, plt.X.Max = plt.X.Min/2, plt.X.Max*2
	} else if plt.X.Min == plt.X.Max {
		air := max(1, 1e-6*math.Abs(plt.X.Max))
		plt.X.Min, plt.X.Max = plt.X.Min-air, plt.X.Max+air
	}
	y := &plt.Y
	if p.Log {
		air := math.Pow(max(y.Max/y.Min, 2), 0.05)
		y.Min, y.Max = y.Min/air, y.Max*air
		return
	}
	air := max(0.05*(y.Max-y.Min), 1e-6*math.Abs(y.Max))
	if y.Min == y.Max {
		air = max(0.1*math.Abs(y.Max), 1e-3)
	}
	// Not below zero where nothing is.
	if low := y.Min - air; y.Min < 0 || low > 0 {
		y.Min = low
	} else {
		y.Min = 0
	}
	y.Max += air
}

// linearTicks labels about five round values.
type linearTicks struct{}

func (linearTicks) Ticks(low, high float64) []plot.Tick {
	step := RoundStep((high - low) / 5)
	first := math.Ceil(low / step)
	var ticks []plot.Tick
	for i := range 6 {
		if v := (first + float64(i)) * step; v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: number(v, max(math.Abs(low), math.Abs(high)))})
		}
	}
	return ticks
}

// RoundStep returns the smallest of ..., 1, 2, 5, 10, ... that is not below
// rough.
func RoundStep(rough float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if m*decade >= rough*(1-1e-9) {
			return m * decade
		}
	}
	return 10 * decade
}

// logTicks labels the decades, and 2 and 5 between them where the axis is
// short; where it is long it leaves decades out.
type logTicks struct{}

func (logTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	short := high/low < 50
	every := max(1, math.Round(math.Log10(high/low)/6))
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		if math.Mod(e, every) != 0 {
			continue
		}
		for m := 1.; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low || v > high || every > 1 && m > 1 {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || short && (m == 2 || m == 5) || high/low < 4 {
				t.Label = number(v, v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// number writes a tick's value, rounded to what the axis' size makes visible.
func number(v, size float64) string {
	if math.Abs(v) < 1e-9*size {
		return "0"
	}
	text := fmt.Sprintf("%.6g", v)
	if digits := strings.TrimPrefix(text, "-"); len(digits) > 4 && !strings.ContainsAny(digits, ".e") {
		text = strings.TrimSuffix(text, digits[len(digits)-3:]) + "\u2009" + digits[len(digits)-3:]
	}
	return strings.Replace(text, "-", "\u2212", 1)
}
