package token

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"cordon/internal/exposure"
)

var maker = New([32]byte{1, 2, 3}, "Photos.Example")

func make1(t testing.TB, c exposure.Category, value string, bare bool) Token {
	t.Helper()
	k, err := maker.Make("acme", c, 0, value, bare, 0)
	if err != nil {
		t.Fatalf("%v %q: %v", c, value, err)
	}
	return k
}

// The tokens of one root are written down: another build must make the same,
// because vendors hold them.
func TestTokensAreTheSameInEveryBuild(t *testing.T) {
	for _, c := range []struct {
		c           exposure.Category
		value, want string
		bare        bool
	}{
		{exposure.Email, "ada@example.org", "u.a637ex4sjevz5x5wllv2w3@id.photos.example", false},
		{exposure.Name, "Ada Lovelace", "Bavamuzelodera Gewujesapuzunuta", false},
		{exposure.FirstName, "Ada", "Barafosegozesemimosudizanadenu", false},
		{exposure.UserID, "97727693", "4036757516712049", true},
		{exposure.UserID, "5F0C6B7E-8C1D-4E2F-9A3B-4C5D6E7F8091", "0B9E2B18-3541-4719-901A-E1D456072F84", false},
		{exposure.UserID, "507f1f77bcf86cd799439011", "0ded3f2e1e8083bc666cdbeb", false},
		{exposure.UserID, "user_2f9a", "agd44tumsoicke2k5q", false},
		{exposure.Phone, "+44 20 7183 8750", "+19987416292", false},
		{exposure.Street, "12 St James's Square", "amjmfqklm2i3u4wy4lim", false},
	} {
		if got := make1(t, c.c, c.value, c.bare).Text; got != c.want {
			t.Errorf("%v %q became %q, want %q", c.c, c.value, got, c.want)
		}
	}
}

// values draws a category with a value that belongs there.
func values(t *rapid.T) (c exposure.Category, value string, bare bool) {
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0:
		return exposure.Email, rapid.StringMatching(`[a-zA-Z0-9.+-]{1,30}@[a-z]{1,20}\.(com|org)`).Draw(t, "email"), false
	case 1:
		return exposure.Name, rapid.StringMatching(`[A-Z][a-zé]{1,12} [A-Z][a-zü]{1,12}`).Draw(t, "name"), false
	case 2:
		return exposure.LastName, rapid.StringMatching(`[A-Z][a-z]{1,12}`).Draw(t, "last"), false
	case 3:
		return exposure.UserID, rapid.StringMatching(`[1-9][0-9]{0,18}`).Draw(t, "number"), rapid.Bool().Draw(t, "bare")
	case 4:
		return exposure.UserID, rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).Draw(t, "uuid"), false
	case 5:
		return exposure.Pseudonym, rapid.StringMatching(`([0-9a-f]{23,70}|[0-9A-F]{24})`).Draw(t, "hex"), false
	case 6:
		return exposure.Username, rapid.StringMatching(`[a-zA-Z_-]{1,70}`).Draw(t, "username"), false
	case 7:
		return exposure.Phone, rapid.StringMatching(`\+[1-9][0-9]{7,13}`).Draw(t, "phone"), false
	default:
		return exposure.Street, rapid.StringMatching(`.{1,60}[a-z]`).Draw(t, "street"), false
	}
}

func TestOneValueHasOneTokenAtOneVendorAndAnotherElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, value, bare := values(t)
		a, err := maker.Make("acme", c, 1, value, bare, 0)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := New([32]byte{1, 2, 3}, "photos.example").Make("acme", c, 1, value, bare, 0); err != nil || again != a {
			t.Fatalf("%v, then %v, %v", a, again, err)
		}
		for name, other := range map[string]func() (Token, error){
			"vendor":  func() (Token, error) { return maker.Make("other", c, 1, value, bare, 0) },
			"epoch":   func() (Token, error) { return maker.Make("acme", c, 2, value, bare, 0) },
			"attempt": func() (Token, error) { return maker.Make("acme", c, 1, value, bare, 1) },
			"root":    func() (Token, error) { return New([32]byte{9}, "photos.example").Make("acme", c, 1, value, bare, 0) },
		} {
			b, err := other()
			if err != nil {
				t.Fatal(err)
			}
			if a.Key == b.Key {
				t.Fatalf("another %s gives the same key: %v, %v", name, a, b)
			}
			if share := shared(core1(a.Text), core1(b.Text)); share > 8 {
				t.Fatalf("another %s gives a token with %d letters in common: %s, %s", name, share, a.Text, b.Text)
			}
		}
	})
}

