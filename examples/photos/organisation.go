package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"photos/people"
)

// writeDirectory writes people.csv anew each time: the seed or the number may
// have changed, and Cordon imports it at its start.
func writeDirectory(path string, all []people.Person) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the directory of people: %w", err)
	}
	defer f.Close()
	if err := people.WriteCSV(f, all); err != nil {
		return err
	}
	return f.Close()
}

// writeSecrets makes the credentials at the vendors that the manifests name.
// Cordon puts them into the messages; the apps below never see them.
func writeSecrets(keys string) error {
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("making the folder of keys: %w", err)
	}
	for name, prefix := range map[string]string{"acme-mail.secret": "SG.", "acme-pay.secret": "sk_test_"} {
		path := filepath.Join(keys, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, []byte(prefix+rand.Text()+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing the example's credential: %w", err)
		}
	}
	return nil
}

// server is the cordon process.
type server struct {
	cmd         *exec.Cmd
	http, proxy string // addresses
	console     atomic.Pointer[string]
	done        chan struct{}
}

// startCordon starts it and waits until it says that it is ready. Its words
// go to the terminal as they are.
func startCordon(ctx context.Context, f flags) (*server, error) {
	program, err := filepath.Abs(f.cordon)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "--config", "cordon.yaml")
	cmd.Dir = f.dir
	cmd.Stdout = os.Stdout
	// In a group of its own: Ctrl-C must reach us first, and Cordon after the
	// traffic has ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	talk, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting cordon: %w\nbuild it first: make build", err)
	}
	s := &server{cmd: cmd, done: make(chan struct{})}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(io.TeeReader(talk, os.Stderr))
		for {
			line, err := lines.ReadString('\n')
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, "console: "); ok {
				s.console.Store(&rest) // the one-time link, said once
			}
			if rest, ok := strings.CutPrefix(line, "ready "); ok {
				select {
				case ready <- rest:
				default:
				}
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // its exit is reported by done; its own words say why
		close(s.done)
	}()
	select {
	case line := <-ready:
		for _, field := range strings.Fields(line) {
			name, address, _ := strings.Cut(field, "=")
			address = strings.TrimPrefix(address, "http://")
			switch name {
			case "http":
				s.http = address
			case "proxy":
				s.proxy = address
			case "console":
				link := "http://" + strings.Replace(address, "127.0.0.1", "localhost", 1)
				s.console.CompareAndSwap(nil, &link)
			}
		}
		return s, nil
	case <-s.done:
		return nil, errors.New("cordon did not start; its words above say why")
	case <-time.After(60 * time.Second):
		s.stop()
		return nil, errors.New("cordon was not ready within a minute")
	case <-ctx.Done():
		s.stop()
		return nil, ctx.Err()
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// hint tells a newcomer what to try, with commands to paste. They are typed
// in the repository's folder, where make was.
func (s *server) hint() {
	console := "see the lines above"
	if link := s.console.Load(); link != nil {
		console = *link
	}
	const config = " --config examples/photos/cordon.yaml"
	fmt.Fprintf(os.Stderr, `
  Example Photos is running and tells its three vendors about its users.

  The console:  %s

  Or in a second terminal, in this folder:
    bin/cordon status%[2]s
    bin/cordon cut acme-mail%[2]s         # close the vendor, now
    bin/cordon scope acme-mail%[2]s       # exactly who was exposed to it
    bin/cordon restore acme-mail%[2]s

  Ctrl-C ends everything.

`, console, config)
}
