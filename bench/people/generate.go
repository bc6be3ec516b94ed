package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"cordon/internal/vendor"
)

// generator invents people: the same for the same seed, whatever their number.
type generator struct {
	seed   uint64
	phones bool
	today  time.Time
	places [1 << 16]uint8 // by lot: index of a country
	lands  []land
}

type land struct {
	code, language string
	// mobile is an example number in E.164, of which the last digits are drawn.
	mobile string
	domain string
}

// populations are shares in thousandths, of the countries where most people
// live, and what most of them read; the others share the rest.
const populations = `
IN 175 hi|CN 172 zh|US 42 en|ID 34 id|PK 29 ur|NG 27 en|BR 26 pt-BR|BD 21 bn|RU 18 ru|ET 15 am|MX 16 es|JP 15 ja|PH 14 en|EG 13 ar|CD 12 fr
VN 12 vi|IR 11 fa|TR 10 tr|DE 10 de|TH 9 th|GB 8 en|TZ 8 sw|FR 8 fr|ZA 7 en|IT 7 it|KE 7 sw|MM 7 my|CO 6 es|KR 6 ko|UG 6 en|SD 6 ar|ES 6 es
DZ 6 ar|AR 6 es|IQ 5 ar|PL 5 pl|CA 5 en|MA 5 ar|UA 5 uk|SA 4 ar|UZ 4 uz|PE 4 es|MY 4 ms|AO 4 pt|GH 4 en|MZ 4 pt|YE 4 ar|NP 4 ne|VE 4 es
AU 3 en|TW 3 zh-Hant|KZ 2 kk|CL 2 es|RO 2 ro|NL 2 nl|EC 2 es|GT 2 es|SN 2 fr|BE 1 nl|GR 1 el|CZ 1 cs|PT 1 pt|SE 1 sv|HU 1 hu|AT 1 de|CH 1 de`

// countries is how many countries people live in.
const countries = 190

func newGenerator(seed uint64, phones bool, today time.Time) *generator {
	g := &generator{seed: seed, phones: phones, today: today}
	weights := []float64{}
	sum := 0.0
	add := func(code, language string, weight float64) {
		l := land{code: code, language: language, domain: "mail." + strings.ToLower(code) + ".example"}
		if n := phonenumbers.GetExampleNumberForType(code, phonenumbers.MOBILE); n != nil {
			l.mobile = phonenumbers.Format(n, phonenumbers.E164)
		} else {
			l.mobile = "+8881234567890"
		}
		g.lands, weights = append(g.lands, l), append(weights, weight)
		sum += weight
	}
	named := map[string]bool{}
	for _, entry := range strings.FieldsFunc(populations, func(r rune) bool { return r == '|' || r == '\n' }) {
		f := strings.Fields(entry)
		w, _ := strconv.ParseFloat(f[1], 64) // a constant
		add(f[0], f[2], w)
		named[f[0]] = true
	}
	for i, code := range vendor.Countries() {
		if len(g.lands) == countries {
			break
		}
		if !named[code] {
			add(code, "en", 2*math.Pow(float64(i+2), -0.4))
		}
	}
	at, drawn := 0, 0.0
	for i := range g.places {
		for at < len(weights)-1 && float64(i) >= (drawn+weights[at])/sum*float64(len(g.places)) {
			drawn += weights[at]
			at++
		}
		g.places[i] = uint8(at)
	}
	return g
}

// mix is a bijection, so that different people have different ids.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

const syllables = "ba be bi bo ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se si so ta te ti to"

var syllable = strings.Fields(syllables)

func appendName(b []byte, r uint64, syllables int) []byte {
	start := len(b)
	for range syllables {
		b = append(b, syllable[r%32]...)
		r /= 32
	}
	b[start] -= 'a' - 'A'
	return b
}

const header = "id,email,name,country,language,birth_date"

// person appends one row.
func (g *generator) person(b []byte, i uint64) []byte {
	r := mix(g.seed + 0x9e3779b97f4a7c15*(i+1))
	lot := mix(r)
	l := &g.lands[g.places[r&0xffff]]
	b = append(b, 'u')
	b = strconv.AppendUint(b, mix(g.seed^i)>>1, 36)
	b = append(b, ',')
	first, last, from := r>>16, lot>>8, len(b)
	b = appendName(b, first, 2+int(first>>40&1))
	b = append(b, '.')
	b = appendName(b, last, 2+int(last>>41&1))
	for k := from; k < len(b); k++ {
		b[k] |= 0x20
	}
	b = strconv.AppendUint(b, i, 10)
	b = append(append(b, '@'), l.domain...)
	if b = append(b, ','); g.phones {
		tail := min(8, len(l.mobile)-5)
		b = append(b, l.mobile[:len(l.mobile)-tail]...)
		n := lot >> 3
		for range tail {
			b = append(b, byte('0'+n%10))
			n /= 10
		}
		b = append(b, ',')
	}
	b = appendName(b, first, 2+int(first>>40&1))
	b = append(b, ' ')
	b = appendName(b, last, 2+int(last>>41&1))
	b = append(append(append(append(b, ','), l.code...), ','), l.language...)
	days := 18*366 + int(lot>>20%26_000)
	if lot%100 < 4 { // minors
		days = int(lot >> 20 % (17 * 365))
	}
	return append(g.today.AddDate(0, 0, -1-days).AppendFormat(append(b, ','), time.DateOnly), '\n')
}

func (g *generator) write(out io.Writer, people uint64) error {
	w := bufio.NewWriterSize(out, 1<<20)
	columns := header
	if g.phones {
		columns = "id,email,phone,name,country,language,birth_date"
	}
	fmt.Fprintln(w, columns)
	var row []byte
	for i := range people {
		row = g.person(row[:0], i)
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return w.Flush()
}
