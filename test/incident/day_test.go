package incident

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/test/rig"
)

func TestTheDayOfTheIncident(t *testing.T) {
	d := begin(t)
	p := d.people

	start := instant()
	for i := range 40 {
		d.took(d.mail(p[i]))
	}
	first := instant()
	for i := 30; i < 80; i += 5 {
		d.took(d.mail(p[i : i+5]...))
	}
	d.took(d.mail(stranger(1)))
	d.took(d.mail(stranger(2)))
	for i := 100; i < 130; i++ {
		d.took(d.contact(false, p[i], p[i+1]))
	}
	second := instant()
	d.everywhere(start, first, second)

	// Killed in the middle of the day: nothing that was answered is missing, and the answer says when Cordon was away.
	d.server.Kill()
	d.start()
	d.everywhere(start, first, second)
	for i := range 10 {
		d.took(d.mail(p[i]))
	}
	for i := 120; i < 150; i++ {
		d.took(d.contact(true, p[i]))
	}
	third := instant()
	d.everywhere(start, first, second, third)
	if a := d.compare(rig.Vendor, "held", start, third); len(a.Gaps) != 1 {
		t.Errorf("after one kill -9 the answer has %d gaps", len(a.Gaps))
	} else if len(a.NeverExposed) != 0 {
		t.Errorf("a window with a gap claims that %s was never exposed", a.NeverExposed)
	}
	if seen := len(d.wire.Seen()); seen != d.taken {
		t.Errorf("vendors saw %d messages, %d were answered", seen, d.taken)
	}
	d.exported(rig.Vendor)
	d.exported(crm)

	d.declarations(start, first, third)
	d.letter(start, first, third)
	d.incident(second)
	d.onePerson()
	d.erasure()
	d.backup()

	v, err := d.org.Verify()
	d.must(err)
	if !v.OK || len(v.Problems) != 0 {
		t.Errorf("the ledger does not verify: %+v", v)
	}
	d.must(d.server.Stop())
}

// declarations are what the vendor held before Cordon.
func (d *day) declarations(start, first, third time.Time) {
	d.Helper()
	d.write("held.csv", "email,held_since,categories\n"+
		d.people[200].email+",2025-01-01,user.contact.email\n"+
		d.people[201].email+",2025-06-01,\n"+
		d.people[0].email+",2025-06-01,\n"+
		stranger(9).email+",2025-03-01,\n"+
		"not an address,2025-03-01,\n")
	args := []string{"ledger", "backfill", rig.Vendor, filepath.Join(d.org.Dir, "held.csv"), "--categories", "user.contact.email,user.name"}
	var took struct {
		People, New  int
		RejectedRows int `json:"rejected_rows"`
		Rejected     []struct{ Line int }
	}
	d.ask(&took, append(args, "--dry-run")...)
	d.compare(rig.Vendor, "held", time.Time{}, time.Time{}) // nothing changed
	d.ask(&took, args...)
	if took.People != 4 || took.New != 1 || took.RejectedRows != 1 || took.Rejected[0].Line != 6 {
		d.Errorf("the declaration took %+v, of 4 people, 1 of them new, and line 6 wrong", took)
	}
	day := func(s string) time.Time { t, _ := time.Parse(time.DateOnly, s); return t }
	both := "user.contact.email user.name"
	for _, x := range []struct {
		p      person
		since  string
		fields string
	}{
		{d.people[200], "2025-01-01", "user.contact.email"}, {d.people[201], "2025-06-01", both},
		{d.people[0], "2025-06-01", both}, {stranger(9), "2025-03-01", both},
	} {
		d.oracle.sent = append(d.oracle.sent, sent{at: day(x.since), vendor: rig.Vendor, people: []person{x.p}, fields: strings.Fields(x.fields), declared: true})
	}
	d.everywhere(start, first, third)
	for _, until := range []string{"2025-01-01", "2025-02-01", "2025-04-01", "2025-07-01"} {
		d.compare(rig.Vendor, "held", time.Time{}, day(until))
	}
	d.run(2, append(args[:len(args)-1:len(args)-1], "user.contact.emial")...)
	d.exported(rig.Vendor)
}

