package plugins

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
)

// process is one process of a plugin, started when it is first needed and again
// after it was dropped. Several calls may use it at once: they are repeatable,
// so that one which fails may drop it for all.
type process struct {
	o    Options
	says *tail

	mu         sync.Mutex
	running    *running
	generation int
}

// running is a process that answers.
type running struct {
	client *plugin.Client
	runner *command
	served client
}

// get returns the process's client, started if it must be, and which generation
// of the process that is.
func (p *process) get(ctx context.Context) (client, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		started, err := p.start(ctx)
		if err != nil {
			return client{}, p.generation, err
		}
		p.running = started
	}
	return p.running.served, p.generation, nil
}

// drop ends a generation of the process, unless that is done already.
func (p *process) drop(generation int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil && p.generation == generation {
		p.running.stop()
		p.running = nil
		p.generation++
	}
}

// start runs the command and shakes hands. What go-plugin promises is not
// enough, and its cure for each case is not used: AutoMTLS makes certificates
// that Python's gRPC does not take, so ours are made here, on P-256; its reader
// of logs panics on some lines, so logs are read as bytes; its Kill waits for a
// hung process for ever, so the process group is killed before; and its Client
// waits 20 seconds for a process that does not accept, so a deadline stands
// around it.
func (p *process) start(ctx context.Context) (*running, error) {
	identity, certificate, err := newIdentity()
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	if err := checksum(p.o.Command[0], p.o.SHA256); err != nil { // also before it is started again
		return nil, err
	}
	p.says.reset()
	r := &running{runner: &command{words: p.o.Command, dir: p.o.Dir, env: p.o.Env, errors: p.says}}
	config := &plugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: sets(&link{}),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			return r.runner, r.runner.prepare(append(cmd.Env, "PLUGIN_CLIENT_CERT="+certificate))
		},
		SkipHostEnv:      true, // keys and tokens in the environment are none of a plugin's business
		TLSConfig:        identity,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		StartTimeout:     p.o.StartTimeout,
		SyncStdout:       p.says, SyncStderr: p.says,
		Logger: hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))},
	}
	r.client = plugin.NewClient(config)
	if _, err := r.client.Start(); err != nil {
		r.stop()
		return nil, p.explain(err)
	}
	if identity.RootCAs == nil { // it answered without a certificate: its socket's folder is all that guards it
		config.TLSConfig = nil
	}
	err = within(ctx, p.o.StartTimeout, func() error {
		c, err := r.client.Client()
		if err != nil {
			return err
		}
		raw, err := c.Dispense(service)
		if err != nil {
			return err
		}
		r.served = raw.(client)
		return c.Ping()
	})
	if err != nil {
		r.stop()
		return nil, p.explain(err)
	}
	return r, nil
}

// within gives work up after a time; what it still does then ends with the
// process that it waits for.
func within(ctx context.Context, limit time.Duration, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("no answer within %v", limit)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends a process: asked first, then killed with all it started.
func (r *running) stop() {
	r.runner.end()
	r.client.Kill()
}

// explain says why a process did not start, in one line, with the last thing
// that it wrote itself.
func (p *process) explain(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "Failed to read any lines"):
		text = "it ended before it said that it serves"
	case strings.Contains(text, "Unrecognized remote plugin message"):
		line, _, _ := strings.Cut(text, "\n")
		text = "it is no plugin: it wrote " + clean(strings.TrimPrefix(line, "Unrecognized remote plugin message: "), 80)
	case strings.Contains(text, "timeout while waiting for plugin to start"):
		text = fmt.Sprintf("it did not say within %v that it serves", p.o.StartTimeout)
	case strings.Contains(text, "incompatible API version"), strings.Contains(text, "Incompatible API version"):
		text = fmt.Sprintf("it speaks another version of the protocol than %d: build it with a newer or older kit", Version)
	default:
		text = clean(text, 300)
	}
	if last := p.says.last(); last != "" {
		text += "; its last words: " + last
	}
	return errors.New(text)
}

// command runs a plugin's program. It is go-plugin's runner.Runner, with a
// process group of its own, without the terminal, and with few variables of the
// environment.
type command struct {
	words  []string
	dir    string
	env    []string
	errors *tail
	cmd    *exec.Cmd
	out    io.ReadCloser
	err    io.ReadCloser
	ended  chan struct{}
}

func (c *command) prepare(env []string) (err error) {
	c.cmd = exec.Command(c.words[0], c.words[1:]...) //nolint:gosec,noctx // the plugin that the user named
	c.cmd.Dir, c.cmd.Env = c.dir, append(environment(), append(c.env, env...)...)
	c.cmd.Env = append(c.cmd.Env, hostVariable+"="+strconv.Itoa(os.Getpid()))
	c.ended = make(chan struct{})
	ownGroup(c.cmd)
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return err
	}
	c.err, err = c.cmd.StderrPipe()
	return err
}

func (c *command) Start(context.Context) error { return c.cmd.Start() }

func (c *command) Wait(context.Context) error {
	err := c.cmd.Wait()
	close(c.ended)
	return err
}

func (c *command) Kill(context.Context) error {
	c.end()
	return nil
}

// patience is how long a process that was asked to end may take.
const patience = 300 * time.Millisecond

func (c *command) end() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	for _, kill := range []bool{false, true} {
		select {
		case <-c.ended:
			endGroup(c.cmd, true) // what it started may still be there
			return
		default:
		}
		endGroup(c.cmd, kill)
		select {
		case <-c.ended:
		case <-time.After(patience):
		}
	}
}

func (c *command) Stdout() io.ReadCloser { return c.out }

// Stderr hands go-plugin the process's errors, noting them on the way.
func (c *command) Stderr() io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(c.err, c.errors), c.err}
}

func (c *command) Name() string { return c.words[0] }

func (c *command) ID() string {
	if c.cmd == nil || c.cmd.Process == nil {
		return ""
	}
	return fmt.Sprint(c.cmd.Process.Pid)
}

func (c *command) Diagnose(context.Context) string { return "" }

func (c *command) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

func (c *command) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// newIdentity makes a certificate for one process's lifetime: the TLS
// configuration that holds it, and itself in PEM.
func newIdentity() (*tls.Config, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, "", err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost", Organization: []string{"agon"}}, DNSNames: []string{"localhost"},
		SerialNumber: serial, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, "", err
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, ServerName: "localhost"}
	return config, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// tail keeps the end of what a process writes, and passes a bounded part of it
// on line by line.
type tail struct {
	log func(line string)

	mu    sync.Mutex
	kept  []byte
	lines int
}

const (
	tailSize  = 4 << 10
	tailLines = 200 // passed on from one start of the process
)

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept, t.lines = t.kept[:0], 0
}

// Write implements io.Writer. It never fails, so that a plugin can write what it
// likes.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range bytes.Split(b[max(0, len(b)-tailSize):], []byte("\n")) {
		if text := clean(string(line), 1000); text != "" && t.log != nil && t.lines <= tailLines {
			if t.lines++; t.lines > tailLines {
				text = "(what else the plugin writes is not shown)"
			}
			t.log(text)
		}
	}
	t.kept = append(t.kept, b...)
	t.kept = t.kept[max(0, len(t.kept)-tailSize):]
	return len(b), nil
}

// last returns the last line that says something.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(string(t.kept), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if text := clean(lines[i], 200); text != "" {
			return text
		}
	}
	return ""
}

// clean makes a line fit for a terminal and a log: no control characters, and
// not too long.
func clean(line string, most int) string {
	line = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(line, "\t", " "))
	line = strings.TrimSpace(line)
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return line
}
