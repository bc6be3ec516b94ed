package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// person is a line of the directory, or somebody whom no directory names.
type person struct {
	id, email, phone, country, language string
	minor                               bool
}

// crowd makes the people of the directory: five countries, every seventeenth a child.
func crowd(n int) []person {
	countries := []string{"US", "DE", "BR", "IN", "FR"}
	languages := []string{"en", "de", "pt", "en", "fr"}
	people := make([]person, n)
	for i := range people {
		people[i] = person{
			id: fmt.Sprintf("p%04d", i), email: fmt.Sprintf("user%04d@people.test", i), phone: fmt.Sprintf("+1415555%04d", i),
			country: countries[i%5], language: languages[i%5], minor: i%17 == 0,
		}
	}
	return people
}

func stranger(n int) person { return person{email: fmt.Sprintf("stranger%d@else.test", n)} }

func (p person) stranger() bool { return p.id == "" }

// file is the directory as CSV.
func file(people []person) string {
	var b strings.Builder
	b.WriteString("id,email,phone,name,country,language,birth_date\n")
	for _, p := range people {
		born := "1980-05-02"
		if p.minor {
			born = fmt.Sprintf("%d-01-01", time.Now().Year()-9)
		}
		fmt.Fprintf(&b, "%s,%s,%s,Robin Example,%s,%s,%s\n", p.id, p.email, p.phone, p.country, p.language, born)
	}
	return b.String()
}

// sent is one message that a vendor took, or one line of what it was declared to hold.
type sent struct {
	at       time.Time // before it was sent; what was declared: since when it was held
	vendor   string
	people   []person
	fields   []string // category, or category=form where it left only protected
	declared bool
}

// letter is a vendor's word that it deleted what it got before an instant.
type letter struct {
	vendor              string
	sentBefore, deleted time.Time
}

// oracle knows what was sent, because it sent it; the answers of the product are compared with it. It keeps
// plain lists and goes through them for each question.
type oracle struct {
	sent    []sent
	letters []letter
}

// count is what the oracle says to a question of the scope verb.
type count struct {
	Subjects, Disclosures, Declared, Unknown, Minors, Excluded int
	Categories, Protected, Countries, Languages, Cohorts       map[string]int
	people                                                     map[string]string // address: cohort
}

// scope answers for [since, until]; zero times are no bound.
func (o *oracle) scope(vendor, basis string, since, until time.Time) count {
	c := count{Categories: map[string]int{}, Protected: map[string]int{}, Countries: map[string]int{}, Languages: map[string]int{}, Cohorts: map[string]int{}, people: map[string]string{}}
	who, fields, crossed := map[string]person{}, map[string]map[string]bool{}, map[string]bool{}
	excluded := map[string]bool{}
	for _, s := range o.sent {
		if s.vendor != vendor || !until.IsZero() && !s.at.Before(until) {
			continue
		}
		if basis == "sent" && (s.declared || s.at.Before(since)) {
			continue
		}
		gone := false
		for _, l := range o.letters {
			gone = gone || basis == "held" && l.vendor == vendor && s.at.Before(l.sentBefore) && l.deleted.Before(since)
		}
		if !gone && !s.declared {
			c.Disclosures++
		}
		for _, p := range s.people {
			if gone {
				excluded[p.email] = true
				continue
			}
			who[p.email] = p
			if fields[p.email] == nil {
				fields[p.email] = map[string]bool{}
			}
			for _, f := range s.fields {
				fields[p.email][f] = true
			}
			crossed[p.email] = crossed[p.email] || !s.declared
		}
	}
	for email, p := range who {
		delete(excluded, email)
		c.Subjects++
		if !crossed[email] {
			c.Declared++
		}
		if p.stranger() {
			c.Unknown++
		}
		if p.minor {
			c.Minors++
		}
		c.Countries[p.country]++
		c.Languages[p.language]++
		for f := range fields[email] {
			if strings.Contains(f, "=") {
				c.Protected[f]++
			} else {
				c.Categories[f]++
			}
		}
		cohort := strings.Join(slices.Sorted(maps.Keys(fields[email])), " ")
		c.Cohorts[cohort]++
		c.people[email] = cohort
	}
	c.Excluded = len(excluded)
	return c
}

// messages is how many messages about a person a vendor got.
func (o *oracle) messages(vendor string, p person) (n int) {
	for _, s := range o.sent {
		if s.vendor == vendor && !s.declared && slices.ContainsFunc(s.people, func(q person) bool { return q.email == p.email }) {
			n++
		}
	}
	return n
}
