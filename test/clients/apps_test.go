package clients

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"photos/people"
	"photos/vendorsim"
)

func TestExecSendsAsTheAppThatIsNamedAndNowhereElse(t *testing.T) {
	mail, err := vendorsim.Mail("127.0.0.1:0", vendorsim.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	all := people.Generate(10, 9)
	gate := startCordon(t, map[string]string{"acme-mail": mail.URL(), "acme-insight": unused}, all, map[string]string{
		"":                  "apps:\n- {app: web, token: file:web.token, vendors: [acme-mail]}\n- {app: worker, token: file:worker.token}\n",
		"keys/web.token":    "token-of-web",
		"keys/worker.token": "token-of-worker",
	})
	// send is curl under exec; it returns what curl or cordon printed.
	send := func(url string, to people.Person, flags ...string) string {
		body := fmt.Sprintf(`{"personalizations":[{"to":[{"email":%q}]}],"from":{"email":"hello@photos.example"},"subject":"s","content":[{"type":"text/plain","value":"v"}]}`, to.Email)
		args := append([]string{"exec", "--config", filepath.Join(gate.dir, "cordon.yaml")}, flags...)
		args = append(args, "--", "curl", "-sS", "-w", "%{http_code}", "-H", "Authorization: Bearer SG.test", "-H", "Content-Type: application/json", "-d", body, url)
		out, _ := exec.Command(gate.program, args...).CombinedOutput() // curl fails where it must
		return string(out)
	}
	const mailURL = "https://api.sendgrid.com/v3/mail/send"
	for app, p := range map[string]people.Person{"web": all[0], "worker": all[1]} {
		if out := send(mailURL, p, "--app", app); !strings.HasSuffix(out, "202") {
			t.Errorf("%s: %s", app, out)
		}
		expectExposed(t, gate, "acme-mail", []string{p.ID}, "--app", app)
	}
	for name, refused := range map[string]struct {
		url   string
		flags []string
		why   string
	}{
		"no app named":            {mailURL, nil, "which app sends is not clear"},
		"a vendor not its own":    {"https://api.segment.io/v1/track", []string{"--app", "web"}, "may not send to this vendor"},
		"a host of no vendor":     {"https://unknown.example/", []string{"--app", "worker"}, "403"},
		"a vendor past the limit": {"https://api.segment.io/v1/track", []string{"--app", "worker", "--vendor", "acme-mail"}, "403"},
	} {
		if out := send(refused.url, all[2], refused.flags...); !strings.Contains(out, refused.why) {
			t.Errorf("%s: %s", name, out)
		}
	}
	expectExposed(t, gate, "acme-mail", []string{all[0].ID, all[1].ID})
	if n := len(mail.Messages()); n != 2 {
		t.Errorf("the vendor received %d messages, want 2", n)
	}
	if strings.Contains(string(mail.Wire()), "token-of-") {
		t.Error("an app's token reached the vendor")
	}
}
