package scope

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
	"pgregory.net/rapid"

	"cordon/evidence"
	"cordon/internal/exposure"
)

var epoch = time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)

// pools from which random workloads are drawn: few enough that they meet.
var (
	ways = []exposure.Pathway{
		{Vendor: "mail", Route: "POST /send", App: "web"},
		{Vendor: "mail", Route: "POST /send", App: "batch", Credential: "file:a"},
		{Vendor: "mail", Route: "POST /list", App: "web", Credential: "file:b"},
		{Vendor: "pay", Route: "POST /charge", App: "web"},
	}
	ordinals = []exposure.Ordinal{1, 2, 3, 63, 64, 65, 1000, 65535, 65536, 65537, 200_000, 4_294_967_295}
)

func sets() []exposure.Set {
	masked := exposure.SetOf(exposure.Email)
	masked.Add(exposure.Name, exposure.Masked)
	hashed := exposure.SetOf(exposure.Email, exposure.Phone)
	hashed.Add(exposure.Name, exposure.Hashed)
	return []exposure.Set{{}, exposure.SetOf(exposure.Email), exposure.SetOf(exposure.Email, exposure.Name),
		exposure.SetOf(exposure.Phone), masked, hashed, exposure.SetOf(exposure.IPAddress, exposure.Unclassified)}
}

// world is one random history with the index that follows it.
type world struct {
	*journal
	t    *rapid.T
	db   *pebble.DB
	x    *Index
	now  time.Time
	open []uint64
}

func (w *world) start() {
	var err error
	w.x, err = Open(Options{DB: w.db, Source: w.journal, Now: func() time.Time { return w.now },
		FlushFacts: rapid.SampledFrom([]int{1, 7, 1_000_000}).Draw(w.t, "flush after")})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) instant(label string) time.Time {
	switch rapid.IntRange(0, 3).Draw(w.t, label) {
	case 0:
		return time.Time{}
	case 1: // exactly at an entry
		if len(w.entries) > 0 {
			return w.entries[rapid.IntRange(0, len(w.entries)-1).Draw(w.t, label+" entry")].At
		}
		return epoch
	default:
		return epoch.Add(time.Duration(rapid.IntRange(-300, 300).Draw(w.t, label+" minutes")) * 17 * time.Minute)
	}
}

func (w *world) query() Query {
	return Query{
		Vendor:     rapid.SampledFrom([]exposure.VendorID{"mail", "mail", "pay", "nobody"}).Draw(w.t, "vendor"),
		Route:      rapid.SampledFrom([]string{"", "", "POST /send", "POST /none"}).Draw(w.t, "route"),
		App:        rapid.SampledFrom([]string{"", "", "web"}).Draw(w.t, "app"),
		Credential: rapid.SampledFrom([]string{"", "", "file:a"}).Draw(w.t, "credential"),
		Since:      w.instant("since"), Until: w.instant("until"),
		Basis:    rapid.SampledFrom([]Basis{Held, SentWithin}).Draw(w.t, "basis"),
		Incident: rapid.SampledFrom([]string{"", "", "inc-1"}).Draw(w.t, "incident"),
		Grouped:  true,
	}
}

// declare says what a vendor held; in is the entry that began it.
func (w *world) declare(t *rapid.T) {
	in := rapid.IntRange(0, len(w.entries)).Draw(t, "begun by")
	e := Entry{Kind: Disclosed, At: w.now, Declared: true, Pathway: exposure.Pathway{
		Vendor: rapid.SampledFrom([]exposure.VendorID{"mail", "mail", "pay"}).Draw(t, "vendor"),
		Route:  exposure.DeclaredRoute, Credential: fmt.Sprintf("backfill:%09d", in)}}
	if rapid.Bool().Draw(t, "known since") {
		e.HeldSince = w.instant("held since")
	}
	for range rapid.IntRange(1, 4).Draw(t, "people") {
		e.Exposures = append(e.Exposures, Exposure{rapid.SampledFrom(ordinals).Draw(t, "who"), rapid.SampledFrom(sets()).Draw(t, "set")})
	}
	w.append(e)
}

