// Package lint holds the tests of the repository's own layout.
package lint

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/agon-rl/agon/"

// rooms from the top down: a package imports its own room and those below. A folder
// within a room that others below the room need is a room of its own.
var rooms = []string{
	"cmd", "web", "experiments", "spc", "trainer", "arena", "agents", "prefs", "prefs/judge", "mcts", "rae", "play",
	"trainer/run", "objective", "solve", "policy", "plugins", "games", "trainer/recipes", "internal",
}

// roomOf is the room of a package of the module, the longest that its path begins
// with, and the room's level from the top; -1 where it is in none.
func roomOf(path string) (room string, level int) {
	level = -1
	for i, r := range rooms {
		if (path == r || strings.HasPrefix(path, r+"/")) && len(r) > len(room) {
			room, level = r, i
		}
	}
	return room, level
}

// gomlxRooms may import GoMLX, whose interfaces change every few months.
var gomlxRooms = []string{"policy", "objective", "trainer"}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.Fields(string(out))
}

func TestImportsPointDown(t *testing.T) {
	const format = `{{$p := .ImportPath}}{{range .Imports}}{{$p}}>{{.}} {{end}}`
	for _, pair := range goList(t, "-f", format, "./...") {
		from, to, _ := strings.Cut(pair, ">")
		room, level := roomOf(strings.TrimPrefix(from, module))
		if level < 0 {
			t.Fatalf("%s is in no room: give its folder a place in the table", from)
		}
		if path, ours := strings.CutPrefix(to, module); ours {
			if _, above := roomOf(path); above < level {
				t.Errorf("%s imports %s, a room above its own", from, to)
			}
		}
		if strings.HasPrefix(to, "github.com/gomlx/") && !slices.Contains(gomlxRooms, room) {
			t.Errorf("%s imports %s: only %s may import GoMLX", from, to, strings.Join(gomlxRooms, ", "))
		}
	}
}

// The self-play critic's game is a game like any other to the rooms below spc.
func TestNoRoomBelowKnowsTheCritic(t *testing.T) {
	const game = module + "games/sneakycritic"
	_, level := roomOf("spc")
	known := false
	for _, pair := range goList(t, "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}}>{{.}} {{end}}`, "./...") {
		from, to, _ := strings.Cut(pair, ">")
		path := strings.TrimPrefix(from, module)
		if to != game || path == "games/standard" { // which registers all games
			continue
		}
		known = true
		if _, own := roomOf(path); own > level {
			t.Errorf("%s imports %s: only spc and the rooms above it may", from, to)
		}
	}
	if !known {
		t.Errorf("nobody imports %s: this test looks for the wrong game", game)
	}
}

func TestNothingDownloadsByItself(t *testing.T) {
	for _, dep := range goList(t, "-deps", "./...") {
		if strings.HasSuffix(dep, "/autoinstall") || strings.HasSuffix(dep, "gomlx/backends/default") {
			t.Errorf("%s is linked in: it downloads plugins when a backend is opened", dep)
		}
	}
}
