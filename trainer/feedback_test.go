package trainer_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agon-rl/agon/prefs/judge"
	"github.com/agon-rl/agon/trainer"
)

// Feedback of all kinds judges games: the same bytes with any number of workers, and when
// the run is stopped and resumed.
func TestFeedbackTeaches(t *testing.T) {
	reward := filepath.Join(t.TempDir(), "reward.json")
	if err := judge.WriteModel(reward, &judge.Reward{Weights: []float64{1, 0, -1}}); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, `{"choices":[{"message":{"content":"A"}}]}`)
	}))
	defer server.Close()
	for name, settings := range map[string][]string{
		"noisy":   {"preferences.judge=noisy(flip=0.2,judge=score)", `learn=[{from: preferences, loss: "sppo"}]`, "opponents=queue(size=50,drawn=3)"},
		"draws":   {"preferences.judge=draws(votes=3,judge=score)"},
		"cyclic":  {"preferences.judge=cyclic(scale=3)"},
		"learned": {"preferences.judge=learned(" + reward + ")"},
		"kuhn":    {"game=kuhn_poker", "preferences.judge=noisy(flip=0.2)", `learn=[{from: preferences, loss: "sppo"}]`, "opponents=queue"},
		"shown":   {"game=kuhn_poker", "preferences.judge=noisy(judge=outcome)", `learn=[{from: preferences, loss: "sppo"}]`, "preferences.demonstrations=cfr:iterations=10"},
		"reward":  {"game=kuhn_poker", "preferences.judge=noisy(judge=outcome)", `learn=[{from: preferences, loss: ppo}]`},
		"model":   {"game=kuhn_poker", "preferences.judge=noisy(flip=0.1,judge=openai(model=m,url=" + server.URL + "/v1))", "games=8", "group=8"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := create(t, preferring, settings...)
			result, err := train(t.Context(), whole, options(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if result.Final["queries"] == 0 || result.Final["gradient_norm"] == 0 && name != "model" {
				t.Errorf("nothing was asked or learnt: %v", result.Final)
			}
			resumed(t, whole, create(t, preferring, settings...), 5, 2)
		})
	}
	if asked.Load() == 0 {
		t.Error("the model was never asked")
	}
}

// A judge around the game's own judge that changes nothing changes no byte.
func TestFeedbackOfTheGameIsTheGame(t *testing.T) {
	for _, game := range []string{"sequence(length=3,symbols=3)", "kuhn_poker"} {
		for own, wrapped := range map[string]string{"score": "noisy(flip=0,judge=score)", "outcome": "noisy(flip=0,judge=outcome)"} {
			var metrics [2][]byte
			for i, judge := range []string{own, wrapped} {
				dir := create(t, preferring, "game="+game, "preferences.judge="+judge, "updates=3")
				if _, err := train(t.Context(), dir, options(t, 1)); err != nil {
					t.Fatal(err)
				}
				var err error
				if metrics[i], err = os.ReadFile(filepath.Join(dir, "metrics.jsonl")); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(metrics[0], metrics[1]) {
				t.Errorf("%s: %s differs from %s", game, wrapped, own)
			}
		}
	}
}

// Feedback that cannot judge ends the run in a line, and is never taken for a tie.
func TestFeedbackThatFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"choices":[{"message":{"content":"I cannot say."}}]}`)
	}))
	defer server.Close()
	for judge, want := range map[string]string{
		"hindsight": "preferences.judge: feedback hindsight: the answer has 0 hopes and 0 rewards: expected a hope before the first step and one after each",
		"openai(model=m,url=" + server.URL + "/v1,tries=2)": "preferences.judge: feedback openai: the game was lost: no A, B or TIE on the last line of 2 answers",
	} {
		_, err := train(t.Context(), create(t, preferring, "game=kuhn_poker", "preferences.judge="+judge, "games=8", "group=8"), options(t, 1))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", judge, err)
		}
	}
	for judge, want := range map[string]string{
		"scor":                        `preferences.judge: feedback "scor" is unknown, did you mean "score"?; there are drawn, score, `,
		"noisy(flip=2)":               "preferences.judge: feedback noisy: flip=2: expected a number from 0 to 1",
		"table(none.json)":            "preferences.judge: feedback table: file: stat none.json: no such file or directory",
		"openai(model=m,url=nowhere)": "preferences.judge: feedback openai: url=nowhere: expected a base such as http://localhost:8000/v1",
	} {
		_, err := trainer.ReadRecipe([]byte(preferring), []string{fmt.Sprintf("preferences.judge=%q", judge)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", judge, err)
		}
	}
}
