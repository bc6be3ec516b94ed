package scope

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A page holds the people of one vendor, one period, and one chunk or block:
// for each way and set, in order, a list of ordinals.
//
//	page  = { set distance (uvarint, from 1) list | 0, way distance (uvarint), set (uvarint) list }
//	list  = (number-1)<<2 | kind (uvarint), then
//	  raw    number ordinals, 2 bytes each (3 in the page of a block), little-endian
//	  packed number ordinals, see below
//	  bits   8 KiB, one bit per ordinal of a chunk
//	  runs   number pairs of gap and length-1
//
// A set distance is from the set before; the first group has set distance 0
// like every one that begins another way. A gap is the distance from the
// ordinal after the one before; below 224 it is one byte, then up to 8159 two,
// and else 255 and three bytes.
//
// Packed is what Elias and Fano do: of each ordinal the lower l bits as they are,
// where 2^l is about how far neighbours are apart, and of the rest the ones and
// zeros of a bitmap, in which the i-th one stands at place i + (ordinal >> l). The
// bitmap comes first. With a hundredth of a chunk in a list that is 8.7 bits a
// person, where the least possible is 8.2, so that nothing is left for the store's
// compression, which would take longer to undo than all the rest.
//
// The shortest kind is taken; of bits and packed, bits from 3/4 of its size on,
// since it is faster.
//
// The times of a page stand apart, since few questions need them:
//
//	times = number of persons (uvarint), 6 bits for each in the page's order, several
//
// The bits are the half hour of a person's only message, or 63 where there is
// more to say; that follows in the same order, as several = number (uvarint)
// { half hour, messages (uvarint) }.
const (
	listRaw = iota
	listPacked
	listBits
	listRuns
)

const (
	gapTwo   = 224
	gapThree = gapTwo + (255-gapTwo)*256
)

// words is the number of 64-bit words in a dense bitmap of one chunk.
const words = 1 << chunkBits / 64

type dense [words]uint64

var errPage = errors.New("a page of the scope index is damaged")

func appendGap(b []byte, gap uint32) []byte {
	switch {
	case gap < gapTwo:
		return append(b, byte(gap))
	case gap < gapThree:
		gap -= gapTwo
		return append(b, byte(gapTwo+gap>>8), byte(gap))
	default:
		return append(b, 255, byte(gap), byte(gap>>8), byte(gap>>16))
	}
}

func gapSize(gap uint32) int {
	switch {
	case gap < gapTwo:
		return 1
	case gap < gapThree:
		return 2
	default:
		return 4
	}
}

// page encodes tidy facts: of a whole block, or of one chunk. Those that
// differ in time only are one person.
func page(facts []fact, block bool) []byte {
	mask, raw := uint32(1<<chunkBits-1), 2
	if block {
		mask, raw = 1<<blockBits-1, 3
	}
	var b []byte
	way, set := wayID(0), setID(0)
	var lows []uint32
	for i := 0; i < len(facts); {
		g := facts[i].group()
		lows = lows[:0]
		for ; i < len(facts) && facts[i].group() == g; i++ {
			if low := facts[i].low() & mask; len(lows) == 0 || lows[len(lows)-1] != low {
				lows = append(lows, low)
			}
		}
		w, s := facts[i-1].way(), facts[i-1].set()
		if len(b) > 0 && w == way {
			b = binary.AppendUvarint(b, uint64(s-set))
		} else {
			b = append(b, 0)
			b = binary.AppendUvarint(b, uint64(w-way))
			b = binary.AppendUvarint(b, uint64(s))
		}
		way, set = w, s
		b = appendList(b, lows, raw)
	}
	return b
}

