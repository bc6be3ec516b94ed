package care

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"cordon/internal/store"
)

func (h *house) scrubber(change ...func(*ScrubOptions)) *Scrubber {
	o := ScrubOptions{Ledger: h.ledger, Data: h.at("data"), Now: func() time.Time { return h.now }}
	for _, c := range change {
		c(&o)
	}
	return NewScrubber(o)
}

func (h *house) flush() []store.Table {
	h.t.Helper()
	if err := h.ledger.Store().DB().Flush(); err != nil {
		h.t.Fatal(err)
	}
	tables, err := h.ledger.Store().Tables()
	if err != nil || len(tables) == 0 {
		h.t.Fatal(tables, err)
	}
	return tables
}

func TestScrubReadsEverythingAndNamesTheDamagedFile(t *testing.T) {
	h := newHouse(t)
	h.grow(600)
	tables := h.flush()
	var size int64
	for _, table := range tables {
		st, err := os.Stat(h.at("data/store/" + table.Name()))
		if err != nil {
			t.Fatal(err)
		}
		size += st.Size()
	}
	var raised []Damage
	s := h.scrubber(func(o *ScrubOptions) {
		o.Found = func(_ context.Context, d Damage) error { raised = append(raised, d); return nil }
	})
	st, err := s.Now(context.Background(), nil)
	if err != nil || !st.OK || st.At != "" || !st.Last.Equal(h.now) || st.Bytes < size {
		t.Fatalf("tables of %d bytes: %+v, %v", size, st, err)
	}
	flipAt(t, h.at("data/store/"+tables[0].Name()), 200)
	st, err = s.Now(context.Background(), nil)
	if err != nil || st.OK || len(st.Damage) != 1 || st.Damage[0].File != "store/"+tables[0].Name() || st.Damage[0].Means == "" || len(raised) != 1 {
		t.Fatalf("%+v, raised %v, %v", st, raised, err)
	}
	if strings.Contains(st.Damage[0].Problem, h.root) {
		t.Errorf("says where the data lie: %s", st.Damage[0].Problem)
	}
	// The server lives on: nothing was read through the store.
	if err := h.ledger.Status().Err; err != nil {
		t.Errorf("the scrub made the ledger refuse: %v", err)
	}
	h.grow(1)
	// It is still said after a restart.
	if again := h.scrubber().Status(); again.OK || len(again.Damage) != 1 {
		t.Errorf("after a restart: %+v", again)
	}
	os.Remove(h.at("data/store/" + tables[0].Name()))
	st, err = s.Now(context.Background(), nil)
	if err != nil || len(st.Damage) != 1 || !strings.Contains(st.Damage[0].Problem, "missing") {
		t.Errorf("%+v, %v", st, err)
	}
}

// flipAt changes a file in place, as a disk does.
func flipAt(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

func TestScrubNamesDamagedHeadsAndGates(t *testing.T) {
	h := newHouse(t)
	h.grow(10)
	s := h.scrubber(func(o *ScrubOptions) {
		o.Small = func() []string { return []string{h.at("data/gates/acme-mail.gate") + " is damaged"} }
	})
	mirror, err := os.ReadDir(h.at("mirror"))
	if err != nil || len(mirror) != 1 {
		t.Fatal(mirror, err)
	}
	path := h.at("mirror/" + mirror[0].Name())
	b, _ := os.ReadFile(path)
	at := 0
	for at < len(b) && binary.BigEndian.Uint32(b[at:]) == 0 {
		at += 4096
	}
	flipAt(t, path, int64(at)+20)
	st, err := s.Now(context.Background(), nil)
	if err != nil || st.OK || len(st.Damage) != 2 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestScrubGoesOnWhereARestartStoppedIt(t *testing.T) {
	h := newHouse(t)
	h.grow(300)
	h.flush()
	h.grow(300)
	tables := h.flush()
	ctx, stop := context.WithCancel(context.Background())
	s := h.scrubber()
	// Ends after the first table.
	err := s.run(ctx, 0, func(p Progress) {
		if p.Step == "tables" && p.Done >= 1 || p.Step == "batches" {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	next := h.scrubber()
	if next.state.Began.IsZero() || next.state.Table == 0 && next.state.Step == 0 {
		t.Fatalf("with %d tables it remembers %+v", len(tables), next.state)
	}
	first := true
	err = next.run(context.Background(), 0, func(p Progress) {
		if first && p.Step == "tables" && p.Done == 0 {
			t.Error("it began anew")
		}
		first = false
	})
	if err != nil || next.Status().Last.IsZero() {
		t.Errorf("%+v %v", next.Status(), err)
	}
}

func TestScrubKeepsItsPace(t *testing.T) {
	s := &Scrubber{o: ScrubOptions{Now: time.Now}, speed: 1 << 20}
	begun := time.Now()
	for range 20 {
		if err := s.wait(context.Background(), 32<<10); err != nil {
			t.Fatal(err)
		}
	}
	// 640 KiB at 1 MiB a second, the last one unpaid for.
	if took := time.Since(begun); took < 550*time.Millisecond || took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.wait(ctx, 100<<20); err == nil {
		t.Error("goes on after its end")
	}
}

func TestDamagedScrubFileCostsOnePass(t *testing.T) {
	h := newHouse(t)
	h.grow(5)
	h.write("data/scrub.json", "{half")
	if st := h.scrubber().Status(); !st.Last.IsZero() || !st.OK {
		t.Errorf("%+v", st)
	}
}
