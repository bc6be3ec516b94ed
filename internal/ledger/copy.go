package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cordon/evidence"
)

// Extent is how far a ledger reaches.
type Extent struct {
	Entries, Batches uint64
	// Checkpoint is a signed head over exactly these batches; "" where nobody signed one.
	Checkpoint string
}

// Copy makes a copy of the store and a file of heads for it in dir, which gets
// the shape of a data directory: dir/store, dir/heads. Neither may be there
// yet. The copy reaches at least as far as the answer says.
//
// The head is taken before the store is copied. The other way round the copy
// could be shorter than its own head says, and would be refused ever after.
func (l *Ledger) Copy(ctx context.Context, dir string) (Extent, error) {
	if err := l.writable(); err != nil {
		return Extent{}, err
	}
	if err := ctx.Err(); err != nil {
		return Extent{}, err
	}
	end := l.durable.Load()
	if end.batches == 0 {
		return Extent{}, errors.New("copying the ledger: there is nothing in it yet")
	}
	signed, err := evidence.Checkpoint{Origin: l.origin, Size: end.batches, Root: end.edge.root()}.Sign(l.keys.Signer)
	if err != nil {
		return Extent{}, fmt.Errorf("copying the ledger: %w", err)
	}
	if err := l.store.Checkpoint(filepath.Join(dir, "store")); err != nil {
		return Extent{}, err
	}
	h, err := openHeads(headsPath(dir), reach{})
	if err != nil {
		return Extent{}, err
	}
	err = h.acknowledge(end.batches, end.entries, end.edge.last)
	if err == nil {
		err = h.sign(signed)
	}
	if e := h.close(); err == nil {
		err = e
	}
	if err != nil {
		return Extent{}, fmt.Errorf("copying the heads: %w", err)
	}
	return Extent{Entries: end.entries, Batches: end.batches, Checkpoint: signed}, nil
}

// Mirrored is what a mirror says of the ledger of that origin, and the file in
// which it says it. A mirror without one gives os.ErrNotExist.
func Mirrored(mirror, origin string) (e Extent, path string, damaged bool, err error) {
	path = mirrorPath(mirror, evidence.GatewayOf(origin))
	r, err := readHeads(path)
	if err != nil {
		return e, path, false, err
	}
	return Extent{r.Entries, r.Batches, r.Checkpoint}, path, r.Damaged, nil
}

// HeadsDamage says what is wrong with the files of heads, nothing if they hold.
func (l *Ledger) HeadsDamage() (problems []string) {
	for _, path := range []string{l.headsFile, l.mirror} {
		if path == "" {
			continue
		}
		r, err := readHeads(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == l.mirror && l.Status().Signed == 0:
		case errors.Is(err, fs.ErrNotExist):
			problems = append(problems, path+" is missing")
		case err != nil:
			problems = append(problems, fmt.Sprintf("reading %s: %v", path, err))
		case r.Damaged:
			// A slot that is being written at this moment may look so: look again.
			if again, err := readHeads(path); err == nil && again.Damaged {
				problems = append(problems, path+" is damaged")
			}
		}
	}
	return problems
}

// SetAside renames a file of heads, so that a ledger with fewer entries may
// begin there. It is kept: it proves what there was.
func SetAside(path, suffix string) error {
	if err := os.Rename(path, path+suffix); err != nil {
		return fmt.Errorf("setting the head aside: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
