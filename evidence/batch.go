package evidence

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Batch shows some entries of one batch, all under one checkpoint.
type Batch struct {
	Header  []byte      // encoded; the leaf
	Path    []tlog.Hash // of the header in the log, bottom up
	Entries []Shown     // by rising number
}

// Shown is one entry, provable without its neighbours.
type Shown struct {
	Seq   uint64
	Salt  [SaltSize]byte
	Entry []byte      // encoded
	Inner []tlog.Hash // in the batch's own tree, bottom up
	// Personal entries go into a part that may be left out.
	Personal bool
}

// Check compares the batch and each entry with the tree that a checkpoint
// describes; that it is signed was checked when it was opened.
func (b *Batch) Check(head Checkpoint) error {
	h, err := ParseHeader(b.Header)
	if err != nil {
		return err
	}
	p := batchProof{header: h, leaf: tlog.RecordHash(b.Header), index: h.Batch, path: b.Path}
	if err := p.check(head.Origin, head); err != nil {
		return err
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		if !h.Holds(e.Seq) {
			return fmt.Errorf("entry %d is not one of batch %d", e.Seq, h.Batch)
		}
		if _, err := p.entry(e.Seq, e.Salt, e.Entry, e.Inner); err != nil {
			return err
		}
	}
	return nil
}

const proofMagic = "c2sp.org/tlog-proof@v1\n"

// Proof is the batch's C2SP tlog-proof under the signed checkpoint.
func (b *Batch) Proof(checkpoint string) ([]byte, error) {
	h, err := ParseHeader(b.Header)
	if err != nil {
		return nil, err
	}
	out := append([]byte(proofMagic+"extra "), base64.StdEncoding.EncodeToString(b.Header)...)
	out = append(out, "\nindex "...)
	out = strconv.AppendUint(out, h.Batch, 10)
	out = append(out, '\n')
	out = appendHashes(out, b.Path)
	out = append(out, '\n')
	return append(out, checkpoint...), nil
}

// entries encodes those that are personal, or those that are not.
func (b *Batch) entries(personal bool) []byte {
	var out []byte
	for _, e := range b.Entries {
		if e.Personal != personal {
			continue
		}
		out = append(out, "entry "...)
		out = strconv.AppendUint(out, e.Seq, 10)
		out = append(out, ' ')
		out = base64.StdEncoding.AppendEncode(out, e.Salt[:])
		out = append(out, ' ')
		out = base64.StdEncoding.AppendEncode(out, e.Entry)
		out = append(out, '\n')
		out = appendHashes(out, e.Inner)
	}
	return out
}

func appendHashes(out []byte, hashes []tlog.Hash) []byte {
	for _, h := range hashes {
		out = base64.StdEncoding.AppendEncode(out, h[:])
		out = append(out, '\n')
	}
	return out
}

// batchProof is a tlog-proof as read.
type batchProof struct {
	header     Header
	leaf       tlog.Hash
	index      uint64
	path       []tlog.Hash
	checkpoint []byte
}

func parseProof(text []byte) (p batchProof, err error) {
	malformed := errors.New("it is not written as a tlog-proof of a batch must be")
	text, ok := bytes.CutPrefix(text, []byte(proofMagic+"extra "))
	extra, text, ok2 := cutLine(text)
	header, err := strictBase64(extra)
	if !ok || !ok2 || err != nil {
		return p, malformed
	}
	if p.header, err = ParseHeader(header); err != nil {
		return p, err
	}
	p.leaf = tlog.RecordHash(header)
	line, text, _ := cutLine(text)
	index, ok := bytes.CutPrefix(line, []byte("index "))
	if p.index, err = plainNumber(index); !ok || err != nil || p.index != p.header.Batch {
		return p, malformed
	}
	if p.path, text, err = readHashes(text); err != nil {
		return p, malformed
	}
	line, p.checkpoint, ok = cutLine(text)
	if !ok || len(line) > 0 {
		return p, malformed
	}
	return p, nil
}

