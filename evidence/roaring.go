package evidence

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// bitmap is a set of numbers in the portable format of Roaring bitmaps, read
// where it lies. Only what a careful writer writes is accepted: what two
// readers may count differently is no evidence.
type bitmap struct {
	containers []container
	count      uint64
}

type container struct {
	key   uint16
	kind  byte // 'a' array, 'b' bitmap, 'r' runs
	count int
	data  []byte
}

const (
	cookieNoRuns  = 12346
	cookieRuns    = 12347
	maxContainers = 1 << 16
	maxArray      = 4096
	bitmapSize    = 8192
	// noOffsets: with runs, so few containers have no table of offsets.
	noOffsets = 4
)

var errBitmap = errors.New("it is not a Roaring bitmap in the portable format")

// parseBitmap reads and checks b, which must not change afterwards.
func parseBitmap(b []byte) (*bitmap, error) {
	all := b
	take := func(n int) []byte {
		if n > len(b) {
			return nil
		}
		part := b[:n:n]
		b = b[n:]
		return part
	}
	cookie := take(4)
	if cookie == nil {
		return nil, errBitmap
	}
	var n int
	var runs []byte
	offsets := true
	switch c := binary.LittleEndian.Uint32(cookie); {
	case c == cookieNoRuns:
		count := take(4)
		if count == nil || binary.LittleEndian.Uint32(count) > maxContainers {
			return nil, errBitmap
		}
		n = int(binary.LittleEndian.Uint32(count))
	case c&0xffff == cookieRuns:
		n = int(c>>16) + 1
		if runs = take((n + 7) / 8); runs == nil {
			return nil, errBitmap
		}
		if spare := n % 8; spare != 0 && runs[len(runs)-1]>>spare != 0 {
			return nil, errBitmap
		}
		offsets = n >= noOffsets
	default:
		return nil, errBitmap
	}
	description := take(4 * n)
	if description == nil && n > 0 {
		return nil, errBitmap
	}
	var table []byte
	if offsets {
		if table = take(4 * n); table == nil && n > 0 {
			return nil, errBitmap
		}
	}
	m := &bitmap{containers: make([]container, 0, n)}
	for i := range n {
		c := container{
			key:   binary.LittleEndian.Uint16(description[4*i:]),
			count: int(binary.LittleEndian.Uint16(description[4*i+2:])) + 1,
		}
		if i > 0 && c.key <= m.containers[i-1].key {
			return nil, errBitmap
		}
		if offsets && int(binary.LittleEndian.Uint32(table[4*i:])) != len(all)-len(b) {
			return nil, errBitmap
		}
		switch {
		case runs != nil && runs[i/8]>>(i%8)&1 == 1:
			number := take(2)
			if number == nil {
				return nil, errBitmap
			}
			c.kind, c.data = 'r', take(4*int(binary.LittleEndian.Uint16(number)))
		case c.count > maxArray:
			c.kind, c.data = 'b', take(bitmapSize)
		default:
			c.kind, c.data = 'a', take(2*c.count)
		}
		if !c.valid() {
			return nil, errBitmap
		}
		m.containers, m.count = append(m.containers, c), m.count+uint64(c.count)
	}
	if len(b) > 0 {
		return nil, errBitmap
	}
	return m, nil
}

// valid reports whether the content is in order and counts what it says.
func (c *container) valid() bool {
	if c.data == nil {
		return false
	}
	n, last := 0, -1
	switch c.kind {
	case 'a':
		for i := 0; i < len(c.data); i += 2 {
			v := int(binary.LittleEndian.Uint16(c.data[i:]))
			if v <= last {
				return false
			}
			n, last = n+1, v
		}
	case 'b':
		for i := 0; i < len(c.data); i += 8 {
			n += bits.OnesCount64(binary.LittleEndian.Uint64(c.data[i:]))
		}
	case 'r':
		for i := 0; i < len(c.data); i += 4 {
			start, more := int(binary.LittleEndian.Uint16(c.data[i:])), int(binary.LittleEndian.Uint16(c.data[i+2:]))
			if start <= last || start+more > 0xffff {
				return false
			}
			n, last = n+more+1, start+more
		}
	}
	return n == c.count
}

// block is the numbers with one upper half, a bit each.
type block [1024]uint64

// addTo sets the container's numbers in to.
func (c *container) addTo(to *block) {
	switch c.kind {
	case 'a':
		for i := 0; i < len(c.data); i += 2 {
			v := binary.LittleEndian.Uint16(c.data[i:])
			to[v>>6] |= 1 << (v & 63)
		}
	case 'b':
		for i := range to {
			to[i] |= binary.LittleEndian.Uint64(c.data[8*i:])
		}
	case 'r':
		for i := 0; i < len(c.data); i += 4 {
			start, more := int(binary.LittleEndian.Uint16(c.data[i:])), int(binary.LittleEndian.Uint16(c.data[i+2:]))
			// Word by word: a file of a megabyte can name every number there is.
			for v, end := start, start+more; v <= end; v = v | 63 + 1 {
				last := min(v|63, end)
				to[v>>6] |= ^uint64(0) >> (63 - (last - v)) << (v & 63)
			}
		}
	}
}

func (b *block) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// eachBlock walks several sets side by side, upper half by upper half: f gets
// which sets have a container there. Memory does not grow with the people.
func eachBlock(sets []*bitmap, f func(containers []*container) bool) {
	at := make([]int, len(sets))
	here := make([]*container, len(sets))
	for {
		key := -1
		for i, s := range sets {
			if s != nil && at[i] < len(s.containers) && (key < 0 || int(s.containers[at[i]].key) < key) {
				key = int(s.containers[at[i]].key)
			}
		}
		if key < 0 {
			return
		}
		for i, s := range sets {
			here[i] = nil
			if s != nil && at[i] < len(s.containers) && int(s.containers[at[i]].key) == key {
				here[i] = &s.containers[at[i]]
				at[i]++
			}
		}
		if !f(here) {
			return
		}
	}
}
