package chat

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Kind says in what way a call failed.
type Kind string

// Refused is permanent: the same call would be refused again. All others pass.
const (
	Refused     Kind = "refused"      // a wrong key, an unknown model, a wrong request, a host that is not there
	RateLimited Kind = "rate limited" // 429
	ServerError Kind = "server error" // 5xx
	TimedOut    Kind = "timed out"    // within Options.Timeout, or 408
	CutOff      Kind = "cut off"      // no connection, or one that ended early
	Garbled     Kind = "garbled"      // a body that is no completion, or too long
	Empty       Kind = "empty"        // a completion without choices
)

// CallError is why one call gave no reply.
type CallError struct {
	Kind       Kind
	Status     int           // of the response; 0 where there was none
	RetryAfter time.Duration // how long the server asked to wait; 0 where it did not
	text       string
}

func (f *CallError) Error() string { return f.text }

func (c *Client) failure(kind Kind, format string, args ...any) *CallError {
	text := c.redact(fmt.Sprintf(format, args...)) // before it is cut: half a key is none of anyone's business either
	return &CallError{Kind: kind, text: fmt.Sprintf("model %q at %s: %s", c.options.Model, c.options.URL, oneLine(text))}
}

// broken judges an error of the transport.
func (c *Client) broken(err error) *CallError {
	var address *url.Error
	if errors.As(err, &address) { // its text repeats the URL
		err = address.Err
	}
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound, errors.As(err, &certificate):
		return c.failure(Refused, "%v", err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return c.failure(TimedOut, "no answer within %v", c.options.Timeout)
	}
	return c.failure(CutOff, "%v", err)
}

// refusal judges a response whose status is not 200.
func (c *Client) refusal(response *http.Response, body []byte) *CallError {
	said, code := complaint(body)
	f := c.failure(kindOf(response.StatusCode, code), "%s: %s", status(response.StatusCode), said)
	f.Status, f.RetryAfter = response.StatusCode, retryAfter(response.Header)
	return f
}

func kindOf(status int, code string) Kind {
	switch {
	case code == "insufficient_quota": // a 429 that no waiting helps
		return Refused
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout:
		return TimedOut
	case status >= 500:
		return ServerError
	}
	return Refused
}

func status(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// complaint finds what a server says went wrong, and its code for it: servers
// write {"error": {"message": …, "code": …}}, {"error": "…"}, {"message": "…"},
// {"detail": "…"}, or no JSON at all.
func complaint(body []byte) (text, code string) {
	var said struct {
		Error           json.RawMessage
		Message, Detail any
	}
	if json.Unmarshal(body, &said) != nil {
		return string(body), ""
	}
	var object struct{ Message, Code any }
	if json.Unmarshal(said.Error, &object) == nil && object.Message != nil {
		code, _ = object.Code.(string)
		return fmt.Sprint(object.Message), code
	}
	var plain string
	if json.Unmarshal(said.Error, &plain) == nil && plain != "" {
		return plain, ""
	}
	for _, v := range []any{said.Message, said.Detail} {
		if s, ok := v.(string); ok {
			return s, ""
		}
	}
	return string(body), ""
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 1e6) * float64(time.Second))
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// oneLine makes a server's words fit to be printed: one line, nothing that moves
// a terminal's cursor, not the whole page.
func oneLine(text string) string {
	const most = 300
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

func (c *Client) redact(text string) string {
	if c.key == "" {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, c.key, "(key)"), url.QueryEscape(c.key), "(key)")
}
