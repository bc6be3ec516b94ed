package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"cordon/evidence"
	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// journal writes. One batch is at the disk at a time. The next one is built
// meanwhile, job by job, but sealed only when the disk is free: so it is as large
// as can be, and no caller waits for more than the sync that was under way and
// their own.
//
// Two goroutines do it. run waits for the disk, and before it lets the callers
// of one batch go it sends the next one off: otherwise they would take the
// processors while the disk is idle. ahead works on what gathers while run waits.
type journal struct {
	l        *Ledger
	treeless bool // benchmarks only: what does the tree cost?

	// mu guards everything down to the blank line. That runs ahead of the
	// disk: what it holds may never become durable, but then the store is sick
	// and nothing is built on it.
	mu      sync.Mutex
	next    uint64 // number of the next batch
	seq     uint64 // number of the last entry
	edge    edge
	pending pending
	perm    permutation
	used    uint64 // ordinals handed out
	events  uint64 // rows of the list of events
	build   builder
	pinDay  int64    // of the newest pin
	births  []idHash // written since an import began; nil: none runs

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
	for {
		c, more, err := j.step(true)
		for c != nil {
			// It never returns when the disk fails (see store.SyncWait): the callers
			// watch Failed.
			if err = j.l.store.SyncWait(c.pb); err == nil {
				// Before anyone is told: the store may be damaged at any time after,
				// and then this says how far it must reach.
				err = j.l.heads.acknowledge(c.batches, c.entries, c.edge.last)
			}
			if err != nil {
				j.l.store.Fail(err)
				c.g.err = j.l.store.Err()
				close(c.g.done)
				return
			}
			j.l.advance(c)
			var following *commit
			following, more, err = j.step(true)
			close(c.g.done)
			c = following
		}
		if err != nil || !more {
			return
		}
		select {
		case <-j.l.queue.wake:
		case <-j.l.store.Failed():
			return
		}
	}
}

// ahead builds while run waits for the disk.
func (j *journal) ahead() {
	for {
		select {
		case <-j.l.queue.more:
		case <-j.ended:
			return
		}
		if _, _, err := j.step(false); err != nil {
			return
		}
	}
}

// step takes in what was added to the oldest group and, if it may seal the
// group and somebody waits for it, sends it off. more is false when the queue
// is closed and empty. After an error half a batch may be in memory structures:
// the store is sick, and nothing may follow.
func (j *journal) step(seal bool) (c *commit, more bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	g, jobs, sealed, ended := j.l.queue.drain(j.build.spare, seal)
	err = j.take(jobs)
	clear(jobs)
	j.build.spare = jobs
	if err == nil && sealed {
		c, err = j.seal(g)
	}
	if err != nil {
		j.l.store.Fail(err)
		return nil, false, err
	}
	return c, !ended, nil
}

// builder holds the batch that is being built, in memory that is used again
// for the next one.
type builder struct {
	pb       *pebble.Batch // nil: no batch is begun
	spare    []job
	used     uint64   // ordinals handed out before it
	notes    int      // among its jobs
	events   []uint64 // entries that go into the list of events
	entries  []evidence.Entry
	subjects []evidence.Subject // of all disclosures
	resolved []Subject          // of one
	known    []exposure.Ordinal // of one exposure
	named    []exposure.Ordinal // new people of the directory in this batch

	seed       [evidence.SaltSize]byte
	timed      bool   // start and end are set
	start, end int64  // no entry is earlier than start, or later than end
	body       []byte // the entries, encoded
	clear      []span // which parts of it stay readable when the day has expired
	sealer     sealer
	tree       edge // over the entries
	record     []byte
	fresh      map[idHash]written     // written in this batch
	rows       map[idHash]identityRow // of those, the rows that are more than an ordinal
	replaced   bool                   // something known got another meaning
	users      []int                  // user ids among the identifiers of one exposure
	links      []newLink              // of one disclosure
	tokens     map[tokenRow]tag       // written in this batch
	keys       map[string]personKey   // likewise
	pins       map[[16]byte]Pin       // likewise
	gone       map[string]bool        // keys deleted in this batch; nil: none
	failed     error                  // why a batch could not be added in the midst of a write
}

