package evidence

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a head of the log says (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   uint64 // batches
	Root   tlog.Hash
}

// Sign makes the signed note. The origin must be the signer's name, so that
// nobody can pass one ledger's head off as another's.
func (c Checkpoint) Sign(s note.Signer) (string, error) {
	if c.Origin != s.Name() {
		return "", fmt.Errorf("checkpoint of %q cannot be signed by %q", c.Origin, s.Name())
	}
	text := c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
	msg, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return "", fmt.Errorf("signing checkpoint of size %d: %w", c.Size, err)
	}
	return string(msg), nil
}

// OpenCheckpoint checks the signature and reads the checkpoint. Further
// signatures, of witnesses say, are allowed; extension lines are ignored.
func OpenCheckpoint(signed string, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint signature: %w", err)
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) < 4 {
		return Checkpoint{}, errors.New("checkpoint has fewer than three lines")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("checkpoint size is not a plain decimal number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errors.New("checkpoint root is not the base64 of 32 bytes")
	}
	if lines[0] != v.Name() {
		return Checkpoint{}, fmt.Errorf("checkpoint of %q, expected %q", lines[0], v.Name())
	}
	return Checkpoint{lines[0], size, tlog.Hash(root)}, nil
}
