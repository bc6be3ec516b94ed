package scope

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// scene is a journal with coverage of "mail" since epoch and one message.
func scene() *journal {
	j := newJournal()
	j.append(Entry{Kind: CoverageStart, At: epoch, Vendor: "mail"})
	j.disclose(epoch.Add(time.Hour), ways[0], sent, Exposure{1, exposure.SetOf(exposure.Email)})
	return j
}

func ask(t *testing.T, j *journal, q Query) *Answer {
	t.Helper()
	q.Vendor = "mail"
	x := open(t, j, db(t), epoch.Add(10*time.Hour))
	a, err := x.Query(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNeverExposedIsClaimedOnlyWhenItIsProved(t *testing.T) {
	at := epoch.Add(2 * time.Hour)
	stop := Entry{Kind: CoverageStop, At: at, Vendor: "mail"}
	start := Entry{Kind: CoverageStart, At: at.Add(time.Minute), Vendor: "mail"}
	for name, c := range map[string]struct {
		add    []Entry
		q      Query
		proved bool
	}{
		"covered from the first message on":      {proved: true},
		"sent within the covered time":           {q: Query{Basis: SentWithin, Since: epoch}, proved: true},
		"sent since before coverage":             {q: Query{Basis: SentWithin, Since: epoch.Add(-time.Second)}},
		"held: the claim is about covered time":  {q: Query{Since: epoch.Add(-time.Hour)}, proved: true},
		"the window ends before coverage":        {q: Query{Until: epoch}},
		"a gap":                                  {add: []Entry{stop, start}},
		"a gap behind the window":                {add: []Entry{stop, start}, q: Query{Until: at.Add(-time.Second)}, proved: true},
		"a gap before the window":                {add: []Entry{stop, start}, q: Query{Basis: SentWithin, Since: at.Add(time.Hour)}, proved: true},
		"another vendor's gap":                   {add: []Entry{{Kind: CoverageStop, At: at, Vendor: "pay"}}, proved: true},
		"a gap of all":                           {add: []Entry{{Kind: CoverageStop, At: at}, {Kind: CoverageStart, At: at.Add(1)}}},
		"a gap that is still open":               {add: []Entry{stop}},
		"a crash":                                {add: []Entry{{Kind: Restarted, At: at}, {Kind: CoverageStart, At: at.Add(time.Second)}}},
		"an incomplete message":                  {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Incomplete: []exposure.Reason{exposure.IncompleteUTF8}}}},
		"an incomplete message behind":           {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Incomplete: []exposure.Reason{exposure.IncompleteUTF8}}}, q: Query{Until: at}, proved: true},
		"an incomplete message to another":       {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[3], Incomplete: []exposure.Reason{exposure.IncompleteUTF8}}}, proved: true},
		"an unmapped leaf":                       {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, exposure.SetOf(exposure.Unclassified)}}}}},
		"an unmapped leaf of nobody":             {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{0, exposure.SetOf(exposure.Unclassified)}}}}},
		"an unmapped leaf that was never sent":   {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, exposure.SetOf(exposure.Unclassified)}}}, {Kind: Settled, At: at, Of: 4, Result: NotSent}}, proved: true},
		"free text, which is always read":        {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, exposure.SetOf(exposure.Text)}}}}, proved: true},
		"a value that nobody could read":         {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, exposure.SetOf(exposure.Opaque)}}}}},
		"such a value, dropped, beside others":   {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, exposure.SetOf(exposure.Email)}}}}, proved: true},
		"such a value, masked":                   {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{1, inForm(exposure.Opaque, exposure.Masked)}}}}},
		"such a value of nobody":                 {add: []Entry{{Kind: Disclosed, At: at, Pathway: ways[0], Exposures: []Exposure{{0, exposure.SetOf(exposure.Opaque)}}}}},
		"coverage that another run only resumes": {add: []Entry{start}, proved: true},
	} {
		t.Run(name, func(t *testing.T) {
			j := scene()
			for _, e := range c.add {
				j.append(e)
			}
			a := ask(t, j, c.q)
			if (len(a.NeverExposed) > 0) != c.proved || (a.NeverExposedSince != nil) != c.proved || (len(a.NotProved) == 0) != c.proved {
				t.Fatalf("claims %d since %v; not proved because %q; gaps %v", len(a.NeverExposed), a.NeverExposedSince, a.NotProved, a.Gaps)
			}
			if !c.proved && !slices.Contains(a.NotObserved, "user.contact.phone_number") {
				t.Fatalf("what was merely not seen is not listed: %q", a.NotObserved)
			}
		})
	}
}

