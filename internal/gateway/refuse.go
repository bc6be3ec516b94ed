package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/gateway/upstream"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/vendor"
)

// refuse answers with the problem and notes the refusal. Noting is not waited
// for: whoever is refused a thousand times a second must not cost a thousand
// syncs.
func (g *Gateway) refuse(x *Exchange, route string, p *Problem) {
	x.Vendor.counters.refusals.Add(1)
	g.note(x.Vendor.ID(), x.Sender.App, route, p)
	p.WriteTo(x.Answer)
}

// Refuse answers a request that never became an exchange, and notes it.
func (g *Gateway) Refuse(x *Exchange, p *Problem) {
	if x.Vendor != nil {
		g.refuse(x, "", p)
		return
	}
	g.note("", x.Sender.App, "", p)
	p.WriteTo(x.Answer)
}

func (g *Gateway) note(v exposure.VendorID, app, route string, p *Problem) {
	fields := map[string]any{"reason": string(p.Reason), "status": p.Status}
	if app != "" {
		fields["app"] = app
	}
	if route != "" {
		fields["route"] = route
	}
	if p.Reason == exposure.ReasonMalformedRequest {
		fields["shape"] = p.Detail // one of our own phrases
	}
	g.o.Recorder.Note(ledger.Event{Kind: ledger.EventRefusal, Vendor: v, At: g.o.Now(), Actor: app, Fields: fields})
}

// closed is the answer of a gate that is not open.
func closed(err error) *Problem {
	var r *isolate.Refusal
	if !errors.As(err, &r) || r.Damaged {
		return problem(503, exposure.ReasonGateUnknown, "the state of the vendor's gate cannot be read, so it counts as cut", "an operator looks at `cordon status` and sets the gate anew")
	}
	if r.State == isolate.Held {
		p := problem(503, exposure.ReasonHold, r.Error(), "try again later; nothing was sent")
		p.retryAfter = 30
		return p
	}
	return problem(503, exposure.ReasonCut, r.Error(), "do without this vendor until `cordon restore`; nothing was sent")
}

// byPolicy is the answer to a message that the manifest does not let pass.
func byPolicy(d exposure.Decision) *Problem {
	status, next := 403, "change the message, map it in the vendor's manifest, or change the manifest's policy"
	switch {
	case d.Reason == exposure.IncompleteTooLarge:
		status, next = 413, "send less, raise limits.body, or let the manifest pass what is unclassified"
	case d.Verdict == exposure.Hold:
		status, next = 503, "held messages are not kept yet: send it again after the manifest lets it pass"
	}
	return problem(status, d.Reason, d.Detail, next)
}

// unrecorded is the answer when the ledger gave no receipt; nil when there is
// nobody to answer.
func unrecorded(ctx context.Context) *Problem {
	if r, ok := refusalOf(ctx, nil); ok {
		return closed(r)
	}
	if ctx.Err() != nil {
		return nil
	}
	p := problem(503, exposure.ReasonLedger, "the message could not be recorded and was therefore not sent", "an operator looks at `cordon status`")
	p.retryAfter = 5
	return p
}

// unrecorded refuses a message that is not on record. When the app left, the
// ledger settles the entry as not sent, and there is nobody to answer.
func (g *Gateway) unrecorded(ctx context.Context, x *Exchange, route string) {
	p := unrecorded(ctx)
	if p == nil {
		panic(http.ErrAbortHandler)
	}
	g.refuse(x, route, p)
}

// failed is the answer when a recorded message got none from the vendor.
func failed(ctx context.Context, err error, o ledger.Outcome, seq uint64) *Problem {
	var p *Problem
	var forbidden *upstream.ForbiddenAddress
	var timeout net.Error
	if r, ok := refusalOf(ctx, err); ok {
		p = closed(r)
	} else if errors.As(err, &forbidden) {
		p = problem(502, exposure.ReasonAddressForbidden, forbidden.Error(), "correct the manifest or the name's addresses")
	} else if errors.As(err, &timeout) && timeout.Timeout() {
		p = problem(504, exposure.ReasonUnreachable, "the vendor did not answer in time", "")
	} else {
		p = problem(502, exposure.ReasonUnreachable, "the vendor could not be reached or broke off", "")
	}
	p.Entry = seq
	if o.Result == ledger.NotSent {
		p.Outcome = "not-sent"
		if p.Next == "" {
			p.Next = "nothing was sent: try again"
		}
	} else {
		p.Outcome = "unknown"
		p.Next = "the vendor may have the message: ask it, or repeat with the same idempotency key"
	}
	return p
}

// live is what the gate's register says of a message.
func live(x *Exchange, r vendor.Route, credential string) isolate.Live {
	return isolate.Live{Anywhere: r.Ambiguous, Route: r.Name, App: x.Sender.App, Credential: credential, Token: x.Sender.Token}
}

// credentialOf names the credential that the message goes with, and takes an
// app's own out where the manifest's replaces it.
func (g *Gateway) credentialOf(x *Exchange) string {
	c := x.Vendor.credential
	own := c.own(x)
	if own == "" {
		if c == nil {
			return ""
		}
		return c.ref
	}
	if c == nil {
		return "app:" + x.Vendor.shown.name(x.Sender.App, g.o.Secrets.Digest(stable(own)))
	}
	g.noteReplaced(x, own)
	return c.ref
}

// take reads the message, and does for the body what credentialOf does for the
// rest.
func (g *Gateway) take(x *Exchange) (*classify.Message, *Problem) {
	m, err := x.read(g.o.BodyLimit)
	if err != nil {
		return nil, Malformed(400, "the body ended early or was malformed")
	}
	own, err := x.Vendor.credential.ownBody(m)
	if err != nil {
		p := NotSupported(err.Error())
		p.Next = "send a JSON object or a form, not compressed, within limits.body"
		return nil, p
	}
	if own != "" {
		g.noteReplaced(x, own)
	}
	return m, nil
}

func (g *Gateway) noteReplaced(x *Exchange, own string) {
	digest := g.o.Secrets.Digest(stable(own))
	if g.replaced.first(string(x.Vendor.ID()) + " " + digest) {
		// Worth knowing once: an app holds a credential that it need not have.
		g.o.Recorder.Note(ledger.Event{Kind: ledger.EventConfig, Vendor: x.Vendor.ID(), At: g.o.Now(), Actor: x.Sender.App,
			Fields: map[string]any{"replaced_credential": digest, "app": x.Sender.App}})
	}
}

// stable is the part of a credential that stays the same from one request to
// the next. AWS signs each request (SigV4): there it is the key's id.
func stable(own string) string {
	if rest, ok := strings.CutPrefix(own, "AWS4-HMAC-SHA256 "); ok {
		_, rest, _ = strings.Cut(rest, "Credential=")
		id, _, _ := strings.Cut(rest, "/")
		return id
	}
	return own
}

func (c *counters) recorded(at time.Time) {
	c.disclosures.Add(1)
	c.last.Store(at.UnixNano())
}

func (c *counters) settled(o ledger.Outcome) {
	c.bytes.Add(uint64(o.Bytes))
	if o.Result != ledger.Sent {
		c.failures.Add(1)
	}
}
