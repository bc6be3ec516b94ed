package minimize

import (
	"crypto/sha256"
	"encoding/binary"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Cleared is a message that may leave, with the exposures that this means. Its
// zero value clears nothing.
type Cleared struct {
	route      vendor.Route
	outgoing   classify.Outgoing
	digest     [sha256.Size]byte
	exposures  []Exposure
	incomplete []exposure.Reason
	actions    []FieldAction
	minted     []Minted
}

// Exposure is what left about one person. Without identifiers it is about
// nobody known.
type Exposure struct {
	Identifiers []exposure.Identifier
	Set         exposure.Set
}

// FieldAction is what became of one field, by its index in Findings.Fields.
type FieldAction struct {
	Field  int
	Action vendor.Action
	// Kept says why the policy's action was not applied and the value left as
	// it was; "" when it was applied.
	Kept string
}

// Clear applies the policy of spec to what was found. Unless the decision's
// verdict is Pass, Cleared is the zero value and the message must not go on.
//
// In shadow mode nothing is changed and nothing refused; what would have left
// is recorded as it leaves, in the clear.
//
// t may be nil where no policy asks for tokens, aliases or hashes; one that does
// is refused.
func Clear(f *classify.Findings, spec *vendor.Spec, t Tokens) (Cleared, exposure.Decision) {
	p := plan(f, spec, t)
	if p.decision.Verdict != exposure.Pass {
		return Cleared{}, p.decision
	}
	c := Cleared{
		route:      f.Route(),
		outgoing:   p.outgoing,
		incomplete: f.Incomplete(),
		actions:    p.actions,
		exposures:  p.exposures(),
		minted:     p.minted,
	}
	c.digest = digest(f.Message().Method, &c.outgoing)
	return c, p.decision
}

// digest binds exactly what leaves. Lengths go first, so that no byte can move
// from one part into the next.
func digest(method string, out *classify.Outgoing) (sum [sha256.Size]byte) {
	h := sha256.New()
	var scratch [512]byte
	b := scratch[:0]
	for _, part := range []string{method, out.Path, out.Query} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.AppendUvarint(b, uint64(len(out.Body)))
	h.Write(b)
	h.Write(out.Body)
	if e := out.Envelope; e != nil { // whom a mail goes to does not stand in its bytes
		b = binary.AppendUvarint(scratch[:0], uint64(len(e.To)))
		for _, address := range append([]string{e.From}, e.To...) {
			b = binary.AppendUvarint(b, uint64(len(address)))
			b = append(b, address...)
		}
		h.Write(b)
	}
	h.Sum(sum[:0])
	return sum
}

// Vendor is where the message goes; "" for the zero value.
func (c *Cleared) Vendor() exposure.VendorID {
	if c.route.Spec == nil {
		return ""
	}
	return c.route.Spec.ID
}

// Route is the route it takes.
func (c *Cleared) Route() vendor.Route { return c.route }

// Outgoing holds the exact bytes that may leave.
func (c *Cleared) Outgoing() classify.Outgoing { return c.outgoing }

// Digest binds a receipt to exactly this message: SHA-256 over method, path,
// query, body and envelope. It is kept in memory only.
func (c *Cleared) Digest() [sha256.Size]byte { return c.digest }

// Exposures lists what leaves about whom, one per person.
func (c *Cleared) Exposures() []Exposure { return c.exposures }

// Incomplete lists why the message was not fully read.
func (c *Cleared) Incomplete() []exposure.Reason { return c.incomplete }

// Actions lists what became of each field.
func (c *Cleared) Actions() []FieldAction { return c.actions }

// Tokens lists the tokens and aliases that the message carries, each once.
func (c *Cleared) Tokens() []Minted { return c.minted }
