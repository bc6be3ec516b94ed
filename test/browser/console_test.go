// Package browser drives the console as a person would, in a real browser: a
// module of its own, so that the browser's protocol stays out of the product's
// module graph. Without a Chromium the test skips and says so.
package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// cordon is a server in a folder of its own, built from this source.
type cordon struct {
	http, link string
	vendor     *httptest.Server
	received   int
	mu         sync.Mutex // guards received
}

func start(t *testing.T) *cordon {
	t.Helper()
	c := &cordon{}
	c.vendor = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c.mu.Lock()
		c.received++
		c.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(c.vendor.Close)
	dir := t.TempDir()
	binary := filepath.Join(dir, "cordon")
	build := exec.Command("go", "build", "-o", binary, "./cmd/cordon")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building cordon: %v\n%s", err, out)
	}
	write(t, filepath.Join(dir, "cordon.yaml"), `organization: {name: Example Photos, domain: photos.example, country: US}
listen: {http: "127.0.0.1:0", proxy: "127.0.0.1:0", console: "127.0.0.1:0"}
`)
	write(t, filepath.Join(dir, "vendors", "acme-mail.yaml"),
		"vendor: acme-mail\nname: Acme Mail, Inc.\ncatalogue: sendgrid\nupstream: "+c.vendor.URL+"\n")
	cmd := exec.Command(binary, "serve")
	cmd.Dir = dir
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("cordon serve ended with %v", err)
		}
	})
	lines := bufio.NewScanner(talk)
	for c.link == "" {
		if !lines.Scan() {
			t.Fatal("cordon serve ended before it was ready")
		}
		for _, word := range strings.Fields(lines.Text()) {
			if addr, ok := strings.CutPrefix(word, "http="); ok {
				c.http = addr
			}
			if strings.HasPrefix(word, "http://localhost") {
				c.link = word
			}
		}
	}
	go func() {
		for lines.Scan() { // a full pipe would stop the server
		}
	}()
	return c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// send has a number of people written to through the gateway.
func (c *cordon) send(t *testing.T, people int) (status int) {
	t.Helper()
	for i := range people {
		body := fmt.Sprintf(`{"personalizations":[{"to":[{"email":"user%d@photos.example"}]}],"from":{"email":"us@photos.example"},"subject":"Hi","content":[{"type":"text/plain","value":"x"}]}`, i)
		r, err := http.Post("http://"+c.http+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		status = r.StatusCode
	}
	return status
}

// open starts a browser whose console must stay silent.
func open(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no chromium in PATH; CI installs it (.ci/tools)")
		}
		t.Skip("there is no chromium in PATH: the console is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true),
	)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stopAllocator)
	ctx, stopTab := chromedp.NewContext(ctx)
	t.Cleanup(stopTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
				t.Errorf("the browser complains: %s (%s)", m, m.URL)
			}
		}
	}()
	return ctx
}

func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		t.Fatalf("reading %s: %v", selector, err)
	}
	return s
}

func TestCutsAVendorInTheBrowser(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("there is no chromium in PATH: the console is not tried in a browser")
	}
	c := start(t)
	if status := c.send(t, 7); status != http.StatusAccepted {
		t.Fatalf("sending before the cut: %d", status)
	}
	ctx := open(t)
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}

	// The one-time link opens the page, which counts exactly.
	do("opening the link", chromedp.Navigate(c.link), chromedp.WaitVisible(chromedp.CSS("#vendor-acme-mail")))
	if got := text(t, ctx, ".hero .figure"); got != "7" {
		t.Errorf("people exposed today: %q, want 7", got)
	}
	// The figures follow without a reload.
	c.send(t, 9)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector(".hero .figure").textContent === "9"`)); err != nil {
		t.Errorf("the figure did not follow to 9: %v", err)
	}

	// The wrong name changes nothing.
	do("asking for the cut", chromedp.Click(chromedp.CSS("#vendor-acme-mail .danger")), chromedp.WaitVisible(chromedp.CSS("#name")))
	do("typing a wrong name", chromedp.SendKeys(chromedp.CSS("#name"), "acme"), chromedp.Click(chromedp.CSS("button.danger")),
		chromedp.WaitVisible(chromedp.CSS("#problem")))
	if status := c.send(t, 1); status != http.StatusAccepted {
		t.Errorf("sending before the name was typed: %d", status)
	}

	// The right one cuts.
	do("cutting",
		chromedp.SendKeys(chromedp.CSS("#name"), "acme-mail"),
		chromedp.Click(chromedp.CSS("button.danger")),
		chromedp.WaitVisible(chromedp.CSS("#scope")))
	if got := text(t, ctx, "h1"); got != "Acme Mail, Inc. is cut" {
		t.Errorf("the page says %q", got)
	}
	if got := text(t, ctx, "section .figure"); got != "9" {
		t.Errorf("who may be affected: %q, want 9", got)
	}
	c.mu.Lock()
	before := c.received
	c.mu.Unlock()
	if status := c.send(t, 3); status != http.StatusServiceUnavailable {
		t.Errorf("sending after the cut: %d", status)
	}
	c.mu.Lock()
	if c.received != before {
		t.Errorf("the vendor got %d messages after the cut", c.received-before)
	}
	c.mu.Unlock()

	// The overview shows it, and what was tried.
	do("going back", chromedp.Click(chromedp.CSS(".back a")), chromedp.WaitVisible(chromedp.CSS("#vendor-acme-mail .chip.cut")))
	if row := text(t, ctx, "#vendor-acme-mail"); !strings.Contains(row, "3 messages tried since") {
		t.Errorf("the row says %q", row)
	}
}
