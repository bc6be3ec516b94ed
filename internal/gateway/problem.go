package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"cordon/internal/exposure"
)

// Problem is a refusal as the client gets it (RFC 9457). Nothing in it comes
// from the message.
type Problem struct {
	Type   string          `json:"type"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail"`
	Reason exposure.Reason `json:"reason"`
	Next   string          `json:"next"`
	// Outcome is set once the message was recorded: not-sent or unknown.
	Outcome string `json:"outcome,omitempty"`
	// Entry is the ledger's number of the attempt.
	Entry uint64 `json:"entry,omitempty"`

	retryAfter int // seconds; 0: none
}

func (p *Problem) Error() string { return p.Detail }

func problem(status int, reason exposure.Reason, detail, next string) *Problem {
	return &Problem{Type: "urn:cordon:problem:" + string(reason), Title: http.StatusText(status), Status: status, Detail: detail, Reason: reason, Next: next}
}

// Malformed is the refusal of what the guard did not let through.
func Malformed(status int, detail string) *Problem {
	return problem(status, exposure.ReasonMalformedRequest, detail, "send one well-formed HTTP/1.1 request; nothing was forwarded")
}

// UnknownVendor is the refusal of a path that names no vendor.
func UnknownVendor() *Problem {
	return problem(404, exposure.ReasonUnknownVendor, "no manifest has this vendor", "use http://…/VENDOR/PATH; `cordon vendor list` shows the names")
}

// UnknownHost is the refusal of a host that no manifest names.
func UnknownHost() *Problem {
	return problem(403, exposure.ReasonUnknownHost, "no manifest names this host", "add the host to a manifest in vendors/, or set proxy.unknown_hosts: observe")
}

// NotSupported is the refusal of what HTTP allows and this gateway does not do.
func NotSupported(detail string) *Problem {
	return problem(501, exposure.ReasonNotSupported, detail, "use an ordinary request")
}

// WriteTo answers with the problem.
func (p *Problem) WriteTo(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusProxyAuthRequired {
		h.Set("Proxy-Authenticate", `Basic realm="cordon"`)
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
