package trainer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/objective"
	"github.com/agon-rl/agon/prefs"
)

// Learn is an entry of what is learnt: from what, and by which loss.
type Learn struct {
	// From is games, what the players did and what came of it; search, what the search
	// of the recipe thinks of their turns; preferences, which of several games with the
	// same deal is better; or file(PATH), pairs of answers to states.
	From string `yaml:"from"`
	// Loss is, from games, ppo or reinforce (see objective.ParsePolicyGradient); from a
	// search, visits, its distribution over actions with how the game ended (expert
	// iteration), best, its best action alone, or a preference objective among the
	// actions that it tried; from preferences, a preference objective, or ppo or
	// reinforce, to which the share of answers that an answer beats is the reward (SPO);
	// from a file, a preference objective. These are what agon objectives list names.
	Loss string `yaml:"loss"`
}

// LearnForms documents what may be learnt from what by recipes of the method play.
const LearnForms = `games        ppo(clip=0.2) or reinforce
search       visits, best, or a preference objective among the actions that it tried
preferences  a preference objective; or ppo or reinforce, to which the share of answers
             that an answer beats is the reward
file(PATH)   a preference objective`

// source is an entry that was read.
type source struct {
	from     string
	file     string // of from: file(PATH)
	gradient objective.PolicyGradient
	best     bool       // of a search, the best action alone
	compares *comparing // the preference objective; nil for none
}

const (
	fromGames       = "games"
	fromSearch      = "search"
	fromPreferences = "preferences"
	fromFile        = "file"
)

var sources = []string{fromGames, fromSearch, fromPreferences, fromFile}

// sources reads what the recipe learns from.
func (r Recipe) sources() (out []source, err error) {
	if len(r.Learn) == 0 {
		return nil, fmt.Errorf("learn: nothing is learnt: expected entries such as {from: games, loss: ppo}")
	}
	for i, l := range r.Learn {
		s, err := r.source(l)
		if err != nil {
			return nil, fmt.Errorf("learn[%d]: %w", i+1, err)
		}
		if s.from != fromFile && slices.ContainsFunc(out, func(other source) bool { return other.from == s.from }) {
			return nil, fmt.Errorf("learn[%d]: from: %s: it stands there twice", i+1, s.from)
		}
		out = append(out, s)
	}
	return out, nil
}

func (r Recipe) source(l Learn) (s source, err error) {
	if l.From == "" || l.Loss == "" {
		return s, fmt.Errorf("expected from and loss, such as {from: games, loss: ppo}")
	}
	from, err := spec.Parse(l.From)
	if err != nil {
		return s, fmt.Errorf("from: %w", err)
	}
	if s.from = from.Name; !slices.Contains(sources, s.from) {
		return s, fmt.Errorf("from: %q: expected games, search, preferences or file(PATH)%s", s.from, spec.Suggest(s.from, sources))
	}
	settings := spec.Read(from)
	if s.from == fromFile {
		if s.file = settings.String("path", ""); s.file == "" {
			return s, fmt.Errorf("from: file: expected a file of pairs, such as file(pairs.parquet)")
		}
		if err := prefs.CheckName(s.file); err != nil {
			return s, fmt.Errorf("from: %w", err)
		}
	}
	if err := settings.Err(); err != nil {
		return s, fmt.Errorf("from: %w", err)
	}
	if err := r.readLoss(&s, l.Loss); err != nil {
		return s, fmt.Errorf("loss: %w", err)
	}
	return s, nil
}

