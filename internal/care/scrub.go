package care

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cordon/internal/ledger"
	"cordon/internal/store"
)

// Scrubber reads everything from time to time. Disks lose bits where nobody
// looks; damage that is found by chance is found when the place is needed, and
// by then the last backup without it may be gone.
//
// A pass has four steps: every block of every table against its checksum, every
// batch against its hash and the tree above it, the base of people, the
// small files. It reads past Pebble, so damage is reported and nothing stops.
type Scrubber struct {
	o ScrubOptions

	pass  sync.Mutex // held by the pass that runs
	mu    sync.Mutex // guards what follows
	state scrubState
	kept  time.Time // when the state was last written
	speed int64     // bytes a second of the pass that runs; 0: as fast as the disk
	next  time.Time // when the next byte may be read
}

// ScrubOptions are a scrubber's.
type ScrubOptions struct {
	Ledger *ledger.Ledger
	Data   string
	Every  time.Duration // between the end of a pass and the next one; 0: only when asked
	Rate   int64         // bytes a second
	// Small are further things to look at, such as gates, each a sentence. May be nil.
	Small func() []string
	// Found is told of each damage once a pass; nil for nobody.
	Found func(context.Context, Damage) error
	// ReadOnly writes nothing down: for a verb without a server.
	ReadOnly bool
	Now      func() time.Time
	Log      *slog.Logger
}

// Damage is one thing that does not hold.
type Damage struct {
	File    string `json:"file"` // relative to the data directory, or what else is damaged
	Problem string `json:"problem"`
	Means   string `json:"means"`
}

// ScrubStatus is what the last pass found and where the present one is.
type ScrubStatus struct {
	Last time.Time `json:"last,omitzero"` // end of the last whole pass
	OK   bool      `json:"ok"`            // neither it nor the present one found anything
	// At is where the present pass is, "" while none runs: "tables 3 of 17", "batches 4096 of 961234".
	At     string    `json:"at"`
	Began  time.Time `json:"began,omitzero"` // the present pass
	Bytes  int64     `json:"bytes,omitzero"` // read by the last whole pass
	Damage []Damage  `json:"damage,omitempty"`
}

// scrubState is what a restart goes on with: data/scrub.json. Its loss costs
// one pass that begins anew.
type scrubState struct {
	Last   time.Time `json:"last,omitzero"`
	Bytes  int64     `json:"bytes"`
	Damage []Damage  `json:"damage"` // of the last whole pass

	Began time.Time `json:"began,omitzero"` // zero: no pass is under way
	Step  int       `json:"step"`
	Table uint64    `json:"table"` // number of the last table that was read
	Batch uint64    `json:"batch"` // that comes next
	Read  int64     `json:"read"`
	Found []Damage  `json:"found"` // of the pass under way
	at    string
}

const scrubFile = "scrub.json"

// NewScrubber reads where the last pass stopped.
func NewScrubber(o ScrubOptions) *Scrubber {
	s := &Scrubber{o: o}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if text, err := os.ReadFile(filepath.Join(o.Data, scrubFile)); err == nil {
		if json.Unmarshal(text, &s.state) != nil {
			s.state = scrubState{} // damaged: a new pass says what there is
		}
	}
	return s
}

// Status never waits.
func (s *Scrubber) Status() ScrubStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status()
}

func (s *Scrubber) status() ScrubStatus {
	st := &s.state
	out := ScrubStatus{Last: st.Last, At: st.at, Began: st.Began, Bytes: st.Bytes}
	seen := map[Damage]bool{}
	for _, d := range append(append([]Damage(nil), st.Found...), st.Damage...) {
		if !seen[d] {
			seen[d] = true
			out.Damage = append(out.Damage, d)
		}
	}
	out.OK = len(out.Damage) == 0
	return out
}

