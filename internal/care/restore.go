package care

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/vault"
)

// Return asks for a backup to be brought back.
type Return struct {
	From string // a backup, or a folder of backups
	Data string // the new data directory: empty, or not there yet
	// Mirror is where the signed heads are mirrored; "" for nowhere.
	Mirror string
	Keys   ledger.Keys
	KeysAt []string
	// Vendors of the configuration: their gates are shut too, although the
	// backup may not know them.
	Vendors []string
	// AcceptLoss is how many entries the mirror knows of and the backup does not
	// have; whoever restores has to say it. Nil: none may be lost.
	AcceptLoss *uint64
	By         string
	Now        time.Time
	Progress   func(Progress) // may be nil
}

// Returned is a data directory that was brought back.
type Returned struct {
	Data    string    `json:"data"`
	From    string    `json:"from"`
	Digest  string    `json:"digest"`
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
	Entries uint64    `json:"entries"`
	// Cut are the vendors whose gates stay shut until `cordon restore VENDOR`.
	Cut []string `json:"cut"`
	// Lost are the entries that are gone, by number; nil if none is known to be.
	Lost *Range `json:"lost,omitempty"`
	// OldHead is where the mirror's head over the lost entries is kept.
	OldHead string `json:"old_head,omitempty"`
}

// Range is entries by number, both included.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// restoredFile tells the next start that this data directory came from a backup.
const restoredFile = "restored.json"

