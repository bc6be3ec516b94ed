package openapi

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

var update = flag.Bool("update", false, "write the drafts into testdata; read the difference before committing it")

// TestDrafts runs testdata/drafts/*.txt: a description and its draft.
func TestDrafts(t *testing.T) {
	files, _ := filepath.Glob("testdata/drafts/*.txt")
	if len(files) < 3 {
		t.Fatalf("%d cases", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := New(a.Files[0].Data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := d.YAML()
			if *update {
				a.Files[1].Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := a.Files[1].Data; !bytes.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			accepted(t, d)
			for range 5 { // maps are walked in a fixed order
				if again, _ := New(a.Files[0].Data, Options{}); !bytes.Equal(again.YAML(), got) {
					t.Fatal("another run gives another draft")
				}
			}
		})
	}
}

// accepted holds a draft against what `cordon check` says of manifests, and
// its lines against the routes that come of them.
func accepted(t *testing.T, d *Draft) {
	t.Helper()
	s, problems := vendor.Parse("draft.yaml", d.YAML())
	if len(problems) > 0 {
		t.Fatalf("the draft is refused: %v\n%s", problems, d.YAML())
	}
	lines := 0
	for _, r := range s.Routes {
		if r.Method == "SMTP" {
			continue
		}
		for _, m := range r.Mappings {
			lines += len(m.Fields)
		}
	}
	for _, m := range d.Mappings {
		lines -= len(m.proposed())
	}
	if lines != 0 {
		t.Errorf("the manifest has %d lines more than were proposed", lines)
	}
}

func TestDraftOfOneRoute(t *testing.T) {
	a, err := txtar.ParseFile("testdata/drafts/shop.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []string{"GET /customers", "GET /api/v2/customers"} {
		d, err := New(a.Files[0].Data, Options{Vendor: "acme", On: on})
		if err != nil || d.Operations != 1 || d.Vendor != "acme" {
			t.Fatalf("%+v %v", d, err)
		}
		for _, m := range d.Mappings {
			if m.On != "GET /api/v2/customers" {
				t.Errorf("%+v", m)
			}
		}
	}
}

func TestRefusesWhatIsNoDescription(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "describes no API",
		"{":                                    "as JSON",
		"a: [":                                 "as YAML",
		"[1, 2]":                               "describes no API",
		`{"openapi": "2.0", "paths": {}}`:      "describes no API",
		`{"openapi": "3.0.0"}`:                 "no paths",
		`{"swagger": "2.0", "paths": {}}`:      "no paths",
		"openapi: 3.0.0\npaths: [not, a, map]": "no paths",
	} {
		if _, err := New([]byte(text), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A schema whose branches multiply is cut, and said to be.
func TestSchemaThatMultipliesIsCut(t *testing.T) {
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/s0'}}}}}}}\ncomponents: {schemas: {\n")
	for i := range 30 {
		next := "#/components/schemas/s" + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10))
		name := "s" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		if i == 0 {
			name = "s0"
		}
		b.WriteString(name + ": {type: object, properties: {a: {$ref: '" + next + "'}, b: {$ref: '" + next + "'}, email: {type: string}}},\n")
	}
	b.WriteString("s30: {type: string}}}\n")
	d, err := New([]byte(b.String()), Options{})
	if err != nil || d.Cut == 0 {
		t.Errorf("%v, cut %d", err, d.Cut)
	}
	accepted(t, d)
}

func TestWordsOfKeys(t *testing.T) {
	for key, want := range map[string]string{
		"firstName": "first name", "first_name": "first name", "First-Name": "first name", "FIRST_NAME": "first name", "shopperIP": "shopper ip",
		"userIDs": "user id", "IPAddress": "ip address", "addressLine1": "address line 1", "HTMLBody": "html body", "e-mailAdresse": "e mail adresse",
		"Geburtsdatum": "geburtsdatum", "prénom": "prenom", "Straße": "strasse", "$set.$email": "set email", "emails": "email", "addresses": "address",
		"companies": "company", "status": "status", "address": "address", "": "", "__": "", "ipv4": "ipv 4", "v:user-id": "v user id", "Łódź": "lodz",
	} {
		if got := phrase(words(key)); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

// one judges a single key, in its surroundings from the outermost inwards.
func one(f facts, way ...string) (judgement, string) {
	s := &spot{facts: f, steps: []step{{key: way[len(way)-1]}}}
	for i := len(way) - 2; i >= 0; i-- {
		s.around = append(s.around, words(way[i]))
	}
	return known.judge(s, nil)
}

func TestKeysTellWhatTheyHold(t *testing.T) {
	str := facts{types: []string{"string"}}
	for way, want := range map[string]string{
		"email": "user.contact.email sure", "contact/emailAddress": "user.contact.email sure", "customer_email": "user.contact.email sure",
		"billing_details/name": "user.name likely", "customer/name": "user.name likely", "cardHolderName": "user.name sure",
		"nachname": "user.name.last sure", "vorname": "user.name.first sure", "fecha_de_nacimiento": "user.demographic.date_of_birth sure",
		"prénom": "user.name.first sure", "codice_fiscale": "user.government_id.national_identification_number sure", "achternaam": "user.name.last sure",
		"kodPocztowy": "user.contact.address.postal_code sure", "personnummer": "user.government_id.national_identification_number sure",
		"dogum_tarihi": "user.demographic.date_of_birth sure", "telefone": "user.contact.phone_number sure",
		"shipping/line1": "user.contact.address.street likely", "shipping/address/state": "user.contact.address.state likely",
		"user_id": "user.unique_id sure", "anonymousId": "user.unique_id.pseudonymous sure", "customers/id": "user.unique_id.pseudonymous likely",
		"dob/year": "user.demographic.date_of_birth sure", "card/number": "user.financial.credit_card sure", "iban": "user.financial.bank_account sure",
		"ticket/description": "user.content.private likely", "comment/body": "user.content.private likely", "message": "user.content.private guess",
		"client_ip": "user.device.ip_address sure", "avatar_url": "", "user/avatar_url": "user.content.self_image likely",
		"from/email": "user.contact.email ours", "reply_to/email": "user.contact.email ours", "merchant/phone": "user.contact.phone_number ours",
		"merchantRisk/deliveryEmail": "user.contact.email sure",
		// Not a person's.
		"product/name": "", "name": "", "template/html": "", "campaign/subject": "", "email_template_name": "", "email_id_count": "", "product/description": "",
		"subscription_state": "", "order/state": "", "state": "", "file_name": "", "bank_name": "", "store/address/city": "", "ip_pool": "",
		"allowlist/ip": "", "webhook/email": "", "event/name": "", "verify_email": "", "is_phone": "", "plan/id": "", "mailing_list_name": "",
		"emailing": "", "nameserver": "", "statement": "", "cityscape": "", "companyId": "",
	} {
		j, whyNot := one(str, strings.Split(way, "/")...)
		got := ""
		if whyNot == "" {
			got = j.category.Key() + " " + string(j.certainty)
		}
		if got != want {
			t.Errorf("%s: %q (%s), want %q", way, got, whyNot, want)
		}
	}
}

func TestFormatsAndExamplesSayMoreThanKeys(t *testing.T) {
	for _, c := range []struct {
		facts facts
		way   string
		want  string
	}{
		{facts{types: []string{"string"}, format: "email"}, "x", "user.contact.email"},
		{facts{types: []string{"string"}, format: "ipv6"}, "x", "user.device.ip_address"},
		{facts{types: []string{"string"}, format: "password"}, "x", "user.authorization.password"},
		{facts{types: []string{"string"}, example: "ada@example.org"}, "x", "user.contact.email"},
		{facts{types: []string{"string"}, description: "Phone number in E.164 format"}, "To", "user.contact.phone_number"},
		{facts{types: []string{"string"}, description: "The email to send to"}, "recipient", "user.contact.email"},
		{facts{types: []string{"string"}, format: "date"}, "birthday", "user.demographic.date_of_birth"},
		{facts{types: []string{"string"}, description: "Token of APNS or FCM"}, "token", "user.device.push_token"},
		{facts{types: []string{"object"}, open: true}, "metadata", "user.content.private"},
		{facts{types: []string{"integer"}}, "user_id", "user.unique_id"},
		{facts{types: []string{"boolean"}}, "email", ""},
		{facts{types: []string{"integer"}}, "email", ""},
		{facts{types: []string{"string"}, closed: true}, "email", ""},
		{facts{types: []string{"string"}, closed: true}, "gender", "user.demographic.gender"},
		{facts{types: []string{"string"}}, "metadata", ""},
		{facts{types: []string{"string"}, format: "uri"}, "message", ""},
	} {
		j, whyNot := one(c.facts, c.way)
		if got := j.category.Key(); whyNot == "" && got != c.want || whyNot != "" && c.want != "" {
			t.Errorf("%s %+v: %s (%s), want %q", c.way, c.facts, got, whyNot, c.want)
		}
	}
}

func TestLexiconIsLarge(t *testing.T) {
	if n := len(known.senses); n < 600 {
		t.Errorf("%d phrases", n)
	}
	seen := map[exposure.Category]bool{}
	for _, senses := range known.senses {
		for _, s := range senses {
			seen[s.category] = true
		}
	}
	for _, c := range identities {
		if !seen[c] {
			t.Errorf("no word for %s", c)
		}
	}
}

// FuzzNew holds that a draft of whatever is read is a manifest.
func FuzzNew(f *testing.F) {
	files, _ := filepath.Glob("testdata/drafts/*.txt")
	for _, file := range files {
		if a, err := txtar.ParseFile(file); err == nil {
			f.Add(a.Files[0].Data)
		}
	}
	f.Add([]byte(`{"openapi":"3.0","paths":{"/a/{b}x{c}/{b}":{"post":{"requestBody":{"content":{"x":{"schema":{"properties":{"a.b|c":{"properties":{"email":{}}},"":{"properties":{"email":{}}}}}}}}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := New(data, Options{Vendor: "acme"})
		if err != nil {
			return
		}
		d.Upstream = "" // a description may name an address that no manifest may have
		if _, problems := vendor.Parse("draft.yaml", d.YAML()); len(problems) > 0 {
			t.Errorf("the draft is refused: %v\n%s", problems, d.YAML())
		}
	})
}
