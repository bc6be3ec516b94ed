// Package incident lives through the day on which a vendor is breached, with the real binary as its users have
// it: messages, kill -9, scope, letters of the vendor, an incident from its opening to its end, one person's
// questions, evidence for an examiner, and a backup. Every figure is compared with an oracle that knows what was
// sent because it sent it.
package incident

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/test/rig"

	"golang.org/x/mod/sumdb/note"
)

const (
	crm    = "acme-crm"
	mailed = "user.contact.email user.content.private user.name" // what a mail carries
	bare   = "user.contact.email user.name=tokenised"            // what a contact carries
)

// day is the organisation on that day.
type day struct {
	*testing.T
	org      *rig.Org
	wire     *rig.Wire
	server   *rig.Server
	people   []person
	oracle   oracle
	verifier string
	taken    int // messages that a vendor answered
}

func (d *day) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// run runs a verb that has to end with this code.
func (d *day) run(code int, args ...string) rig.Result {
	d.Helper()
	r, err := d.org.Run(args...)
	d.must(err)
	if r.Code != code {
		d.Fatalf("cordon %s ended with %d, not %d:\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

func (d *day) ask(into any, args ...string) {
	d.Helper()
	d.must(d.org.JSON(into, args...))
}

// instant is a moment that lies apart from every message.
func instant() time.Time {
	time.Sleep(20 * time.Millisecond)
	t := time.Now().UTC().Truncate(time.Millisecond)
	time.Sleep(20 * time.Millisecond)
	return t
}

func text(t time.Time) string { return t.Format(time.RFC3339Nano) }

// post sends one message and enters it with the oracle if the vendor took it.
func (d *day) post(vendor, path string, body any, people []person, fields string) int {
	d.Helper()
	data, err := json.Marshal(body)
	d.must(err)
	at := time.Now()
	resp, err := http.Post("http://"+d.org.HTTP+"/"+vendor+path, "application/json", bytes.NewReader(data))
	d.must(err)
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode == http.StatusAccepted {
		d.oracle.sent = append(d.oracle.sent, sent{at: at, vendor: vendor, people: people, fields: strings.Fields(fields)})
		d.taken++
	}
	return resp.StatusCode
}

func (d *day) mail(people ...person) int {
	d.Helper()
	var to []any
	for _, p := range people {
		to = append(to, map[string]any{"to": []any{map[string]string{"email": p.email, "name": "Robin Example"}}})
	}
	return d.post(rig.Vendor, "/v3/mail/send", map[string]any{
		"personalizations": to, "from": map[string]string{"email": "hello@photos.example", "name": "Example Photos"}, "subject": "Your album is ready",
		"content": []any{map[string]string{"type": "text/plain", "value": "The pictures you chose are printed and on their way."}},
	}, people, mailed)
}

func (d *day) contact(phone bool, people ...person) int {
	d.Helper()
	fields := bare
	var contacts []any
	for _, p := range people {
		c := map[string]string{"email": p.email, "name": "Robin Example"}
		if phone {
			c["phone"] = p.phone
			fields = bare + " user.contact.phone_number=masked"
		}
		contacts = append(contacts, c)
	}
	return d.post(crm, "/contacts", map[string]any{"contacts": contacts}, people, fields)
}

// took fails unless a message was taken by the vendor.
func (d *day) took(status int) {
	d.Helper()
	if status != http.StatusAccepted {
		d.Fatalf("a message was answered with %d", status)
	}
}

// compare asks for a scope and compares all of its figures with the oracle's.
func (d *day) compare(vendor, basis string, since, until time.Time, more ...string) answer {
	d.Helper()
	args := []string{"scope", vendor, "--basis", basis}
	if !since.IsZero() {
		args = append(args, "--since", text(since))
	}
	if !until.IsZero() {
		args = append(args, "--until", text(until))
	}
	var a answer
	d.ask(&a, append(args, more...)...)
	want := d.oracle.scope(vendor, basis, since, until)
	if name := differs(a.count(), want); name != "" {
		got := a.count()
		want.people = nil
		d.Errorf("cordon %s: %s differ\n got %+v\nwant %+v", strings.Join(args, " "), name, got, want)
	}
	if a.Certain+a.Possible != a.Subjects || a.Incomplete != 0 {
		d.Errorf("cordon %s: certain %d and possible %d of %d; %d incomplete", strings.Join(args, " "), a.Certain, a.Possible, a.Subjects, a.Incomplete)
	}
	return a
}

// everywhere compares all windows between the instants, both vendors, both bases.
func (d *day) everywhere(instants ...time.Time) {
	d.Helper()
	bounds := append([]time.Time{{}}, instants...)
	for _, vendor := range []string{rig.Vendor, crm} {
		for _, basis := range []string{"held", "sent"} {
			for _, since := range bounds {
				d.compare(vendor, basis, since, time.Time{})
			}
			for i, since := range bounds {
				for _, until := range bounds[i+1:] {
					if basis == "sent" || since.IsZero() { // held looks at since for letters only
						d.compare(vendor, basis, since, until)
					}
				}
			}
		}
	}
}

func (d *day) start() {
	d.Helper()
	var err error
	d.server, err = d.org.Serve(time.Minute)
	d.must(err)
}

func (d *day) write(name, content string) string {
	d.Helper()
	path := filepath.Join(d.org.Dir, name)
	d.must(os.WriteFile(path, []byte(content), 0o600))
	return path
}

// exported compares the people of a scope, one by one, with the oracle's.
func (d *day) exported(vendor string) {
	d.Helper()
	path := filepath.Join(d.org.Dir, "exposed.csv")
	d.run(0, "scope", vendor, "--export", path)
	data, err := os.ReadFile(path)
	d.must(err)
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	d.must(err)
	if got := strings.Join(rows[0], ","); got != "id,cohort,categories,protected,country,language" {
		d.Errorf("the export begins with %q", got)
	}
	want, strangers := map[string]string{}, 0
	byAddress := map[string]person{}
	for _, p := range d.people {
		byAddress[p.email] = p
	}
	for email, cohort := range d.oracle.scope(vendor, "held", time.Time{}, time.Time{}).people {
		if p, ok := byAddress[email]; ok {
			want[p.id] = cohort + "," + p.country + "," + p.language
		} else {
			strangers++
		}
	}
	got := map[string]string{}
	for _, row := range rows[1:] {
		if row[0] == "" {
			strangers--
			continue
		}
		all := append(strings.Fields(row[2]), strings.Fields(row[3])...)
		slices.Sort(all)
		got[row[0]] = strings.Join(all, " ") + "," + row[4] + "," + row[5]
	}
	if !maps.Equal(got, want) || strangers != 0 {
		d.Errorf("the export of %s has %d people where %d were reached; %d strangers are missing", vendor, len(got), len(want), strangers)
		for id := range want {
			if got[id] != want[id] {
				d.Fatalf("%s: %q, not %q", id, got[id], want[id])
			}
		}
	}
}

// begin writes the organisation's folder and builds both programs.
func begin(t *testing.T) *day {
	t.Helper()
	d := &day{T: t, people: crowd(300)}
	dir := t.TempDir()
	binary, err := rig.Build(dir)
	d.must(err)
	d.verifier = filepath.Join(dir, "cordon-verify")
	out, err := exec.Command("go", "build", "-o", d.verifier, "cordon/cmd/cordon-verify").CombinedOutput()
	if err != nil {
		t.Fatalf("building cordon-verify: %v\n%s", err, out)
	}
	d.wire, err = rig.Listen(0)
	d.must(err)
	t.Cleanup(d.wire.Close)
	d.org, err = rig.New(binary, t.TempDir(), d.wire.Addr, 0)
	d.must(err)
	d.write("people.csv", file(d.people))
	d.write("vendors/"+crm+".yaml", fmt.Sprintf(`vendor: %s
name: Acme CRM
upstream: http://%s
mode: enforce
country: US
role: processor
mapping:
  - on: POST /contacts
    subjects: contacts[]
    fields: {email: user.contact.email, name: user.name, phone: user.contact.phone_number}
minimize: {user.name: token, user.contact.phone_number: mask, default: allow}
unclassified: pass
`, crm, d.wire.Addr))
	d.start()
	t.Cleanup(func() { d.server.Kill() })
	return d
}

// verify runs the offline verifier.
func (d *day) verify(args ...string) (string, int) {
	d.Helper()
	cmd := exec.Command(d.verifier, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		d.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// wrongKey is the public key of another ledger of the same name.
func (d *day) wrongKey() string {
	_, public, err := note.GenerateKey(rand.Reader, "photos.example/cordon")
	d.must(err)
	return d.write("wrong.pub", public+"\n")
}
