// Package rig runs the real cordon binary, in processes and a folder of its own, for the tests and measurements
// that treat the product as a black box: they kill it, damage its files, and compare what a vendor saw with what
// the ledger says. It imports nothing of the product and speaks only the contract: files, verbs, --json.
package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Build compiles cmd/cordon into dir, or gives the binary that CORDON_BINARY names, such as a released one.
func Build(dir string) (binary string, err error) {
	if binary = os.Getenv("CORDON_BINARY"); binary != "" {
		return filepath.Abs(binary)
	}
	binary = filepath.Join(dir, "cordon")
	out, err := exec.Command("go", "build", "-o", binary, "cordon/cmd/cordon").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building cordon: %w\n%s", err, out)
	}
	return binary, nil
}

// An Org is a folder with a configuration: one directory of invented people, and one vendor, acme-mail, of
// SendGrid's shape at a loopback upstream.
type Org struct {
	Binary string
	Dir    string
	HTTP   string // where applications send
	People int
}

// Vendor is the name of the one vendor.
const Vendor = "acme-mail"

// Address and ID are those of person n of the directory.
func Address(n int) string { return fmt.Sprintf("user%07d@people.test", n) }
func ID(n int) string      { return fmt.Sprintf("p%07d", n) }

// New writes the folder. Upstream is host:port of the simulated vendor.
func New(binary, dir, upstream string, people int) (*Org, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	o := &Org{Binary: binary, Dir: dir, People: people}
	listen := make([]string, 5)
	for i := range listen {
		if listen[i], err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	o.HTTP = listen[0]
	var csv strings.Builder
	csv.WriteString("id,email,name,country,language\n")
	for n := range people {
		fmt.Fprintf(&csv, "%s,%s,Robin Example,%s,en\n", ID(n), Address(n), []string{"US", "DE", "BR", "IN"}[n%4])
	}
	for _, sub := range []string{"keys", "vendors"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{
		"cordon.yaml": fmt.Sprintf(`organization: {name: Example Photos, domain: photos.example, country: US-CA, establishments: [US-CA]}
data: ./data
keys: ./keys
mirror: ./mirror
vendors: ./vendors
listen: {http: "%s", proxy: "%s", smtp: "%s", console: "%s", public: "%s"}
directory: {file: ./people.csv}
`, listen[0], listen[1], listen[2], listen[3], listen[4]),
		"vendors/" + Vendor + ".yaml": fmt.Sprintf(`vendor: %s
name: Acme Mail, Inc.
catalogue: sendgrid
upstream: http://%s
mode: enforce
country: US
role: processor
credential: {in: header, name: Authorization, value: "Bearer {secret}", secret: file:acme-mail.secret}
minimize: {default: allow}
unclassified: pass
`, Vendor, upstream),
		"keys/acme-mail.secret": "the-vendor-credential\n",
		"people.csv":            csv.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// ServeCommand is the command line of the server.
func (o *Org) ServeCommand() []string {
	return []string{o.Binary, "serve", "--config", filepath.Join(o.Dir, "cordon.yaml")}
}

// A Server is a running cordon.
type Server struct {
	cmd  *exec.Cmd
	log  *logged
	gone chan struct{}
}

// A Refusal is a server that ended by itself instead of getting ready.
type Refusal struct {
	Code   int
	Stderr string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("cordon serve ended with %d:\n%s", r.Code, r.Stderr)
}

// Serve starts the server and waits for its `ready` line. If it ends before that the error is a *Refusal.
func (o *Org) Serve(patience time.Duration) (*Server, error) {
	c := o.ServeCommand()
	s := &Server{cmd: exec.Command(c[0], c[1:]...), log: &logged{ready: make(chan struct{})}, gone: make(chan struct{})}
	s.cmd.Dir = o.Dir
	s.cmd.Stdout, s.cmd.Stderr = io.Discard, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cmd.Wait()
		close(s.gone)
	}()
	select {
	case <-s.log.ready:
		return s, nil
	case <-s.gone:
		return nil, &Refusal{s.cmd.ProcessState.ExitCode(), s.Log()}
	case <-time.After(patience):
		s.Kill()
		return nil, fmt.Errorf("cordon serve was neither ready nor gone after %v:\n%s", patience, s.Log())
	}
}

// Kill is kill -9.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	<-s.gone
}

// Stop asks it to end and waits.
func (s *Server) Stop() error {
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.gone:
		if code := s.cmd.ProcessState.ExitCode(); code != 0 {
			return fmt.Errorf("cordon serve ended with %d after an interrupt:\n%s", code, s.Log())
		}
		return nil
	case <-time.After(20 * time.Second):
		s.Kill()
		return errors.New("cordon serve did not end within 20 s of an interrupt")
	}
}

// Log is what it said so far.
func (s *Server) Log() string { return s.log.String() }

// Pid is the server's process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// logged keeps what is written and closes ready at the line that says so.
type logged struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ready chan struct{}
	said  bool
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p)
	if !l.said && (bytes.HasPrefix(l.buf.Bytes(), []byte("ready ")) || bytes.Contains(l.buf.Bytes(), []byte("\nready "))) {
		l.said = true
		close(l.ready)
	}
	return len(p), nil
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Result is what a verb printed and how it ended.
type Result struct {
	Stdout, Stderr []byte
	Code           int
}

// Run runs a verb to its end, for at most a minute.
func (o *Org) Run(args ...string) (Result, error) {
	cmd := exec.Command(o.Binary, append(args, "--config", filepath.Join(o.Dir, "cordon.yaml"))...)
	cmd.Dir = o.Dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	r := Result{stdout.Bytes(), stderr.Bytes(), cmd.ProcessState.ExitCode()}
	if !late.Stop() {
		return r, fmt.Errorf("cordon %s did not end within a minute", strings.Join(args, " "))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	return r, nil
}

// JSON runs a verb with --json and decodes its answer; an exit code other than 0 is an error.
func (o *Org) JSON(into any, args ...string) error {
	r, err := o.Run(append(args, "--json")...)
	if err != nil {
		return err
	}
	if r.Code != 0 {
		return fmt.Errorf("cordon %s ended with %d: %s", strings.Join(args, " "), r.Code, r.Stderr)
	}
	if err := json.Unmarshal(r.Stdout, into); err != nil {
		return fmt.Errorf("cordon %s: %w in %.200q", strings.Join(args, " "), err, r.Stdout)
	}
	return nil
}

// FreeAddr is a loopback address on which nothing listens at this moment.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
