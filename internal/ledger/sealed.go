package ledger

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Free text that belongs to an event, such as why an incident was closed, may
// name people. It is sealed beside the ledger, and the event holds its keyed
// digest (Fields["text_digest"]), so that the text cannot be exchanged either.
// Each group of texts (an incident's) has a key of its own, and whoever shreds
// it leaves the entries as they are.
//
//	'N' 'k' group     -> nonce (12) | AES-256-GCM of the key (32)
//	'N' 't' entry (8) -> length of group (1) | group | nonce (12) | AES-256-GCM of the text
type sealedTexts struct {
	wrap cipher.AEAD

	mu   sync.Mutex
	keys map[string]cipher.AEAD // by group; guarded by mu. Keys are made by the committer alone.
}

func textGroupKey(group string) []byte { return append([]byte{store.SealedText, 'k'}, group...) }

func sealedTextKey(entry uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.SealedText, 't'}, entry)
}

func (l *Ledger) openSealedTexts() (err error) {
	root := deriveKey(l.keys.Directory, "sealed texts")
	l.texts.keys = map[string]cipher.AEAD{}
	l.texts.wrap, err = newGCM(root[:])
	return err
}

// textKey is the key of a group, nil where there is none.
func (l *Ledger) textKey(group string) (cipher.AEAD, error) {
	t := &l.texts
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.keys[group]; k != nil {
		return k, nil
	}
	row := textGroupKey(group)
	wrapped, ok, err := l.value(row)
	if err != nil || !ok {
		return nil, err
	}
	raw, err := unseal(t.wrap, wrapped, row)
	if err != nil {
		return nil, fmt.Errorf("opening the key of texts: %w", err)
	}
	k, err := newGCM(raw)
	if err == nil {
		t.keys[group] = k
	}
	return k, err
}

// AppendSealed writes an event and, in the same stroke, the text that belongs
// to it, sealed with the group's key.
func (l *Ledger) AppendSealed(ctx context.Context, e Event, group, text string) (uint64, error) {
	if l.store.Full() || l.low.Load() {
		return 0, l.unavailable(errFull)
	}
	if len(group) > 255 {
		return 0, errors.New("sealing a text: the name of its group is too long")
	}
	e.Fields = withField(e.Fields, "text_digest", l.Digest(text))
	encoded, err := encodeEvent(e)
	if err != nil {
		return 0, err
	}
	if err := l.writable(); err != nil {
		return 0, err
	}
	at := l.msOf(e.At)
	var seq uint64 // the committer's until wait returns
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		seq = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: encoded})
		return j.keepText(pb, seq, group, text)
	}}, true))
	return seq, err
}

// keepText seals the text of an entry of this batch.
func (j *journal) keepText(pb *pebble.Batch, entry uint64, group, text string) error {
	key, err := j.textKeyFor(pb, group)
	if err != nil {
		return err
	}
	row := sealedTextKey(entry)
	sealed, err := seal(key, []byte(text), row)
	if err != nil {
		return err
	}
	value := append(append([]byte{byte(len(group))}, group...), sealed...)
	if err := pb.Set(row, value, nil); err != nil {
		return fmt.Errorf("keeping a text: %w", err)
	}
	return nil
}

// textKeyFor makes the key where there is none.
func (j *journal) textKeyFor(pb *pebble.Batch, group string) (cipher.AEAD, error) {
	k, err := j.l.textKey(group)
	if err != nil || k != nil {
		return k, err
	}
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	t, row := &j.l.texts, textGroupKey(group)
	wrapped, err := seal(t.wrap, raw[:], row)
	if err != nil {
		return nil, err
	}
	if err := pb.Set(row, wrapped, nil); err != nil {
		return nil, fmt.Errorf("keeping a key: %w", err)
	}
	if k, err = newGCM(raw[:]); err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.keys[group] = k
	t.mu.Unlock()
	return k, nil
}

// SealedText opens the text of an event; false when it has none, or when its
// key was shredded.
func (l *Ledger) SealedText(entry uint64) (string, bool, error) {
	row := sealedTextKey(entry)
	v, ok, err := l.value(row)
	if err != nil || !ok {
		return "", false, err
	}
	if len(v) == 0 || len(v) < 1+int(v[0]) {
		return "", false, fmt.Errorf("opening the text of entry %d: it is damaged", entry)
	}
	group, sealed := string(v[1:1+int(v[0])]), v[1+int(v[0]):]
	key, err := l.textKey(group)
	if err != nil || key == nil {
		return "", false, err
	}
	plain, err := unseal(key, sealed, row)
	if err != nil {
		return "", false, fmt.Errorf("opening the text of entry %d: %w", entry, err)
	}
	return string(plain), true, nil
}

// ShredTexts makes the texts of a group unreadable, for ever. e says who did it.
func (l *Ledger) ShredTexts(ctx context.Context, group string, e Event) (uint64, error) {
	encoded, err := encodeEvent(e)
	if err != nil {
		return 0, err
	}
	if err := l.writable(); err != nil {
		return 0, err
	}
	at := l.msOf(e.At)
	var seq uint64 // the committer's until wait returns
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		seq = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: encoded})
		t := &l.texts
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.keys, group)
		if err := pb.Delete(textGroupKey(group), nil); err != nil {
			return fmt.Errorf("shredding texts: %w", err)
		}
		return j.l.deleteTexts(pb, group)
	}}, true))
	return seq, err
}

// deleteTexts takes the group's rows away: they are of no use without the key,
// and under a later key of the same group they would look damaged. One that
// comes in the same batch stays, and is of no use either.
func (l *Ledger) deleteTexts(pb *pebble.Batch, group string) error {
	prefix := []byte{store.SealedText, 't'}
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("shredding texts: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		if v := it.Value(); len(v) > len(group) && int(v[0]) == len(group) && string(v[1:1+len(group)]) == group {
			if err := pb.Delete(it.Key(), nil); err != nil {
				return fmt.Errorf("shredding texts: %w", err)
			}
		}
	}
	return it.Error()
}

// seal puts a fresh nonce before what it seals, bound to where it lies.
func seal(key cipher.AEAD, plain, place []byte) ([]byte, error) {
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(plain)+key.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return key.Seal(nonce, nonce, plain, place), nil
}

func unseal(key cipher.AEAD, sealed, place []byte) ([]byte, error) {
	n := key.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("it is cut short")
	}
	return key.Open(nil, sealed[:n], sealed[n:], place)
}
