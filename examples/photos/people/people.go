// Package people invents the users of the example organisation: the same ones
// for the same seed, in many countries, languages and scripts. No address
// leads anywhere (.example and .test, RFC 2606) and no phone rings (ranges that
// regulators keep for fiction).
package people

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Person is one invented user.
type Person struct {
	ID, Email, Phone, Name          string
	Country, State, Language, Birth string // State without its country (CA), Birth as YYYY-MM-DD; both may be empty
	Username, IP                    string
}

//go:embed names.txt
var names string

type region struct {
	country, language string
	states            []string
	given, family     []name
	phones            []string
}

type name struct{ native, latin string }

var regions = sync.OnceValue(func() []region {
	var all []region
	for line := range strings.Lines(names) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "|")
		all = append(all, region{f[0], f[1], strings.Fields(f[2]), parse(f[3]), parse(f[4]), strings.Fields(f[5])})
	}
	return all
})

// parse reads names separated by spaces. A native name of several words ends
// at its "=latin"; its first words are lower case or a single letter.
func parse(list string) (out []name) {
	var words []string
	for _, w := range strings.Fields(list) {
		native, latin, both := strings.Cut(w, "=")
		words = append(words, native)
		if !both && (native == "Ó" || native == strings.ToLower(native) && native[0] < 0x80) {
			continue
		}
		if !both {
			latin = strings.ToLower(native)
		}
		out = append(out, name{strings.Join(words, " "), latin})
		words = nil
	}
	return out
}

// familyFirst are the languages that write the family's name first, with or
// without a space between.
var familyFirst = map[string]string{"zh": "", "ja": " ", "ko": "", "vi": " "}

var mailboxes = []string{"mail.example", "post.example", "inbox.test", "letters.example", "correo.test", "mail.test"}

// Generate invents n people from seed. Every id, address, user name and phone
// is given once.
func Generate(n int, seed uint64) []Person {
	r := rand.New(rand.NewPCG(seed, 2))
	all := make([]Person, n)
	taken := map[string]bool{}
	for i := range all {
		g := pick(r, regions())
		given, family := pick(r, g.given), pick(r, g.family)
		p := Person{ID: fmt.Sprintf("u-%06d", i+1), Country: g.country, Language: g.language}
		p.Name = given.native + " " + family.native
		if space, first := familyFirst[g.language]; first {
			p.Name = family.native + space + given.native
		}
		p.Email = fmt.Sprintf("%s.%s%d@%s", given.latin, family.latin, i+1, pick(r, mailboxes))
		p.Username = fmt.Sprintf("%s%d", given.latin, i+1)
		if len(g.states) > 0 {
			_, p.State, _ = strings.Cut(pick(r, g.states), "-")
		}
		if len(g.phones) > 0 && r.IntN(3) > 0 {
			if phone := fill(r, pick(r, g.phones)); !taken[phone] {
				p.Phone, taken[phone] = phone, true
			}
		}
		// One in ten does not say; one in fifteen is a minor today.
		if r.IntN(10) > 0 {
			p.Birth = time.Date(1945, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(67*365)).Format(time.DateOnly)
		}
		p.IP = fmt.Sprintf("%s%d", pick(r, []string{"192.0.2.", "198.51.100.", "203.0.113."}), 1+r.IntN(254)) // RFC 5737
		all[i] = p
	}
	return all
}

// WriteCSV writes the directory that Cordon imports.
func WriteCSV(w io.Writer, all []Person) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"id", "email", "phone", "name", "country", "state", "language", "birth_date", "username"}}
	for _, p := range all {
		rows = append(rows, []string{p.ID, p.Email, p.Phone, p.Name, p.Country, p.State, p.Language, p.Birth, p.Username})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the people: %w", err)
	}
	return nil
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func fill(r *rand.Rand, pattern string) string {
	return strings.Map(func(c rune) rune {
		if c == '#' {
			return '0' + rune(r.IntN(10))
		}
		return c
	}, pattern)
}
