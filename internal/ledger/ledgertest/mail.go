package ledgertest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/vendor"
)

const manifest = `vendor: acme-mail
name: Acme Mail
upstream: https://api.acme-mail.example
mapping:
  - on: POST /send
    subjects: to[]
    fields: {email: user.contact.email}
minimize: {default: allow}
unclassified: pass
`

// Mail clears a message to the addresses, through the real classifier and the
// real policy: nothing else makes a Cleared.
func Mail(t *testing.T, addresses ...string) *minimize.Cleared {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "acme-mail.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	specs, problems := vendor.LoadDir(dir)
	if len(problems) > 0 || len(specs) != 1 {
		t.Fatalf("the suite's own manifest: %v", problems)
	}
	classifier, err := classify.Compile(specs[0])
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	body.WriteString(`{"to":[`)
	for i, a := range addresses {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`{"email":"` + a + `"}`)
	}
	body.WriteString(`]}`)
	found := classifier.Classify(specs[0].Match("POST", "/send"), &classify.Message{
		Method: "POST", Path: "/send", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: body.Bytes(),
	})
	cleared, decision := minimize.Clear(&found, specs[0], nil)
	if decision.Verdict != exposure.Pass {
		t.Fatalf("the suite's own message: %+v", decision)
	}
	return &cleared
}
