package ledger

import "time"

// Status is what the ledger says of itself. It never blocks.
type Status struct {
	Size       uint64 // durable entries
	Batches    uint64
	Checkpoint string // newest signed checkpoint, "" before the first
	Signed     uint64 // batches that it covers
	Pending    int    // disclosures without an outcome
	LastSync   time.Time
	// Linked and Refused count, since the start, what vendors' answers told:
	// ids that became a person's, and those of which nobody can say whose they are.
	Linked, Refused uint64
	// Warnings name what was found wrong at start and is not a reason to
	// refuse: an unclean tail, a damaged or missing copy of the heads.
	Warnings []string
	// Err is why the ledger refuses, nil if it records.
	Err error
}

// Report is the result of Verify.
type Report struct {
	OK       bool     `json:"ok"`
	Size     uint64   `json:"size"`    // entries read
	Batches  uint64   `json:"batches"` // leaves of the tree
	Root     string   `json:"root"`    // base64, over all batches
	Problems []string `json:"problems"`
	// Erased says what is gone by a rule and on record: no problem.
	Erased []string `json:"erased"`
}

// Status never waits for the disk.
func (l *Ledger) Status() Status {
	end := l.durable.Load()
	s := Status{
		Size: end.entries, Batches: end.batches, Err: l.store.Err(),
		Linked: l.learning.linked.Load(), Refused: l.learning.refused.Load(),
	}
	if s.Err == nil && (l.store.Full() || l.low.Load()) {
		s.Err = errFull
	}
	if l.j != nil {
		s.Pending = int(l.j.waiting.Load())
	}
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	s.Checkpoint, s.Signed, s.LastSync = l.status.checkpoint, l.status.signed, l.status.lastSync
	s.Warnings = append([]string(nil), l.status.warnings...)
	return s
}
