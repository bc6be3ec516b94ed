// Package isolate is the switch between us and each vendor: one gate per
// vendor and route, and the register of everything that is on its way through.
//
// A gate's state lives in a small preallocated file per vendor
// (<data>/gates/<vendor>.gate) that is mapped into memory. Three things follow.
// The hot path asks with an atomic load and no lock. Another process that
// writes the file (a `cut` while the server hangs) is seen at once. And a cut
// needs no free disk space, no ledger and no server.
//
// The order of a cut is the promise "cut means cut":
//
//  1. the state, for every writer at once, and synced to the file;
//  2. the vendor-side sockets, closed with linger 0 so that the kernel drops
//     what it has not sent yet;
//  3. the contexts of the messages under way, cancelled with the reason;
//  4. the writers: every connection's lock is taken once, and whoever was
//     inside a write has left;
//  5. the count of bytes that had been handed over for each message.
//
// Recording the change and acknowledging it is the caller's, because the gate
// must close even when the ledger cannot write.
package isolate

import "fmt"

// State says what a gate lets through. The zero value is Cut: a state that
// nobody set lets nothing through. A smaller state is more closed.
type State uint8

const (
	// Cut lets nothing through.
	Cut State = iota
	// Held lets nothing through either, but what can be queued is queued.
	Held
	// Open lets messages pass.
	Open
)

func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Held:
		return "hold"
	default:
		return "cut"
	}
}

// ParseState reads the words that String writes.
func ParseState(s string) (State, error) {
	for _, st := range []State{Cut, Held, Open} {
		if st.String() == s {
			return st, nil
		}
	}
	return Cut, fmt.Errorf("gate state %q is not one of open, hold, cut", s)
}

// Refusal is why a gate let something not pass. It is also the cause with
// which the contexts of interrupted messages are cancelled.
type Refusal struct {
	State State
	// Route is set when the route's own gate is closed and the vendor's is not.
	Route string
	Epoch uint32
	// Damaged is set when the gate reads as cut because its file does not hold.
	Damaged bool
}

func (r *Refusal) Error() string {
	what := "vendor"
	if r.Route != "" {
		what = "route " + r.Route
	}
	if r.Damaged {
		return what + " reads as cut: its gate file is damaged"
	}
	if r.State == Held {
		return what + " is on hold"
	}
	return what + " is cut"
}
