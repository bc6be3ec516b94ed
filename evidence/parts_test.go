package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"
)

// FuzzParts gives strangers' bytes to each reader of a part. What one accepts it
// must write again to the byte: a part that can be written in two ways could be
// changed without anybody noticing.
func FuzzParts(f *testing.F) {
	h := Header{Gateway: GatewayOf("o"), First: 1, Count: 2, Batch: 3}
	b := Batch{Header: h.Append(nil), Path: make([]tlog.Hash, 2), Entries: []Shown{{Seq: 1, Entry: []byte{2, 1, '{'}, Inner: make([]tlog.Hash, 1)}}}
	proof, err := b.Proof("o\n1\nx\n\n— o x\n")
	if err != nil {
		f.Fatal(err)
	}
	m := Manifest{Origin: "o", Key: "k", Witnesses: []string{"w"}, Incident: "i", Vendor: "v", Absent: []Absent{{"a", "b c"}}, Parts: []Part{
		{Name: "checkpoint", Size: 1, SHA256: hexSum(nil)}, {Name: "batches/3.tlog-proof", Size: 1, SHA256: hexSum(nil)},
		{Name: "batches/3.personal", Size: 1, SHA256: hexSum(nil), Personal: true}, {Name: "scopes/a.json", Size: 1, SHA256: hexSum(nil)},
	}}
	s := Scope{ID: "a", Query: []byte("{}"), Answer: []byte(`{"subjects":0}`)}
	scope, err := s.encode()
	if err != nil {
		f.Fatal(err)
	}
	for i, seed := range [][]byte{proof, b.entries(false), m.Encode(), scope, []byte(HeadOf("o", nil).text() + "\n— o x\n")} {
		f.Add(byte(i), seed)
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		var again []byte
		switch which % 5 {
		case 0:
			p, err := parseProof(data)
			if err != nil {
				return
			}
			b := Batch{Header: p.header.Append(nil), Path: p.path}
			if again, err = b.Proof(string(p.checkpoint)); err != nil {
				t.Fatal(err)
			}
		case 1:
			var b Batch
			for text := data; len(text) > 0; {
				line, rest, ok := cutLine(text)
				if !ok {
					return
				}
				seq, salt, raw, err := parseShown(line)
				if err != nil {
					return
				}
				path, rest, err := readHashes(rest)
				if err != nil {
					return
				}
				b.Entries = append(b.Entries, Shown{Seq: seq, Salt: salt, Entry: raw, Inner: path})
				text = rest
			}
			again = b.entries(false)
		case 2:
			m, err := ParseManifest(data)
			if err != nil {
				return
			}
			again = m.Encode()
		case 3:
			s, _, err := readScope(data)
			if err != nil {
				return
			}
			if again, err = s.encode(); err != nil {
				t.Fatal(err)
			}
		case 4:
			h, ok := parseHead(data)
			if !ok {
				return
			}
			again = append([]byte(h.text()), data[len(h.text()):]...)
		}
		if !bytes.Equal(again, data) {
			t.Fatalf("reader %d takes %q and writes %q", which%5, data, again)
		}
	})
}

// FuzzExactJSON compares with a decoder that refuses doubled names by itself.
func FuzzExactJSON(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":{"a":[{"a":"\"a\":"}]},"b":"c"}`, `{"a":1,"\u0061":2}`, `{"a" : 1 , "A":2}`, `[]`, `{"k":"v\\"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var kind json.RawMessage
		err := exactJSON(data, map[string]any{"kind": &kind})
		var other map[string]any
		theirs := jsonv2.Unmarshal(data, &other)
		if (err == nil) != (theirs == nil) && !strings.Contains(fmt.Sprint(theirs), "surrogate") && string(data) != "null" {
			t.Fatalf("%q: %v, the other says %v", data, err, theirs)
		}
	})
}