func appendList(b []byte, lows []uint32, raw int) []byte {
	runs, n := 0, 0
	next := uint32(0)
	for i, low := range lows {
		if i == 0 || low != next {
			runs += gapSize(low-next) + 1
			n++
		}
		next = low + 1
	}
	runs += n // lengths rarely take two bytes; an estimate is enough
	head := func(kind, n int) { b = binary.AppendUvarint(b, uint64(n-1)<<2|uint64(kind)) }
	_, upper, lower := packing(len(lows), raw == 3)
	packed := upper + lower
	best := min(packed, runs, raw*len(lows))
	next = 0
	switch {
	case raw == 2 && best > words*8*3/4:
		head(listBits, len(lows))
		var d dense
		for _, low := range lows {
			d[low/64] |= 1 << (low % 64)
		}
		for _, w := range d {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	case best == runs:
		head(listRuns, n)
		for i := 0; i < len(lows); {
			j := i + 1
			for j < len(lows) && lows[j] == lows[j-1]+1 {
				j++
			}
			b = appendGap(b, lows[i]-next)
			b = appendGap(b, uint32(j-i-1))
			next = lows[j-1] + 1
			i = j
		}
	case best == packed:
		head(listPacked, len(lows))
		b = appendPacked(b, lows, raw == 3)
	default:
		head(listRaw, len(lows))
		for _, low := range lows {
			b = append(b, byte(low), byte(low>>8))
			if raw == 3 {
				b = append(b, byte(low>>16))
			}
		}
	}
	return b
}

// several stands for more than one message, or none.
const several = 63

// times encodes the times of tidy facts.
func times(facts []fact) []byte {
	n := persons(facts)
	b := binary.AppendUvarint(make([]byte, 0, n), uint64(n))
	at := len(b)
	b = append(b, make([]byte, (6*n+7)/8)...)
	for i, k := 0, 0; i < len(facts); k++ {
		j := i + 1
		for j < len(facts) && facts[j].who() == facts[i].who() {
			j++
		}
		code := uint16(facts[i].slice())
		if j > i+1 || facts[i].count() != 1 {
			code = several
			b = binary.AppendUvarint(b, uint64(j-i))
			for _, f := range facts[i:j] {
				b = append(b, f.slice())
				b = binary.AppendUvarint(b, f.count())
			}
		}
		code <<= 6 * k % 8
		b[at+6*k/8] |= byte(code)
		if code > 255 {
			b[at+6*k/8+1] |= byte(code >> 8)
		}
		i = j
	}
	return b
}

// groups reads a page group by group. After next, way, set and list are those
// of the group at hand; one of the methods that read a list must follow.
type groups struct {
	b     []byte
	block bool
	way   wayID
	set   setID
	n     int
	kind  int
	begun bool
	bad   bool
}

func groupsOf(page []byte, block bool) groups { return groups{b: page, block: block} }

func (g *groups) uvarint() uint64 {
	if len(g.b) > 0 && g.b[0] < 0x80 {
		v := g.b[0]
		g.b = g.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(g.b)
	if n <= 0 {
		g.bad, g.b = true, nil
		return 0
	}
	g.b = g.b[n:]
	return v
}

func (g *groups) next() bool {
	if len(g.b) == 0 || g.bad {
		return false
	}
	if d := g.uvarint(); d != 0 {
		g.set += setID(d)
		g.bad = g.bad || !g.begun
	} else {
		g.way += wayID(g.uvarint())
		g.set = setID(g.uvarint())
	}
	g.begun = true
	head := g.uvarint()
	g.kind, g.n = int(head&3), int(head>>2)+1
	if g.bad || g.way >= 1<<factWayBits || g.set >= 1<<factSetBits || g.n > 1<<blockBits {
		g.bad = true
		return false
	}
	return true
}

// err is what was wrong with the page, once next says that nothing follows.
func (g *groups) err() error {
	if g.bad {
		return errPage
	}
	return nil
}

func (g *groups) fail() { g.bad, g.b = true, nil }

// or adds the list to a dense bitmap of the chunk.
func (g *groups) or(into *dense) {
	switch b := g.b; g.kind {
	case listRaw:
		if len(b) < 2*g.n {
			g.fail()
			return
		}
		for i := 0; i < 2*g.n; i += 2 {
			low := uint(b[i]) | uint(b[i+1])<<8
			into[low>>6] |= 1 << (low & 63)
		}
		g.b = b[2*g.n:]
	case listPacked:
		upper, lower, l := g.packed()
		i, base := uint(0), uint(0)
		for j := 0; j < len(upper); j += 8 {
			for w := load(upper, j); w != 0; w &= w - 1 {
				low := (base+uint(bits.TrailingZeros64(w))-i)<<l | lowest(lower, i*l, l)
				into[(low>>6)&(words-1)] |= 1 << (low & 63)
				i++
			}
			base += 64
		}
		g.bad = g.bad || i != uint(g.n)
	case listBits:
		if len(b) < words*8 {
			g.fail()
			return
		}
		for i := range into {
			into[i] |= binary.LittleEndian.Uint64(b[i*8:])
		}
		g.b = b[words*8:]
	default:
		g.each(func(low uint32) { into[(low>>6)&(words-1)] |= 1 << (low & 63) })
	}
}

// packing says how n ordinals are packed: how many bits are kept as they are, and
// how many bytes the two parts take.
func packing(n int, block bool) (l uint, upper, lower int) {
	space := 1 << chunkBits
	if block {
		space = 1 << blockBits
	}
	l = uint(max(bits.Len(uint(space/n))-1, 0))
	return l, (n + space>>l + 7) / 8, (n*int(l) + 7) / 8
}

func appendPacked(b []byte, lows []uint32, block bool) []byte {
	l, upper, lower := packing(len(lows), block)
	at := len(b)
	b = append(b, make([]byte, upper+lower)...)
	high, low := b[at:at+upper], b[at+upper:]
	for i, o := range lows {
		place := uint(i) + uint(o>>l)
		high[place/8] |= 1 << (place % 8)
		bit := uint(i) * l
		for v := uint64(o&(1<<l-1)) << (bit % 8); v != 0; v >>= 8 {
			low[bit/8] |= byte(v)
			bit += 8
		}
	}
	return b
}

// packed takes a packed list's two parts off the page. lower goes on to the end
// of the page, so that it can be read by words.
func (g *groups) packed() (upper, lower []byte, l uint) {
	l, up, low := packing(g.n, g.block)
	if len(g.b) < up+low {
		g.fail()
		return nil, nil, 0
	}
	upper, lower = g.b[:up], g.b[up:]
	g.b = lower[low:]
	return upper, lower, l
}

// load reads the eight bytes from i on, or as many as there are.
func load(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	var w uint64
	for j, c := range b[min(i, len(b)):] {
		w |= uint64(c) << (8 * j)
	}
	return w
}

// lowest reads l bits from a bit on.
func lowest(b []byte, bit, l uint) uint {
	return uint(load(b, int(bit>>3))>>(bit&7)) & (1<<l - 1)
}

// longGap reads a gap whose first byte c says that more follow.
func longGap(b []byte, c uint, i int) (uint, int, bool) {
	if c < 255 {
		if i >= len(b) {
			return 0, i, false
		}
		return gapTwo + (c-gapTwo)<<8 + uint(b[i]), i + 1, true
	}
	if i+3 > len(b) {
		return 0, i, false
	}
	return uint(b[i]) | uint(b[i+1])<<8 | uint(b[i+2])<<16, i + 3, true
}

// each calls f with every ordinal of the list, in order.
func (g *groups) each(f func(low uint32)) {
	limit := uint(1) << chunkBits
	raw := 2
	if g.block {
		limit, raw = 1<<blockBits, 3
	}
	switch b := g.b; g.kind {
	case listRaw:
		if len(b) < raw*g.n {
			g.fail()
			return
		}
		for i := 0; i < raw*g.n; i += raw {
			low := uint32(b[i]) | uint32(b[i+1])<<8
			if raw == 3 {
				low |= uint32(b[i+2]&15) << 16
			}
			f(low)
		}
		g.b = b[raw*g.n:]
	case listBits:
		if len(b) < words*8 || g.block {
			g.fail()
			return
		}
		for i := range words {
			for w := binary.LittleEndian.Uint64(b[i*8:]); w != 0; w &= w - 1 {
				f(uint32(i*64 + bits.TrailingZeros64(w)))
			}
		}
		g.b = b[words*8:]
	case listPacked:
		upper, lower, l := g.packed()
		i, base := uint(0), uint(0)
		for j := 0; j < len(upper); j += 8 {
			for w := load(upper, j); w != 0; w &= w - 1 {
				low := (base+uint(bits.TrailingZeros64(w))-i)<<l | lowest(lower, i*l, l)
				if low >= limit {
					g.fail()
					return
				}
				f(uint32(low))
				i++
			}
			base += 64
		}
		g.bad = g.bad || i != uint(g.n)
	default:
		pos, i := uint(0), 0
		gap := func() (c uint, ok bool) {
			if i >= len(b) {
				return 0, false
			}
			c = uint(b[i])
			if i++; c < gapTwo {
				return c, true
			}
			c, i, ok = longGap(b, c, i)
			return c, ok
		}
		for range g.n {
			c, ok := gap()
			length := uint(0)
			if ok {
				length, ok = gap()
			}
			if pos += c; !ok || pos+length >= limit {
				g.fail()
				return
			}
			for ; ; length-- {
				f(uint32(pos))
				if pos++; length == 0 {
					break
				}
			}
		}
		g.b = b[i:]
	}
}

// skip passes over the list and tells how many people it holds.
func (g *groups) skip() (n int) {
	g.each(func(uint32) { n++ })
	return n
}

// timesOf reads the times of a page's people one by one.
type timesOf struct {
	codes, more []byte
	i, n        int
	bad         bool
}

func openTimes(b []byte) (t timesOf) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b))*8/6 || uint64(len(b)-size) < (6*n+7)/8 {
		return timesOf{bad: true}
	}
	t.n, t.codes = int(n), b[size:size+(6*int(n)+7)/8]
	t.more = b[size+len(t.codes):]
	return t
}

