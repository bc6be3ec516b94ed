package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cordon/internal/api"
)

// Env is what a verb may touch: its streams, the clock, and the global flags.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminals: whether a person looks at the output and can be asked.
	InTerminal, OutTerminal, ErrTerminal bool
	// Width is the terminal's, or 100.
	Width int
	Now   func() time.Time
	Flags Globals
}

// System is the Env of a real process.
func System() *Env {
	return &Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: isTerminal(os.Stdin), OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr),
		Width: terminalWidth(os.Stdout),
		Now:   time.Now,
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col < 40 {
		return 100
	}
	return int(size.Col)
}

// Say writes one line of talk to stderr.
func (e *Env) Say(format string, args ...any) { fmt.Fprintf(e.Err, format+"\n", args...) }

// Print writes one line of the result to stdout.
func (e *Env) Print(format string, args ...any) { fmt.Fprintf(e.Out, format+"\n", args...) }

// JSON prints an answer as --json promises it: one value, indented when a
// person looks, on one line when a script does.
func (e *Env) JSON(answer any) error {
	return api.Encode(e.Out, answer, e.OutTerminal)
}

// Colour wraps text in an SGR code on a terminal, and leaves it alone
// elsewhere. Colour never carries a meaning that the words do not.
func (e *Env) Colour(code, text string) string {
	if !e.OutTerminal {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// gateWord writes a gate's state, coloured on a terminal.
func (e *Env) gateWord(gate string) string {
	switch gate {
	case "open":
		return e.Colour(green, gate)
	case "hold":
		return e.Colour(yellow, gate)
	default:
		return e.Colour(red, gate)
	}
}
