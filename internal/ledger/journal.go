package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"cordon/evidence"
	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// journal writes. One goroutine (run) builds batches and hands them to the
// store, another (release) waits for the disk and lets the callers go. At most
// two batches are between the two, so that one is built while the disk works
// on the other, and no more pile up behind a slow disk.
//
// Everything down to the blank line belongs to run alone. It runs ahead of the
// disk: what it holds may never become durable, but then the store is sick
// and nothing is built on it.
type journal struct {
	l        *Ledger
	next     uint64 // number of the next batch
	seq      uint64 // number of the last entry
	edge     edge
	pending  pending
	perm     permutation
	used     uint64 // ordinals handed out
	build    builder
	treeless bool // benchmarks only: what does the tree cost?

	slots   chan struct{}
	commits chan commit
	drained chan struct{} // closed when release has ended
	ended   chan struct{} // closed when run has ended
	waiting atomic.Int64  // len(pending), for Status
}

// commit is a batch under way to the disk.
type commit struct {
	g       *group
	pb      *pebble.Batch
	batches uint64 // in the tree, with this one
	entries uint64
	edge    edge // of the tree up to here: the right edge, for heads and proofs
}

func (j *journal) run() {
	defer close(j.ended)
	defer close(j.commits)
	for {
		select {
		case j.slots <- struct{}{}: // first the slot: until then the group grows
		case <-j.l.store.Failed():
			return
		}
		g := j.l.queue.take(j.l.store.Failed())
		if g == nil {
			return
		}
		c, err := j.commit(g)
		if err != nil {
			// Half a batch may be in memory structures. Nothing may follow it.
			j.l.store.Fail(err)
			g.err = j.l.store.Err()
			close(g.done)
			return
		}
		j.commits <- c
	}
}

func (j *journal) release() {
	defer close(j.drained)
	for c := range j.commits {
		err := j.l.store.SyncWait(c.pb)
		if err == nil {
			// Before anyone is told: the store may be damaged at any time after,
			// and then this says how far it must reach.
			if err = j.l.heads.acknowledge(c.batches, c.entries, c.edge.last); err != nil {
				j.l.store.Fail(err)
			}
		}
		if err != nil {
			c.g.err = err
		} else {
			j.l.advance(c)
		}
		close(c.g.done)
		<-j.slots
	}
}

// builder holds the memory that is used again from batch to batch.
type builder struct {
	entries  []evidence.Entry
	subjects []evidence.Subject // of all disclosures
	resolved []Subject          // of one
	known    []exposure.Ordinal // of one exposure
	named    []exposure.Ordinal // new people of the directory in this batch
	leaves   []tlog.Hash
	body     []byte
	record   []byte
	fresh    map[idHash]exposure.Ordinal // handed out in this batch
}

// commit writes one group as one Pebble batch.
func (j *journal) commit(g *group) (commit, error) {
	b := &j.build
	b.entries, b.subjects = b.entries[:0], b.subjects[:0]
	b.named = b.named[:0]
	clear(b.fresh)
	pb := j.l.store.DB().NewBatchWithSize(256 + 48*len(g.jobs))
	notes := 0
	used := j.used
	for _, job := range g.jobs {
		var err error
		switch {
		case job.intent != nil:
			err = j.addIntent(pb, job.intent)
		case job.outcome != nil:
			j.addOutcome(job.outcome)
		case job.event != nil:
			job.event.seq = j.add(evidence.Entry{Kind: evidence.Event, Time: job.event.at, JSON: job.event.json})
			if job.event.noted {
				notes++
			}
		case job.people != nil:
			err = j.addPeople(pb, job.people)
		}
		if err != nil {
			return commit{}, err
		}
	}
	if lost := j.l.queue.taken(notes); lost > 0 {
		text, err := encodeEvent(Event{Kind: EventOverflow, Fields: map[string]any{"count": lost}})
		if err != nil {
			return commit{}, err
		}
		j.add(evidence.Entry{Kind: evidence.Event, Time: j.l.nowMS(), JSON: text})
	}
	if len(b.entries) > 0 {
		if err := j.seal(pb); err != nil {
			return commit{}, err
		}
	}
	if j.used != used {
		if err := pb.Set(metaKey(metaOrdinals), binary.BigEndian.AppendUint64(nil, j.used), nil); err != nil {
			return commit{}, fmt.Errorf("counting ordinals: %w", err)
		}
	}
	if err := j.l.store.ApplyNoWait(pb); err != nil {
		return commit{}, err
	}
	for h, o := range b.fresh { // only now can a look-up miss in the store no longer overtake it
		j.l.ids.remember(h, o)
	}
	j.waiting.Store(int64(len(j.pending.open)))
	return commit{g, pb, j.next, j.seq, j.edge}, nil
}

