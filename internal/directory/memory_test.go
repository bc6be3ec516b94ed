package directory

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

func memory(t *testing.T, o MemoryOptions, text string) *Memory {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Now = now
	m, answer, err := LoadMemory(context.Background(), path, o)
	if err != nil || answer.RejectedRows > 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	return m
}

func must(t *testing.T, kind exposure.Kind, text string) exposure.Identifier {
	t.Helper()
	id, err := exposure.Canonical(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const household = `id,email,phone,name,street,city,country
u1,ada@example.org,+49 30 123456,Ada Lovelace,12 St James's Square,Ulm,DE
u2,bob@example.org,,Bob Babbage,,,
u2,late@example.org,,Bob Again,,,
u3,info@example.org,,Cem,,,
u4,info@example.org,,Dee,,,
u5,info@example.org,,Eve,,,
u6,info@example.org,,Fay,,,
`

func TestDirectoryInMemoryKnowsPeopleByEveryName(t *testing.T) {
	m := memory(t, MemoryOptions{}, household)
	ada := must(t, exposure.KindEmail, "ada@example.org")
	for _, id := range append(ada.Hashes(), ada, must(t, exposure.KindUserID, "u1"), must(t, exposure.KindPhone, "030 123456"), must(t, exposure.KindPhone, "+4930123456")) {
		if who, ok, _ := m.PersonID([]exposure.Identifier{id}); who != "u1" || !ok || !m.Knows(id) {
			t.Errorf("%v is %q, %v", id, who, ok)
		}
		found := map[exposure.Category]int{}
		for _, n := range m.Needles([]exposure.Identifier{id}, nil) {
			found[n.Category]++
			if n.Category != exposure.Name && n.Category.Within(exposure.Name) { // the words of a name, each by itself
				found[exposure.Name]++
			}
		}
		for _, c := range []exposure.Category{exposure.Name, exposure.Street, exposure.City, exposure.Phone} {
			if found[c] == 0 {
				t.Errorf("nothing of %v is searched for: %v", c, found)
			}
		}
	}
	for _, text := range []string{"late@example.org", "nobody@example.org"} {
		if id := must(t, exposure.KindEmail, text); m.Knows(id) || len(m.Needles([]exposure.Identifier{id}, nil)) > 0 {
			t.Errorf("%s is known", text)
		}
	}
}

func TestSharedMailboxInMemoryNamesNobodyBesideSomethingBetter(t *testing.T) {
	m := memory(t, MemoryOptions{}, household)
	info, five, bob := must(t, exposure.KindEmail, "info@example.org"), must(t, exposure.KindUserID, "u5"), must(t, exposure.KindEmail, "bob@example.org")
	for want, ids := range map[string][]exposure.Identifier{"u5": {info, five}, "u2": {bob, info}, "": {info, must(t, exposure.KindUserID, "new")}, "u3": {info}} {
		if who, ok, _ := m.PersonID(ids); who != want || ok != (want != "") {
			t.Errorf("%v is %q, want %q", ids, who, want)
		}
	}
	if who, ok, _ := m.PersonID([]exposure.Identifier{bob, five}); ok {
		t.Errorf("two people are %q", who)
	}
}

func TestDirectoryInMemoryWithoutValuesSearchesForNothing(t *testing.T) {
	m := memory(t, MemoryOptions{NoValues: true}, household)
	ada := must(t, exposure.KindEmail, "ada@example.org")
	if !m.Knows(ada) || len(m.Needles([]exposure.Identifier{ada}, nil)) > 0 {
		t.Errorf("known: %v, needles: %v", m.Knows(ada), m.Needles([]exposure.Identifier{ada}, nil))
	}
}

func TestNamesInTwoColumnsAreOneName(t *testing.T) {
	people, _ := load(t, CSV, "id,given name,Surname,zip,town\n1, Ada ,Lovelace, 89073 ,Ulm\n2,Ada,,,\n3,"+strings.Repeat("x", 300)+",,,\n")
	want := []Value{{exposure.FirstName, "Ada"}, {exposure.LastName, "Lovelace"}, {exposure.PostalCode, "89073"}, {exposure.City, "Ulm"}, {exposure.Name, "Ada Lovelace"}}
	if got := people[0].Values; len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if people[0].Values[i] != want[i] {
			t.Errorf("%v, want %v", people[0].Values[i], want[i])
		}
	}
	if len(people[1].Values) != 1 || len(people[2].Values) != 0 {
		t.Errorf("%v, %v", people[1].Values, people[2].Values)
	}
}
