package spc

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/agon-rl/agon/trainer"
	"github.com/agon-rl/agon/trainer/run"
)

// openSource opens the run that a recipe names as the source of its games, if it names
// one. The players start from that one's round 0.
func (m *rounds) openSource() error {
	if m.settings.Source == "" {
		return nil
	}
	if err := m.readSource(); err != nil {
		return fmt.Errorf("critic.source: %w", err)
	}
	for i, p := range m.Players {
		if err := p.Updater.Restart(m.source[0].Networks[i].Weights); err != nil {
			return err
		}
	}
	return nil
}

func (m *rounds) readSource() error {
	folder, err := run.Open(m.settings.Source)
	if err != nil {
		return err
	}
	theirs, _, err := RecipeOf(folder)
	if err != nil {
		return err
	}
	if theirs.Game != m.Recipe.Game || theirs.Players != m.Recipe.Players || !reflect.DeepEqual(theirs.Policy, m.Recipe.Policy) {
		return fmt.Errorf("run %s has other networks, of %s: expected its game, players and policy", folder.Dir(), theirs.Game)
	}
	c, err := folder.Latest(func(error) {})
	if err != nil {
		return err
	}
	if m.source, err = m.ReadPasts(c); err != nil {
		return err
	}
	if len(m.source) < m.settings.Rounds {
		return fmt.Errorf("run %s has begun %d rounds: expected %d, as many as here", folder.Dir(), len(m.source), m.settings.Rounds)
	}
	return nil
}

func closePasts(pasts []*trainer.Past) (err error) {
	for _, past := range pasts {
		err = errors.Join(err, past.Close())
	}
	return err
}
