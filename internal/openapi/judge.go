package openapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cordon/internal/exposure"
)

// certainty is how sure a judgement is.
type certainty string

const (
	certain certainty = "sure"
	likely  certainty = "likely"
	guess   certainty = "guess"
	// ours is the organisation's own, most likely: proposed as a comment only.
	ours certainty = "ours"
)

// judgement is what a draft says of one spot.
type judgement struct {
	category  exposure.Category
	certainty certainty
	why       string
	identity  bool // it names one person
	deliver   bool // the vendor sends to it
	render    bool // the vendor shows it
}

// Why a spot is not proposed; the counts of a draft go by these.
const (
	notValue    = "switches, fixed choices and numbers"
	notPersonal = "keys of things"
	noContext   = "keys that could be a person's but nothing around says so"
	unknownKey  = "keys that no word list has"
	ownSide     = "addresses of the organisation itself"
	plumbing    = "addresses of servers and settings"
)

var (
	mailboxExample = regexp.MustCompile(`^[^\s@<>]+@[^\s@<>]+\.[a-z]{2,}$`)
	saysMail       = regexp.MustCompile(`(?i)\be-?mail`)
	saysPhone      = regexp.MustCompile(`(?i)\bphone|\bE\.?164|\bmobile number|\bmsisdn`)
	saysPush       = regexp.MustCompile(`(?i)\b(push|device|registration) token|\bAPNS\b|\bFCM\b`)
	saysID         = regexp.MustCompile(`(?i)\b(id|ids|identifier|reference)\b`)
)

// closedLists are categories whose values are often chosen from a list.
var closedLists = []exposure.Category{
	exposure.MustCategory("user.contact.address.country"), exposure.MustCategory("user.contact.address.state"),
	exposure.MustCategory("user.demographic.gender"), exposure.MustCategory("user.demographic.language"),
	exposure.MustCategory("user.demographic.marital_status"),
}

var (
	behaviour = exposure.MustCategory("user.behavior")
	location  = exposure.MustCategory("user.location")
	pushToken = exposure.MustCategory("user.device.push_token")
)

// numeric are categories whose values may be numbers.
var numeric = []exposure.Category{
	exposure.Phone, exposure.UserID, exposure.Pseudonym, exposure.BirthDate, exposure.Precise, exposure.CreditCard, exposure.BankAccount,
	exposure.NationalID, exposure.PostalCode, exposure.MustCategory("user.demographic.age_range"), exposure.MustCategory("user.financial"),
	exposure.MustCategory("user.financial.account_balance"), exposure.MustCategory("user.government_id.tax_id"),
	exposure.MustCategory("user.authorization.credentials"),
}

// identities are categories by which a person is known.
var identities = []exposure.Category{exposure.Email, exposure.Phone, exposure.UserID, exposure.Pseudonym, exposure.Username}

// judge says what a spot holds; without a judgement, why not.
func (l *lexicon) judge(s *spot, doing []string) (j judgement, whyNot string) {
	j, whyNot = l.weigh(s)
	if whyNot != "" {
		return judgement{}, whyNot
	}
	j.identity = slices.Contains(identities, j.category)
	sends := slices.ContainsFunc(doing, func(w string) bool { return l.is("delivers", w) })
	reaches := j.category == exposure.Email || j.category == exposure.Phone || j.category == pushToken
	j.deliver = sends && reaches && s.in == ""
	j.render = sends && s.open && slices.ContainsFunc(words(s.key()), func(w string) bool { return l.is("renders", w) })
	return j, ""
}

