package classify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"cordon/internal/exposure"
)

// strictly reports whether jsontext reads body as one JSON value.
func strictly(body []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err := d.ReadValue(); err != nil {
		return false
	}
	_, err := d.ReadToken()
	return err != nil && err.Error() == "EOF"
}

// depth is how deep brackets nest, outside strings.
func depth(body string) (deepest int) {
	open, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

func TestJSONDefectsAreNamedAndReadingGoesOn(t *testing.T) {
	const ada = "email=ada@example.org: user.contact.email email=\"ada@example.org\""
	for _, c := range []struct {
		name, body string
		reason     exposure.Reason
		want       string
	}{
		{"a key twice", `{"email":"ada@example.org","email":"ada@example.org"}`, exposure.IncompleteDuplicateKey, ada + ` user.contact.email email="ada@example.org"`},
		{"a key twice, once escaped", `{"email":"ada@example.org","\u0065mail":"ada@example.org"}`, exposure.IncompleteDuplicateKey, ada + ` user.contact.email email="ada@example.org"`},
		{"a lone high surrogate", `{"email":"ada@example.org","name":"\ud800"}`, exposure.IncompleteUTF8, ada + " user.name name=\"\ufffd\""},
		{"a lone low surrogate", `{"email":"ada@example.org","amount":"\udc00x"}`, exposure.IncompleteUTF8, ada},
		{"surrogates the wrong way round", `{"email":"ada@example.org","amount":"\udc00\ud800"}`, exposure.IncompleteUTF8, ada},
		{"invalid UTF-8", "{\"email\":\"ada@example.org\",\"amount\":\"\xff\"}", exposure.IncompleteUTF8, ada},
		{"an encoded surrogate", "{\"email\":\"ada@example.org\",\"amount\":\"\xed\xa0\x80\"}", exposure.IncompleteUTF8, ada},
		{"a second document", `{"email":"ada@example.org"} {"amount":1}`, exposure.IncompleteSyntax, ada},
		{"a comma too many", `{"email":"ada@example.org",}`, exposure.IncompleteSyntax, ada},
		{"a comma too few", `{"amount":1 "email":"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"a leading zero", `{"amount":01,"email":"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"NaN", `{"amount":NaN,"email":"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"a key without quotes", `{amount:1,email:"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"a control character", "{\"amount\":\"\n\",\"email\":\"ada@example.org\"}", exposure.IncompleteSyntax, ada},
		{"an escape that is none", `{"amount":"\x","email":"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"a byte order mark", "\ufeff{\"email\":\"ada@example.org\"}", exposure.IncompleteSyntax, ada},
		{"a bracket that does not match", `{"amount":[1},"email":"ada@example.org"}`, exposure.IncompleteSyntax, ada},
		{"cut off in a value", `{"email":"ada@example.org`, exposure.IncompleteSyntax, ada},
		{"cut off in a key", `{"email":"ada@example.org","na`, exposure.IncompleteSyntax, ada + ` unclassified .="\"na"`},
		{"only white space", " \n", exposure.IncompleteSyntax, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, read(t, flat, message("/person", "application/json", c.body)), c.want, c.reason)
		})
	}
}

func TestWhatNestsTooDeepIsOneLeaf(t *testing.T) {
	body := strings.Repeat(`{"meta":`, maxDepth) + `{"x":["ada@example.org"]}` + strings.Repeat("}", maxDepth)
	f := read(t, flat, message("/person", "application/json", body))
	if len(f.Fields()) != 2 || f.Fields()[0].Value() != `{"x":["ada@example.org"]}` || f.Fields()[0].Category != exposure.Text {
		t.Errorf("found %s", show(f))
	}
	if r := f.Incomplete(); len(r) != 1 || r[0] != exposure.IncompleteDepth {
		t.Errorf("incomplete: %v", r)
	}
	out, err := f.Rewrite(dropAll(f))
	if err != nil || !strictly(out.Body) || strings.Contains(string(out.Body), "ada") {
		t.Errorf("rewritten to %s, %v", out.Body, err)
	}
	if f := read(t, flat, message("/person", "application/json", strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth))); len(f.Incomplete()) > 0 {
		t.Errorf("%d levels: %v", maxDepth, f.Incomplete())
	}
}

func TestDroppedMembersTakeTheirCommas(t *testing.T) {
	for body, want := range map[string]string{
		`{"email":"a@b.c"}`:                                  `{}`,
		`{ "email" : "a@b.c" , "amount" : 1 }`:               `{ "amount" : 1 }`,
		`{"amount":1, "email":"a@b.c", "name":"A"}`:          `{"amount":1}`,
		`{"amount":1,"email":"a@b.c","x":{},"name":"A"}`:     `{"amount":1,"x":{}}`,
		`{"tags":["a","b",{},"c"]}`:                          `{"tags":[{}]}`,
		`{"tags":["a","b"],"amount":1}`:                      `{"tags":[],"amount":1}`,
		`{"email":["a@b.c",null,"d@e.f"]}`:                   `{"email":[null]}`,
		`"ada"`:                                              `null`,
		`{"id":12345678901234567890,"amount":1.0,"name":""}`: `{"amount":1.0,"name":""}`,
	} {
		f := read(t, flat, message("/person", "application/json", body))
		if out, err := f.Rewrite(dropAll(f)); err != nil || string(out.Body) != want {
			t.Errorf("%s became %s, want %s, %v", body, out.Body, want, err)
		}
	}
}

func TestNewValuesAreEscapedForTheirPlace(t *testing.T) {
	f := read(t, flat, message("/person", "application/json", `{"name":"x","id":7,"meta":true}`))
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "a\"\\\n\u2028\xff"}, {Field: 1, Value: "8"}, {Field: 2, Value: "no"}})
	if want := "{\"name\":\"a\\\"\\\\\\u000a\u2028\ufffd\",\"id\":8,\"meta\":\"no\"}"; err != nil || string(out.Body) != want {
		t.Errorf("got %s, want %s, %v", out.Body, want, err)
	}
}

