package cmd

import (
	"context"
	"fmt"
	"io"
)

// output remembers the first error of writing, so that a full disk below a
// redirection is not taken for success.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	if err != nil {
		o.err = fmt.Errorf("writing the output: %w", err)
	}
	return n, o.err
}

// input ends when the context does, so that Ctrl-C at a prompt is heard. The
// read under way then stays behind.
type input struct {
	ctx    context.Context
	from   io.Reader
	buffer []byte
	rest   []byte // read, not yet handed out
	err    error
}

func (i *input) Read(b []byte) (int, error) {
	if len(i.rest) == 0 && i.err == nil {
		i.fill()
	}
	if len(i.rest) == 0 {
		return 0, i.err
	}
	n := copy(b, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (i *input) fill() {
	if i.buffer == nil {
		i.buffer = make([]byte, 64<<10)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := i.from.Read(i.buffer)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		i.rest, i.err = i.buffer[:r.n], r.err
	case <-i.ctx.Done():
		i.err = i.ctx.Err()
	}
}
