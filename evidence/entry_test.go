package evidence_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

var samples = []evidence.Entry{
	{Kind: evidence.Disclosure, Time: 1000, Pathway: 3, Subjects: []evidence.Subject{{Ordinal: 1<<20 - 1, Set: 2}}},
	{Kind: evidence.Disclosure, Time: 1007, Pathway: 3, Shadow: true, Retry: 9, Reasons: []uint32{1, 2}, Subjects: []evidence.Subject{{Ordinal: 0, Set: 1}, {Ordinal: 1<<32 - 1, Set: 200}}},
	{Kind: evidence.Disclosure, Time: 1000, Pathway: 1, Subjects: []evidence.Subject{}},
	{Kind: evidence.Outcome, Time: 1001, Distance: 130, Result: evidence.ResultSent, Status: 202, Bytes: 700},
	{Kind: evidence.Outcome, Time: 1000, Distance: 1, Result: evidence.ResultNotSent},
	{Kind: evidence.Outcome, Time: 1000, Distance: 1, Status: 100},
	{Kind: evidence.Disclosure, Time: 1700, Pathway: 9, Subjects: []evidence.Subject{{Ordinal: 7, Set: 1}}, Declared: true, HeldSince: -86_400_000},
	{Kind: evidence.Disclosure, Time: 1000, Pathway: 9, Subjects: []evidence.Subject{{Ordinal: 7, Set: 1}, {Ordinal: 8, Set: 2}}, Declared: true},
	{Kind: evidence.Event, Time: 1 << 50, JSON: []byte(`{"kind":"gate"}`)},
	{Kind: evidence.Definition, Time: 1000, Dict: evidence.DictSet, ID: 7, Text: "user.contact.email"},
}

func TestEntriesComeBackAsTheyWent(t *testing.T) {
	var all []byte
	for _, e := range samples {
		all = e.Append(all, 1000)
	}
	for i, want := range samples {
		got, rest, err := evidence.ParseEntry(all, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d: %+v, want %+v", i, got, want)
		}
		all = rest
	}
	if len(all) != 0 {
		t.Errorf("%d bytes are left", len(all))
	}
}

func TestUsualEntriesAreSmall(t *testing.T) {
	if n := len(samples[0].Append(nil, 1000)); n > 12 {
		t.Errorf("a disclosure has %d bytes", n)
	}
	outcome := evidence.Entry{Kind: evidence.Outcome, Time: 1000, Distance: 100, Result: evidence.ResultSent, Status: 202}
	if n := len(outcome.Append(nil, 1000)); n > 4 {
		t.Errorf("an outcome has %d bytes", n)
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, e := range samples {
		f.Add(e.Append(nil, 1000), int64(1000))
	}
	f.Fuzz(func(t *testing.T, b []byte, start int64) {
		e, rest, err := evidence.ParseEntry(b, start)
		if err != nil {
			return
		}
		if len(rest) >= len(b) {
			t.Fatal("an entry without bytes")
		}
		again, rest2, err := evidence.ParseEntry(append(e.Append(nil, start), rest...), start)
		if err != nil || !reflect.DeepEqual(again, e) || !bytes.Equal(rest, rest2) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

func TestHeaderComesBackAndRefusesNonsense(t *testing.T) {
	h := evidence.Header{
		Gateway: evidence.GatewayOf("photos.example"), Batch: 7, Previous: tlog.Hash{1}, First: 19, Count: 3,
		Start: -5, End: 1 << 41, Root: tlog.Hash{2},
	}
	b := h.Append(nil)
	got, err := evidence.ParseHeader(b)
	if err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
	if len(b) != evidence.HeaderSize || h.LeafHash() != tlog.RecordHash(b) {
		t.Error("the header is not a leaf as RFC 6962 has it")
	}
	for name, change := range map[string]func(h *evidence.Header){
		"no entries":   func(h *evidence.Header) { h.Count = 0 },
		"from 0":       func(h *evidence.Header) { h.First = 0 },
		"ends earlier": func(h *evidence.Header) { h.End = h.Start - 1 },
	} {
		bad := h
		change(&bad)
		if _, err := evidence.ParseHeader(bad.Append(nil)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestInnerTreeAgreesWithTlog(t *testing.T) {
	for n := 1; n < 70; n++ {
		stored := map[int64]tlog.Hash{}
		reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			var hashes []tlog.Hash
			for _, i := range indexes {
				hashes = append(hashes, stored[i])
			}
			return hashes, nil
		})
		var leaves []tlog.Hash
		for i := range n {
			leaf := evidence.EntryHash(evidence.Salt([16]byte{9}, uint32(i)), []byte{byte(i)})
			leaves = append(leaves, leaf)
			hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, reader)
			if err != nil {
				t.Fatal(err)
			}
			for k, h := range hashes {
				stored[tlog.StoredHashIndex(0, int64(i))+int64(k)] = h
			}
		}
		want, err := tlog.TreeHash(int64(n), reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := evidence.Root(append([]tlog.Hash(nil), leaves...)); got != want {
			t.Fatalf("root over %d differs", n)
		}
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		paths := evidence.Paths(append([]tlog.Hash(nil), leaves...), all)
		for i := range n {
			path := evidence.Path(append([]tlog.Hash(nil), leaves...), i)
			if !slices.Equal(path, paths[i]) {
				t.Fatalf("leaf %d of %d has two paths", i, n)
			}
			if err := tlog.CheckRecord(path, int64(n), want, int64(i), leaves[i]); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
		}
	}
}

func TestADeclaredEntryIsNoMessage(t *testing.T) {
	e := evidence.Entry{Kind: evidence.Disclosure, Time: 1000, Pathway: 1, Subjects: []evidence.Subject{{Ordinal: 7, Set: 1}}, Declared: true, HeldSince: 5}
	for name, change := range map[string]func(*evidence.Entry){
		"shadow":     func(e *evidence.Entry) { e.Shadow = true },
		"incomplete": func(e *evidence.Entry) { e.Reasons = []uint32{1} },
		"retry":      func(e *evidence.Entry) { e.Retry = 3 },
	} {
		bad := e
		change(&bad)
		if _, _, err := evidence.ParseEntry(bad.Append(nil, 1000), 1000); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