// Run makes passes until ctx ends: the one that a restart interrupted first.
func (s *Scrubber) Run(ctx context.Context) {
	for {
		s.mu.Lock()
		wait := s.state.Last.Add(s.o.Every).Sub(s.o.Now())
		if !s.state.Began.IsZero() || s.state.Last.IsZero() {
			wait = time.Minute // let the start be over
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(wait, time.Minute)):
		}
		if err := s.run(ctx, s.o.Rate, nil); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("the scrub was not finished", "error", err)
		}
	}
}

// Now makes a whole pass, as fast as the disk allows, and says what it found.
func (s *Scrubber) Now(ctx context.Context, progress func(Progress)) (ScrubStatus, error) {
	if !s.pass.TryLock() { // the background's: it goes on with full speed, from where it is
		s.mu.Lock()
		s.speed = 0
		s.mu.Unlock()
		s.pass.Lock()
	}
	s.mu.Lock()
	last := scrubState{Last: s.state.Last, Bytes: s.state.Bytes, Damage: s.state.Damage}
	s.state = last
	s.mu.Unlock()
	s.pass.Unlock()
	err := s.run(ctx, 0, progress)
	return s.Status(), err
}

func (s *Scrubber) run(ctx context.Context, rate int64, progress func(Progress)) error {
	s.pass.Lock()
	defer s.pass.Unlock()
	if progress == nil {
		progress = func(Progress) {}
	}
	s.change(func(st *scrubState) {
		s.speed, s.next = rate, time.Time{}
		if st.Began.IsZero() {
			st.Began, st.Step, st.Table, st.Batch, st.Read, st.Found = s.o.Now(), 0, 0, 0, 0, nil
		}
	})
	defer s.change(func(st *scrubState) { st.at = "" })
	for n, step := range []func(context.Context, func(Progress)) error{s.tables, s.batches, s.people, s.small} {
		if s.state.Step > n { // only a pass changes it, and this is the pass
			continue
		}
		if err := step(ctx, progress); err != nil {
			s.keep(true)
			return err
		}
		s.change(func(st *scrubState) { st.Step = n + 1 })
		s.keep(true)
	}
	s.change(func(st *scrubState) {
		st.Last, st.Bytes, st.Damage = s.o.Now(), st.Read, st.Found
		st.Began, st.Step, st.Found = time.Time{}, 0, nil
	})
	s.keep(true)
	s.o.Log.Info("everything was read", "bytes", s.state.Bytes, "damaged", len(s.state.Damage))
	return nil
}

