package vendor

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func only(t *testing.T, problems []strict.Problem, part string) strict.Problem {
	t.Helper()
	if len(problems) != 1 || !strings.Contains(problems[0].Problem, part) || problems[0].Fix == "" {
		t.Fatalf("problems %v, want one about %q", problems, part)
	}
	return problems[0]
}

// The contract's example with its placeholders filled in.
func TestContractExample(t *testing.T) {
	text, err := os.ReadFile("testdata/contract-example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("ab", 32)
	full := strings.NewReplacer(`"sha256:..."`, `"sha256:`+hash+`"`, `sha256: "..."`, "sha256: "+hash, "catalogue: sendgrid ", "#").Replace(string(text))
	s, problems := Parse("vendors/acme-mail.yaml", []byte(full))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := s.Manifest
	if s.ID != "acme-mail" || s.Mode != Enforce || s.Unclassified != exposure.Hold || s.WhenCut != "hold" || m.Contract.NoticeHours != 24 ||
		m.Contract.Subprocessors[0].Country != "US" || m.Webhook.DeliverTo != "http://127.0.0.1:3000/hooks" || m.SMTP.Upstream != "127.0.0.1:1025" ||
		m.Credential.Value != "Bearer {secret}" || s.Upstream.Host != "api.sendgrid.com" || !reflect.DeepEqual(s.Hosts, []string{"api.sendgrid.com"}) {
		t.Errorf("%+v", s)
	}
	if r := s.Match("POST", "/v3/mail/send"); !r.Mapped() || !s.Routes[r.Index].Queueable || r.Mappings()[0].Subjects != "personalizations[].to[]" {
		t.Errorf("%+v", r)
	}
	if s.Action(exposure.Name) != Token || s.Action(exposure.MustCategory("user.name.first")) != Token || s.Action(exposure.Email) != Allow {
		t.Error("the policy is not what was written")
	}
}

func TestNearestKeyOfPolicyWins(t *testing.T) {
	s, problems := Parse("a.yaml", []byte("vendor: acme\nupstream: https://a.example\nminimize: {user: drop, user.contact: mask, user.contact.email: allow, default: mask}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for key, want := range map[string]Action{
		"user.contact.email": Allow, "user.contact.phone_number": Mask, "user.contact.address.city": Mask,
		"user.device.ip_address": Drop, "unclassified": Mask,
	} {
		if got := s.Action(exposure.MustCategory(key)); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestEveryManifestOfTheFolderIsReadAndNothingElse(t *testing.T) {
	dir := folder(t, map[string]string{
		"b.yaml": "vendor: b\nupstream: https://api.b.example\n", "a.yaml": "vendor: a\nupstream: http://127.0.0.1:9001\n",
		".hidden.yaml": "nonsense", "README.md": "nonsense",
	})
	specs, problems := LoadDir(dir)
	if len(problems) > 0 || len(specs) != 2 || specs[0].ID != "a" || specs[1].ID != "b" {
		t.Fatalf("%v %v", specs, problems)
	}
	if specs[0].Hosts != nil || specs[1].Hosts[0] != "api.b.example" {
		t.Errorf("hosts %v %v: an address is no name", specs[0].Hosts, specs[1].Hosts)
	}
}

func TestRefusesFileWithAnotherVendorsName(t *testing.T) {
	_, problems := LoadDir(folder(t, map[string]string{"acme.yaml": "vendor: acme-mail\nupstream: https://a.example\n"}))
	if p := only(t, problems, `called "acme-mail"`); p.Line != 1 || !strings.Contains(p.Fix, "acme-mail.yaml") {
		t.Errorf("%+v", p)
	}
}

func TestRefusesManifestThatWouldBeOverlooked(t *testing.T) {
	_, problems := LoadDir(folder(t, map[string]string{"acme.yml": "vendor: acme\n"}))
	only(t, problems, "not read")
}

func TestRefusesTwoVendorsThatListOneHost(t *testing.T) {
	_, problems := LoadDir(folder(t, map[string]string{
		"a.yaml": "vendor: a\nupstream: https://one.example\nhosts: [api.example]\n",
		"b.yaml": "vendor: b\nupstream: https://two.example\nhosts:\n  - two.example\n  - api.example\n",
	}))
	if p := only(t, problems, `"api.example" belongs to vendor "a"`); p.Line != 5 || !strings.HasSuffix(p.File, "b.yaml") {
		t.Errorf("%+v", p)
	}
}

func TestHostOfTwoAccountsAtOneVendorGoesToNeither(t *testing.T) {
	specs, problems := LoadDir(folder(t, map[string]string{
		"a.yaml": "vendor: a\nupstream: https://api.example\n", "b.yaml": "vendor: b\nupstream: https://api.example\n",
		"c.yaml": "vendor: c\nupstream: https://c.example\n",
	}))
	if len(problems) > 0 || len(specs[0].Hosts)+len(specs[1].Hosts) != 0 || len(specs[2].Hosts) != 1 {
		t.Errorf("%v %v", problems, specs)
	}
	specs, problems = LoadDir(folder(t, map[string]string{
		"a.yaml": "vendor: a\nupstream: https://api.example\n", "b.yaml": "vendor: b\nupstream: https://api.example\nhosts: [api.example]\n",
	}))
	if len(problems) > 0 || len(specs[0].Hosts) != 0 || len(specs[1].Hosts) != 1 {
		t.Errorf("who lists the host gets it: %v %v", problems, specs)
	}
}

func TestRefusesFailoverToNobody(t *testing.T) {
	_, problems := LoadDir(folder(t, map[string]string{
		"a.yaml": "vendor: a\nupstream: https://a.example\nwhen_cut: failover:backup-mial\n", "backup-mail.yaml": "vendor: backup-mail\nupstream: https://b.example\n",
	}))
	if p := only(t, problems, "no manifest describes"); p.Line != 3 || !strings.Contains(p.Fix, "backup-mail") {
		t.Errorf("%+v", p)
	}
}

func TestMissingFolderSaysWhatToDo(t *testing.T) {
	_, problems := LoadDir(filepath.Join(t.TempDir(), "none"))
	only(t, problems, "cannot be read")
}

func TestProblemsOfAllFilesAtOnce(t *testing.T) {
	_, problems := LoadDir(folder(t, map[string]string{"a.yaml": "vendor: a\nupstrem: x\n", "b.yaml": "vendor: b\nupstream: https://b.example\nmode: x\n"}))
	if len(problems) != 3 {
		t.Errorf("%v", problems)
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/contract-example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("vendor: a\nupstream: https://a.example\nmapping: [{on: 'GET /a/{b}', in: path, fields: {b: user.name}}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, problems := Parse("f.yaml", data)
		if s == nil {
			t.Fatal("no spec")
		}
		for _, p := range problems {
			if p.Problem == "" || p.Fix == "" {
				t.Errorf("%+v", p)
			}
		}
		if len(problems) == 0 {
			if s.ID == "" || s.Upstream.Host == "" {
				t.Errorf("accepted without vendor or upstream: %+v", s)
			}
			for _, r := range s.Routes {
				if s.Match(r.Method, strings.NewReplacer("{", "", "}", "", "*", "x").Replace(r.Path)).Name == "" {
					t.Error("a route without a name")
				}
			}
		}
	})
}

// What the vendor issued itself it must go on knowing people by.
func TestAPolicyOfIDsDoesNotRenameTheVendorsOwn(t *testing.T) {
	for action, own := range map[Action]Action{Token: Allow, Hash: Allow, Mask: Mask, Drop: Drop} {
		policy, _ := expand(map[string]Action{"user.unique_id": action})
		if policy[exposure.UserID] != action {
			t.Errorf("%s of user ids became %s", action, policy[exposure.UserID])
		}
		if got, named := policy[exposure.Pseudonym]; own == Allow && named || own != Allow && got != own {
			t.Errorf("%s of user ids makes %q of the vendor's own", action, got)
		}
	}
	policy, _ := expand(map[string]Action{"user.unique_id": Token, "user.unique_id.pseudonymous": Token})
	if policy[exposure.Pseudonym] != Token {
		t.Errorf("named itself it became %q", policy[exposure.Pseudonym])
	}
}
