package arena

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/agon-rl/agon/games"
)

// The quick reader of a log's lines reads what encoding/json would, or leaves it to that.
func TestPlainLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Result{
			Game: rapid.IntRange(0, 1<<40).Draw(t, "game"), Seats: rapid.SliceOfN(rapid.IntRange(0, 12), 1, 4).Draw(t, "seats"),
			Actions: rapid.SliceOf(rapid.Custom(func(t *rapid.T) games.Action { return games.Action(rapid.Int32().Draw(t, "action")) })).Draw(t, "actions"),
			Returns: rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-3, 3), rapid.SampledFrom([]float64{-1, 0, 1, 13})), 1, 4).Draw(t, "returns"),
		}
		line := append(r.AppendJSON(nil), '\n')
		same(t, line, r)
		// lines that differ by a mark
		at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
		line[at] = rapid.SampledFrom([]byte("0159-,[]{}\": .e")).Draw(t, "mark")
		var changed Result
		if json.Unmarshal(line, &changed) == nil {
			same(t, line, changed)
		} else if _, ok := new(sealed).plain(line); ok {
			t.Fatalf("%s is read, and is no JSON", line)
		}
	})
	for _, text := range []string{
		`{"game":0,"seats":[0,1],"actions":[1,2],"returns":[1,-1],"late":true}`,
		`{"game":0,"seats":[0,1],"actions":[1,2],"returns":[1,-1]} `,
		`{"game":0,"seats":[0,1],"actions":[1,02],"returns":[1,-1]}`,
		`{"game":0,"seats":[0,1],"actions":[1,-0],"returns":[1,-1]}`,
		`{"game":0,"seats":[0,1],"actions":[1,],"returns":[1,-1]}`,
		`{"game":0,"seats":[0,1],"actions":[1234567890],"returns":[1,-1]}`,
		``,
	} {
		if _, ok := new(sealed).plain([]byte(text + "\n")); ok {
			t.Errorf("%s is no plain line", text)
		}
	}
	if r, ok := new(sealed).plain([]byte(`{"game":70,"seats":[0,12],"actions":[],"returns":[1,-1]}` + "\n")); !ok || r.Game != 70 || r.Seats[1] != 12 || r.Returns[1] != -1 {
		t.Errorf("%+v, %t", r, ok)
	}
}

// same says whether the quick reader reads a line as what it is, if it reads it.
func same(t *rapid.T, line []byte, want Result) {
	got, ok := new(sealed).plain(line)
	if !ok {
		return
	}
	if got.Game != want.Game || !reflect.DeepEqual(got.Seats, want.Seats) || len(got.Actions) != len(want.Actions) || !reflect.DeepEqual(got.Returns, want.Returns) {
		t.Fatalf("%s is read as %+v", line, got)
	}
	for i, a := range want.Actions {
		if got.Actions[i] != a {
			t.Fatalf("%s is read as %+v", line, got)
		}
	}
}