// letter is the vendor's word that it deleted what it got at first. It speaks for windows after the deletion only,
// and not for those who got something later; once withdrawn it speaks for nobody.
func (d *day) letter(start, first, third time.Time) {
	d.Helper()
	deleted := instant()
	d.write("letter.txt", "We deleted everything.\n")
	statement := filepath.Join(d.org.Dir, "letter.txt")
	args := []string{"vendor", "attest", rig.Vendor, "--sent-before", text(first), "--deleted-at", text(deleted), "--statement", statement}
	var taken struct{ Entry int }
	d.ask(&taken, args...)
	d.oracle.letters = append(d.oracle.letters, letter{rig.Vendor, first, deleted})
	after := instant()
	d.everywhere(start, first, third, after)
	d.run(2, "vendor", "attest", rig.Vendor, "--sent-before", text(deleted), "--deleted-at", text(first), "--statement", statement)
	d.run(2, "vendor", "attest", rig.Vendor, "--sent-before", text(first), "--deleted-at", text(time.Now().Add(time.Hour)), "--statement", statement)

	d.server.Kill() // what a letter says is in the ledger, not in memory
	d.start()
	d.compare(rig.Vendor, "held", after, time.Time{})

	d.run(0, "vendor", "attest", rig.Vendor, "--withdraw", fmt.Sprint(taken.Entry), "--statement", statement)
	d.oracle.letters = nil
	d.compare(rig.Vendor, "held", after, time.Time{})
}

// incident goes from the opening to the bundle that an examiner checks.
func (d *day) incident(since time.Time) {
	d.Helper()
	type told struct {
		Incident, State string
		Facts           map[string]string
		Scope           answer
		Timeline        []struct{ At, Discovered, Recorded, Actor, What string }
	}
	var i told
	d.ask(&i, "incident", "open", "--vendor", rig.Vendor, "--aware", "now")
	all := d.oracle.scope(rig.Vendor, "held", time.Time{}, time.Time{})
	if i.State != "open" || i.Scope.Subjects != all.Subjects || i.Scope.Frozen == "" || i.Scope.Certain != 0 {
		d.Errorf("opened: %s, %d people (not %d), frozen as %q", i.State, i.Scope.Subjects, all.Subjects, i.Scope.Frozen)
	}
	frozen := i.Scope.Frozen
	d.run(1, "incident", "open", "--vendor", rig.Vendor) // one is enough
	d.run(0, "incident", "fact", i.Incident, "occurred="+text(since), "risk=high")
	for _, wrong := range []string{"risk=severe", "ocurred=now", "aware=2099-01-01T00:00:00Z", "aware=2026-02-05T18:30:00", "risk"} {
		d.run(2, "incident", "fact", i.Incident, wrong)
	}

	// The vendor's list: two whom it reached, one whom it never got, one whom nobody knows.
	list := d.write("accessed.csv", "email\n"+d.people[3].email+"\n"+strings.ToUpper(d.people[45].email)+"\n"+d.people[250].email+"\nghost@nowhere.test\n")
	var took struct {
		Rows, Matched, Certain int
		NotHeld                int `json:"not_held"`
		Unmatched              []int
	}
	d.ask(&took, "incident", "accessed", i.Incident, list)
	if took.Rows != 4 || took.Matched != 3 || took.Certain != 2 || took.NotHeld != 1 || len(took.Unmatched) != 1 || took.Unmatched[0] != 5 {
		d.Errorf("the list of the vendor: %+v", took)
	}
	if a := d.compare(rig.Vendor, "held", time.Time{}, time.Time{}, "--incident", i.Incident); a.Certain != 2 {
		d.Errorf("%d people are certain, of 2 who were reached and are on the list", a.Certain)
	}

	// What happens later changes no frozen scope.
	d.took(d.mail(d.people[80], d.people[81]))
	var old answer
	d.ask(&old, "scope", "--frozen", frozen)
	if got, want := differs(old.count(), all), ""; got != want || old.Certain != 0 {
		d.Errorf("%s of the frozen scope changed: %+v", got, old.count())
	}
	d.compare(rig.Vendor, "held", time.Time{}, time.Time{})

	// Cut is cut, also after a restart; leaving people out, and opening the gate, wants two.
	d.run(0, "cut", rig.Vendor, "--yes")
	if status := d.mail(d.people[90]); status != 503 {
		d.Errorf("a message after the cut was answered with %d", status)
	}
	d.run(3, "restore", rig.Vendor, "--yes")
	d.run(3, "scope", rig.Vendor, "--freeze", "--incident", i.Incident, "--since", text(time.Now().Add(-time.Second)), "--basis", "sent")
	d.server.Kill()
	d.start()
	if status := d.mail(d.people[90]); status != 503 {
		d.Errorf("a message after the cut and a restart was answered with %d", status)
	}
	d.compare(rig.Vendor, "held", time.Time{}, time.Time{})
	d.ask(&i, "incident", "show", i.Incident)
	if i.Facts["risk"] != "high" || i.Facts["aware"] == "" || len(i.Timeline) < 5 {
		d.Errorf("the incident after a restart: facts %v, %d lines of the timeline", i.Facts, len(i.Timeline))
	}
	d.run(3, "erase", d.people[3].email, "--yes") // an open incident suspends it
	d.evidence(i.Incident, all.Subjects)
}

