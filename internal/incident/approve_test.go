package incident

import (
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
)

func exposureID(s string) exposure.VendorID { return exposure.VendorID(s) }

var restore = Step{Name: RestoreStep(""), Content: []string{"acme-mail", "", "4"}, Detail: "open the gate of acme-mail"}

func mayDo(t *testing.T, c *Cases, s Step) bool {
	t.Helper()
	_, err := c.Demand(t.Context(), "ann", "acme-mail", s)
	if e, refused := err.(*Error); err != nil && (!refused || !e.Refused || e.Next == "") {
		t.Fatalf("not a refusal: %v", err)
	}
	return err == nil
}

func TestStepTakesTwoUsersInDifferentRoles(t *testing.T) {
	c, p, k := began(t, Opening{})
	approve := func(a Approver) error {
		t.Helper()
		_, err := c.Approve(t.Context(), "inc-1", "restore", restore.Digest()[:16], a, nil)
		return err
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error, why string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Fatalf("want a refusal that says %q, got %v", why, err)
		}
	}
	refused(approve(Approver{Name: "ann", Role: "responder"}), "waits for approval")
	if mayDo(t, c, restore) {
		t.Fatal("without any approval")
	}
	plan, _ := c.Get("inc-1")
	refused(approve(Approver{Name: "local", Role: "administrator", Local: true}), "no user")
	refused(approve(Approver{Name: "eve", Role: "counsel", Since: plan.Plans[0].Entry + 1}), "came after the plan")
	must(approve(Approver{Name: "ann", Role: "responder"}))
	refused(approve(Approver{Name: "ann", Role: "counsel"}), "approved it already") // another role makes nobody two
	must(approve(Approver{Name: "rob", Role: "responder"}))
	if mayDo(t, c, restore) {
		t.Fatal("by two in one role")
	}
	other := restore
	other.Content = []string{"acme-mail", "", "5"} // it was cut once more
	must(approve(Approver{Name: "bob", Role: "counsel"}))
	if !mayDo(t, c, restore) {
		t.Fatal("not with responder and counsel")
	}
	if mayDo(t, c, other) {
		t.Fatal("approvals of one content were taken for another")
	}
	if mayDo(t, c, restore) {
		t.Fatal("the older plan came back with its approvals")
	}
	sameAfterRestart(t, c, p)

	// Two plans took turns. The name alone says neither which was looked at, nor
	// does the digest of the one that is gone.
	for _, digest := range []string{"", other.Digest(), restore.Digest()[:8]} {
		_, err := c.Approve(t.Context(), "inc-1", "restore", digest, Approver{Name: "ann", Role: "responder"}, nil)
		refused(err, "what waits as restore is now: open the gate of acme-mail, digest "+restore.Digest()[:16])
	}

	// Approved, done, and used up.
	must(approve(Approver{Name: "ann", Role: "responder"}))
	must(approve(Approver{Name: "bob", Role: "counsel"}))
	if !mayDo(t, c, restore) {
		t.Fatal("not approved")
	}
	gate(t, p, k.at, "open", "")
	if mayDo(t, c, restore) {
		t.Fatal("approvals count twice")
	}
	// A cut takes approvals back.
	must(approve(Approver{Name: "ann", Role: "responder"}))
	must(approve(Approver{Name: "bob", Role: "counsel"}))
	gate(t, p, k.at, "cut", "")
	if mayDo(t, c, restore) {
		t.Fatal("approvals outlived a cut")
	}
	// And without an open incident nothing is asked.
	if _, err := c.Close(t.Context(), "inc-1", "ann", "over", nil); err != nil {
		t.Fatal(err)
	}
	if !mayDo(t, c, restore) {
		t.Fatal("asked without an open incident")
	}
	sameAfterRestart(t, c, p)
}

func TestBreakingTheGlassTakesAQuarterOfAnHourAndACutEndsIt(t *testing.T) {
	c, p, k := began(t, Opening{})
	begin := func() bool {
		t.Helper()
		_, _, begun, err := c.BreakGlass(t.Context(), "ann", "acme-mail", restore)
		if err != nil {
			t.Fatal(err)
		}
		return begun
	}
	if !begin() || begin() {
		t.Fatal("it begins once")
	}
	k.at = noon.Add(GlassDelay - time.Millisecond)
	if mayDo(t, c, restore) {
		t.Fatal("a millisecond early")
	}
	k.at = noon.Add(GlassDelay)
	if !mayDo(t, c, restore) {
		t.Fatal("not when the time had come")
	}
	sameAfterRestart(t, c, p)
	k.at = noon.Add(GlassDelay + 25*time.Hour)
	if mayDo(t, c, restore) {
		t.Fatal("for ever")
	}
	if !begin() {
		t.Fatal("does not begin anew")
	}
	gate(t, p, k.at, "cut", "")
	k.at = k.at.Add(GlassDelay)
	if mayDo(t, c, restore) {
		t.Fatal("a cut did not end it")
	}
	// It is for opening a gate and nothing else.
	narrow := Step{Name: ScopeStep, Content: []string{"x"}}
	if _, _, _, err := c.BreakGlass(t.Context(), "ann", "acme-mail", narrow); err != nil {
		t.Fatal(err)
	}
	k.at = k.at.Add(GlassDelay)
	if mayDo(t, c, narrow) {
		t.Fatal("a scope was narrowed by one person")
	}
}
