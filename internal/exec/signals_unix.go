//go:build unix

package exec

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

var terminate os.Signal = syscall.SIGTERM

var forwarded = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT,
}

// keyboard are the signals that a terminal sends to its whole foreground group.
var keyboard = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH, syscall.SIGHUP}

// fromTerminal reports whether the command has had s already: it shares our
// process group, and a second interrupt means "at once" to many programs.
func fromTerminal(s os.Signal) bool {
	if !slices.Contains(keyboard, s) {
		return false
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
