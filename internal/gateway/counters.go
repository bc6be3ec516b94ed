package gateway

import (
	"sync/atomic"
	"time"

	"cordon/internal/exposure"
)

// Counters are what one vendor saw since start.
type Counters struct {
	Disclosures uint64 // recorded attempts
	Refusals    uint64
	Failures    uint64 // recorded, but the vendor gave no answer
	InFlight    int64
	Bytes       uint64    // handed to the vendor's sockets for messages
	Last        time.Time // the newest recorded attempt; zero: none
}

type counters struct {
	disclosures, refusals, failures, bytes atomic.Uint64
	inFlight                               atomic.Int64
	last                                   atomic.Int64 // Unix nanoseconds
}

// Counters are by vendor; ObservedVendor is among them when hosts are observed.
func (g *Gateway) Counters() map[exposure.VendorID]Counters {
	out := make(map[exposure.VendorID]Counters, len(g.vendors))
	for id, v := range g.vendors {
		c := Counters{
			Disclosures: v.counters.disclosures.Load(), Refusals: v.counters.refusals.Load(),
			Failures: v.counters.failures.Load(), InFlight: v.counters.inFlight.Load(), Bytes: v.counters.bytes.Load(),
		}
		if ns := v.counters.last.Load(); ns != 0 {
			c.Last = time.Unix(0, ns)
		}
		out[id] = c
	}
	return out
}
