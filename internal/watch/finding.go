package watch

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// Kind is a kind of finding; stored, never renamed.
type Kind string

const (
	// Undeclared is personal data found by its shape, or because it is known of
	// a person, where no mapping says that there is any.
	Undeclared Kind = "undeclared-data"
	// Drift is a leaf that no mapping names, on a route that is known for longer.
	Drift Kind = "drift"
	// GlassBroken: one person is about to restore a vendor alone, in an incident
	// and without the two approvals. Path names the plan.
	GlassBroken Kind = "break-glass"
	// Damage is a file of the data directory that does not hold; Path names it.
	Damage Kind = "damage"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Undeclared, Drift, Damage, GlassBroken} }

// Key is what a finding is about. It holds no value of anybody: Path is a
// template, in which keys that look like data are "*".
type Key struct {
	Kind     Kind
	Vendor   exposure.VendorID
	Route    string
	Path     string
	Category exposure.Category
}

// ID names the finding for people: the same key has the same ID everywhere.
func (k Key) ID() string {
	sum := k.digest()
	return "f-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
}

func (k Key) digest() [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{string(k.Kind), string(k.Vendor), k.Route, k.Path, k.Category.Key()}, "\x00")))
}

// Finding is a finding and what was decided about it.
type Finding struct {
	Key
	ID     string
	Raised time.Time
	Seq    uint64 // the entry that raised it
	// Closed is zero while it is open.
	Closed   time.Time
	ClosedBy string
	// ClosedSeq is the entry that closed it. Why, is sealed beside that entry: it
	// may name people.
	ClosedSeq uint64
}

// Findings is the fold over the ledger's entries about findings.
type Findings struct {
	record recorder
	now    func() time.Time

	mu   sync.Mutex // guards everything below
	byID map[string]*Finding
}

// recorder is what findings need of the ledger: durable on return.
type recorder interface {
	Append(ctx context.Context, e ledger.Event) (uint64, error)
	// AppendSealed seals a text beside the event; group is whose key seals it.
	AppendSealed(ctx context.Context, e ledger.Event, group, text string) (uint64, error)
}

// NewFindings starts with none; Fold brings in what the ledger holds.
func NewFindings(record recorder, now func() time.Time) *Findings {
	return &Findings{record: record, now: now, byID: map[string]*Finding{}}
}

// Fold takes one entry of the ledger, in order. Other entries are ignored.
func (s *Findings) Fold(e ledger.Entry) {
	if e.Kind == ledger.KindEvent && Relevant(e.Event.Kind) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fold(e.Seq, e.Event)
	}
}

// Relevant reports whether events of a kind are folded here.
func Relevant(k ledger.EventKind) bool {
	return k == ledger.EventFinding || k == ledger.EventFindingClosed
}

func (s *Findings) fold(seq uint64, e ledger.Event) {
	text := func(name string) string { v, _ := e.Fields[name].(string); return v }
	if e.Kind == ledger.EventFindingClosed {
		if f := s.byID[text("finding")]; f != nil {
			f.Closed, f.ClosedBy, f.ClosedSeq = e.At, e.Actor, seq
		}
		return
	}
	c, ok := exposure.LookupCategory(text("category"))
	if !ok {
		c = exposure.Unclassified
	}
	k := Key{Kind(text("kind")), e.Vendor, text("route"), text("path"), c}
	if id := text("finding"); s.byID[id] == nil { // raised twice after a crash: the first counts
		s.byID[id] = &Finding{Key: k, ID: id, Raised: e.At, Seq: seq}
	}
}

// Raise records a finding, unless it is on record already. A finding that was
// closed stays closed: the decision holds until somebody reopens the question.
func (s *Findings) Raise(ctx context.Context, k Key, at time.Time) error {
	id := k.ID()
	s.mu.Lock()
	_, known := s.byID[id]
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.append(ctx, ledger.Event{
		Kind: ledger.EventFinding, Vendor: k.Vendor, At: at, Actor: "cordon",
		Fields: map[string]any{"finding": id, "kind": string(k.Kind), "route": k.Route, "path": k.Path, "category": k.Category.Key()},
	})
}

// ErrUnknown says that there is no such finding.
type ErrUnknown struct{ ID string }

func (e *ErrUnknown) Error() string { return fmt.Sprintf("there is no finding %q", e.ID) }

// ErrClosed says that a finding was closed before.
type ErrClosed struct{ Finding Finding }

func (e *ErrClosed) Error() string {
	return fmt.Sprintf("finding %s was closed by %s already", e.Finding.ID, e.Finding.ClosedBy)
}

// Close records that something was decided about a finding, and seals why.
func (s *Findings) Close(ctx context.Context, id, actor, reason string) (Finding, error) {
	f, err := s.Get(id)
	if err != nil {
		return f, err
	}
	if !f.Closed.IsZero() {
		return f, &ErrClosed{f}
	}
	e := ledger.Event{Kind: ledger.EventFindingClosed, Vendor: f.Vendor, At: s.now(), Actor: actor, Fields: map[string]any{"finding": id}}
	seq, err := s.record.AppendSealed(ctx, e, id, reason)
	if err != nil {
		return f, fmt.Errorf("recording a finding: %w", err)
	}
	s.mu.Lock()
	s.fold(seq, e)
	s.mu.Unlock()
	return s.Get(id)
}

// Get finds one.
func (s *Findings) Get(id string) (Finding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.byID[id]; f != nil {
		return *f, nil
	}
	return Finding{}, &ErrUnknown{id}
}

// List gives all findings, the newest first.
func (s *Findings) List() []Finding {
	s.mu.Lock()
	list := make([]Finding, 0, len(s.byID))
	for _, f := range s.byID {
		list = append(list, *f)
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b Finding) int {
		if c := b.Raised.Compare(a.Raised); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// append makes an event durable, then folds it.
func (s *Findings) append(ctx context.Context, e ledger.Event) error {
	seq, err := s.record.Append(ctx, e)
	if err != nil {
		return fmt.Errorf("recording a finding: %w", err)
	}
	s.mu.Lock()
	s.fold(seq, e)
	s.mu.Unlock()
	return nil
}