// next calls f for each half hour in which the next person got messages.
func (t *timesOf) next(f func(slice uint8, count uint64)) {
	if t.i >= t.n || t.bad {
		t.bad = true
		return
	}
	at := 6 * t.i / 8
	code := uint16(t.codes[at])
	if at+1 < len(t.codes) {
		code |= uint16(t.codes[at+1]) << 8
	}
	code = code >> (6 * t.i % 8) & 63
	t.i++
	if code < halfHours {
		f(uint8(code), 1)
		return
	}
	n, size := binary.Uvarint(t.more)
	if code != several || size <= 0 || n > uint64(len(t.more)) {
		t.bad = true
		return
	}
	t.more = t.more[size:]
	for range n {
		if len(t.more) < 2 || t.more[0] >= halfHours {
			t.bad = true
			return
		}
		slice := t.more[0]
		count, size := binary.Uvarint(t.more[1:])
		if size <= 0 || count > maxCount {
			t.bad = true
			return
		}
		t.more = t.more[1+size:]
		f(slice, count)
	}
}

// over reports whether everything was read, and well.
func (t *timesOf) over() bool { return !t.bad && t.i == t.n && len(t.more) == 0 }

// factsOf reads a page, with its times or (a roll-up's) without.
func factsOf(page, timesPage []byte, block bool, chunk int) ([]fact, error) {
	facts := make([]fact, 0, len(page))
	t := timesOf{}
	if timesPage != nil {
		t = openTimes(timesPage)
	}
	g := groupsOf(page, block)
	base := uint32(0)
	if !block {
		base = uint32(chunk) << chunkBits
	}
	for g.next() {
		way, set := g.way, g.set
		g.each(func(low uint32) {
			if timesPage == nil {
				facts = append(facts, factOf(way, set, base|low, 0, 0))
				return
			}
			t.next(func(slice uint8, count uint64) { facts = append(facts, factOf(way, set, base|low, slice, count)) })
		})
	}
	if err := g.err(); err != nil {
		return nil, err
	}
	if !t.over() {
		return nil, errPage
	}
	return facts, nil
}
