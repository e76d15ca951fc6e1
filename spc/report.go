package spc

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/trainer/run"
	"github.com/agon-rl/agon/trainer/run/report"
)

// Summary is what a run has come to.
type Summary struct {
	Run       string    `json:"run"`
	Game      string    `json:"game"`
	Updates   int       `json:"updates"`
	Of        int       `json:"of"`
	Rounds    []Round   `json:"rounds"`
	Kinds     []string  `json:"kinds,omitempty"` // of error, in the domain's order
	Sneakiest []Example `json:"sneakiest,omitempty"`

	whole bool // whether whole solutions are judged
}

// Round is how the players stood when a round of a run was last measured. Round 0 is
// the warm-up.
type Round struct {
	Round    int                `json:"round"`
	Update   int                `json:"update"`
	Right    *float64           `json:"accuracy_correct,omitempty"` // of right lines, the share judged right
	Wrong    *float64           `json:"accuracy_wrong,omitempty"`   // of wrong lines, the mean over kinds
	F1       *float64           `json:"f1,omitempty"`
	Worst    string             `json:"worst,omitempty"` // the kind that is found least
	WorstF1  *float64           `json:"worst_f1,omitempty"`
	Caught   map[string]float64 `json:"caught,omitempty"`  // by kind: the share found in the exam
	Written  map[string]float64 `json:"written,omitempty"` // by kind: the share of the sneaky player's lines
	Fooled   map[string]float64 `json:"fooled,omitempty"`  // by kind: the share that fooled the critic
	FoolRate *float64           `json:"fool_rate,omitempty"`
	Refused  *float64           `json:"refused,omitempty"`
	Last     *float64           `json:"nash_conv_last,omitempty"`
	Average  *float64           `json:"nash_conv_average,omitempty"`
}

// Summarise reads what a run measured, also while it is being trained.
func Summarise(folder *run.Folder) (Summary, error) {
	recipe, _, err := RecipeOf(folder)
	if err != nil {
		return Summary{}, err
	}
	t, err := newTask(recipe)
	if err != nil {
		return Summary{}, err
	}
	lines, err := run.ReadMetrics(folder.Dir())
	if err != nil {
		return Summary{}, err
	}
	game, err := games.New(recipe.Game)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Run: folder.Dir(), Game: game.Info().Name, Of: total(recipe)}
	if t.spc != nil {
		s.Kinds, s.whole = t.spc.Critique().Errors.All(), t.spc.Whole
	}
	for _, line := range lines {
		s.Updates = int(line[run.UpdateKey])
		r, measured := roundOf(line, s.Kinds)
		if !measured {
			continue
		}
		if last := len(s.Rounds) - 1; last >= 0 && s.Rounds[last].Round == r.Round {
			s.Rounds[last] = r
		} else {
			s.Rounds = append(s.Rounds, r)
		}
	}
	c, err := folder.Latest(func(error) {})
	switch {
	case errors.Is(err, run.ErrNoCheckpoint):
		return s, nil
	case err != nil:
		return s, err
	case t.spc != nil:
		s.Sneakiest, err = examplesOf(c)
	}
	return s, err
}

// roundOf reads a line of metrics; measured is false where nothing was evaluated.
func roundOf(line map[string]float64, kinds []string) (r Round, measured bool) {
	value := func(key string) *float64 {
		if v, ok := line[key]; ok && !math.IsNaN(v) {
			return &v
		}
		return nil
	}
	byKind := func(prefix string) map[string]float64 {
		out := map[string]float64{}
		for _, kind := range kinds {
			if v := value(prefix + kind); v != nil {
				out[kind] = *v
			}
		}
		return out
	}
	r = Round{
		Round: int(line["round"]), Update: int(line[run.UpdateKey]),
		Right: value("accuracy/correct"), Wrong: value("accuracy/wrong"), F1: value("f1"), WorstF1: value("f1/worst"),
		FoolRate: value("fooled"), Refused: value("refused"), Last: value("nash_conv/last"), Average: value("nash_conv/average"),
		Caught: byKind("caught/"), Written: byKind("written/"), Fooled: byKind("fooled/"),
	}
	if r.Right != nil {
		_, r.Worst = Score{Right: *r.Right, Kinds: r.Caught}.Worst(kinds)
	}
	return r, r.F1 != nil || r.Last != nil
}

// Report draws a run's curves and its page, with what the summary tells.
func Report(dir string) error {
	folder, err := run.Open(dir)
	if err != nil {
		return err
	}
	s, err := Summarise(folder)
	if err != nil {
		return err
	}
	return report.Write(dir, s.Sections()...)
}

