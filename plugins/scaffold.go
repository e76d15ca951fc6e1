package plugins

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed all:scaffold
var scaffolds embed.FS

// Scaffolded is a new plugin before it is written.
type Scaffolded struct {
	files map[string][]byte // by name
	Next  string            // what to do with it
}

var goodName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// Scaffold makes a working game with its test, in go or python, to start from.
func Scaffold(name, lang string) (*Scaffolded, error) {
	if !goodName.MatchString(name) {
		return nil, fmt.Errorf("plugin new: name %q: expected a lower-case letter, then lower-case letters, digits and _", name)
	}
	if lang != "go" && lang != "python" {
		return nil, fmt.Errorf("plugin new: --lang %s: expected go or python", lang)
	}
	fields := struct{ Name, Type string }{name, camel(name)}
	s := &Scaffolded{files: map[string][]byte{}}
	root := "scaffold/" + lang
	err := fs.WalkDir(scaffolds, root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		t, err := template.New(path).Delims("<<", ">>").ParseFS(scaffolds, path)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.ExecuteTemplate(&out, filepath.Base(path), fields); err != nil {
			return err
		}
		file := strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(path, root+"/"), "NAME", name), ".tmpl")
		if file == "next.txt" {
			s.Next = strings.TrimSpace(out.String())
			return nil
		}
		s.files[file] = out.Bytes()
		return nil
	})
	return s, err
}

func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// Write writes the files into a new folder. Where that fails nothing is left.
func (s *Scaffolded) Write(folder string) error {
	if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // for others to read
		return err
	}
	for name, text := range s.files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil { //nolint:gosec // for others to read
			_ = os.RemoveAll(folder)
			return err
		}
	}
	return nil
}
