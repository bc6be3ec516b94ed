package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// algCosignature is the signature type of timestamped Ed25519 cosignatures
// (C2SP tlog-cosignature): the first byte of the key, and part of its hash, so
// that a cosignature cannot be taken for a signature of the log itself.
const algCosignature = 0x04

// Witness is the public key of a witness. It is a note.Verifier whose
// signatures are a time and Ed25519 over that time and the checkpoint.
type Witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// ParseWitness reads a verifier key, name+hash+base64 of 04 and 32 bytes.
func ParseWitness(vkey string) (*Witness, error) {
	name, key, err := parseCosigKey(vkey)
	if err != nil {
		return nil, fmt.Errorf("key of a witness: %w", err)
	}
	w := &Witness{name, cosigKeyHash(name, key), key}
	if w.String() != vkey {
		return nil, errors.New("key of a witness: its hash does not belong to it")
	}
	return w, nil
}

func (w *Witness) Name() string    { return w.name }
func (w *Witness) KeyHash() uint32 { return w.hash }

// String is the key as ParseWitness reads it.
func (w *Witness) String() string {
	return w.name + "+" + fmt.Sprintf("%08x", w.hash) + "+" + base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, w.key...))
}

// Verify reports whether sig, eight bytes of time and a signature, cosigns the
// text of a checkpoint.
func (w *Witness) Verify(text, sig []byte) bool {
	t, ok := cosignatureTime(sig)
	return ok && ed25519.Verify(w.key, cosignedMessage(t, text), sig[8:])
}

// ErrNotCosigned says that a checkpoint bears no cosignature of a witness,
// which is not the same as a wrong one.
var ErrNotCosigned = errors.New("not cosigned")

// Cosigned checks this witness's cosignature on a signed checkpoint and returns
// when it was given, to the second. The log's own signature is not checked.
func (w *Witness) Cosigned(signed string) (time.Time, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(w))
	if unverified := (*note.UnverifiedNoteError)(nil); errors.As(err, &unverified) {
		return time.Time{}, fmt.Errorf("by witness %s: %w", w.name, ErrNotCosigned)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("cosignature of witness %s: %w", w.name, err)
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return time.Time{}, fmt.Errorf("cosignature of witness %s: %w", w.name, err)
	}
	t, _ := cosignatureTime(sig[4:]) // verified above
	return time.Unix(int64(t), 0).UTC(), nil
}

func cosignatureTime(sig []byte) (uint64, bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, false
	}
	t := binary.BigEndian.Uint64(sig)
	return t, t <= math.MaxInt64
}

func cosignedMessage(t uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(t, 10)+"\n"), text...)
}

// Cosigner signs as a witness. It is a note.Signer; whoever uses it must have
// stored the checkpoint durably before (C2SP tlog-witness).
type Cosigner struct {
	witness Witness
	key     ed25519.PrivateKey
	now     func() time.Time
}

// GenerateCosigner makes a witness's keys: the private one for ParseCosigner,
// the public one for ParseWitness.
func GenerateCosigner(rand io.Reader, name string) (skey, vkey string, err error) {
	if !validKeyName(name) {
		return "", "", fmt.Errorf("a witness cannot be named %q: no blanks, no +", name)
	}
	pub, priv, err := ed25519.GenerateKey(rand)
	if err != nil {
		return "", "", err
	}
	w := Witness{name, cosigKeyHash(name, pub), pub}
	skey = fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, w.hash, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, priv.Seed()...)))
	return skey, w.String(), nil
}

// ParseCosigner reads a private key that GenerateCosigner made. now gives the
// time of the cosignatures; nil is time.Now.
func ParseCosigner(skey string, now func() time.Time) (*Cosigner, error) {
	rest, ok := strings.CutPrefix(skey, "PRIVATE+KEY+")
	if !ok {
		return nil, errors.New("private key of a witness: it does not begin with PRIVATE+KEY+")
	}
	name, seed, err := parseCosigKey(rest)
	if err != nil {
		return nil, fmt.Errorf("private key of a witness: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	pub := key.Public().(ed25519.PublicKey)
	w := Witness{name, cosigKeyHash(name, pub), pub}
	if !strings.HasPrefix(rest, name+"+"+fmt.Sprintf("%08x", w.hash)+"+") {
		return nil, errors.New("private key of a witness: its hash does not belong to it")
	}
	if now == nil {
		now = time.Now
	}
	return &Cosigner{w, key, now}, nil
}

func (c *Cosigner) Name() string    { return c.witness.name }
func (c *Cosigner) KeyHash() uint32 { return c.witness.hash }

// Witness is the public half.
func (c *Cosigner) Witness() *Witness { return &c.witness }

// Sign cosigns the text of a checkpoint.
func (c *Cosigner) Sign(text []byte) ([]byte, error) {
	t := c.now().Unix()
	if t < 0 {
		return nil, errors.New("cosigning: the clock stands before 1970")
	}
	sig := binary.BigEndian.AppendUint64(nil, uint64(t))
	return append(sig, ed25519.Sign(c.key, cosignedMessage(uint64(t), text))...), nil
}

// parseCosigKey reads name+hash+base64 and leaves the hash to be compared by
// the caller, who knows the public key.
func parseCosigKey(text string) (name string, key []byte, err error) {
	name, rest, _ := strings.Cut(text, "+")
	hash, encoded, ok := strings.Cut(rest, "+")
	if !ok || !validKeyName(name) || len(hash) != 8 {
		return "", nil, errors.New("it is not name+hash+key")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", nil, errors.New("it is not the base64 of 33 bytes")
	}
	if raw[0] != algCosignature {
		return "", nil, fmt.Errorf("it is of type %02x, a witness's is of type %02x", raw[0], algCosignature)
	}
	return name, raw[1:], nil
}

func cosigKeyHash(name string, public []byte) uint32 {
	h := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	return binary.BigEndian.Uint32(h[:])
}

func validKeyName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") && strings.IndexFunc(name, unicode.IsSpace) < 0
}
