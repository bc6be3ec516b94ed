package csv

import (
	"strings"
	"unicode"
)

// sample is how much of a table is tried out, in bytes and in records.
const (
	sampleBytes   = 64 << 10
	sampleRecords = 50
)

// separator finds what stands between the cells; false when another would do as
// well, so that a vendor's program may read other cells. It passes over a line
// that names the separator (Excel).
func separator(c *cells) (sep byte, clear bool) {
	line, _, _ := strings.Cut(c.text[c.pos:min(len(c.text), c.pos+10)], "\n")
	line = strings.Trim(strings.TrimRight(line, "\r"), `"`)
	if len(line) == 5 && strings.EqualFold(line[:4], "sep=") && strings.IndexByte(separators, line[4]) >= 0 {
		c.pos += strings.IndexByte(c.text[c.pos:]+"\n", '\n') + 1
		c.pos = min(c.pos, len(c.text))
		return line[4], true
	}
	sep, clear = ',', true
	best, even := 1, false
	for _, candidate := range []byte(separators) {
		try := *c
		try.sep = candidate
		try.text = try.text[:min(len(try.text), try.pos+sampleBytes)]
		n, same := shape(&try, len(try.text) < len(c.text))
		switch {
		case n < 2 || even && !same:
		case same && !even || n > best:
			clear = !same || !even // two that fit every record
			sep, best, even = candidate, n, same
		case same:
			clear = false
		}
	}
	return sep, clear
}

// shape is how many cells the first record has, and whether all have as many.
func shape(c *cells, cut bool) (n int, same bool) {
	same = true
	for r := 0; r < sampleRecords && c.more(); {
		if c.blankLine() {
			continue
		}
		k, odd := 0, false
		for c.more() || k == 0 {
			k++
			at := c.next()
			odd = odd || c.odd
			if at.last {
				break
			}
			if !c.more() { // the text ends with a separator
				k++
			}
		}
		if cut && !c.more() {
			break // perhaps not the whole record
		}
		if r == 0 {
			n = k
		}
		same = same && k == n && !odd
		r++
	}
	return n, same
}

// heading reports whether a first record names the columns. Taking a person for
// a heading would lose the person, so that it has to be plain: no cell looks
// like a value, and half of them are made of the words that headings are made of
// or are written as programs write names, or one stands above values of another
// kind.
func heading(names []string, rest *cells) bool {
	named, known, sure := 0, 0, false
	for _, name := range names {
		if name == "" {
			continue
		}
		if !label(name) {
			return false
		}
		named++
		if identifier(name) || headingWords(name) {
			known++
			sure = sure || !surnames[strings.ToLower(name)]
		}
	}
	if named == 0 {
		return false
	}
	return sure && 2*known >= named || otherKind(names, rest)
}

// label reports whether a cell may be a column's name.
func label(name string) bool {
	if len(name) > 80 || placeholders[strings.ToLower(name)] || !unicode.IsLetter([]rune(name)[0]) && name[0] != '_' && name[0] != '$' && name[0] != '#' {
		return false
	}
	digits, letters := 0, 0
	for _, r := range name {
		switch {
		case r == '@' || r == '=' || r == '"' || unicode.IsControl(r):
			return false
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	return letters > 0 && digits <= 3
}

// identifier reports a name as programs write it: first_name, planTier.
func identifier(name string) bool {
	inner := false
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '_':
			inner = inner || i > 0
		case 'A' <= c && c <= 'Z':
			// McAdam and DeVito are people: only a name that begins low.
			inner = inner || i > 0 && 'a' <= name[0] && name[0] <= 'z'
		default:
			return false
		}
	}
	return inner
}

// otherKind reports whether some column has figures or addresses in every
// record below a cell that is neither.
func otherKind(names []string, rest *cells) bool {
	rest.text = rest.text[:min(len(rest.text), rest.pos+sampleBytes)]
	other := make([]bool, len(names))
	records := 0
	for ; records < sampleRecords && rest.more(); records++ {
		if rest.blankLine() {
			continue
		}
		record := rest.record()
		for i := range other {
			value := names[i] != "" && i < len(record) && record[i] != "" && !label(record[i])
			other[i] = value && (other[i] || records == 0)
		}
	}
	for _, o := range other {
		if o && records > 0 {
			return true
		}
	}
	return false
}

// headingWords reports whether a name is made of words of headings alone.
func headingWords(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(split(name)), func(r rune) bool {
		return !unicode.IsLetter(r)
	})
	for _, w := range words {
		if !wordsOfHeadings[w] {
			return false
		}
	}
	return len(words) > 0
}

// split puts a blank before the inner capitals of firstName.
func split(name string) string {
	var b strings.Builder
	low := false
	for _, r := range name {
		if low && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		low = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

var wordsOfHeadings = words(`
	account accounts active address addresses adresse age alter amount anrede apellido apellidos area attribute
	balance billing birth birthdate birthday born brand browser business category cell cellphone channel cidade city
	ciudad client cnpj code codepostal comment comments company consent contact content count country county created
	credit currency custom customer data date datum day department device dept description dob document domain
	e email emailaddress employee employer end event external fax field fields first firma firstname fname full fullname
	gebdat geburtsdatum gender geschlecht given group groups handy hash hausnummer head header home hometown
	iban id ids idfa ident identifier index initials invoice ip is item job key kundennummer label land lang language
	last lastname lat latitude lead level link list lname lng locale location login lon longitude mail mailadresse
	manager member membership message middle middlename mobil mobile mobiltelefon modified month nachname naam name
	names nationality nickname nom nombre nome note notes number nummer occupation of office on one opt optin order org
	organisation organization origin ort owner parent passport password patient pays pays phone phonenumber
	photo pin place plan plz po point points position post postal postalcode postcode postleitzahl prefix prenom
	price primary product profile province purchase quantity ranking rating reason recipient record ref reference
	region registered role row rue salary salutation score sender sent serial sex shipping sign signup sku source
	ssn staat stadt start state status strasse straße street street subject subscribed subscription suffix surname
	tag tags tax team tel telefon telefone telefonnummer telefono telephone teléfono term text time timestamp timezone title to
	total town type tz unit unsubscribed updated uri url user userid username users uuid value vat version vorname
	web website work year zip zipcode zone prénom código ville téléphone correo electrónico endereço sobrenome
	voornaam achternaam straat woonplaats wohnort cognome indirizzo città provincia cap línea imię nazwisko ulica miasto
	förnamn efternamn adress telefonnummer fornavn efternavn etternavn puhelin nimi sukunimi
	имя фамилия телефон почта адрес город 氏名 名前 姓 名 電話番号 住所 邮箱 姓名 电话 地址 이름 이메일 전화번호`)

// surnames are words of headings that people are called, too.
var surnames = words(`day key lang land lead page place point post price rating row rue street town work`)

// placeholders stand in a cell that has no value; no column is called so.
var placeholders = words(`n/a na nan nil none null tbd unknown unbekannt yes no true false`)

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}
