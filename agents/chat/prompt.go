package chat

import (
	"fmt"
	"os"
	"strings"
	"text/template"
)

// Template makes the message that asks a model for an action.
type Template struct{ t *template.Template }

// fields are what a template can name.
type fields struct {
	Prompt string // what the game tells the seat
	Role   string // the name of the seat's part, such as first or critic
	Game   string // the game's spec
}

const standard = `{{.Prompt}}

Think as long as you need to. Then write your action, and nothing else, on the last line of your answer.`

// DefaultTemplate is the game's prompt and the request to end with the action on
// the last line.
func DefaultTemplate() *Template {
	return &Template{template.Must(template.New("standard").Parse(standard))}
}

// ReadTemplate reads a file in the language of text/template. It can name
// .Prompt, .Role and .Game; one that names anything else, or not .Prompt, is an
// error.
func ReadTemplate(file string) (*Template, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	parsed, err := template.New(file).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("expected a template with {{.Prompt}}, {{.Role}} and {{.Game}}: %w", err)
	}
	t := &Template{parsed}
	const mark = "(the prompt)"
	shown, err := t.text(fields{Prompt: mark})
	if err != nil {
		return nil, fmt.Errorf("expected a template with {{.Prompt}}, {{.Role}} and {{.Game}}: %w", err)
	}
	if !strings.Contains(shown, mark) {
		return nil, fmt.Errorf("template %s: expected {{.Prompt}} in it: without it the model does not see the game", file)
	}
	return t, nil
}

func (t *Template) text(f fields) (string, error) {
	var b strings.Builder
	if err := t.t.Execute(&b, f); err != nil {
		return "", err
	}
	return b.String(), nil
}
