package evidence

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Contents is what a bundle is made of, before the ledger signs for it.
type Contents struct {
	Origin    string
	Key       string   // the ledger's public key
	Witnesses []string // keys of witnesses
	Incident  string
	Vendor    string
	// Checkpoint is signed, and cosigned by some of the witnesses; all batches
	// are proved under it.
	Checkpoint string
	Batches    []Batch
	Scopes     []Scope
	// Bitmap gives a bitmap of a scope by its hash. It is asked twice for each.
	Bitmap func(sha256 string) ([]byte, error)
	// Manifests are the vendors' manifests, by vendor.
	Manifests map[string][]byte
	Absent    []Absent
}

// Draft is a bundle of which everything is settled but the ledger's seal.
type Draft struct {
	origin   string
	manifest []byte
	parts    []draftPart
}

type draftPart struct {
	Part
	content func() ([]byte, error)
}

// Seal is what the ledger adds once it recorded the export.
type Seal struct {
	Head string // Draft.Head, signed
	// Export shows the one entry of the export, under Checkpoint, which is
	// later than that of the contents; Consistency leads from one to the other.
	Export      Batch
	Checkpoint  string
	Consistency []tlog.Hash
}

// Draft lays out the parts and fixes the manifest.
func (c *Contents) Draft() (*Draft, error) {
	d := &Draft{origin: c.Origin}
	d.add("checkpoint", false, []byte(c.Checkpoint))
	batches := slices.Clone(c.Batches)
	slices.SortFunc(batches, func(a, b Batch) int { return bytes.Compare(a.Header[17:25], b.Header[17:25]) })
	for _, b := range batches {
		h, err := ParseHeader(b.Header)
		if err != nil {
			return nil, err
		}
		proof, err := b.Proof(c.Checkpoint)
		if err != nil {
			return nil, err
		}
		name := "batches/" + strconv.FormatUint(h.Batch, 10)
		d.add(name+".tlog-proof", false, proof)
		for _, personal := range []bool{false, true} {
			if text := b.entries(personal); len(text) > 0 {
				d.add(name+map[bool]string{false: ".entries", true: ".personal"}[personal], personal, text)
			}
		}
	}
	if err := c.draftScopes(d); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Manifests)) {
		d.add("vendors/"+name+".yaml", true, c.Manifests[name])
	}
	m := Manifest{Origin: c.Origin, Key: c.Key, Witnesses: c.Witnesses, Incident: c.Incident, Vendor: c.Vendor, Absent: c.Absent}
	for _, p := range d.parts {
		m.Parts = append(m.Parts, p.Part)
	}
	d.manifest = m.Encode()
	if _, err := ParseManifest(d.manifest); err != nil { // of what no reader would take nothing is signed
		return nil, fmt.Errorf("laying out a bundle: %w", err)
	}
	return d, nil
}

func (c *Contents) draftScopes(d *Draft) error {
	scopes := slices.Clone(c.Scopes)
	slices.SortFunc(scopes, func(a, b Scope) int { return cmp.Compare(a.ID, b.ID) })
	hashes := map[string]bool{}
	for _, s := range scopes {
		text, err := s.encode()
		if err != nil {
			return err
		}
		d.add("scopes/"+s.ID+".json", false, text)
		for _, cohort := range s.Cohorts {
			hashes[cohort.SHA256] = true
		}
		hashes[s.Certain.SHA256], hashes[s.Excluded.SHA256] = true, true
	}
	delete(hashes, "")
	for _, sum := range slices.Sorted(maps.Keys(hashes)) {
		data, err := c.Bitmap(sum)
		if err != nil {
			return fmt.Errorf("reading the bitmap %s of a scope: %w", sum, err)
		}
		if hexSum(data) != sum {
			return fmt.Errorf("the bitmap %s of a scope does not have this hash", sum)
		}
		d.parts = append(d.parts, draftPart{
			Part{Name: "bitmaps/" + sum + ".roaring", Size: int64(len(data)), SHA256: sum, Personal: true},
			func() ([]byte, error) { return c.Bitmap(sum) },
		})
	}
	return nil
}

func (d *Draft) add(name string, personal bool, content []byte) {
	d.parts = append(d.parts, draftPart{
		Part{Name: name, Size: int64(len(content)), SHA256: hexSum(content), Personal: personal},
		func() ([]byte, error) { return content, nil },
	})
}

// Head is what the ledger is to sign, and whose SHA256 the entry of the export names.
func (d *Draft) Head() Head { return HeadOf(d.origin, d.manifest) }

// Size is that of the file in bytes.
func (d *Draft) Size(s Seal, redacted bool) (int64, error) {
	fixed, err := d.fixed(s)
	if err != nil {
		return 0, err
	}
	n := int64(frameEnd)
	for _, content := range fixed {
		n += frameBlock + int64(len(content)) + padding(int64(len(content)))
	}
	for _, p := range d.parts {
		if !redacted || !p.Personal {
			n += frameBlock + p.Size + padding(p.Size)
		}
	}
	return n, nil
}

func (d *Draft) fixed(s Seal) (contents [fixedMembers][]byte, err error) {
	proof, err := s.Export.Proof(s.Checkpoint)
	if err != nil {
		return contents, fmt.Errorf("sealing a bundle: %w", err)
	}
	s.Export.Entries = slices.Clone(s.Export.Entries)
	for i := range s.Export.Entries {
		s.Export.Entries[i].Personal = false
	}
	return [fixedMembers][]byte{
		memberManifest: d.manifest, memberHead: []byte(s.Head), memberExportProof: proof,
		memberExportEntries: s.Export.entries(false), memberConsistency: appendHashes(nil, s.Consistency),
	}, nil
}

// Write writes the bundle. Redacted, it is without its personal parts.
func (d *Draft) Write(w io.Writer, s Seal, redacted bool) error {
	fixed, err := d.fixed(s)
	if err != nil {
		return err
	}
	f := &frameWriter{w: w}
	for i, content := range fixed {
		if err := f.member(fixedNames[i], int64(len(content)), bytes.NewReader(content)); err != nil {
			return err
		}
	}
	for _, p := range d.parts {
		if redacted && p.Personal {
			continue
		}
		content, err := p.content()
		if err != nil {
			return fmt.Errorf("writing %s: %w", p.Name, err)
		}
		if err := f.member(p.Name, p.Size, bytes.NewReader(content)); err != nil {
			return err
		}
	}
	return f.end()
}

// Redact copies a bundle without its personal parts. What is left verifies as
// before; whoever has the whole bundle can do it.
func Redact(w io.Writer, f io.ReaderAt, size int64) error {
	members, err := readFrame(f, size)
	if err != nil {
		return err
	}
	if len(members) < fixedMembers || members[memberManifest].name != fixedNames[memberManifest] {
		return fail(StepFrame, "manifest", "this is no evidence bundle")
	}
	v := verifier{f: f, size: size}
	text, err := v.content(members[memberManifest])
	if err != nil {
		return err
	}
	m, err := ParseManifest(text)
	if err != nil {
		return fail(StepFrame, "manifest", "the list of what the bundle holds cannot be read: %v", err)
	}
	personal := map[string]bool{}
	for _, p := range m.Parts {
		personal[p.Name] = p.Personal
	}
	out := &frameWriter{w: w}
	for _, part := range members {
		if personal[part.name] {
			continue
		}
		if err := out.member(part.name, part.size, io.NewSectionReader(f, part.offset, part.size)); err != nil {
			return err
		}
	}
	return out.end()
}
