package detect_test

import (
	"slices"
	"strings"
	"testing"

	"cordon/internal/detect"
)

// found says what is found in a text, as "kind=value", "kind!=value" where a
// checksum holds.
func found(text, key string) (list []string) {
	for _, h := range detect.Append(nil, text, detect.Context{Key: key}) {
		sign := "="
		if h.Checked {
			sign = "!="
		}
		list = append(list, h.Kind.String()+sign+text[h.Start:h.End])
	}
	return list
}

// check reads lines "text => kind=value; kind!=value"; without an arrow nothing
// is to be found. A text that begins with (key) stands under that key.
func check(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		text, want, _ := strings.Cut(line, " => ")
		key := ""
		if rest, ok := strings.CutPrefix(text, "{"); ok {
			if k, after, ok := strings.Cut(rest, "} "); ok && !strings.ContainsAny(k, `":`) {
				key, text = k, after
			}
		}
		want = strings.ReplaceAll(want, `\u00a0`, "\u00a0")
		text = strings.ReplaceAll(strings.ReplaceAll(text, `\n`, "\n"), `\u00a0`, "\u00a0")
		var list []string
		if want != "" {
			list = strings.Split(want, "; ")
		}
		if got := found(text, key); !slices.Equal(got, list) {
			t.Errorf("%s %q\n got %q\nwant %q", key, text, got, list)
		}
	}
}

func TestAddresses(t *testing.T) {
	check(t, `
		ada@example.org => email=ada@example.org
		Ada <ada.lovelace+news@mail.example.co.uk>, thanks => email=ada.lovelace+news@mail.example.co.uk
		write to o'brien@example.ie. => email=o'brien@example.ie
		'ada@example.org' => email=ada@example.org
		(ada_l@example.museum) => email=ada_l@example.museum
		mailto:ada@example.org?subject=x => email=ada@example.org
		email=ada@example.org&x=1 => email=ada@example.org
		?e=ada%40example.org&t=2 => email=ada%40example.org
		?e=ada%2Bx%40example.org => email=ada%2Bx%40example.org
		x=1%20ada%40example.org => email=ada%40example.org
		ADA@EXAMPLE.ORG => email=ADA@EXAMPLE.ORG
		ada@bücher.example => email=ada@bücher.example
		jürgen@bücher.de => email=jürgen@bücher.de
		ada@xn--bcher-kva.ch => email=ada@xn--bcher-kva.ch
		почта@пример.рф => email=почта@пример.рф
		请联系anna@example.com谢谢 => email=anna@example.com
		メール: 太郎@例え.jpです => email=太郎@例え.jp
		Write to a@b.com.Thanks => email=a@b.com
		ada@example.org,bob@example.net;eve@example.com => email=ada@example.org; email=bob@example.net; email=eve@example.com
		"\u003cada@example.org\u003e" => email=ada@example.org
		"hello\nada@example.org\n" => email=ada@example.org
		4155551212@txt.att.net => email=4155551212@txt.att.net
		2x@example.org => email=2x@example.org
		12345@qq.com => email=12345@qq.com
		https://example.org/?to=ada@example.org => email=ada@example.org
		https://example.org/u/ada@example.org/edit => email=ada@example.org
		a@b.co => email=a@b.co
		root@localhost
		ada@
		@example.org
		ada@example
		ada@example.notadomain
		ada@.org
		ada..@example.org
		logo@2x.png
		logo@2x.mov
		sprite@3x.app
		photo@1.5x.zip
		left-pad@1.2.3
		npm i @types/node@20.1.0 react@18.2.0
		@scope/pkg@1.0.rs
		git@github.com:acme/cordon.git
		ssh://git@github.com/acme/cordon.git
		deploy@build.example.org:/srv/www
		https://key@o0.ingest.sentry.io/4505
		https://user:secret@example.org/x
		https://user:he%2F%2Fo@example.org/x
		postgres://bob:pw@db.example.org/app
		Message-ID: <CAF+abc123@mail.gmail.com>
		In-Reply-To: <1234.5678@mail.example.org>
		<img src="cid:logo.1234@example.org">
		{message_id} <20261124.1@mail.example.org>
		{headers.Message-Id} <20261124.1@mail.example.org>
		{references} <a@example.org> <b@example.org>
		References: <a@example.org> <b@example.org>
		message-id=<1@example.org>, to=<ada@example.org> => email=ada@example.org
		com.acme.Bar@1a2b3c4d.class
		user@host not an address
		price @ 3.50 each
		`)
}

