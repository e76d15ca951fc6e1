package agents_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/agon-rl/agon/agents"
	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/mcts"
)

func TestOpenAI(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"choices":[{"message":{"content":"I call.\nBet"}}]}`)
	}))
	defer server.Close()
	agent, err := agents.Open(t.Context(), "openai:model=m,url="+server.URL+"/v1,temperature=0.7,max_tokens=9,seed=3,timeout=5s,rpm=600,tpm=6000,price_in=1,price_out=2", environment(t, "kuhn_poker"))
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	if got := act(t, agent, after(t, "kuhn_poker", "Deal:0", "Deal:2", "Bet")); got != "Bet" {
		t.Errorf("plays %s", got)
	}
}

// A search's leaves can be judged by what a model thinks of the way there: here
// nine in ten for whoever is to move.
func TestSelfEvaluation(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"choices":[{"message":{"content":"It looks good.\n90"}}]}`)
	}))
	defer server.Close()
	self := "self(model=m,url=" + server.URL + "/v1)"
	for eval, want := range map[string]float64{self: 0.8, "mix(" + self + ",1,exact,3)": 0.2} {
		agent, err := agents.OpenSearch(t.Context(), "mcts:sims=1,eval="+eval, environment(t, "tic_tac_toe"))
		if err != nil {
			t.Fatal(err)
		}
		trees, err := agent.Trees(t.Context(), []games.State{after(t, "tic_tac_toe")}, []*rand.Rand{rand.New(rand.NewPCG(1, 2))})
		if err != nil {
			t.Fatal(err)
		}
		if got := trees[0].Value(mcts.Root); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %g, expected %g", eval, got, want)
		}
		if err := agent.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := agents.OpenSearch(t.Context(), "mcts:eval=self(url=http://localhost:1/v1)", environment(t, "tic_tac_toe"))
	if err == nil || err.Error() != "agent mcts: eval=self: model: expected the name of a model, such as model=gpt-4o-mini" {
		t.Errorf("%v", err)
	}
}

func TestOpenAIRefuses(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("OPENAI_BASE_URL", "")
	t.Setenv("TORN_KEY", "sk-1 23")
	blind := filepath.Join(t.TempDir(), "blind.tmpl")
	if err := os.WriteFile(blind, []byte("Play well."), 0o600); err != nil {
		t.Fatal(err)
	}
	const local = "openai:model=m,url=http://localhost:1/v1,"
	for _, test := range []struct {
		agent, want string
		misnamed    bool
	}{
		{"openai", "openai: model: expected the name of a model, such as model=gpt-4o-mini", true},
		{"openai:model=m", "openai: https://api.openai.com/v1 wants a key: set OPENAI_API_KEY, or name a server of your own by url=… or OPENAI_BASE_URL", true},
		{"openai:model=m,url=localhost:8000/v1", "openai: url=localhost:8000/v1: expected a base such as http://localhost:8000/v1", true},
		{"openai:model=m,url=ftp://there/v1", "openai: url=ftp://there/v1: expected a base such as http://localhost:8000/v1", true},
		{"openai:model=m,url=http://a b/v1", "openai: url: it cannot be read: expected a base such as http://localhost:8000/v1", true},
		{"openai:model=m,url=http://me:secret@there/v1", "openai: url: it holds a user or a password: give the key in an environment variable instead", true},
		{"openai:model=m,url=http://there/v1?key=secret", "openai: url: it holds a query or a fragment: expected a base such as http://localhost:8000/v1", true},
		{"openai:model=m,url=http://there/v1/chat/completions/", "openai: url=http://there/v1/chat/completions: leave out /chat/completions: it is added", true},
		{local + "key=sk-secret", "openai: key: expected the name of an environment variable in capitals, such as key=MY_KEY, not a key", true},
		{local + "key=NO_SUCH_KEY", "openai: key=NO_SUCH_KEY: this environment variable is not set", true},
		{local + "key=TORN_KEY", "openai: key=TORN_KEY: this environment variable holds a character that no key has: copy the key again", true},
		{local + "temperature=3", "openai: temperature=3: expected a number from 0 to 2", true},
		{local + "temperature=nan", "openai: temperature=nan: expected a number from 0 to 2", true},
		{local + "max_tokens=0", "openai: max_tokens=0: expected a whole number from 1 to 2147483647", true},
		{local + "seed=-1", "openai: seed=-1: expected a whole number from 0 to 2147483647", true},
		{local + "timeout=5", "openai: timeout=5: expected a duration such as 30s or 2m", true},
		{local + "timeout=-5s", "openai: timeout=-5s: expected a duration such as 30s or 2m", true},
		{local + "retries=1000", "openai: retries=1000: expected a whole number from 0 to 100", true},
		{local + "parallel=0", "openai: parallel=0: expected a whole number from 1 to 65536", true},
		{local + "rpm=fast", "openai: rpm=fast: expected a whole number from 1 to 2147483647", true},
		{local + "price_in=-1", "openai: price_in=-1: expected a number from 0 to 1e+06", true},
		{local + "tries=0", "openai: tries=0: expected a whole number from 1 to 100", true},
		{local + "illegal=randm", `openai: illegal=randm: expected forfeit, random, error, did you mean "random"?`, true},
		{local + "templat=x", `openai: unknown parameter "templat", did you mean "template"?; it takes model, url, key, max_tokens, retries, parallel, rpm, tpm, price_in, price_out, temperature, seed, timeout, tries, illegal, template`, true},
		{local + "template=none.tmpl", "reading the template: open none.tmpl: no such file or directory", false},
		{local + "template=" + blind, "template " + blind + ": expected {{.Prompt}} in it: without it the model does not see the game", false},
	} {
		_, err := agents.Open(t.Context(), test.agent, environment(t, "kuhn_poker"))
		var name *agents.NameError
		if err == nil || err.Error() != "agent "+test.want {
			t.Errorf("%q:\ngot  %v\nwant agent %s", test.agent, err, test.want)
		} else if errors.As(err, &name) != test.misnamed {
			t.Errorf("%q: is the name at fault? %v: %v", test.agent, !test.misnamed, err)
		}
	}
}