// evidence is checked by the program that the examiner has.
func (d *day) evidence(incident string, subjects int) {
	d.Helper()
	whole, redacted := filepath.Join(d.org.Dir, "whole.evidence"), filepath.Join(d.org.Dir, "redacted.evidence")
	key := filepath.Join(d.org.Dir, "keys", "checkpoint.pub")
	d.run(0, "evidence", "export", incident, "-o", whole)
	d.run(0, "evidence", "redact", whole, "-o", redacted)
	out, code := d.verify("--key", key, whole)
	if code != 0 || !strings.Contains(out, fmt.Sprintf("%d people", subjects)) {
		d.Errorf("cordon-verify ended with %d:\n%s", code, out)
	}
	if out, code = d.verify("--key", key, redacted); code != 0 {
		d.Errorf("cordon-verify of the redacted bundle ended with %d:\n%s", code, out)
	}
	if out, code = d.verify("--key", d.wrongKey(), whole); code != 4 || !strings.Contains(out, "another key") {
		d.Errorf("with another key cordon-verify ended with %d:\n%s", code, out)
	}
	data, err := os.ReadFile(whole)
	d.must(err)
	for n := range 40 {
		changed := bytes.Clone(data)
		changed[n*len(data)/40+7] ^= 1
		if out, code := d.verify("--key", key, d.write("changed.evidence", string(changed))); code != 4 || !strings.HasPrefix(out, "NOT VERIFIED: ") {
			d.Errorf("with a bit of byte %d changed cordon-verify ended with %d:\n%s", n*len(data)/40+7, code, out)
		}
	}
	if out, code := d.verify(d.write("short.evidence", string(data[:len(data)-600]))); code != 4 {
		d.Errorf("of a bundle that was cut short cordon-verify ended with %d:\n%s", code, out)
	}
	for _, p := range d.people {
		if bytes.Contains(data, []byte(p.email)) {
			d.Fatalf("the bundle names %s", p.email)
		}
	}
}

type history struct {
	Subject *string
	Vendors []struct {
		Vendor      string
		Categories  []string
		Protected   map[string]string
		First, Last time.Time
		Disclosures int
	}
}

// onePerson is what each vendor got about some of them.
func (d *day) onePerson() {
	d.Helper()
	for _, p := range []person{d.people[0], d.people[3], d.people[35], d.people[125], d.people[149], d.people[81], stranger(1)} {
		var h history
		d.ask(&h, "subject", p.email)
		got := map[string]int{}
		for _, v := range h.Vendors {
			got[v.Vendor] = v.Disclosures
			if v.Disclosures > 0 && v.Last.Before(v.First) {
				d.Errorf("%s got something about %s last at %v and first at %v", v.Vendor, p.email, v.Last, v.First)
			}
			if c, want := cohort(v.Categories, v.Protected), d.oracle.scope(v.Vendor, "held", time.Time{}, time.Time{}).people[p.email]; c != want {
				d.Errorf("%s holds %q about %s, not %q", v.Vendor, c, p.email, want)
			}
		}
		for _, vendor := range []string{rig.Vendor, crm} {
			if want := d.oracle.messages(vendor, p); got[vendor] != want {
				d.Errorf("%s got %d messages about %s, the answer says %d", vendor, want, p.email, got[vendor])
			}
		}
		if p.id != "" && (h.Subject == nil || *h.Subject != p.id) {
			d.Errorf("the subject of %s is not %s", p.email, p.id)
		}
	}
	report := filepath.Join(d.org.Dir, "answer.md")
	d.run(0, "subject", d.people[125].email, "--report", report)
	data, err := os.ReadFile(report)
	d.must(err)
	if !bytes.Contains(data, []byte("Acme CRM")) || bytes.Contains(data, []byte("Acme Mail")) {
		d.Errorf("the answer to the person:\n%s", data)
	}
}

