package lint

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// files lists the repository's files with one of the extensions, by their paths from its
// root with slashes, without hidden folders.
func files(t *testing.T, extensions ...string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || name == "runs"):
			return fs.SkipDir
		case !d.IsDir() && slices.Contains(extensions, path.Ext(name)):
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fence  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	inCode = regexp.MustCompile("`[^`\n]*`")
	link   = regexp.MustCompile(`\]\(\s*([^)\s]+)[^)]*\)`)
	head   = regexp.MustCompile(`(?m)^#{1,6} +(.*)$`)
)

// links are the targets of a page's links and pictures, those in code left out.
func links(text string) []string {
	text = inCode.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
	var out []string
	for _, found := range link.FindAllStringSubmatch(text, -1) {
		out = append(out, found[1])
	}
	return out
}

// anchors are the names by which GitHub links to a page's headings.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, found := range head.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, found[1])
		again := name
		for i := 1; out[again]; i++ {
			again = fmt.Sprintf("%s-%d", name, i)
		}
		out[again] = true
	}
	return out
}

// local splits a link into the file that it names, from the root, and the anchor; ok is
// false where it leads out of the repository.
func local(page, target string) (file, anchor string, ok bool) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "", "", false
	}
	name, anchor, _ := strings.Cut(target, "#")
	if name == "" {
		return page, anchor, true
	}
	return path.Join(path.Dir(page), name), anchor, true
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range files(t, ".md") {
		for _, target := range links(read(t, page)) {
			file, anchor, ok := local(page, target)
			if !ok {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s links to %s: there is no such file", page, target)
				continue
			}
			if anchor != "" && !anchors(read(t, file))[anchor] {
				t.Errorf("%s links to %s: %s has no heading of that name", page, target, file)
			}
		}
	}
}

// TestIndex holds docs/README.md to what it is: the way to every page.
func TestIndex(t *testing.T) {
	const index = "docs/README.md"
	listed := map[string]bool{index: true}
	for _, target := range links(read(t, index)) {
		file, _, _ := local(index, target)
		listed[file] = true
	}
	shown := map[string]bool{}
	for _, page := range files(t, ".md") {
		if strings.HasPrefix(page, "docs/") && !listed[page] {
			t.Errorf("%s has no line in %s", page, index)
		}
		for _, target := range links(read(t, page)) {
			file, _, _ := local(page, target)
			shown[file] = true
		}
	}
	for _, picture := range files(t, ".png", ".svg") {
		if strings.HasPrefix(picture, "docs/") && !shown[picture] {
			t.Errorf("no page shows %s", picture)
		}
	}
}

// TestPagesNamedInCode looks up the pages of docs that comments and help texts send to.
func TestPagesNamedInCode(t *testing.T) {
	named := regexp.MustCompile(`\bdocs/[\w./-]*\.(md|png|svg)\b`)
	for _, file := range files(t, ".go", ".py", ".yaml", ".proto", ".sh", ".md") {
		if strings.HasSuffix(file, "lint/docs_test.go") {
			continue
		}
		for _, name := range named.FindAllString(read(t, file), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				t.Errorf("%s names %s: there is no such file", file, name)
			}
		}
	}
}

// TestGoInPagesIsCode holds the Go of pages to code that is compiled: the lines of each
// block stand, in their order, in one file. Most are those of an Example, less its errors.
func TestGoInPagesIsCode(t *testing.T) {
	var sources [][]string
	for _, file := range files(t, ".go") {
		sources = append(sources, trimmed(read(t, file)))
	}
	for _, page := range files(t, ".md") {
		for _, found := range goBlock.FindAllStringSubmatch(read(t, page), -1) {
			block := trimmed(found[1])
			if !slices.ContainsFunc(sources, func(source []string) bool { return within(block, source) }) {
				t.Errorf("%s: no Go file holds these lines in this order:\n%s", page, found[1])
			}
		}
	}
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// trimmed are the lines of a text that hold anything, without the blanks around them.
func trimmed(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// within tells whether a file has the lines of a block, in their order.
func within(block, file []string) bool {
	for _, line := range file {
		if len(block) > 0 && line == block[0] {
			block = block[1:]
		}
	}
	return len(block) == 0
}

func TestLinksAndAnchorsAreFound(t *testing.T) {
	page := "# One: `two`, *three*\n\n[a](b.md) `[c](d.md)` ![e](f.svg)\n\n```\n[g](h.md)\n# no heading\n```\n[i](#one)\n## Same\n## Same\n"
	if got := fmt.Sprint(links(page)); got != "[b.md f.svg #one]" {
		t.Errorf("links %s", got)
	}
	got := anchors(page)
	for _, name := range []string{"one-two-three", "same", "same-1"} {
		if !got[name] {
			t.Errorf("no %s in %v", name, got)
		}
	}
	if len(got) != 3 {
		t.Errorf("anchors %v", got)
	}
}
