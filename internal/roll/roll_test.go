package roll

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
)

var now = time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)

// read gives what each row names, "kind:value|…" by row, and the problems.
func read(t *testing.T, text string, o Options) (rows []string, p Problems) {
	t.Helper()
	o.Now = now
	for r, err := range Read(context.Background(), strings.NewReader(text), o, &p) {
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, n := range r.Names {
			if n.Token != "" {
				names = append(names, "token:"+n.Token)
				continue
			}
			id := n.Readings[0]
			names = append(names, id.Kind.String()+":"+id.Value)
		}
		slices.Sort(names)
		row := fmt.Sprint(r.Line, " ", strings.Join(names, "|"))
		if o.Categories {
			row += fmt.Sprintf(" %s %s", r.Set, r.HeldSince.Format("2006-01-02"))
		}
		rows = append(rows, row)
	}
	return rows, p
}

func TestListsComeAsTheyCome(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		text string
		o    Options
		rows []string
	}{
		"the directory's header":        {"id,email,phone\nu1,Ada@photos.example,\nu2,,+442071838750\n", Options{}, []string{"2 email:ada@photos.example|user_id:u1", "3 phone:+442071838750|user_id:u2"}},
		"a vendor's names, semicolons":  {"Email Address;Status\r\nada@photos.example;open\r\n", Options{}, []string{"2 email:ada@photos.example"}},
		"quotes over two lines":         {"id,name\n\"u\"\"1\",\"Ada\nLovelace\"\nu2,x\n", Options{}, []string{"2 user_id:u\"1", "4 user_id:u2"}},
		"a quote that nothing closes":   {"id,name\nu1,\"Ada\nu2,Bob\n", Options{}, []string{"3 user_id:u2"}},
		"a byte order mark":             {"\ufeffid\nu1\n", Options{}, []string{"2 user_id:u1"}},
		"no end of the last line":       {"id\n\nu1", Options{}, []string{"3 user_id:u1"}},
		"hashes where addresses belong": {"email\n" + hash + "\n", Options{}, []string{"2 email_sha256:" + hash}},
		"JSON lines, nested, with lists": {`{"event":{"recipient":["a@x.example","b@x.example"],"n":1},"id":7}` + "\n" + `{"email":null,"username":"ada"}`,
			Options{}, []string{"1 email:a@x.example|email:b@x.example|user_id:7", "2 username:ada"}},
		"one identifier a line":     {"ada@photos.example\n\"u1\"\n", Options{Bare: true}, []string{"1 email:ada@photos.example", "2 user_id:u1"}},
		"tokens":                    {"token\ntok_1\n", Options{}, []string{"2 token:tok_1"}},
		"pseudonyms of the vendor":  {"pseudonym\ncus_1\n", Options{Vendor: "pay"}, []string{"2 pseudonym:cus_1"}},
		"since when, and what":      {"id,held_since,categories\nu1,2025-01-02,user.name=masked user.contact.email\nu2,,\n", Options{Categories: true}, []string{"2 user_id:u1 user.contact.email,user.name:masked 2025-01-02", "3 user_id:u2  0001-01-01"}},
		"categories as a JSON list": {`{"id":"u1","categories":["user.name","user.contact.email"]}`, Options{Categories: true}, []string{"1 user_id:u1 user.contact.email,user.name 0001-01-01"}},
	} {
		rows, p := read(t, c.text, c.o)
		if !slices.Equal(rows, c.rows) {
			t.Errorf("%s:\nwant %q\ngot  %q, %+v", name, c.rows, rows, p)
		}
	}
}

func TestALineThatCannotBeTakenIsNamedWithoutItsValues(t *testing.T) {
	text := "id,email,held_since,categories\n,secret-value,,\nu1,,soon,\nu2,,2030-01-01,\nu3,,,user.shoe_size\nu4,,\nu5,,,\n,,,\n"
	rows, p := read(t, text, Options{Categories: true})
	if !slices.Equal(rows, []string{"7 user_id:u5  0001-01-01"}) {
		t.Errorf("took %q", rows)
	}
	want := map[uint64]string{2: "email", 3: "no time", 4: "future", 5: "category", 6: "3 fields", 8: "names nobody"}
	if p.RejectedRows != uint64(len(want)) || len(p.Rejected) != len(want) {
		t.Errorf("rejected %+v", p)
	}
	for _, r := range p.Rejected {
		if !strings.Contains(r.Problem, want[r.Line]) || strings.Contains(r.Problem, "secret") || strings.Contains(r.Problem, "shoe") {
			t.Errorf("line %d: %s", r.Line, r.Problem)
		}
	}
	if _, p := read(t, "id,shoe\nu1,44\n", Options{}); !slices.Equal(p.Ignored, []string{"shoe"}) {
		t.Errorf("ignored %q", p.Ignored)
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		o    Options
	}{
		"empty": {"", Options{}}, "blank": {"\n\n", Options{}}, "no columns": {"u1\nu2\n", Options{}},
		"UTF-16": {"\xff\xfei\x00d\x00", Options{Bare: true}}, "the same column twice": {"id,id\nu1,u2\n", Options{}},
	} {
		var p Problems
		failed := false
		for _, err := range Read(context.Background(), strings.NewReader(c.text), c.o, &p) {
			failed = failed || err != nil
		}
		if !failed {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestLongLinesCostOnlyThemselves(t *testing.T) {
	rows, p := read(t, "id\nu1\n"+strings.Repeat("x", maxLine+1)+"\nu3\n", Options{})
	if !slices.Equal(rows, []string{"2 user_id:u1", "4 user_id:u3"}) || p.RejectedRows != 1 || p.Rejected[0].Line != 3 {
		t.Errorf("%q, %+v", rows, p)
	}
}

func TestReadingsAreEverythingThatAWordMayBe(t *testing.T) {
	kinds := func(text string, v exposure.VendorID) (out []string) {
		for _, id := range Readings(text, v) {
			out = append(out, id.Kind.String())
		}
		return out
	}
	if got := kinds("ada@photos.example", ""); !slices.Equal(got, []string{"email", "user_id", "username"}) {
		t.Errorf("%q", got)
	}
	if got := kinds("+442071838750", "pay"); !slices.Equal(got, []string{"user_id", "username", "phone", "pseudonym"}) {
		t.Errorf("%q", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("id,email\nu1,\"a\nb\"\n")
	f.Add(`{"id":1,"x":{"email":["a@b.c"]}}`)
	f.Add("a@b.c\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		var p Problems
		last := uint64(0)
		for r, err := range Read(context.Background(), strings.NewReader(text), Options{Bare: true, Categories: true, Now: now}, &p) {
			if err != nil {
				return
			}
			if r.Line <= last || r.Line > uint64(strings.Count(text, "\n")+1) {
				t.Fatalf("line %d after %d", r.Line, last)
			}
			last = r.Line
		}
	})
}
