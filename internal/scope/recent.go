package scope

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/exposure"
)

// Recent is how much one vendor got lately.
type Recent struct {
	// The last 24 whole hours and the one that runs.
	Disclosures24h uint64
	Subjects24h    uint64
	SubjectsToday  uint64 // since 00:00 UTC
}

// recent holds the last hours in memory, so that a page that is drawn every
// second costs a union of a few bitmaps. It begins with the first question:
// verbs that never ask pay nothing.
type recent struct {
	hours map[vendorID]map[int64]*hour
}

// hour is what one vendor got in one hour since 1970.
type hour struct {
	disclosures uint64
	people      *roaring.Bitmap
}

const recentHours = 24

func hourOf(at int64) int64 { return floorDiv(at, int64(time.Hour)) }

func (r *recent) expose(v vendorID, m *message) {
	hours := r.hours[v]
	if hours == nil {
		hours = map[int64]*hour{}
		r.hours[v] = hours
	}
	h := hours[hourOf(m.at)]
	if h == nil {
		h = &hour{people: roaring.New()}
		hours[hourOf(m.at)] = h
	}
	if len(m.people) > 0 || len(m.nobody) > 0 {
		h.disclosures++
	}
	for _, p := range m.people {
		h.people.Add(uint32(p.who))
	}
}

// forget drops the hours that no question asks for any more.
func (r *recent) forget(now int64) {
	for _, hours := range r.hours {
		for h := range hours {
			if h < now-recentHours {
				delete(hours, h)
			}
		}
	}
}

// Recent gives the last day's figures by vendor, and how many people were
// exposed to any of them today.
func (x *Index) Recent(ctx context.Context) (map[exposure.VendorID]Recent, uint64, error) {
	if err := x.Sync(ctx); err != nil {
		return nil, 0, err
	}
	now := x.o.Now()
	if err := x.startRecent(ctx, now); err != nil {
		return nil, 0, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return nil, 0, x.err
	}
	if x.recent == nil {
		return nil, 0, errors.New("the scope index is being built again; ask once more")
	}
	last := hourOf(now.UnixNano())
	x.recent.forget(last)
	midnight := last - int64(now.UTC().Hour())
	out := map[exposure.VendorID]Recent{}
	everybody := roaring.New()
	for v, name := range x.names.vendors {
		day, today := roaring.New(), roaring.New()
		var r Recent
		for h, got := range x.recent.hours[vendorID(v)] {
			// Hours ahead of the clock count too: it may have jumped back.
			r.Disclosures24h += got.disclosures
			day.Or(got.people)
			if h >= midnight {
				today.Or(got.people)
			}
		}
		for _, m := range x.open {
			if x.vendorOf(m.pathway) == vendorID(v) && hourOf(m.at) >= last-recentHours {
				if len(m.people) > 0 || len(m.nobody) > 0 {
					r.Disclosures24h++
				}
				for _, p := range m.people {
					day.Add(uint32(p.who))
					if hourOf(m.at) >= midnight {
						today.Add(uint32(p.who))
					}
				}
			}
		}
		r.Subjects24h, r.SubjectsToday = day.GetCardinality(), today.GetCardinality()
		out[name] = r
		everybody.Or(today)
	}
	return out, everybody.GetCardinality(), nil
}

// startRecent fills the hours from the journal, once. The follower goes on
// meanwhile: it adds what comes after the snapshot, this what was before.
func (x *Index) startRecent(ctx context.Context, now time.Time) error {
	x.filling.Lock()
	defer x.filling.Unlock()
	x.mu.Lock()
	if x.recent != nil {
		x.mu.Unlock()
		return nil
	}
	s, err := x.snapshotNow(nil)
	if err != nil {
		x.mu.Unlock()
		return err
	}
	live := &recent{hours: map[vendorID]map[int64]*hour{}}
	x.recent = live
	x.mu.Unlock()
	defer s.close()

	before := &recent{hours: map[vendorID]map[int64]*hour{}}
	window := span{(hourOf(now.UnixNano()) - recentHours) * int64(time.Hour), always.to}
	err = s.readSince(ctx, window, func(m *message) { before.expose(s.names.pathways[m.pathway].vendor, m) })

	x.mu.Lock()
	defer x.mu.Unlock()
	if x.recent != live { // thrown away meanwhile; the next question begins anew
		return err
	}
	if err != nil {
		x.recent = nil
		return err
	}
	live.add(before)
	return nil
}

func (r *recent) add(o *recent) {
	for v, hours := range o.hours {
		if r.hours[v] == nil {
			r.hours[v] = hours
			continue
		}
		for at, h := range hours {
			if mine := r.hours[v][at]; mine != nil {
				mine.disclosures += h.disclosures
				mine.people.Or(h.people)
			} else {
				r.hours[v][at] = h
			}
		}
	}
}

// readSince reads the messages of all vendors in the window.
func (s *snapshot) readSince(ctx context.Context, window span, take func(*message)) error {
	all := map[sliceAt]*tally{}
	for v := range s.names.vendors {
		days, err := s.allTallies(vendorID(v))
		if err != nil {
			return err
		}
		maps.DeleteFunc(days, func(_ tallyAt, t *tally) bool { return t.maxAt < window.from })
		parts, err := s.halfHours(vendorID(v), days)
		if err != nil {
			return err
		}
		for at, t := range parts {
			if t.maxAt >= window.from {
				all[at] = t
			}
		}
	}
	return s.read(ctx, all, window, exposure.Nobody, take)
}