// add gives the entry its number.
func (j *journal) add(e evidence.Entry) uint64 {
	j.build.entries = append(j.build.entries, e)
	j.seq++
	return j.seq
}

// seal encodes the collected entries, puts them under the tree and writes the record.
func (j *journal) seal(pb *pebble.Batch) error {
	b := &j.build
	r := record{first: j.seq - uint64(len(b.entries)) + 1, count: uint32(len(b.entries))}
	if _, err := rand.Read(r.seed[:]); err != nil {
		return fmt.Errorf("drawing a seed: %w", err)
	}
	// The clock may have jumped: the range is what the entries say, not the
	// order in which they came. Definitions have no time of their own.
	timed := false
	for i := range b.entries {
		if b.entries[i].Kind == evidence.Definition {
			continue
		}
		t := b.entries[i].Time
		if !timed {
			r.start, r.end, timed = t, t, true
		}
		r.start, r.end = min(r.start, t), max(r.end, t)
	}
	b.body, b.leaves = b.body[:0], b.leaves[:0]
	for i := range b.entries {
		from := len(b.body)
		b.body = b.entries[i].Append(b.body, r.start)
		if !j.treeless {
			b.leaves = append(b.leaves, evidence.EntryHash(evidence.Salt(r.seed, uint32(i)), b.body[from:]))
		}
	}
	if !j.treeless {
		h := evidence.Header{
			Gateway: j.l.gateway, Batch: j.next, Previous: j.edge.last,
			First: r.first, Count: r.count, Start: r.start, End: r.end, Root: evidence.Root(b.leaves),
		}
		r.leaf = h.LeafHash()
		err := j.edge.add(r.leaf, func(level int, index uint64, h tlog.Hash) error {
			return pb.Set(treeKey(level, index), h[:], nil)
		})
		if err != nil {
			return fmt.Errorf("adding to the tree: %w", err)
		}
	}
	b.record = append(r.appendPrefix(b.record[:0]), b.body...)
	if err := pb.Set(journalKey(j.next), b.record, nil); err != nil {
		return fmt.Errorf("adding the batch record: %w", err)
	}
	j.next++
	return j.pending.save(pb, j.seq)
}

func (j *journal) addOutcome(s *settlement) {
	j.pending.settle(s.of)
	o := s.outcome
	j.add(evidence.Entry{
		Kind: evidence.Outcome, Time: s.at, Distance: j.seq + 1 - s.of,
		Result: uint8(o.Result), Status: o.Status, Bytes: uint64(max(o.Bytes, 0)),
	})
}

func (j *journal) addIntent(pb *pebble.Batch, in *intent) error {
	b := &j.build
	e := evidence.Entry{Kind: evidence.Disclosure, Time: in.at, Shadow: in.shadow}
	var err error
	if e.Pathway, err = define(j, pb, &j.l.dict.pathways, evidence.DictPathway, in.pathway, pathwayText); err != nil {
		return err
	}
	for _, reason := range in.incomplete {
		id, err := define(j, pb, &j.l.dict.reasons, evidence.DictReason, reason, func(r exposure.Reason) string { return string(r) })
		if err != nil {
			return err
		}
		e.Reasons = append(e.Reasons, id)
	}
	if err := j.resolveAll(pb, in.subjects); err != nil {
		return err
	}
	from := len(b.subjects)
	for _, s := range b.resolved {
		id, err := define(j, pb, &j.l.dict.sets, evidence.DictSet, s.Set, exposure.Set.String)
		if err != nil {
			return err
		}
		b.subjects = append(b.subjects, evidence.Subject{Ordinal: uint32(s.Ordinal), Set: id})
	}
	e.Subjects = b.subjects[from:len(b.subjects):len(b.subjects)]
	in.seq = j.add(e)
	if in.retry != 0 && in.retry < in.seq {
		b.entries[len(b.entries)-1].Retry = in.seq - in.retry
	}
	j.pending.begin(in.seq)
	return nil
}

// define gives the number of v, writing its definition if it is new.
func define[T comparable](j *journal, pb *pebble.Batch, t *table[T], dict uint8, v T, text func(T) string) (uint32, error) {
	if id, ok := t.ids[v]; ok { // only this goroutine adds, so reading needs no lock
		return id, nil
	}
	d := &j.l.dict
	d.mu.Lock()
	id := t.add(v)
	d.mu.Unlock()
	e := evidence.Entry{Kind: evidence.Definition, Dict: dict, ID: id, Text: text(v)}
	if err := pb.Set(dictionaryKey(dict, id), []byte(e.Text), nil); err != nil {
		return 0, fmt.Errorf("adding a definition: %w", err)
	}
	j.add(e)
	return id, nil
}
