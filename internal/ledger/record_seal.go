package ledger

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"sync"

	"cordon/evidence"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/tlog"
)

// A sealed batch keeps its disclosures and outcomes, and the seed that would
// tell them from their hashes by trying, under the key of its day: deleting
// that key is the end of them in the store and in every copy of it.
//
//	clear entries: count, then of each: sealed bytes before it since the last one | length | entry
//	sealed:        AES-256-GCM over: packing (1) | seed (16) | entries
//
// The nonce is the beginning of the leaf hash, which is never the same for two
// batches: it covers the batch's number, the hash before and, by way of the
// seed, 128 random bits. The additional data is all that stands before.

const (
	packedNot  = 0
	packedZstd = 1
)

// minPacked is the least length worth packing: below, the tables of the packer
// take what it saves.
const minPacked = 512

// span is a part of a batch's body.
type span struct{ from, to int }

// seal appends the record of a batch: its entries are body, of which the
// spans are clear. keys says how many days after the start's the key's day is.
func (r *record) seal(b []byte, body []byte, clear []span, aead cipher.AEAD, keys uint64, s *sealer) []byte {
	r.form = formSealed
	b = r.appendPrefix(b)
	b = binary.AppendUvarint(b, keys)
	b = binary.AppendUvarint(b, uint64(len(clear)))
	s.hidden = s.hidden[:0]
	from := 0
	for _, c := range clear {
		b = binary.AppendUvarint(b, uint64(c.from-from))
		b = binary.AppendUvarint(b, uint64(c.to-c.from))
		b = append(b, body[c.from:c.to]...)
		s.hidden = append(s.hidden, body[from:c.from]...)
		from = c.to
	}
	hidden := body
	if len(clear) > 0 {
		s.hidden = append(s.hidden, body[from:]...)
		hidden = s.hidden
	}
	s.plain = append(append(s.plain[:0], packedZstd), r.seed[:]...)
	if len(hidden) >= minPacked {
		s.plain = packer().EncodeAll(hidden, s.plain)
	}
	if n := len(s.plain) - 1 - evidence.SaltSize; n == 0 || n >= len(hidden) {
		s.plain = append(s.plain[:1+evidence.SaltSize], hidden...)
		s.plain[0] = packedNot
	}
	return aead.Seal(b, r.leaf[:nonceSize], s.plain, b)
}

// sealer is memory that is used again for the next batch.
type sealer struct{ hidden, plain []byte }

var packer = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		// Ordinals repeat nothing; what is gained, a quarter, is that their bytes and
		// those of the rest are not equally frequent.
		zstd.WithAllLitEntropyCompression(true),
		zstd.WithSingleSegment(true), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})

var unpacker = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		panic(err)
	}
	return d
})

// room is where batches are opened, one after the other: one reader's. What
// openRecord returns lies in it until the next call.
type room struct {
	nonce                 [nonceSize]byte
	plain, unpacked, body []byte
	kept                  []keptEntry
}

// openRecord reads a batch with its entries, as far as they are there. A body
// lies in room, or in v.
func (l *Ledger) openRecord(v []byte, in *room) (r record, err error) {
	r, err = parseRecord(v)
	if err != nil {
		return r, err
	}
	switch r.form {
	case formClear:
		if len(r.rest) < evidence.SaltSize {
			return r, errDamagedRecord
		}
		copy(r.seed[:], r.rest)
		r.body = r.rest[evidence.SaltSize:]
	case formSealed:
		err = r.unseal(v, &l.days, in)
	case formExpired:
		r.expired = true
		err = r.parseKept(in)
	}
	if err == nil && r.form != formExpired && uint64(r.count) > uint64(len(r.body)) {
		err = errDamagedRecord
	}
	return r, err
}

