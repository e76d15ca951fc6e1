package inspection_test

import (
	"testing"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/games/gamestest"
	_ "github.com/agon-rl/agon/games/inspection"
)

func TestConformance(t *testing.T) {
	for _, name := range []string{
		"inspection", "inspection(checks=0)", "inspection(checks=3,steps=3)", "inspection(clean=0,steps=4)", "inspection(clean=1)", "inspection(checks=1,steps=1)",
	} {
		t.Run(name, func(t *testing.T) {
			game, err := games.New(name)
			if err != nil {
				t.Fatal(err)
			}
			gamestest.Run(t, game, gamestest.Options{})
		})
	}
}

func TestBadParameters(t *testing.T) {
	for _, name := range []string{"inspection(steps=0)", "inspection(steps=17)", "inspection(checks=9)", "inspection(checks=-1)", "inspection(clean=1.5)", "inspection(clean=x)", "inspection(q=0.5)"} {
		if _, err := games.New(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
