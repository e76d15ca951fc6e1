// Package backend chooses and opens what computes a network's graphs: GoMLX's
// pure Go backend, or XLA on the CPU or on a CUDA device through a PJRT
// plugin, a shared library found on this machine.
//
// Nothing here downloads by itself; Install does when it is called. XLA is
// there only in programs that import policy/backend/xla and are built with
// cgo.
package backend

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go" with GoMLX
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/agon-rl/agon/internal/spec"
)

// The names that Open takes.
const (
	Auto = "auto"     // the best of the others that works here
	Go   = "go"       // pure Go, on the CPU
	CPU  = "xla:cpu"  // XLA on the CPU
	CUDA = "xla:cuda" // XLA on an NVIDIA device
)

// Names lists the names that Open takes.
func Names() []string { return []string{Auto, Go, CPU, CUDA} }

// goConfig opens the Go backend with a graph's operations run one after the
// other. In its default, parallel mode a graph with many independent matrix
// products can stop for ever: every worker of its pool waits for a worker
// (compute v0.1.6). Calls from several goroutines still run side by side.
const goConfig = "go:ops_sequential"

// Choice is the backend that Open took.
type Choice struct {
	Name   string // Go, CPU or CUDA
	Why    string // why this one, in one line
	Plugin string // path of the PJRT plugin; empty for Go
}

// String is the choice in one line.
func (c Choice) String() string { return c.Name + ": " + c.Why }

// Open opens the named backend. Auto takes CUDA where a plugin and a device
// are there, else XLA on the CPU where its plugin is found, else pure Go; any
// other name is opened or refused. The caller ends the backend with Finalize.
func Open(name string) (compute.Backend, Choice, error) {
	switch name {
	case Auto:
		return openBest()
	case Go:
		b, err := newBackend(goConfig)
		return b, Choice{Name: Go, Why: "asked for"}, err
	case CPU, CUDA:
		b, c, err := openXLA(name)
		if err != nil {
			return nil, Choice{}, err
		}
		c.Why = "asked for; plugin " + c.Plugin
		return b, c, nil
	default:
		return nil, Choice{}, fmt.Errorf("unknown backend %q: expected one of %s%s",
			name, strings.Join(Names(), ", "), spec.Suggest(name, Names()))
	}
}

// openBest opens the first of CUDA, CPU and Go that works.
func openBest() (compute.Backend, Choice, error) {
	var passed []string
	for _, name := range []string{CUDA, CPU} {
		b, c, err := openXLA(name)
		if err == nil {
			c.Why = strings.Join(append(passed, "plugin "+c.Plugin), "; ")
			return b, c, nil
		}
		passed = append(passed, fmt.Sprintf("no %s: %v", name, reason(err)))
	}
	b, err := newBackend(goConfig)
	return b, Choice{Name: Go, Why: strings.Join(passed, "; ")}, err
}

// openXLA opens CPU or CUDA.
func openXLA(name string) (compute.Backend, Choice, error) {
	p, err := lookUp(name)
	if err != nil {
		return nil, Choice{}, err
	}
	b, err := newBackend("xla:" + p.path)
	if err != nil {
		return nil, Choice{}, fmt.Errorf("opening %s: %w", name, root(err))
	}
	return b, Choice{Name: name, Plugin: p.path}, nil
}

// newBackend opens a backend by GoMLX's name for it.
func newBackend(config string) (b compute.Backend, err error) {
	if caught := Catch(func() { b, err = compute.NewWithConfig(config) }); caught != nil {
		err = caught
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// linked says whether XLA is part of this program.
func linked() bool { return slices.Contains(compute.List(), "xla") }

// missing says why a backend cannot be opened here at all.
type missing struct{ name, why, advice string }

func (m *missing) Error() string {
	text := fmt.Sprintf("backend %s: %s", m.name, m.why)
	if m.advice != "" {
		text += ": " + m.advice
	}
	return text
}

// reason shortens an error of openXLA for a line that already names the
// backend.
func reason(err error) string {
	var m *missing
	if errors.As(err, &m) {
		return m.why
	}
	line, _, _ := strings.Cut(root(err).Error(), "\n")
	return line
}

// root returns the error that was wrapped first: GoMLX's wrappers repeat it.
func root(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

// Catch runs f and returns what it panicked with as an error. GoMLX panics
// where a graph cannot be built; calls into it are wrapped so that its panics
// end at our border.
func Catch(f func()) error {
	switch caught := exceptions.Try(f).(type) {
	case nil:
		return nil
	case error:
		return caught
	default:
		return fmt.Errorf("%v", caught)
	}
}

// Entry is what List says of one backend.
type Entry struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Why       string `json:"why"`
	Plugin    string `json:"plugin,omitempty"`  // path of the PJRT plugin found
	Version   string `json:"version,omitempty"` // of the plugin, where known
}

// List says of each backend whether it can be opened here and why. It looks
// at files only and loads no plugin, so a plugin that is broken, or lacks
// libraries that it needs, still counts as available.
func List() []Entry {
	entries := []Entry{{Name: Go, Available: true, Why: "part of every build"}}
	for _, name := range []string{CPU, CUDA} {
		p, err := lookUp(name)
		e := Entry{Name: name, Available: err == nil, Plugin: p.path, Version: p.version}
		if err != nil {
			e.Why = strings.TrimPrefix(err.Error(), "backend "+name+": ")
		} else {
			e.Why = "plugin found"
		}
		entries = append(entries, e)
	}
	return entries
}
