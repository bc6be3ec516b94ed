package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

var now = time.Date(2026, 2, 6, 9, 0, 0, 0, time.UTC)

// kept is a sink that keeps everybody, and the first of two with one id.
type kept struct {
	people []Person
	seen   map[string]bool
}

func (k *kept) sink(_ context.Context, people iter.Seq2[Person, error]) (Stored, error) {
	k.seen = map[string]bool{}
	var s Stored
	for p, err := range people {
		if err != nil {
			return s, err
		}
		if k.seen[p.ID] {
			s.Repeated = append(s.Repeated, p.Line)
			continue
		}
		k.seen[p.ID] = true
		k.people = append(k.people, p)
		s.New++
	}
	return s, nil
}

func load(t *testing.T, f Format, text string) ([]Person, *Answer) {
	t.Helper()
	var k kept
	a, err := Import(context.Background(), f, strings.NewReader(text), k.sink, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return k.people, a
}

func ids(p Person) []string {
	var out []string
	for _, id := range p.Identifiers {
		out = append(out, id.Kind.String()+" "+id.Value)
	}
	return out
}

func TestTakesEveryColumnInAnyOrder(t *testing.T) {
	for f, text := range map[Format]string{
		CSV:   "\ufeffBirth Date,email,shoe size,id,phone,name,country,state,language,username\r\n2010-03-01, Ada@Example.org ,38,u1,+49 30 123456,Ada,de,de-be,DE_at,ada\r\n",
		JSONL: "\ufeff{\"birth_date\":\"2010-03-01\",\"email\":\" Ada@Example.org \",\"shoe size\":38,\"id\":\"u1\",\"phone\":\"+49 30 123456\",\"name\":\"Ada\",\"country\":\"de\",\"state\":\"de-be\",\"language\":\"DE_at\",\"username\":\"ada\"}",
	} {
		people, a := load(t, f, text)
		if len(people) != 1 || a.People != 1 || a.New != 1 || len(a.Rejected) != 0 || !slices.Equal(a.Ignored, []string{"shoe size"}) {
			t.Fatalf("%s: %+v", f, a)
		}
		p := people[0]
		want := Person{ID: "u1", Country: "DE", State: "BE", Language: "de-AT", BirthDate: time.Date(2010, 3, 1, 0, 0, 0, 0, time.UTC), Line: p.Line, Identifiers: p.Identifiers, Values: []Value{
			{exposure.Name, "Ada"}, {exposure.BirthDate, "2010-03-01"}, {exposure.Phone, "+49 30 123456"}, {exposure.Username, "ada"},
			{exposure.Phone, "+4930123456"}, {exposure.Phone, "030123456"}, {exposure.Phone, "4930123456"},
		}}
		if !reflect.DeepEqual(p, want) {
			t.Errorf("%s: %+v", f, p)
		}
		if got := ids(p); !slices.Equal(got, []string{"email ada@example.org", "phone +4930123456", "phone 030123456", "phone 4930123456", "username ada"}) {
			t.Errorf("%s: %q", f, got)
		}
		if got := p.MinorUntil(); got.Format(time.DateOnly) != "2028-03-01" {
			t.Errorf("%s: a minor until %s", f, got)
		}
	}
}

func TestRejectsALineAndTakesTheNext(t *testing.T) {
	// A value that must not appear in any problem.
	const secret = "zq7secret"
	for name, bad := range map[string]string{
		"has no id":                            " ,a@b.example,,,",
		"the email is not":                     "u2," + secret + ",,,",
		"the phone is not":                     "u2,,phone " + secret + ",,",
		"not a two-letter":                     "u2,,,Deutschland,",
		"is GB in ISO":                         "u2,,,UK,",
		"not a date such as":                   "u2,,,DE,31.12.1990",
		"lies ahead":                           "u2,,,DE,2026-02-07",
		"130 years":                            "u2,,,DE,1890-01-01",
		"has 2 fields":                         "u2," + secret,
		"has 6 fields":                         "u2,,,,," + secret,
		"quote in the middle":                  `u2,` + secret + `"x",,,`,
		"text after a closing quote":           `u2,"` + secret + `"x,,,`,
		"not UTF-8":                            "u2,a\xff" + secret + "@b.example,,,",
		"a quote is opened and never closed":   `u2,"` + secret,
		"the id stands on an earlier line too": "u1,x@b.example,,,",
		"the id is longer":                     strings.Repeat("u", 257) + ",,,,",
	} {
		people, a := load(t, CSV, "id,email,phone,country,birth_date\nu1,a@b.example,,DE,\n"+bad+"\nu3,c@b.example,,FR,\n")
		if len(people) != 2 || a.People != 2 || people[1].ID != "u3" || people[1].Line != 4 {
			t.Errorf("%s: took %+v", name, people)
		}
		if len(a.Rejected) != 1 || a.RejectedRows != 1 || a.Rejected[0].Line != 3 || !strings.Contains(a.Rejected[0].Problem, name) {
			t.Errorf("%s: rejected %+v", name, a.Rejected)
		}
		if strings.Contains(fmt.Sprintf("%+v", a), secret) {
			t.Errorf("%s: the answer holds the value: %+v", name, a)
		}
	}
}

func TestRejectsAStateThatCannotBe(t *testing.T) {
	people, a := load(t, CSV, "id,country,state\n1,US,CA\n2,US,US-NY\n3,US,CA-ON\n4,,CA\n5,US,California\n")
	if len(people) != 2 || people[0].State != "CA" || people[1].State != "NY" || len(a.Rejected) != 3 {
		t.Fatalf("%+v, %+v", people, a.Rejected)
	}
}

func TestRejectsJSONThatCanBeReadInTwoWays(t *testing.T) {
	for name, bad := range map[string]string{
		"two equal keys":      `{"id":"2","id":"3"}`,
		"two spellings":       `{"id":"2","ID":"3"}`,
		"not an object":       `["2"]`,
		"null":                `null`,
		"two objects":         `{"id":"2"} {"id":"3"}`,
		"not text":            `{"id":"2","email":true}`,
		"a list of countries": `{"id":"2","country":["DE"]}`,
		"cut":                 `{"id":"2"`,
		"a lone surrogate":    `{"id":"\ud800"}`,
	} {
		people, a := load(t, JSONL, `{"id":1,"email":["a@b.example","c@b.example"],"phone":null}`+"\n\n"+bad+"\n"+`{"id":"4"}`)
		if len(people) != 2 || people[0].ID != "1" || len(people[0].Identifiers) != 2 || people[1].Line != 4 {
			t.Errorf("%s: took %+v", name, people)
		}
		if len(a.Rejected) != 1 || a.Rejected[0].Line != 3 {
			t.Errorf("%s: rejected %+v", name, a.Rejected)
		}
	}
}

func TestQuotedFieldsHoldSeparatorsQuotesAndLines(t *testing.T) {
	for _, sep := range []string{",", ";", "\t"} {
		text := strings.ReplaceAll("id,name,username\n\"u,1\",\"A \"\"B\"\"\nC\",\"x\r\ny\"\n\nu2,,\"\"\nu3,a,b", ",", sep)
		people, a := load(t, CSV, text)
		if len(people) != 3 || len(a.Rejected) != 0 {
			t.Fatalf("%q: %+v, %+v", sep, people, a.Rejected)
		}
		if people[0].ID != "u"+sep+"1" || ids(people[0])[0] != "username x\r\ny" {
			t.Errorf("%q: %+v", sep, people[0])
		}
		if people[0].Line != 2 || people[1].Line != 6 || people[2].Line != 7 {
			t.Errorf("%q: lines %d, %d, %d", sep, people[0].Line, people[1].Line, people[2].Line)
		}
	}
}

func TestAnUnclosedQuoteCostsOneLine(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,name\nu1,\"never closed\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "p%d,somebody called Nobody\n", i)
	}
	people, a := load(t, CSV, b.String())
	if len(people) != 100_000 || len(a.Rejected) != 1 || a.Rejected[0].Line != 2 || people[99_999].Line != 100_002 {
		t.Fatalf("took %d, rejected %+v", len(people), a.Rejected)
	}
}

