package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"cordon/evidence"
	"cordon/internal/exposure"
)

// Probe says which disclosures Scan is to find.
type Probe struct {
	// Takes says whether those of a pathway are wanted. It is asked once for each.
	Takes func(exposure.Pathway) bool
	// Who narrows them to those about one person; Nobody narrows nothing.
	Who exposure.Ordinal
}

// Scan finds disclosures among the entries first to last and calls take with each
// that left or may have left: whose first outcome up to last is not NotSent, or
// that is a declaration and needs none. One without any outcome up to there is
// passed over, unless something after it has expired: the outcome may have been
// there (a message just before midnight, of whose two days only the later one
// expired), so it may have left. They come in no particular order. The entry is
// take's to keep.
//
// Entries would tell the same; this reads past everything else without decoding
// it, on all processors. What expired is not there, as in Entries.
func (l *Ledger) Scan(ctx context.Context, first, last uint64, p Probe, take func(*Entry) error) error {
	if l.closed.Load() {
		return l.unavailable(errClosed)
	}
	end := l.durable.Load()
	first, last = max(first, 1), min(last, end.entries)
	if first > last {
		return nil
	}
	from, err := l.batchOf(first, end.batches)
	if err != nil {
		return err
	}
	to, err := l.batchOf(last, end.batches)
	if err != nil {
		return err
	}
	s := &scan{l: l, first: first, last: last, who: p.Who, wanted: l.dict.wanted(p.Takes)}
	if p.Who != exposure.Nobody {
		s.needle = binary.AppendUvarint(nil, uint64(p.Who))
	}
	s.open = map[uint64]*catch{}
	return s.run(ctx, from, to+1, take)
}

// wanted says of each pathway's number whether it is wanted.
func (d *dictionary) wanted(takes func(exposure.Pathway) bool) []bool {
	d.mu.RLock()
	list := d.pathways.list
	d.mu.RUnlock()
	wanted := make([]bool, len(list)+1)
	for i, p := range list {
		wanted[i+1] = takes(p)
	}
	return wanted
}

// scan is one Scan under way. Pieces of the journal are read side by side and
// put together in order, because an outcome may stand pieces after what it settles.
type scan struct {
	l           *Ledger
	first, last uint64
	who         exposure.Ordinal
	needle      []byte // who as it stands in entries, nil for everybody
	wanted      []bool // by the pathway's number

	open map[uint64]*catch // of earlier pieces, without an outcome so far
	gone uint64            // the last entry so far of a batch that has expired
}

// catch is a wanted disclosure.
type catch struct {
	seq     uint64
	start   int64 // of its batch
	raw     []byte
	settled bool
	result  uint8
}

// piece is what a part of the journal has.
type piece struct {
	caught []catch
	// settles are outcomes of disclosures before the piece, wanted or not.
	settles []answered
	gone    uint64 // the last entry of a batch of it that has expired
	err     error
	done    chan struct{}
}

type answered struct {
	of     uint64
	result uint8
}

// pieceBatches bounds what a piece takes in memory. A variable for tests.
var pieceBatches = uint64(512)