func TestNeverExposedLeavesOutWhatIsNear(t *testing.T) {
	j := scene()
	masked := exposure.Set{}
	masked.Add(exposure.Name, exposure.Masked)
	j.disclose(epoch.Add(time.Hour), ways[0], sent, Exposure{1, masked})
	a := ask(t, j, Query{Collects: []exposure.Category{exposure.MustCategory("user.device")}})
	never := func(key string) bool { return slices.Contains(a.NeverExposed, key) }
	observed := func(key string) bool { return !slices.Contains(a.NotObserved, key) }
	for _, key := range []string{"user.contact.email", "user.contact", "user.name", "user"} {
		if never(key) || !observed(key) {
			t.Errorf("%s left, at least in part", key)
		}
	}
	for _, key := range []string{"user.name.first", "user.device", "user.device.ip_address"} {
		if never(key) || observed(key) {
			t.Errorf("%s was not seen, and that is all one can say", key)
		}
	}
	for _, key := range []string{"user.contact.phone_number", "user.financial", "user.unique_id"} {
		if !never(key) || !observed(key) {
			t.Errorf("%s was never exposed", key)
		}
	}
	if !a.NeverExposedSince.Equal(epoch) || !a.CoveredSince.Equal(epoch) {
		t.Errorf("the claim begins at %v, coverage at %v", a.NeverExposedSince, a.CoveredSince)
	}
}

func TestNothingIsClaimedWhereCordonNeverStood(t *testing.T) {
	j := newJournal()
	j.append(Entry{Kind: CoverageStart, At: epoch, Vendor: "pay"})
	a := ask(t, j, Query{})
	if a.CoveredSince != nil || len(a.NeverExposed) > 0 || len(a.Gaps) > 0 {
		t.Fatalf("%+v", a)
	}
}

func TestCoverageReachesToTheLastSignOfLife(t *testing.T) {
	ms := func(n int) int64 { return epoch.Add(time.Duration(n) * time.Millisecond).UnixNano() }
	gap := func(from, to int, why string) Gap { return Gap{instant(ms(from)), instant(ms(to)), why} }
	event := func(kind EntryKind, at, alive int) coverageEvent {
		return coverageEvent{kind: kind, at: ms(at), alive: ms(alive), vendor: "mail"}
	}
	now := instant(ms(1000))
	for name, c := range map[string]struct {
		events []coverageEvent
		live   bool
		gaps   []Gap
	}{
		"running":            {[]coverageEvent{event(CoverageStart, 0, 0)}, true, nil},
		"stopped and begun":  {[]coverageEvent{event(CoverageStart, 0, 0), event(CoverageStop, 10, 9), event(CoverageStart, 20, 10)}, true, []Gap{gap(10, 20, whyStopped)}},
		"crashed and begun":  {[]coverageEvent{event(CoverageStart, 0, 0), event(Restarted, 20, 7), event(CoverageStart, 30, 20)}, true, []Gap{gap(7, 30, whyUnclean)}},
		"crashed twice":      {[]coverageEvent{event(CoverageStart, 0, 0), event(Restarted, 20, 7), event(Restarted, 25, 20), event(CoverageStart, 30, 25)}, true, []Gap{gap(7, 30, whyUnclean)}},
		"clock went back":    {[]coverageEvent{event(CoverageStart, 0, 0), event(CoverageStop, 50, 49), event(CoverageStart, 20, 50)}, true, []Gap{gap(20, 50, whyStopped)}},
		"stopped for good":   {[]coverageEvent{event(CoverageStart, 0, 0), event(CoverageStop, 10, 9)}, true, []Gap{gap(10, 1000, whyStopped)}},
		"no server, no stop": {[]coverageEvent{event(CoverageStart, 0, 0)}, false, []Gap{gap(40, 1000, whyUnclean)}},
	} {
		got := coverageOf(c.events, "mail", c.live, ms(40), now)
		if !slices.Equal(got.gaps, c.gaps) || !got.since.Equal(epoch) {
			t.Errorf("%s: since %v, gaps %v, want %v", name, got.since, got.gaps, c.gaps)
		}
	}
}

