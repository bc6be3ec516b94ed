package minimize

import (
	"strings"
	"testing"

	"cordon/internal/exposure"
)

const paid = `{"to":[{"id":"7"}],"text":"Paid with 4242 4242 4242 4242 (not 4242 4242 4242 4243), asks ada@example.org"}`

// What was found in a text is masked where it stands, and only what a checksum
// proves: the rest of the text is the vendor's to read.
func TestOnlyWhatAChecksumProvesIsMaskedInAText(t *testing.T) {
	for _, action := range []string{"mask", "drop"} {
		s := spec(t, "minimize: {user.financial.credit_card: "+action+", user.contact.email: mask}\n")
		c := clearTo(t, s, send(paid))
		want := strings.Replace(paid, "4242 4242 4242 4242", "***", 1)
		if got := string(c.Outgoing().Body); got != want {
			t.Errorf("%s: left\n%s\nwant\n%s", action, got, want)
		}
		if got := exposed(&c); !strings.Contains(got, "user.financial.credit_card:masked") || !strings.Contains(got, "user.contact.email") || strings.Contains(got, "user.contact.email:masked") {
			t.Errorf("%s: exposed %s", action, got)
		}
	}
	s := spec(t, "")
	if c := clearTo(t, s, send(paid)); string(c.Outgoing().Body) != paid || !strings.Contains(exposed(&c), "user.financial.credit_card") {
		t.Errorf("allowed: left %s, exposed %s", c.Outgoing().Body, exposed(&c))
	}
}

func TestWhatStandsInATextSharesItsFate(t *testing.T) {
	for action, want := range map[string]string{"mask": ":masked", "drop": "", "token": ":tokenised"} {
		s := spec(t, "minimize: {user.content.private: "+action+", user.financial.credit_card: mask}\n")
		f := find(t, s, send(paid))
		c, d := Clear(f, s, session)
		if d.Verdict != exposure.Pass {
			t.Fatal(d)
		}
		if body := string(c.Outgoing().Body); strings.Contains(body, "4242") || strings.Contains(body, "ada@") {
			t.Errorf("%s: left %s", action, body)
		}
		for _, category := range []string{"user.content.private", "user.financial.credit_card", "user.contact.email"} {
			if got := exposed(&c); want == "" && strings.Contains(got, category) || want != "" && !strings.Contains(got, category+want) {
				t.Errorf("%s: exposed %s, want %s%s", action, got, category, want)
			}
		}
	}
}

// An unmapped number that happens to pass the test of cards is left: it may be
// an order's, and what is a number to the vendor cannot become a mask.
func TestANumberThatIsAWholeLeafIsNotMaskedForItsForm(t *testing.T) {
	s := spec(t, "minimize: {user.financial.credit_card: mask}\n")
	const body = `{"to":[{"id":"7"}],"order":4242424242424242}`
	if c := clearTo(t, s, send(body)); string(c.Outgoing().Body) != body {
		t.Errorf("left %s", c.Outgoing().Body)
	}
}

// An address that serves as an id is an address all the same.
func TestAnIDThatIsAnAddressFollowsThePolicyOfAddresses(t *testing.T) {
	for _, body := range []string{
		`{"to":[{"id":"ada@example.org"}]}`,
		`{"to":[{"id":"ada@example.org","email":"ada@example.org"}]}`,
	} {
		for _, action := range []string{"token", "alias", "hash", "mask", "drop"} {
			c := clearTo(t, spec(t, "minimize: {user.contact.email: "+action+"}\n"), send(body))
			got := exposed(&c)
			if strings.Contains(string(c.Outgoing().Body), "ada@example.org") || strings.Contains(got+",", "user.contact.email,") || strings.Contains(got+",", "user.unique_id,") {
				t.Errorf("%s of %s: left %s, exposed %s", action, body, c.Outgoing().Body, got)
			}
		}
		if c := clearTo(t, spec(t, ""), send(body)); string(c.Outgoing().Body) != body || !strings.Contains(exposed(&c), "user.unique_id") {
			t.Errorf("allowed: left %s", c.Outgoing().Body)
		}
	}
}

func TestWhatTheAppHashedIsRecordedAsHashed(t *testing.T) {
	const sum = "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d" // of ada@example.org
	body := `{"to":[{"email":"` + sum + `"}]}`
	c := clearTo(t, spec(t, ""), send(body))
	if got := exposed(&c); !strings.Contains(got, "user.contact.email:hashed") || string(c.Outgoing().Body) != body {
		t.Errorf("exposed %s, left %s", got, c.Outgoing().Body)
	}
	// Whoever has the list can compute such hashes: a token or an alias replaces
	// them by something of the same form that nobody else can.
	for _, action := range []string{"token", "alias", "hash"} {
		c := clearTo(t, spec(t, "minimize: {user.contact.email: "+action+"}\n"), send(body))
		left := string(c.Outgoing().Body)
		if strings.Contains(left, sum) || len(left) != len(body) || strings.Contains(left, "@") || strings.Contains(exposed(&c), "user.contact.email,") {
			t.Errorf("%s: left %s, exposed %s", action, left, exposed(&c))
		}
	}
}

// The name before an address follows the policy of names, also where addresses
// may leave.
func TestNameBeforeAnAddressIsMasked(t *testing.T) {
	s := spec(t, "minimize: {user.name: mask}\n")
	const body = `{"to":[{"id":"7","email":"Ada Lovelace <ada@example.org>"}]}`
	if c := clearTo(t, s, send(body)); string(c.Outgoing().Body) != strings.Replace(body, "Ada Lovelace", `\"A***\"`, 1) {
		t.Errorf("left %s", c.Outgoing().Body)
	}
}
