package minimize

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

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
		exposures:  exposures(f, p.actions),
	}
	c.digest = digest(f.Message().Method, &c.outgoing)
	return c, p.decision
}

// planned is what a policy comes to for one message.
type planned struct {
	decision exposure.Decision
	actions  []FieldAction // one per field, also when the message is refused
	outgoing classify.Outgoing
}

func plan(f *classify.Findings, spec *vendor.Spec, t Tokens) planned {
	fields := f.Fields()
	p := planned{actions: make([]FieldAction, len(fields))}
	shadow := spec.Mode == vendor.Shadow
	var edits []classify.Edit
	for i := range fields {
		action := vendor.Allow
		if !shadow {
			action = spec.Action(fields[i].Category)
		}
		p.actions[i] = FieldAction{Field: i, Action: action}
		switch action {
		case vendor.Drop:
			edits = append(edits, classify.Edit{Field: i, Drop: true})
		case vendor.Mask:
			edits = append(edits, classify.Edit{Field: i, Value: masked(&fields[i])})
		}
	}
	if p.decision = decide(f, spec, p.actions); p.decision.Verdict != exposure.Pass && !shadow {
		return p
	}
	var err error
	if p.outgoing, err = f.Rewrite(edits); err != nil {
		p.decision = exposure.Decision{Verdict: exposure.Refuse, Reason: exposure.ReasonPolicy, Detail: detail(err)}
		return p
	}
	p.decision.Verdict = exposure.Pass
	return p
}

// decide judges what the policy says before a byte is changed.
func decide(f *classify.Findings, spec *vendor.Spec, actions []FieldAction) exposure.Decision {
	for i := range actions {
		if a := actions[i].Action; !Supported(a) {
			return exposure.Decision{Verdict: exposure.Refuse, Reason: exposure.ReasonNotSupported,
				Detail: fmt.Sprintf("the manifest asks for %q, which this version cannot do", a)}
		}
	}
	if reasons := f.Incomplete(); len(reasons) > 0 {
		return exposure.Decision{Verdict: spec.Unclassified, Reason: reasons[0],
			Detail: fmt.Sprintf("the message could not be fully read (%s); the manifest's unclassified decides", reasons[0])}
	}
	return exposure.Decision{Verdict: exposure.Pass}
}

func detail(err error) string {
	switch {
	case errors.Is(err, classify.ErrPath):
		return "the policy would change a value that stands in the path, which names what the request is about"
	case errors.Is(err, classify.ErrPartial):
		return "the policy would change a body that could be read only in part"
	default:
		return "the policy cannot be applied to this message"
	}
}

// masked is what replaces a field. A number or a boolean becomes null: a zero
// or a false would be a statement about the person, and a string would be
// refused by a typed API.
func masked(at *classify.Field) string {
	if at.Bare() {
		return "null"
	}
	return mask(at.Category, at.Value())
}

// exposures is what leaves about whom. What was dropped did not leave.
func exposures(f *classify.Findings, actions []FieldAction) []Exposure {
	people := f.People()
	if len(people) == 0 {
		return nil
	}
	sets := f.Sets(func(i int) (exposure.Form, bool) {
		switch actions[i].Action {
		case vendor.Drop:
			return 0, false
		case vendor.Mask:
			return exposure.Masked, true
		default:
			return exposure.Clear, true
		}
	})
	list := make([]Exposure, 0, len(people))
	for i := range people {
		if !sets[i].Empty() {
			list = append(list, Exposure{people[i].Identifiers, sets[i]})
		}
	}
	return list
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
// query and body. It is kept in memory only.
func (c *Cleared) Digest() [sha256.Size]byte { return c.digest }

// Exposures lists what leaves about whom, one per person.
func (c *Cleared) Exposures() []Exposure { return c.exposures }

// Incomplete lists why the message was not fully read.
func (c *Cleared) Incomplete() []exposure.Reason { return c.incomplete }

// Tokens lists the tokens and aliases that the message carries, each once.
func (c *Cleared) Tokens() []Minted { return c.minted }

// Actions lists what became of each field.
func (c *Cleared) Actions() []FieldAction { return c.actions }