func (r *record) unseal(v []byte, keys *dayKeys, in *room) error {
	n := fieldReader{b: r.rest}
	r.day = utcDay(r.start) + int64(n.uvarint())
	shown := n
	count := n.uvarint()
	for i := uint64(0); i < count && !n.bad; i++ {
		n.uvarint()
		n.bytes(n.uvarint())
	}
	if n.bad {
		return errDamagedRecord
	}
	key, ok := keys.get(r.day)
	if !ok || key.aead == nil {
		return fmt.Errorf("the key of its day, %s, is missing", dayName(r.day))
	}
	r.expired = key.state != dayLive
	copy(in.nonce[:], r.leaf[:])
	plain, err := key.aead.Open(in.plain[:0], in.nonce[:], n.b, v[:len(v)-len(n.b)])
	if err != nil || len(plain) < 1+evidence.SaltSize {
		return fmt.Errorf("it does not open with the key of its day, %s", dayName(r.day))
	}
	in.plain = plain
	copy(r.seed[:], plain[1:])
	hidden := plain[1+evidence.SaltSize:]
	switch plain[0] {
	case packedNot:
	case packedZstd:
		if hidden, err = unpacker().DecodeAll(hidden, in.unpacked[:0]); err != nil {
			return fmt.Errorf("unpacking a batch: %w", err)
		}
		in.unpacked = hidden
	default:
		return errDamagedRecord
	}
	if count == 0 {
		r.body = hidden
		return nil
	}
	in.body = in.body[:0]
	rest := fieldReader{b: hidden}
	for shown.uvarint(); count > 0; count-- {
		in.body = append(in.body, rest.bytes(shown.uvarint())...)
		in.body = append(in.body, shown.bytes(shown.uvarint())...)
	}
	if rest.bad {
		return errDamagedRecord
	}
	in.body = append(in.body, rest.b...)
	r.body = in.body
	return nil
}

// keptEntry is a clear entry of an expired batch with what proves it.
type keptEntry struct {
	index uint32
	salt  [evidence.SaltSize]byte
	path  []tlog.Hash
	raw   []byte
}

// expire appends the record of an opened batch without what was sealed: its
// root, and the clear entries each with its salt and its path in the batch's tree.
//
//	days from start to the key's | root (32) | count, then of each: index since the last one | salt (16) | hashes | path (32 each) | length | entry
func (r *record) expire(b []byte) ([]byte, error) {
	leaves, err := r.leaves()
	if err != nil {
		return b, err
	}
	var kept []keptEntry
	err = r.eachOf(func(i uint32, raw []byte, e *evidence.Entry) error {
		if clearKind(e.Kind) {
			path := evidence.Path(append([]tlog.Hash(nil), leaves...), int(i))
			kept = append(kept, keptEntry{i, evidence.Salt(r.seed, i), path, raw})
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	root := evidence.Root(leaves)
	short := *r
	short.form = formExpired
	b = binary.AppendUvarint(short.appendPrefix(b), uint64(r.day-utcDay(r.start)))
	b = append(b, root[:]...)
	b = binary.AppendUvarint(b, uint64(len(kept)))
	last := uint32(0)
	for _, k := range kept {
		b = binary.AppendUvarint(b, uint64(k.index-last))
		last = k.index
		b = append(b, k.salt[:]...)
		b = binary.AppendUvarint(b, uint64(len(k.path)))
		for _, h := range k.path {
			b = append(b, h[:]...)
		}
		b = binary.AppendUvarint(b, uint64(len(k.raw)))
		b = append(b, k.raw...)
	}
	return b, nil
}

func (r *record) parseKept(in *room) error {
	n := fieldReader{b: r.rest}
	r.day = utcDay(r.start) + int64(n.uvarint())
	copy(r.root[:], n.bytes(tlog.HashSize))
	in.kept = in.kept[:0]
	index := uint64(0)
	for count := n.uvarint(); count > 0 && !n.bad; count-- {
		var k keptEntry
		index += n.uvarint()
		k.index = uint32(index)
		copy(k.salt[:], n.bytes(evidence.SaltSize))
		hashes := n.uvarint()
		path := n.bytes(hashes * tlog.HashSize)
		if hashes > 32 || index >= uint64(r.count) {
			return errDamagedRecord
		}
		for ; len(path) > 0; path = path[tlog.HashSize:] {
			k.path = append(k.path, tlog.Hash(path[:tlog.HashSize]))
		}
		k.raw = n.bytes(n.uvarint())
		in.kept = append(in.kept, k)
	}
	if n.bad || len(n.b) > 0 {
		return errDamagedRecord
	}
	r.kept = in.kept
	return nil
}

// checkKept checks that what is left of an expired batch is under its root.
func (r *record) checkKept() error {
	for _, k := range r.kept {
		leaf := evidence.EntryHash(k.salt, k.raw)
		if err := tlog.CheckRecord(k.path, int64(r.count), r.root, int64(k.index), leaf); err != nil {
			return fmt.Errorf("entry %d is not under the batch's root", r.first+uint64(k.index))
		}
	}
	return nil
}
