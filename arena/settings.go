package arena

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/arena/rating"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/internal/spec"
	"github.com/agon-rl/agon/play"
	"github.com/agon-rl/agon/trainer/recipes"
)

// SettingsVersion is the version of the settings' form that this program reads and
// writes.
const SettingsVersion = 1

// Settings are everything that fixes a tournament, as it lies in its folder.
type Settings struct {
	Version     int      `yaml:"version"`
	Program     string   `yaml:"program,omitempty"` // version of the program that wrote it
	Tournament  string   `yaml:"tournament"`        // the game
	Agents      []string `yaml:"agents"`            // AGENT or NAME=AGENT
	Format      string   `yaml:"format"`            // see Schedules
	Rounds      int      `yaml:"rounds"`            // units of a meeting
	Seed        uint64   `yaml:"seed"`
	Independent bool     `yaml:"independent"` // games of a unit have deals of their own
	Openings    string   `yaml:"openings"`    // see OpeningKinds
	Group       int      `yaml:"group"`       // games in lockstep; 0 for 1 with a clock or a slow agent, 8 with a test, 4096 with random ones alone, else 64
	Clock       Times    `yaml:"clock"`
	Stop        Ends     `yaml:"stop"`
	SPRT        string   `yaml:"sprt"` // "", or elo0=0,elo1=30 and so on: see ParseSPRT
	Rating      Ranking  `yaml:"rating"`
}

// Times are a clock's durations, such as 10s; "" is no limit.
type Times struct {
	Move   string `yaml:"move"`
	Game   string `yaml:"game"`
	Gain   string `yaml:"gain"`
	Margin string `yaml:"margin"`
}

// Ends say when to stop early; 0 and "" are never.
type Ends struct {
	Games   int     `yaml:"games"`
	Tokens  int     `yaml:"tokens"`
	Dollars float64 `yaml:"dollars"`
	Time    string  `yaml:"time"`
}

// Ranking says how entrants are rated.
type Ranking struct {
	Anchor    string  `yaml:"anchor"`
	Elo       float64 `yaml:"elo"`
	Prior     float64 `yaml:"prior"`
	Resamples int     `yaml:"resamples"`
}

// DefaultSettings are what settings start from.
func DefaultSettings() Settings {
	return Settings{
		Version: SettingsVersion, Format: "roundrobin", Rounds: 50, Seed: 1, Openings: "none",
		Clock: Times{Margin: "100ms"}, Rating: Ranking{Resamples: 1000},
	}
}

// ReadSettings fills the defaults with a YAML text.
func ReadSettings(text []byte, settings []string) (Settings, error) {
	s := DefaultSettings()
	if err := recipes.Fill("tournament", &s, recipes.Section{}, text, settings); err != nil {
		return s, err
	}
	return s, s.Validate()
}

// IsSettings tells a tournament's settings from a training run's recipe.
func IsSettings(text []byte) bool {
	var s struct{ Tournament string }
	return yaml.Unmarshal(text, &s) == nil && s.Tournament != ""
}

// YAML returns the complete settings.
func (s Settings) YAML() ([]byte, error) { return yaml.Marshal(s) }

// Validate says what is wrong with settings, naming the setting.
func (s Settings) Validate() error {
	if s.Version != SettingsVersion {
		return fmt.Errorf("tournament: version %d: this program reads version %d", s.Version, SettingsVersion)
	}
	game, err := games.New(s.Tournament)
	if err != nil {
		return err
	}
	t, err := s.tournament(game)
	if err != nil {
		return err
	}
	names, _, err := s.entrants()
	if err != nil {
		return err
	}
	for _, name := range names {
		t.Entrants = append(t.Entrants, Entrant{Name: name})
	}
	if t.Group == 0 {
		t.Group = 1
	}
	if s.SPRT != "" {
		if _, err := ParseSPRT(s.SPRT); err != nil {
			return err
		}
		if len(names) != 2 {
			return fmt.Errorf("sprt: %d entrants: a test is of two", len(names))
		}
	}
	if s.Rating.Anchor != "" && !slices.Contains(names, s.Rating.Anchor) {
		return fmt.Errorf("rating.anchor: %q is no entrant%s; there are %s", s.Rating.Anchor, spec.Suggest(s.Rating.Anchor, names), strings.Join(names, ", "))
	}
	if s.Rating.Resamples < 0 || s.Rating.Resamples > 1e6 || !(s.Rating.Prior >= 0 && s.Rating.Prior <= 1e6) {
		return fmt.Errorf("rating: resamples %d and prior %g: expected numbers from 0 up to a million", s.Rating.Resamples, s.Rating.Prior)
	}
	return t.Check()
}