// Sections are the tables and texts of a run's page.
func (s Summary) Sections() []report.Section {
	if len(s.Rounds) == 0 {
		return nil
	}
	if len(s.Kinds) == 0 {
		return []report.Section{s.equilibrium()}
	}
	out := []report.Section{s.critic(), s.kinds("Fool rate by kind of error", "Of the lines of a kind that the sneaky player slipped in, the share that fooled the critic; a dash where it wrote none.", func(r Round) map[string]float64 { return r.Fooled })}
	out = append(out, s.kinds("What the sneaky player writes", "The share of each kind among the lines that it wrote in place of true ones.", func(r Round) map[string]float64 { return r.Written }))
	missing := "The exam has as many lines of every kind, whatever the sneaky player writes; of each kind, the share that the critic took for correct."
	if s.whole {
		missing = "The exam has as many solutions with an error of every kind, whatever the sneaky player writes; of each kind, the share whose first wrong step the critic did not name."
	}
	out = append(out, s.kinds("Missed in the exam, by kind of error", missing, func(r Round) map[string]float64 { return missed(r.Caught) }))
	if len(s.Sneakiest) > 0 {
		out = append(out, s.examples())
	}
	return out
}

func missed(caught map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for kind, share := range caught {
		out[kind] = 1 - share
	}
	return out
}

func (s Summary) equilibrium() report.Section {
	section := report.Section{
		Title: "How far from the equilibrium", Head: []string{"round", "update", "NashConv, last pair", "NashConv, average of all pairs"},
		Text: "What both players together could gain by best responses, exactly: 0 at an equilibrium.",
	}
	for _, r := range s.Rounds {
		section.Rows = append(section.Rows, []report.Cell{{Text: roundName(r)}, {Text: fmt.Sprint(r.Update)}, number(r.Last, 0), number(r.Average, 0)})
	}
	return section
}

func roundName(r Round) string {
	if r.Round == 0 {
		return "warm-up"
	}
	return fmt.Sprint(r.Round)
}

// number is a cell; shade colours it by the number's part of 1.
func number(v *float64, shade float64) report.Cell {
	if v == nil {
		return report.Cell{Text: "–"}
	}
	return report.Cell{Text: fmt.Sprintf("%.3f", *v), Share: shade * *v}
}

func (s Summary) critic() report.Section {
	section := report.Section{
		Title: "The critic, round by round",
		Head:  []string{"round", "update", "right lines judged right", "wrong lines judged right", "F1", "worst kind", "its F1", "lines that fool it", "refused"},
		Text:  "F1 is the harmonic mean of the two accuracies: a critic that always says the same has 0. The last two columns are of the sneaky player's own lines.",
	}
	if s.whole {
		section.Head[2], section.Head[3] = "solutions without an error judged right", "first wrong steps found"
	}
	last := s.Rounds[len(s.Rounds)-1]
	if last.Worst != "" {
		section.Text = fmt.Sprintf("Found worst at the end: %s, %.0f %% of its lines. ", last.Worst, 100*last.Caught[last.Worst]) + section.Text
	}
	for _, r := range s.Rounds {
		section.Rows = append(section.Rows, []report.Cell{
			{Text: roundName(r)}, {Text: fmt.Sprint(r.Update)}, number(r.Right, 0), number(r.Wrong, 0), number(r.F1, 0),
			{Text: r.Worst}, number(r.WorstF1, 0), number(r.FoolRate, 0), number(r.Refused, 0),
		})
	}
	return section
}

// kinds is a table of kinds by rounds.
func (s Summary) kinds(title, text string, of func(Round) map[string]float64) report.Section {
	section := report.Section{Title: title, Text: text, Head: []string{"kind of error"}}
	for _, r := range s.Rounds {
		if r.Round == 0 {
			section.Head = append(section.Head, "warm-up")
		} else {
			section.Head = append(section.Head, "round "+roundName(r))
		}
	}
	for _, kind := range s.Kinds {
		row := []report.Cell{{Text: kind}}
		for _, r := range s.Rounds {
			cell := report.Cell{Text: "–"}
			if v, ok := of(r)[kind]; ok {
				cell = number(&v, 1)
			}
			row = append(row, cell)
		}
		section.Rows = append(section.Rows, row)
	}
	return section
}

func (s Summary) examples() report.Section {
	section := report.Section{
		Title: "The sneakiest lines",
		Text:  "Wrong lines of the last measured games which the critic believed most.",
	}
	for _, e := range s.Sneakiest {
		body := []string{e.Problem, "", "slipped in:  " + e.Line, "true line:   " + e.Right}
		if e.Why != "" {
			body = append(body, "wrong:       "+e.Why)
		}
		section.Notes = append(section.Notes, report.Note{
			Title: fmt.Sprintf("%s, believed at %.3f", e.Kind, e.Believed), Body: strings.Join(body, "\n"),
		})
	}
	return section
}
