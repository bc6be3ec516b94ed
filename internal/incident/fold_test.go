package incident

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/ledger"
)

// Whatever happens, in whatever order: the cases are what the entries say. A
// fold that saw the first n entries, was written down nowhere, and goes on is
// the same as one that begins anew; an entry that comes twice changes nothing.
func TestCasesAreTheSameWhereverTheFoldBegan(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		p, k := &tape{}, &clock{noon}
		c := NewCases(p, k.now)
		vendors := []string{"acme-mail", "beta-pay"}
		users := []Approver{{Name: "ann", Role: "responder"}, {Name: "bob", Role: "counsel"}, {Name: "cy", Role: "responder", Since: 40}}
		ids := []string{"inc-1", "inc-2", "inc-3", "inc-9"}
		live := make([][]Case, 0, 80) // what was shown after each entry
		for range 80 {
			k.at = k.at.Add(time.Duration(r.IntN(30)) * time.Minute)
			v, id, u := vendors[r.IntN(2)], ids[r.IntN(4)], users[r.IntN(3)]
			route := []string{"", "POST /x"}[r.IntN(2)]
			step := Step{Name: RestoreStep(route), Content: []string{v, fmt.Sprint(r.IntN(2))}, Detail: "d"}
			switch r.IntN(11) { // refusals are part of it
			case 0:
				since := k.at.Add(-time.Hour)
				_, _ = c.Begin(t.Context(), u.Name, Opening{Vendor: exposureID(v), Since: &since, Again: r.IntN(3) == 0, Facts: map[string]string{"risk": "high"}})
			case 1:
				name := Times()[r.IntN(5)]
				_, _ = c.SetFacts(t.Context(), id, u.Name, map[string]string{name: k.at.Add(-time.Duration(r.IntN(5000)) * time.Minute).Format(time.RFC3339Nano)}, nil)
			case 2:
				_, _ = c.SetFacts(t.Context(), id, u.Name, map[string]string{"risk": Risks()[r.IntN(4)], "malicious": "true"}, &k.at)
			case 3:
				_, _ = c.Demand(t.Context(), u.Name, exposureID(v), step)
			case 4, 5:
				_, _ = c.Approve(t.Context(), id, step.Name, step.Digest(), u, nil)
			case 6:
				_, _, _, _ = c.BreakGlass(t.Context(), u.Name, exposureID(v), step)
			case 7:
				if r.IntN(3) == 0 {
					_, _ = c.Close(t.Context(), id, u.Name, "because", nil)
				} else {
					_, _ = c.Reopen(t.Context(), id, u.Name, "")
				}
			case 8:
				_, _ = p.Append(t.Context(), ledger.Event{Kind: ledger.EventGate, Vendor: exposureID(v), At: k.at, Actor: u.Name,
					Fields: map[string]any{"gate": []string{"cut", "open", "hold"}[r.IntN(3)], "route": route}})
			case 9:
				kind := []ledger.EventKind{ledger.EventFinding, ledger.EventFindingClosed, ledger.EventScope, ledger.EventAccessed, ledger.EventConfig}[r.IntN(5)]
				_, _ = p.Append(t.Context(), ledger.Event{Kind: kind, Vendor: exposureID(v), At: k.at, Actor: u.Name,
					Fields: map[string]any{"finding": fmt.Sprint("f-", r.IntN(3)), "incident": id, "scope": "s", "since": k.at.Format(time.RFC3339Nano)}})
			case 10:
				_, _ = c.Note(t.Context(), id, u.Name, "text")
			}
			live = append(live, c.List())
		}
		sameAfterRestart(t, c, p)
		// Prefixes: the fold of the first n entries is what was shown then.
		late := NewCases(&tape{}, k.now)
		shown := map[uint64][]Case{0: {}}
		for _, e := range p.entries {
			late.Fold(e)
			late.Fold(e)
			shown[e.Seq] = late.List()
		}
		last := uint64(0)
		if len(p.entries) > 0 {
			last = p.entries[len(p.entries)-1].Seq
		}
		if !slices.EqualFunc(shown[last], c.List(), func(a, b Case) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatalf("seed %d: folding one by one gives another list", seed)
		}
		for i, l := range live {
			found := false
			for _, s := range shown {
				found = found || reflect.DeepEqual(s, l) || len(s)+len(l) == 0
			}
			if !found {
				t.Fatalf("seed %d: after step %d something was shown that no prefix of the entries gives", seed, i)
			}
		}
	}
}