// core1 is the part of a token that differs between values.
func core1(text string) string {
	text, _, _ = strings.Cut(text, "@")
	return strings.ToLower(strings.TrimPrefix(text, "u."))
}

// shared is the length of the longest common piece, numbers and telephone
// numbers aside, whose digits are few.
func shared(a, b string) (longest int) {
	if len(a) <= digitsLength {
		return 0
	}
	for i := range a {
		for j := range b {
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			longest = max(longest, n)
		}
	}
	return longest
}

func TestSpellingsOfOneValueHaveOneToken(t *testing.T) {
	for _, c := range []struct {
		c    exposure.Category
		a, b string
	}{
		{exposure.Email, "ada@example.org", " Ada@Example.ORG "},
		{exposure.Email, "ada@example.org", "Ada Lovelace <ada@example.org>"},
		{exposure.Phone, "+442071838750", "+44 (20) 7183-8750"},
	} {
		if a, b := make1(t, c.c, c.a, false), make1(t, c.c, c.b, false); a != b {
			t.Errorf("%q and %q became %v and %v", c.a, c.b, a, b)
		}
	}
	if a, b := make1(t, exposure.UserID, "97727693", true), make1(t, exposure.UserID, "97727693", false); a != b {
		t.Errorf("a number became %v and %v", a, b)
	}
	if a, b := make1(t, exposure.UserID, "Ada@example.org", false), make1(t, exposure.Email, "ada@example.org", false); a != b {
		t.Errorf("an address as an id became %v, as an address %v", a, b)
	}
	if a, b := make1(t, exposure.UserID, "x7", false), make1(t, exposure.Pseudonym, "x7", false); a != b {
		t.Errorf("an id became %v and %v", a, b)
	}
	for _, c := range [][2]string{{"X7", "x7"}, {"x7", "x8"}} {
		if a, b := make1(t, exposure.UserID, c[0], false), make1(t, exposure.UserID, c[1], false); a.Key == b.Key {
			t.Errorf("%q and %q are one", c[0], c[1])
		}
	}
}

func TestVendorsTakeTheShapes(t *testing.T) {
	var (
		local  = regexp.MustCompile(`^[a-z0-9]+(\.[a-z0-9]+)?$`)
		uuid4  = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		person = regexp.MustCompile(`^[A-Z][a-z]+ [A-Z][a-z]+$`)
		e164   = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
	)
	rapid.Check(t, func(t *rapid.T) {
		c, value, bare := values(t)
		k, err := maker.Make("acme", c, Epoch(rapid.IntRange(0, 40).Draw(t, "epoch")), value, bare, 0)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c == exposure.Email:
			a, err := mail.ParseAddress(k.Text)
			if err != nil || a.Address != k.Text || k.Text != strings.ToLower(k.Text) {
				t.Fatalf("%s: %v", k.Text, err)
			}
			name, domain, _ := strings.Cut(k.Text, "@")
			if len(name) > 64 || !local.MatchString(name) || domain != "id.photos.example" {
				t.Fatalf("%s", k.Text)
			}
		case c == exposure.Name:
			if !person.MatchString(k.Text) || len(k.Text) > 40 {
				t.Fatalf("%s", k.Text)
			}
		case c == exposure.Phone:
			n, err := phonenumbers.Parse(k.Text, "")
			if err != nil || !phonenumbers.IsPossibleNumber(n) || phonenumbers.IsValidNumber(n) || !e164.MatchString(k.Text) {
				t.Fatalf("%s: %v", k.Text, err) // valid would be somebody's
			}
		case isUUID(value):
			if !uuid4.MatchString(k.Text) {
				t.Fatalf("%s", k.Text)
			}
		case bare:
			var n float64
			if err := json.Unmarshal([]byte(k.Text), &n); err != nil || n >= 1<<53 || k.Text[0] == '0' || fmt.Sprintf("%.0f", n) != k.Text {
				t.Fatalf("%s: %v", k.Text, err)
			}
		case c == exposure.Pseudonym && !all(value, isDigit):
			if len(k.Text) != min(len(value), 64) || !all(k.Text, isHex) || value == strings.ToUpper(value) && strings.ContainsAny(k.Text, "abcdef") {
				t.Fatalf("%s for %s", k.Text, value)
			}
		}
		if (k.Bits < Strong) != (c == exposure.Phone || c.Within(exposure.UserID) && all(value, isDigit)) {
			t.Fatalf("%s has %d bits", k.Text, k.Bits)
		}
		if d := digitsOf(k.Text); len(d) >= 12 && luhn(d) && all(k.Text, isDigit) {
			t.Fatalf("%s may be a card", k.Text)
		}
	})
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func luhn(d string) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

