package classify

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

const nestedMapping = `
  - {on: POST /x, fields: {'data|base64|json.event': user.behavior, 'data|base64|json.properties.email': user.contact.email, 'data|base64|json.properties.name': user.name}}
  - {on: POST /x, subjects: 'message', fields: {to: user.contact.email, text: user.content.private}}
  - {on: POST /x, subjects: 'vars|json.*', fields: {'#': user.contact.email, first: user.name.first}}
  - {on: POST /x, fields: {note: user.content.private}}
`

// changed rewrites one field found at a path and gives the body.
func changed(t *testing.T, f *Findings, path string, e Edit) string {
	t.Helper()
	for i, at := range f.Fields() {
		if at.Path == path {
			e.Field = i
			out, err := f.Rewrite([]Edit{e})
			if err != nil {
				t.Fatal(err)
			}
			return out.Text
		}
	}
	t.Fatalf("nothing at %s: %s", path, show(f))
	return ""
}

func TestJSONInAStringIsReadAndRewrittenInPlace(t *testing.T) {
	body := `{ "message":"{\u0022to\": \"ada@example.org\",\"text\":\"h\\u00e9\\n\",\"n\": 1.50}" }`
	f := read(t, nestedMapping, message("/x", "application/json", body))
	expect(t, f, `email=ada@example.org: user.contact.email message.to="ada@example.org" user.content.private message.text="hé\n" unclassified message.n="1.50"`)
	want := strings.Replace(body, "ada@example.org", `a\\\"b@x`, 1)
	if got := changed(t, f, "message.to", Edit{Value: `a"b@x`}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = strings.Replace(body, `,\"text\":\"h\\u00e9\\n\"`, "", 1)
	if got := changed(t, f, "message.text", Edit{Drop: true}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBase64InAFormIsOpened(t *testing.T) {
	inner := `{"event":"signed up","properties":{"email":"ada@example.org","name":"Ada"}}`
	form := func(inner string) string {
		return "v=1&data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(inner))) + "&ip=1"
	}
	f := read(t, nestedMapping, message("/x", formType, form(inner)))
	expect(t, f, `email=ada@example.org: unclassified v="1" user.behavior data|base64|json.event="signed up" user.contact.email data|base64|json.properties.email="ada@example.org" user.name data|base64|json.properties.name="Ada" unclassified ip="1"`)
	if got, want := changed(t, f, "data|base64|json.properties.name", Edit{Drop: true}), form(strings.Replace(inner, `,"name":"Ada"`, "", 1)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKeysThatArePeople(t *testing.T) {
	body := "vars=" + url.QueryEscape(`{"ada@example.org":{"first":"Ada"}, "bob@example.org":{"first":"Bob"},"carl@example.org":null}`)
	f := read(t, nestedMapping, message("/x", formType, body))
	expect(t, f, `
		email=ada@example.org: user.contact.email vars|json.ada@example.org="ada@example.org" user.name.first vars|json.ada@example.org.first="Ada"
		email=bob@example.org: user.contact.email vars|json.bob@example.org="bob@example.org" user.name.first vars|json.bob@example.org.first="Bob"
		email=carl@example.org: user.contact.email vars|json.carl@example.org="carl@example.org"`)
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "***"}, {Field: 2, Value: "***"}, {Field: 4, Drop: true}})
	if got, _ := url.QueryUnescape(out.Text); err != nil || got != `vars={"***":{"first":"Ada"}, "***-2":{"first":"Bob"}}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestUnmappedDocumentsAreOpened(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"email":"ada@example.org"}`)) + ".c2ln"
	jwe := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM"}`)) + ".a.b.c.d"
	for value, want := range map[string]string{
		`{\"email\":\"ada@example.org\",\"a\":[1]}`: `email=ada@example.org: user.contact.email a|json.email="ada@example.org"` + "\n" + `: unclassified a|json.email="ada@example.org" unclassified a|json.a[0]="1"`,
		b64([]byte(`{"email":"ada@example.org"}`)):  `email=ada@example.org: user.contact.email a|base64|json.email="ada@example.org"` + "\n" + `: unclassified a|base64|json.email="ada@example.org"`,
		b64([]byte(`Dear Ada, how are you?`)):       `: unclassified a|base64="Dear Ada, how are you?"`,
		jwt:                                         `email=ada@example.org: user.contact.email a|jwt.email="ada@example.org"` + "\n" + `: unclassified a|jwt.email="ada@example.org"`,
		jwe:                                         `: unclassified a="` + jwe + `" opaque a="` + jwe + `"`,
		`data:text/plain;base64,` + b64([]byte("Ada Lovelace")): `: unclassified a|data="Ada Lovelace"`,
		`data:,Ada%20L`:                        `: unclassified a|data="Ada L"`,
		`{not json}`:                           `: unclassified a="{not json}"`,
		`[Ada] wrote`:                          `: unclassified a="[Ada] wrote"`,
		`550e8400-e29b-41d4-a716-446655440000`: `: unclassified a="550e8400-e29b-41d4-a716-446655440000"`,
		`d41d8cd98f00b204e9800998ecf8427e`:     `: unclassified a="d41d8cd98f00b204e9800998ecf8427e"`,
		b64([]byte(b64([]byte(b64([]byte(`{"e":"a"}` + "   ")))))): `: unclassified a|base64|base64|base64="{\"e\":\"a\"}   "`,
	} {
		f := read(t, nestedMapping, message("/x", "application/json", `{"a":"`+value+`"}`))
		if strings.Contains(want, "base64|base64|base64") { // deeper than is read, and said so
			if !slices.Contains(f.Incomplete(), exposure.IncompleteDepth) {
				t.Errorf("%s: incomplete %v", value, f.Incomplete())
			}
			f.reasons = nil
		}
		expect(t, f, want)
	}
}

