package clients

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"photos/people"
)

// cordon is a running server with a configuration of its own.
type cordon struct {
	t       *testing.T
	program string
	dir     string
	http    string // address of the reverse routes
	cmd     *exec.Cmd
	mu      sync.Mutex
	log     bytes.Buffer
}

// manifests by vendor; %s is the upstream. What could not be read whole is
// refused, so that no real client passes by being "incomplete".
var manifests = map[string]string{
	"acme-mail":    "catalogue: sendgrid\nupstream: %s\nhosts: [api.sendgrid.com]\nunclassified: refuse\n",
	"acme-pay":     "catalogue: stripe\nupstream: %s\nhosts: [api.stripe.com]\nunclassified: refuse\n",
	"acme-insight": "catalogue: segment\nupstream: %s\nhosts: [api.segment.io]\nunclassified: refuse\n",
}

var (
	buildOnce sync.Once
	built     string
)

// program is the cordon under test, built once.
func program(t *testing.T) string {
	t.Helper()
	if given := os.Getenv("CORDON"); given != "" {
		return given
	}
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "cordon-clients-")
		if err != nil {
			t.Fatal(err)
		}
		built = goBuild(t, "../..", "./cmd/cordon", dir)
	})
	if built == "" {
		t.Fatal("cordon could not be built, see the first test")
	}
	return built
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// startCordon starts a server for these people in front of the upstreams, by
// vendor. More files, and lines for cordon.yaml under "", come with extra.
func startCordon(t *testing.T, upstreams map[string]string, all []people.Person, extra map[string]string) *cordon {
	t.Helper()
	c := &cordon{t: t, dir: t.TempDir(), program: program(t)}
	var csv bytes.Buffer
	if err := people.WriteCSV(&csv, all); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 5)
	c.http = ports[0]
	files := map[string]string{
		"people.csv": csv.String(),
		"cordon.yaml": fmt.Sprintf(`organization: {name: Example Photos, domain: photos.example, country: US-CA, establishments: [US-CA]}
data: ./data
keys: ./keys
mirror: ./mirror
vendors: ./vendors
listen: {http: "%s", proxy: "%s", smtp: "%s", console: "%s", public: "%s"}
directory: {file: ./people.csv}
%s`, ports[0], ports[1], ports[2], ports[3], ports[4], extra[""]),
	}
	for vendor, upstream := range upstreams {
		files["vendors/"+vendor+".yaml"] = "vendor: " + vendor + "\n" + fmt.Sprintf(manifests[vendor], upstream)
	}
	for name, text := range extra {
		if name != "" {
			files[name] = text
		}
	}
	for name, text := range files {
		path := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.cmd = exec.Command(c.program, "serve", "--config", "cordon.yaml")
	c.cmd.Dir = c.dir
	talk, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		lines := bufio.NewScanner(talk)
		for once := true; lines.Scan(); {
			c.mu.Lock()
			fmt.Fprintln(&c.log, lines.Text())
			c.mu.Unlock()
			if once && strings.HasPrefix(lines.Text(), "ready ") {
				once = false
				close(ready)
			}
		}
		_ = c.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = c.cmd.Process.Kill()
			<-ended
			t.Error("cordon did not end within 20 s of SIGTERM")
		}
		if t.Failed() {
			t.Logf("cordon said:\n%s", c.said())
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("cordon did not start:\n%s", c.said())
	case <-time.After(60 * time.Second):
		t.Fatalf("cordon was not ready within a minute:\n%s", c.said())
	}
	return c
}

func (c *cordon) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// run executes one verb and returns its output.
func (c *cordon) run(args ...string) (string, error) {
	cmd := exec.Command(c.program, args...)
	cmd.Dir = c.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("cordon %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), err
}

// exposed lists by directory id who was exposed to the vendor. More flags of
// scope narrow it.
func (c *cordon) exposed(vendor string, flags ...string) ([]string, error) {
	file := filepath.Join(c.t.TempDir(), "export.csv")
	if _, err := c.run(append([]string{"scope", vendor, "--export", file}, flags...)...); err != nil {
		return nil, err
	}
	text, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("reading the export: %d rows, %w", len(rows), err)
	}
	id := slices.Index(rows[0], "id")
	if id < 0 {
		return nil, fmt.Errorf("the export's header is %v", rows[0])
	}
	var ids []string
	for _, row := range rows[1:] {
		ids = append(ids, row[id])
	}
	slices.Sort(ids)
	return ids, nil
}

// subject is the part of `cordon subject --json` that these tests read.
type subject struct {
	Vendors []struct {
		Vendor      string
		Categories  []string
		Disclosures int
	}
}

func (c *cordon) subject(identifier string) (s subject, err error) {
	out, err := c.run("subject", "--json", identifier)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return s, fmt.Errorf("reading %q: %w", out, err)
	}
	return s, nil
}

// freePorts finds ports that nobody uses. Each is free for a moment until
// Cordon takes it; `exec` reads them from the configuration, so :0 is no use.
func freePorts(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}
