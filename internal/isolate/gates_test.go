package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
)

func load(t testing.TB, dir string, vendors ...Known) *Gates {
	t.Helper()
	g, err := Load(dir, vendors)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

const send = "POST /send"

var acme = Known{Vendor: "acme", Routes: []string{send, "GET /stats"}}

func want(t *testing.T, g *Gate, route string, s State) {
	t.Helper()
	if got, _ := g.State(route); got != s {
		t.Errorf("gate of %q is %s, want %s", route, got, s)
	}
}

func TestFreshVendorIsOpenAndHasAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	g := load(t, dir, acme)
	want(t, g.Gate("acme"), "", Open)
	want(t, g.Gate("acme"), send, Open)
	st, err := os.Stat(gatePath(dir, "acme"))
	if err != nil || st.Size() != pageSize || st.Mode().Perm() != 0o600 {
		t.Errorf("gate file: %v, %v", st, err)
	}
	if r := g.Reports(); len(r) != 0 {
		t.Errorf("reports %v", r)
	}
}

func TestChangeSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	g, _ := Load(dir, []Known{acme})
	c, err := g.Gate("acme").Change(Cut, "")
	if err != nil || c.From != Open || c.To != Cut || c.Epoch != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	g.Close()
	want(t, load(t, dir, acme).Gate("acme"), "", Cut)
}

func TestRouteIsCutAloneAlsoOneThatNoManifestMaps(t *testing.T) {
	dir := t.TempDir()
	g, _ := Load(dir, []Known{acme})
	gate := g.Gate("acme")
	for _, route := range []string{send, "DELETE /*"} {
		if _, err := gate.Change(Held, route); err != nil {
			t.Fatal(err)
		}
		want(t, gate, route, Held)
	}
	want(t, gate, "", Open)
	want(t, gate, "GET /stats", Open)
	gate.Change(Cut, "")
	want(t, gate, send, Cut)
	gate.Change(Open, "")
	want(t, gate, send, Held) // opening the vendor does not open the route
	g.Close()
	want(t, load(t, dir, acme).Gate("acme"), "DELETE /*", Held)
}

func TestMissingFileDoesNotReopenWhatTheLedgerRemembersAsCut(t *testing.T) {
	dir := t.TempDir()
	k := acme
	k.Last = map[string]State{"": Cut, send: Held}
	g := load(t, dir, k)
	want(t, g.Gate("acme"), "", Cut)
	if r := g.Reports(); len(r) == 0 || r[0].InForce != Cut {
		t.Errorf("reports %v", r)
	}
	g.Gate("acme").Change(Open, "")
	want(t, g.Gate("acme"), send, Held)
}

func TestMoreClosedOfFileAndLedgerWinsAndIsReported(t *testing.T) {
	for _, c := range []struct{ file, ledger, want State }{{Cut, Open, Cut}, {Open, Cut, Cut}, {Held, Cut, Cut}, {Held, Open, Held}} {
		dir := t.TempDir()
		if _, err := WriteGate(dir, "acme", "", c.file); err != nil {
			t.Fatal(err)
		}
		k := acme
		k.Last = map[string]State{"": c.ledger}
		g := load(t, dir, k)
		want(t, g.Gate("acme"), "", c.want)
		if len(g.Reports()) != 1 {
			t.Errorf("file %s, ledger %s: reports %v", c.file, c.ledger, g.Reports())
		}
	}
}

// Every single flipped bit of a closed gate leaves it closed, every one of an
// open gate's used slots reads as cut, and the file is named.
func TestFlippedBitReadsAsCutAndIsNamed(t *testing.T) {
	for _, state := range []State{Open, Cut} {
		dir := t.TempDir()
		for _, route := range []string{send, ""} {
			if _, err := WriteGate(dir, "acme", route, state); err != nil {
				t.Fatal(err)
			}
		}
		path := gatePath(dir, "acme")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 3 * slotSize * 8 { // vendor, one route, one free slot
			broken := append([]byte(nil), whole...)
			broken[bit/8] ^= 1 << (bit % 8)
			os.WriteFile(path, broken, 0o600)
			g, err := Load(dir, []Known{{Vendor: "acme", Routes: []string{send}}})
			if err != nil {
				t.Fatalf("bit %d: %v", bit, err)
			}
			want(t, g.Gate("acme"), send, Cut)
			want(t, g.Gate("acme"), "", Cut)
			if r := g.Reports(); len(r) == 0 || !strings.Contains(r[0].Problem, path) {
				t.Fatalf("bit %d: reports %v", bit, r)
			}
			if len(g.Gate("acme").Status().Damage) == 0 {
				t.Fatalf("bit %d: no damage in the status", bit)
			}
			g.Close()
		}
	}
}

