package spc

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer/run"
)

// source is another run, whose players play the games that rounds without fresh ones
// learn from.
type source struct {
	starts []*policy.Weights   // by network: the players of its round 0
	pasts  [][]*policy.Network // by network, as it was at the end of each round
}

// openSource opens the run that a recipe names; nil where it names none.
func openSource(r Recipe, model *policy.Model) (s *source, err error) {
	if r.Objective.Players == "" {
		return nil, nil
	}
	defer func() {
		if err != nil {
			s, err = nil, errors.Join(fmt.Errorf("objective.players: %w", err), s.close())
		}
	}()
	folder, err := run.Open(r.Objective.Players)
	if err != nil {
		return nil, err
	}
	theirs, err := RecipeOf(folder)
	if err != nil {
		return nil, err
	}
	if theirs.Game != r.Game || theirs.Policies != r.Policies || !reflect.DeepEqual(theirs.Policy, r.Policy) {
		return nil, fmt.Errorf("run %s has other networks, of %s: expected its game, policies and policy", folder.Dir(), theirs.Game)
	}
	c, err := folder.Latest(func(error) {})
	if err != nil {
		return nil, err
	}
	p, err := readProgress(c)
	if err != nil {
		return nil, err
	}
	if p.Rounds < r.Rounds {
		return nil, fmt.Errorf("run %s has begun %d rounds: expected %d, as many as here", folder.Dir(), p.Rounds, r.Rounds)
	}
	s = &source{}
	for _, role := range rolesOf(r, model.Info) {
		weights, pasts, err := readRounds(c, model, role, r.Rounds)
		s.pasts = append(s.pasts, pasts)
		if err != nil {
			return s, err
		}
		s.starts = append(s.starts, weights[0])
	}
	return s, nil
}

func (s *source) close() (err error) {
	if s == nil {
		return nil
	}
	for _, pasts := range s.pasts {
		for _, n := range pasts {
			err = errors.Join(err, n.Close())
		}
	}
	return err
}

// pasts are the players in a seat, as they were at the rounds' ends, who play the
// games of offline rounds.
func (t *Trainer) pasts(seat games.Seat) []*policy.Network {
	if t.source != nil {
		return t.source.pasts[min(int(seat), len(t.source.pasts)-1)]
	}
	return t.players[seat].past
}
