package people

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func TestPeopleAreTheSameForTheSameSeedAndDistinct(t *testing.T) {
	all := Generate(4000, 1)
	if !reflect.DeepEqual(all, Generate(4000, 1)) {
		t.Fatal("the same seed gave other people")
	}
	seen := map[string]string{}
	for _, p := range all {
		for _, id := range []string{p.ID, strings.ToLower(p.Email), p.Username, p.Phone} {
			if id == "" {
				continue
			}
			if other, twice := seen[id]; twice {
				t.Fatalf("%s and %s share %s", other, p.ID, id)
			}
			seen[id] = p.ID
		}
	}
}

func TestPeopleLiveInManyCountriesAndScriptsAndCannotBeReached(t *testing.T) {
	countries, scripts := map[string]bool{}, map[string]bool{}
	for _, p := range Generate(4000, 1) {
		countries[p.Country] = true
		for _, r := range p.Name {
			for script, table := range unicode.Scripts {
				if unicode.IsLetter(r) && unicode.Is(table, r) {
					scripts[script] = true
				}
			}
		}
		if at := strings.LastIndexByte(p.Email, '.'); p.Email[at:] != ".example" && p.Email[at:] != ".test" {
			t.Fatalf("%s could exist", p.Email)
		}
		if strings.ContainsFunc(p.Email, func(r rune) bool { return r > 0x7f || r == ' ' || r == '\'' }) {
			t.Fatalf("%q is no plain mailbox", p.Email)
		}
	}
	if len(countries) < 35 || len(scripts) < 15 {
		t.Fatalf("%d countries, %d scripts", len(countries), len(scripts))
	}
}
