package classify

import (
	"encoding/json"
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// directory is a Known for tests: people by one identifier.
type directory struct {
	seed   maphash.Seed
	people map[exposure.Identifier][]Needle
}

func (d *directory) Hash(words string) uint64 { return maphash.String(d.seed, words) }

func (d *directory) Knows(id exposure.Identifier) bool { _, ok := d.people[id]; return ok }

func (d *directory) Needles(ids []exposure.Identifier, dst []Needle) []Needle {
	for _, id := range ids {
		dst = append(dst, d.people[id]...)
	}
	return dst
}

func (d *directory) add(t testing.TB, email string, values map[exposure.Category]string) {
	t.Helper()
	id, err := exposure.Canonical(exposure.KindEmail, email)
	if err != nil {
		t.Fatal(err)
	}
	needles := []Needle{}
	for c, v := range values {
		needles = append(needles, NeedlesOf(c, v, d.Hash)...)
	}
	d.people[id] = needles
}

func people(t testing.TB) *directory {
	d := &directory{maphash.MakeSeed(), map[exposure.Identifier][]Needle{}}
	d.add(t, "ada@example.org", map[exposure.Category]string{
		exposure.Name: "Ada King Lovelace", exposure.Phone: "+44 20 7183 8750", exposure.Street: "12 St. James's Square",
		exposure.PostalCode: "SW1Y 4JH", exposure.City: "London", exposure.BirthDate: "1985-12-10", exposure.Username: "countess_ada",
	})
	d.add(t, "may@example.org", map[exposure.Category]string{exposure.FirstName: "May", exposure.LastName: "Baker", exposure.City: "Berlin", exposure.Street: "Hauptstraße 5a"})
	d.add(t, "juergen@example.org", map[exposure.Category]string{exposure.Name: "Jürgen Großmann", exposure.Address: "Lange Straße 7, 10117 Berlin"})
	d.add(t, "anna@example.org", map[exposure.Category]string{exposure.Name: "Anna Nowak"})
	d.add(t, "anna2@example.org", map[exposure.Category]string{exposure.Name: "Anna Schmidt"})
	d.add(t, "wang@example.org", map[exposure.Category]string{exposure.Name: "王小明"})
	return d
}

// sought searches one note about these people, and says what was found in it:
// "user.name=Ada Lovelace".
func sought(t testing.TB, text string, to ...string) string {
	t.Helper()
	var b strings.Builder
	for i, email := range to {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"email":"` + email + `"}`)
	}
	f := read(t, notes, message("/notes", "application/json", `{"to":[`+b.String()+`],"text":`+string(appendEscaped([]byte{'"'}, text))+`"}`))
	f.Search(people(t))
	var found []string
	for p := range f.People() {
		for _, i := range f.People()[p].Fields {
			at := &f.Fields()[i]
			if _, ok := at.Derived(); !ok {
				continue
			}
			who := "nobody"
			if ids := f.People()[p].Identifiers; len(ids) > 0 {
				who, _, _ = strings.Cut(ids[0].Value, "@")
			}
			found = append(found, strings.TrimPrefix(at.Category.Key(), "user.")+"="+at.Value()+" of "+who)
		}
	}
	return strings.Join(found, "; ")
}

func TestKnownValuesOfThePeopleOfAMessage(t *testing.T) {
	const ada, may, anna, anna2, juergen = "ada@example.org", "may@example.org", "anna@example.org", "anna2@example.org", "juergen@example.org"
	for _, c := range []struct {
		text string
		to   []string
		want string
	}{
		{"Dear Ada Lovelace, welcome.", []string{ada}, "name=Ada Lovelace of ada"},
		{"LOVELACE, Ada", []string{ada}, "name=LOVELACE, Ada of ada"},
		{"Ada K. Lovelace wrote", []string{ada}, "name=Ada K. Lovelace of ada"},
		{"ADA KING LOVELACE", []string{ada}, "name=ADA KING LOVELACE of ada"},
		{"Hi Ada!", []string{ada}, "name.first=Ada of ada"},
		{"Mrs Lovelace called", []string{ada}, "name.last=Lovelace of ada"},
		{"the king of adages", []string{ada}, ""},
		{"In May the baker opens.", []string{may}, ""},
		{"Dear May Baker", []string{may}, "name=May Baker of may"},
		{"Baker, May", []string{may}, "name=Baker, May of may"},
		{"nothing of hers", []string{ada}, ""},
		{"Dear Ada Lovelace", []string{may}, ""},
		{"Ring 020 7183 8750 or (0044) 20-7183-8750.", []string{ada}, "contact.phone_number=020 7183 8750 of ada; contact.phone_number=(0044) 20-7183-8750 of ada"},
		{"ref 7183-8751", []string{ada}, ""},
		{"to 12 St James's Square, London", []string{ada}, "contact.address.street=12 St James's Square of ada; contact.address.city=London of ada"},
		{"London is lovely", []string{ada}, ""},
		{"London SW1Y 4JH", []string{ada}, "contact.address.city=London of ada; contact.address.postal_code=SW1Y 4JH of ada"},
		{"Hauptstr. 5a in Berlin", []string{may}, "contact.address.street=Hauptstr. 5a of may; contact.address.city=Berlin of may"},
		{"5a Hauptstrasse", []string{may}, "contact.address.street=5a Hauptstrasse of may"},
		{"born 10.12.1985", []string{ada}, "demographic.date_of_birth=10.12.1985 of ada"},
		{"born December 10, 1985", []string{ada}, "demographic.date_of_birth=December 10, 1985 of ada"},
		{"née le 10 décembre 1985", []string{ada}, "demographic.date_of_birth=10 décembre 1985 of ada"},
		{"on 1985-12-11", []string{ada}, ""},
		{"@countess_ada posted", []string{ada}, "account.username=countess_ada of ada"},
		{"Herr GROSSMANN, Juergen Großmann", []string{juergen}, "name=GROSSMANN, Juergen Großmann of juergen"},
		{"Lange Str. 7, 10117 Berlin", []string{juergen}, "contact.address.street=Lange Str. 7 of juergen; contact.address.postal_code=10117 of juergen; contact.address.city=Berlin of juergen"},
		{"<p>Dear <b>Ada</b>\n<i>Lovelace</i></p><img alt=\"Ada Lovelace\">", []string{ada}, "name=Ada</b>\n<i>Lovelace of ada"},
		{"您好王小明先生", []string{"wang@example.org"}, "name=王小明 of wang"},
		{"Anna is here", []string{anna, anna2}, ""},
		{"Anna Nowak is here", []string{anna, anna2}, "name=Anna Nowak of anna"},
		{"Nowak and Schmidt", []string{anna, anna2}, "name.last=Nowak of anna; name.last=Schmidt of anna2"},
	} {
		if got := sought(t, c.text, c.to...); got != c.want && !(c.text == "Anna is here" && got == "name.first=Anna of nobody") {
			t.Errorf("%q to %v:\n got %s\nwant %s", c.text, c.to, got, c.want)
		}
	}
}

// In a mail to one person there is another person's first name; only a full
// name says who is meant.
func TestAFirstNameInAnothersTextIsNotTheirs(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json",
		`{"to":[{"email":"anna@example.org"},{"email":"ada@example.org","note":"Anna says hi"},{"email":"may@example.org","note":"from Anna Nowak, with the address ada@example.org"}]}`))
	f.Search(people(t))
	expect(t, f, `email=anna@example.org: user.contact.email to[0].email="anna@example.org" user.name to[2].note="Anna Nowak"
	email=ada@example.org: user.contact.email to[1].email="ada@example.org" user.content.private to[1].note="Anna says hi" user.contact.email to[2].note="ada@example.org"
	email=may@example.org: user.contact.email to[2].email="may@example.org" user.content.private to[2].note="from Anna Nowak, with the address ada@example.org"`)
}

