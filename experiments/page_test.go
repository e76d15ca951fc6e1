package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPageKeepsItsFinding writes a page twice, with a finding written between.
func TestPageKeepsItsFinding(t *testing.T) {
	l := &lab{docs: t.TempDir()}
	p := page{name: "some", title: "Some report", command: "go run ./experiments some", setup: "Two games."}
	file := l.path("some.md")
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := l.write(p, "\n## First\n\none\n"); err != nil {
		t.Fatal(err)
	}
	want := "# Some report\n\n<!-- measured by go run ./experiments some -->\n\n## First\n\none\n\n## Setup\n\nTwo games.\n\nMeasured by `go run ./experiments some`.\n"
	if got := read(); got != want {
		t.Fatalf("a new page is\n%s\nexpected\n%s", got, want)
	}
	found := strings.Replace(want, "Some report\n", "Some report\n\nIt works, in ## First too.\n", 1)
	if err := os.WriteFile(file, []byte(found), 0o644); err != nil {
		t.Fatal(err)
	}
	p.setup = "Three games."
	if err := l.write(p, "## Second\n\ntwo"); err != nil {
		t.Fatal(err)
	}
	want = strings.NewReplacer("## First\n\none", "## Second\n\ntwo", "Two", "Three").Replace(found)
	if got := read(); got != want {
		t.Fatalf("written again the page is\n%s\nexpected\n%s", got, want)
	}
	unmarked := strings.Replace(want, p.mark(), "", 1)
	if err := os.WriteFile(file, []byte(unmarked), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := l.write(p, "## Third\n\nthree"); err == nil || !strings.Contains(err.Error(), p.command) {
		t.Errorf("a page without its mark: %v; expected an error that names the mark", err)
	}
	if got := read(); got != unmarked {
		t.Errorf("a page without its mark was changed to\n%s", got)
	}
}

// TestReports holds the pages of docs/lab to their form: what was found and its figure
// first, then what was measured, then the setup that this program has, then its command.
func TestReports(t *testing.T) {
	const lab = "../docs/lab"
	known := map[string]bool{}
	for _, p := range pages {
		known[p.name+".md"] = true
		text, err := os.ReadFile(filepath.Join(lab, p.name+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		finding, measured, found := strings.Cut(string(text), p.mark())
		if !found || strings.Contains(measured, "<!-- measured by") {
			t.Errorf("%s: expected the line %q once", p.name, p.mark())
			continue
		}
		if !strings.HasSuffix(measured, p.end()) {
			t.Errorf("%s ends in\n%s\nexpected\n%s", p.name, measured[strings.LastIndex(measured, "\n## "):], p.end())
		}
		if !strings.HasPrefix(measured, "\n## ") {
			t.Errorf("%s: what is measured has no heading", p.name)
		}
		first := strings.SplitN(finding, "\n\n", 3)
		if len(first) < 3 || !strings.HasPrefix(first[0], "# ") || !regexp.MustCompile(`^(\*\*)?[A-Z]`).MatchString(first[1]) {
			t.Errorf("%s: expected a title and a finding in words", p.name)
		}
		if _, err := os.Stat(filepath.Join(lab, p.name+".svg")); err == nil && !strings.Contains(finding, "]("+p.name+".svg)") {
			t.Errorf("%s: its figure is not beside its finding", p.name)
		}
		name := p.command[strings.LastIndex(p.command, " ")+1:]
		if experiments[name] == nil {
			t.Errorf("%s: there is no experiment %q", p.name, name)
		}
	}
	files, err := filepath.Glob(filepath.Join(lab, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "<!-- measured by") && !known[filepath.Base(file)] {
			t.Errorf("%s is no page of this program", file)
		}
	}
}