func TestWhatGetsNoToken(t *testing.T) {
	for _, c := range []struct {
		c     exposure.Category
		value string
		bare  bool
		want  error
	}{
		{exposure.CreditCard, "4242424242424242", false, ErrRefused},
		{exposure.BankAccount, "DE89370400440532013000", false, ErrRefused},
		{exposure.UserID, "true", true, ErrUnfit},
		{exposure.UserID, "null", true, ErrUnfit},
		{exposure.Email, " ", false, ErrUnfit},
		{exposure.UserID, "", false, ErrUnfit},
	} {
		if k, err := maker.Make("acme", c.c, 0, c.value, c.bare, 0); !errors.Is(err, c.want) || k != (Token{}) {
			t.Errorf("%v %q: %v, %v", c.c, c.value, k, err)
		}
	}
	if k, err := maker.Alias("acme", 0, "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d"); !errors.Is(err, ErrUnfit) {
		t.Errorf("a hash has the alias %v, %v", k, err)
	}
}

func TestAliasesTakeMailAndTokensDoNot(t *testing.T) {
	alias, err := maker.Alias("acme", 0, "Ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	k := make1(t, exposure.Email, "ada@example.org", false)
	if !strings.HasSuffix(alias.Text, "@relay.photos.example") || !strings.HasSuffix(k.Text, "@id.photos.example") ||
		alias.Key == k.Key || alias.Text[:24] == k.Text[:24] {
		t.Errorf("alias %s, token %s", alias.Text, k.Text)
	}
}

func TestHashesAreKeyedByVendor(t *testing.T) {
	a := maker.Hash("acme", exposure.Email, 0, "Ada@example.org")
	if len(a) != 64 || !exposure.Digest(a) || a != maker.Hash("acme", exposure.Email, 0, "ada@example.org") {
		t.Errorf("hash %q", a)
	}
	for _, other := range []string{maker.Hash("other", exposure.Email, 0, "ada@example.org"), maker.Hash("acme", exposure.Email, 1, "ada@example.org"),
		maker.Hash("acme", exposure.UserID, 0, "ada"), maker.Hash("acme", exposure.Email, 0, "")} {
		if other == a {
			t.Errorf("%q is %q", other, a)
		}
	}
}

// around are texts that a vendor may put a token into.
func around(t *rapid.T, token string) (text, written string) {
	switch rapid.IntRange(0, 6).Draw(t, "form") {
	case 0:
		b, _ := json.Marshal("line\n" + token + "\ttab <" + token + ">")
		return string(b), token
	case 1:
		return "q=1&to=" + url.QueryEscape(token) + "&x=%20" + url.QueryEscape(token), url.QueryEscape(token)
	case 2:
		return "<a href=\"mailto:" + html.EscapeString(token) + "\">" + token + "</a>", token
	case 3:
		return `{"id":` + token + `}`, token
	case 4:
		up := strings.ToUpper(token)
		return "X " + up + " Y", up
	case 5:
		return "a=3D" + token + "\\u0020" + token + ".", token
	default:
		return token, token
	}
}

func TestEveryTokenIsFoundWhereverItStands(t *testing.T) {
	noise := rapid.StringMatching(`([ -~]{0,60}|[0-9a-f-]{0,60}|(aba|u\.|\\n|%20|@id\.photos\.example){0,9})`)
	rapid.Check(t, func(t *rapid.T) {
		c, value, bare := values(t)
		k, err := maker.Make("acme", c, Epoch(rapid.IntRange(0, 40).Draw(t, "epoch")), value, bare, 0)
		if rapid.IntRange(0, 9).Draw(t, "alias") == 0 {
			k, err = maker.Alias("acme", 3, "ada@example.org")
		}
		if err != nil {
			t.Fatal(err)
		}
		middle, written := around(t, k.Text)
		end := rapid.SampledFrom([]string{" ", "\"", "<", ",", "\\n", "&", "\n", ""}).Draw(t, "end")
		text := noise.Draw(t, "before") + rapid.SampledFrom([]string{" ", "\"", ">", "\\n", "%20", "=", "\n"}).Draw(t, "begin") + middle + end
		if end != "" {
			text += noise.Draw(t, "after")
		}
		want := strings.Count(text, written)
		got := 0
		for _, f := range maker.AppendString(nil, text) {
			if f.Key != k.Key {
				continue
			}
			got++
			span := text[f.Start:f.End]
			if u, err := url.QueryUnescape(span); err == nil && strings.Contains(span, "%") {
				span = u
			}
			if !strings.EqualFold(strings.TrimPrefix(span, "+"), strings.TrimPrefix(k.Text, "+")) && !strings.EqualFold(strings.ReplaceAll(span, "+", " "), k.Text) {
				t.Fatalf("found %q in %q, made %q", span, text, k.Text)
			}
		}
		if got != want {
			t.Fatalf("%q was found %d times, not %d, in %q", k.Text, got, want, text)
		}
	})
}

func TestAddressesAreFoundAsTheyAreWritten(t *testing.T) {
	k := make1(t, exposure.Email, "ada@example.org", false)
	local, _, _ := strings.Cut(k.Text, "@")
	for text, want := range map[string]struct{ span, at string }{
		"bounce+" + local + "=id.photos.example@vendor.example": {local + "=id.photos.example", "="},
		"x=" + local + "%40id.photos.example&y":                 {local + "%40id.photos.example", "%40"},
		"x=" + local + "%2540ID.Photos.example&y":               {local + "%2540ID.Photos.example", "%2540"},
		`"` + local + `\u0040id.photos.example"`:                {local + `\u0040id.photos.example`, `\u0040`},
		local + "&#64;id.photos.example.":                       {local + "&#64;id.photos.example", "&#64;"},
		strings.ToUpper(k.Text):                                 {strings.ToUpper(k.Text), "@"},
		"Dear " + local + ",":                                   {local, ""},
		local + "@id.photos.example.evil.example":               {local, ""},
		local + "@id.photos.examples":                           {local, ""},
		local[2:]:                                               {local[2:], ""},
	} {
		found := maker.AppendString(nil, text)
		if len(found) != 1 || found[0].Key != k.Key || text[found[0].Start:found[0].End] != want.span || found[0].At != want.at {
			t.Errorf("%q: %+v, want %q", text, found, want)
		}
	}
	id := make1(t, exposure.UserID, "5f0c6b7e-8c1d-4e2f-9a3b-4c5d6e7f8091", false)
	bare := strings.ReplaceAll(id.Text, "-", "")
	if found := maker.AppendString(nil, "/users/"+bare); len(found) != 1 || found[0].Key != id.Key {
		t.Errorf("%s without hyphens: %+v", id.Text, found)
	}
	phone := make1(t, exposure.Phone, "+442071838750", false)
	for _, text := range []string{"From=%2B" + phone.Text[1:], `"\u002B` + phone.Text[1:] + `"`} {
		if found := maker.AppendString(nil, text); len(found) != 1 || found[0].Key != phone.Key || text[found[0].Start] != "%\\"[strings.IndexByte(`F"`, text[0])] {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

func TestATokenSplitOverReadsIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 12).Draw(t, "tokens") {
			c, value, bare := values(t)
			k, err := maker.Make("acme", c, 0, value, bare, 0)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString(rapid.StringMatching(`([ -~]{0,80}|[a-f0-9]{60,400})`).Draw(t, "before"))
			text.WriteString("\\n" + k.Text + " ")
		}
		all := text.String()
		want := maker.AppendString(nil, all)
		s := maker.Scanner()
		var given strings.Builder
		var got []Candidate
		take := func(piece []byte, found []Candidate) {
			for _, c := range found {
				c.Start, c.End = c.Start+given.Len(), c.End+given.Len()
				got = append(got, c)
			}
			given.Write(piece)
		}
		for rest := all; rest != ""; {
			n := min(len(rest), rapid.IntRange(1, 300).Draw(t, "read"))
			take(s.Feed([]byte(rest[:n])))
			rest = rest[n:]
		}
		take(s.Rest())
		if given.String() != all {
			t.Fatalf("gave back\n%q\nof\n%q", given.String(), all)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("found %v, at once %v", got, want)
		}
	})
}

