package witness

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// Refusal is why a head was not cosigned, with the protocol's status.
type Refusal struct {
	Status int
	Size   uint64 // with 409: of the head that was cosigned last
	What   string
}

func (r *Refusal) Error() string { return r.What }

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, What: fmt.Sprintf(format, args...)}
}

// Cosign cosigns the head in a request, if the log's own key signed it and the
// proof shows that the head cosigned last is a prefix of it. It returns the
// signature line. Errors are *Refusal, but for a disk that fails.
//
// The order is the promise: check against the newest head, keep the new one on
// disk, only then let the cosignature out, all under one lock. A crash before
// the end leaves either head, and nobody has a cosignature of the other.
func (w *Witness) Cosign(r Request) (line string, err error) {
	origin, _, _ := strings.Cut(r.Checkpoint, "\n")
	l := w.find(origin)
	if l == nil {
		return "", refuse(http.StatusNotFound, "this log is not known here")
	}
	head, err := evidence.OpenCheckpoint(r.Checkpoint, l.key)
	if err != nil {
		return "", refuse(http.StatusForbidden, "the checkpoint is not signed by the key that is known for this log: %v", err)
	}
	if r.Old > head.Size {
		return "", refuse(http.StatusBadRequest, "the old size %d is larger than the checkpoint's %d", r.Old, head.Size)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return "", fmt.Errorf("log %s: %w", l.origin, l.lost)
	}
	if r.Old != l.size {
		return "", &Refusal{http.StatusConflict, l.size, fmt.Sprintf("the head cosigned last has size %d, not %d", l.size, r.Old)}
	}
	if err := w.follows(l, head, r); err != nil {
		return "", err
	}
	if !l.rate.take(w.now()) {
		return "", refuse(http.StatusTooManyRequests, "too many heads of this log, one a second is enough")
	}
	cosigned, line, err := w.sign(l, r.Checkpoint)
	if err != nil {
		return "", err
	}
	if err := l.head.write(cosigned); err != nil {
		w.log.Error("a head could not be kept, so it is not cosigned; nothing more of this log is until a restart", "origin", l.origin, "error", err)
		return "", err
	}
	l.size = head.Size
	return line, nil
}

// follows checks that the head continues the one that was cosigned last.
func (w *Witness) follows(l *ledger, head evidence.Checkpoint, r Request) error {
	empty, _ := tlog.TreeHash(0, nil)
	var before evidence.Checkpoint
	if l.head.Head != "" {
		var err error
		if before, err = evidence.OpenCheckpoint(l.head.Head, l.key); err != nil {
			return fmt.Errorf("log %s: %w", l.origin, err)
		}
	}
	switch {
	case head.Size == 0 && head.Root != empty:
		return refuse(http.StatusUnprocessableEntity, "a log without entries has another root")
	case r.Old == 0 && len(r.Proof) > 0:
		return refuse(http.StatusUnprocessableEntity, "everything follows from a log without entries: there is nothing to prove")
	case r.Old == 0:
		return nil
	case head.Size == r.Old && head.Root != before.Root:
		// Two heads of one size that both bear the log's signature: this alone
		// proves that it keeps two histories. Both are kept for whoever must see it.
		w.keepRefused(l, r.Checkpoint, "fork")
		return refuse(http.StatusUnprocessableEntity, "this log signed another head of size %d before: it keeps two histories", head.Size)
	case head.Size == r.Old && len(r.Proof) > 0:
		return refuse(http.StatusUnprocessableEntity, "a head that did not grow needs no proof")
	case head.Size == r.Old:
		return nil
	}
	if err := tlog.CheckTree(r.Proof, int64(head.Size), head.Root, int64(before.Size), before.Root); err != nil {
		// Whoever has seen this head could send it with a false proof, so this
		// alone proves nothing against the log; with its entries it may.
		w.keepRefused(l, r.Checkpoint, "unproved")
		return refuse(http.StatusUnprocessableEntity, "the proof does not show that the first %d entries are those that were cosigned", before.Size)
	}
	return nil
}

// sign makes the head that is kept, with the log's own signature and ours and
// no other, and our line of it.
func (w *Witness) sign(l *ledger, checkpoint string) (cosigned, line string, err error) {
	n, err := note.Open([]byte(checkpoint), note.VerifierList(l.key))
	if err != nil {
		return "", "", err // it was opened before
	}
	n.UnverifiedSigs = nil
	msg, err := note.Sign(n, w.cosigner)
	if err != nil {
		return "", "", fmt.Errorf("cosigning: %w", err)
	}
	if len(msg) > maxHead {
		return "", "", refuse(http.StatusBadRequest, "the checkpoint is too long")
	}
	for _, s := range strings.SplitAfter(string(msg[len(n.Text)+1:]), "\n") {
		if strings.HasPrefix(s, "— "+w.cosigner.Name()+" ") {
			line = s
		}
	}
	if _, err := w.Key().Cosigned(string(msg)); err != nil || line == "" {
		return "", "", fmt.Errorf("cosigning: what was signed does not verify: %w", err)
	}
	return string(msg), line, nil
}

// maxRefused bounds what one log can make us keep, by kind. The first ones
// are the evidence; more of the same adds nothing.
const maxRefused = 8

// keepRefused keeps a head that contradicts the one that was cosigned, together with that one.
func (w *Witness) keepRefused(l *ledger, checkpoint, why string) {
	level := w.log.Error
	if why != "fork" {
		level = w.log.Warn
	}
	name := fmt.Sprintf("%s-%s.txt", why, originHash(checkpoint)[:16])
	path := filepath.Join(l.dir, refusedDir, name)
	level("a head with a true signature contradicts the one that was cosigned", "origin", l.origin, "kind", why, "kept", path)
	same, err := filepath.Glob(filepath.Join(l.dir, refusedDir, why+"-*.txt"))
	if err != nil || len(same) >= maxRefused {
		return
	}
	if _, err := os.Stat(path); err == nil {
		return
	}
	text := "refused " + w.now().UTC().Format("2006-01-02T15:04:05Z") + "\n\n" + checkpoint + "\ncosigned before\n\n" + l.head.Head
	if err := writeFile(path, []byte(text), 0o600); err != nil {
		w.log.Error("keeping a refused head", "error", err)
		return
	}
}

// Latest is the newest cosigned head of the log whose origin has this hash (hex
// SHA-256), "" if it was never cosigned.
func (w *Witness) Latest(hash string) (string, error) {
	w.mu.Lock()
	var l *ledger
	for origin, candidate := range w.logs {
		if originHash(origin) == hash {
			l = candidate
		}
	}
	w.mu.Unlock()
	if l == nil {
		return "", nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return "", l.lost
	}
	return l.head.Head, nil
}

// IsRefusal reports whether err is a refusal with that status.
func IsRefusal(err error, status int) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Status == status
}
