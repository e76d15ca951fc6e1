package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agon-rl/agon/arena"
	"github.com/agon-rl/agon/arena/report"
	"github.com/agon-rl/agon/cmd"
)

// chatServer speaks the chat protocol, always bets or calls, and repeats the key that
// it was given. It spoils every so many-th call, each time in another way.
func chatServer(t *testing.T, every int64) *httptest.Server {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else a client that leaves is not noticed
		n := calls.Add(1)
		if every == 0 || n%every != 0 {
			answer := fmt.Sprintf("<think>Hm.</think>%s said I may.\nBet", r.Header.Get("Authorization"))
			_ = json.NewEncoder(w).Encode(map[string]any{
				"choices": []any{map[string]any{"message": map[string]any{"content": answer}}},
				"usage":   map[string]any{"prompt_tokens": 100, "completion_tokens": 10},
			})
			return
		}
		switch n / every % 4 {
		case 0:
			http.Error(w, "overloaded, "+r.Header.Get("Authorization"), http.StatusInternalServerError)
		case 1:
			<-r.Context().Done() // until the client has had enough
		case 2:
			panic(http.ErrAbortHandler) // the connection is cut
		default:
			_, _ = w.Write([]byte("<html>Welcome, " + r.Header.Get("Authorization") + "</html>"))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// chatTournament plays a model behind a server against random play, and returns the
// summary, the games, and all that was printed or written.
func chatTournament(t *testing.T, s *httptest.Server, settings string) (arena.Summary, []arena.Transcript, []byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	var out, errOut bytes.Buffer
	status := cmd.Main([]string{
		"tournament", "kuhn_poker", "random", "model=openai:model=m,url=" + s.URL + "/v1,timeout=250ms,price_in=1,price_out=2" + settings,
		"--rounds", "40", "--concurrency", "1", "--out", dir, "--json",
	}, strings.NewReader(""), &out, &errOut)
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, errOut.String())
	}
	var summary arena.Summary
	if err := json.Unmarshal(out.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	all := append(out.Bytes(), errOut.Bytes()...)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, text...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var games []arena.Transcript
	text, err := os.ReadFile(filepath.Join(dir, report.GamesFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var g arena.Transcript
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		games = append(games, g)
	}
	return summary, games, all
}

// A server that fails in a tenth of its calls, and one agent that asks again and one
// that does not: every game is finished as if nothing had failed, what failed is
// counted, and the key is nowhere.
func TestTournamentOfAModelWhoseServerFails(t *testing.T) {
	const key = "sk-Abc123/+=xyz"
	t.Setenv("OPENAI_API_KEY", key)
	_, whole, _ := chatTournament(t, chatServer(t, 0), "")
	for name, c := range map[string]struct {
		settings      string
		failed, voids bool
	}{
		"asked again":     {",retries=8", true, false},
		"not asked again": {",retries=0", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			summary, games, all := chatTournament(t, chatServer(t, 10), c.settings)
			if summary.Games != 80 || len(games) != 80 {
				t.Fatalf("%d games, %d of them written", summary.Games, len(games))
			}
			for i, g := range games {
				if fmt.Sprint(g.Returns, g.Agents) != fmt.Sprint(whole[i].Returns, whole[i].Agents) || len(g.Moves) != len(whole[i].Moves) {
					t.Errorf("game %d pays %v, where without failures it pays %v", i, g.Returns, whole[i].Returns)
				}
			}
			for _, s := range summary.Standings {
				if s.Forfeits > 0 || s.Illegal > 0 {
					t.Errorf("%+v: a failure was scored", s.Standing)
				}
				if s.Name == "model" && (s.Cost.Failed > 0 != c.failed || s.Voids > 0 != c.voids || s.Cost.TokensIn == 0 || s.EloPerKTokens == nil) {
					t.Errorf("%+v: expected failed calls to be counted: %v, voids: %v", s.Standing, c.failed, c.voids)
				}
			}
			for _, secret := range []string{key, strings.TrimPrefix(key, "sk-"), "sk-Abc123"} {
				if i := bytes.Index(all, []byte(secret)); i >= 0 {
					t.Errorf("the key is in %q", all[max(0, i-200):min(len(all), i+100)])
				}
			}
			if !bytes.Contains(all, []byte("said I may")) {
				t.Error("what the model said is nowhere")
			}
		})
	}
}