func TestTelephoneNumbers(t *testing.T) {
	check(t, `
		+14155552671 => phone=+14155552671
		+1 (415) 555-2671 => phone=+1 (415) 555-2671
		+1-415-555-2671 x123 => phone=+1-415-555-2671
		345-899-3560x4587 => phone=345-899-3560x4587
		(311)905-4466x8827-Fax => phone=(311)905-4466x8827
		0171-1234567-123
		+44 (0)20 7183 8750 => phone=+44 (0)20 7183 8750
		+49 (0) 171 2345678 => phone=+49 (0) 171 2345678
		+49-171-2345678 => phone=+49-171-2345678
		(+49) 171 2345678 => phone=(+49) 171 2345678
		+33 6 12 34 56 78 => phone=+33 6 12 34 56 78
		+33\u00a06\u00a012\u00a034\u00a056\u00a078 => phone=+33\u00a06\u00a012\u00a034\u00a056\u00a078
		+5215512345678 => phone=+5215512345678
		+971501234567 => phone=+971501234567
		+6834000 => phone=+6834000
		0049 171 2345678 => phone=0049 171 2345678
		Dial 0044 20 7946 0502 from abroad => phone=0044 20 7946 0502
		001-518-640-0854 => phone=001-518-640-0854
		tel:+49-30-901820 => phone=+49-30-901820
		https://wa.me/?phone=%2B491712345678 => phone=%2B491712345678
		(415) 555-2671 => phone=(415) 555-2671
		(415)555-2671 => phone=(415)555-2671
		415-555-2671 => phone=415-555-2671
		415.555.2671 => phone=415.555.2671
		1-800-555-0199 => phone=1-800-555-0199
		01.84.17.61.18 => phone=01.84.17.61.18
		06 12 34 56 78 => phone=06 12 34 56 78
		020 7946 0958 => phone=020 7946 0958
		07700 900123 => phone=07700 900123
		030/1234567 => phone=030/1234567
		0171-1234567 => phone=0171-1234567
		(08) 8747 6301 => phone=(08) 8747 6301
		03-1234-5678 => phone=03-1234-5678
		090-1234-5678 => phone=090-1234-5678
		070-123 45 67 => phone=070-123 45 67
		8 (912) 345-67-89 => phone=8 (912) 345-67-89
		(11) 98765-4321 => phone=(11) 98765-4321
		Tel.: 040 1234567 => phone=040 1234567
		Tel.030/123456 => phone=030/123456
		Phone: 5551234567 => phone=5551234567
		Mobile 98765 43210 => phone=98765 43210
		my number is 9876543210 => phone=9876543210
		call me at 555 123 4567 today => phone=555 123 4567
		please ring 612 345 678 => phone=612 345 678
		Téléphone : 0612345678 => phone=0612345678
		Телефон: 8 912 345 67 89 => phone=8 912 345 67 89
		我的电话是13812345678，谢谢 => phone=13812345678
		전화 010-1234-5678 => phone=010-1234-5678
		Rückrufnummer 089 1234567 => phone=089 1234567
		Handynummer: 01711234567 => phone=01711234567
		416 60 039 (mobile) => phone=416 60 039
		{phone} 5551234567 => phone=5551234567
		{customer.phoneNumber} 01711234567 => phone=01711234567
		{billing.mobile_phone} 4155552671 => phone=4155552671
		{phones.number} 415 555 2671 => phone=415 555 2671
		{to.msisdn} 447700900123 => phone=447700900123
		{contacts.wa_id} 16505551234 => phone=16505551234
		{to} 447700900123 => phone=447700900123
		{messages.to} 16505551234 => phone=16505551234
		{range.to} 1700000000
		{range.from} 1700000000000
		{wa_message_id} 16505551234
		Rappelez-moi au 06 12 34 56 78 => phone=06 12 34 56 78
		llámame al 612 345 678 => phone=612 345 678
		il mio numero è 347 1234567 => phone=347 1234567
		meu telemóvel: 912 345 678 => phone=912 345 678
		Ruf mich unter 0171 2345678 an => phone=0171 2345678
		numaram 0532 123 45 67 => phone=0532 123 45 67
		Tel: +49 (0)30 / 123 45-67 => phone=+49 (0)30 / 123 45-67
		+49 30 12345-0 => phone=+49 30 12345-0
		0049 (0)171 2345678 => phone=0049 (0)171 2345678
		089/12 34 56-78 => phone=089/12 34 56-78
		(030) 1234567 => phone=(030) 1234567
		"phone":"0301234567","order":"5551234567" => phone=0301234567
		`)
}