func (s *scan) run(ctx context.Context, from, to uint64, take func(*Entry) error) error {
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	n := int((to - from + pieceBatches - 1) / pieceBatches)
	pieces := make([]piece, n)
	for i := range pieces {
		pieces[i].done = make(chan struct{})
	}
	workers := min(runtime.GOMAXPROCS(0), n)
	// So many may be read and not yet put together.
	ahead := make(chan struct{}, 2*workers)
	var next atomic.Int64
	for range workers {
		all.Go(func() {
			for {
				select {
				case ahead <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				at := from + uint64(i)*pieceBatches
				pieces[i].err = s.read(ctx, &pieces[i], at, min(at+pieceBatches, to))
				close(pieces[i].done)
			}
		})
	}
	for i := range pieces {
		p := &pieces[i]
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.err != nil {
			return p.err
		}
		if err := s.join(p, take); err != nil {
			return err
		}
		if s.needle != nil && len(s.open) > 0 {
			if err := s.seek(min(from+uint64(i+1)*pieceBatches, to), to, take); err != nil {
				return err
			}
		}
		*p = piece{}
		<-ahead
	}
	return s.rest(take)
}

// rest tells of what has no outcome up to last, as far as that may have expired.
func (s *scan) rest(take func(*Entry) error) error {
	for seq, c := range s.open {
		if seq < s.gone {
			if err := s.show(c, take); err != nil {
				return err
			}
		}
	}
	clear(s.open)
	return nil
}

// join tells of what the piece settles and keeps what it leaves open.
func (s *scan) join(p *piece, take func(*Entry) error) error {
	s.gone = max(s.gone, p.gone)
	for _, o := range p.settles {
		if c := s.open[o.of]; c != nil {
			delete(s.open, o.of)
			c.settled, c.result = true, o.result
			if err := s.show(c, take); err != nil {
				return err
			}
		}
	}
	for i := range p.caught {
		c := &p.caught[i]
		if !c.settled {
			s.open[c.seq] = c
			continue
		}
		if err := s.show(c, take); err != nil {
			return err
		}
	}
	return nil
}

// seek looks for the outcomes of what is open in the batches from..to-1.
func (s *scan) seek(from, to uint64, take func(*Entry) error) error {
	found := errors.New("all found")
	err := s.l.batches(from, to, func(_ uint64, r *record) error {
		if r.form == formExpired || r.expired {
			s.gone = max(s.gone, r.last())
			return nil
		}
		b := skim{b: r.body}
		for seq := r.first; seq < r.first+uint64(r.count) && b.i < len(b.b); seq++ {
			kind, _, of, result := b.next(s)
			if b.bad {
				return errDamagedRecord
			}
			if c := s.open[seq-of]; kind == evidence.Outcome && of < seq && seq <= s.last && c != nil {
				delete(s.open, c.seq)
				c.settled, c.result = true, result
				if err := s.show(c, take); err != nil {
					return err
				}
			}
		}
		if len(s.open) == 0 {
			return found
		}
		return nil
	})
	if err != nil && err != found {
		return err
	}
	return s.rest(take) // what is open still has no outcome up to last
}

func (s *scan) show(c *catch, take func(*Entry) error) error {
	if c.result == evidence.ResultNotSent {
		return nil
	}
	raw, _, err := evidence.ParseEntry(c.raw, c.start)
	if err != nil {
		return err
	}
	e, err := s.l.dict.decode(c.seq, &raw)
	if err != nil {
		return err
	}
	return take(&e)
}

// read reads the batches from..to-1.
func (s *scan) read(ctx context.Context, p *piece, from, to uint64) error {
	// at says by entry of the piece which catch it is, counted from 1.
	var at []uint32
	var base uint64
	left := 0 // caught and without outcome
	return s.l.batches(from, to, func(_ uint64, r *record) error {
		if base == 0 {
			base = r.first
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if r.form == formExpired || r.expired {
			p.gone = r.last()
			return nil
		}
		for uint64(len(at)) < r.first-base+uint64(r.count) {
			at = append(at, 0)
		}
		// Few batches name one person. Outcomes of what earlier pieces caught are lost
		// with the others; seek finds them.
		if s.needle != nil && left == 0 && !bytes.Contains(r.body, s.needle) {
			return nil
		}
		b := skim{b: r.body}
		for seq := r.first; seq < r.first+uint64(r.count); seq++ {
			begin := b.i
			kind, catches, of, result := b.next(s)
			switch {
			case b.bad:
				return errDamagedRecord
			case seq < s.first || seq > s.last:
			case kind == evidence.Disclosure && catches:
				c := catch{seq: seq, start: r.start, raw: bytes.Clone(r.body[begin:b.i])}
				if r.body[begin]&declaredFlag != 0 {
					c.settled, c.result = true, evidence.ResultUnknown
				} else {
					left++
				}
				p.caught = append(p.caught, c)
				at[seq-base] = uint32(len(p.caught))
			case kind == evidence.Outcome && of < seq:
				of = seq - of
				if of < base {
					if s.needle == nil {
						p.settles = append(p.settles, answered{of, result})
					}
					continue
				}
				if i := at[of-base]; i != 0 && !p.caught[i-1].settled {
					p.caught[i-1].settled, p.caught[i-1].result = true, result
					left--
				}
			}
		}
		if b.i != len(r.body) {
			return errDamagedRecord
		}
		return nil
	})
}

// skim reads past the entries of a body. It knows their shape (see evidence)
// and trusts it no further than the body reaches.
type skim struct {
	b   []byte
	i   int
	bad bool
}

const (
	timeFlag       = 0x04
	incompleteFlag = 0x10
	retryFlag      = 0x20
	singleFlag     = 0x40
	declaredFlag   = 0x80

	statusFlag  = 0x08
	bytesFlag   = 0x10
	resultShift = 5
)

// next reads one entry. Of a disclosure it says whether the scan wants it, of an
// outcome how far before it that stands which it settles, and how.
func (e *skim) next(s *scan) (kind evidence.Kind, catches bool, of uint64, result uint8) {
	if e.i >= len(e.b) {
		e.bad = true
		return
	}
	head := e.b[e.i]
	e.i++
	kind = evidence.Kind(head & 3)
	if head&timeFlag != 0 {
		e.skip()
	}
	switch kind {
	case evidence.Outcome:
		of = e.uvarint()
		result = head >> resultShift & 3
		if head&statusFlag != 0 {
			e.skip()
		}
		if head&bytesFlag != 0 {
			e.skip()
		}
	case evidence.Disclosure:
		way := e.uvarint()
		if head&retryFlag != 0 {
			e.skip()
		}
		if head&incompleteFlag != 0 {
			for n := e.uvarint(); n > 0 && !e.bad; n-- {
				e.skip()
			}
		}
		if head&declaredFlag != 0 {
			e.skip()
		}
		n := uint64(1)
		if head&singleFlag == 0 {
			n = e.uvarint()
		}
		catches = way < uint64(len(s.wanted)) && s.wanted[way]
		if !catches || s.needle == nil {
			for n *= 2; n > 0 && !e.bad; n-- {
				e.skip()
			}
			return
		}
		catches = false
		for ; n > 0 && !e.bad; n-- {
			catches = e.uvarint() == uint64(s.who) || catches
			e.skip()
		}
	default: // an event or a definition
		if kind == evidence.Definition {
			e.i++
			e.skip()
		}
		n := e.uvarint()
		if n > uint64(len(e.b)) {
			e.bad = true
			return
		}
		e.i += int(n)
	}
	e.bad = e.bad || e.i > len(e.b)
	return
}

func (e *skim) uvarint() uint64 {
	if e.i < len(e.b) && e.b[e.i] < 0x80 {
		e.i++
		return uint64(e.b[e.i-1])
	}
	return e.long()
}

func (e *skim) long() uint64 {
	if e.i > len(e.b) {
		e.bad = true
		return 0
	}
	v, n := binary.Uvarint(e.b[e.i:])
	if n <= 0 {
		e.bad, n = true, 0
	}
	e.i += n
	return v
}

// skip passes over a number.
func (e *skim) skip() {
	for e.i < len(e.b) {
		e.i++
		if e.b[e.i-1] < 0x80 {
			return
		}
	}
	e.bad = true
}