func inForm(c exposure.Category, f exposure.Form) (s exposure.Set) {
	s.Add(c, f)
	return s
}

func TestWhatIsDeclaredIsNotUnexposedAndBlocksNothing(t *testing.T) {
	said := func(set exposure.Set, since time.Time) *journal {
		j := scene()
		j.append(Entry{Kind: Disclosed, At: epoch.Add(2 * time.Hour), Declared: true, HeldSince: since,
			Pathway: exposure.Pathway{Vendor: "mail", Route: exposure.DeclaredRoute, Credential: "backfill:2"}, Exposures: []Exposure{{5, set}}})
		return j
	}
	phone := exposure.SetOf(exposure.Phone)
	for name, c := range map[string]struct {
		j     *journal
		q     Query
		claim bool // that no phone number was exposed
		any   bool // that anything was not
	}{
		"held since ever":             {said(phone, time.Time{}), Query{}, false, true},
		"held since within":           {said(phone, epoch.Add(time.Hour)), Query{}, false, true},
		"held only after the window":  {said(phone, epoch.Add(5*time.Hour)), Query{Until: epoch.Add(3 * time.Hour)}, true, true},
		"sent is not held":            {said(phone, time.Time{}), Query{Basis: SentWithin, Since: epoch}, true, true},
		"another category":            {said(exposure.SetOf(exposure.Name), time.Time{}), Query{}, true, true},
		"declared as nobody knows":    {said(exposure.SetOf(exposure.Unclassified), time.Time{}), Query{}, false, false},
		"declared in no clear form":   {said(inForm(exposure.Phone, exposure.Hashed), time.Time{}), Query{}, false, true},
		"by a route, nobody can tell": {said(phone, time.Time{}), Query{Route: "POST /send"}, true, true},
	} {
		a := ask(t, c.j, c.q)
		if got := slices.Contains(a.NeverExposed, "user.contact.phone_number"); got != c.claim || (len(a.NeverExposed) > 0) != c.any {
			t.Errorf("%s: claimed %v, %d categories; not proved because %q", name, got, len(a.NeverExposed), a.NotProved)
		}
		if len(a.Gaps) > 0 || !a.CoveredSince.Equal(epoch) {
			t.Errorf("%s: covered since %v, gaps %v", name, a.CoveredSince, a.Gaps)
		}
	}
}

func TestALetterProvesNothing(t *testing.T) {
	at := epoch.Add(2 * time.Hour)
	letter := Entry{Kind: Stated, At: at, Statement: Statement{Kind: Attestation, Vendor: "mail", SentBefore: at, DeletedAt: at}}
	q := Query{Since: epoch.Add(3 * time.Hour)}

	j := scene()
	j.disclose(epoch.Add(time.Hour), ways[0], sent, Exposure{2, exposure.SetOf(exposure.Phone)})
	j.append(letter)
	a := ask(t, j, q)
	if a.Subjects != 0 || len(a.Excluded) != 1 || a.Excluded[0].Subjects != 2 || a.Excluded[0].Reason != AttestedDeleted || !slices.Equal(a.Excluded[0].Entries, []uint64{6}) {
		t.Fatalf("%d subjects, excluded %+v", a.Subjects, a.Excluded)
	}
	if slices.Contains(a.NeverExposed, "user.contact.phone_number") || !slices.Contains(a.NeverExposed, "user.financial") {
		t.Errorf("claims %q", a.NeverExposed)
	}
	if slices.Contains(a.NotObserved, "user.financial") {
		t.Error("what is proved is also listed as not observed")
	}

	j = scene()
	j.append(Entry{Kind: Disclosed, At: epoch.Add(time.Hour), Pathway: ways[0], Incomplete: []exposure.Reason{exposure.IncompleteUTF8}})
	j.append(letter)
	if a := ask(t, j, q); len(a.NeverExposed) > 0 || a.IncompleteMessages != 0 {
		t.Errorf("a message that could not be read was deleted and proves %d categories", len(a.NeverExposed))
	}
}

