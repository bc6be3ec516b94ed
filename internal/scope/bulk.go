package scope

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// Bulk fills an empty index with days that no journal holds: for measuring, and
// for nothing else, since what it writes cannot be built again. It writes pages
// as a flush does. Its methods may be called at the same time.
type Bulk struct {
	db *pebble.DB

	mu    sync.Mutex
	names *names
	days  map[vendorID]map[day]bool
}

// BulkFact is a message about one person. Way and Set are numbers that Bulk gave.
type BulkFact struct {
	Ordinal  exposure.Ordinal
	Way, Set uint16
	HalfHour uint8 // of the day
}

// NewBulk begins with an empty index.
func NewBulk(db *pebble.DB) *Bulk {
	return &Bulk{db: db, names: newNames(), days: map[vendorID]map[day]bool{}}
}

// Way numbers a pathway among those of its vendor.
func (b *Bulk) Way(p exposure.Pathway) (uint16, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, err := b.names.pathway(p)
	if err != nil {
		return 0, err
	}
	return uint16(b.names.pathways[id].local), nil
}

// Set numbers a category set among those of a vendor that has a way.
func (b *Bulk) Set(v exposure.VendorID, s exposure.Set) (number uint16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.names.set(b.names.vendorOf[v], s, func(id setID) { number = uint16(id) })
	return number
}

// Block is the number of the block of 2^20 ordinals that holds a person.
func Block(o exposure.Ordinal) uint16 { return uint16(o >> blockBits) }

// Day writes what a vendor got on one day about the people of one block. All
// of a vendor's facts of that day and block come in one call.
func (b *Bulk) Day(v exposure.VendorID, at time.Time, block uint16, facts []BulkFact) error {
	b.mu.Lock()
	id, d := b.names.vendorOf[v], dayOf(at)
	if b.days[id] == nil {
		b.days[id] = map[day]bool{}
	}
	b.days[id][d] = true
	b.mu.Unlock()
	all := make([]fact, len(facts))
	for i, f := range facts {
		all[i] = factOf(wayID(f.Way), setID(f.Set), uint32(f.Ordinal)&(1<<blockBits-1), f.HalfHour, 1)
	}
	batch := b.db.NewBatch()
	if err := putDay(batch, id, pageAt{block, d.in(levelDay)}, tidy(all), false); err != nil {
		return errors.Join(err, batch.Close())
	}
	return errors.Join(batch.Commit(pebble.NoSync), batch.Close())
}

// Tally writes how many messages a vendor got on one day by one way in each half
// hour.
func (b *Bulk) Tally(v exposure.VendorID, at time.Time, way uint16, messages *[48]uint64) error {
	b.mu.Lock()
	id, d := b.names.vendorOf[v], dayOf(at)
	pathway := b.names.ways[id][way]
	b.mu.Unlock()
	batch := b.db.NewBatch()
	sum := newTally()
	var err error
	for slice, n := range messages {
		if n == 0 {
			continue
		}
		at := sliceAt{tallyAt{d, pathway}, uint8(slice)}
		t := newTally()
		t.disclosures = n
		t.extend(at.start(), 1, 1)
		t.extend(at.start()+int64(sliceLength-time.Millisecond), 1, 1)
		sum.add(t)
		err = errors.Join(err, batch.Set(sliceKey(id, at), t.encode(), nil))
	}
	if sum.disclosures > 0 {
		err = errors.Join(err, batch.Set(tallyKey(id, tallyAt{d, pathway}), sum.encode(), nil))
	}
	return errors.Join(err, batch.Commit(pebble.NoSync), batch.Close())
}

// RollUp makes the roll-ups of one vendor's block of all weeks and months that are
// over on a day.
func (b *Bulk) RollUp(v exposure.VendorID, block uint16, today time.Time) error {
	b.mu.Lock()
	id := b.names.vendorOf[v]
	periods := b.periods(id, dayOf(today))
	b.mu.Unlock()
	for _, p := range periods {
		batch := b.db.NewBatch()
		if err := roll(b.db, batch, id, pageAt{block, p}); err != nil {
			return errors.Join(err, batch.Close())
		}
		if err := errors.Join(batch.Commit(pebble.NoSync), batch.Close()); err != nil {
			return err
		}
	}
	batch := b.db.NewBatch()
	if err := rollEver(b.db, batch, id, block, noDay, dayOf(today)-1); err != nil {
		return errors.Join(err, batch.Close())
	}
	return errors.Join(batch.Commit(pebble.NoSync), batch.Close())
}

func (b *Bulk) periods(v vendorID, today day) []period {
	found := map[period]bool{}
	for d := range b.days[v] {
		for _, level := range []uint8{levelWeek, levelMonth} {
			if p := d.in(level); p.last() < today {
				found[p] = true
			}
		}
	}
	var all []period
	for p := range found {
		all = append(all, p)
	}
	return all
}

// Finish writes the names and says that every block has its roll-ups. An index
// that is opened afterwards begins with the first entry of its journal.
func (b *Bulk) Finish(today time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.db.NewBatch()
	err := b.names.save(batch)
	for v := range b.days {
		err = errors.Join(err, batch.Set(everKey(v), ever{noDay, dayOf(today) - 1, allBlocks}.encode(), nil))
		for _, p := range b.periods(v, dayOf(today)) {
			err = errors.Join(err, batch.Set(rolledKey(v, p), binary.BigEndian.AppendUint32(nil, allBlocks), nil))
		}
	}
	return errors.Join(err, batch.Set(positionKey, encodePosition(0, today.UnixNano()), nil), batch.Commit(pebble.NoSync), batch.Close(), b.db.Flush())
}
