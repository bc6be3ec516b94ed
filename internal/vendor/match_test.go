package vendor

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func specOf(t testing.TB, routes ...string) *Spec {
	t.Helper()
	text := "vendor: acme\nupstream: https://api.acme.example\nmapping:\n"
	for _, on := range routes {
		text += "  - {on: '" + on + "', fields: {}}\n"
	}
	s, problems := Parse("acme.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// overlapping templates, in an order that must not matter.
var overlapping = []string{
	"GET /v1/**", "GET /v1/customers/{id}", "GET /v1/customers/search", "GET /v1/customers/{id}/cards/{card}",
	"GET /v1/customers/search/cards/first", "POST /v3/mail/send", "PUT /v3/contacts", "GET /suppression/bounces/{email}",
	"POST /2010-04-01/Accounts/{AccountSid}/Messages.json", "POST /batch/", "GET /a/*/c", "GET /",
	"GET /m/{Sid}", "GET /m/{Sid}.json", "GET /m/{Sid}.full.json", "GET /m/{Sid}.json/Media/{Media}.json", "GET /m/all.json", "POST /v1/{name}:send",
}

func TestLiteralBeatsParameterBeatsRest(t *testing.T) {
	s := specOf(t, overlapping...)
	for request, want := range map[string]string{
		"GET /v1/customers/search":                    "GET /v1/customers/search",
		"GET /v1/customers/cus_1":                     "GET /v1/customers/{id}",
		"GET /v1/customers/cus_NffrFeUfNV2Hib":        "GET /v1/customers/{id}",
		"GET /v1/customers/search/cards/first":        "GET /v1/customers/search/cards/first",
		"GET /v1/customers/search/cards/2":            "GET /v1/customers/{id}/cards/{card}", // the literal leads nowhere: back to the parameter
		"GET /v1/customers/x/y/z":                     "GET /v1/**",
		"GET /v1":                                     "GET /v1/**",
		"GET /v1/":                                    "GET /v1/**",
		"POST /v3/mail/send":                          "POST /v3/mail/send",
		"POST /v3/mail/send/":                         "POST /v3/mail/send",
		"POST /batch":                                 "POST /batch/",
		"POST /2010-04-01/Accounts/AC1/Messages.json": "POST /2010-04-01/Accounts/{AccountSid}/Messages.json",
		"GET /a/b/c":                                  "GET /a/*/c",
		"GET /":                                       "GET /",
		"GET /m/SM1":                                  "GET /m/{Sid}",
		"GET /m/SM1.json":                             "GET /m/{Sid}.json",
		"GET /m/SM1%2Ejson":                           "GET /m/{Sid}.json",
		"GET /m/SM1.%6Aso%6E":                         "GET /m/{Sid}.json",
		"GET /m/a.b.json":                             "GET /m/{Sid}.json",
		"GET /m/SM1.full.json":                        "GET /m/{Sid}.full.json", // the longer end
		"GET /m/SM1.full.json/Media/ME1.json":         "GET /m/{Sid}.json/Media/{Media}.json",
		"GET /m/all.json":                             "GET /m/all.json",
		"GET /m/.json":                                "GET /m/{Sid}", // no value before the end
		"GET /m/ada@example.org.json":                 "GET /m/{Sid}.json",
		"GET /m/SM1.xml":                              "GET /m/{Sid}",
		"POST /v1/projects:send":                      "POST /v1/{name}:send",
		"HEAD /v1/customers/search":                   "GET /v1/customers/search",
		"POST /v3/mail/s%65nd":                        "POST /v3/mail/send", // RFC 3986 6.2.2.2: the same path
		"GET /suppression/bounces/a%40example.org":    "GET /suppression/bounces/{email}",
		"GET /suppression/bounces/a+b@example.org":    "GET /suppression/bounces/{email}",
	} {
		method, p, _ := strings.Cut(request, " ")
		if r := s.Match(method, p); r.Name != want || !r.Mapped() || r.Ambiguous || s.Routes[r.Index].Name != want {
			t.Errorf("%s: %+v, want %s", request, r, want)
		}
	}
}

// What another server could read as a mapped route must not pass as one that
// nobody mapped, nor under another's mapping.
func TestPathWithTwoReadingsIsAmbiguous(t *testing.T) {
	s := specOf(t, "POST /v3/mail/send", "GET /v1/customers/{id}", "GET /v1/customers/search", "GET /suppression/bounces/{email}", "GET /suppression/{kind}", "GET /m/{Sid}.json", "GET /m/{Sid}")
	for _, request := range []string{
		"POST /v3/mail%2Fsend", "POST /v3/mail%2fsend", "POST /v3%2Fmail%2Fsend", "POST /v3/mail%252Fsend",
		"POST /v3/mail//send", "POST //v3/mail/send", "POST /v3/x/../mail/send", "POST /v3/./mail/send",
		"POST /v3/%2e/mail/send", "POST /v3/x/%2e%2E/mail/send", `POST /v3/mail\send`, "POST /v3/mail%5Csend",
		"POST /V3/Mail/Send", "POST /v3/mail/send;v=1", "POST /v3/mail/send%3Bv=1", "POST /v3/mail/send%00", "POST /v3/mail/send%3Fx",
		"GET /v1/customers/Search", "GET /v1/customers/%53earch", "GET /v1/customers/x%2F..%2Fsearch",
		"GET /suppression/bounces/a%2Fb@example.org", // a slash in an address: the vendor may see three segments
		"GET /m/SM1.JSON", "GET /m/SM1.json;v=1", "GET /m/SM1;v=.json", "GET /m/SM1%252Ejson", "GET /m/SM1.json%3Fx", "GET /m/SM1%2Fx.json",
		"GET /suppression/bounces/..", "GET /suppression/bounces/%2e%2e",
	} {
		method, p, _ := strings.Cut(request, " ")
		if r := s.Match(method, p); !r.Ambiguous || r.Mapped() || r.Mappings() != nil || r.Name != method+" /*" {
			t.Errorf("%s: %+v", request, r)
		}
	}
}

func TestMethodInAnotherCaseIsAmbiguous(t *testing.T) {
	s := specOf(t, "POST /v3/mail/send")
	if r := s.Match("post", "/v3/mail/send"); !r.Ambiguous || r.Mapped() || r.Name != "OTHER /*" {
		t.Errorf("%+v", r)
	}
}

func TestUnmappedRequestKeepsNoPath(t *testing.T) {
	s := specOf(t, overlapping...)
	for request, want := range map[string]string{
		"POST /people/ada@example.org": "POST /*", "DELETE /v3/mail/send": "DELETE /*",
		"OPTIONS *": "OPTIONS /*", "BREW /pot": "OTHER /*", "GET ": "GET /*", "POST /v3/mail/send/x": "POST /*", "POST /v3/mail": "POST /*",
	} {
		method, p, _ := strings.Cut(request, " ")
		if r := s.Match(method, p); r.Name != want || r.Mapped() || r.Ambiguous {
			t.Errorf("%s: %+v", request, r)
		}
	}
}

func TestParametersKnowTheirPlace(t *testing.T) {
	s := specOf(t, overlapping...)
	p := "/v1/customers/cus_1/cards/a%40b"
	r := s.Match("GET", p)
	if len(r.Params) != 2 {
		t.Fatalf("%+v", r)
	}
	for i, want := range []Param{{Name: "id", Value: "cus_1"}, {Name: "card", Value: "a%40b"}} {
		if got := r.Params[i]; got.Name != want.Name || got.Value != want.Value || p[got.Start:got.End] != want.Value {
			t.Errorf("%+v", got)
		}
	}
}

func TestParameterEndsBeforeItsSuffix(t *testing.T) {
	s := specOf(t, overlapping...)
	for p, want := range map[string]string{
		"/m/SM1.json": "SM1", "/m/SM1%2Ejson": "SM1", "/m/SM1%2E%6ason": "SM1", "/m/a%40b.c.json/": "a%40b.c", "/m/x.json/Media/y.json": "x y",
	} {
		var got []string
		for _, param := range s.Match("GET", p).Params {
			if p[param.Start:param.End] != param.Value {
				t.Errorf("%s: %+v", p, param)
			}
			got = append(got, param.Value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", p, got, want)
		}
	}
}

func TestLiteralPathMatchesWithoutAllocation(t *testing.T) {
	s := specOf(t, overlapping...)
	if n := testing.AllocsPerRun(100, func() { s.Match("POST", "/v3/mail/send") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	s := specOf(b, overlapping...)
	for name, p := range map[string]string{"literal": "/v3/mail/send", "capitals": "/2010-04-01/Accounts/AC1/Messages.json"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Match("POST", p)
			}
		})
	}
}

// FuzzMatch holds against a simple reading: whatever is mapped by a literal
// template has exactly its path once every escape is undone, and whatever a
// lenient server would route to a literal template is mapped or ambiguous.
func FuzzMatch(f *testing.F) {
	s := specOf(f, overlapping...)
	for _, p := range []string{"/v3/mail/send", "/v3/mail%2Fsend", "/v3/mail//send", "/%76%33/mail/send/", "/v3/x/../mail/send", "/v1/customers/a%2Fb", `/v3\mail/send`, "/%", "/m/a.json", "/m/a%2Ejson", "/m/%2Ejson", "/m/a.JSON;x", "/m/a%2F.json", "/a//c", "/v3/MAIL/send;x"} {
		f.Add("POST", p)
		f.Add("GET", p)
	}
	f.Fuzz(func(t *testing.T, method, p string) {
		r := s.Match(method, p)
		for _, param := range r.Params {
			if p[param.Start:param.End] != param.Value || strings.Contains(param.Value, "/") {
				t.Errorf("%q: %+v", p, param)
			}
		}
		if r.Mapped() && r.Ambiguous {
			t.Errorf("%q is mapped and ambiguous", p)
		}
		decoded, err := url.PathUnescape(p)
		if err != nil {
			return
		}
		if r.Name == "GET /m/{Sid}.json" && (!strings.HasSuffix(strings.TrimSuffix(decoded, "/"), ".json") || len(r.Params) != 1 || strings.HasSuffix(r.Params[0].Value, ".json") && !strings.HasSuffix(strings.TrimSuffix(decoded, "/"), ".json.json")) {
			t.Errorf("%q is taken for a .json: %+v", p, r)
		}
		if last := path.Base(path.Clean(decoded)); method == "GET" && strings.HasPrefix(p, "/m/") && path.Dir(path.Clean(decoded)) == "/m" && strings.HasSuffix(last, ".json") && len(last) > len(".json") &&
			!r.Ambiguous && r.Name != "GET /m/{Sid}.json" && r.Name != "GET /m/{Sid}.full.json" && r.Name != "GET /m/all.json" {
			t.Errorf("%q slips past the suffix: %+v", p, r)
		}
		if r.Name == "POST /v3/mail/send" && strings.TrimSuffix(decoded, "/") != "/v3/mail/send" {
			t.Errorf("%q is taken for /v3/mail/send", p)
		}
		if strings.HasPrefix(p, "/") && method == "POST" && strings.EqualFold(path.Clean(decoded), "/v3/mail/send") && !r.Ambiguous && r.Name != "POST /v3/mail/send" {
			t.Errorf("%q slips past its mapping: %+v", p, r)
		}
	})
}