func TestALetterIsTakenAtItsInstants(t *testing.T) {
	hour := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Hour) }
	letter := func(route string, before, at int) Entry {
		return Entry{Kind: Stated, At: hour(9), Statement: Statement{Kind: Attestation, Vendor: "mail", Route: route, SentBefore: hour(before), DeletedAt: hour(at)}}
	}
	declared := func(in uint64, since time.Time) Entry {
		return Entry{Kind: Disclosed, At: hour(9), Declared: true, HeldSince: since, Exposures: []Exposure{{7, exposure.SetOf(exposure.Name)}},
			Pathway: exposure.Pathway{Vendor: "mail", Route: exposure.DeclaredRoute, Credential: "backfill:" + strconv.FormatUint(in, 10)}}
	}
	// scene sends at one o'clock to person 1, by POST /send.
	for name, c := range map[string]struct {
		add              []Entry
		q                Query
		counted, outside uint64
	}{
		"at the deletion":                 {[]Entry{letter("", 2, 3)}, Query{Since: hour(3)}, 0, 1},
		"a nanosecond before it":          {[]Entry{letter("", 2, 3)}, Query{Since: hour(3).Add(-1)}, 1, 0},
		"without a beginning":             {[]Entry{letter("", 2, 3)}, Query{}, 1, 0},
		"sent at the instant":             {[]Entry{letter("", 1, 3)}, Query{Since: hour(4)}, 1, 0},
		"sent just before it":             {[]Entry{{Kind: Stated, At: hour(9), Statement: Statement{Kind: Attestation, Vendor: "mail", SentBefore: hour(1).Add(1), DeletedAt: hour(3)}}}, Query{Since: hour(4)}, 0, 1},
		"on the basis sent":               {[]Entry{letter("", 2, 3)}, Query{Since: epoch, Until: hour(9), Basis: SentWithin}, 1, 0},
		"of the same route":               {[]Entry{letter("POST /send", 2, 3)}, Query{Since: hour(4)}, 0, 1},
		"of another route":                {[]Entry{letter("POST /list", 2, 3)}, Query{Since: hour(4)}, 1, 0},
		"of another vendor":               {[]Entry{{Kind: Stated, Statement: Statement{Kind: Attestation, Vendor: "pay", SentBefore: hour(2), DeletedAt: hour(3)}}}, Query{Since: hour(4)}, 1, 0},
		"taken back":                      {[]Entry{letter("", 2, 3), {Kind: Stated, Statement: Statement{Kind: Attestation, Vendor: "mail", Withdraws: 4}}}, Query{Since: hour(4)}, 1, 0},
		"declared before the letter":      {[]Entry{declared(1, hour(0)), letter("", 2, 3)}, Query{Since: hour(4)}, 0, 2},
		"declared without an instant":     {[]Entry{declared(1, time.Time{}), letter("", 2, 3)}, Query{Since: hour(4)}, 1, 1},
		"declared after the letter":       {[]Entry{letter("", 2, 3), declared(5, hour(0))}, Query{Since: hour(4)}, 1, 1},
		"declared, a letter on one route": {[]Entry{declared(1, hour(0)), letter("POST /send", 2, 3)}, Query{Since: hour(4)}, 1, 1},
		"declared as held since later":    {[]Entry{declared(1, hour(2)), letter("", 2, 3)}, Query{Since: hour(4)}, 1, 1},
	} {
		j := scene()
		for _, e := range c.add {
			j.append(e)
		}
		a := ask(t, j, c.q)
		var outside uint64
		for _, x := range a.Excluded {
			outside += x.Subjects
		}
		if a.Subjects != c.counted || outside != c.outside {
			t.Errorf("%s: %d counted, %d excluded; want %d, %d", name, a.Subjects, outside, c.counted, c.outside)
		}
	}
}