// Rate says how entrants are rated, and what is tested.
func (s Settings) Rate() (Rating, error) {
	r := Rating{Anchor: s.Rating.Anchor, AnchorElo: s.Rating.Elo, Prior: s.Rating.Prior, Resamples: s.Rating.Resamples, Seed: s.Seed}
	if s.SPRT == "" {
		return r, nil
	}
	test, err := ParseSPRT(s.SPRT)
	r.Test = &test
	return r, err
}

// entrants are the agents' names and what they name.
func (s Settings) entrants() (names, specs []string, err error) {
	for _, text := range s.Agents {
		name, agent := text, text
		head, rest, named := strings.Cut(text, "=")
		if named && !strings.ContainsAny(head, ":(,") {
			name, agent = head, rest
		}
		if name == "" || agent == "" {
			return nil, nil, fmt.Errorf("agents: %q: expected AGENT or NAME=AGENT", text)
		}
		names, specs = append(names, name), append(specs, agent)
	}
	return names, specs, nil
}

// tournament is all but the agents.
func (s Settings) tournament(game games.Game) (t Tournament, err error) {
	t = Tournament{Game: game, Seed: s.Seed, Independent: s.Independent, Group: s.Group}
	if t.Schedule, err = ParseSchedule(s.Format, s.Rounds, s.Seed); err != nil {
		return t, err
	}
	if t.Openings, err = ParseOpenings(s.Openings, game, s.Seed); err != nil {
		return t, err
	}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{
		{"clock.move", s.Clock.Move, &t.Clock.Move}, {"clock.game", s.Clock.Game, &t.Clock.Game},
		{"clock.gain", s.Clock.Gain, &t.Clock.Gain}, {"clock.margin", s.Clock.Margin, &t.Clock.Margin},
		{"stop.time", s.Stop.Time, &t.Stop.Time},
	} {
		if d.text == "" {
			continue
		}
		if *d.to, err = time.ParseDuration(d.text); err != nil || *d.to < 0 {
			return t, fmt.Errorf("%s: %q: expected a duration such as 10s or 500ms", d.name, d.text)
		}
	}
	if t.Clock.Move == 0 && t.Clock.Game == 0 {
		t.Clock = play.Clock{}
	}
	if s.Stop.Games < 0 || s.Stop.Tokens < 0 || !(s.Stop.Dollars >= 0) || s.Group < 0 {
		return t, errors.New("stop.games, stop.tokens, stop.dollars, group: expected numbers from 0 up")
	}
	t.Stop.Games, t.Stop.Tokens, t.Stop.Dollars = s.Stop.Games, int64(s.Stop.Tokens), s.Stop.Dollars
	return t, nil
}

// Open opens the tournament with its agents, which the caller closes, those opened
// before an error too.
func (s Settings) Open(ctx context.Context, env agents.Environment) (t Tournament, err error) {
	if t, err = s.tournament(env.Game); err != nil {
		return t, err
	}
	names, specs, err := s.entrants()
	if err != nil {
		return t, err
	}
	quick, immediate := true, true
	for i, text := range specs {
		agent, err := agents.Open(ctx, text, env)
		if err != nil {
			return t, err
		}
		t.Entrants = append(t.Entrants, Entrant{Name: names[i], Agent: agent})
		if _, ok := agent.(play.Immediate); !ok {
			immediate = false
		}
		if agents.Slow(text) {
			quick = false
		}
	}
	if t.Group == 0 {
		switch t.Group = 64; {
		case !quick || t.Clock != (play.Clock{}):
			t.Group = 1
		case s.SPRT != "": // which is asked after every group
			t.Group = 8
		case immediate: // games of a microsecond
			t.Group = 4096
		}
	}
	if s.SPRT != "" {
		test, err := ParseSPRT(s.SPRT)
		if err != nil {
			return t, err
		}
		t.Stop.Decided = func(table *Table) bool { return table.test(test).Taken != "" }
	}
	return t, t.Check()
}

// ParseSPRT reads elo0=0,elo1=30,alpha=0.05,beta=0.05,model=normalized.
func ParseSPRT(text string) (rating.SPRT, error) {
	s, err := spec.Parse("sprt:" + text)
	if err != nil {
		return rating.SPRT{}, fmt.Errorf("sprt: %w", err)
	}
	r := spec.Read(s)
	t := rating.SPRT{
		Elo0: r.Float("elo0", 0, -1e4, 1e4), Elo1: r.Float("elo1", 30, -1e4, 1e4),
		Alpha: r.Float("alpha", 0.05, 0, 1), Beta: r.Float("beta", 0.05, 0, 1),
		Model: r.Choice("model", rating.Normalized, rating.Logistic, rating.Normalized),
	}
	if err := r.Err(); err != nil {
		return t, err
	}
	return t, t.Check()
}

// LLR is a test's log-likelihood ratio in a table of two, of the units that are no
// repeats of others; false before the first.
func (t *Table) LLR(test rating.SPRT) (float64, bool) {
	p := t.pairings[Unit{0, 1}]
	if p == nil {
		return 0, false
	}
	return test.LLR(p.told()), true
}