// attest is a letter of a vendor, or takes an earlier one back.
func (w *world) attest(t *rapid.T) {
	s := Statement{Kind: Attestation, Vendor: rapid.SampledFrom([]exposure.VendorID{"mail", "mail", "pay"}).Draw(t, "vendor"),
		Route: rapid.SampledFrom([]string{"", "", "POST /send"}).Draw(t, "route"), SentBefore: w.instant("sent before"), DeletedAt: w.instant("deleted at")}
	for _, e := range w.entries {
		if e.Kind == Stated && e.Statement.Kind == Attestation && e.Statement.Vendor == s.Vendor && rapid.IntRange(0, 4).Draw(t, "withdraw") == 0 {
			s = Statement{Kind: Attestation, Vendor: s.Vendor, Withdraws: e.Seq}
		}
	}
	w.append(Entry{Kind: Stated, At: w.now, Statement: s})
}

// access hands in a list of whose data was accessed.
func (w *world) access(t *rapid.T) {
	people := rapid.SliceOfN(rapid.SampledFrom(ordinals), 1, 5).Draw(t, "people")
	bitmap := roaring.New()
	for _, o := range people {
		bitmap.Add(uint32(o))
	}
	digest, err := w.x.KeepAccessed(bitmap)
	if err != nil {
		t.Fatal(err)
	}
	w.lists[digest] = people
	w.append(Entry{Kind: Stated, At: w.now, Statement: Statement{Kind: AccessedBy, Vendor: "mail", Digest: digest,
		Incident: rapid.SampledFrom([]string{"inc-1", "inc-2"}).Draw(t, "incident")}})
}

// small makes what begins with many people begin with few, until the returned
// function is called.
func (w *world) small() func() {
	was := []int{sparse, worthIt, fewSets}
	sparse = rapid.SampledFrom([]int{1, 3, 4096}).Draw(w.t, "sparse")
	worthIt = rapid.SampledFrom([]int{0, 1, 2}).Draw(w.t, "worth it")
	fewSets = rapid.SampledFrom([]int{1, 2, 6}).Draw(w.t, "few sets")
	return func() { sparse, worthIt, fewSets = was[0], was[1], was[2] }
}