func (l *lexicon) weigh(s *spot) (judgement, string) {
	key := words(s.key())
	if len(s.types) > 0 && !s.textual() && !s.is("number") && !s.is("integer") && !s.open {
		return judgement{}, notValue // booleans
	}
	around, what := s.around, fmt.Sprintf("key %q", s.key())
	if len(key) > 0 && len(around) > 0 && l.all("hollow", key) { // content[].value is about content
		what = fmt.Sprintf("key %q below %q", s.key(), phrase(around[0]))
		key, around = append(slices.Clone(around[0]), key...), around[1:]
	}
	if len(key) == 0 {
		return judgement{}, unknownKey
	}
	if len(key) > 1 && l.is("asks", key[0]) {
		return judgement{}, notValue
	}
	kind, word := l.setting(key[:len(key)-1], around, false)
	if j, ok := l.byForm(s, what, kind, word); ok {
		return j, ""
	}
	f, ok := l.find(key)
	if !ok {
		if j, ok := l.byRole(s, key, what, kind, word); ok {
			return j, ""
		}
		return judgement{}, unknownKey
	}
	whyNot := unknownKey
	for _, sense := range f.senses {
		if !fits(s, sense) {
			whyNot = notValue
			continue
		}
		before := f.before
		if n := len(before); sense.strength == open && n > 0 && l.is("renders", before[n-1]) {
			before = nil // what fills a template is no template
		}
		kind, word := l.setting(before, around, sense.category.Within(exposure.Address))
		c, reason := l.enough(s, sense, kind, word, around)
		if reason != "" {
			whyNot = reason
			continue
		}
		why := what
		if word != "" && c != certain {
			why += fmt.Sprintf(" in %q", word)
		}
		category := sense.category
		if kind == "deed" && sense.strength == open { // an event's properties are what a person did
			category = behaviour
		}
		return judgement{category: category, certainty: c, why: why + formatOf(s)}, ""
	}
	if j, ok := l.byRole(s, key, what, kind, word); ok {
		return j, ""
	}
	return judgement{}, whyNot
}

func formatOf(s *spot) string {
	if s.format == "" || s.format == "string" {
		return ""
	}
	return ", format " + s.format
}

func (l *lexicon) all(set string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !l.is(set, w) })
}

// fits reports whether a value of the described form can be of the category.
func fits(s *spot, is sense) bool {
	if is.strength == open {
		return s.open || len(s.types) == 0 && !s.closed && s.format == ""
	}
	if s.open {
		return is.category == exposure.Address || is.category == exposure.Text
	}
	if s.closed && !slices.Contains(closedLists, is.category) {
		return false
	}
	if is.category == exposure.Text && (s.in == "path" || s.format == "uri" || s.format == "url" || s.format == "date" || s.format == "date-time" || s.format == "uuid") {
		return false
	}
	return s.textual() || slices.Contains(numeric, is.category)
}

// setting finds what surrounds a key: the nearest word that decides, in the
// key's own first words, then outwards. For a part of an address, whose address
// it is decides, which may stand further out: a shop has one too.
func (l *lexicon) setting(before []string, around [][]string, ofAddress bool) (kind, word string) {
	for _, level := range append([][]string{before}, around...) {
		kinds, w := l.surroundings(level)
		switch {
		case len(kinds) == 0:
		case kinds[0] == "place" && ofAddress:
			if kind == "" {
				kind, word = "place", w
			}
		case kind == "" || kinds[0] == "org" || kinds[0] == "thing" || kinds[0] == "infra":
			return kinds[0], w
		default:
			return kind, word
		}
	}
	return kind, word
}

// enough decides whether the words are enough in their setting.
func (l *lexicon) enough(s *spot, is sense, kind, word string, around [][]string) (certainty, string) {
	switch kind {
	case "infra":
		return "", plumbing
	case "org":
		if is.category.Within(exposure.Name) || slices.Contains(identities, is.category) {
			if is.strength == sure {
				return ours, ""
			}
			return "", ownSide
		}
		if is.strength != sure || is.category.Within(exposure.Address) {
			return "", ownSide
		}
	}
	switch is.strength {
	case sure:
		if kind == "thing" {
			return guess, ""
		}
		return certain, ""
	case person:
		if kind == "person" || kind == "place" && (is.category.Within(exposure.Name) || is.category.Within(location)) {
			return likely, ""
		}
	case place:
		beside := l.partsOfAddress(s.beside)
		switch {
		case kind == "thing":
		case kind == "place" || beside > 1:
			return likely, ""
		case kind == "person" && is.category != exposure.MustCategory("user.contact.address.state"), beside == 1:
			return guess, ""
		}
	case text, titled:
		if s.format == "binary" {
			return guess, ""
		}
		if kind == "talk" || kind == "person" {
			return likely, ""
		}
		if kind == "" && is.strength == text {
			return guess, ""
		}
	case open:
		if kind == "person" || kind == "talk" || kind == "deed" {
			return likely, ""
		}
		if kind == "" {
			return guess, ""
		}
	}
	if kind == "" {
		return "", noContext
	}
	return "", notPersonal
}

