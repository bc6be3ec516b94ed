package classify

import "testing"

func TestHeaderThatIsAnAddressIsOnRecord(t *testing.T) {
	m := message("/person", formType, "name=Ada")
	m.Header["X-On-Behalf-Of"] = []string{"Ada Lovelace <ada@example.org>"}
	m.Header["Authorization"] = []string{"Basic ada@example.org"}
	m.Header["X-Client"] = []string{`{"uname":"Linux (builder@host)"}`, "mailto:ada@example.org, x"}
	f := read(t, flat, m)
	found := 0
	for i, at := range f.Fields() {
		if at.src == inHeader {
			found++
			if at.Value() != "Ada Lovelace <ada@example.org>" || at.Path != "X-On-Behalf-Of:" {
				t.Errorf("field %d: %s = %q", i, at.Path, at.Value())
			}
			out, err := f.Rewrite([]Edit{{Field: i, Drop: true}})
			if _, still := out.Header["X-On-Behalf-Of"]; err != nil || still || len(m.Header["X-On-Behalf-Of"]) != 1 {
				t.Errorf("dropped: %v, %v", out.Header, err)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d headers found, want one", found)
	}
}
