package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"cordon/evidence"
	"cordon/internal/api"
	"cordon/internal/figure"
)

type evidenceCmd struct {
	Export evidenceExportCmd `cmd:"" help:"Write the evidence of an incident into one file that anybody can check offline."`
	Redact evidenceRedactCmd `cmd:"" help:"Leave out of a bundle what is about people; what is left verifies as before."`
}

type evidenceExportCmd struct {
	Incident    string `arg:"" placeholder:"INCIDENT" help:"The incident: inc-1."`
	Output      string `short:"o" required:"" placeholder:"FILE" help:"The file to write."`
	Redacted    bool   `help:"Without what is about people: bitmaps, entries with ordinals, words that somebody chose."`
	Disclosures bool   `help:"With every message to the vendor in the incident's window."`
	Force       bool   `help:"Replace the file if it exists."`
}

func (evidenceExportCmd) Help() string {
	return `The bundle holds the incident's entries with proofs, frozen scopes with their
people as numbers, the vendor's manifest, checkpoints and cosignatures. The
export itself becomes an entry of the ledger first. cordon-verify FILE checks it.`
}

func (evidenceExportCmd) Examples() []string {
	return []string{"cordon evidence export inc-1 -o inc-1.evidence", "cordon evidence export inc-1 --redacted -o inc-1.redacted.evidence", "cordon-verify --key checkpoint.pub inc-1.evidence"}
}

// evidenceFile is what --json prints.
type evidenceFile struct {
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
	Redacted bool   `json:"redacted"`
	// Manifest is the SHA-256 that the ledger recorded; of an export alone.
	Manifest string `json:"manifest"`
	Entry    uint64 `json:"entry"` // of the export
	Entries  int    `json:"entries"`
	Scopes   int    `json:"scopes"`
}

func (c evidenceExportCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if err := mayReplace(c.Output, c.Force); err != nil {
		return err
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return e.writeBundle(c.Output, c.Redacted, func(w io.Writer) error {
		var bar *progress
		err := o.ExportEvidence(ctx, api.EvidenceRequest{Incident: c.Incident, Redacted: c.Redacted, Disclosures: c.Disclosures}, func(size int64) io.Writer {
			bar = e.progress(max(size, 0))
			if !e.ErrTerminal || size <= 0 {
				return w
			}
			return io.MultiWriter(w, bar)
		})
		if bar != nil {
			bar.done()
		}
		return err
	})
}

type evidenceRedactCmd struct {
	File   string `arg:"" placeholder:"FILE" help:"The whole bundle."`
	Output string `short:"o" required:"" placeholder:"FILE" help:"The file to write; never the whole bundle itself."`
	Force  bool   `help:"Replace the file if it exists."`
}

func (evidenceRedactCmd) Examples() []string {
	return []string{"cordon evidence redact inc-1.evidence -o inc-1.redacted.evidence"}
}

func (c evidenceRedactCmd) Run(e *Env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Next: "name a file from `cordon evidence export`", Cause: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(c.Output); err == nil && os.SameFile(info, there) {
		return &Fault{Code: exitUsage, What: c.Output + " is the whole bundle, of which what is about people would be lost", Next: "name another file with -o"}
	}
	if err := mayReplace(c.Output, c.Force); err != nil {
		return err
	}
	if _, err := evidence.Verify(f, info.Size(), evidence.Trust{}); err != nil {
		return notVerified(err)
	}
	return e.writeBundle(c.Output, true, func(w io.Writer) error { return evidence.Redact(w, f, info.Size()) })
}

// mayReplace refuses a file that exists, and a folder that does not, before
// anything is done for it: an export is an entry of the ledger.
func mayReplace(path string, force bool) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return &Fault{Code: exitUsage, What: "there is no folder " + filepath.Dir(path), Next: "make it, or name a file in another one with -o", Cause: err}
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return &Fault{Code: exitUsage, What: path + " exists already", Next: "name another file with -o, or replace it with --force"}
	}
	return nil
}

func notVerified(err error) error {
	if failure := (*evidence.Failure)(nil); errors.As(err, &failure) {
		return &Fault{Code: exitNotVerified, What: "the bundle does not verify: " + failure.What, Next: "export it again", Cause: err}
	}
	return err
}

// writeBundle writes the file as a whole or not at all, readable by its owner,
// and checks it before it gets its name: nobody is handed what does not verify.
func (e *Env) writeBundle(path string, redacted bool, write func(io.Writer) error) error {
	fault := func(err error) error { return fmt.Errorf("writing %s: %w", path, err) }
	f, err := os.CreateTemp(filepath.Dir(path), ".cordon-evidence-*") // made with mode 0600
	if err != nil {
		return fault(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return fault(err)
	}
	report, err := evidence.Verify(f, info.Size(), evidence.Trust{})
	if err != nil {
		return notVerified(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fault(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fault(err)
	}
	if e.Flags.JSON {
		return e.JSON(evidenceFile{
			File: path, Bytes: info.Size(), Redacted: redacted, Manifest: report.Manifest,
			Entry: report.Export.Entry, Entries: report.Entries, Scopes: len(report.Scopes),
		})
	}
	e.Print("%s: %s, %s, %s, %s bytes; verified", path, report.Incident,
		figure.Count(report.Entries, "entry", "entries"), figure.Count(len(report.Scopes), "scope", "scopes"), figure.Grouped(info.Size()))
	e.Say("recorded in the ledger as entry %d; the key's fingerprint is %s", report.Export.Entry, report.Fingerprint)
	if !redacted {
		e.Say("it names people by number; --redacted leaves them out")
	}
	e.Say("next: cordon-verify %s", path)
	return nil
}