func TestARowThatIsTooLongCostsOneRow(t *testing.T) {
	long := strings.Repeat("x", 3*maxRow)
	for f, text := range map[Format]string{
		CSV:   "id,name\nu1," + long + "\nu2,y\n",
		JSONL: "\n{\"id\":\"u1\",\"name\":\"" + long + "\"}\n{\"id\":\"u2\"}\n",
	} {
		people, a := load(t, f, text)
		if len(people) != 1 || people[0].ID != "u2" || people[0].Line != 3 || len(a.Rejected) != 1 || a.Rejected[0].Line != 2 {
			t.Errorf("%s: %+v, %+v", f, people, a.Rejected)
		}
	}
}

func TestANationalSpellingFindsItsPerson(t *testing.T) {
	for _, c := range []struct {
		phone, country string
		spellings      []string
	}{
		{"+44 20 7183 8750", "GB", []string{"+442071838750", "020 7183 8750", "(020) 7183-8750", "0044 20 7183 8750"}},
		{"020 7183 8750", "GB", []string{"+442071838750", "02071838750"}},
		{"(415) 555-2671", "US", []string{"+1 415 555 2671", "415.555.2671"}},
		{"+49 (0)30 123456", "DE", []string{"+4930123456", "030 123456", "4930123456", "+49 (0)30 123456"}},
		{"+7 495 123-45-67", "RU", []string{"8 (495) 123-45-67"}},
		{"06 12 34 56 78", "FR", []string{"+33612345678", "06.12.34.56.78"}},
		{"+39 06 6982", "IT", []string{"06 6982"}},
		{"+1 415 555 2671", "FR", []string{"+14155552671"}}, // foreign: no national form
		{"555 0100", "", []string{"5550100"}},               // no country: as written
		{"0000000", "DE", []string{"+00000"}},               // 00 is the international prefix
	} {
		ids, err := phone(c.phone, c.country)
		if err != nil {
			t.Errorf("%s: %v", c.phone, err)
		}
		for _, s := range c.spellings {
			want, err := exposure.Canonical(exposure.KindPhone, s)
			if err != nil || !slices.Contains(ids, want) {
				t.Errorf("%s in %s is not found as %s (%v); only as %d spellings", c.phone, c.country, s, err, len(ids))
			}
		}
	}
	if ids, _ := phone("+1 415 555 2671", "FR"); len(ids) != 2 {
		t.Errorf("a foreign number got %d spellings", len(ids))
	}
}

