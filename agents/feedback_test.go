package agents_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/prefs/judge"
)

// A model that is asked over HTTP prefers "good" in whichever place; calls that fail are
// made again and count for nothing; the key appears nowhere.
func TestFeedbackByAModel(t *testing.T) {
	t.Setenv("JUDGE_KEY", "sk-very-secret")
	var calls atomic.Int64
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if got := q.Header.Get("Authorization"); got != "Bearer sk-very-secret" {
			t.Errorf("key %q", got)
		}
		n := calls.Add(1)
		if broken.Load() || n%2 == 1 { // every other call fails
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error":{"message":"busy, sk-very-secret"}}`)
			return
		}
		var asked struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(q.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		content := asked.Messages[0].Content
		answer := "B"
		if strings.Index(content, "good") < strings.Index(content, "bad") {
			answer = "A"
		}
		fmt.Fprintf(w, `{"choices":[{"message":{"content":"I compared them.\n%s"}}]}`, answer)
	}))
	defer server.Close()
	f, err := agents.OpenFeedback("noisy(flip=0.1,judge=openai(model=m,url="+server.URL+"/v1,key=JUDGE_KEY,retries=1,tries=1))", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer judge.Close(f)
	good, bad := &judge.Answer{Prompt: "p", Text: "good"}, &judge.Answer{Prompt: "p", Text: "bad"}
	for _, test := range []struct {
		a, b *judge.Answer
		want float64
	}{{good, bad, 0.9}, {bad, good, 0.1}} {
		if p, err := f.Prefer(t.Context(), test.a, test.b); err != nil || p < test.want-1e-9 || p > test.want+1e-9 {
			t.Errorf("%g, %v; expected %g", p, err, test.want)
		}
	}
	if n := calls.Load(); n != 8 {
		t.Errorf("%d calls, expected 8: two orders, each failed once, twice", n)
	}
	broken.Store(true)
	_, err = f.Prefer(t.Context(), good, bad)
	if !errors.Is(err, games.ErrLost) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func TestFeedbackByAModelRefuses(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("OPENAI_BASE_URL", "")
	for text, want := range map[string]string{
		"openai":                        "feedback openai: model: expected the name of a model, such as model=gpt-4o-mini",
		"openai(model=m)":               "feedback openai: https://api.openai.com/v1 wants a key: set OPENAI_API_KEY, or name a server of your own by url=… or OPENAI_BASE_URL",
		"openai(model=m,tries=0)":       "feedback openai: tries=0: expected a whole number from 1 to 100",
		"openai(model=m,key=sk-secret)": "feedback openai: key: expected the name of an environment variable in capitals, such as key=MY_KEY, not a key",
		"openai(model=m,temperature=9)": "feedback openai: temperature=9: expected a number from 0 to 2",
		"noisy(judge=openai(modl=m))":   `feedback noisy: judge: openai: unknown parameter "modl", did you mean "model"?; it takes model, url, key, max_tokens, retries, parallel, rpm, tpm, price_in, price_out, temperature, seed, timeout`,
		"mix(openai(url=ftp://x),1)":    "feedback mix: judge: openai: model: expected the name of a model, such as model=gpt-4o-mini",
	} {
		if _, err := agents.OpenFeedback(text, nil); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}