// The figure of the package comment, on the kinds of long words that vendors
// send: one in twenty would be too many for the table.
func TestFewLongWordsAreCandidates(t *testing.T) {
	f := maker.prf(purpose{vendor: "noise"})
	word := func(n, i int, letters string) string {
		b := make([]byte, 0, n+32)
		for j := 0; len(b) < n; j++ {
			sum := f.sum(letters, i<<8|j)
			for k := 0; k < len(sum); k += 2 {
				b = append(b, letters[int(binary.BigEndian.Uint16(sum[k:]))%len(letters)])
			}
		}
		return string(b[:n])
	}
	const n = 20000
	for name, c := range map[string]struct {
		letters  string
		from, to int
		most     float64
	}{
		"base32":             {alphabet, 18, 50, 0.05},
		"base36":             {"0123456789abcdefghijklmnopqrstuvwxyz", 18, 50, 0.01},
		"base62":             {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 18, 50, 0.001},
		"hexadecimal":        {hexDigits, 18, 64, 0.01},
		"16 digits":          {"0123456789", 16, 16, 0.02},
		"11 digits":          {"0123456789", 11, 11, 0.02},
		"words":              {"etaoinshrdlu", 11, 30, 0.05},
		"consonants, vowels": {"bakideto", 30, 30, 0.05},
	} {
		hits := 0
		for i := range n {
			hits += len(maker.AppendString(nil, word(c.from+i%(c.to-c.from+1), i, c.letters)))
		}
		t.Logf("%-20s %.4f", name, float64(hits)/n)
		if rate := float64(hits) / n; rate > c.most {
			t.Errorf("%s: %.4f of words are candidates, at most %.4f", name, rate, c.most)
		}
	}
}