// Restore brings a backup back. Nothing that is there is changed, except that
// with AcceptLoss the mirror's head is set aside.
func Restore(ctx context.Context, r Return) (_ *Returned, err error) {
	if r.Progress == nil {
		r.Progress = func(Progress) {}
	}
	s, err := openSource(r.From)
	if err != nil {
		return nil, err
	}
	m, digest, err := s.manifest(r.Keys.Verifier)
	if err != nil {
		return nil, err
	}
	for _, keys := range r.KeysAt {
		if inside, err := vault.Within(keys, r.Data); keys != "" && err == nil && inside {
			return nil, &Refusal{"the keys lie below " + r.Data, "restore into another folder"}
		}
	}
	// The target first, then the backup, then the mirror: nobody is asked to
	// accept a loss for a backup that cannot be restored, or not there.
	entries, err := os.ReadDir(r.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking into %s: %w", r.Data, err)
	}
	if len(entries) > 0 {
		return nil, &Refusal{r.Data + " is not empty", "restore into a new folder; nothing is replaced"}
	}
	lost, err := r.behind(m)
	if err != nil {
		// The copying below compares every file; before a loss is named it is done
		// without writing.
		if damage := s.compare(ctx, m); damage != nil {
			return nil, damage
		}
		return nil, err
	}
	if err := os.MkdirAll(r.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making %s: %w", r.Data, err)
	}
	defer func() {
		if err != nil { // half a data directory must not be started
			left, _ := os.ReadDir(r.Data)
			for _, e := range left {
				_ = os.RemoveAll(filepath.Join(r.Data, e.Name()))
			}
		}
	}()
	out := &Returned{Data: r.Data, From: s.at, Digest: digest, Made: m.Made, By: r.By, Lost: lost}
	if err := r.copyAll(ctx, s, m); err != nil {
		return nil, err
	}
	if out.Cut, err = r.shut(m); err != nil {
		return nil, err
	}
	// As the next start will: with the mirror, unless it is known to be ahead.
	mirror := r.Mirror
	if lost != nil {
		mirror = ""
	}
	_, reach, err := examine(ctx, r.Data, r.Keys, mirror, false, nil)
	if err != nil {
		return nil, fmt.Errorf("what was restored does not open: %w", err)
	}
	if out.Entries = reach.Entries; out.Entries != m.Reaches {
		return nil, &Refusal{fmt.Sprintf("the restored ledger has %d entries, the manifest says %d", out.Entries, m.Reaches), "use an earlier backup"}
	}
	if lost != nil {
		suffix := ".superseded-" + r.Now.UTC().Format(stamp)
		_, path, _, _ := ledger.Mirrored(r.Mirror, r.Keys.Verifier.Name())
		out.OldHead = path + suffix
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	if err := writeDurable(filepath.Join(r.Data, restoredFile), text); err != nil {
		return nil, err
	}
	if err := syncTree(r.Data); err != nil {
		return nil, fmt.Errorf("syncing %s: %w", r.Data, err)
	}
	if err := syncDir(filepath.Dir(r.Data)); err != nil {
		return nil, fmt.Errorf("syncing %s: %w", filepath.Dir(r.Data), err)
	}
	if lost != nil {
		_, path, _, _ := ledger.Mirrored(r.Mirror, r.Keys.Verifier.Name())
		if err := ledger.SetAside(path, out.OldHead[len(path):]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// behind compares the backup with the mirror and refuses a loss that nobody accepted.
func (r Return) behind(m *Manifest) (*Range, error) {
	if r.Mirror == "" {
		return nil, nil
	}
	head, path, damaged, err := ledger.Mirrored(r.Mirror, r.Keys.Verifier.Name())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the mirror: %w", err)
	case damaged && head.Entries == 0:
		return nil, &Refusal{path + " is damaged: nobody can say whether the backup is the newest state",
			"look for another copy of the heads; without one, move the file away and restore again"}
	}
	if head.Entries <= m.Reaches {
		if r.AcceptLoss != nil && *r.AcceptLoss != 0 {
			return nil, &Refusal{"no entry is known to be lost: the mirror's head is covered by the backup", "leave --accept-loss out"}
		}
		return nil, nil
	}
	lost := &Range{m.Reaches + 1, head.Entries}
	n := head.Entries - m.Reaches
	if r.AcceptLoss == nil {
		return nil, &Refusal{
			fmt.Sprintf("the mirror's head is newer than the backup: entries %d to %d (%d of them) would be lost", lost.From, lost.To, n),
			fmt.Sprintf("look for a newer backup or the old disk; to go on without them: --accept-loss %d", n),
		}
	}
	if *r.AcceptLoss != n {
		return nil, &Refusal{
			fmt.Sprintf("entries %d to %d would be lost, which are %d and not %d", lost.From, lost.To, n, *r.AcceptLoss),
			fmt.Sprintf("--accept-loss %d", n),
		}
	}
	return lost, nil
}

// copyAll copies and hashes; the first file that is not what the manifest says ends it.
// The heads come last: without them no start takes the store for whole.
func (r Return) copyAll(ctx context.Context, s *source, m *Manifest) error {
	total, done := m.Bytes(), int64(0)
	progress := func(n int) {
		done += int64(n)
		r.Progress(Progress{"copying", done, total})
	}
	const unfinished = ".unfinished"
	err := s.each(ctx, m, func(f File, in io.Reader) error {
		to := filepath.Join(r.Data, filepath.FromSlash(f.Path))
		if f.Path == "heads" {
			to += unfinished
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return fmt.Errorf("restoring %s: %w", f.Path, err)
		}
		sum, err := copyDurable(to, io.LimitReader(in, f.Size+1), progress)
		if err != nil {
			return incomplete(s.at, f.Path, err)
		}
		if sum != f.SHA256 {
			return damagedFile(s.at, f.Path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	heads := filepath.Join(r.Data, "heads")
	if err := os.Rename(heads+unfinished, heads); err != nil {
		return incomplete(s.at, "heads", err)
	}
	return nil
}

// shut closes the gate of every vendor that the backup or the configuration
// knows. The file decides over what the ledger remembers, the more closed one
// being in force: so no older entry opens it.
func (r Return) shut(m *Manifest) ([]string, error) {
	vendors := slices.Concat(m.Vendors, r.Vendors)
	slices.Sort(vendors)
	vendors = slices.Compact(vendors)
	for _, v := range vendors {
		if _, err := isolate.WriteGate(r.Data, exposure.VendorID(v), "", isolate.Cut); err != nil {
			return nil, fmt.Errorf("shutting the gate of %s: %w", v, err)
		}
	}
	return vendors, nil
}

// Came tells whether this data directory came from a backup and no start has
// recorded that yet; nil if not.
func Came(data string) (*Returned, error) {
	text, err := os.ReadFile(filepath.Join(data, restoredFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading how the data directory was restored: %w", err)
	}
	r := &Returned{}
	if err := json.Unmarshal(text, r); err != nil {
		// The gates are shut all the same; only the story is lost.
		return &Returned{Data: data, By: "unknown"}, nil
	}
	return r, nil
}

// Event is the ledger's entry about it.
func (r *Returned) Event(at time.Time) ledger.Event {
	fields := map[string]any{"manifest_sha256": r.Digest, "made": r.Made.UTC().Format(time.RFC3339), "entries": r.Entries, "cut": len(r.Cut)}
	if r.Lost != nil {
		fields["lost_from"], fields["lost_to"] = r.Lost.From, r.Lost.To
	}
	return ledger.Event{Kind: ledger.EventRestored, At: at, Actor: r.By, Fields: fields}
}

// Recorded removes what Came reads: the ledger has it now.
func Recorded(data string) error {
	if err := os.Remove(filepath.Join(data, restoredFile)); err != nil {
		return err
	}
	return syncDir(data)
}
