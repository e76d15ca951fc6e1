package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/agon-rl/agon/trainer/run/report"
)

// page is a report in docs/lab. It opens with what was found, which is written by hand
// and stays when the page is written again. What is measured begins at its mark, then
// comes how it was measured, and last the command.
type page struct {
	name    string // of its file, without .md
	title   string // of a page that is not there yet
	command string // that measures it
	setup   string // games, settings and seeds
}

// pages are all reports.
var pages = []page{
	raePage, leducPage, collapsePage, backendsPage,
	searchPage, teachPage, testTimePage, stepsPage, stepsVerifiedPage, boardPage,
	objectivesPage, neuralPage, claimsPage,
	armsPage, roundsPage, criticObjectivesPage, stagesPage, validityPage, curriculumPage, wholePage, inspectionPage, guidePage,
	calibrationPage, duplicatesPage,
}

// mark is the line at which the finding ends.
func (p page) mark() string { return "<!-- measured by " + p.command + " -->\n" }

// end is what stands below what is measured.
func (p page) end() string {
	return fmt.Sprintf("\n## Setup\n\n%s\n\nMeasured by `%s`.\n", strings.TrimSpace(p.setup), p.command)
}

// finding is what stands above the mark of a page.
func (p page) finding(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("# %s\n\n", p.title), nil
	}
	if err != nil {
		return "", err
	}
	finding, _, found := strings.Cut(string(text), p.mark())
	if !found {
		return "", fmt.Errorf("%s has no line %s: expected it where what is measured begins, and wrote nothing", file, strings.TrimSpace(p.mark()))
	}
	return finding, nil
}

// write writes what was measured, its first heading first, below the page's finding.
func (l *lab) write(p page, measured string) error {
	file := l.path(p.name + ".md")
	finding, err := p.finding(file)
	if err != nil {
		return err
	}
	text := finding + p.mark() + "\n" + strings.Trim(measured, "\n") + "\n" + p.end()
	return os.WriteFile(file, []byte(text), 0o644) //nolint:gosec // a page to read
}

// report writes a page that has a figure.
func (l *lab) report(p page, measured string, panels []report.Panel) error {
	if err := l.draw(p, panels...); err != nil {
		return err
	}
	return l.write(p, measured)
}

// draw draws panels into the figure of a page.
func (l *lab) draw(p page, panels ...report.Panel) error {
	return report.Curves(l.path(p.name+".svg"), panels...)
}
