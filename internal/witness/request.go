package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// maxProof is what the protocol allows: no proof in a tree of 2^63 is longer.
	maxProof = 63
	// maxRequest bounds a request in bytes: a proof of 63 lines, and a head with
	// the post-quantum signatures (5 kB each) that other logs may add to theirs.
	maxRequest = 64 << 10
)

// Request asks to cosign a head: the body of add-checkpoint.
type Request struct {
	Old        uint64      // size of the head that the witness cosigned last
	Proof      []tlog.Hash // consistency from Old to the head
	Checkpoint string      // signed by the log
}

// String is the request as it is sent.
func (r Request) String() string {
	var b strings.Builder
	b.WriteString("old " + strconv.FormatUint(r.Old, 10) + "\n")
	for _, h := range r.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	return b.String() + "\n" + r.Checkpoint
}

// ParseRequest reads the body of add-checkpoint. The head in it is not checked.
func ParseRequest(body string) (r Request, err error) {
	head, checkpoint, ok := strings.Cut(body, "\n\n")
	if !ok {
		return r, errors.New("there is no empty line between the proof and the checkpoint")
	}
	lines := strings.Split(head, "\n")
	old, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return r, errors.New(`the first line is not "old" and a size`)
	}
	if r.Old, err = parseSize(old); err != nil {
		return r, fmt.Errorf("the old size %w", err)
	}
	if len(lines)-1 > maxProof {
		return r, fmt.Errorf("a proof has at most %d lines", maxProof)
	}
	for i, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return r, fmt.Errorf("line %d of the proof is not the base64 of 32 bytes", i+1)
		}
		r.Proof = append(r.Proof, tlog.Hash(h))
	}
	r.Checkpoint = checkpoint
	return r, nil
}

// parseSize reads a decimal number as the formats of C2SP write it.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, errors.New("is not a plain decimal number")
	}
	return n, nil
}
