package directory

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// checker turns rows into people, or says what is wrong with them. It is for one
// goroutine: what it gives lies in it.
type checker struct {
	now time.Time
	// earliest is the first birth date that can be right.
	earliest time.Time
	row      row
	of       Person
	// What was found out about texts that come again and again.
	countries, languages map[string]string
}

// remembered bounds each of them.
const remembered = 1 << 16

func newChecker(now time.Time) *checker {
	return &checker{now: now, earliest: now.AddDate(-longestLife, 0, 0), countries: map[string]string{}, languages: map[string]string{}}
}

// recall looks a text up, or finds out and remembers.
func recall[T any](known map[string]T, text string, find func(string) (T, error)) (T, error) {
	if v, ok := known[text]; ok {
		return v, nil
	}
	v, err := find(text)
	if err == nil && len(known) < remembered {
		known[strings.Clone(text)] = v
	}
	return v, err
}

var countries = func() map[string]bool {
	set := map[string]bool{}
	for _, c := range vendor.Countries() {
		set[c] = true
	}
	return set
}()

var (
	// stateCode is the part after the dash of ISO 3166-2.
	stateCode = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
	// languageTag is the shape of RFC 5646; underscores are taken for dashes.
	languageTag = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,8})*$`)
)

const (
	longestID = 256
	// longestLife refuses birth dates that can only be a mistake.
	longestLife = 130
)

func (c *checker) person(r *row, p *Person) error {
	*p = Person{Line: r.line, Identifiers: p.Identifiers[:0], Values: p.Values[:0]}
	if !r.valid() {
		return problem("is not UTF-8 text")
	}
	own, err := exposure.Canonical(exposure.KindUserID, r.values[columnID])
	switch {
	case strings.TrimSpace(r.values[columnID]) == "":
		return problem("has no id")
	case err != nil || len(own.Value) > longestID:
		return problem("the id is longer than 256 bytes")
	}
	p.ID = own.Value

	if p.Country, err = recall(c.countries, r.values[columnCountry], country); err != nil {
		return err
	}
	if p.State, err = state(r.values[columnState], p.Country); err != nil {
		return err
	}
	if p.Language, err = recall(c.languages, r.values[columnLanguage], language); err != nil {
		return err
	}
	if p.BirthDate, err = c.birthDate(r.values[columnBirthDate]); err != nil {
		return err
	}
	for _, at := range []column{columnEmail, columnPhone, columnUsername} {
		if err := p.identify(at, r.values[at]); err != nil {
			return err
		}
	}
	for _, v := range r.more {
		if err := p.identify(v.column, v.text); err != nil {
			return err
		}
	}
	p.value(r)
	return nil
}

// longestValue bounds what is searched for: longer than any name or street, and
// what is longer in a column for them is a note that no message repeats.
const longestValue = 256

// value keeps the values of the row that messages are searched for. The birth
// date is checked by now and given in one form, whatever blanks stood around it.
func (p *Person) value(r *row) {
	add := func(c exposure.Category, text string) {
		text = strings.Join(strings.Fields(text), " ")
		if v := (Value{c, text}); text != "" && len(text) <= longestValue && !slices.Contains(p.Values, v) {
			p.Values = append(p.Values, v)
		}
	}
	for _, at := range valueColumns {
		add(at.category, r.values[at.column])
		for _, v := range r.more {
			if v.column == at.column {
				add(at.category, v.text)
			}
		}
	}
	// Two columns or one: a message writes the whole name.
	if first, last := r.values[columnFirstName], r.values[columnLastName]; r.values[columnName] == "" && strings.TrimSpace(first) != "" && strings.TrimSpace(last) != "" {
		add(exposure.Name, first+" "+last)
	}
	for _, id := range p.Identifiers { // every spelling of a number
		if id.Kind == exposure.KindPhone {
			add(exposure.Phone, id.Value)
		}
	}
}

// identify adds the identifiers of one value.
func (p *Person) identify(at column, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	switch at {
	case columnEmail:
		id, err := exposure.Canonical(exposure.KindEmail, text)
		if err != nil {
			return problem("the email is not an e-mail address")
		}
		p.add(id)
	case columnPhone:
		ids, err := phone(text, p.Country)
		if err != nil {
			return err
		}
		p.add(ids...)
	case columnUsername:
		id, err := exposure.Canonical(exposure.KindUsername, text)
		if err != nil {
			return problem("the username cannot be one")
		}
		p.add(id)
	}
	return nil
}

func (p *Person) add(ids ...exposure.Identifier) {
	for _, id := range ids {
		if !slices.Contains(p.Identifiers, id) {
			p.Identifiers = append(p.Identifiers, id)
		}
	}
}

func country(text string) (string, error) {
	c := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case c == "" || countries[c]:
		return c, nil
	case c == "UK":
		return "", problem("the country UK is GB in ISO 3166-1")
	default:
		return "", problem("the country is not a two-letter code of ISO 3166-1")
	}
}

// state takes "CA" and "US-CA". A state without a country says nothing.
func state(text, country string) (string, error) {
	s := strings.ToUpper(strings.TrimSpace(text))
	if before, after, ok := strings.Cut(s, "-"); ok {
		if before != country {
			return "", problem("the state is in another country")
		}
		s = after
	}
	switch {
	case s == "":
		return "", nil
	case country == "":
		return "", problem("has a state and no country")
	case !stateCode.MatchString(s):
		return "", problem("the state is not a code of ISO 3166-2 (such as CA)")
	default:
		return s, nil
	}
}

// language gives the tag its usual case: de-AT, zh-Hant.
func language(text string) (string, error) {
	tag := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text), "_", "-"))
	if tag == "" {
		return "", nil
	}
	if len(tag) > 35 || !languageTag.MatchString(tag) { // RFC 5646 section 4.4.1
		return "", problem("the language is not a tag of BCP 47 (such as de or pt-BR)")
	}
	parts := strings.Split(tag, "-")
	for i, part := range parts[1:] {
		switch {
		case len(parts[i]) == 1: // behind a singleton all is lower case
		case len(part) == 2:
			parts[i+1] = strings.ToUpper(part)
		case len(part) == 4 && part[0] > '9':
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "-"), nil
}

func (c *checker) birthDate(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	d, err := time.Parse(time.DateOnly, text)
	switch {
	case err != nil:
		return time.Time{}, problem("the birth_date is not a date such as 1990-12-31")
	case d.After(c.now):
		return time.Time{}, problem("the birth_date lies ahead")
	case d.Before(c.earliest):
		return time.Time{}, problem("the birth_date is more than 130 years ago")
	}
	return d, nil
}
