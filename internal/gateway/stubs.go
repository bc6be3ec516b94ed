package gateway

import (
	"context"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
)

// Order is a wish to change a gate.
type Order struct {
	Vendor exposure.VendorID
	Route  string // "": the vendor
	To     isolate.State
	Actor  string // who wants it
	Reason string // free text; only its keyed digest is recorded
}

// Done is what an Order came to.
type Done struct {
	isolate.Change
	// Seq is the entry of the change; 0 while it is pending: the gate holds, and
	// the entry is written as soon as the ledger can.
	Seq uint64
}

// Pending reports `closed, entry pending`.
func (d Done) Pending() bool { return d.Seq == 0 }

// Change sets a gate: state, sockets, writers, entry, in this order. The error
// says that the gate itself could not be set durably.
func (g *Gateway) Change(ctx context.Context, o Order) (Done, error) { panic("not yet") }

// Counters are what one vendor saw since start.
type Counters struct {
	Disclosures uint64 // recorded attempts
	Refusals    uint64
	Failures    uint64 // recorded, but the vendor gave no answer
	InFlight    int64
	Bytes       uint64 // handed to the vendor's sockets for messages
	LastAt      time.Time
}

// Counters are by vendor; it includes ObservedVendor when Observe is set.
func (g *Gateway) Counters() map[exposure.VendorID]Counters { panic("not yet") }

// Observed is a host that no manifest names and that somebody wanted.
type Observed struct {
	Host        string
	First, Last time.Time
	Count       uint64
	Tunnelled   bool // false: refused
}

// Observed lists hosts for adoption, the busiest first.
func (g *Gateway) Observed() []Observed { panic("not yet") }

// New compiles the specs and reads their credentials. It dials nobody.
func New(o Options) (*Gateway, error) { panic("not yet") }

// Close ends idle connections to vendors and gives up pending entries.
func (g *Gateway) Close() { panic("not yet") }

// Limits bound what one client may cost; both front ends take them.
type Limits struct {
	Head        int           // bytes of a request head; 0: 64 KiB
	HeadTimeout time.Duration // 0: 10 s
	IdleTimeout time.Duration // 0: 2 min
	Connections int           // open at once; 0: 10,000
}

// The front ends (packages httproute and proxy):
//
//	httproute.New(g *gateway.Gateway, l gateway.Limits) *httproute.Server
//	proxy.New(g *gateway.Gateway, a *ca.Authority, l gateway.Limits) *proxy.Server
//	both: Serve(net.Listener) error; Shutdown(context.Context) error
//	ca.New(certPEM, keyPEM []byte, now func() time.Time) (*ca.Authority, error)
