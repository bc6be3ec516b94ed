package detecttest

import (
	"fmt"
	"strings"
)

var (
	firstNames = strings.Fields("Ada Grace Alan Marie Sofia Lukas Noah Emma Olivia Mateo Freja Jakub Chiara Yuki Priya Amara Hugo Léa Jürgen Zoë")
	lastNames  = strings.Fields("Lovelace Hopper Turing Curie Rossi Müller Smith Garcia Nowak Jensen Virtanen Tanaka Sharma Okafor Dubois Silva Jansen Andersson Novák Costa")
	domains    = strings.Fields("example.com example.org gmail.com outlook.de web.de orange.fr mail.ru proton.me acme.co.uk uni-bonn.de company.io")
	phrases    = []string{
		"the order arrived broken and nobody answers the line", "please confirm the delivery before Friday", "I was charged twice for the same thing",
		"the download stops after 34 percent", "version 4.12.0.3 crashes when I rotate 3 pictures", "our invoice INV-2026-004913 is due on 2026-12-01", "thanks for the quick help",
		"tracking says 1Z999AA10123456784 since 14:05", "size 38, colour 7, 2 pieces for 1.234,56 EUR", "see https://status.example.com/incidents/20261124-0012?ref=84219377",
	}
)

func (m *maker) email() string {
	f, l := m.pick(firstNames), m.pick(lastNames)
	plain := strings.NewReplacer("é", "e", "ü", "u", "ë", "e", "ö", "o", "á", "a")
	switch f, l := strings.ToLower(plain.Replace(f)), strings.ToLower(plain.Replace(l)); m.n(4) {
	case 0:
		return f + "." + l + "@" + m.pick(domains)
	case 1:
		return f + m.digits(2) + "@" + m.pick(domains)
	case 2:
		return f[:1] + l + "+news@" + m.pick(domains)
	default:
		return f + "_" + l + "@" + m.pick(domains)
	}
}

func (m *maker) name() string { return m.pick(firstNames) + " " + m.pick(lastNames) }

// phone writes a number in one of the forms of nine countries.
func (m *maker) phone() string {
	area := string('2'+byte(m.n(8))) + m.digits(1) + string('2'+byte(m.n(8)))
	exchange := string('2'+byte(m.n(8))) + m.digits(2)
	switch m.n(14) {
	case 0:
		return "+1" + area + exchange + m.digits(4)
	case 1:
		return "+1 (" + area + ") " + exchange + "-" + m.digits(4)
	case 2:
		return "(" + area + ") " + exchange + "-" + m.digits(4)
	case 3:
		return area + "-" + exchange + "-" + m.digits(4)
	case 4:
		return "+49 171 " + m.digits(7)
	case 5:
		return "+4930" + m.digits(7)
	case 6:
		return "0171 2" + m.digits(6)
	case 7:
		return "+33 6 " + m.digits(2) + " " + m.digits(2) + " " + m.digits(2) + " " + m.digits(2)
	case 8:
		return "06.1" + m.digits(1) + "." + m.digits(2) + "." + m.digits(2) + "." + m.digits(2)
	case 9:
		return "+44 7700 900" + m.digits(3)
	case 10:
		return "+39 347 " + m.digits(7)
	case 11:
		return "+34 6" + m.digits(2) + " " + m.digits(3) + " " + m.digits(3)
	case 12:
		return "+81-90-" + m.digits(4) + "-" + m.digits(4)
	default:
		return "+55 (11) 9" + m.digits(4) + "-" + m.digits(4)
	}
}

func (m *maker) card() string {
	d := []byte(m.pick([]string{"4", "51", "55", "2221"}) + m.digits(15))[:16]
	for d[15] = '0'; !luhn(d); d[15]++ {
	}
	if s := string(d); m.n(2) == 0 {
		return s
	} else {
		return s[:4] + " " + s[4:8] + " " + s[8:12] + " " + s[12:]
	}
}

func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			v = v*2%10 + v/5
		}
		sum += v
	}
	return sum%10 == 0
}

// noCard has a card's look and fails the checksum.
func (m *maker) noCard() string {
	d := []byte("4" + m.digits(15))
	if luhn(d) {
		d[15] = '0' + (d[15]-'0'+1)%10
	}
	return string(d)
}

func (m *maker) iban() string {
	country, account := "DE", m.digits(18)
	switch m.n(3) {
	case 0:
		country, account = "NL", "ABNA"+m.digits(10)
	case 1:
		country, account = "ES", m.digits(20)
	}
	sum := 0
	for _, c := range account + country + "00" {
		if c >= 'A' {
			sum = (sum*100 + int(c-'A') + 10) % 97
		} else {
			sum = (sum*10 + int(c-'0')) % 97
		}
	}
	s := fmt.Sprintf("%s%02d%s", country, 98-sum, account)
	if m.n(2) == 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}

