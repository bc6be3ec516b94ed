package classify

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"cordon/internal/exposure"
)

const upload = "multipart/form-data; boundary=b"

// addresses lists whom a message names by address.
func addresses(f *Findings) (list []string) {
	for _, p := range f.People() {
		for _, id := range p.Identifiers {
			list = append(list, id.Value)
		}
	}
	return list
}

func TestNamesOfEmptyPartsAreRead(t *testing.T) {
	for what, disposition := range map[string]string{
		"file":  `name="f"; filename="ada@example.org.csv"`,
		"field": `name="ada@example.org"`,
	} {
		f := read(t, mail, message("/other", upload, "--b\r\nContent-Disposition: form-data; "+disposition+"\r\n\r\n\r\n--b--\r\n"))
		found := slices.ContainsFunc(f.Fields(), func(at Field) bool {
			return at.Category == exposure.Email && at.Value() == "ada@example.org"
		})
		if !found {
			t.Errorf("an empty %s: the address in its name is missed; fields %v, people %v", what, f.Fields(), addresses(f))
		}
	}
}

func TestNoPieceOfAnAddressInTemplates(t *testing.T) {
	for _, m := range []*Message{
		message("/other", "application/x-www-form-urlencoded", "ada.lovelace%40example.org=1"),
		message("/other", "application/x-www-form-urlencoded", "to[ada.lovelace%40example.org]=1"),
		message("/other", upload, "--b\r\nContent-Disposition: form-data; name=\"ada.lovelace@example.org\"\r\n\r\n1\r\n--b--\r\n"),
	} {
		f := read(t, mail, m)
		list := f.Unmapped()
		if len(list) == 0 {
			t.Errorf("%s: nothing was found", m.Body)
		}
		for _, template := range list {
			if strings.Contains(template, "ada") || strings.Contains(template, "org") {
				t.Errorf("%s: the template %q tells of the address", m.Body, template)
			}
		}
	}
}

// cost is the processor time, in seconds, and the memory that do takes.
func cost(do func()) (seconds float64, bytes uint64) {
	var before, after runtime.MemStats
	var r0, r1 syscall.Rusage
	runtime.ReadMemStats(&before)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r0)
	do()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r1)
	runtime.ReadMemStats(&after)
	return float64(r1.Utime.Nano()-r0.Utime.Nano()) / 1e9, after.TotalAlloc - before.TotalAlloc
}

// Both texts are searched for names by people of whom there are thousands; a
// step per person and word, or per letter and person, would be hundreds of
// millions.
func TestManyPeopleAreSearchedForInLinearTime(t *testing.T) {
	d := people(t)
	var namesakes, letters strings.Builder
	namesakes.WriteString(`{"people":[{"to":[`)
	letters.WriteString(`{"people":[`)
	for i := range 12_000 {
		email := fmt.Sprintf("%d@example.org", i)
		d.add(t, email, map[exposure.Category]string{exposure.Name: "Anna Nowak"})
		fmt.Fprintf(&namesakes, `{"email":%q},`, email)
		fmt.Fprintf(&letters, `{"to":[{"email":%q}],"subject":"Ada Lovelace"},`, email)
	}
	fmt.Fprintf(&namesakes, `{"email":"ada@example.org"}]}],"content":[{"value":%q}]}`, strings.Repeat("anna nowak ", 40_000)+"Ada Lovelace")
	letters.WriteString(`{"to":[{"email":"ada@example.org"}],"subject":"Ada Lovelace"}]}`)
	for what, body := range map[string]string{"namesakes": namesakes.String(), "letters": letters.String()} {
		f := read(t, mail, message("/mail", "application/json", body))
		took, bytes := cost(func() { f.Search(d) })
		t.Logf("%s: %.2f s, %d MB", what, took, bytes>>20)
		if bytes > 100<<20 { // the time is TestSearchOfManyPeopleIsLinear's
			t.Errorf("%s: %d MB", what, bytes>>20)
		}
		if !slices.ContainsFunc(f.Fields(), func(at Field) bool { return at.Category == exposure.Name && at.Value() == "Ada Lovelace" }) {
			t.Errorf("%s: Ada was not found", what)
		}
	}
}

func TestWhatWasNotSearchedIsSaid(t *testing.T) {
	d := people(t)
	f := read(t, mail, message("/mail", "application/json",
		`{"people":[{"to":[{"email":"ada@example.org"}],"subject":"`+strings.Repeat("ada x ", 2*maxSightings)+`"}]}`))
	f.Search(d)
	if !slices.Contains(f.Incomplete(), exposure.IncompleteBudget) {
		t.Errorf("the search stopped at %d sightings and says %v", maxSightings, f.Incomplete())
	}
}
