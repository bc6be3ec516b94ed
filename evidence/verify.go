package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The members before the parts, in their order.
const (
	memberManifest = iota
	memberHead
	memberExportProof
	memberExportEntries
	memberConsistency
	fixedMembers
)

var fixedNames = [fixedMembers]string{"manifest", "head", "export.tlog-proof", "export.entries", "export.consistency"}

// Verify checks a bundle of size bytes, step by step. An error that is a
// *Failure names the first thing that does not hold; any other is one of reading.
func Verify(f io.ReaderAt, size int64, trust Trust) (*Report, error) {
	v := &verifier{f: f, size: size, trust: trust}
	for _, step := range []func() error{v.frame, v.sizes, v.hashes, v.signatures, v.proofs, v.scopes, v.claims} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &v.report, nil
}

// verifier is one check on its way. Each step fills in what the next ones need.
type verifier struct {
	f     io.ReaderAt
	size  int64
	trust Trust

	members  []member
	small    [fixedMembers][]byte // contents of those before the parts
	head     Head
	manifest *Manifest
	at       map[string]member // parts that are in the file
	listed   map[string]bool   // parts that are in the manifest

	key        note.Verifier
	witnesses  []*Witness
	checkpoint Checkpoint
	signed     []byte // the part checkpoint
	export     batchProof
	later      Checkpoint // of the export

	events []EventReport
	report Report
}

func (v *verifier) content(m member) ([]byte, error) {
	return v.contentIn(m, nil)
}

// contentIn reads a member into b, if it is large enough.
func (v *verifier) contentIn(m member, b []byte) ([]byte, error) {
	if int64(cap(b)) < m.size {
		b = make([]byte, m.size+m.size/2)
	}
	b = b[:m.size]
	if err := readAt(v.f, b, m.offset, v.size); err != nil {
		return nil, fmt.Errorf("reading %s: %w", m.name, err)
	}
	return b, nil
}

func (v *verifier) frame() (err error) {
	if v.members, err = readFrame(v.f, v.size); err != nil {
		return err
	}
	for i, name := range fixedNames {
		if i >= len(v.members) || v.members[i].name != name {
			return fail(StepFrame, name, "this is no evidence bundle: %s is not where it must be", name)
		}
		if v.small[i], err = v.content(v.members[i]); err != nil {
			return err
		}
	}
	var ok bool
	if v.head, ok = parseHead(v.small[memberHead]); !ok {
		return fail(StepFrame, "head", "the head of the bundle cannot be read")
	}
	return nil
}

func (v *verifier) sizes() (err error) {
	text := v.small[memberManifest]
	if int64(len(text)) != v.head.Size {
		return fail(StepSize, "manifest", "the list of what the bundle holds has %d bytes; the ledger signed one of %d", len(text), v.head.Size)
	}
	if hexSum(text) != v.head.SHA256 { // before it is read: nothing in it is to be believed
		return fail(StepHash, "manifest", "the list of what the bundle holds is not the one that the ledger signed")
	}
	if v.manifest, err = ParseManifest(text); err != nil {
		return fail(StepFrame, "manifest", "the list of what the bundle holds cannot be read: %v", err)
	}
	v.at = map[string]member{}
	rest := v.members[fixedMembers:]
	for _, p := range v.manifest.Parts {
		if len(rest) == 0 || rest[0].name != p.Name {
			if p.Personal {
				v.report.Redacted = append(v.report.Redacted, p.Name)
				continue
			}
			return fail(StepSize, p.Name, "%s is missing, or not in its place", p.Name)
		}
		if rest[0].size != p.Size {
			return fail(StepSize, p.Name, "%s has %d bytes; the ledger signed one of %d", p.Name, rest[0].size, p.Size)
		}
		v.at[p.Name], rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return fail(StepSize, rest[0].name, "%s was added: the ledger did not sign for it", rest[0].name)
	}
	return nil
}

func (v *verifier) hashes() error {
	h, buffer := sha256.New(), make([]byte, 64<<10)
	for _, p := range v.manifest.Parts {
		m, ok := v.at[p.Name]
		if !ok {
			continue
		}
		h.Reset()
		for at := int64(0); at < m.size; {
			b := buffer[:min(int64(len(buffer)), m.size-at)]
			if err := readAt(v.f, b, m.offset+at, v.size); err != nil {
				return fmt.Errorf("reading %s: %w", p.Name, err)
			}
			h.Write(b)
			at += int64(len(b))
		}
		if hex.EncodeToString(h.Sum(buffer[:0])) != p.SHA256 {
			return fail(StepHash, p.Name, "%s was changed after the ledger signed for it", p.Name)
		}
	}
	return nil
}

