// Package report writes what a tournament leaves in its folder: its games as JSON
// lines, Parquet and PGN, its standings and summary, and report.html, one
// self-contained file that needs no network.
//
// The same log and settings give the same bytes.
package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/agon-rl/agon/arena"
)

// Names of what is written.
const (
	GamesFile     = "games.jsonl"
	ParquetFile   = "games.parquet"
	PGNFile       = "games.pgn" // of chess alone
	StandingsFile = "standings.csv"
	SummaryFile   = "summary.json"
	TimingFile    = "timing.csv" // what measures time, which differs between equal tournaments
	PageFile      = "report.html"
)

// Finished is a tournament that was played, or as much of it as there is.
type Finished struct {
	Name       string
	Settings   string // as a text, shown on the page
	Tournament arena.Tournament
	Summary    arena.Summary
	Log        *arena.Log
	// Brief leaves out the games, but for those that the page shows.
	Brief bool
}

// Write leaves the files in a folder. Each appears whole or not at all. Games are
// read from the log one by one, once, however many there are.
func Write(ctx context.Context, dir string, f Finished) error {
	s := newSample(f)
	var err error
	if f.Brief {
		err = s.read(f.Log)
	} else {
		err = writeGames(ctx, dir, f, s)
	}
	if err != nil {
		return err
	}
	return errors.Join(
		replace(dir, StandingsFile, f.Summary.WriteCSV),
		replace(dir, TimingFile, f.Summary.WriteTiming),
		replace(dir, SummaryFile, f.Summary.WriteJSON),
		replace(dir, PageFile, func(w io.Writer) error { return render(w, f, s.games) }),
	)
}

// writeGames writes the games in every form, and hands them to the page's sample.
func writeGames(ctx context.Context, dir string, f Finished, page *sample) error {
	forms := []struct {
		name string
		open func(io.Writer) (arena.Writer, error)
	}{
		{GamesFile, func(w io.Writer) (arena.Writer, error) { return arena.NewTranscripts(w), nil }},
		{ParquetFile, func(w io.Writer) (arena.Writer, error) { return arena.NewParquet(w), nil }},
		{PGNFile, func(w io.Writer) (arena.Writer, error) { return arena.NewPGN(f.Tournament, w) }},
	}
	var writers []arena.Writer
	var done []func(error) error
	for _, form := range forms {
		file, finish, err := begin(dir, form.name)
		if err != nil {
			return err
		}
		w, err := form.open(file)
		if err != nil { // the game is not chess
			_ = finish(err) // nothing was to be written
			continue
		}
		writers, done = append(writers, w), append(done, finish)
	}
	err := f.Tournament.Export(ctx, f.Log, append(writers, page)...)
	for _, w := range writers {
		err = errors.Join(err, w.Close())
	}
	ends := make([]error, len(done))
	for i, finish := range done {
		ends[i] = finish(err)
	}
	return errors.Join(ends...)
}

// replace writes a file beside and moves it into place, so that nobody reads half of
// it.
func replace(dir, name string, write func(io.Writer) error) error {
	file, finish, err := begin(dir, name)
	if err != nil {
		return err
	}
	return finish(write(file))
}

// begin opens a file beside the one that finish puts in place, or takes away after an
// error. What a kill leaves is written over the next time.
func begin(dir, name string) (file *os.File, finish func(error) error, err error) {
	path := filepath.Join(dir, name)
	temp := filepath.Join(dir, "."+name+".tmp")
	if file, err = os.Create(temp); err != nil { //nolint:gosec // in the tournament's folder
		return nil, nil, fmt.Errorf("write %s: %w", path, err)
	}
	return file, func(err error) error {
		if err == nil {
			err = file.Sync()
		}
		if err = errors.Join(err, file.Close()); err == nil {
			err = os.Rename(temp, path)
		}
		if err != nil {
			_ = os.Remove(temp)
			return fmt.Errorf("write %s: %w", path, err)
		}
		return nil
	}, nil
}