func TestAStrangerWhomTheDirectoryKnowsIsAPerson(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json", `{"to":[{"email":"may@example.org"}],"text":"ask ada@example.org or nobody@example.net, says Lovelace"}`))
	f.Search(people(t))
	expect(t, f, `email=may@example.org: user.contact.email to[0].email="may@example.org" user.content.private text="ask ada@example.org or nobody@example.net, says Lovelace"
	email=ada@example.org: user.contact.email text="ada@example.org"
	: user.contact.email text="nobody@example.net"`)
}

func TestSearchOfNothingChangesNothing(t *testing.T) {
	m := message("/notes", "application/json", `{"to":[{"email":"ada@example.org"}],"text":"Ada 4111111111111111","x":"1"}`)
	f, again := read(t, notes, m), read(t, notes, m)
	f.Search(nil)
	f.Search(&directory{maphash.MakeSeed(), nil})
	if show(f) != show(again) {
		t.Errorf("found\n%s\nwant\n%s", show(f), show(again))
	}
}

func TestAKnownValueInTheTextIsReplacedThere(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json", `{"to":[{"email":"ada@example.org"}],"text":"Dear\n\"Ada Lovelace\", 4111111111111111"}`))
	f.Search(people(t))
	var edits []Edit
	for i := range f.Fields() {
		if _, ok := f.Fields()[i].Derived(); ok {
			edits = append(edits, Edit{Field: i, Value: "***"})
		}
	}
	if out, err := f.Rewrite(edits); err != nil || string(out.Body) != `{"to":[{"email":"ada@example.org"}],"text":"Dear\n\"***\", ***"}` {
		t.Errorf("rewritten to %s, %v", out.Body, err)
	}
}

// Twice the people cost about twice the time; the square of them would be four
// times. Each is the best of some runs, so that a busy machine does not matter.
func TestSearchOfManyPeopleIsLinear(t *testing.T) {
	once, twice := searchOf(t, 1500), searchOf(t, 3000)
	if twice > 3*once {
		t.Errorf("1500 people take %v, 3000 take %v", once, twice)
	}
}

func searchOf(t *testing.T, n int) time.Duration {
	d := people(t)
	var to strings.Builder
	for i := range n {
		email := "p" + strings.Repeat("x", i%40) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + "@example.org"
		d.add(t, email, map[exposure.Category]string{exposure.Name: "Anna Nowak", exposure.City: "Warszawa"})
		to.WriteString(`{"email":"` + email + `","note":"Anna Anna Nowak, Anna"},`)
	}
	body := `{"to":[` + strings.TrimSuffix(to.String(), ",") + `],"text":"` + strings.Repeat("Anna Nowak ", 2000) + `"}`
	best := time.Hour
	for range 5 {
		f := read(t, notes, message("/notes", "application/json", body))
		start := time.Now()
		f.Search(d)
		best = min(best, time.Since(start))
	}
	return best
}

// Whatever a text holds, what is found in it lies in it, and taking it out
// leaves the rest.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"Dear Ada Lovelace, 12 St James's Square, London SW1Y 4JH", "020 7183 8750 10.12.1985 <b>Ada</b>", "您好王小明先生 Ada K. Lovelace", "12 12 12 1985 12 10", "<<a Ada <"} {
		f.Add(seed)
	}
	d := people(f)
	s := spec(f, notes)
	c := classifier(f, s)
	f.Fuzz(func(t *testing.T, text string) {
		body := `{"to":[{"email":"ada@example.org"},{"email":"wang@example.org"}],"text":` + string(appendEscaped([]byte{'"'}, text)) + `","x":1}`
		m := message("/notes", "application/json", body)
		found := c.Classify(s.Match("POST", "/notes"), m)
		found.Search(d)
		var edits []Edit
		for i := range found.Fields() {
			at := &found.Fields()[i]
			host, ok := at.Derived()
			if !ok {
				continue
			}
			if !strings.Contains(found.Fields()[host].Value(), at.Value()) || at.Value() == "" {
				t.Fatalf("%q is not in %q", at.Value(), found.Fields()[host].Value())
			}
			edits = append(edits, Edit{Field: i, Value: "x"})
		}
		out, err := found.Rewrite(edits)
		if err != nil || !json.Valid(out.Body) {
			t.Fatalf("%q became %q, %v", body, out.Body, err)
		}
		if out, err = found.Rewrite(keepAll(&found)); err != nil || string(out.Body) != body {
			t.Fatalf("%q became %q, %v", body, out.Body, err)
		}
	})
}

