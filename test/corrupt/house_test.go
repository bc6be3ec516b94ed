package corrupt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
	"cordon/internal/vendor"
	"cordon/test/rig"
)

// house is a small installation that ran in this process, and what it says
// while it is whole. Dir holds data, mirror, wal2, keys and the configuration.
type house struct {
	dir string
	// directory is where the file of people always was: from another place it
	// would be loaded anew, and heal what the damage took.
	directory string
	cfg       *config.Config
	specs     []*vendor.Spec
	entries   []string // as tail prints them
	size      uint64
	scope     string // the answer about everybody
	people    []string
	baseline
}

// baseline is what an undamaged copy is warned of: a crash leaves a tail.
type baseline struct{ warnings []string }

const somePeople = 60

// build makes an installation with a bit of everything: a directory and
// strangers, tables and a log, two starts, a cut vendor and an open one. It returns
// the folder as kill -9 leaves it, or as a clean stop does.
func build(t *testing.T, clean bool) *house {
	return buildWith(t, options{crash: !clean, people: somePeople})
}

// options of an installation: whether it is left as kill -9 leaves it, and how
// many people its directory has; many make a base beside the store.
type options struct {
	crash  bool
	people int
}

func buildWith(t *testing.T, o options) *house {
	t.Helper()
	clean := !o.crash
	work := t.TempDir()
	vendorSide := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer vendorSide.Close()
	var csv strings.Builder
	csv.WriteString("id,email,country,language,birth_date\n")
	for n := range o.people {
		fmt.Fprintf(&csv, "%s,%s,%s,en,199%d-02-03\n", rig.ID(n), rig.Address(n), []string{"US", "DE", "BR", "IN"}[n%4], n%10)
	}
	manifest := "vendor: %s\nname: Acme, Inc.\ncatalogue: sendgrid\nupstream: %s\nminimize: {default: allow}\nunclassified: pass\n"
	for name, text := range map[string]string{
		"cordon.yaml": "organization: {name: Example Photos, domain: photos.example, country: US-CA}\n" +
			"listen: {http: \"127.0.0.1:0\", proxy: \"\", smtp: \"\", console: \"127.0.0.1:0\", public: \"\"}\nscrub: {every: 0s}\nfailover: ./wal2\n" +
			"directory: {file: ./people.csv}\n",
		"vendors/" + rig.Vendor + ".yaml": fmt.Sprintf(manifest, rig.Vendor, vendorSide.URL),
		"vendors/acme-open.yaml":          fmt.Sprintf(manifest, "acme-open", vendorSide.URL),
		"people.csv":                      csv.String(),
	} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{dir: t.TempDir(), directory: filepath.Join(work, "people.csv")}
	for round := range 2 {
		cfg, specs, problems := config.Load(filepath.Join(work, "cordon.yaml"), config.Overrides{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		a, err := app.New(t.Context(), cfg, specs, app.Options{Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			to := rig.Address((round*40 + n) % somePeople)
			if n%10 == 9 {
				to = fmt.Sprintf("stranger%d@elsewhere.test", round*40+n)
			}
			send(t, a, rig.Vendor, to)
			if n%8 == 0 {
				send(t, a, "acme-open", to)
			}
		}
		if round == 0 {
			if err := a.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := a.Desk().ChangeGate(local, "cut", rig.Vendor, api.GateRequest{Reason: "rehearsal"}); err != nil {
			t.Fatal(err)
		}
		send(t, a, "acme-open", rig.Address(1)) // behind the last signed head
		if !clean {
			copyAll(t, work, h.dir)
		}
		if err := a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if clean {
			copyAll(t, work, h.dir)
		}
	}
	// The upstream is gone by now: nothing is sent from a copy.
	h.cfg, h.specs = h.config(t, h.dir)
	whole := h.open(t, h.clone(t))
	if whole.refusal != nil {
		t.Fatalf("the undamaged copy: %v", whole.refusal)
	}
	if whole.found("problems") != "" || whole.found("scrub") != "" || len(whole.entries) < 150 {
		t.Fatalf("the undamaged copy: %d entries, %+v", len(whole.entries), whole.said)
	}
	h.scope, h.people, h.warnings = whole.scope, whole.people, whole.said["warnings"]
	// What was there before that start, which adds entries of its own.
	cfg, specs := h.config(t, h.clone(t))
	r, err := app.OpenReadOnly(t.Context(), cfg, specs, app.Options{Log: quiet, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h.entries, err = tail(r.Desk())
	if err != nil {
		t.Fatal(err)
	}
	h.size = r.Desk().Ledger.Status().Size
	return h
}

func tail(d *api.Desk) (lines []string, err error) {
	return lines, d.Tail(local, 1, 0, false, func(e api.Entry) error {
		var b bytes.Buffer
		if err := api.Encode(&b, e, false); err != nil {
			return err
		}
		lines = append(lines, b.String())
		return nil
	})
}

var (
	quiet = slog.New(slog.DiscardHandler)
	local = api.WithActor(context.Background(), api.LocalActor)
)

func send(t *testing.T, a *app.App, vendor, to string) {
	t.Helper()
	res, err := http.Post("http://"+a.Addresses().HTTP+"/"+vendor+"/v3/mail/send", "application/json", bytes.NewReader(rig.Mail(to)))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("sending answered %d", res.StatusCode)
	}
}

// config is the installation's, with all folders below dir.
func (h *house) config(t *testing.T, dir string) (*config.Config, []*vendor.Spec) {
	t.Helper()
	if h.cfg == nil {
		cfg, specs, problems := config.Load(filepath.Join(dir, "cordon.yaml"), config.Overrides{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		h.cfg, h.specs = cfg, specs
	}
	cfg := *h.cfg
	cfg.Data, cfg.Mirror, cfg.Failover = filepath.Join(dir, "data"), filepath.Join(dir, "mirror"), filepath.Join(dir, "wal2")
	cfg.Directory.File, cfg.Keys = h.directory, config.Keys{Dir: filepath.Join(dir, "keys")}
	return &cfg, h.specs
}

// clone copies what a start may change, and links what it never does.
func (h *house) clone(t *testing.T) string { return h.cloneOf(t, h.dir) }

func (h *house) cloneOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		case strings.HasSuffix(path, ".sst"), rel == "people.csv", strings.HasPrefix(rel, "data/people/"), strings.HasPrefix(rel, "backup/"):
			return os.Link(path, target)
		default:
			return copyFile(path, target)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// The options name the failover folder by its path.
	repoint(t, to)
	return to
}

// repoint has the store of a copy look for its failover folder in the copy.
func repoint(t *testing.T, dir string) {
	t.Helper()
	options, _ := filepath.Glob(filepath.Join(dir, "data", "store", "OPTIONS-*"))
	for _, path := range options {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "secondary_dir=") {
				line = "  secondary_dir=" + filepath.Join(dir, "wal2") + "\n"
			}
			out = append(out, line)
		}
		if err := os.WriteFile(path, []byte(strings.Join(out, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// copyAll copies a folder, also one that a store works in: when a file that a
// compaction replaced vanishes meanwhile, it begins again. What says how far the
// store reaches is copied before the store.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	for range 20 {
		var err error
		for _, first := range []string{"mirror", "data/heads", "data/gates", "data/people", "wal2", "."} {
			if _, gone := os.Stat(filepath.Join(from, first)); err == nil && gone == nil {
				if err = os.MkdirAll(filepath.Dir(filepath.Join(to, first)), 0o700); err != nil {
					break
				}
				err = copyTree(filepath.Join(from, first), filepath.Join(to, first))
			}
		}
		if err == nil {
			repoint(t, to)
			_ = os.Remove(filepath.Join(to, "data", "store", "reserve")) // 64 MiB of nothing
			return
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the folder changes all the time")
}

// files lists the regular files of data, mirror and the failover folder.
func (h *house) files(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"data", "mirror", "wal2"} {
		err := filepath.WalkDir(filepath.Join(h.dir, dir), func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				rel, _ := filepath.Rel(h.dir, p)
				files = append(files, rel)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return files
}

// opened is what a start on a folder made known.
type opened struct {
	refusal error               // New refused
	said    map[string][]string // warnings, gates, problems (of verify), scrub, failed (questions that were not answered)
	entries []string
	size    uint64
	scope   string
	people  []string
	open    []string // vendors whose gates are open
}

func (o *opened) found(where string) string { return strings.Join(o.said[where], "\n") }

// text is everything it said.
func (o *opened) text() string {
	var b strings.Builder
	if o.refusal != nil {
		b.WriteString(o.refusal.Error() + "\n")
		if n, ok := errors.AsType[interface {
			error
			Next() string
		}](o.refusal); ok {
			b.WriteString(n.Next() + "\n")
		}
	}
	for _, where := range []string{"warnings", "gates", "problems", "scrub", "failed"} {
		for _, line := range o.said[where] {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// open starts on dir as the server does, up to the listeners, asks everything
// that a person would ask, and stops.
func (h *house) open(t *testing.T, dir string) *opened {
	t.Helper()
	o := &opened{said: map[string][]string{}}
	say := func(where, format string, args ...any) {
		o.said[where] = append(o.said[where], strings.ReplaceAll(fmt.Sprintf(format, args...), dir+"/", ""))
	}
	cfg, specs := h.config(t, dir)
	a, err := app.New(context.Background(), cfg, specs, app.Options{Log: quiet})
	if err != nil {
		o.refusal = err
		return o
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = a.Stop(ctx) // what a damaged store says at the end was said before
	}()
	d := a.Desk()
	for _, g := range d.Gates.Reports() {
		say("gates", "%s", g.Problem)
	}
	status, err := d.Status(local)
	if err != nil {
		say("failed", "status: %v", err)
	}
	if status.IndexError != "" {
		say("failed", "index: %s", status.IndexError)
	}
	for _, w := range status.Ledger.Warnings {
		say("warnings", "%s", w)
	}
	for _, v := range status.Vendors {
		if v.Gate == "open" {
			o.open = append(o.open, v.Vendor)
		}
	}
	report, err := d.VerifyLedger(local, nil)
	if err != nil {
		say("failed", "verify: %v", err)
	}
	o.size = report.Size
	for _, p := range report.Problems {
		say("problems", "%s", p)
	}
	if o.entries, err = tail(d); err != nil {
		say("failed", "tail: %v", err)
	}
	for _, vendor := range []string{rig.Vendor, "acme-open"} {
		answer, err := d.Scope(local, api.ScopeQuery{Vendor: vendor})
		if err != nil {
			say("failed", "scope: %v", err)
			continue
		}
		o.scope += fmt.Sprintf("%s %d subjects %d messages %v %v %v\n", vendor, answer.Subjects, answer.Disclosures, answer.Categories, answer.Countries, answer.Cohorts)
	}
	for n := range somePeople {
		p, err := d.Subject(local, api.SubjectQuery{Identifier: rig.Address(n)})
		if err != nil {
			say("failed", "subject: %v", err)
			o.people = append(o.people, "?")
			continue
		}
		text := "nobody"
		if p.Subject != nil {
			text = *p.Subject
		}
		for _, v := range p.Vendors {
			text += fmt.Sprintf(" %s %d", v.Vendor, v.Disclosures)
		}
		o.people = append(o.people, text)
	}
	scrub, err := d.ScrubNow(local, nil)
	if err != nil {
		say("failed", "scrub: %v", err)
	}
	for _, d := range scrub.Damage {
		say("scrub", "%s: %s", d.File, d.Problem)
	}
	return o
}

// met says how a damage was met: "refused", "named by verify", "named by the
// scrub", "named when asked", "named at start", "harmless"; or silent, with
// what nobody was told.
func (h *house) met(o *opened) (met, silent string) {
	if o.refusal != nil {
		if _, ok := errors.AsType[interface {
			error
			Next() string
		}](o.refusal); !ok && !strings.Contains(o.refusal.Error(), "\n") { // those of the keys carry it on a second line
			return "refused", "a refusal without a next step: " + o.refusal.Error()
		}
		return "refused", ""
	}
	// Whatever was damaged, the vendor that was cut is cut.
	if slices.Contains(o.open, rig.Vendor) {
		return "", "the vendor that was cut is open"
	}
	switch {
	case len(o.said["problems"]) > 0:
		return "named by verify", ""
	case len(o.said["failed"]) > 0:
		return "named when asked", ""
	case len(o.said["scrub"]) > 0:
		return "named by the scrub", ""
	}
	switch {
	case o.size < h.size || len(o.entries) < len(h.entries):
		return "", fmt.Sprintf("%d entries of %d", o.size, h.size)
	case o.scope != h.scope:
		return "", "another scope:\n" + o.scope + "instead of\n" + h.scope
	}
	for i, e := range h.entries {
		if o.entries[i] != e {
			return "", fmt.Sprintf("another entry %d:\n%s\n%s", i, o.entries[i], e)
		}
	}
	for i, p := range h.people {
		if o.people[i] != p {
			return "", fmt.Sprintf("another answer about person %d:\n%s\n%s", i, o.people[i], p)
		}
	}
	if len(o.said["gates"]) > 0 {
		return "named at start", ""
	}
	for _, w := range o.said["warnings"] {
		if !slices.Contains(h.warnings, w) {
			return "named at start", ""
		}
	}
	return "harmless", ""
}