func (m *maker) ip() (kind, value string) {
	if m.n(5) == 0 {
		return "ipv6", "2001:db8:" + m.hex(4) + "::" + m.hex(4)
	}
	return "ipv4", fmt.Sprintf("%d.%d.%d.%d", 130+m.n(90), m.n(256), m.n(256), 1+m.n(254))
}

func (m *maker) ssn() string {
	return fmt.Sprintf("%03d-%02d-%04d", 100+m.n(500), 1+m.n(99), 1+m.n(9999))
}

// noise is what every message has and nobody's data is.
func (m *maker) noise() string {
	return fmt.Sprintf(`"id":"%s","order_id":"%s","reference":%s,"created":%d,"request_id":"%s","sha":"%s","cursor":"%s==","sdk":{"name":"acme.node","version":"%d.%d.%d.%d"},"asset":"https://cdn.example.com/img/%s/logo@2x.png","package":"left-pad@%d.2.3","updated_at":"%s"`,
		m.uuid(), m.digits(10), m.noCard(), 1700000000000+m.n(90000000), m.hex(24), m.hex(40), m.text(42), m.n(9), m.n(20), m.n(9), m.n(30), m.hex(12), m.n(9), m.time())
}

const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.109 Safari/537.36"

var shapes = []func(*maker){
	func(m *maker) { // a mail
		m.put(`{"personalizations":[{"to":[{"email":"«email:%s»","name":"%s"}],"subject":"Order %s"}],"from":{"email":"«email:noreply@acme.example»"},"content":[{"type":"text/plain","value":"Hi %s, %s. Call us on «phone:%s» or write to «email:%s»."}],%s}`,
			m.email(), m.name(), m.digits(9), m.pick(firstNames), m.pick(phrases), m.phone(), m.email(), m.noise())
	},
	func(m *maker) { // a payment
		kind, ip := m.ip()
		m.put(`{"amount":%d,"currency":"eur","card":{"number":"«card:%s»","exp_month":%d,"exp_year":2029},"billing_details":{"email":"«email:%s»","phone":"«phone:%s»","name":"%s"},"client_ip":"«%s:%s»",%s}`,
			m.n(100000), m.card(), 1+m.n(12), m.email(), m.phone(), m.name(), kind, ip, m.noise())
	},
	func(m *maker) { // an event
		kind, ip := m.ip()
		m.put(`{"type":"identify","userId":"%s","anonymousId":"%s","context":{"ip":"«%s:%s»","userAgent":"%s","locale":"de-DE","screen":{"width":1920,"height":1080},"location":{"latitude":52.520008,"longitude":13.404954}},"traits":{"email":"«email:%s»","phone":"«phone:%s»"},"timestamp":"%s",%s}`,
			m.digits(8), m.uuid(), kind, ip, userAgent, m.email(), m.phone(), m.time(), m.noise())
	},
	func(m *maker) { // an error
		kind, ip := m.ip()
		m.put(`{"event_id":"%s","timestamp":%d.%s,"platform":"node","release":"api@%d.4.1","exception":{"values":[{"type":"Error","value":"login failed for «email:%s» from «%s:%s» after 3 attempts, trace %s"}]},"user":{"id":"%s","ip_address":"«%s:%s»"},%s}`,
			m.hex(32), 1790000000+m.n(9000000), m.digits(6), m.n(9), m.email(), kind, ip, m.hex(16), m.digits(9), kind, ip, m.noise())
	},
	func(m *maker) { // a ticket
		m.put(`{"ticket":{"subject":"%s","comment":{"body":"%s. My number is «phone:%s», card «card:%s».\n\n%s"},"requester":{"name":"%s","email":"«email:%s»"},"tags":["v%d.2","tier_%d"]},%s}`,
			m.pick(phrases), m.pick(phrases), m.phone(), m.card(), m.pick(phrases), m.name(), m.email(), m.n(9), m.n(9), m.noise())
	},
	func(m *maker) { // a payroll
		m.put(`{"employee":{"name":"%s","ssn":"«ssn:%s»","iban":"«iban:%s»","salary":"%d,%s.00","email":"«email:%s»"},"period":"2026-10-01/2026-10-31",%s}`,
			m.name(), m.ssn(), m.iban(), 20+m.n(90), m.digits(3), m.email(), m.noise())
	},
}
