package classify

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cordon/internal/exposure"
)

const formType = "application/x-www-form-urlencoded"

func TestFormKeysCarryTheirStructure(t *testing.T) {
	f := read(t, flat, message("/person", formType, "email=Ada%40example.org&name=Ada+L&address%5Bcity%5D=London&address.city=Paris&tags[]=a&tags[]=b&tags[7]=c&meta[6735]=x&amount=5&extra[plan]=pro"))
	expect(t, f, `email=ada@example.org: user.contact.email email="Ada@example.org" user.name name="Ada L" user.contact.address.city address.city="London" user.contact.address.city address.city="Paris" user.content.private tags[0]="a" user.content.private tags[1]="b" user.content.private tags[7]="c" user.content.private meta[6735]="x" unclassified extra.plan="pro"`, exposure.IncompleteDuplicateKey) // the city is told twice, in two spellings
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "a&b=c"}, {Field: 4, Drop: true}, {Field: 5, Drop: true}, {Field: 8, Drop: true}})
	if want := "email=a%26b%3Dc&name=Ada+L&address%5Bcity%5D=London&address.city=Paris&tags[7]=c&meta[6735]=x&amount=5"; err != nil || string(out.Body) != want {
		t.Errorf("got  %s\nwant %s, %v", out.Body, want, err)
	}
}

func TestPairsOfOneElementMayComeInAnyOrder(t *testing.T) {
	const mapping = `
  - {on: POST /x, subjects: 'to[]', fields: {email: user.contact.email, name: user.name}}
`
	for _, body := range []string{
		"to[0][email]=a@b.c&to[1][email]=d@e.f&to[0][name]=A&to[1][name]=D",
		"to[1][name]=D&to[0][email]=a@b.c&to[1][email]=d@e.f&to[0][name]=A",
		"to[][email]=a@b.c&to[][name]=A&to[][email]=d@e.f&to[][name]=D",
	} {
		f := read(t, mapping, message("/x", formType, body))
		if len(f.People()) != 2 {
			t.Fatalf("%s: %s", body, show(f))
		}
		for i, p := range f.People() {
			var values []string
			for n := range f.Of(i) {
				values = append(values, f.Fields()[n].Value())
			}
			slices.Sort(values)
			want := map[string][]string{"a@b.c": {"A", "a@b.c"}, "d@e.f": {"D", "d@e.f"}}[p.Identifiers[0].Value]
			if !slices.Equal(values, want) {
				t.Errorf("%s: %q, want %q", body, values, want)
			}
		}
	}
}

func TestHostileNamesDoNotReadLikeAnotherPlace(t *testing.T) {
	const mapping = `
  - {on: POST /x, subjects: 'to.*.*', fields: {email: user.contact.email, name: user.name}}
`
	// Joined by any byte, one of these names would be the other two.
	for _, sep := range []string{"%00", "%01", "%00%01", "%00%00", "%5D%5B", "."} {
		body := "to[a" + sep + "b][c][email]=ada@example.org&to[a][b" + sep + "c][email]=bob@example.org&to[a" + sep + "b][c][name]=Ada"
		f := read(t, mapping, message("/x", formType, body))
		for i, p := range f.People() {
			for n := range f.Of(i) {
				if f.Fields()[n].Value() == "Ada" && (len(p.Identifiers) != 1 || p.Identifiers[0].Value != "ada@example.org") && sep != "%5D%5B" {
					t.Errorf("%q: %s", body, show(f))
				}
			}
		}
	}
}

func TestTwoAddressesAtOnePlaceAreTwoPeople(t *testing.T) {
	const mapping = `
  - {on: POST /x, fields: {email: user.contact.email, name: user.name, 'other[]': user.contact.email}}
`
	for _, c := range [][2]string{
		{formType, "email=ada@example.org&name=A&email=bob@example.org"},
		{"application/json", `{"email":"ada@example.org","name":"A","email":"bob@example.org"}`},
	} {
		f := read(t, mapping, message("/x", c[0], c[1]))
		expect(t, f, `email=ada@example.org: user.contact.email email="ada@example.org" user.name name="A"
email=bob@example.org: user.name name="A" user.contact.email email="bob@example.org"`, exposure.IncompleteDuplicateKey)
	}
	f := read(t, mapping, message("/x", formType, "email=ada@example.org&other[]=a@work.example&other[]=a@home.example&other=a@old.example"))
	if len(f.People()) != 1 || len(f.Incomplete()) != 0 {
		t.Errorf("a list of one person's addresses: %s, %v", show(f), f.Incomplete())
	}
}

func TestManyElementsAfterManyKeysTakeLinearTime(t *testing.T) {
	work := func(n int) time.Duration {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a[][k%d]=1&", i)
		}
		b.WriteString(strings.Repeat("a[][x]=1&", n))
		m := message("/x", formType, b.String())
		best := time.Hour
		for range 3 {
			start := time.Now()
			read(t, flat, m)
			best = min(best, time.Since(start))
		}
		return best
	}
	// Quadratic work would take 64 times as long.
	if small, large := work(3_000), work(24_000); large > 30*small+time.Second {
		t.Errorf("%v for 3,000 and %v for 24,000", small, large)
	}
}

