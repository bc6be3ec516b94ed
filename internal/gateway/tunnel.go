package gateway

import (
	"context"
	"io"
	"net"
	"sync"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/gateway/upstream"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
)

// Tunnel is a way to a host that no manifest names, opened and recorded, over
// which nothing was sent yet.
type Tunnel struct {
	g       *Gateway
	passage *isolate.Passage
	receipt *ledger.Receipt
	cleared minimize.Cleared
	conn    *upstream.Conn
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// OpenTunnel connects to host:port for a sender in observe mode. What passes is
// not inspected and therefore recorded as incomplete before the first byte, under
// ObservedVendor, whose gate can be cut like any other.
func (g *Gateway) OpenTunnel(ctx context.Context, s Sender, hostport string) (*Tunnel, *Problem) {
	v := g.observing
	ctx, cancel := context.WithCancelCause(ctx)
	x := &Exchange{Vendor: v, Sender: s, Method: "CONNECT", Path: "/"}
	route := x.route()
	passage, err := v.gate.Enter(cancel, live(x, route, ""))
	if err != nil {
		cancel(nil)
		return nil, closed(err)
	}
	t := &Tunnel{g: g, passage: passage, ctx: ctx, cancel: cancel}
	findings := v.classifier.Classify(route, &classify.Message{Method: "CONNECT", Path: "/"})
	cleared, decision := minimize.Clear(&findings, v.spec, nil)
	t.cleared = cleared
	if decision.Verdict != exposure.Pass {
		t.end()
		return nil, byPolicy(decision)
	}
	t.receipt, err = g.o.Recorder.Record(ctx, ledger.Disclosure{
		Pathway: exposure.Pathway{Vendor: v.ID(), Route: route.Name, App: s.App}, Cleared: &t.cleared, Shadow: true, At: g.o.Now(),
	})
	if err != nil {
		p := unrecorded(ctx)
		t.end()
		if p == nil {
			p = NotSupported("the gateway is stopping")
		}
		return nil, p
	}
	v.counters.recorded(g.o.Now())
	if t.conn, err = v.out.client.Fresh(ctx, upstream.Target{Host: hostport}); err == nil {
		err = t.receipt.Redeem(&t.cleared)
	}
	if err != nil {
		p := failed(ctx, err, ledger.Outcome{Result: ledger.NotSent}, t.receipt.Seq())
		t.end()
		return nil, p
	}
	return t, nil
}

// Splice carries bytes both ways until one side ends or the gate closes, and
// settles the entry.
func (t *Tunnel) Splice(client net.Conn) {
	v := t.g.observing
	v.counters.inFlight.Add(1)
	defer v.counters.inFlight.Add(-1)
	defer t.end()
	vendor, err := t.conn.Raw(t.passage)
	if err != nil {
		return
	}
	stop := context.AfterFunc(t.ctx, func() { client.Close(); vendor.Close() })
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		opening, name := serverName(client)
		if known := t.g.Host(HostName(name)); known != nil {
			// An address that no manifest names, and behind it a vendor that one
			// does: such a tunnel would go past that vendor's gate.
			t.g.note(known.ID(), t.passage.App, "", Malformed(421, "TLS server name of a vendor in a tunnel to another host"))
			client.Close()
			vendor.Close()
			return
		}
		if _, err := vendor.Write(opening); err == nil {
			io.Copy(struct{ io.Writer }{vendor}, client)
		}
		halfClose(vendor)
	})
	wg.Go(func() { io.Copy(struct{ io.Writer }{client}, vendor); halfClose(client); client.Close() })
	wg.Wait()
	vendor.Close()
}

// halfClose tells the peer that there is no more, where that can be told.
func halfClose(c net.Conn) {
	if t, ok := c.(*isolate.Conn); ok {
		c = t.Conn
	}
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		h.CloseWrite()
	}
}

// end settles with what the socket took.
func (t *Tunnel) end() {
	o := ledger.Outcome{Result: ledger.NotSent, Bytes: t.passage.Handed()}
	if o.Bytes > 0 {
		o.Result = ledger.Sent
	}
	if t.receipt != nil {
		t.g.o.Recorder.Settle(t.receipt, o)
		t.g.observing.counters.settled(o)
	}
	if t.conn != nil {
		t.conn.Close()
	}
	t.passage.Leave()
	t.cancel(nil)
}

// Close gives the tunnel up before anything was sent.
func (t *Tunnel) Close() { t.end() }

// Misnamed notes a TLS server name that is not the host of its CONNECT.
func (g *Gateway) Misnamed(v *Vendor, s Sender) {
	v.counters.refusals.Add(1)
	g.note(v.ID(), s.App, "", Malformed(421, "TLS server name other than the CONNECT's host"))
}
