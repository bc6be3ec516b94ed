package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cordon/internal/gateway/upstream"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
	"cordon/internal/vendor"
)

// outlet is the only thing that holds connections to a vendor, and forward the
// only way to use them.
type outlet struct {
	client     *upstream.Client
	credential *credential
	base       *url.URL
	// pinned says that all of the vendor's hosts are reached at base: its
	// manifest leads to an address of our own (a simulator, a relay).
	pinned bool
	now    func() time.Time
}

func newOutlet(o Options, v *Vendor) (outlet, error) {
	out := outlet{credential: v.credential, base: v.spec.Upstream, now: o.Now}
	options := upstream.Options{Gate: v.gate, HeaderTimeout: o.VendorTimeout}
	if out.base != nil && upstream.NamesPrivate(out.base.Hostname()) {
		options.Private, out.pinned = []string{out.base.Hostname()}, true
	}
	if m := v.spec.Manifest; m != nil && m.TLS != nil {
		if m.TLS.CA != "" {
			pem, err := o.Secrets.Secret(m.TLS.CA)
			if err != nil {
				return out, fmt.Errorf("reading its tls.ca %s: %w", m.TLS.CA, err)
			}
			options.Roots = x509.NewCertPool()
			if !options.Roots.AppendCertsFromPEM([]byte(pem.Reveal())) {
				return out, fmt.Errorf("its tls.ca %s holds no PEM certificate", m.TLS.CA)
			}
		}
		if m.TLS.Pin != "" {
			pin, err := upstream.ParsePin(m.TLS.Pin)
			if err != nil {
				return out, err
			}
			options.Pin = pin
		}
	}
	out.client = upstream.New(options)
	return out, nil
}

// attempt is what stays the same from one try to the next.
type attempt struct {
	passage  *isolate.Passage
	route    vendor.Route
	cleared  *minimize.Cleared
	x        *Exchange
	tooLarge bool
	earlier  uint64 // entry of the try before; 0: none
	reused   bool   // this try went over a connection used before
	taking   int    // how often a token was taken by another message
}

// again decides whether to try once more: only when not one byte was handed
// over, because the vendor had closed an idle connection that very moment.
// Whatever else went wrong is for the app to judge.
func (a *attempt) again(ctx context.Context, o ledger.Outcome, seq uint64) bool {
	if o.Result != ledger.NotSent || !a.reused || a.earlier != 0 || ctx.Err() != nil || a.passage.Check() != nil {
		return false
	}
	a.earlier = seq
	return true
}

// taken decides whether to clear anew because a short token stands for another
// value since a moment.
func (a *attempt) taken(err error) bool {
	a.taking++
	return errors.Is(err, ledger.ErrTokenTaken) && a.taking < attempts
}

// forward sends the cleared message, once, if the receipt is good for it. The
// outcome is exact in every case; with an error there is no answer.
func (out *outlet) forward(ctx context.Context, a *attempt, receipt *ledger.Receipt) (*http.Response, ledger.Outcome, error) {
	notSent := ledger.Outcome{Result: ledger.NotSent}
	if err := a.passage.Check(); err != nil {
		return nil, notSent, err
	}
	target, host := out.target(a.x.Host)
	request, err := out.request(a, host)
	if err != nil {
		return nil, notSent, err
	}
	conn, err := out.connect(ctx, a, target)
	if err != nil {
		return nil, notSent, err
	}
	a.reused = conn.Reused
	if err := receipt.Redeem(a.cleared); err != nil {
		conn.Close()
		return nil, notSent, err
	}

	before := a.passage.Handed()
	response, err := conn.RoundTrip(ctx, a.passage, request)
	outcome := ledger.Outcome{Result: ledger.Sent, Bytes: a.passage.Handed() - before}
	switch {
	case err == nil:
		outcome.Status = response.StatusCode
	case outcome.Bytes == 0:
		outcome.Result = ledger.NotSent
	default:
		outcome.Result = ledger.Unknown
	}
	if closed := a.passage.Check(); err != nil && closed != nil {
		err = closed // a cut severs the socket a moment before it cancels us
	}
	return response, outcome, err
}

func (out *outlet) connect(ctx context.Context, a *attempt, t upstream.Target) (*upstream.Conn, error) {
	if a.earlier != 0 {
		return out.client.Fresh(ctx, t)
	}
	return out.client.Connect(ctx, t)
}

// target is where a message goes and under which Host: to the upstream, or, when
// the app addressed another host of the vendor, there.
func (out *outlet) target(host string) (upstream.Target, string) {
	if host == "" || out.pinned || strings.EqualFold(host, out.base.Hostname()) {
		return upstream.TargetOf(out.base), out.base.Host
	}
	return upstream.TargetOf(&url.URL{Scheme: "https", Host: host}), host
}

// request puts the credential into what was cleared.
func (out *outlet) request(a *attempt, host string) (*upstream.Request, error) {
	o := a.cleared.Outgoing()
	h := http.Header(o.Header)
	if h == nil {
		h = a.x.Header
	}
	if mayReveal(a.route) {
		h["Accept-Encoding"] = []string{"identity"} // or tokens could not be found in the answer
	}
	path := out.credential.putPath(o.Path)
	if a.x.Host == "" && out.base.Path != "" {
		// The base path of an upstream stands before every route's path; for the
		// proxy the app wrote it itself.
		path = strings.TrimSuffix(out.base.EscapedPath(), "/") + path
	}
	r := &upstream.Request{Method: a.x.Method, Host: host, Header: h, Body: o.Body}
	if a.tooLarge {
		r.Rest, r.RestLength = a.x.Body, -1
		if a.x.Length >= 0 {
			r.RestLength = a.x.Length - int64(len(o.Body))
		}
	}
	return r, out.credential.inject(r, path, o.Query, out.now())
}

// refusalOf finds the gate's refusal, whether it was met or cancelled us.
func refusalOf(ctx context.Context, err error) (*isolate.Refusal, bool) {
	var r *isolate.Refusal
	if errors.As(err, &r) || errors.As(context.Cause(ctx), &r) {
		return r, true
	}
	return nil, false
}
