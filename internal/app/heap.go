package app

import "sync"

// reserveBytes is how much garbage the heap may hold besides as much as is live.
const reserveBytes = 64 << 20

var (
	reserve     []byte //lint:ignore U1000 it is there to be counted
	reserveOnce sync.Once
)

// reserveHeap makes the collector run less often while the heap is small. It
// starts over when the heap has doubled, and what lives of a gateway without
// many people is 9 MB: at 7,000 messages a second that is nine collections
// a second, 7 % of the processor. An allocation that nobody touches counts for
// the doubling and takes no memory, so what it costs is bounded: at most
// reserveBytes more of garbage, however large the heap grows. GOGC=400 would do
// the same here and take four times the live heap where that is gigabytes.
func reserveHeap() {
	reserveOnce.Do(func() { reserve = make([]byte, reserveBytes) })
}