func (v *verifier) signatures() (err error) {
	m := v.manifest
	if v.key, err = note.NewVerifier(m.Key); err != nil || v.key.Name() != m.Origin || m.Key != canonicalKey(m.Key) {
		return fail(StepSignature, "manifest", "the ledger's key in the bundle is not a key of %s", m.Origin)
	}
	if v.trust.Key != "" && v.trust.Key != m.Key {
		return fail(StepSignature, "head", "the bundle was made with another key (%s) than the one that you gave (%s)", Fingerprint(m.Key), Fingerprint(v.trust.Key))
	}
	if v.head.Origin != m.Origin {
		return fail(StepSignature, "head", "the head of the bundle is of another ledger, %s", v.head.Origin)
	}
	if _, _, err := openSigned(v.small[memberHead], v.key); err != nil {
		return fail(StepSignature, "head", "the signature of the bundle does not hold: %v", err)
	}
	for _, k := range m.Witnesses {
		w, err := ParseWitness(k)
		if err != nil {
			return fail(StepSignature, "manifest", "the key of a witness in the bundle is none: %v", err)
		}
		for _, other := range v.witnesses {
			if other.name == w.name && other.hash == w.hash {
				return fail(StepSignature, "manifest", "witness %s is named twice", w.name)
			}
		}
		v.witnesses = append(v.witnesses, w)
	}
	if v.signed, err = v.content(v.at["checkpoint"]); err != nil {
		return err
	}
	times := make([]uint64, len(v.witnesses)) // of cosignatures
	if v.checkpoint, err = v.openCheckpoint(v.signed, times); err != nil {
		return fail(StepSignature, "checkpoint", "the checkpoint does not hold: %v", err)
	}
	if v.export, err = parseProof(v.small[memberExportProof]); err != nil {
		return fail(StepProof, "export.tlog-proof", "the proof that the ledger recorded this export cannot be read: %v", err)
	}
	if v.later, err = v.openCheckpoint(v.export.checkpoint, times); err != nil {
		return fail(StepSignature, "export.tlog-proof", "the checkpoint that the export is under does not hold: %v", err)
	}
	return v.trustedWitnesses(times)
}

// openCheckpoint notes in times when each witness cosigned, the first time.
func (v *verifier) openCheckpoint(signed []byte, times []uint64) (Checkpoint, error) {
	all := []note.Verifier{v.key}
	for _, w := range v.witnesses {
		all = append(all, w)
	}
	_, sigs, err := openSigned(signed, all...)
	if err != nil {
		return Checkpoint{}, err
	}
	for i, sig := range sigs[1:] {
		if t, ok := cosignatureTime(sig); ok && times[i] == 0 {
			times[i] = t
		}
	}
	return OpenCheckpoint(string(signed), v.key)
}

func (v *verifier) trustedWitnesses(times []uint64) error {
	for _, k := range v.trust.Witnesses {
		cosigned := false
		for i, w := range v.witnesses {
			cosigned = cosigned || w.String() == k && times[i] > 0
		}
		if !cosigned {
			name, _, _ := strings.Cut(k, "+")
			return fail(StepSignature, "checkpoint", "the witness %s, whose key you gave, did not cosign", name)
		}
	}
	v.report.Witnesses = []WitnessReport{}
	for i, w := range v.witnesses {
		if times[i] == 0 {
			continue
		}
		if !writable(time.Unix(int64(times[i]), 0).UTC()) {
			return fail(StepSignature, "checkpoint", "the witness %s cosigned at a time that no calendar has", w.name)
		}
		r := WitnessReport{Name: w.name, Key: w.String(), At: time.Unix(int64(times[i]), 0).UTC()}
		for _, k := range v.trust.Witnesses {
			r.Given = r.Given || k == r.Key
		}
		v.report.Witnesses = append(v.report.Witnesses, r)
	}
	return nil
}