// rollUp makes all roll-ups that are due by now.
func (w *world) rollUp(t *rapid.T) {
	if err := w.x.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.x.mu.Lock()
	err := w.x.flush()
	w.x.mu.Unlock()
	for more := true; more && err == nil; {
		more, _, err = w.x.rollUp(true)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// crash ends the index without writing what is in memory.
func (w *world) crash() {
	w.x.stop()
	<-w.x.stopped
}

func TestScopeEqualsANaiveReplay(t *testing.T) {
	store := db(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := store.DeleteRange([]byte{0}, []byte{255}, nil); err != nil {
			t.Fatal(err)
		}
		w := &world{journal: newJournal(), t: t, db: store, now: epoch}
		defer w.small()()
		for i, o := range ordinals[:10] {
			if i%3 != 2 || i == 5 {
				w.people.enrol(o, []string{"DE", "US", ""}[i%3], []string{"", "CA"}[i%2], []string{"de", "en", ""}[i%3],
					dayOf(epoch)+day(i%4-2)*10)
			}
		}
		w.people.Directory[1] &^= 1 << (ordinals[5] % 64) // 65 left the directory and keeps attributes
		w.start()
		defer func() { w.x.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"disclose": func(t *rapid.T) {
				e := Entry{Kind: Disclosed, At: w.now, Pathway: rapid.SampledFrom(ways).Draw(t, "way")}
				for range rapid.IntRange(0, 4).Draw(t, "people") {
					who := rapid.SampledFrom(append([]exposure.Ordinal{exposure.Nobody}, ordinals...)).Draw(t, "who")
					e.Exposures = append(e.Exposures, Exposure{who, rapid.SampledFrom(sets()).Draw(t, "set")})
				}
				if rapid.IntRange(0, 5).Draw(t, "incomplete") == 0 {
					e.Incomplete = []exposure.Reason{exposure.IncompleteDepth, exposure.IncompleteUTF8}[:rapid.IntRange(1, 2).Draw(t, "reasons")]
				}
				w.open = append(w.open, w.append(e))
			},
			"settle": func(t *rapid.T) {
				if len(w.open) == 0 {
					t.Skip("nothing is open")
				}
				i := rapid.IntRange(0, len(w.open)-1).Draw(t, "which")
				w.append(Entry{Kind: Settled, At: w.now, Of: w.open[i], Result: rapid.SampledFrom([]Result{Sent, Sent, NotSent, Unknown}).Draw(t, "result")})
				if rapid.Bool().Draw(t, "only once") { // a second outcome must change nothing
					w.open = slices.Delete(w.open, i, i+1)
				}
			},
			"declare":  w.declare,
			"attest":   w.attest,
			"accessed": w.access,
			"event":    func(t *rapid.T) { w.append(Entry{Kind: Other, At: w.now}) },
			"time":     func(t *rapid.T) { w.now = w.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "m")) * time.Minute) },
			"clock jumps": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-90, 30).Draw(t, "h")) * time.Hour)
			},
			"weeks pass": func(t *rapid.T) {
				w.now = w.now.AddDate(0, 0, rapid.IntRange(5, 40).Draw(t, "days"))
				w.append(Entry{Kind: Other, At: w.now})
			},
			"expire": func(t *rapid.T) {
				if len(w.entries) == 0 {
					t.Skip("nothing was recorded")
				}
				e := w.entries[rapid.IntRange(0, len(w.entries)-1).Draw(t, "of the day of")]
				d, _ := sliceOf(e.instant())
				if _, err := w.x.Seal(context.Background(), time.Unix(int64(d)*86400, 0)); err == nil {
					w.expire(d)
					w.append(Entry{Kind: Other, At: w.now}) // an expiry is an entry, and that one stays
				}
			},
			"roll up": func(t *rapid.T) { w.rollUp(t) },
			"restart": func(t *rapid.T) {
				if err := w.x.Close(); err != nil {
					t.Fatal(err)
				}
				w.start()
			},
			"crash": func(t *rapid.T) { w.crash(); w.start() },
			"rebuild": func(t *rapid.T) {
				if err := w.x.Rebuild(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
			},
			"scope": func(t *rapid.T) {
				w.t = t
				q := w.query()
				a, err := w.x.Query(context.Background(), q)
				if err != nil {
					t.Fatal(err)
				}
				if a.Entries != w.Size() {
					t.Fatalf("answers up to entry %d of %d", a.Entries, w.Size())
				}
				if len(a.Rounded) > 0 {
					return // people are known, the instants no more
				}
				n := w.naive(q, w.now)
				if err := n.same(a); err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				w.checkExport(t, q, n, a)
			},
			"freeze": func(t *rapid.T) {
				if w.sealed() {
					t.Skip("something expired")
				}
				w.t = t
				w.checkFreeze(t, w.query())
			},
			"attribute": func(t *rapid.T) {
				w.checkAttribution(t, rapid.SliceOfN(rapid.SampledFrom(ordinals), 1, 5).Draw(t, "list"))
			},
			"subject": func(t *rapid.T) { w.checkSubject(t, rapid.SampledFrom(ordinals).Draw(t, "who")) },
		})
		w.checkIndex(t)
	})
}

