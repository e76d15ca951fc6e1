package cmd

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
)

// What is drawn of a tree: of each node the most visited children, as long as
// they have a share of the simulations that is worth looking at.
const (
	drawnChildren = 4
	drawnDepth    = 5
	drawnShare    = 0.02
)

// Sizes in the picture.
const (
	boxWidth, boxHeight, boxGap = 112, 36, 10
	levelHeight                 = 74
)

// box is a node of the picture.
type box struct {
	x, y        float64 // of its middle and of its top
	move, about string
	value       float64 // to the seat that moves at the root
	below       []*box
}

// treePicture draws the part of a tree that the search looked at most, as SVG:
// blue is good for the seat that moves at the root, orange bad.
func treePicture(tree *mcts.Tree) string {
	state := tree.State()
	right, deepest := 0.0, 0.0
	var place func(b *box, s games.State, at mcts.NodeID, depth int)
	place = func(b *box, s games.State, at mcts.NodeID, depth int) {
		b.y = float64(depth * levelHeight)
		deepest = max(deepest, b.y)
		if at != mcts.None && depth < drawnDepth && s != nil && s.Turn() == tree.Seat(at) {
			for i, c := range byVisits(tree.Children(at)) {
				if i == drawnChildren || float64(c.Visits) < drawnShare*float64(tree.Simulations()) || c.Visits == 0 {
					break
				}
				child, next := childBox(tree, s, at, c)
				b.below = append(b.below, child)
				place(child, next, c.Node, depth+1)
			}
		}
		if len(b.below) == 0 {
			b.x = right + boxWidth/2
			right += boxWidth + boxGap
			return
		}
		b.x = (b.below[0].x + b.below[len(b.below)-1].x) / 2
	}
	root := &box{move: "the position", about: fmt.Sprintf("%d  %+.3f", tree.Simulations(), tree.Mean(mcts.Root)), value: tree.Mean(mcts.Root)}
	place(root, state, mcts.Root, 0)
	var out strings.Builder
	width, height := right-boxGap+4, deepest+boxHeight+4
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 %.0f %.0f" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12" text-anchor="middle">`+"\n", width, height, width, height)
	root.draw(&out)
	out.WriteString("</svg>\n")
	return out.String()
}

// childBox describes an edge and returns the state behind it, nil where it
// cannot be reached from this one of the states that the node stands for.
func childBox(tree *mcts.Tree, s games.State, at mcts.NodeID, c mcts.Child) (*box, games.State) {
	b := &box{move: games.Say(s, c.Action), about: fmt.Sprintf("%d  %+.3f", c.Visits, c.Q), value: c.Q}
	switch seat := tree.Seat(at); {
	case seat == games.Chance:
		b.value, b.about = 0, fmt.Sprintf("%d", c.Visits)
	case seat != tree.State().Turn():
		b.value = -c.Q
	}
	if c.Proven {
		b.about += " proven"
	}
	next := s.Clone()
	if next.Apply(c.Action) != nil {
		return b, nil
	}
	return b, next
}

func (b *box) draw(out *strings.Builder) {
	for _, c := range b.below {
		fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", b.x, b.y+boxHeight, c.x, c.y, lineColour)
		c.draw(out)
	}
	colour := xColour
	if b.value < 0 {
		colour = oColour
	}
	fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="%d" height="%d" rx="4" fill="white"/>`, b.x-boxWidth/2, b.y, boxWidth, boxHeight)
	fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="%d" height="%d" rx="4" fill="%s" fill-opacity="%.2f" stroke="%s"/>`, b.x-boxWidth/2, b.y, boxWidth, boxHeight, colour, 0.5*max(b.value, -b.value), lineColour)
	for i, text := range []string{b.move, b.about} {
		var escaped strings.Builder
		_ = xml.EscapeText(&escaped, []byte(shorten(text))) // a strings.Builder takes everything
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f">%s</text>`, b.x, b.y+15+float64(15*i), escaped.String())
	}
	out.WriteString("\n")
}

// shorten keeps what fits into a box.
func shorten(text string) string {
	const most = 17
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
