// Package report draws what a run measured: curve.png and curve.svg for
// papers and pages, and report.html, one self-contained file that needs no
// network, with every curve to look into.
//
// The same run gives the same bytes.
package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/trainer/run"
)

// Names of the pictures in a run's folder; the page's is runs.ReportFile.
const (
	CurvePNG = "curve.png"
	CurveSVG = "curve.svg"
)

// Section is what a page tells beside the curves: a table, texts to read, or both.
type Section struct {
	Title, Text string
	Head        []string // of the table's columns; the first column names the rows
	Rows        [][]Cell
	Notes       []Note
}

// Cell is a cell of a table.
type Cell struct {
	Text  string
	Share float64 // from 0 to 1: how strongly the cell is coloured
}

// Note is a text to read as it stands.
type Note struct{ Title, Body string }

// Write draws the run in the folder dir, also while it is being trained, and
// leaves curve.png, curve.svg and report.html there. The sections come on the page
// before the curves.
func Write(dir string, sections ...Section) error {
	folder, err := run.Open(dir)
	if err != nil {
		return err
	}
	recipe, err := folder.Recipe()
	if err != nil {
		return err
	}
	lines, err := run.ReadMetrics(dir)
	if err != nil {
		return fmt.Errorf("report of run %s: %w", dir, err)
	}
	groups := groupsOf(lines)
	var panels []Panel
	for _, g := range groups {
		if g.headline {
			panels = append(panels, g.Panel)
		}
	}
	if len(panels) == 0 {
		panels = []Panel{{Title: "No measures yet", X: "update"}}
	}
	page, err := renderPage(folder.Name(), string(recipe), lines, groups, sections)
	if err != nil {
		return fmt.Errorf("report of run %s: %w", dir, err)
	}
	return errors.Join(
		Curves(folder.Path(CurvePNG), panels...),
		Curves(folder.Path(CurveSVG), panels...),
		replaceFile(folder.Path(run.ReportFile), page),
	)
}

// replaceFile writes a file beside and moves it into place, so that nobody
// reads half of it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