func (w *world) checkExport(t *rapid.T, q Query, n *naive, a *Answer) {
	var out bytes.Buffer
	count, err := w.x.Export(context.Background(), q, &out, func(o exposure.Ordinal) (string, bool, error) {
		return fmt.Sprint("id-", o), true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || !slices.Equal(rows[0], ExportHeader) || uint64(len(rows)-1) != count || count != a.Subjects {
		t.Fatalf("exported %d of %d: %v, %v", count, a.Subjects, rows, err)
	}
	var got []string
	for _, r := range rows[1:] {
		set := strings.Fields(r[2] + " " + r[3])
		slices.Sort(set)
		got = append(got, fmt.Sprint(r[0], "|", strings.Join(set, " "), "|", r[4], "|", r[5]))
		if !slices.ContainsFunc(a.Cohorts, func(c Cohort) bool { return c.ID == r[1] }) {
			t.Fatalf("cohort %q is not in the answer", r[1])
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, n.exported) {
		t.Fatalf("exported %q, want %q", got, n.exported)
	}
}

// checkFreeze freezes an answer and finds it again, the people too.
func (w *world) checkFreeze(t *rapid.T, q Query) {
	q.Grouped = false
	incident := q.Incident
	id, err := w.x.NextScope()
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.x.Freeze(context.Background(), q, id, incident)
	if err != nil {
		t.Fatal(err)
	}
	n := w.naive(q, w.now)
	digest, err := s.Digest()
	if err != nil {
		t.Fatal(err)
	}
	w.append(Entry{Kind: Stated, At: w.now, Statement: Statement{Kind: FrozenScope, Vendor: q.Vendor, ID: id, Digest: digest}})
	again, err := w.x.Frozen(id)
	if err != nil {
		t.Fatal(err)
	}
	var a Answer
	if err := json.Unmarshal(again.Answer, &a); err != nil {
		t.Fatal(err)
	}
	all := roaring.New()
	count := func(b evidence.ScopeBitmap) *roaring.Bitmap {
		people, err := w.x.FrozenPeople(id, b.SHA256)
		if err != nil || people.GetCardinality() != b.Subjects {
			t.Fatalf("%d people of %d, %v", people.GetCardinality(), b.Subjects, err)
		}
		return people
	}
	for i, c := range again.Cohorts {
		if c.ID != a.Cohorts[i].ID || c.Subjects != a.Cohorts[i].Subjects {
			t.Fatalf("cohort %d is %s with %d, in the answer %s with %d", i, c.ID, c.Subjects, a.Cohorts[i].ID, a.Cohorts[i].Subjects)
		}
		people := count(c.ScopeBitmap)
		for _, o := range people.ToArray() {
			if want := text(n.people[exposure.Ordinal(o)]); want != shownText(c.Categories, c.Protected) {
				t.Fatalf("%d is in the cohort %q and was exposed in %q", o, shownText(c.Categories, c.Protected), want)
			}
		}
		if all.Intersects(people) {
			t.Fatal("somebody is in two cohorts")
		}
		all.Or(people)
	}
	if all.GetCardinality() != n.subjects || a.Subjects != n.subjects || count(again.Certain).GetCardinality() != n.certain || count(again.Excluded).GetCardinality() != n.excluded {
		t.Fatalf("froze %d people, %d certain, %d excluded; want %d, %d, %d", all.GetCardinality(), again.Certain.Subjects, again.Excluded.Subjects, n.subjects, n.certain, n.excluded)
	}
	if !roaring.AndNot(count(again.Certain), all).IsEmpty() || count(again.Excluded).Intersects(all) {
		t.Fatal("certain is no part of the cohorts, or excluded is")
	}
}

func (w *world) checkAttribution(t *rapid.T, people []exposure.Ordinal) {
	list := roaring.New()
	for _, o := range people {
		list.Add(uint32(o))
	}
	got, err := w.x.Attribute(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[uint64]bool{}
	for _, e := range slices.Backward(w.entries) {
		if e.Kind == Settled {
			failed[e.Of] = e.Result == NotSent // going back, the first one stands
		}
	}
	reached := map[exposure.VendorID]map[exposure.Ordinal]bool{}
	for _, e := range w.entries {
		for _, x := range e.Exposures {
			if !failed[e.Seq] && !x.Set.Empty() && x.Ordinal != exposure.Nobody && list.Contains(uint32(x.Ordinal)) {
				if reached[e.Pathway.Vendor] == nil {
					reached[e.Pathway.Vendor] = map[exposure.Ordinal]bool{}
				}
				reached[e.Pathway.Vendor][x.Ordinal] = true
			}
		}
	}
	if len(got) != len(reached) {
		t.Fatalf("%+v instead of %v", got, reached)
	}
	for _, a := range got {
		if a.Subjects != uint64(len(reached[a.Vendor])) {
			t.Fatalf("%+v instead of %v", got, reached)
		}
	}
}

func (w *world) checkSubject(t *rapid.T, who exposure.Ordinal) {
	got, err := w.x.Subject(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	outcome := map[uint64]Result{}
	for _, e := range w.entries {
		if _, again := outcome[e.Of]; e.Kind == Settled && !again {
			outcome[e.Of] = e.Result
		}
	}
	want, union, said := map[exposure.VendorID]PersonVendor{}, map[exposure.VendorID]exposure.Set{}, map[exposure.VendorID]exposure.Set{}
	for _, e := range w.entries {
		if r, ok := outcome[e.Seq]; e.Kind != Disclosed || !e.Declared && ok && r == NotSent {
			continue
		}
		var set exposure.Set
		for _, x := range e.Exposures {
			if x.Ordinal == who {
				set = set.Union(x.Set)
			}
		}
		if set.Empty() {
			continue
		}
		name := e.Pathway.Vendor
		v, seen := want[name]
		v.Vendor = name
		at := e.At
		if e.Declared {
			if at = e.HeldSince; at.IsZero() {
				at = time.Unix(0, math.MinInt64)
			}
			if v.Declared == nil {
				v.Declared = &PersonDeclared{HeldSince: at}
			}
			if at.Before(v.Declared.HeldSince) {
				v.Declared.HeldSince = at
			}
			var in uint64
			fmt.Sscanf(e.Pathway.Credential, "backfill:%d", &in)
			if !slices.Contains(v.Declared.Entries, in) {
				v.Declared.Entries = append(v.Declared.Entries, in)
			}
			slices.Sort(v.Declared.Entries)
			said[name] = said[name].Union(set)
		} else {
			if v.Disclosures == 0 || at.Before(v.First) {
				v.First = at
			}
			if v.Disclosures == 0 || at.After(v.Last) {
				v.Last = at
			}
			v.Disclosures++
		}
		union[name] = union[name].Union(set)
		v.MayHold = v.MayHold || seen && v.MayHold || !w.gone(&e, Query{Vendor: name, Since: w.now})
		want[name] = v
	}
	var vendors []PersonVendor
	for _, v := range slices.Sorted(maps.Keys(want)) {
		p := want[v]
		p.Categories, p.Protected = shown(union[v])
		p.Attestations = []Attested{}
		for _, e := range w.entries {
			if s := e.Statement; e.Kind == Stated && s.Kind == Attestation && s.Vendor == v && s.Withdraws == 0 {
				p.Attestations = append(p.Attestations, Attested{Entry: e.Seq, At: e.At, Route: s.Route, SentBefore: s.SentBefore, DeletedAt: s.DeletedAt,
					Withdrawn: s.SentBefore.IsZero() || s.DeletedAt.IsZero() || w.withdrawn(e.Seq)})
			}
		}
		if d := p.Declared; d != nil {
			d.Categories, d.Protected = shown(said[v])
			if d.HeldSince.Equal(time.Unix(0, math.MinInt64)) {
				d.HeldSince = time.Time{}
			}
		}
		vendors = append(vendors, p)
	}
	asJSON := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if len(vendors) == 0 {
		vendors = []PersonVendor{}
	}
	if w.sealed() { // instants are known to the half hour
		for _, p := range []*[]PersonVendor{&vendors, &got.Vendors} {
			for i := range *p {
				v := &(*p)[i]
				v.First, v.Last = time.Time{}, time.Time{}
				if v.Declared != nil {
					v.Declared.HeldSince = time.Time{}
				}
				v.MayHold = false
			}
		}
	}
	for i := range got.Vendors { // of coverage claims_test.go
		got.Vendors[i].CoveredSince, got.Vendors[i].Gaps = nil, nil
	}
	if want, have := asJSON(vendors), asJSON(got.Vendors); want != have {
		t.Fatalf("subject %d:\nwant %s\ngot  %s", who, want, have)
	}
}

// checkIndex compares what is stored with an index built from the journal alone.
func (w *world) checkIndex(t *rapid.T) {
	if err := w.x.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.x.mu.Lock()
	err := w.x.flush()
	w.x.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	second, err := pebble.Open("second", memory())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := copySealed(w.db, second); err != nil {
		t.Fatal(err)
	}
	y, err := Open(Options{DB: second, Source: w.journal, FlushFacts: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := y.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := y.Close(); err != nil {
		t.Fatal(err)
	}
	// Roll-ups go on in the background: the comparison wants one instant.
	mine := w.db.NewSnapshot()
	defer mine.Close()
	problems, err := compare(context.Background(), mine, second)
	if err == nil {
		var broken []string
		broken, err = checkSeals(w.db, len(w.x.names.vendors))
		problems = append(problems, broken...)
	}
	if err != nil || len(problems) > 0 {
		t.Fatalf("the index differs from one built anew: %q, %v", problems, err)
	}
}

// sealed reports whether there is a day of which instants are known to the half
// hour only.
func (w *world) sealed() bool {
	w.x.mu.Lock()
	defer w.x.mu.Unlock()
	return len(w.x.sealed) > 0
}