func TestCardsAndAccounts(t *testing.T) {
	check(t, `
		4111111111111111 => card!=4111111111111111
		4111 1111 1111 1111 => card!=4111 1111 1111 1111
		4111-1111-1111-1111 => card!=4111-1111-1111-1111
		3782 822463 10005 => card!=3782 822463 10005
		378282246310005 => card!=378282246310005
		5555555555554444, exp 12/26 => card!=5555555555554444
		card 4111 1111 1111 1111 12/26 123 => card!=4111 1111 1111 1111
		2223003122003222 => card!=2223003122003222
		30569309025904 => card!=30569309025904
		my card 501864667909 => card!=501864667909
		{card.number} 6304000000000000 => card!=6304000000000000
		Kreditkarte: 4012888888881881 => card!=4012888888881881
		4111111111111112
		4111 11111111 1111
		4111-1111 1111-1111
		order 4111111111111111
		{order_id} 4111111111111111
		{tracking_number} 4012888888881881
		a4111111111111111
		4111111111111111-7
		x-4111111111111111
		41111111111111111111111111
		1700000000000000
		501864667909
		DE89370400440532013000 => iban!=DE89370400440532013000
		DE89 3704 0044 0532 0130 00 => iban!=DE89 3704 0044 0532 0130 00
		gb82 west 1234 5698 7654 32 => iban!=gb82 west 1234 5698 7654 32
		IBAN:FR1420041010050500013M02606. => iban!=FR1420041010050500013M02606
		nl91abna0417164300 => iban!=nl91abna0417164300
		DE89370400440532013001
		DE8937040044053201300
		XDE89370400440532013000
		DE89370400440532013000A
		`)
}

func TestNetworkAddresses(t *testing.T) {
	check(t, `
		from 203.0.113.9 at noon => ipv4=203.0.113.9
		203.0.113.9:443 => ipv4=203.0.113.9
		[203.0.113.9] => ipv4=203.0.113.9
		http://198.51.100.7/x => ipv4=198.51.100.7
		10.0.0.1 => ipv4=10.0.0.1
		192.168.1.20/32 => ipv4=192.168.1.20
		client 1.2.3.4 connected => ipv4=1.2.3.4
		{ip} 1.2.3.4 => ipv4=1.2.3.4
		{context.ip} 8.8.8.8 => ipv4=8.8.8.8
		X-Forwarded-For: 203.0.113.9, 70.41.3.18 => ipv4=203.0.113.9; ipv4=70.41.3.18
		2001:db8::1 => ipv6=2001:db8::1
		[2001:db8:85a3::8a2e:370:7334]:443 => ipv6=2001:db8:85a3::8a2e:370:7334
		fe80::1ff:fe23:4567:890a => ipv6=fe80::1ff:fe23:4567:890a
		2001:0db8:85a3:0000:0000:8a2e:0370:7334 => ipv6=2001:0db8:85a3:0000:0000:8a2e:0370:7334
		::ffff:203.0.113.9 => ipv6=::ffff:203.0.113.9
		"ip":"2a02:8108::ab1" => ipv6=2a02:8108::ab1
		1.2.3.4
		version 10.20.30.40
		v203.0.113.9
		Chrome/120.0.0.0 Safari/537.36
		SDK 45.46.47.48
		{version} 113.45.46.47
		{sdk.version} 113.45.46.47
		left-pad@101.102.103.104
		255.255.255.0
		0.0.0.0
		127.0.0.1
		10.0.0.0/8
		1.2.3.4.5
		256.1.1.1
		203.0.113.9-beta
		203.0.113.9.x
		192.168.001.1
		12:30:45
		2026-11-24T12:30:45+01:00
		00:1a:2b:3c:4d:5e
		00:11:22:33:44:55:66:77
		std::string a1::b2
		dead::beef
		::1
		`)
}