// check compares the batch with the tree.
func (p *batchProof) check(origin string, head Checkpoint) error {
	if p.header.Gateway != GatewayOf(origin) {
		return fmt.Errorf("batch %d is another ledger's", p.index)
	}
	if p.index >= head.Size {
		return fmt.Errorf("batch %d is not among the %d of the checkpoint", p.index, head.Size)
	}
	if tlog.CheckRecord(p.path, int64(head.Size), head.Root, int64(p.index), p.leaf) != nil {
		return fmt.Errorf("batch %d is not in the ledger that the checkpoint describes", p.index)
	}
	return nil
}

// comesAfter compares the batch's numbers with those of an earlier one of the
// ledger (the zero batchProof: of none): a ledger that gave a number twice could
// show another entry under it to each who asks.
func (p *batchProof) comesAfter(before *batchProof) error {
	h, b := &p.header, &before.header
	between, next := h.Batch, uint64(1) // batches between the two, and the number after the earlier one
	if b.Count > 0 {
		between, next = h.Batch-b.Batch-1, b.First+uint64(b.Count)
	}
	switch {
	case h.First < next || h.First-next < between: // each batch has an entry at least
		return fmt.Errorf("batch %d gives numbers to its entries that the batches before it have", p.index)
	case between == 0 && h.First != next:
		return fmt.Errorf("batch %d leaves numbers out behind the batch before it", p.index)
	case between == 0 && h.Previous != before.leaf:
		return fmt.Errorf("batch %d does not follow the batch before it", p.index)
	}
	return nil
}

// eachShown reads the entries of a part and checks each against the batch's
// root. f gets each entry once it is proved.
func (p *batchProof) eachShown(text []byte, f func(seq uint64, e *Entry) error) error {
	h := &p.header
	var path []tlog.Hash
	for last := uint64(0); len(text) > 0; {
		line, rest, ok := cutLine(text)
		if !ok {
			return fmt.Errorf("what is shown of batch %d ends in the middle of a line", p.index)
		}
		seq, salt, raw, err := parseShown(line)
		if err != nil {
			return fmt.Errorf("behind entry %d of batch %d: %w", last, p.index, err)
		}
		if path, text, err = appendReadHashes(path[:0], rest); err != nil {
			return fmt.Errorf("the path of entry %d is not one of hashes", seq)
		}
		if seq <= last || !h.Holds(seq) {
			return fmt.Errorf("entry %d is not one of batch %d, or not in its place", seq, p.index)
		}
		last = seq
		e, err := p.entry(seq, salt, raw, path)
		if err != nil {
			return err
		}
		if err := f(seq, &e); err != nil {
			return err
		}
	}
	return nil
}

// entry checks an entry that the batch holds against its root.
func (p *batchProof) entry(seq uint64, salt [SaltSize]byte, raw []byte, path []tlog.Hash) (Entry, error) {
	h := &p.header
	if tlog.CheckRecord(path, int64(h.Count), h.Root, int64(seq-h.First), EntryHash(salt, raw)) != nil {
		return Entry{}, fmt.Errorf("entry %d is not what the ledger recorded", seq)
	}
	e, after, err := ParseEntry(raw, h.Start)
	if err != nil || len(after) > 0 {
		return Entry{}, fmt.Errorf("entry %d cannot be read as an entry", seq)
	}
	return e, nil
}

func parseShown(line []byte) (seq uint64, salt [SaltSize]byte, raw []byte, err error) {
	words := bytes.Split(line, []byte(" "))
	if len(words) != 4 || string(words[0]) != "entry" {
		return 0, salt, nil, errors.New("there is a line that begins no entry")
	}
	seq, err = plainNumber(words[1])
	s, err2 := strictBase64(words[2])
	raw, err3 := strictBase64(words[3])
	if err != nil || err2 != nil || err3 != nil || len(s) != SaltSize {
		return 0, salt, nil, errors.New("an entry has no number, salt or content")
	}
	copy(salt[:], s)
	return seq, salt, raw, nil
}

func cutLine(text []byte) (line, rest []byte, ok bool) {
	return bytes.Cut(text, []byte("\n"))
}

