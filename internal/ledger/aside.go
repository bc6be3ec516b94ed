package ledger

import (
	"sync"
	"time"
)

// aside writes acknowledgements for a ledger whose log has a second place. The
// file of heads lies on the first disk: while that stalls, commits go on in
// the second place and must not wait for this file either.
//
// The newest acknowledgement waits for at most headsPatience. While the disk
// stalls, what the file says lies behind what was acknowledged; it never lies before it.
type aside struct {
	mu      sync.Mutex
	wanted  map[int64][]byte // by slot, the newest
	behind  bool             // the disk has not answered within headsPatience
	err     error
	written chan struct{} // closed when nothing is wanted any more
	wake    chan struct{}
	ended   chan struct{}
	closing bool
}

const headsPatience = 300 * time.Millisecond

// decouple is called before the first acknowledgement.
func (h *heads) decouple() {
	a := &aside{wanted: map[int64][]byte{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	h.aside = a
	go a.run(h)
}

func (a *aside) run(h *heads) {
	defer close(a.ended)
	for range a.wake {
		for {
			a.mu.Lock()
			if len(a.wanted) == 0 {
				a.behind = false
				if a.written != nil {
					close(a.written)
					a.written = nil
				}
				closing := a.closing
				a.mu.Unlock()
				if closing {
					return
				}
				break
			}
			wanted := a.wanted
			a.wanted = map[int64][]byte{}
			a.mu.Unlock()
			for slot, p := range wanted {
				if err := writeSlot(h.f, slot, p); err != nil {
					a.mu.Lock()
					a.err = err
					a.mu.Unlock()
				}
			}
		}
	}
}

// write gives p to the writer, which keeps a copy, and waits for it if the disk answers.
func (a *aside) write(slot int64, p []byte) error {
	a.mu.Lock()
	if a.err != nil {
		defer a.mu.Unlock()
		return a.err
	}
	a.wanted[slot] = append([]byte(nil), p...)
	if a.written == nil {
		a.written = make(chan struct{})
	}
	written, behind := a.written, a.behind
	a.mu.Unlock()
	signal(a.wake)
	if behind {
		return nil
	}
	late := time.NewTimer(headsPatience)
	defer late.Stop()
	select {
	case <-written:
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.err
	case <-late.C:
		a.mu.Lock()
		a.behind = true
		a.mu.Unlock()
		return nil
	}
}

// stop waits for the last write and reports whether it ended.
func (a *aside) stop() bool {
	a.mu.Lock()
	a.closing = true
	a.mu.Unlock()
	signal(a.wake)
	select {
	case <-a.ended:
		return true
	case <-time.After(2 * time.Second):
		return false
	}
}
