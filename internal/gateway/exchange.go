package gateway

import (
	"io"
	"net/http"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Exchange is one request as a front end understood it, and the place for its
// answer. The gateway may change Header.
type Exchange struct {
	Vendor *Vendor
	Sender Sender
	// Host is the host that the app addressed (lower case, without port); empty
	// for routes, which name the vendor.
	Host string

	Method string
	// Path is escaped exactly as it came, without a route's "/VENDOR"; Query is
	// raw, without the question mark.
	Path, Query string
	Header      http.Header
	Body        io.Reader
	Length      int64 // of the body; -1: unknown

	Answer http.ResponseWriter
}

// methods that vendors' APIs use. Others are refused: a route's name, and so
// the ledger, would otherwise take up whatever word somebody sends.
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true, "REPORT": true, "SEARCH": true, "QUERY": true,
}

// admissible says what is wrong with an exchange before anything is looked up.
func (x *Exchange) admissible() *Problem {
	if !methods[x.Method] {
		return NotSupported("the method is not one that vendors' APIs use")
	}
	for _, v := range x.Header["Upgrade"] {
		if strings.EqualFold(strings.TrimSpace(v), "websocket") {
			return NotSupported("WebSocket messages are not inspected yet and therefore not passed")
		}
	}
	if !strings.HasPrefix(x.Path, "/") {
		return Malformed(400, "the target is not a path")
	}
	if !x.Sender.may(x.Vendor.ID()) {
		return problem(403, exposure.ReasonAppNotAllowed, "this app may not send to this vendor", "add the vendor to the app in cordon.yaml")
	}
	return nil
}

// read takes the message in, up to the limit. What is longer is TooLarge, and
// the rest stays in x.Body.
func (x *Exchange) read(limit int64) (*classify.Message, error) {
	m := &classify.Message{Method: x.Method, Path: x.Path, Query: x.Query, Header: x.Header}
	if x.Body == nil || x.Length == 0 {
		return m, nil
	}
	if x.Length > 0 && x.Length <= limit {
		m.Body = make([]byte, x.Length)
		_, err := io.ReadFull(x.Body, m.Body)
		return m, err
	}
	var err error
	if m.Body, err = io.ReadAll(io.LimitReader(x.Body, limit)); err != nil || int64(len(m.Body)) < limit {
		return m, err
	}
	// Exactly the limit so far: one byte more decides.
	var more [1]byte
	switch _, err := io.ReadFull(x.Body, more[:]); err {
	case nil:
		m.TooLarge = true
		x.Body = io.MultiReader(strings.NewReader(string(more[:])), x.Body)
		return m, nil
	case io.EOF:
		return m, nil
	default:
		return m, err
	}
}

// route is where the message goes by its own words.
func (x *Exchange) route() vendor.Route { return x.Vendor.spec.Match(x.Method, x.Path) }