func TestCorrectedFactCountsAndTheOldOneStaysInTheTimeline(t *testing.T) {
	c, p, k := began(t, Opening{Facts: map[string]string{"aware": "2026-02-05T18:30:00-08:00"}})
	k.at = k.at.Add(time.Minute)
	if _, err := c.SetFacts(t.Context(), "inc-1", "bob", map[string]string{"aware": "2026-02-05T17:00:00-08:00", "risk": "high"}, nil); err != nil {
		t.Fatal(err)
	}
	k.at = k.at.Add(time.Minute)
	if _, err := c.SetFacts(t.Context(), "inc-1", "bob", map[string]string{"risk": ""}, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := c.Get("inc-1")
	if want := map[string]string{"aware": "2026-02-05T17:00:00-08:00"}; !reflect.DeepEqual(got.Facts, want) {
		t.Errorf("facts are %v", got.Facts)
	}
	list, err := c.Timeline("inc-1")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range list {
		line := m.At.Format("02 15:04 ") + m.What
		if m.Superseded {
			line += " (superseded)"
		}
		lines = append(lines, line)
	}
	want := []string{
		"06 01:00 aware: 2026-02-05T17:00:00-08:00",
		"06 02:30 aware: 2026-02-05T18:30:00-08:00 (superseded)",
		"06 12:00 opened about acme-mail",
		"06 12:01 risk: high (superseded)",
		"06 12:02 risk taken back",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("the timeline is\n%s", strings.Join(lines, "\n"))
	}
	if m := list[0]; !m.Recorded.Equal(noon.Add(time.Minute)) || !m.Discovered.Equal(m.At) {
		t.Errorf("aware: recorded %s, discovered %s", m.Recorded, m.Discovered)
	}
	sameAfterRestart(t, c, p)
}

func TestFactsAreCheckedAndTakeNoFreeText(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"aware", "2026-02-05T18:30:00-08:00", "2026-02-05T18:30:00-08:00"},
		{"aware", " 2026-02-05T18:30:00.5Z", "2026-02-05T18:30:00.5Z"},
		{"occurred", "null", ""},
		{"risk", "high", "high"},
		{"key_taken", "false", "false"},
		{"aware", "2026-02-05", "error"},
		{"aware", "yesterday", "error"},
		{"aware", "2026-02-06T12:06:00Z", "error"}, // not yet
		{"aware", "2026-02-06T12:04:00Z", "2026-02-06T12:04:00Z"},
		{"risk", "ada@photos.example", "error"},
		{"malicious", "yes", "error"},
		{"who", "ada", "error"},
		{"Aware", "2026-02-05T18:30:00Z", "error"},
	} {
		got, err := CheckFact(c.name, c.value, noon)
		if (err != nil) != (c.want == "error") || err == nil && got != c.want {
			t.Errorf("%s=%q: %q, %v", c.name, c.value, got, err)
		}
	}
}