func (v *verifier) proofs() error {
	var proof, before batchProof
	shown := map[uint64]bool{} // entries of this batch in its first part
	var text []byte            // nothing that is kept points into it
	for _, p := range v.manifest.Parts {
		kind, id, _ := partKind(p.Name)
		m, ok := v.at[p.Name]
		if !ok || kind < kindProof || kind > kindPersonal {
			continue
		}
		var err error
		if text, err = v.contentIn(m, text); err != nil {
			return err
		}
		if kind == kindProof {
			if proof, err = parseProof(text); err != nil {
				return fail(StepProof, p.Name, "the proof of batch %s cannot be read: %v", id, err)
			}
			if strconv.FormatUint(proof.index, 10) != id || !bytes.Equal(proof.checkpoint, v.signed) {
				return fail(StepProof, p.Name, "the proof of batch %s is of another batch, or under another checkpoint", id)
			}
			if err := proof.check(v.manifest.Origin, v.checkpoint); err != nil {
				return fail(StepProof, p.Name, "%v", err)
			}
			if err := proof.comesAfter(&before); err != nil {
				return fail(StepProof, p.Name, "%v", err)
			}
			before = proof
			v.report.Batches++
			clear(shown)
			continue
		}
		err = proof.eachShown(text, func(seq uint64, e *Entry) error {
			if shown[seq] {
				return fmt.Errorf("entry %d is shown twice", seq)
			}
			shown[seq] = true
			if kind == kindEntries && e.Kind != Event && e.Kind != Definition {
				return fmt.Errorf("entry %d is about people and stands where only others may", seq)
			}
			return v.take(seq, e)
		})
		if err != nil {
			return fail(StepProof, p.Name, "%v", err)
		}
		if len(text) == 0 {
			return fail(StepProof, p.Name, "%s shows no entry", p.Name)
		}
	}
	return v.exported(&before)
}

// take keeps what a proved entry says.
func (v *verifier) take(seq uint64, e *Entry) error {
	v.report.Entries++
	switch e.Kind {
	case Disclosure:
		if !e.Declared { // what was declared was no message
			v.report.Disclosures++
		}
	case Event:
		event, err := readEvent(seq, e)
		if err != nil {
			return err
		}
		v.events = append(v.events, event)
	}
	return nil
}

func readEvent(seq uint64, e *Entry) (EventReport, error) {
	event := EventReport{Seq: seq, At: time.UnixMilli(e.Time).UTC()}
	err := exactJSON(e.JSON, map[string]any{"kind": &event.Kind, "vendor": &event.Vendor, "actor": &event.Actor, "fields": &event.Fields})
	if e.Kind != Event || err != nil || event.Kind == "" || !writable(event.At) {
		return event, fmt.Errorf("entry %d cannot be read as an event", seq)
	}
	return event, nil
}

// writable reports whether RFC 3339 can write a time.
func writable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// exported checks the ledger's own entry about this bundle, and that the ledger
// in which it stands has grown from the one that the proofs are under.
func (v *verifier) exported(before *batchProof) error {
	v.report.Checkpoint = CheckpointReport{v.checkpoint.Size, base64.StdEncoding.EncodeToString(v.checkpoint.Root[:])}
	if err := v.export.check(v.manifest.Origin, v.later); err != nil {
		return fail(StepProof, "export.tlog-proof", "the proof that the ledger recorded this export does not hold: %v", err)
	}
	if err := v.export.comesAfter(before); err != nil {
		return fail(StepProof, "export.tlog-proof", "%v", err)
	}
	count := 0
	err := v.export.eachShown(v.small[memberExportEntries], func(seq uint64, e *Entry) error {
		if count++; count > 1 {
			return fmt.Errorf("there are several entries")
		}
		event, err := readEvent(seq, e)
		v.events = append(v.events, event)
		return err
	})
	if err == nil && count == 0 {
		err = fmt.Errorf("there is no entry")
	}
	if err != nil {
		return fail(StepProof, "export.entries", "the proof that the ledger recorded this export does not hold: %v", err)
	}
	path, rest, err := readHashes(v.small[memberConsistency])
	if err != nil || len(rest) > 0 {
		return fail(StepProof, "export.consistency", "the proof that the ledger only grew until the export cannot be read")
	}
	if v.checkpoint.Size == 0 || v.later.Size <= v.checkpoint.Size || v.export.index < v.checkpoint.Size ||
		tlog.CheckTree(path, int64(v.later.Size), v.later.Root, int64(v.checkpoint.Size), v.checkpoint.Root) != nil {
		return fail(StepProof, "export.consistency", "the ledger of the export is not a continuation of the ledger that the entries are in: history was rewritten, or the proof was changed")
	}
	return nil
}

// canonicalKey is the only text of a key; x/mod's reader skips line ends.
func canonicalKey(vkey string) string {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, key, _ := strings.Cut(rest, "+")
	raw, err := strictBase64([]byte(key))
	if err != nil {
		return ""
	}
	return name + "+" + strings.ToLower(hash) + "+" + base64.StdEncoding.EncodeToString(raw)
}