func TestManyKeysOfOneObjectAreComparedInLinearTime(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	f := read(t, flat, message("/person", "application/json", `{"amount":{`+b.String()+`"last":1}}`))
	linear(t, f)
	if len(f.Incomplete()) > 0 {
		t.Error(f.Incomplete())
	}
	f = read(t, flat, message("/person", "application/json", `{"amount":{`+b.String()+`"k7":1}}`))
	if r := f.Incomplete(); len(r) != 1 || r[0] != exposure.IncompleteDuplicateKey {
		t.Errorf("a key twice among many: %v", r)
	}
}

var jsonSeeds = []string{
	`{"people":[{"to":[{"email":"ada@example.org","name":"Ada"}],"data":{"a":[1,true,null]}}],"subject":"\u00e9\n"}`,
	`[]`, `{}`, `"x"`, `-0.5e+10`, `{"a":1,"a":2}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `[1,]`, `{"a" 1}`, `{a:1}`, "\ufeff{}", `[[[[`, `{"to":{"email":1}}`, `nul`, `{"":{"":[]}}`, "[\"\\u0000\"]",
	`{"people":{"to":"x","subject":1}}`, `[{"subject":"a"},{"subject":"b"}]`,
}

// FuzzJSON holds four promises: complete means that jsontext reads it too, and
// the other way round; edits that change nothing change no byte; valid JSON
// stays valid whatever is edited; work is linear.
func FuzzJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s), uint64(0xa5))
	}
	c := classifier(f, spec(f, mail))
	route := c.spec.Match("POST", "/mail")
	f.Fuzz(func(t *testing.T, body []byte, choice uint64) {
		m := message("/mail", "application/json", string(body))
		found := c.Classify(route, m)
		linear(t, &found)
		valid := strictly(body)
		if complete := len(found.Incomplete()) == 0 && len(body) > 0; complete != (valid && depth(string(body)) <= maxDepth) {
			t.Fatalf("%q: incomplete %v, jsontext accepts: %v", body, found.Incomplete(), valid)
		}
		if places := found.Places(); len(places) != len(found.Fields()) {
			t.Fatalf("%d places for %d fields", len(places), len(found.Fields()))
		}
		if out, err := found.Rewrite(keepAll(&found)); err != nil || !bytes.Equal(out.Body, body) {
			t.Fatalf("%q became %q, %v", body, out.Body, err)
		}
		if !valid {
			return
		}
		var edits []Edit
		for i := range found.Fields() {
			switch choice >> (i % 32 * 2) & 3 {
			case 0:
				edits = append(edits, Edit{Field: i, Drop: true})
			case 1:
				edits = append(edits, Edit{Field: i, Value: "*\"\\\x00*"})
			}
		}
		out, err := found.Rewrite(edits)
		if err != nil || !strictly(out.Body) {
			t.Fatalf("%q with %+v became %q, %v", body, edits, out.Body, err)
		}
	})
}