func TestFormsThatParsersReadDifferently(t *testing.T) {
	for body, reason := range map[string]exposure.Reason{
		"name=x;y&email=a@b.c": exposure.IncompleteSyntax,
		"email=a@b.c&name=%zz": exposure.IncompleteSyntax,
		"email=a@b.c&name=%":   exposure.IncompleteSyntax,
		"email=a@b.c&name=%ff": exposure.IncompleteUTF8,
		"email=a@b.c&tags[=x":  exposure.IncompleteSyntax,
		"email=a@b.c&a]b=x":    exposure.IncompleteSyntax,
		`{"email":"a@b.c"}`:    exposure.IncompleteContentTypeLies,
		`<email>a@b.c</email>`: exposure.IncompleteContentTypeLies,
	} {
		f := read(t, flat, message("/person", formType, body))
		if r := f.Incomplete(); len(r) == 0 || r[0] != reason {
			t.Errorf("%s: %v, want %s", body, r, reason)
		}
		if body[0] != '<' && (len(f.People()) == 0 || len(f.People()[0].Identifiers) != 1) {
			t.Errorf("%s: found %s", body, show(f))
		}
	}
}

func TestPathQueryAndHeadersBelongToTheMessage(t *testing.T) {
	const mapping = `
  - {on: 'POST /c/{id}/x/{kind}', in: path, fields: {id: user.unique_id.pseudonymous, kind: none}}
  - {on: 'POST /c/{id}/x/{kind}', in: query, fields: {'who[email]': user.contact.email, limit: none}}
  - {on: 'POST /c/{id}/x/{kind}', in: header, fields: {X-User: user.account.username}}
  - {on: 'POST /c/{id}/x/{kind}', fields: {name: user.name}}
`
	m := message("/c/cus%5F1/x/y", "application/json", `{"name":"Ada"}`)
	m.Query = "who%5Bemail%5D=ada%40example.org&limit=3&q=1"
	m.Header["X-User"] = []string{"ada"}
	m.Header["X-Other"] = []string{"zzz"}
	f := read(t, mapping, m)
	expect(t, f, `pseudonym=cus_1 email=ada@example.org username=ada: user.unique_id.pseudonymous {id}="cus_1" user.contact.email ?who.email="ada@example.org" unclassified ?q="1" unclassified X-Other:="zzz" user.account.username X-User:="ada" user.name name="Ada"`)
	if id := f.People()[0].Identifiers[0]; id.Vendor != "acme" {
		t.Errorf("the pseudonym belongs to vendor %q", id.Vendor)
	}
	out, err := f.Rewrite([]Edit{{Field: 1, Drop: true}, {Field: 4, Drop: true}, {Field: 5, Value: "A"}})
	if err != nil || out.Query != "limit=3&q=1" || out.Header["X-User"] != nil || len(out.Header["X-Other"]) != 1 || string(out.Body) != `{"name":"A"}` {
		t.Errorf("rewritten to %+v, %v", out, err)
	}
	if m.Header["X-User"][0] != "ada" {
		t.Error("the message's own header was changed")
	}
	if _, err := f.Rewrite([]Edit{{Field: 0, Drop: true}}); err == nil {
		t.Error("a path was changed")
	}
}

func TestARouteThatNothingMapsIsUnclassified(t *testing.T) {
	for _, c := range []struct{ method, path, query, body, want string }{
		{"GET", "/v1/things", "", "", ""},
		{"DELETE", "/v1/things/abc", "", "", ""},
		{"GET", "/v1/things/ada%40example.org", "", "", "email=ada@example.org: user.contact.email {*}=\"ada@example.org\"\n: unclassified {*}=\"ada@example.org\""},
		{"GET", "/v1/things", "q=ada", "", `: unclassified ?q="ada"`},
		{"POST", "/v1/things", "", `{"a":{"b":[1]},"c":""}`, `: unclassified a.b[0]="1"`},
	} {
		m := message(c.path, "application/json", c.body)
		m.Method, m.Query = c.method, c.query
		f := read(t, flat, m)
		expect(t, f, c.want)
		if f.Route().Mapped() {
			t.Errorf("%s is mapped", c.path)
		}
	}
}

// FuzzForm holds that identity leaves every byte, that nothing panics, that
// what net/url reads we have seen, and that dropping all leaves a form.
func FuzzForm(f *testing.F) {
	for _, s := range []string{"email=a%40b.c&name=A", "a[b][0][]=1&a[][c]=2&a[][c]=3", "&&=&a&a=;", "%", "to[]=x&tags=1", "[a]=1&a[=2&a]b=3", "a.b..c=1"} {
		f.Add(s, "tags[]=x&email=b")
	}
	c := classifier(f, spec(f, flat))
	f.Fuzz(func(t *testing.T, body, query string) {
		m := message("/person", formType, body)
		m.Query = query
		found := c.Classify(c.spec.Match("POST", "/person"), m)
		linear(t, &found)
		out, err := found.Rewrite(keepAll(&found))
		if err != nil || !bytes.Equal(out.Body, m.Body) || out.Query != query {
			t.Fatalf("became %q ? %q, %v", out.Body, out.Query, err)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			for _, r := range found.Incomplete() {
				if r == exposure.IncompleteSyntax {
					return
				}
			}
			t.Fatalf("net/url says %v of %q, we say %v", err, query, found.Incomplete())
		}
		seen := map[string]int{}
		for _, at := range found.Fields() {
			if at.src == inQuery {
				seen[at.Value()]++
			}
		}
		for _, list := range values {
			for _, v := range list {
				if v != "" && utf8.ValidString(v) && seen[v] == 0 {
					t.Fatalf("%q of %q was not found", v, query)
				}
			}
		}
		if out, err = found.Rewrite(dropAll(&found)); err != nil && len(found.Incomplete()) == 0 {
			t.Fatalf("dropping all: %v", err)
		}
		if left, err := url.ParseQuery(out.Query); err == nil {
			for _, list := range left {
				for _, v := range list {
					if v != "" {
						t.Fatalf("%q is left of %q", out.Query, query)
					}
				}
			}
		}
	})
}
