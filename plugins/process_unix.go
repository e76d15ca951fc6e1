//go:build unix

package plugins

import (
	"errors"
	"os/exec"
	"syscall"
)

// ownGroup lets a command be ended with all that it starts, and keeps the
// terminal's signals from it.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup asks a command and all that it started to end, or kills them. There
// may be nobody left, so errors are of no interest.
func endGroup(c *exec.Cmd, kill bool) {
	signal := syscall.SIGTERM
	if kill {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-c.Process.Pid, signal)
}

// lives tells whether there is a process of a number.
func lives(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
