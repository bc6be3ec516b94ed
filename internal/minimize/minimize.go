package minimize

import (
	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Cleared is a message that may leave, with the exposures that this means. Its
// zero value clears nothing.
type Cleared struct {
	route      vendor.Route
	outgoing   classify.Outgoing
	digest     [32]byte
	exposures  []Exposure
	incomplete []exposure.Reason
	actions    []FieldAction
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
func Clear(f *classify.Findings, spec *vendor.Spec) (Cleared, exposure.Decision) {
	panic("minimize: not yet")
}

// Supported reports whether this build can do what a manifest asks for.
func Supported(a vendor.Action) bool {
	return a == vendor.Allow || a == vendor.Drop || a == vendor.Mask
}

// Vendor is where the message goes.
func (c *Cleared) Vendor() exposure.VendorID { return c.route.Spec.ID }

// Route is the route it takes.
func (c *Cleared) Route() vendor.Route { return c.route }

// Outgoing holds the exact bytes that may leave.
func (c *Cleared) Outgoing() classify.Outgoing { return c.outgoing }

// Digest binds a receipt to exactly this message: SHA-256 over method, path,
// query and body. It is kept in memory only.
func (c *Cleared) Digest() [32]byte { return c.digest }

// Exposures lists what leaves about whom, one per person.
func (c *Cleared) Exposures() []Exposure { return c.exposures }

// Incomplete lists why the message was not fully read.
func (c *Cleared) Incomplete() []exposure.Reason { return c.incomplete }

// Actions lists what became of each field.
func (c *Cleared) Actions() []FieldAction { return c.actions }
