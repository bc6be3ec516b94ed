package vendor

import (
	"strings"
	"testing"
)

func hostSpecs(t *testing.T, files map[string]string) []*Spec {
	t.Helper()
	for name, hosts := range files {
		files[name] = "vendor: " + strings.TrimSuffix(name, ".yaml") + "\nupstream: http://127.0.0.1:9000\nhosts: [" + hosts + "]\n"
	}
	specs, problems := LoadDir(folder(t, files))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return specs
}

func TestExactHostBeatsStar(t *testing.T) {
	specs := hostSpecs(t, map[string]string{
		"any.yaml": `"*.shop.example", "*-live.pay.example", "o*.ingest.us.sentry.example"`, "one.yaml": `my.shop.example, api.one.example`,
	})
	h, err := IndexHosts(specs)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"my.shop.example": "one", "api.one.example": "one", "your.shop.example": "any", "a-live.pay.example": "any", "o1.ingest.us.sentry.example": "any",
		"shop.example": "", "a.b.shop.example": "", ".shop.example": "", "-live.pay.example": "", "o.ingest.us.sentry.example": "",
		"your.shop.example.evil.example": "", "evilshop.example": "", "": "", "x": "", "*.shop.example": "any",
	} {
		got := ""
		if s := h.Find(name); s != nil {
			got = string(s.ID)
		}
		if got != want {
			t.Errorf("%q belongs to %q, want %q", name, got, want)
		}
	}
	if any := specs[0]; !any.HasHost("my.shop.example") || any.HasHost("a.b.shop.example") || any.HasHost("api.one.example") || !specs[1].HasHost("api.one.example") {
		t.Error("a spec does not know its own hosts")
	}
}

func TestRefusesStarsThatOverlap(t *testing.T) {
	for _, pair := range [][2]string{
		{"*.shop.example", "*.shop.example"}, {"*-live.pay.example", "*.pay.example"}, {"a*.pay.example", "*b.pay.example"}, {"ab*.pay.example", "a*.pay.example"},
	} {
		_, problems := LoadDir(folder(t, map[string]string{
			"a.yaml": "vendor: a\nupstream: https://one.example\nhosts: ['" + pair[0] + "']\n",
			"b.yaml": "vendor: b\nupstream: https://two.example\nhosts:\n  - two.example\n  - '" + pair[1] + "'\n",
		}))
		if p := only(t, problems, `vendor "a"`); pair[0] != pair[1] && (p.Line != 5 || !strings.Contains(p.Problem, "overlap")) {
			t.Errorf("%v: %+v", pair, p)
		}
	}
	specs := hostSpecs(t, map[string]string{"a.yaml": `"a*.pay.example", "*.pay.example"`, "b.yaml": `"*.other.example", "x.pay.example"`})
	if len(specs[0].Hosts) != 2 || len(specs[1].Hosts) != 2 {
		t.Errorf("%v %v", specs[0].Hosts, specs[1].Hosts)
	}
	specs[1].Hosts = append(specs[1].Hosts, "*b.pay.example")
	if _, err := IndexHosts(specs); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("the index takes what overlaps: %v", err)
	}
}

const shopEntry = `
vendor: shop
name: Shop
upstream: https://{shop}.shop.example/admin
hosts: ["*.shop.example", api.shop.example]
credential: {in: header, name: X-Shop}
mapping:
  - {on: POST /send, fields: {to: user.contact.email}}
verified: ["not verified: all of it"]
examples:
  - {name: one, request: {path: /send}}
`

func TestUpstreamThatEachCustomerHasOfItsOwn(t *testing.T) {
	e, problems := parseEntry("shop.yaml", []byte(shopEntry))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if s, problems := CatalogueSpec(e, nil); len(problems) > 0 || s.Upstream.Host != "shop.shop.example" {
		t.Errorf("%v %v", s.Upstream, problems)
	}
	m, r := manifest(t, "vendor: p\nname: P\ncatalogue: shop\n")
	build(r, m, e)
	if p := only(t, r.Problems(), "leaves {shop} to you"); p.Line != 3 || !strings.Contains(p.Fix, "https://acme.shop.example/admin") {
		t.Errorf("%+v", p)
	}
	m, r = manifest(t, "vendor: p\ncatalogue: shop\nupstream: https://my.shop.example/admin\n")
	if s := build(r, m, e); len(r.Problems()) > 0 || !s.HasHost("your.shop.example") || !s.HasHost("my.shop.example") {
		t.Errorf("%v %v", s.Hosts, r.Problems())
	}
}

// The credential would go to whatever shop an app names.
func TestCredentialIsNotForOtherCustomersHosts(t *testing.T) {
	e, _ := parseEntry("shop.yaml", []byte(shopEntry))
	m, r := manifest(t, "vendor: p\ncatalogue: shop\nupstream: https://my.shop.example/admin\ncredential: {secret: file:p.secret}\n")
	if s := build(r, m, e); len(r.Problems()) > 0 || s.HasHost("evil.shop.example") || !s.HasHost("my.shop.example") || !s.HasHost("api.shop.example") {
		t.Errorf("%v %v", s.Hosts, r.Problems())
	}
}
