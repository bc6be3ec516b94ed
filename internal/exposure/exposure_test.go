package exposure

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSetTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Set
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			s.Add(Category(rapid.IntRange(0, len(keys)-1).Draw(t, "category")),
				Form(rapid.IntRange(0, int(forms)-1).Draw(t, "form")))
		}
		back, err := ParseSet(s.String())
		if err != nil || back != s {
			t.Fatalf("%q came back as %q, %v", s, back, err)
		}
	})
}

func TestSetOfAnUnknownCategoryIsRefused(t *testing.T) {
	for _, text := range []string{"user.contact.fax", "user.name:hidden", "user.name:clear", ",", "user.name,,user.name"} {
		if s, err := ParseSet(text); err == nil {
			t.Errorf("%q was read as %q", text, s)
		}
	}
}

func TestUnionHoldsBothForms(t *testing.T) {
	a, b := SetOf(Name), Set{}
	b.Add(Name, Masked)
	u := a.Union(b)
	if !u.Has(Name, Clear) || !u.Has(Name, Masked) || u.String() != "user.name,user.name:masked" {
		t.Fatalf("union is %q", u)
	}
}

func TestOneAddressInManySpellingsIsOneIdentifier(t *testing.T) {
	for kind, spellings := range map[Kind][]string{
		KindEmail:    {"ada@example.org", " Ada@Example.ORG ", "Ada Lovelace <ada@example.org>", "mailto:Ada@example.org", "\"L, Ada\" <ada@example.org>"},
		KindUsername: {"ada", " ada "},
		KindPhone:    {"+442071838750", "+44 20 7183 8750", "0044 (20) 7183-8750", "+44 (0)20 7183 8750", "0044(0)2071838750", "whatsapp:+442071838750", "tel:+44-20-7183-8750"},
	} {
		want, err := Canonical(kind, spellings[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spellings[1:] {
			if got, err := Canonical(kind, s); err != nil || got != want {
				t.Errorf("%q gave %q, %v; want %q", s, got.Value, err, want.Value)
			}
		}
	}
}

func TestWhatIsNoIdentifierIsRefused(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		raw  string
	}{
		{KindEmail, ""}, {KindEmail, "ada"}, {KindEmail, "@example.org"}, {KindEmail, "ada@"},
		{KindEmail, "a@b.c, d@e.f"}, {KindEmail, "ada\xff@example.org"},
		{KindPhone, "ext. 12"}, {KindPhone, "sip:12345@pbx.example"}, {KindPhone, "client:12345"}, {KindPhone, "1234"}, {KindPhone, "+1234567890123456"},
		{KindUserID, " \t"}, {Kind(99), "x"},
	} {
		if id, err := Canonical(c.kind, c.raw); err == nil {
			t.Errorf("%s %q became %q", c.kind, c.raw, id.Value)
		}
	}
}

func TestIdentifierNeverPrintsItsValue(t *testing.T) {
	id, _ := Canonical(KindEmail, "ada@example.org")
	if id.String() != "email:…" {
		t.Fatalf("printed %q", id)
	}
}

func TestSpecialCategoriesOfArticleNine(t *testing.T) {
	for key, want := range map[string]bool{
		"user.health_and_medical.genetic": true, "user.biometric.voice": true,
		"user.demographic.race_ethnicity": true, "user.demographic.gender": false, "user.name": false,
	} {
		if got := MustCategory(key).Special(); got != want {
			t.Errorf("%s special: %v", key, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add(uint8(1), "Ada <ada@example.org>")
	f.Add(uint8(2), "0044 20 7183 8750")
	f.Fuzz(func(t *testing.T, kind uint8, raw string) {
		id, err := Canonical(Kind(kind), raw)
		if err != nil {
			return
		}
		if again, err := Canonical(Kind(kind), id.Value); err != nil || again != id {
			t.Fatalf("canonical form %q of %q is not canonical: %q, %v", id.Value, raw, again.Value, err)
		}
	})
}

func TestAnAddressOutsideASCIIHasOneSpelling(t *testing.T) {
	want := Identifier{Kind: KindEmail, Value: "zo\u00eb@xn--bcher-kva.example"}
	for _, s := range []string{"Zo\u00eb@B\u00fccher.example", "zoe\u0308@bu\u0308cher.example", "zo\u00eb@xn--bcher-kva.example", "ZO\u00cb@XN--BCHER-KVA.EXAMPLE"} {
		if got, err := Canonical(KindEmail, s); err != nil || got != want {
			t.Errorf("%q gave %q, %v; want %q", s, got.Value, err, want.Value)
		}
	}
}
