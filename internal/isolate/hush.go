package isolate

import (
	"sync"
	"time"
)

// hush keeps those quiet whom a change woke. Closing a socket wakes a goroutine
// that tells its client, closes that connection and tidies up; a thousand of
// them on two cores stood in the way of the sockets that were still to be
// closed, of the entry and of the acknowledgement. None of them can hand a byte
// to the vendor any more, so they wait until the change is acknowledged.
type hush struct {
	over chan struct{}
	once sync.Once
}

// hushAtMost bounds how long they wait if nobody acknowledges: a ledger that
// hangs keeps no client without an answer.
const hushAtMost = 250 * time.Millisecond

func (g *Gate) beginHush() {
	h := &hush{over: make(chan struct{})}
	g.hush.Store(h)
	time.AfterFunc(hushAtMost, func() { g.endHush(h) })
}

func (g *Gate) endHush(h *hush) {
	if h != nil {
		h.once.Do(func() { close(h.over) })
		g.hush.CompareAndSwap(h, nil)
	}
}

func (g *Gate) awaitHush() {
	if h := g.hush.Load(); h != nil {
		<-h.over
	}
}

// Acknowledged lets those go on whom the last change interrupted.
func (g *Gate) Acknowledged() { g.endHush(g.hush.Load()) }
