// Package exec runs a command so that its traffic goes through Cordon's
// forward proxy and trusts Cordon's CA: the engine of `cordon exec`.
//
// Variables alone do that for Go, curl, Python, Ruby, git and most others, and
// with JAVA_TOOL_OPTIONS for Java. Node's https module and fetch look at no
// proxy variable (only 6 of 20 current vendor SDKs do so by themselves), so a
// small preload is put into every Node process through NODE_OPTIONS.
//
// What it is not: a sandbox. A program that opens sockets by itself, or that
// clears its environment before it starts another one (outside of Node, whose
// preload restores it), leaves Cordon out of the way. Close the network for
// programs that are not trusted.
//
// Loopback. NO_PROXY is overwritten, never appended to, so that nothing which
// the parent excluded escapes. It then names loopback only (localhost,
// 127.0.0.1, ::1): a program reaches its own neighbours as before, as Go's
// net/http does with any setting. A loopback name that a manifest lists under
// `hosts` is a vendor's and is not excluded (Go's net/http cannot be told so).
package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"os/signal"
	"strings"
	"time"
)

// Plan says where the traffic of a command goes.
type Plan struct {
	// Proxy is the forward proxy's address, host:port as configured; an
	// unspecified host stands for this machine.
	Proxy string
	// CA holds the proxy's CA certificates, PEM.
	CA []byte
	// App and Token authenticate the command at the proxy; empty where no apps
	// are configured.
	App, Token string
	// Hosts are the names that manifests give vendors: exact names, or *.name.
	Hosts []string
	// Only, when not nil, limits the command to these names; everything else
	// is refused on this machine, before it reaches the proxy.
	Only []string
	// Environ is the parent's environment, as os.Environ gives it.
	Environ []string
	// Stdin, Stdout and Stderr are handed to the command as they are, never
	// copied, so that a terminal stays one.
	Stdin, Stdout, Stderr *os.File
}

// Exit codes of a shell for commands that did not start.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// Run starts argv with the prepared environment and waits for it. Signals that
// arrive here are passed on. The code is the command's, 128+n when signal n ended it. An error
// means that the command did not run at all (its code is then 126, 127 or 1).
func (p Plan) Run(ctx context.Context, argv []string) (code int, err error) {
	if len(argv) == 0 {
		return 2, errors.New("no command given\nname it after two dashes: cordon exec -- node server.js")
	}
	path, err := osexec.LookPath(argv[0])
	if err != nil && !errors.Is(err, osexec.ErrDot) {
		if errors.Is(err, os.ErrPermission) {
			return exitNotExecutable, fmt.Errorf("starting %s: %w\nmake it executable, or name its interpreter first", argv[0], err)
		}
		return exitNotFound, fmt.Errorf("starting %s: not found in PATH\ncheck the name after the two dashes", argv[0])
	}
	if err := p.reachable(ctx); err != nil {
		return 1, err
	}

	// Private (0700) and gone afterwards: the files hold the app's token.
	dir, err := os.MkdirTemp("", "cordon-exec-")
	if err != nil {
		return 1, fmt.Errorf("making a folder for certificates and the preload: %w\nset TMPDIR to a writable folder", err)
	}
	defer os.RemoveAll(dir)

	relays, err := p.startRelays()
	if err != nil {
		return 1, err
	}
	defer relays.close()

	vars, err := p.prepare(dir, relays)
	if err != nil {
		return 1, err
	}
	cmd := osexec.Command(path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env = vars.over(p.Environ)
	// A nil *os.File in the interface would not be nil there.
	if p.Stdin != nil {
		cmd.Stdin = p.Stdin
	}
	if p.Stdout != nil {
		cmd.Stdout = p.Stdout
	}
	if p.Stderr != nil {
		cmd.Stderr = p.Stderr
	}
	return wait(ctx, cmd)
}

// Print writes the environment as shell exports. Its files go to dir, which
// the caller keeps; it holds the app's token, so Print makes it private.
func (p Plan) Print(w io.Writer, dir string) error {
	if p.Only != nil {
		return errors.New("a limit to one vendor needs cordon exec to stay in the way\nrun the command with cordon exec --vendor, or print without --vendor")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for certificates and the preload: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("making %s private: %w", dir, err)
	}
	vars, err := p.prepare(dir, relays{})
	if err != nil {
		return err
	}
	for _, v := range vars {
		if _, err := fmt.Fprintf(w, "export %s=%s\n", v.name, shellQuote(v.value)); err != nil {
			return fmt.Errorf("printing the environment: %w", err)
		}
	}
	return nil
}

// reachable tells the user now what every request of the command would tell
// them later in the words of twenty different libraries.
func (p Plan) reachable(ctx context.Context) error {
	d := net.Dialer{Timeout: 3 * time.Second}
	c, err := d.DialContext(ctx, "tcp", p.address())
	if err != nil {
		return fmt.Errorf("nothing answers at the proxy's address %s: %w\nstart Cordon first: cordon serve", p.address(), err)
	}
	return c.Close()
}

// address is Proxy as a client dials it.
func (p Plan) address() string {
	host, port, err := net.SplitHostPort(p.Proxy)
	if err != nil {
		return p.Proxy
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// wait runs cmd and passes signals on until it ends.
func wait(ctx context.Context, cmd *osexec.Cmd) (int, error) {
	// Before Start: a signal in between must not end us and leave the child.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)

	if err := cmd.Start(); err != nil {
		return exitNotExecutable, fmt.Errorf("starting %s: %w", cmd.Args[0], err)
	}
	done := make(chan struct{})
	go func() {
		stop := ctx.Done()
		for {
			select {
			case <-done:
				return
			case <-stop:
				_ = cmd.Process.Signal(terminate)
				stop = nil
			case s := <-signals:
				if !fromTerminal(s) {
					_ = cmd.Process.Signal(s)
				}
			}
		}
	}()
	err := cmd.Wait()
	close(done)
	if exit := (*osexec.ExitError)(nil); errors.As(err, &exit) {
		return exitCode(exit.ProcessState), nil
	}
	if err != nil {
		return 1, fmt.Errorf("waiting for %s: %w", cmd.Args[0], err)
	}
	return 0, nil
}

// shellQuote makes s one word of a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
