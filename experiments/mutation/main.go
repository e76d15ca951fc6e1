// Command mutation sums up a report of the mutation tester:
//
//	mutation SOURCE PACKAGE REPORT ACCEPTED
//
// It prints how many mutants of a package were caught by its tests, and those survivors
// that the file of accepted ones does not name. A survivor is named by its file, its kind
// and its line of the source, where » stands before what was changed: names outlive changes
// to the rest of the file. What survives is to be caught by a test or accepted with a
// reason.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "mutation: expected SOURCE PACKAGE REPORT ACCEPTED")
		os.Exit(2)
	}
	if err := summarize(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

// report is what the tester writes.
type report struct {
	Files []struct {
		Name    string `json:"file_name"`
		Mutants []struct {
			Type   string
			Status string
			Line   int
			Column int
		} `json:"mutations"`
	}
}

func summarize(source, pkg, reported, accepted string) error {
	var r report
	text, err := os.ReadFile(reported)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return err
	}
	known, err := readAccepted(accepted, pkg)
	if err != nil {
		return err
	}
	mutants, caught := 0, 0
	var survivors []string
	for _, f := range r.Files {
		code, err := os.ReadFile(filepath.Join(source, pkg, f.Name))
		if err != nil {
			return err
		}
		lines := strings.Split(string(code), "\n")
		for _, m := range f.Mutants {
			switch m.Status {
			case "NOT VIABLE", "SKIPPED":
				continue
			case "KILLED", "TIMED OUT":
				caught++
			default:
				line := lines[m.Line-1]
				survivors = append(survivors, fmt.Sprintf("%s %s %s", path.Join(pkg, f.Name), m.Type, strings.TrimSpace(line[:m.Column-1]+"»"+line[m.Column-1:])))
			}
			mutants++
		}
	}
	slices.Sort(survivors)
	open := slices.DeleteFunc(slices.Clone(survivors), func(s string) bool { return known[s] })
	fmt.Printf("%-14s %5d mutants, %5d caught, %5.1f %%; of %d that survive %d are accepted\n",
		pkg, mutants, caught, 100*float64(caught)/float64(max(1, mutants)), len(survivors), len(survivors)-len(open))
	for _, s := range open {
		fmt.Println("  ", s)
	}
	for s := range known {
		if !slices.Contains(survivors, s) {
			fmt.Println("   accepted, and caught or gone:", s)
		}
	}
	return nil
}

// readAccepted reads the survivors of a package that have a reason: a line each, below the
// reason, which begins with #.
func readAccepted(file, pkg string) (map[string]bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, _, _ := strings.Cut(line, " "); !strings.HasPrefix(line, "#") && path.Dir(name) == pkg {
			out[line] = true
		}
	}
	return out, nil
}