// readLoss finds the loss of a source.
func (r Recipe) readLoss(s *source, text string) (err error) {
	name, err := spec.Parse(text)
	if err != nil {
		return err
	}
	isGradient := slices.Contains(objective.PolicyGradients, name.Name)
	isTarget := text == "visits" || text == "best"
	switch {
	case s.from == fromGames, s.from == fromPreferences && isGradient:
		s.gradient, err = objective.ParsePolicyGradient(text)
		return err
	case s.from == fromSearch && isTarget:
		s.best = text == "best"
		return nil
	case isGradient:
		return fmt.Errorf("%s: it learns from games that are played, and not from %s: expected a preference objective such as dpo", text, s.from)
	case isTarget:
		return fmt.Errorf("%s: a search gives it, and %s none: expected a preference objective such as dpo", text, s.from)
	}
	if _, err := objective.Find(name.Name); err != nil {
		return s.unknownLoss(name.Name, err)
	}
	if s.compares, err = newComparing(text); err != nil {
		return err
	}
	if s.from == fromPreferences {
		return s.compares.settle(r.Preferences)
	}
	s.compares.logged = r.Search.Reference == "logged"
	switch {
	case s.compares.third() && s.compares.Pair.Shape != "kto": // whose z₀ is known there
		return fmt.Errorf("%s wants a third answer beside each pair, and the pairs of a %s have none: take another objective of agon objectives list", name.Name, s.from)
	case s.compares.Pair.Shape == "kto" && s.compares.logged:
		return fmt.Errorf("kto needs all of the reference's probabilities, and a log holds two: set search.reference=copy and magnet.kind=copy")
	}
	return nil
}

// unknownLoss is the error of a name that is no preference objective, which is told by
// err. It suggests another loss of the source where that is the nearest of all names.
func (s source) unknownLoss(name string, err error) error {
	others := objective.PolicyGradients
	switch s.from {
	case fromSearch:
		others = []string{"visits", "best"}
	case fromFile:
		return err
	}
	var names []string
	for _, e := range objective.Entries() {
		names = append(append(names, e.Name), e.Aliases...)
	}
	for _, c := range objective.Clashes() {
		names = append(names, c.Acronym)
	}
	near := spec.Suggest(name, others)
	if near == "" || spec.Suggest(name, append(names, others...)) != near {
		return err
	}
	return fmt.Errorf("%q is unknown%s; there are %s and the preference objectives of agon objectives list", name, near, strings.Join(others, ", "))
}

// validateLearn checks what is learnt, and what it needs beside.
func (r Recipe) validateLearn(game games.Game) error {
	all, err := r.sources()
	if err != nil {
		return err
	}
	has := func(from string) bool {
		return slices.ContainsFunc(all, func(s source) bool { return s.from == from })
	}
	played := has(fromGames) || has(fromSearch) || has(fromPreferences)
	switch {
	case has(fromSearch) && r.Search.Agent == "":
		return fmt.Errorf("learn: from: search: there is none: set search.agent, such as mcts:sims=32,rule=gumbel")
	case r.Search.Agent != "" && !has(fromSearch):
		return fmt.Errorf("search.agent: nothing is learnt from it: expected learn to hold an entry such as {from: search, loss: visits}")
	case has(fromFile) && !played && (r.Opponents != "self" || r.Guard.Every > 0):
		return fmt.Errorf("learn: from: file: no games are played: leave out opponents and guard")
	case r.Players != "one" && (has(fromSearch) || has(fromPreferences) || has(fromFile)):
		return fmt.Errorf("players: %s: only games teach several players: expected one", r.Players)
	case r.Players != "one" && r.Guard.Every > 0:
		return fmt.Errorf("players: %s: the guard watches one: expected one, or guard.every=0", r.Players)
	case r.Players == "one" && r.Stages != "together":
		return fmt.Errorf("stages: %s: there is one player: expected together, or players=roles", r.Stages)
	case r.Magnet.Kind != "uniform" && r.Magnet.Kind != "copy":
		return Choose("magnet.kind", r.Magnet.Kind, "uniform", "copy")
	}
	if has(fromSearch) || has(fromFile) {
		if err := r.validateSearch(has(fromSearch), played && (has(fromGames) || has(fromPreferences))); err != nil {
			return err
		}
	}
	return r.validatePreferences(all, game)
}

// lessons are what the recipe's updates learn by.
func (r Recipe) lessons() ([]Lesson, error) {
	all, err := r.sources()
	if err != nil {
		return nil, err
	}
	var out []Lesson
	add := func(l Lesson) {
		if !slices.ContainsFunc(out, func(other Lesson) bool { return other.Name == l.Name }) {
			out = append(out, l)
		}
	}
	for _, s := range all {
		switch {
		case s.compares != nil:
			add(Slopes())
			if s.from == fromSearch { // a search needs values, and preferences teach none
				add(Values())
			}
		case s.from == fromSearch:
			add(Targets())
		default:
			add(Advantages(s.gradient))
		}
	}
	return out, nil
}