func readHashes(text []byte) ([]tlog.Hash, []byte, error) {
	return appendReadHashes(nil, text)
}

// appendReadHashes reads lines of hashes up to one that cannot be a hash.
func appendReadHashes(hashes []tlog.Hash, text []byte) ([]tlog.Hash, []byte, error) {
	const width = 44
	for len(text) > width && text[width] == '\n' && text[0] != '\n' && !bytes.HasPrefix(text, []byte("entry ")) {
		var b [width/4*3 + 1]byte
		n, err := strict.Decode(b[:], text[:width])
		if err != nil || n != tlog.HashSize { // with a line end inside there would be fewer
			return nil, nil, errors.New("not a hash")
		}
		hashes = append(hashes, tlog.Hash(b[:tlog.HashSize]))
		text = text[width+1:]
	}
	return hashes, text, nil
}

var strict = base64.StdEncoding.Strict()

// strictBase64 accepts the one encoding only: encoding/base64 skips line ends.
func strictBase64(text []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := strict.Decode(b, text)
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) {
		return nil, errors.New("not base64 as it must be written")
	}
	return b[:n], nil
}

func plainNumber(text []byte) (uint64, error) {
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err == nil && (text[0] == '+' || len(text) > 1 && text[0] == '0') {
		err = strconv.ErrSyntax
	}
	return n, err
}

// openSigned opens a note of which every signature line must hold: the first by
// the first verifier, the others by one of the others, none twice. A line that
// nobody checks would be bytes that anybody may change. It returns the text and
// the signatures by position in verifiers; nil for none.
func openSigned(signed []byte, verifiers ...note.Verifier) (text string, sigs [][]byte, err error) {
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		if invalid := (*note.InvalidSignatureError)(nil); errors.As(err, &invalid) {
			return "", nil, fmt.Errorf("the signature of %s is not one over this text", invalid.Name)
		}
		if unverified := (*note.UnverifiedNoteError)(nil); errors.As(err, &unverified) {
			return "", nil, fmt.Errorf("it is not signed with the key of %s", verifiers[0].Name())
		}
		return "", nil, errors.New("it is not a signed note")
	}
	v0 := verifiers[0]
	if len(n.Sigs) == 0 || n.Sigs[0].Name != v0.Name() || n.Sigs[0].Hash != v0.KeyHash() {
		return "", nil, fmt.Errorf("it is not signed with the key of %s in the first place", v0.Name())
	}
	rebuilt := []byte(n.Text + "\n")
	sigs = make([][]byte, len(verifiers))
	for _, s := range n.Sigs {
		raw, err := strictBase64([]byte(s.Base64))
		if err != nil {
			return "", nil, errors.New("a signature is not written as it must be")
		}
		for i, v := range verifiers {
			if v.Name() == s.Name && v.KeyHash() == s.Hash {
				sigs[i] = raw[4:]
			}
		}
		rebuilt = append(rebuilt, "— "+s.Name+" "+s.Base64+"\n"...)
	}
	if len(n.UnverifiedSigs) > 0 || !bytes.Equal(rebuilt, signed) {
		return "", nil, errors.New("it bears a signature line that nobody answers for")
	}
	return n.Text, sigs, nil
}

// Bare is a checkpoint with the signature lines of the log and of the given
// witnesses alone, in this order: what a bundle may hold. Lines of others, and
// those that are not there, are left out; one that does not hold is an error.
func Bare(signed string, log note.Verifier, witnesses ...*Witness) (string, error) {
	all := []note.Verifier{log}
	for _, w := range witnesses {
		all = append(all, w)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(all...))
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	out := n.Text + "\n"
	for i, v := range all {
		found := false
		for _, s := range n.Sigs {
			if s.Name == v.Name() && s.Hash == v.KeyHash() {
				out, found = out+"— "+s.Name+" "+s.Base64+"\n", true
			}
		}
		if i == 0 && !found {
			return "", fmt.Errorf("checkpoint: it is not signed by %s", log.Name())
		}
	}
	return out, nil
}