func TestDamageUnderARunningServerReadsAsCutUntilSomebodySetsIt(t *testing.T) {
	dir := t.TempDir()
	gate := load(t, dir, acme).Gate("acme")
	f, err := os.OpenFile(gatePath(dir, "acme"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteAt([]byte{0xFF}, 9)
	want(t, gate, "", Cut)
	want(t, gate, send, Cut)
	if _, err := gate.Change(Open, ""); err != nil {
		t.Fatal(err)
	}
	want(t, gate, send, Open)
}

func TestTruncatedFileReadsAsCutAndDoesNotKillTheProcess(t *testing.T) {
	dir := t.TempDir()
	gate := load(t, dir, acme).Gate("acme")
	if err := os.Truncate(gatePath(dir, "acme"), 0); err != nil {
		t.Fatal(err)
	}
	want(t, gate, send, Cut)
	if _, err := gate.Change(Cut, ""); err == nil {
		t.Error("a change of a truncated file succeeded")
	}
	g := load(t, dir, acme)
	want(t, g.Gate("acme"), "", Cut)
	if len(g.Reports()) == 0 {
		t.Error("nothing reported")
	}
	if _, err := os.Stat(gatePath(dir, "acme") + ".damaged"); err != nil {
		t.Error(err)
	}
}

func TestFileOfAnotherVendorIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	WriteGate(dir, "other", "", Open)
	os.Rename(gatePath(dir, "other"), gatePath(dir, "acme"))
	want(t, load(t, dir, acme).Gate("acme"), "", Cut)
}

func TestAnotherProcessIsSeenAtOnceAndItsCutSevers(t *testing.T) {
	dir := t.TempDir()
	gate := load(t, dir, acme).Gate("acme")
	ours, vendors := pair(t)
	conn, err := gate.Register(ours)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WriteGate(dir, "acme", "", Cut); err != nil { // its own map of the file, as in another process
		t.Fatal(err)
	}
	want(t, gate, send, Cut)
	var r *Refusal
	if n, err := conn.Write([]byte("x")); n != 0 || !errors.As(err, &r) {
		t.Errorf("wrote %d, %v", n, err)
	}
	vendors.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := vendors.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection was not severed: %v", err)
	}
}

func TestReplacedFileNeverOpensARunningGate(t *testing.T) {
	dir := t.TempDir()
	gate := load(t, dir, acme).Gate("acme")
	gate.Change(Cut, "")
	other := t.TempDir()
	WriteGate(other, "acme", "", Open)
	if err := os.Rename(gatePath(other, "acme"), gatePath(dir, "acme")); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		want(t, gate, "", Cut)
		if p, err := mapPage(dir, "acme"); err == nil {
			_, w, _ := p.load(0)
			s, _, _ := w.read(slotSeed("acme", vendorKey))
			p.close()
			if s == Cut {
				return // the file was brought in line
			}
		}
	}
	t.Error("the replaced file still says open")
}

func TestFullPageIsAnErrorAndChangesNothing(t *testing.T) {
	gate := load(t, t.TempDir(), Known{Vendor: "acme"}).Gate("acme")
	var err error
	for i := 0; i < slots && err == nil; i++ {
		_, err = gate.Change(Cut, "GET /"+strings.Repeat("x", i+1))
	}
	if err == nil {
		t.Fatal("more routes than slots")
	}
	want(t, gate, "", Open)
}

func TestVendorWithMoreRoutesThanSlots(t *testing.T) {
	dir := t.TempDir()
	big := Known{Vendor: "acme"}
	for i := range slots + kept {
		big.Routes = append(big.Routes, fmt.Sprintf("GET /%d", i))
	}
	first, last := big.Routes[0], big.Routes[len(big.Routes)-1]
	gates, err := Load(dir, []Known{big})
	if err != nil {
		t.Fatal(err)
	}
	gate := gates.Gate("acme")
	want(t, gate, first, Open)
	want(t, gate, last, Open)
	if _, err := gate.Change(Cut, last); err != nil {
		t.Fatal(err)
	}
	want(t, gate, last, Cut)
	want(t, gate, first, Open)
	gates.Close()
	again := load(t, dir, big).Gate("acme")
	want(t, again, last, Cut)
	want(t, again, first, Open)
	if _, err := again.Change(Cut, ""); err != nil {
		t.Fatal(err)
	}
	want(t, again, first, Cut)
}

func TestEveryVendorHasItsOwnGate(t *testing.T) {
	g := load(t, t.TempDir(), acme, Known{Vendor: "other"})
	g.Gate("acme").Change(Cut, "")
	want(t, g.Gate("other"), "", Open)
	if g.Gate("nobody") != nil {
		t.Error("a gate for a vendor that was not given")
	}
	if _, err := g.Add(Known{Vendor: exposure.VendorID("acme")}); err == nil {
		t.Error("two gates for one vendor")
	}
}

func TestEverySingleFlippedBitOfAWordIsNoticed(t *testing.T) {
	for _, seed := range []uint32{0, 1, slotSeed("acme", vendorKey), slotSeed("acme", routeKey(send))} {
		for _, epoch := range []uint32{0, 1, 77, 1<<32 - 1} {
			for _, s := range []State{Open, Held, Cut} {
				w := makeWord(seed, epoch, s)
				if got, e, ok := w.read(seed); !ok || got != s || e != epoch {
					t.Fatalf("%x reads as %s %d", w, got, e)
				}
				for bit := range 64 {
					if _, _, ok := (w ^ 1<<bit).read(seed); ok {
						t.Fatalf("bit %d of %x is not noticed", bit, w)
					}
				}
			}
		}
	}
}

func BenchmarkState(b *testing.B) {
	g, err := Load(b.TempDir(), []Known{acme})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	gate := g.Gate("acme")
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := gate.State(send); s != Open {
			b.Fatal(s)
		}
	}
}
