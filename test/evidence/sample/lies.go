package sample

import (
	"bytes"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// Lie is a bundle that somebody with the ledger's key signed although it does
// not hold. Name says what is wrong with it.
type Lie struct {
	Name   string
	change func(*Case)
}

// Bundle writes it.
func (l *Lie) Bundle() ([]byte, error) {
	c := NewCase(true, 3, 5)
	l.change(c)
	return c.Bundle(false)
}

func rescope(c *Case, change func(*evidence.Scope)) { change(&c.Contents.Scopes[0]) }

// Again records more entries and shows them with the others, under a new checkpoint.
func Again(c *Case, entries ...evidence.Entry) {
	b := c.Book
	first := b.Append(entries...)
	c.Size, c.Contents.Checkpoint = b.Checkpoint()
	x := &b.batches[c.Size-1]
	added := evidence.Batch{Header: x.header.Append(nil)}
	for i, e := range x.entries {
		added.Entries = append(added.Entries, evidence.Shown{Seq: first + uint64(i), Salt: evidence.Salt(x.seed, uint32(i)), Entry: e, Inner: evidence.Path(x.leaves(), i)})
	}
	c.Contents.Batches = append(c.Contents.Batches, added)
	for i := range c.Contents.Batches {
		shown := &c.Contents.Batches[i]
		h, err := evidence.ParseHeader(shown.Header)
		if err == nil {
			shown.Path, err = tlog.ProveRecord(int64(c.Size), int64(h.Batch), b)
		}
		if err != nil {
			panic(err)
		}
	}
}

// refreeze freezes a second scope, by an entry about a vendor.
func refreeze(c *Case, vendor string, change func(*evidence.Scope)) {
	s := c.Contents.Scopes[0]
	s.ID = "scope-2"
	change(&s)
	digest, err := s.Digest()
	if err != nil {
		panic(err)
	}
	c.Contents.Scopes = append(c.Contents.Scopes, s)
	Again(c, Event(Start.Add(20*time.Minute), "scope", vendor, "ada", map[string]any{"incident": "inc-1", "scope": "scope-2", "digest": digest}))
}

// Lies are all that this package knows.
var Lies = []Lie{
	{"another incident", func(c *Case) {
		c.Contents.Incident = "inc-2"
		rescope(c, func(s *evidence.Scope) { s.Incident = "inc-2" })
	}},
	{"another vendor", func(c *Case) {
		c.Contents.Vendor = "other"
		rescope(c, func(s *evidence.Scope) { s.Query = []byte(`{"vendor":"other"}`) })
	}},
	{"a scope with fewer people in its bitmap", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Cohorts[1].ScopeBitmap.SHA256 = c.Keep(roaring.BitmapOf(100, 200)).SHA256
		})
	}},
	{"somebody in two cohorts", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Cohorts[1].ScopeBitmap = c.Keep(roaring.BitmapOf(1, 200, 201, 202, 203))
		})
	}},
	{"certain who are not in the scope", func(c *Case) {
		rescope(c, func(s *evidence.Scope) { s.Certain = c.Keep(roaring.BitmapOf(1, 1<<30)) })
	}},
	{"excluded who are counted", func(c *Case) {
		rescope(c, func(s *evidence.Scope) { s.Excluded = c.Keep(roaring.BitmapOf(1)) })
	}},
	{"an answer with fewer people", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Answer = bytes.Replace(s.Answer, []byte(`"subjects":8`), []byte(`"subjects":7`), 1)
		})
	}},
	{"an answer that does not add up", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Answer = bytes.Replace(s.Answer, []byte(`"possible":6`), []byte(`"possible":5`), 1)
		})
	}},
	{"another question", func(c *Case) {
		rescope(c, func(s *evidence.Scope) { s.Query = []byte(`{"vendor":"acme-mail","basis":"sent"}`) })
	}},
	{"a scope kept back", func(c *Case) { c.Contents.Scopes = nil }},
	{"a scope that nothing froze", func(c *Case) {
		more := c.Contents.Scopes[0]
		more.ID = "scope-2"
		c.Contents.Scopes = append(c.Contents.Scopes, more)
	}},
	{"another manifest of the vendor", func(c *Case) { c.Contents.Manifests["acme-mail"] = []byte("country: DE\n") }},
	{"an entry that was never written", func(c *Case) {
		e := &c.Contents.Batches[2].Entries[0]
		e.Entry = bytes.Replace(e.Entry, []byte("ada"), []byte("bob"), 1)
	}},
	{"an entry under another number", func(c *Case) { c.Contents.Batches[0].Entries[0].Seq = 2 }},
	{"another ledger's batch", func(c *Case) { c.Contents.Batches[0].Header[3] ^= 1 }},
	{"a header that was never written", func(c *Case) { c.Contents.Batches[0].Header[84] ^= 1 }},
	{"people among what is not personal", func(c *Case) { c.Contents.Batches[1].Entries[2].Personal = false }},
	{"the export of something else", func(c *Case) {
		was := c.Exported
		c.Exported = func(string) evidence.Entry { return was(strings.Repeat("0", 64)) }
	}},
	{"a history that was rewritten", func(c *Case) {
		c.Sealed = func(s *evidence.Seal) { s.Consistency[0][0] ^= 1 }
	}},
	{"a checkpoint that somebody else signed too", func(c *Case) {
		c.Contents.Checkpoint = Cosign(c.Contents.Checkpoint, witness("witness.example/w2"))
	}},
	{"no checkpoint of this ledger", func(c *Case) {
		s := signer("another ledger")
		c.Contents.Checkpoint, _ = evidence.Checkpoint{Origin: Origin, Size: c.Size}.Sign(s)
	}},
	{"an answer that says two numbers", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Answer = bytes.Replace(s.Answer, []byte(`"subjects":8`), []byte(`"subjects":7,"subjects":8`), 1)
		})
	}},
	{"an answer that says a number in capitals", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Answer = bytes.Replace(s.Answer, []byte(`"subjects":8`), []byte(`"SUBJECTS":8`), 1)
		})
	}},
	{"more people than numbers", func(c *Case) {
		rescope(c, func(s *evidence.Scope) {
			s.Cohorts[0].Subjects = 1 << 33
			s.Answer = bytes.Replace(s.Answer, []byte(`"subjects":3`), []byte(`"subjects":8589934592`), 1)
		})
	}},
	{"an export that says two things", func(c *Case) {
		was := c.Exported
		c.Exported = func(digest string) evidence.Entry {
			e := was(digest)
			e.JSON = bytes.Replace(e.JSON, []byte(`"what":`), []byte(`"what":"open","what":`), 1)
			return e
		}
	}},
	{"a scope that answers for another vendor", func(c *Case) {
		refreeze(c, "acme-mail", func(s *evidence.Scope) { s.Query = []byte(`{"vendor":"other"}`) })
	}},
	{"a scope that answers for another incident", func(c *Case) {
		refreeze(c, "acme-mail", func(s *evidence.Scope) { s.Incident = "inc-2" })
	}},
	{"a scope that was frozen about another vendor", func(c *Case) { refreeze(c, "other", func(*evidence.Scope) {}) }},
	{"a number given twice", func(c *Case) {
		c.Book.next--
		Again(c, Event(Start.Add(20*time.Minute), "gate", "acme-mail", "ada", map[string]any{"gate": "open"}))
	}},
	{"a number left out", func(c *Case) {
		c.Book.next++
		Again(c, Event(Start.Add(20*time.Minute), "gate", "acme-mail", "ada", map[string]any{"gate": "open"}))
	}},
	{"a time in no year", func(c *Case) {
		Again(c, Event(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "gate", "acme-mail", "ada", map[string]any{"gate": "open"}))
	}},
}
