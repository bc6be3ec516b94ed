package classify

import (
	"strings"
	"testing"

	"cordon/internal/exposure"
)

func TestAnAddressThatServesAsAKeyIsFound(t *testing.T) {
	for name, c := range map[string]struct{ path, body string }{
		"on a route that nothing maps": {"/unknown", `{"prefs":{"carol@example.net":{"daily":true}}}`},
		"with a scalar":                {"/unknown", `{"carol@example.net":3}`},
		"with null":                    {"/unknown", `{"carol@example.net":null}`},
		"in what a mapping covers":     {"/person", `{"id":"u1","meta":{"carol@example.net":[1,2]}}`},
	} {
		f := read(t, flat, message(c.path, "application/json", c.body))
		found := false
		for _, at := range f.Fields() {
			found = found || at.Category == exposure.Email && at.Value() == "carol@example.net"
		}
		if !found || len(f.Incomplete()) > 0 {
			t.Errorf("%s: incomplete %v:\n%s", name, f.Incomplete(), show(f))
		}
		for _, template := range f.Unmapped() {
			if strings.Contains(template, "carol") {
				t.Errorf("%s: template %q", name, template)
			}
		}
		if out, err := f.Rewrite(nil); err != nil || string(out.Body) != c.body {
			t.Errorf("%s: left %s, %v", name, out.Body, err)
		}
	}
}