// The cut comes before anybody opens an incident, and belongs to it.
func TestTimelineReachesBackToTheCutBeforeTheOpening(t *testing.T) {
	p, k := &tape{}, &clock{noon}
	c := NewCases(p, k.now)
	gate(t, p, noon.Add(-40*24*time.Hour), "cut", "") // another story, long over
	gate(t, p, noon.Add(-39*24*time.Hour), "open", "")
	gate(t, p, noon.Add(-3*time.Hour), "hold", "POST /x")
	gate(t, p, noon.Add(-2*time.Hour), "cut", "")
	for _, f := range []struct {
		id     string
		before time.Duration
		kind   ledger.EventKind
	}{
		{"f-over", 38 * 24 * time.Hour, ledger.EventFinding}, {"f-over", 37 * 24 * time.Hour, ledger.EventFindingClosed},
		{"f-open", 48 * time.Hour, ledger.EventFinding},
	} {
		if _, err := p.Append(t.Context(), ledger.Event{Kind: f.kind, Vendor: "acme-mail", At: noon.Add(-f.before), Fields: map[string]any{"finding": f.id, "kind": "drift"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Begin(t.Context(), "ann", Opening{Vendor: "acme-mail"}); err != nil {
		t.Fatal(err)
	}
	texts := func() string {
		list, err := c.Timeline("inc-1")
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, m := range list {
			s = append(s, m.What)
		}
		return strings.Join(s, "\n")
	}
	want := "finding f-open raised: drift  in  \ngate of POST /x set to hold\ngate set to cut\nopened about acme-mail"
	if got := texts(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// A fact reaches further back, and then what was over is part of it.
	if _, err := c.SetFacts(t.Context(), "inc-1", "ann", map[string]string{"occurred": noon.Add(-41 * 24 * time.Hour).Format(time.RFC3339)}, nil); err != nil {
		t.Fatal(err)
	}
	if got := texts(); !strings.Contains(got, "gate set to open") || !strings.Contains(got, "f-over closed") {
		t.Errorf("got\n%s", got)
	}
	// What happens after the closing is no part of it.
	if _, err := c.Close(t.Context(), "inc-1", "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	gate(t, p, noon.Add(time.Hour), "open", "")
	k1, _ := c.Get("inc-1")
	if last := p.entries[len(p.entries)-1].Seq; slices.Contains(k1.Entries, last) {
		t.Error("a gate after the closing is an entry of the case")
	}
	sameAfterRestart(t, c, p)
}

// The usual order: cut, look, restore, and only then open a case. Without a
// beginning it asks for all time, and so takes in what was ever declared.
func TestCaseWithoutABeginningTakesInTheMonthBeforeAndEveryDeclaration(t *testing.T) {
	for _, given := range []bool{false, true} {
		p, k := &tape{}, &clock{noon}
		c := NewCases(p, k.now)
		add := func(kind ledger.EventKind, before time.Duration, f map[string]any) uint64 {
			seq, err := p.Append(t.Context(), ledger.Event{Kind: kind, Vendor: "acme-mail", At: noon.Add(-before), Fields: f})
			if err != nil {
				t.Fatal(err)
			}
			return seq
		}
		const day = 24 * time.Hour
		old := []uint64{
			add(ledger.EventBackfill, 400*day, map[string]any{"what": "done", "people": 3}),
			add(ledger.EventAttest, 300*day, map[string]any{"sent_before": "a", "deleted_at": "b"}),
		}
		over := []uint64{
			add(ledger.EventGate, 50*day, map[string]any{"gate": "cut"}), add(ledger.EventGate, 49*day, map[string]any{"gate": "open"}),
			add(ledger.EventTokenEpoch, 31*day, nil),
		}
		recent := []uint64{
			add(ledger.EventFinding, 20*day, map[string]any{"finding": "f-1"}), add(ledger.EventFindingClosed, 19*day, map[string]any{"finding": "f-1"}),
			add(ledger.EventGate, 3*time.Hour, map[string]any{"gate": "cut"}), add(ledger.EventGate, time.Hour, map[string]any{"gate": "open"}),
		}
		o := Opening{Vendor: "acme-mail"}
		if given {
			since := noon.Add(-2 * time.Hour)
			o.Since = &since
		}
		got, err := c.Begin(t.Context(), "ann", o)
		if err != nil {
			t.Fatal(err)
		}
		opening := p.entries[len(p.entries)-1].Seq
		want := append(append(slices.Clone(old), recent...), opening)
		if given { // then nothing else counts but what the window has
			want = []uint64{recent[3], opening}
		}
		if !slices.Equal(got.Entries, want) {
			t.Errorf("with a beginning %t: entries %v, want %v; over is %v", given, got.Entries, want, over)
		}
		list, err := c.Timeline("inc-1")
		if err != nil {
			t.Fatal(err)
		}
		var shown []uint64
		for _, m := range list {
			shown = append(shown, m.Entry)
		}
		if !slices.Equal(shown, want) {
			t.Errorf("with a beginning %t: the timeline shows %v, the case %v", given, shown, want)
		}
		sameAfterRestart(t, c, p)
	}
}

func TestSecondIncidentOfAVendorIsAsked(t *testing.T) {
	c, _, _ := began(t, Opening{})
	if _, err := c.Begin(t.Context(), "ann", Opening{Vendor: "acme-mail"}); err == nil || !strings.Contains(err.Error(), "inc-1") {
		t.Errorf("opened twice: %v", err)
	}
	if k, err := c.Begin(t.Context(), "ann", Opening{Vendor: "acme-mail", Again: true}); err != nil || k.ID != "inc-2" {
		t.Errorf("%s, %v", k.ID, err)
	}
	if k, err := c.Begin(t.Context(), "ann", Opening{Vendor: "beta-pay"}); err != nil || k.ID != "inc-3" {
		t.Errorf("%s, %v", k.ID, err)
	}
	if _, err := c.Close(t.Context(), "inc-3", "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetFacts(t.Context(), "inc-3", "ann", map[string]string{"risk": "high"}, nil); err == nil {
		t.Error("a fact about a closed incident")
	}
	if _, err := c.Reopen(t.Context(), "inc-3", "ann", ""); err != nil {
		t.Fatal(err)
	}
	if open := c.OpenFor("beta-pay"); len(open) != 1 {
		t.Errorf("open: %v", open)
	}
}