// erasure of one who is in no incident: nobody finds her any more, and she is counted as before.
func (d *day) erasure() {
	d.Helper()
	p := d.people[140]
	before := d.compare(crm, "held", time.Time{}, time.Time{})
	d.run(0, "erase", p.email, "--dry-run")
	d.run(0, "legal-hold", "set", "case-1", "--person", p.email)
	d.run(3, "erase", p.email, "--yes")
	d.compare(crm, "held", time.Time{}, time.Time{})
	d.run(0, "legal-hold", "lift", "case-1")
	var done struct {
		People int
		PassOn []struct{ Vendor string } `json:"pass_on"`
	}
	d.ask(&done, "erase", p.email, "--yes")
	if done.People != 1 || len(done.PassOn) != 1 || done.PassOn[0].Vendor != crm {
		d.Errorf("erased: %+v", done)
	}
	// A file that still names her would bring her back when it is next loaded.
	left := append(append([]person(nil), d.people[:140]...), d.people[141:]...)
	d.write("people.csv", file(left))
	check := func() {
		d.Helper()
		var h history
		d.ask(&h, "subject", p.email)
		if h.Subject != nil || len(h.Vendors) != 0 {
			d.Errorf("somebody who was erased is found: %+v", h)
		}
		var a answer
		d.ask(&a, "scope", crm)
		a.UnknownSubjects--
		if name := differs(a.count(), before.count()); name != "" {
			d.Errorf("%s changed by an erasure:\n%+v\n%+v", name, a.count(), before.count())
		}
	}
	check()
	var list struct {
		PassOn []struct {
			Vendor   string
			PassedOn int `json:"passed_on"`
		} `json:"pass_on"`
	}
	d.run(0, "erase", "--passed-on", crm)
	d.ask(&list, "erase", "--list")
	if len(list.PassOn) != 1 || list.PassOn[0].PassedOn != 1 {
		d.Errorf("passed on: %+v", list)
	}
	d.server.Kill()
	d.start()
	check()
}

// backup comes back with every gate shut and the same answers.
func (d *day) backup() {
	d.Helper()
	var a, b answer
	d.ask(&a, "scope", rig.Vendor)
	backup := filepath.Join(d.org.Dir, "cordon.tar")
	d.run(0, "ledger", "backup", backup)
	data, err := os.ReadFile(backup)
	d.must(err)
	d.must(d.server.Stop())
	d.must(os.RemoveAll(filepath.Join(d.org.Dir, "mirror"))) // lost with the disk: else it wants the loss declared

	changed := bytes.Clone(data)
	changed[len(data)/2] ^= 1
	fresh := filepath.Join(d.org.Dir, "restored")
	d.run(1, "ledger", "restore", d.write("changed.tar", string(changed)), "--data", fresh)
	d.run(1, "ledger", "restore", d.write("short.tar", string(data[:len(data)/2])), "--data", fresh)
	d.run(1, "ledger", "restore", backup, "--data", filepath.Join(d.org.Dir, "vendors")) // not empty
	d.run(0, "ledger", "restore", backup, "--data", fresh)

	d.must(os.Rename(filepath.Join(d.org.Dir, "data"), filepath.Join(d.org.Dir, "lost")))
	d.must(os.Rename(fresh, filepath.Join(d.org.Dir, "data")))
	d.start()
	var status struct {
		Vendors []struct{ Vendor, Gate string }
	}
	d.ask(&status, "status")
	for _, v := range status.Vendors {
		if v.Gate != "cut" {
			d.Errorf("after a restore %s is %s", v.Vendor, v.Gate)
		}
	}
	if code := d.contact(false, d.people[100]); code != 503 {
		d.Errorf("after a restore a message was answered with %d", code)
	}
	d.ask(&b, "scope", rig.Vendor)
	if name := differs(b.count(), a.count()); name != "" {
		d.Errorf("%s of the restored ledger differ:\n%+v\n%+v", name, b.count(), a.count())
	}
}