func TestWhatATokenSaysIsReadAndNotChanged(t *testing.T) {
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"email":"ada@example.org"}`)) + ".c2ln"
	f := read(t, nestedMapping, message("/x", "application/json", `{"a":"`+jwt+`"}`))
	if _, err := f.Rewrite([]Edit{{Field: 0, Value: "***"}}); err == nil {
		t.Error("a signed token was changed")
	}
	if out, err := f.Rewrite([]Edit{{Field: 0, Drop: true}}); err != nil || out.Text != `{}` {
		t.Errorf("dropping what a token says gave %s, %v", out.Text, err)
	}
}

func TestKeysOfAFormThatArePeople(t *testing.T) {
	f := read(t, `
  - {on: POST /x, subjects: 'to.*', fields: {'#': user.contact.email, name: user.name}}
`, message("/x", formType, "to%5Bada%40example.org%5D[name]=Ada&to[Bob]=&to[bob%2Bx@example.org][name]=Bob"))
	expect(t, f, `email=ada@example.org: user.contact.email to.ada@example.org="ada@example.org" user.name to.ada@example.org.name="Ada"
		email=bob+x@example.org: user.contact.email to.bob+x@example.org="bob+x@example.org" user.name to.bob+x@example.org.name="Bob"`)
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "x@y"}, {Field: 2, Value: "x@y"}})
	if err != nil || out.Text != "to%5Bx%40y%5D[name]=Ada&to[Bob]=&to[x%40y-2][name]=Bob" {
		t.Errorf("%s, %v", out.Text, err)
	}
	if out, err = f.Rewrite([]Edit{{Field: 2, Drop: true}}); err != nil || out.Text != "to%5Bada%40example.org%5D[name]=Ada&to[Bob]=" {
		t.Errorf("%s, %v", out.Text, err)
	}
}

func TestAMappedTextStaysOneLeaf(t *testing.T) {
	f := read(t, nestedMapping, message("/x", "application/json", `{"note":"{\"email\":\"ada@example.org\"}"}`))
	expect(t, f, `: user.content.private note="{\"email\":\"ada@example.org\"}" user.contact.email note="ada@example.org"`)
}

func TestDecodersThatDoNotFitAreSaid(t *testing.T) {
	f := read(t, nestedMapping, message("/x", "application/json", `{"data":"?","vars":{"ada@example.org":{"first":"Ada"}},"message":"{\"to\":"}`))
	expect(t, f, `email=ada@example.org: unclassified data="?" user.contact.email vars.ada@example.org="ada@example.org" user.name.first vars.ada@example.org.first="Ada"`, exposure.IncompleteSyntax)
}

func TestTheDropOfAllThatAStringHoldsTakesTheString(t *testing.T) {
	f := read(t, nestedMapping, message("/x", "application/json", `{"x":1,"a":"RGVhciBBZGEsIGhvdyBhcmUgeW91Pw==","b":"data:,Ada%20L"}`))
	if got := changed(t, f, "a|base64", Edit{Drop: true}); got != `{"x":1,"b":"data:,Ada%20L"}` {
		t.Error(got)
	}
	if got := changed(t, f, "b|data", Edit{Value: "B/"}); got != `{"x":1,"a":"RGVhciBBZGEsIGhvdyBhcmUgeW91Pw==","b":"data:,B%2F"}` {
		t.Error(got)
	}
}

// whatever is edited, a valid document stays valid at every depth, and edits
// that change nothing change no byte.
func holds(t *testing.T, f *Findings, body string, valid bool) {
	t.Helper()
	if out, err := f.Rewrite(keepAll(f)); err != nil || string(out.Body) != body {
		t.Fatalf("%q became %q, %v", body, out.Body, err)
	}
	for name, edits := range map[string][]Edit{"dropped": dropAll(f), "masked": maskAll(f)} {
		out, err := f.Rewrite(edits)
		if err == nil && valid && !strictly([]byte(out.Text)) {
			t.Fatalf("%q %s is %q", body, name, out.Text)
		}
		for i := range edits {
			out, err := f.Rewrite(edits[i : i+1])
			if err == nil && valid && !strictly([]byte(out.Text)) {
				t.Fatalf("%q with %s %s is %q", body, f.Fields()[i].Path, name, out.Text)
			}
		}
	}
	if len(f.Places()) != len(f.Fields()) {
		t.Fatal("places and fields differ")
	}
}

// FuzzLayers puts any text into every place that is opened.
func FuzzLayers(f *testing.F) {
	for _, s := range []string{`{"to":"a@b","text":"x"}`, `{"a@b":{"first":"A"},"c@d":null}`, "To: a@b\r\n\r\nhi", "a;b\n1;2", "<a>b</a>", `[{"x":"{}"}]`, "eyJhIjoxfQ.eyJhIjoxfQ.x", "data:;base64,e30", "a[b@c]=1&a[type]=x"} {
		f.Add(s)
	}
	c := classifier(f, spec(f, nestedMapping+variantMapping+`
  - {on: POST /y, fields: {'f|form.a.*.#': user.contact.email, 'm|mime.to|addresses[].email': user.contact.email, 'c|csv[].a': user.name, 'x|xml.a': user.name, 'l|lines[].to': user.contact.email, 'b|base64': user.name}}
`))
	f.Fuzz(func(t *testing.T, text string) {
		quoted := string(appendEscaped(nil, text))
		b64 := base64.StdEncoding.EncodeToString([]byte(text))
		for path, body := range map[string]string{
			"/x": `{"message":"` + quoted + `","data":"` + b64 + `","vars":"` + quoted + `","batch":["` + quoted + `"],"z":"` + quoted + `"}`,
			"/y": `{"f":"` + quoted + `","m":"` + quoted + `","c":"` + quoted + `","x":"` + quoted + `","l":"` + quoted + `","b":"` + b64 + `","b2":"` + b64 + `"}`,
		} {
			found := c.Classify(c.spec.Match("POST", path), message(path, "application/json", body))
			if found.work > 64*len(body)+1024 {
				t.Fatalf("%d steps for %d bytes", found.work, len(body))
			}
			holds(t, &found, body, strictly([]byte(body)))
		}
		form := "message=" + url.QueryEscape(text) + "&data=" + url.QueryEscape(b64) + "&vars=" + url.QueryEscape(text)
		found := c.Classify(c.spec.Match("POST", "/x"), message("/x", formType, form))
		holds(t, &found, form, false)
	})
}