// begin begins a batch, the first or the next one of a write.
func (b *builder) begin() error {
	b.entries, b.events = b.entries[:0], b.events[:0]
	b.timed, b.start, b.end = false, 0, 0
	b.body, b.clear, b.tree.size = b.body[:0], b.clear[:0], 0
	if _, err := rand.Read(b.seed[:]); err != nil {
		return fmt.Errorf("drawing a seed: %w", err)
	}
	return nil
}

// take adds jobs to the batch that is being built.
func (j *journal) take(jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	b := &j.build
	if b.pb == nil {
		b.pb = j.l.store.DB().NewBatchWithSize(256 + 48*len(jobs))
		b.subjects, b.named = b.subjects[:0], b.named[:0]
		b.notes, b.used = 0, j.used
		clear(b.fresh)
		clear(b.rows)
		b.replaced = false
		b.beginTokens()
		if err := b.begin(); err != nil {
			return err
		}
	}
	for _, job := range jobs {
		var err error
		switch {
		case job.intent != nil:
			err = j.addIntent(b.pb, job.intent)
		case job.outcome != nil:
			j.addOutcome(job.outcome)
		case job.event != nil:
			job.event.seq = j.add(evidence.Entry{Kind: evidence.Event, Time: job.event.at, JSON: job.event.json})
			if job.event.noted {
				b.notes++
			}
		case job.people != nil:
			err = j.addPeople(b.pb, job.people)
		case job.step != nil:
			err = job.step(j, b.pb)
		case job.untie != nil:
			err = j.addUntie(b.pb, job.untie)
		case job.lesson != nil:
			b.notes++
			err = j.addLesson(b.pb, job.lesson)
		}
		if err == nil {
			err = b.failed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// seal writes what was built as one Pebble batch and starts its sync.
func (j *journal) seal(g *group) (*commit, error) {
	b := &j.build
	pb := b.pb
	defer func() { b.pb = nil }()
	if lost := j.l.queue.taken(b.notes); lost > 0 {
		text, err := encodeEvent(Event{Kind: EventOverflow, Fields: map[string]any{"count": lost}})
		if err != nil {
			return nil, err
		}
		j.add(evidence.Entry{Kind: evidence.Event, Time: j.l.nowMS(), JSON: text})
	}
	if b.failed != nil {
		return nil, b.failed
	}
	if len(b.entries) > 0 {
		if err := j.addRecord(pb); err != nil {
			return nil, err
		}
	}
	if j.used != b.used {
		if err := pb.Set(metaKey(metaOrdinals), binary.BigEndian.AppendUint64(nil, j.used), nil); err != nil {
			return nil, fmt.Errorf("counting ordinals: %w", err)
		}
	}
	if err := j.l.store.ApplyNoWait(pb); err != nil {
		return nil, err
	}
	j.tokensApplied()
	for h, w := range b.fresh { // only now can a look-up miss in the store no longer overtake it
		if !w.seldom {
			j.l.ids.remember(h, w.identity)
		}
	}
	// Who looked up before must look again.
	if len(b.fresh) > 0 {
		j.l.ids.births.Add(1)
	}
	if b.replaced {
		j.l.ids.changes.Add(1)
	}
	j.waiting.Store(int64(len(j.pending.open)))
	return &commit{g, pb, j.next, j.seq, j.edge}, nil
}

// early is how far before its first entry a batch is said to start. Entries
// come in nearly in order of their times: those that overtook one another in
// the queue still lie after the start.
const early = 40 // ms

// add gives the entry its number, encodes it, and puts it under the batch's
// tree. An entry of another day begins another batch in the same write: a
// batch has one day's key.
func (j *journal) add(e evidence.Entry) uint64 {
	b := &j.build
	timed := e.Kind != evidence.Definition // those have no time of their own
	if timed && b.timed && utcDay(e.Time) != utcDay(b.start) && b.failed == nil {
		if b.failed = j.addRecord(b.pb); b.failed == nil {
			b.failed = b.begin()
		}
	}
	b.entries = append(b.entries, e)
	j.seq++
	if listed(&e) {
		b.events = append(b.events, j.seq)
	}
	if timed {
		before := b.timed && e.Time < b.start // the clock jumped back
		if !b.timed || before {
			b.start = max(e.Time-early, utcDay(e.Time)*msPerDay)
		}
		b.end = max(b.end, e.Time)
		if !b.timed {
			b.end = e.Time
		}
		// Definitions before it were encoded without a start, which they need not.
		b.timed = true
		if before {
			b.body, b.clear, b.tree.size = b.body[:0], b.clear[:0], 0
			for i := range b.entries {
				j.encode(i)
			}
			return j.seq
		}
	}
	j.encode(len(b.entries) - 1)
	return j.seq
}

func (j *journal) encode(i int) {
	b := &j.build
	from := len(b.body)
	b.body = b.entries[i].Append(b.body, b.start)
	if clearKind(b.entries[i].Kind) {
		b.clear = append(b.clear, span{from, len(b.body)})
	}
	if !j.treeless {
		_ = b.tree.add(evidence.EntryHash(evidence.Salt(b.seed, uint32(i)), b.body[from:]), nil) // only storing can fail
	}
}

// addRecord puts the batch under the tree of all batches and adds its record.
func (j *journal) addRecord(pb *pebble.Batch) error {
	b := &j.build
	r := record{
		first: j.seq - uint64(len(b.entries)) + 1, count: uint32(len(b.entries)),
		start: b.start, end: b.end, seed: b.seed,
	}
	if !j.treeless {
		h := evidence.Header{
			Gateway: j.l.gateway, Batch: j.next, Previous: j.edge.last,
			First: r.first, Count: r.count, Start: r.start, End: r.end, Root: b.tree.root(),
		}
		r.leaf = h.LeafHash()
		err := j.edge.add(r.leaf, func(level int, index uint64, h tlog.Hash) error {
			return pb.Set(treeKey(level, index), h[:], nil)
		})
		if err != nil {
			return fmt.Errorf("adding to the tree: %w", err)
		}
	}
	if len(b.clear) == len(b.entries) {
		r.form = formClear
		b.record = append(append(r.appendPrefix(b.record[:0]), r.seed[:]...), b.body...)
	} else {
		day := utcDay(r.start)
		of, key, err := j.l.days.forBatch(pb, day, j.next)
		if err != nil {
			return err
		}
		b.record = r.seal(b.record[:0], b.body, b.clear, key, uint64(of-day), &b.sealer)
	}
	if err := pb.Set(journalKey(j.next), b.record, nil); err != nil {
		return fmt.Errorf("adding the batch record: %w", err)
	}
	if err := j.addEvents(pb); err != nil {
		return err
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
	if free, err := j.tokensFree(in.tokens); err != nil || !free {
		if !free {
			in.tokens.refused = ErrTokenTaken
		}
		return err
	}
	e := evidence.Entry{Kind: evidence.Disclosure, Time: in.at, Shadow: in.shadow, Declared: in.declared, HeldSince: in.heldSince}
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
	if err := j.resolveAll(pb, in); err != nil {
		return err
	}
	from := len(b.subjects)
	for _, s := range b.resolved {
		if s.Ordinal != exposure.Nobody {
			in.ordinals = append(in.ordinals, s.Ordinal)
		}
		id, err := define(j, pb, &j.l.dict.sets, evidence.DictSet, s.Set, exposure.Set.String)
		if err != nil {
			return err
		}
		b.subjects = append(b.subjects, evidence.Subject{Ordinal: uint32(s.Ordinal), Set: id})
	}
	e.Subjects = b.subjects[from:len(b.subjects):len(b.subjects)]
	if next := j.seq + 1; in.retry != 0 && in.retry < next {
		e.Retry = next - in.retry
	}
	in.seq = j.add(e)
	if !in.declared {
		j.pending.begin(in.seq)
	}
	if err := j.addTokens(pb, in); err != nil {
		return err
	}
	return j.setLinks(pb, in.seq, in.at)
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
