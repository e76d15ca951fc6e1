package chat

import (
	"regexp"
	"strings"
)

// tag opens or closes what a model thinks before it answers. Its first group is
// not empty where it closes.
var tag = regexp.MustCompile(`(?i)<(/?)(?:think|thinking|thought|thoughts|reasoning)>|(?-i:\[(/?)THINK\])`)

// splitReasoning parts an answer from the reasoning in it. A closing tag that
// nothing opened ends reasoning that began with the text, since some chat
// templates write the opening tag into the prompt; an opening tag that nothing
// closes reaches to the end, where the answer was cut off.
func splitReasoning(content string) (text, reasoning string) {
	var answer, thought strings.Builder
	thinking, from := false, 0
	for _, at := range tag.FindAllStringSubmatchIndex(content, -1) {
		closes := at[2] < at[3] || at[4] < at[5]
		piece := content[from:at[0]]
		switch {
		case thinking:
			thought.WriteString(piece)
		case closes:
			thought.WriteString(answer.String() + piece)
			answer.Reset()
		default:
			answer.WriteString(piece)
		}
		thinking, from = !closes, at[1]
	}
	if thinking {
		thought.WriteString(content[from:])
	} else {
		answer.WriteString(content[from:])
	}
	return strings.TrimSpace(answer.String()), strings.TrimSpace(thought.String())
}