func TestAMillionAddressesHaveAMillionTokens(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	seen := make(map[Key]struct{}, n)
	for i := range n {
		k, err := maker.Make("acme", exposure.Email, 0, fmt.Sprintf("person%d@example.org", i), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen[k.Key] = struct{}{}
	}
	if len(seen) != n {
		t.Errorf("%d tokens of %d addresses", len(seen), n)
	}
}

func TestCheckLettersNoticeMistakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, value, bare := values(t)
		if c == exposure.Phone || c == exposure.Name || c == exposure.LastName {
			return
		}
		k, err := maker.Make("acme", c, 0, value, bare, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := []byte(k.Text)
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		if b[i] == '-' || b[i] == '.' || b[i] == '@' || strings.IndexByte(k.Text, '@') >= 0 && (i < 2 || i > 23) {
			return
		}
		b[i] = rapid.SampledFrom([]byte("abcdef234567")).Draw(t, "letter")
		for _, f := range maker.Append(nil, b) {
			if string(b) != k.Text && !(all(k.Text, isDigit) && f.End-f.Start == digitsLength) { // a digit has one chance in 70
				t.Fatalf("%q for %q is a candidate", b, k.Text)
			}
		}
	})
}

// forgets says that pools do not keep what they are given.
var forgets bool

func TestFindingAllocatesNothing(t *testing.T) {
	if forgets {
		t.Skip("pools forget under the race detector")
	}
	var text []byte
	for i, c := range []exposure.Category{exposure.Email, exposure.Name, exposure.LastName, exposure.UserID, exposure.Phone} {
		k := make1(t, c, fmt.Sprintf("5f0c6b7e-8c1d-4e2f-9a3b-4c5d6e7f809%d", i), false)
		text = append(text, strings.ReplaceAll(k.Text, "@", `\u0040`)+" "+k.Text+"&"...)
	}
	found := make([]Candidate, 0, 20)
	if n := testing.AllocsPerRun(100, func() { found = maker.Append(found[:0], text) }); n != 0 || len(found) != 10 {
		t.Errorf("%v allocations for %d tokens", n, len(found))
	}
}

func TestATokenPrintsNoValue(t *testing.T) {
	k := make1(t, exposure.Email, "ada@example.org", false)
	if s := fmt.Sprintf("%v %+v %s", k, k, k); strings.Contains(s, "ada") {
		t.Errorf("printed %q", s)
	}
}

func TestTheMakerPrintsNoKey(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if s := fmt.Sprintf(verb, maker); s != "token maker" {
			t.Errorf("%s printed %q", verb, s)
		}
	}
}
