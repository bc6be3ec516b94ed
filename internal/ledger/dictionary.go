package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// dictionary gives small numbers to what repeats: pathways, category sets and
// reasons. Each is written as an entry, under the tree, before its first use,
// and beside it under its own key, from where it is loaded at start.
type dictionary struct {
	mu       sync.RWMutex // ids are added by the committer alone
	pathways table[exposure.Pathway]
	sets     table[exposure.Set]
	reasons  table[exposure.Reason]
}

type table[T comparable] struct {
	ids  map[T]uint32
	list []T // list[id-1]
}

func (t *table[T]) add(v T) uint32 {
	if t.ids == nil {
		t.ids = map[T]uint32{}
	}
	t.list = append(t.list, v)
	id := uint32(len(t.list))
	t.ids[v] = id
	return id
}

func (t *table[T]) at(id uint32, what string) (v T, err error) {
	if id == 0 || int(id) > len(t.list) {
		return v, fmt.Errorf("%s %d is not defined", what, id)
	}
	return t.list[id-1], nil
}

func dictionaryKey(dict uint8, id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{store.Dictionary, dict}, id)
}

func pathwayText(p exposure.Pathway) string {
	text, err := json.Marshal([]string{string(p.Vendor), p.Route, p.Credential, p.App})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// learn adds a definition as it stands in an entry or under its key. Ids count up.
func (d *dictionary) learn(dict uint8, id uint32, text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var got uint32
	switch dict {
	case evidence.DictPathway:
		var p []string
		if err := json.Unmarshal([]byte(text), &p); err != nil || len(p) != 4 {
			return fmt.Errorf("pathway %d is not four strings", id)
		}
		got = d.pathways.add(exposure.Pathway{Vendor: exposure.VendorID(p[0]), Route: p[1], Credential: p[2], App: p[3]})
	case evidence.DictSet:
		set, err := exposure.ParseSet(text)
		if err != nil {
			return fmt.Errorf("category set %d: %w", id, err)
		}
		got = d.sets.add(set)
	case evidence.DictReason:
		got = d.reasons.add(exposure.Reason(text))
	default:
		return fmt.Errorf("dictionary %d is not known", dict)
	}
	if got != id {
		return fmt.Errorf("definition %d of dictionary %d follows number %d", id, dict, got-1)
	}
	return nil
}

// text is a definition as it stands in its entry.
func (d *dictionary) text(dict uint8, id uint32) (string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch dict {
	case evidence.DictPathway:
		p, err := d.pathways.at(id, "pathway")
		return pathwayText(p), err
	case evidence.DictSet:
		s, err := d.sets.at(id, "category set")
		return s.String(), err
	case evidence.DictReason:
		r, err := d.reasons.at(id, "reason")
		return string(r), err
	default:
		return "", fmt.Errorf("dictionary %d is not known", dict)
	}
}

// load reads all definitions.
func (d *dictionary) load(db pebble.Reader) error {
	prefix := []byte{store.Dictionary}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("reading the dictionaries: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		k := it.Key()
		if len(k) != 6 {
			return errors.New("reading the dictionaries: a key has the wrong length")
		}
		if err := d.learn(k[1], binary.BigEndian.Uint32(k[2:]), string(it.Value())); err != nil {
			return fmt.Errorf("reading the dictionaries: %w", err)
		}
	}
	return it.Error()
}

// decode turns an entry as encoded into one with names.
func (d *dictionary) decode(seq uint64, e *evidence.Entry) (Entry, error) {
	out := Entry{Seq: seq, Kind: Kind(e.Kind), At: timeOf(e.Time)}
	fail := func(err error) (Entry, error) { return Entry{}, fmt.Errorf("entry %d: %w", seq, err) }
	switch e.Kind {
	case evidence.Disclosure:
		d.mu.RLock()
		defer d.mu.RUnlock()
		var err error
		if out.Pathway, err = d.pathways.at(e.Pathway, "pathway"); err != nil {
			return fail(err)
		}
		out.Subjects = make([]Subject, len(e.Subjects))
		for i, s := range e.Subjects {
			set, err := d.sets.at(s.Set, "category set")
			if err != nil {
				return fail(err)
			}
			out.Subjects[i] = Subject{exposure.Ordinal(s.Ordinal), set}
		}
		for _, id := range e.Reasons {
			reason, err := d.reasons.at(id, "reason")
			if err != nil {
				return fail(err)
			}
			out.Incomplete = append(out.Incomplete, reason)
		}
		out.Shadow = e.Shadow
		if out.Declared = e.Declared; e.HeldSince != 0 {
			out.HeldSince = timeOf(e.HeldSince)
		}
		if e.Retry != 0 {
			out.Retry = seq - e.Retry
		}
	case evidence.Outcome:
		out.Of = seq - e.Distance
		out.Outcome = Outcome{Result(e.Result), e.Status, int64(e.Bytes)}
	case evidence.Event:
		if err := decodeEvent(e.JSON, &out.Event); err != nil {
			return fail(err)
		}
		out.Event.At = out.At
	}
	return out, nil
}
