package arena

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
)

// A plain line tells the same game as its JSON, and no other line passes for one.
func TestPlainLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Int32Range(0, 12), rapid.Int32())
		r := Result{
			Seats:   rapid.SliceOfN(rapid.IntRange(0, 12), 0, 4).Draw(t, "seats"),
			Actions: rapid.SliceOf(rapid.Custom(func(t *rapid.T) games.Action { return games.Action(number.Draw(t, "action")) })).Draw(t, "actions"),
			Returns: rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-3, 3), rapid.SampledFrom([]float64{-1, 0, 1, 13, -1e9, 123456789})), 0, 4).Draw(t, "returns"),
		}
		line, ok := r.appendPlain(nil)
		if !ok {
			if len(line) > 0 {
				t.Fatalf("%q is left of a line that is not plain", line)
			}
			return
		}
		line = append(line, '\n')
		got, ok := new(sealed).plain(line)
		if !ok || !slices.Equal(got.Seats, r.Seats) || !slices.Equal(got.Actions, r.Actions) || !slices.Equal(got.Returns, r.Returns) {
			t.Fatalf("%q is read as %+v, expected %+v", line, got, r)
		}
		// what is read of a changed line is what would be written so
		line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0159-,|\n[]{}\": .e")).Draw(t, "mark")
		if got, ok = new(sealed).plain(line); ok {
			if again, _ := got.appendPlain(nil); string(append(again, '\n')) != string(line) {
				t.Fatalf("%q is read as %+v", line, got)
			}
		}
	})
	for _, text := range []string{
		`{"game":0,"seats":[0,1],"actions":[1,2],"returns":[1,-1]}`, `{"sealed":4}`,
		"0,1|1,2|1,-1 ", "0,1|1,02|1,-1", "0,1|1,-0|1,-1", "0,1|1,|1,-1", "0,1|1234567890|1,-1", "0,1|1,2", "0,1|1,2|1,-1|", "",
	} {
		if _, ok := new(sealed).plain([]byte(text + "\n")); ok {
			t.Errorf("%s is no plain line", text)
		}
	}
	seat := games.Seat(1)
	for _, r := range []Result{
		{Start: "chess"}, {Forfeit: &seat}, {Late: true}, {Voids: 1}, {Illegal: []int{0, 1}}, {Talk: []Talk{{}}}, {Returns: []float64{0.5}}, {Returns: []float64{math.Copysign(0, -1)}},
	} {
		if line, ok := r.appendPlain(nil); ok {
			t.Errorf("%+v is written as %q", r, line)
		}
	}
}
