package sample

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// Case is a small incident with everything that a bundle may hold. Fields may
// be changed before Bundle is called, to make bundles that must not verify.
type Case struct {
	Book     *Book
	Contents evidence.Contents
	Size     uint64 // of the checkpoint
	Bitmaps  map[string][]byte
	// Exported makes the event of the export from the manifest's hash.
	Exported func(digest string) evidence.Entry
	// Sealed may change the seal.
	Sealed func(*evidence.Seal)
}

// Event is an entry with the JSON of an event.
func Event(at time.Time, kind, vendor, actor string, fields map[string]any) evidence.Entry {
	text, err := json.Marshal(map[string]any{"kind": kind, "vendor": vendor, "actor": actor, "fields": fields})
	if err != nil {
		panic(err)
	}
	return evidence.Entry{Kind: evidence.Event, Time: at.UnixMilli(), JSON: text}
}

// NewCase makes the incident: people are the sizes of its cohorts.
func NewCase(witnessed bool, people ...int) *Case {
	c := &Case{Book: NewBook(witnessed), Bitmaps: map[string][]byte{}}
	at := func(minutes int) time.Time { return Start.Add(time.Duration(minutes) * time.Minute) }
	manifest := []byte("vendor: acme-mail\ncountry: US\n")
	sum := sha256.Sum256(manifest)
	b := c.Book
	config := b.Append(Event(at(0), "config", "", "cordon", map[string]any{"vendors": "acme-mail"}),
		Event(at(0), "coverage-start", "acme-mail", "cordon", map[string]any{"mode": "enforce", "manifest": hex.EncodeToString(sum[:])}))
	words := b.Append(
		evidence.Entry{Kind: evidence.Definition, Time: at(1).UnixMilli(), Dict: evidence.DictPathway, ID: 1, Text: `["acme-mail","POST /v3/mail/send","acme-mail.secret","web"]`},
		evidence.Entry{Kind: evidence.Definition, Time: at(1).UnixMilli(), Dict: evidence.DictSet, ID: 1, Text: "user.contact.email"},
		evidence.Entry{Kind: evidence.Disclosure, Time: at(1).UnixMilli(), Pathway: 1, Subjects: []evidence.Subject{{Ordinal: 7, Set: 1}}},
		evidence.Entry{Kind: evidence.Outcome, Time: at(1).UnixMilli(), Distance: 1, Result: evidence.ResultSent, Status: 202, Bytes: 700})
	open := b.Append(Event(at(5), "incident", "acme-mail", "ada", map[string]any{"incident": "inc-1", "what": "open"}))
	b.Append(Event(at(6), "finding", "other", "cordon", map[string]any{"x": "y"})) // not shown
	gate := b.Append(Event(at(7), "gate", "acme-mail", "ada", map[string]any{"gate": "cut", "from": "open", "route": ""}))
	scope := c.scope("scope-1", people)
	digest, err := scope.Digest()
	if err != nil {
		panic(err)
	}
	frozen := b.Append(Event(at(8), "scope", "acme-mail", "ada", map[string]any{"incident": "inc-1", "scope": "scope-1", "digest": digest}),
		Event(at(9), "incident", "acme-mail", "grace", map[string]any{"incident": "inc-1", "what": "approve", "step": "restore", "role": "counsel"}))
	seqs := []uint64{config, config + 1, words, words + 1, words + 2, words + 3, open, gate, frozen, frozen + 1}
	size, checkpoint := b.Checkpoint()
	c.Size = size
	c.Contents = evidence.Contents{
		Origin: Origin, Key: b.Key, Incident: "inc-1", Vendor: "acme-mail", Checkpoint: checkpoint,
		Batches: b.Show(size, func(seq uint64) bool { return seq == words+2 || seq == words+3 }, seqs...),
		Scopes:  []evidence.Scope{scope}, Manifests: map[string][]byte{"acme-mail": manifest},
		Bitmap: func(sum string) ([]byte, error) {
			data, ok := c.Bitmaps[sum]
			if !ok {
				return nil, fmt.Errorf("no bitmap %s", sum)
			}
			return data, nil
		},
		Absent: []evidence.Absent{{What: "notices", Why: "none was sent"}, {What: "laws", Why: "no duty was worked out"}},
	}
	if b.Witness != nil {
		c.Contents.Witnesses = []string{b.Witness.Witness().String()}
	}
	c.Exported = func(digest string) evidence.Entry {
		return Event(at(60), "incident", "acme-mail", "grace", map[string]any{"incident": "inc-1", "what": "export", "digest": digest})
	}
	return c
}

// Keep stores a bitmap and describes it.
func (c *Case) Keep(b *roaring.Bitmap) evidence.ScopeBitmap {
	if b.IsEmpty() {
		return evidence.ScopeBitmap{}
	}
	b.RunOptimize()
	data, err := b.ToBytes()
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	c.Bitmaps[name] = data
	return evidence.ScopeBitmap{Subjects: b.GetCardinality(), SHA256: name}
}

func (c *Case) scope(id string, people []int) evidence.Scope {
	s := evidence.Scope{ID: id, Incident: "inc-1", Query: json.RawMessage(`{"vendor":"acme-mail","basis":"held"}`), Entries: 9}
	type cohort struct {
		Categories []string `json:"categories"`
		Subjects   uint64   `json:"subjects"`
	}
	cohorts, all, certain := []cohort{}, uint64(0), roaring.New()
	next := uint32(1)
	for i, n := range people {
		who := roaring.New()
		for range n {
			who.Add(next)
			next += uint32(1 + next%3*uint32(i))
		}
		certain.Add(who.Minimum())
		categories := []string{"user.contact.email", "user.name"}[:1+i%2]
		bitmap := c.Keep(who)
		s.Cohorts = append(s.Cohorts, evidence.ScopeCohort{ID: fmt.Sprint("c", i+1), Categories: categories, ScopeBitmap: bitmap})
		cohorts, all = append(cohorts, cohort{categories, bitmap.Subjects}), all+bitmap.Subjects
		next++
	}
	s.Certain = c.Keep(certain)
	s.Excluded = c.Keep(roaring.BitmapOf(next+1, next+70000))
	answer, err := json.Marshal(map[string]any{"subjects": all, "certain": s.Certain.Subjects, "possible": all - s.Certain.Subjects, "cohorts": cohorts})
	if err != nil {
		panic(err)
	}
	s.Answer = answer
	return s
}

// Bundle records the export and writes the file.
func (c *Case) Bundle(redacted bool) ([]byte, error) {
	d, err := c.Contents.Draft()
	if err != nil {
		return nil, err
	}
	seq := c.Book.Append(c.Exported(d.Head().SHA256))
	size, checkpoint := c.Book.Checkpoint()
	seal := evidence.Seal{Checkpoint: checkpoint, Export: c.Book.Show(size, nil, seq)[0]}
	if seal.Head, err = d.Head().Sign(c.Book.Signer); err != nil {
		return nil, err
	}
	if seal.Consistency, err = tlog.ProveTree(int64(size), int64(c.Size), c.Book); err != nil {
		return nil, err
	}
	if c.Sealed != nil {
		c.Sealed(&seal)
	}
	var out bytes.Buffer
	if err := d.Write(&out, seal, redacted); err != nil {
		return nil, err
	}
	if n, err := d.Size(seal, redacted); err != nil || n != int64(out.Len()) {
		return nil, fmt.Errorf("the bundle has %d bytes, %d were announced, %v", out.Len(), n, err)
	}
	return out.Bytes(), nil
}
