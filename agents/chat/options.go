package chat

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// What an Options' zero values stand for.
const (
	DefaultURL      = "https://api.openai.com/v1"
	DefaultKey      = "OPENAI_API_KEY"
	DefaultTimeout  = 2 * time.Minute
	DefaultBackoff  = 500 * time.Millisecond
	DefaultParallel = 8
)

// Options say which model is asked, and how.
type Options struct {
	// URL is the endpoint's base, to which /chat/completions is added; where it
	// is empty, that of $OPENAI_BASE_URL, else DefaultURL.
	URL   string
	Model string
	// Key is the name of the environment variable that holds the key;
	// DefaultKey where it is empty. Without a key none is sent: servers of
	// one's own want none.
	Key         string
	Temperature *float64 // in [0, 2]; nil leaves it to the server
	MaxTokens   int      // of an answer, reasoning included; 0 leaves it to the server
	Seed        *int64   // of the server's sampling; nil leaves it to the server
	// Timeout bounds one call, from the request to the body's end;
	// DefaultTimeout where zero.
	Timeout time.Duration
	Retries int // calls after the first one that failed
	// Backoff is the wait before the first retry; each later one is half as long
	// again. DefaultBackoff where zero.
	Backoff           time.Duration
	Parallel          int // calls under way at once; DefaultParallel where zero
	RequestsPerMinute int // no limit where zero
	TokensPerMinute   int // read and written; no limit where zero
	Price             Price
	// Rand draws the jitter of the waits; nil derives one.
	Rand *rand.Rand
}

// Price is in dollars per million tokens.
type Price struct{ In, Out float64 }

// fill replaces zero values by what they stand for.
func (o *Options) fill() {
	if o.URL == "" {
		o.URL = os.Getenv("OPENAI_BASE_URL")
	}
	if o.URL == "" {
		o.URL = DefaultURL
	}
	o.URL = strings.TrimRight(o.URL, "/")
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Backoff == 0 {
		o.Backoff = DefaultBackoff
	}
	if o.Parallel == 0 {
		o.Parallel = DefaultParallel
	}
}

func (o *Options) validate() error {
	if o.Model == "" {
		return errors.New("model: expected the name of a model, such as model=gpt-4o-mini")
	}
	if err := validateURL(o.URL); err != nil {
		return err
	}
	if t := o.Temperature; t != nil && !(*t >= 0 && *t <= 2) {
		return fmt.Errorf("temperature=%g: expected a number from 0 to 2", *t)
	}
	for _, count := range []struct {
		name string
		n    int
	}{{"max_tokens", o.MaxTokens}, {"retries", o.Retries}, {"parallel", o.Parallel}, {"rpm", o.RequestsPerMinute}, {"tpm", o.TokensPerMinute}} {
		if count.n < 0 {
			return fmt.Errorf("%s=%d: expected a whole number from 0", count.name, count.n)
		}
	}
	if o.Timeout < 0 || o.Backoff < 0 {
		return fmt.Errorf("timeout=%v, backoff=%v: expected durations above zero", o.Timeout, o.Backoff)
	}
	if !(o.Price.In >= 0 && o.Price.Out >= 0) {
		return fmt.Errorf("price_in=%g, price_out=%g: expected dollars per million tokens, from 0", o.Price.In, o.Price.Out)
	}
	return nil
}

// validateURL names no more of a URL than is safe to print: a password in it is
// not.
func validateURL(text string) error {
	const expected = "expected a base such as http://localhost:8000/v1"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("url: it cannot be read: " + expected)
	case u.User != nil:
		return errors.New("url: it holds a user or a password: give the key in an environment variable instead")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("url: it holds a query or a fragment: " + expected)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("url=%s: %s", text, expected)
	case strings.HasSuffix(u.Path, "/chat/completions"):
		return fmt.Errorf("url=%s: leave out /chat/completions: it is added", text)
	}
	return nil
}

// variable is how names of environment variables are written. Whatever is
// written otherwise may be a key by mistake, and is not printed.
var variable = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// readKey returns the key that the environment holds, "" for none.
func (o *Options) readKey() (string, error) {
	name := o.Key
	if name == "" {
		name = DefaultKey
	}
	if !variable.MatchString(name) {
		return "", errors.New("key: expected the name of an environment variable in capitals, such as key=MY_KEY, not a key")
	}
	key := strings.TrimSpace(os.Getenv(name))
	switch {
	case key == "" && o.Key != "":
		return "", fmt.Errorf("key=%s: this environment variable is not set", name)
	case key == "" && o.URL == DefaultURL:
		return "", fmt.Errorf("%s wants a key: set %s, or name a server of your own by url=… or OPENAI_BASE_URL", DefaultURL, name)
	case strings.ContainsFunc(key, unfit):
		return "", fmt.Errorf("key=%s: this environment variable holds a character that no key has: copy the key again", name)
	}
	return key, nil
}

// unfit tells characters that a header cannot carry, and those that JSON may
// escape, in which form a key would pass by its redaction.
func unfit(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }
