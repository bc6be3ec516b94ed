package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// How says what made an identifier somebody's who was known before.
type How uint8

const (
	// ByMessage: a message named both.
	ByMessage How = 1
	// ByAnswer: a vendor's answer told it about the one person of the request.
	ByAnswer How = 2
	// ByDirectory: the directory named both.
	ByDirectory How = 3
)

func (h How) String() string {
	switch h {
	case ByMessage:
		return "message"
	case ByAnswer:
		return "answer"
	case ByDirectory:
		return "directory"
	}
	return "unknown"
}

// Link is why an identifier is a person's. The identifier itself nobody can
// tell from it.
type Link struct {
	Kind exposure.Kind
	How  How
	// Entry is the number of the disclosure that named both, or whose answer
	// told; for the directory, of the last entry before.
	Entry uint64
	At    time.Time
	// Shared: the link rests on an address that turned out to be a shared one.
	Shared bool
}

// link is a Link as stored, under the person and the identifier.
//
//	version 1 | kind | how | via: what else was named (12) | entry | ms (zigzag)
type link struct {
	Kind  exposure.Kind
	How   How
	Entry uint64
	at    int64
	via   idHash
}

const linkVersion = 1

type newLink struct {
	o exposure.Ordinal
	h idHash
	link
}

func linkKey(o exposure.Ordinal, h idHash) []byte { return append(ordinalKey(store.Link, o), h[:]...) }

func (n newLink) set(pb *pebble.Batch) error {
	b := append([]byte{linkVersion, byte(n.Kind), byte(n.How)}, n.via[:]...)
	b = binary.AppendUvarint(b, n.Entry)
	b = binary.AppendVarint(b, n.at)
	if err := pb.Set(linkKey(n.o, n.h), b, nil); err != nil {
		return fmt.Errorf("adding a link: %w", err)
	}
	return nil
}

func parseLink(b []byte) (k link, err error) {
	damaged := errors.New("a link's row is damaged")
	if len(b) < 3+len(k.via) || b[0] != linkVersion {
		return k, damaged
	}
	k.Kind, k.How = exposure.Kind(b[1]), How(b[2])
	b = b[3+copy(k.via[:], b[3:]):]
	entry, n := binary.Uvarint(b)
	if n <= 0 {
		return k, damaged
	}
	at, m := binary.Varint(b[n:])
	if m <= 0 {
		return k, damaged
	}
	k.Entry, k.at = entry, at
	return k, nil
}

// setLinks writes the links of a disclosure once its number is known.
func (j *journal) setLinks(pb *pebble.Batch, seq uint64, at int64) error {
	for _, n := range j.build.links {
		n.Entry, n.at = seq, at
		if err := n.set(pb); err != nil {
			return err
		}
	}
	return nil
}

// Links lists by what identifiers became a person's, in no order that tells
// anything. What the first message about them named first, and what the
// directory brought with them, needs no link.
func (l *Ledger) Links(o exposure.Ordinal) ([]Link, error) {
	l.reads.RLock()
	defer l.reads.RUnlock()
	if l.closed.Load() {
		return nil, l.unavailable(errClosed)
	}
	prefix := ordinalKey(store.Link, o)
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, fmt.Errorf("reading links: %w", err)
	}
	defer it.Close()
	links := []Link{}
	for it.First(); it.Valid(); it.Next() {
		k, err := parseLink(it.Value())
		if err != nil {
			return nil, fmt.Errorf("reading links: %w", err)
		}
		shown, err := l.asLink(k)
		if err != nil {
			return nil, err
		}
		links = append(links, shown)
	}
	return links, it.Error()
}

func (l *Ledger) asLink(k link) (Link, error) {
	via, err := l.ids.find(k.via)
	return Link{Kind: k.Kind, How: k.How, Entry: k.Entry, At: timeOf(k.at), Shared: via.shared}, err
}