// partsOfAddress counts the keys beside that are parts of an address.
func (l *lexicon) partsOfAddress(keys []string) int {
	parts := map[exposure.Category]bool{}
	for _, k := range keys {
		f, ok := l.find(words(k))
		if !ok || f.phrase == "address" { // the whole, which stands beside anything
			continue
		}
		for _, is := range f.senses {
			if is.category.Within(exposure.Address) {
				parts[is.category] = true
			}
		}
	}
	return len(parts)
}

// byForm goes by the format or the example, which say more than any key.
func (l *lexicon) byForm(s *spot, what, kind, word string) (judgement, bool) {
	j := judgement{certainty: certain, why: what + formatOf(s)}
	switch {
	case s.format == "email" || s.format == "idn-email":
		j.category = exposure.Email
	case s.format == "ipv4" || s.format == "ipv6" || s.format == "ip":
		j.category = exposure.IPAddress
	case s.format == "phone" || s.format == "e164" || s.format == "phone-number":
		j.category = exposure.Phone
	case s.format == "password":
		j.category = exposure.MustCategory("user.authorization.password")
	case s.textual() && !s.closed && mailboxExample.MatchString(s.example):
		j.category, j.certainty, j.why = exposure.Email, likely, what+", example is an e-mail address"
	default:
		return j, false
	}
	if own, _ := l.surroundings(words(s.key())); kind == "org" || len(own) > 0 && own[0] == "org" {
		j.certainty = ours
	} else if kind == "infra" {
		j.certainty = guess
	}
	return j, true
}

// byRole goes by what a receiver's description says, and takes a person's noun
// that stands alone for that person's id.
func (l *lexicon) byRole(s *spot, key []string, what, kind, word string) (judgement, bool) {
	if s.closed || s.open || !s.textual() || kind == "infra" || kind == "org" {
		return judgement{}, false
	}
	own, _ := l.surroundings(key)
	if len(own) > 0 && own[0] == "org" {
		return judgement{}, false
	}
	if l.is("role", key[len(key)-1]) {
		switch mail, phone := saysMail.MatchString(s.description), saysPhone.MatchString(s.description); {
		case phone && mail:
			return judgement{category: exposure.Phone, certainty: guess, why: what + ", described as a phone number or an e-mail address"}, true
		case phone:
			return judgement{category: exposure.Phone, certainty: likely, why: what + ", described as a phone number"}, true
		case mail && s.format != "uuid":
			return judgement{category: exposure.Email, certainty: likely, why: what + ", described as an e-mail address"}, true
		}
	}
	alone := len(key) == 1 && len(own) > 0 && own[0] == "person" && !l.is("role", key[0])
	switch {
	case key[len(key)-1] == "token" && saysPush.MatchString(s.description):
		return judgement{category: pushToken, certainty: likely, why: what + ", described as a device's"}, true
	case alone && s.in == "path":
		return judgement{category: exposure.Pseudonym, certainty: likely, why: what + " in the path"}, true
	case alone && saysID.MatchString(s.description):
		return judgement{category: exposure.Pseudonym, certainty: likely, why: what + ", described as an id"}, true
	case alone && !l.is("nobody", key[0]) && s.in == "":
		return judgement{category: exposure.Pseudonym, certainty: guess, why: what + ", a person, by id or name"}, true
	case key[len(key)-1] == "id" && len(key) == 1:
		for _, level := range s.around {
			near, w := l.surroundings(level)
			if len(near) > 0 && near[0] == "person" {
				return judgement{category: exposure.Pseudonym, certainty: likely, why: fmt.Sprintf("%s in %q", what, w)}, true
			}
			if !l.all("hollow", level) {
				break
			}
		}
	case key[len(key)-1] == "id" && len(key) > 1:
		if near, w := l.surroundings(key[:len(key)-1]); len(near) > 0 && near[0] == "person" && !l.is("nobody", w) && strings.HasSuffix(phrase(key[:len(key)-1]), w) {
			return judgement{category: exposure.Pseudonym, certainty: likely, why: fmt.Sprintf("%s, %s's id", what, w)}, true
		}
	}
	return judgement{}, false
}