func TestRefusesWhatIsNoDirectory(t *testing.T) {
	for name, text := range map[string]string{
		"is empty":        "",
		"no column id":    "email,phone\na@b.example,\n",
		"two columns":     "id,email,E-Mail,ID\n",
		"UTF-16":          "\xff\xfei\x00d\x00",
		"a quote in the ": "id,e\"mail\n",
	} {
		_, err := Import(context.Background(), CSV, strings.NewReader(text), (&kept{}).sink, Options{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, source := range []string{"mysql://db/people", "people", "people.xlsx"} {
		if _, err := FormatOf(source); err == nil || !strings.Contains(err.Error(), "csv") && !strings.Contains(err.Error(), "CSV") {
			t.Errorf("%s: %v does not say what to do", source, err)
		}
	}
}

func TestAFailingDiskEndsTheImportForTheSinkToo(t *testing.T) {
	broken := errors.New("input/output error")
	r := io.MultiReader(strings.NewReader("id\n"+strings.Repeat("u1\n", 2<<20/3)), failing{broken})
	var k kept
	var sinkErr error
	_, err := Import(context.Background(), CSV, r, func(ctx context.Context, people iter.Seq2[Person, error]) (Stored, error) {
		s, err := k.sink(ctx, people)
		sinkErr = err
		return s, err
	}, Options{})
	if !errors.Is(err, broken) || !errors.Is(sinkErr, broken) {
		t.Fatalf("import says %v, sink saw %v", err, sinkErr)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTheListOfRejectedLinesIsBounded(t *testing.T) {
	_, a := load(t, CSV, "id,email\n"+strings.Repeat("u,nothing\n", MaxRejected+5))
	if len(a.Rejected) != MaxRejected || a.RejectedRows != MaxRejected+5 {
		t.Fatalf("%d listed of %d", len(a.Rejected), a.RejectedRows)
	}
}

func TestProgressEndsAtTheEndOfTheFile(t *testing.T) {
	text := "id\n" + strings.Repeat("u\n", 5000)
	for _, f := range []Format{CSV, JSONL} {
		var calls int
		var bytes int64
		var lines uint64
		if _, err := Import(context.Background(), f, strings.NewReader(text), (&kept{}).sink, Options{Progress: func(b int64, l uint64) {
			if b < bytes || l < lines {
				t.Fatalf("went back to %d bytes, %d lines", b, l)
			}
			calls, bytes, lines = calls+1, b, l
		}}); err != nil {
			t.Fatal(err)
		}
		if calls < 5 || bytes != int64(len(text)) || lines != 5001 {
			t.Errorf("%s: %d calls, at the end %d bytes of %d, %d lines", f, calls, bytes, len(text), lines)
		}
	}
}

// What is read without parsing must be spelled as if it had been parsed.
func TestInlandNumbersAreSpelledAsParsedOnes(t *testing.T) {
	for _, country := range vendor.Countries() {
		example := phonenumbers.GetExampleNumberForType(country, phonenumbers.MOBILE)
		if example == nil {
			continue
		}
		written := phonenumbers.Format(example, phonenumbers.E164)
		number, home := inland(written, country)
		if !home {
			continue
		}
		parsed, err := phonenumbers.Parse(written, country)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []phonenumbers.PhoneNumberFormat{phonenumbers.E164, phonenumbers.NATIONAL} {
			if got, want := phonenumbers.Format(number, f), phonenumbers.Format(parsed, f); got != want {
				t.Errorf("%s: %s, parsed %s", country, got, want)
			}
		}
	}
}
