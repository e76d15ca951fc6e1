package spc

import (
	"slices"
	"testing"

	"github.com/rs/zerolog"

	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/policy"
	"github.com/agon-rl/agon/trainer"
)

// openRounds opens a run of the exact game without a folder.
func openRounds(t *testing.T, settings ...string) *rounds {
	t.Helper()
	recipe, err := trainer.ReadRecipe([]byte("method: critic\ngame: inspection(steps=3,checks=1)\ncritic: {warmup: 0}\npolicy: {hidden: [4]}\n"), settings)
	if err != nil {
		t.Fatal(err)
	}
	r, err := trainer.New(t.Context(), recipe, trainer.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Open(); err != nil {
		t.Fatal(err)
	}
	m, err := open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*rounds)
}

// A player in training meets the other as it was: with opponents earlier at the end of
// the round before, which moves on with every round. Agents are 0 and 1 the players, then
// the pasts by round, sneaky and critic, then the generator's place.
func TestWhoMeetsWhom(t *testing.T) {
	m := openRounds(t, "opponents=earlier")
	if got := m.seats(0, 2); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("before the first round ended: seats %v, expected the players", got)
	}
	for round := 1; round <= 3; round++ {
		if err := m.Remember(); err != nil {
			t.Fatal(err)
		}
		newest := 2 * round // the sneaky player of the newest past
		for group, want := range [][]int{{0, newest + 1}, {newest, 1}, {0, newest + 1}} {
			if got := m.seats(group, 99); !slices.Equal(got, want) {
				t.Errorf("round %d, group %d: seats %v, expected %v", round, group, got, want)
			}
		}
		if m.Done++; !slices.Equal(m.seats(0, 99), []int{newest, 1}) { // the turns go on with updates
			t.Errorf("round %d, the next update: seats %v", round, m.seats(0, 99))
		}
		m.Done--
	}
	m = openRounds(t, "opponents=pool")
	for range 2 {
		if err := m.Remember(); err != nil {
			t.Fatal(err)
		}
	}
	met := map[int]int{}
	for group := range 60 {
		seats := m.seats(group, 99)
		own := group % 2
		if seats[own] != own || seats[1-own]%2 != 1-own || seats[1-own] < 2 {
			t.Fatalf("group %d: seats %v: expected the player in seat %d and a past of the other role", group, seats, own)
		}
		met[seats[1-own]]++
	}
	for agent := 2; agent <= 5; agent++ {
		if met[agent] < 5 {
			t.Errorf("past %d is met in %d of 60 groups", agent, met[agent])
		}
	}
	m = openRounds(t, "stages=alternate(every=2)", "opponents=earlier")
	if err := m.Remember(); err != nil {
		t.Fatal(err)
	}
	for group := range 4 { // the critic trains first
		if got := m.seats(group, 99); !slices.Equal(got, []int{2, 1}) || m.trains(0) || !m.trains(1) {
			t.Errorf("group %d: seats %v, expected the critic in training against the earlier sneaky player", group, got)
		}
	}
}

// In the games of rounds the players at a round's start meet those that are one round
// older.
func TestFrozenPlayersMeetOlderOnes(t *testing.T) {
	m := openRounds(t, "opponents=earlier")
	for group, want := range [][]int{{2, 1}, {0, 3}} { // round 2: the pasts of round 0 are agents 2 and 3
		if got := m.frozenSeats(2, group); !slices.Equal(got, want) {
			t.Errorf("round 2, group %d: seats %v, expected %v", group, got, want)
		}
	}
	if got := m.frozenSeats(3, 0); !slices.Equal(got, []int{4, 1}) {
		t.Errorf("round 3: seats %v, expected the sneaky player of round 1, agent 4", got)
	}
	if got := m.frozenSeats(1, 0); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("round 1: seats %v: there is nobody older", got)
	}
}

// A round begins with the players as they are among the pasts, which do not change any
// more, and, where the recipe says so, with them as the magnets.
func TestRoundsKeepThePlayersAsTheyWere(t *testing.T) {
	m := openRounds(t, "updates=2", "critic.rounds=3", "games=32", "group=32", "magnet.kind=round", "optimizer.rate=0.05")
	sum := func(w *policy.Weights) (sum float32) {
		for i := range w.Params {
			values, err := w.Values(i)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range values {
				sum += x
			}
		}
		return sum
	}
	now := func(p *trainer.Player) float32 {
		w := p.Updater.Weights()
		defer w.Close()
		return sum(w)
	}
	var begun [][2]float32
	for m.Done < 6 {
		if m.begins(m.Done) {
			begun = append(begun, [2]float32{now(m.Players[0]), now(m.Players[1])})
		}
		if err := m.Open(); err != nil {
			t.Fatal(err)
		}
		if err := m.Update(t.Context(), trainer.Line{}); err != nil {
			t.Fatal(err)
		}
		m.Done++
		if sum(m.Players[1].Updater.State().Magnet) != begun[len(begun)-1][1] {
			t.Errorf("update %d: the magnet is not the critic at the round's start", m.Done)
		}
	}
	if len(m.Pasts) != 3 {
		t.Fatalf("%d pasts after three rounds have begun", len(m.Pasts))
	}
	for round, past := range m.Pasts {
		for i, network := range past.Networks {
			if got := sum(network.Weights); got != begun[round][i] {
				t.Errorf("round %d, player %d: %g, expected %g", round, i, got, begun[round][i])
			}
		}
		if round > 0 && begun[round] == begun[round-1] {
			t.Errorf("round %d begins as the one before", round)
		}
	}
}
