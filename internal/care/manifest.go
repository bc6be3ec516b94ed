// Package care looks after the files of a data directory: it copies them while
// the server runs, brings a copy back, and reads all of them from time to time
// so that damage is found before it is needed.
//
// # A backup
//
// A folder of backups holds one folder for each, named after the second in
// which it was made (20261124T140000Z). In it:
//
//	manifest.json   what it is, and every file with its size and SHA-256
//	manifest.note   SHA-256 of manifest.json under the ledger's checkpoint key (signed note)
//	store/          the store, as it was at one moment
//	heads           how far the ledger reaches at least, and the newest signed head
//	gates/          the gates, for whoever wants to know how they stood
//	people/         the base of people
//
// The same tree may lie in one tar file. There are no keys in a backup: they have one of
// their own (cordon keys backup).
//
// While it is written the folder is called .partial-…; it gets its name when
// everything in it is on disk and was opened and checked. So a backup that
// has its name is whole.
//
// A restored data directory opens no gate: what was cut after the backup was
// made is not in it, and nobody can know from it. Every vendor waits for
// `cordon restore VENDOR`.
package care

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/note"
)

const (
	manifestFile = "manifest.json"
	noteFile     = "manifest.note"
	format       = "cordon backup 1"
)

// Manifest says what a backup is.
type Manifest struct {
	Format string    `json:"format"`
	Origin string    `json:"origin"` // of the ledger's checkpoints
	Made   time.Time `json:"made"`
	By     string    `json:"by"` // who asked for it
	// Entries and Batches are how far the ledger reached when it was begun; the
	// checkpoint covers them.
	Entries    uint64 `json:"entries"`
	Batches    uint64 `json:"batches"`
	Checkpoint string `json:"checkpoint"`
	// Reaches is how far the copy reaches: what was recorded while it was begun.
	Reaches uint64   `json:"reaches"`
	Entry   uint64   `json:"entry"`   // the ledger's entry about this backup; the copy holds it
	Vendors []string `json:"vendors"` // that had a gate
	Files   []File   `json:"files"`   // all but the manifest itself, by path
}

// File is one file of a backup.
type File struct {
	Path   string `json:"path"` // with slashes, relative to the backup
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// seal writes the manifest and its note. The digest names the backup.
func (m *Manifest) seal(s note.Signer) (text, signed []byte, digest string, err error) {
	if text, err = json.MarshalIndent(m, "", " "); err != nil {
		return nil, nil, "", fmt.Errorf("writing the manifest: %w", err)
	}
	sum := sha256.Sum256(text)
	digest = hex.EncodeToString(sum[:])
	// The first line cannot be an origin's: no head of a ledger can be passed
	// off as a manifest, nor the other way round.
	signed, err = note.Sign(&note.Note{Text: format + "\n" + m.Origin + "\n" + digest + "\n"}, s)
	if err != nil {
		return nil, nil, "", fmt.Errorf("signing the manifest: %w", err)
	}
	return text, signed, digest, nil
}

// openManifest checks the note and reads the manifest.
func openManifest(text, signed []byte, v note.Verifier) (*Manifest, string, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil, "", fmt.Errorf("%s is not signed by this ledger's key: %w", noteFile, err)
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	if n.Text != format+"\n"+v.Name()+"\n"+digest+"\n" {
		return nil, "", fmt.Errorf("%s is not the one that %s was signed over", manifestFile, noteFile)
	}
	m := &Manifest{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", manifestFile, err)
	}
	head, err := evidence.OpenCheckpoint(m.Checkpoint, v)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", manifestFile, err)
	}
	if m.Format != format || m.Origin != v.Name() || head.Size != m.Batches {
		return nil, "", fmt.Errorf("%s contradicts its checkpoint", manifestFile)
	}
	for _, f := range m.Files {
		if err := plain(f.Path); err != nil {
			return nil, "", err
		}
	}
	return m, digest, nil
}

// plain refuses paths that lead out of the backup.
func plain(p string) error {
	if p == "" || path.Clean(p) != p || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") || strings.Contains(p, "\\") {
		return errors.New("a path in the manifest leads out of the backup")
	}
	return nil
}