func TestNationalNumbers(t *testing.T) {
	check(t, `
		SSN 514-69-0360 => ssn=514-69-0360
		514-69-0360 => ssn=514-69-0360
		social security number: 514 69 0360 => ssn=514 69 0360
		{ssn} 514690360 => ssn=514690360
		part 514-69-0360
		000-12-3456
		666-12-3456
		900-12-3456
		514-69-03601
		514690360
		Steuer-ID 86095742719 => national_id!=86095742719
		Steueridentifikationsnummer: 86 095 742 719 => national_id!=86 095 742 719
		NIR 1 85 05 78 006 084 91 => national_id!=1 85 05 78 006 084 91
		DNI 12345678Z => national_id!=12345678Z
		NIE: X1234567L => national_id!=X1234567L
		NIE X-1234567-L => national_id!=X-1234567-L
		RSSMRA85T10A562S => national_id!=RSSMRA85T10A562S
		BSN 111222333 => national_id!=111222333
		PESEL 44051401359 => national_id!=44051401359
		Personnummer 811218-9876 => national_id!=811218-9876
		{personnummer} 198112189876 => national_id!=198112189876
		henkilötunnus 131052-308T => national_id!=131052-308T
		Henkilötunnukseni on 131052-308T. => national_id!=131052-308T
		hetu: 131052A308T => national_id!=131052A308T
		NHS number 943 476 5919 => national_id!=943 476 5919
		NI number AB123456C => national_id=AB123456C
		National Insurance: AB 12 34 56 C => national_id=AB 12 34 56 C
		CPF 52998224725 => national_id!=52998224725
		529.982.247-25 => national_id!=529.982.247-25
		SIN 046 454 286 => national_id!=046 454 286
		Aadhaar 2341 2341 2346 => national_id!=2341 2341 2346
		TFN 123 456 782 => national_id!=123 456 782
		756.9217.0769.85 => national_id!=756.9217.0769.85
		85.07.30-033.28 => national_id!=85.07.30-033.28
		CPR 070761-4285 => national_id!=070761-4285
		fødselsnummer 01010750160 => national_id!=01010750160
		TC Kimlik 10000000146 => national_id!=10000000146
		OIB 33392005961 => national_id!=33392005961
		NRIC S1234567D => national_id!=S1234567D
		身份证11010519491231002X => national_id!=11010519491231002X
		PPSN 1234567FA => national_id!=1234567FA
		BADD110313HCMLNS09
		DNI 12345678A
		RSSMRA85T10A562T
		86095742719
		111222333
		order 111222333
		44051401359
		12345678Z
		order 12345678Z
		943 476 5919
		811218-9876
		AB123456C
		046 454 286 => phone=046 454 286
		`)
}