// Words that join names, and particles, make no name of what stands around.
func TestWordsAroundNamesAreNoNames(t *testing.T) {
	d := people(t)
	for text, want := range map[string]string{
		"Le tour de la ville avec Claire et Marie.": "user.name=Claire user.name.first=Marie",
		"Für Marie-Claire de la Tour":               "user.name=Marie-Claire de la Tour",
		"Mme de la Tour et Marie Tour":              "user.name=la Tour user.name=Marie Tour",
		"Til Claire  Tour,\nog Marie\nTour":         "user.name=Claire  Tour user.name=Marie\nTour",
	} {
		d.add(t, "mc@example.org", map[exposure.Category]string{exposure.Name: "Marie-Claire de la Tour"})
		f := read(t, notes, message("/notes", "application/json", `{"to":[{"email":"mc@example.org"}],"text":"`+string(appendEscaped(nil, text))+`"}`))
		f.Search(d)
		var found []string
		for i := range f.Fields() {
			if at := &f.Fields()[i]; at.found() {
				found = append(found, at.Category.Key()+"="+at.Value())
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// The directory may know a number as it is dialled within the country.
func TestNumberWithinTheCountryIsThePersonsOfTheMessage(t *testing.T) {
	d := people(t)
	national, err := exposure.Canonical(exposure.KindPhone, "020 7183 8750")
	if err != nil {
		t.Fatal(err)
	}
	ada, _ := exposure.Canonical(exposure.KindEmail, "ada@example.org")
	d.people[national] = d.people[ada]
	f := read(t, notes, message("/notes", "application/json", `{"to":[{"email":"ada@example.org"}],"text":"Call 020 7183 8750 tomorrow."}`))
	f.Search(d)
	if people := f.People(); len(people) != 1 || len(people[0].Fields) != 2 {
		t.Errorf("found\n%s", show(f))
	}
}

func TestNameWrittenWithEntities(t *testing.T) {
	for text, want := range map[string]string{
		"<p>Herr J&uuml;rgen Gro&szlig;mann</p>":        "name=J&uuml;rgen Gro&szlig;mann of juergen",
		"Gr&uuml;&szlig;e an J&#252;rgen Gro&#xDF;mann": "name=J&#252;rgen Gro&#xDF;mann of juergen",
		"A&B; Jürgen Großmann &amp; Co.":                "name=Jürgen Großmann of juergen",
	} {
		if got := sought(t, text, "juergen@example.org"); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
