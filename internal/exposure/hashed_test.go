package exposure

import "testing"

// The digests were made with sha256sum and md5sum.
func TestHashesAreThoseOfTheVendors(t *testing.T) {
	email, err := Canonical(KindEmail, " Ada@Example.org")
	if err != nil {
		t.Fatal(err)
	}
	phone, err := Canonical(KindPhone, "+44 20 7183 8750")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		of  Identifier
		has Identifier
	}{
		{email, Identifier{Kind: KindEmailSHA256, Value: "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d"}},
		{email, Identifier{Kind: KindEmailMD5, Value: "5bfcf2d8e394674550332640d72db509"}},
		{phone, Identifier{Kind: KindPhoneSHA256, Value: "8d5f937f3a5590634cbe975951a6aa1543170671ce6e73cce4062f4e8c288417"}},
		{phone, Identifier{Kind: KindPhoneSHA256, Value: "e631c2534428c6c9b48c2167604a8983046085e43a2c00ed748733c544c0bb4d"}},
	} {
		found := false
		for _, h := range want.of.Hashes() {
			found = found || h == want.has
			if back, err := Canonical(h.Kind, h.Value); err != nil || back != h {
				t.Errorf("%v is not canonical: %v", h, err)
			}
		}
		if !found {
			t.Errorf("%v %q is missing", want.has.Kind, want.has.Value)
		}
	}
	if n := len(Identifier{Kind: KindPhone, Value: "02071838750"}.Hashes()); n != 0 {
		t.Errorf("a national number has %d hashes", n)
	}
}

func TestOnlyADigestInItsPlaceIsAHashedIdentifier(t *testing.T) {
	sum := sha256Hex("ada@example.org")
	for _, c := range []struct {
		c     Category
		value string
		kind  Kind
		ok    bool
	}{
		{Email, sum, KindEmailSHA256, true}, {Phone, sum, KindPhoneSHA256, true}, {Email, sum[:32], KindEmailMD5, true},
		{Phone, sum[:32], 0, false}, {Email, "ada@example.org", 0, false}, {UserID, sum, 0, false}, {Email, sum[:63], 0, false},
	} {
		if kind, ok := HashedKind(c.c, c.value); ok != c.ok || kind != c.kind {
			t.Errorf("%v %q: %v %v", c.c, c.value, kind, ok)
		}
	}
}
