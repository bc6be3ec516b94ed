//go:build !unix

package exec

import "os"

var terminate os.Signal = os.Kill

var forwarded = []os.Signal{os.Interrupt}

// fromTerminal: a console interrupt reaches every process of the console.
func fromTerminal(s os.Signal) bool { return s == os.Interrupt }

func exitCode(s *os.ProcessState) int { return s.ExitCode() }
