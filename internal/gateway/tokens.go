package gateway

import (
	"cordon/internal/minimize"
	"cordon/internal/token"
)

// tokens makes the tokens of one message to a vendor.
func (g *Gateway) tokens(v *Vendor) minimize.Tokens {
	if g.o.Tokens == nil {
		return nil
	}
	return token.Session{Maker: g.o.Tokens, Vendor: v.ID()}
}