// What is in every message and is nobody's.
func TestWhatIsNotPersonal(t *testing.T) {
	check(t, `
		550e8400-e29b-41d4-a716-446655440000
		12345678-1234-1234-1234-123456789012
		d41d8cd98f00b204e9800998ecf8427e
		da39a3ee5e6b4b0d3255bfef95601890afd80709
		{id} 4155552671
		{user_id} 9876543210
		{phone_id} 9876543210
		{phone_number_id} 106540352242922
		{phone_verified_at} 1700000000
		{timestamp} 1700000000000
		{text} 12345678901
		{contact.id} 12345678901
		1700000000
		1700000000000
		20261124123045
		2026-11-24
		2026-11-24T12:30:45.123456Z
		2026-11-24 12:30:45
		24.11.2026 12:30
		11/24/2026
		10-12-2024
		called on 10-12-2024
		call between 10-12 and 14-16
		order 415-555-2671
		Order #5551234567
		Bestellnummer 0171 1234567
		invoice INV-2026-004913
		RE 2026/11/000123
		tracking 1Z999AA10123456784
		9400 1000 0000 0000 0000 00
		ISBN 978-3-16-148410-0
		ISBN 0-306-40615-2
		EAN 4006381333931
		52.520008, 13.404954
		+37.7749295,-122.4194155
		-0.1277583
		1.234.567,89 EUR
		$1,234,567.89
		12 345 678 units
		SKU 0012-3456-7890
		part no. 030-1234567-8
		serial 0171-1234-5678-9
		amount 4155552671
		case 00012345
		sha256:3b2e7d0c9f8a41023456789012345678
		eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U
		dGVzdCsxMjM0NTY3ODkwMTIzNDU2Nzg5MA==
		ABC+14155552671/xyz
		Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 Version/17.1.2 Mobile/15E148
		5+3=8 and 2*10^12
		1e+12345678
		#123456789
		0x1234567890
		10.1000/182
		192x192, 1024x768
		4 8 15 16 23 42
		+0000 and +0530
		GMT+0100
		VAT DE136695976
		{zip} 10117-1234
		Konto 0532013000 BLZ 37040044
		RFC 5322, section 3.6.4
		p. 123-456-7890
		99.999999
		flight LH 1234 on 24 11
		(1998) 123 456
		[2024] EWCA Civ 1234567
		24-11-2026 10:15:30,123
		pid 12345678 tid 1234567890
		12345678901234567890123
		acct_1032D82eZvKYlo2C cus_9s6XKzkNRiz8i3 pi_3MtwBwLkdIwHu7ix28a3tqPa
		`)
}

func TestEveryTopLevelDomainEndsAnAddress(t *testing.T) {
	for _, tld := range []string{"com", "de", "museum", "app", "zip", "mov", "xn--p1ai", "рф", "中国", "example", "test"} {
		if got := found("ada@host."+tld, ""); len(got) != 1 {
			t.Errorf("%s: %q", tld, got)
		}
	}
}

func FuzzAppend(f *testing.F) {
	for _, seed := range []string{"ada@example.org +1 415 555 2671", "4111 1111 1111 1111 DE89 3704 0044 0532 0130 00", "1.1.1.1 2001:db8::1 ::ffff:1.2.3.4", "é+49@%40%2B1", "\\n0171 1234567x1", "X-1234567-L AB 12 34 56 C"} {
		f.Add(seed, "phone")
	}
	for _, unit := range hostile {
		f.Add(strings.Repeat(unit, 20), "tax_id")
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		last := 0
		for _, h := range detect.Append(nil, text, detect.Context{Key: key}) {
			if int(h.Start) < last || h.End <= h.Start || int(h.End) > len(text) || h.Kind.String() == "" {
				t.Fatalf("hit %+v after %d in %d bytes", h, last, len(text))
			}
			last = int(h.End)
		}
		detect.Words(text, func(w string, start, end int) bool {
			if w == "" || start >= end || end > len(text) {
				t.Fatalf("word %q at %d to %d", w, start, end)
			}
			return true
		})
	})
}

func TestWordsAreFolded(t *testing.T) {
	var got []string
	detect.Words("Jürgen GROSSMANN-Ødegård, O’Brien (3rd) Łódź é 中文 ΆΛΦΑ Ёлка", func(w string, start, end int) bool {
		got = append(got, strings.Clone(w))
		return true
	})
	if want := []string{"jurgen", "grossmann", "odegard", "o", "brien", "3rd", "lodz", "e", "中文", "αλφα", "елка"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