func (s *Scrubber) change(f func(*scrubState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

// wait is called before so many bytes are read.
func (s *Scrubber) wait(ctx context.Context, bytes int) error {
	s.mu.Lock()
	s.state.Read += int64(bytes)
	var pause time.Duration
	if s.speed > 0 {
		now := time.Now()
		if s.next.Before(now) {
			s.next = now
		}
		pause = s.next.Sub(now)
		s.next = s.next.Add(time.Duration(float64(bytes) / float64(s.speed) * float64(time.Second)))
	}
	s.mu.Unlock()
	if pause < 5*time.Millisecond { // sleeping costs more than that
		return ctx.Err()
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep writes the state down, so that a restart goes on from here.
func (s *Scrubber) keep(now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.ReadOnly || !now && time.Since(s.kept) < 10*time.Second {
		return
	}
	s.kept = time.Now()
	text, err := json.Marshal(&s.state)
	if err != nil {
		return
	}
	path := filepath.Join(s.o.Data, scrubFile)
	if err := os.WriteFile(path+".new", text, 0o600); err == nil {
		_ = os.Rename(path+".new", path) // at worst the next pass begins anew
	}
}

func (s *Scrubber) found(ctx context.Context, d Damage) {
	d.Problem = strings.ReplaceAll(d.Problem, s.o.Data+string(filepath.Separator), "")
	s.change(func(st *scrubState) { st.Found = append(st.Found, d) })
	s.o.Log.Error("damage was found", "file", d.File, "problem", d.Problem, "means", d.Means)
	if s.o.Found != nil && !s.o.ReadOnly {
		if err := s.o.Found(ctx, d); err != nil {
			s.o.Log.Warn("the damage could not be recorded", "error", err)
		}
	}
}

const tableMeans = "part of the ledger, the index or the people cannot be read; which shows `cordon ledger verify` on a copy. " +
	"Keep the data directory as it is, look for the file in a backup (same name, same size), or restore the newest backup"

// tables reads every table that is in use when its turn comes. Those written
// since the pass began have higher numbers and come at its end.
func (s *Scrubber) tables(ctx context.Context, progress func(Progress)) error {
	for {
		tables, err := s.o.Ledger.Store().Tables()
		if err != nil {
			return err
		}
		done := 0
		var next *store.Table
		for i := range tables {
			if tables[i].Number <= s.state.Table {
				done++
			} else if next == nil {
				next = &tables[i]
			}
		}
		if next == nil {
			return nil
		}
		s.change(func(st *scrubState) { st.at = fmt.Sprintf("tables %d of %d", done+1, len(tables)) })
		progress(Progress{"tables", int64(done), int64(len(tables))})
		err = s.o.Ledger.Store().CheckTable(ctx, *next, s.wait)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, store.ErrGone):
			// Replaced, or lost? A table that is still in use has to be there.
			if s.inUse(*next) {
				s.found(ctx, Damage{"store/" + next.Name(), "it is missing", tableMeans})
			}
		case err != nil:
			s.found(ctx, Damage{"store/" + next.Name(), err.Error(), tableMeans})
		}
		s.change(func(st *scrubState) { st.Table = next.Number })
		s.keep(false)
	}
}

func (s *Scrubber) inUse(t store.Table) bool {
	tables, err := s.o.Ledger.Store().Tables()
	for _, now := range tables {
		if now.Number == t.Number {
			return err == nil
		}
	}
	return false
}

// chunk is how many batches are checked between two looks at the pace.
const chunk = 256

// batches checks the journal and the tree. It reads through Pebble, which
// refuses to go on when a block is damaged: so it waits for whole tables.
func (s *Scrubber) batches(ctx context.Context, progress func(Progress)) error {
	if len(s.state.Found) > 0 {
		s.o.Log.Warn("the journal is not read while tables are damaged")
		return nil
	}
	for {
		end := s.o.Ledger.Batches()
		from := s.state.Batch
		if from >= end {
			return nil
		}
		to := min(from+chunk, end)
		s.change(func(st *scrubState) { st.at = fmt.Sprintf("batches %d of %d", from, end) })
		progress(Progress{"batches", int64(from), int64(end)})
		n, err := s.o.Ledger.CheckRange(ctx, from, to)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.found(ctx, Damage{"store", err.Error(), "the ledger was changed, or written by a damaged machine: its proofs do not hold there. " +
				"Keep the data directory as it is and compare with a backup and the mirror"})
		}
		if err := s.wait(ctx, int(n)); err != nil {
			return err
		}
		s.change(func(st *scrubState) { st.Batch = to })
		s.keep(false)
	}
}

// people checks the base of people.
func (s *Scrubber) people(ctx context.Context, progress func(Progress)) error {
	s.change(func(st *scrubState) { st.at = "people" })
	progress(Progress{Step: "people"})
	err := s.o.Ledger.CheckPeople(ctx, s.wait)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.found(ctx, Damage{"people", err.Error(), "people of the directory are not recognised any more by what lies there. Restore the folder people from " +
			"the newest backup; an import instead would take them for new ones"})
	}
	return nil
}

// small looks at the files that are read as a whole.
func (s *Scrubber) small(ctx context.Context, _ func(Progress)) error {
	for _, p := range s.o.Ledger.HeadsDamage() {
		s.found(ctx, Damage{"heads", p, "one copy of how far the ledger reaches is lost; the next start compares with the other. It is written anew within a second of traffic"})
	}
	if s.o.Small != nil {
		for _, p := range s.o.Small() {
			s.found(ctx, Damage{"gates", p, "the vendor reads as cut until its gate is set anew: cordon restore VENDOR, or cordon cut VENDOR"})
		}
	}
	return nil
}
