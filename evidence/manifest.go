package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// BundleFormat is the first line of a manifest and of a head.
const BundleFormat = "cordon-evidence/1"

// Manifest lists what a bundle holds.
type Manifest struct {
	Origin    string
	Key       string   // the ledger's
	Witnesses []string // keys
	Incident  string
	Vendor    string
	Parts     []Part
	Absent    []Absent
}

// Part is one part of a bundle. A personal one may be missing from the file.
type Part struct {
	Name     string
	Size     int64
	SHA256   string // hex
	Personal bool
}

// Absent says why something that a reader may look for is not in a bundle.
type Absent struct {
	What string `json:"what"` // one word
	Why  string `json:"why"`
}

// Encode is the member manifest.
func (m *Manifest) Encode() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\norigin %s\nkey %s\n", BundleFormat, m.Origin, m.Key)
	for _, w := range m.Witnesses {
		fmt.Fprintf(&b, "witness %s\n", w)
	}
	fmt.Fprintf(&b, "incident %s %s\n", m.Incident, m.Vendor)
	for _, p := range m.Parts {
		word := "part"
		if p.Personal {
			word = "personal"
		}
		fmt.Fprintf(&b, "%s %d %s %s\n", word, p.Size, p.SHA256, p.Name)
	}
	for _, a := range m.Absent {
		fmt.Fprintf(&b, "absent %s %s\n", a.What, a.Why)
	}
	return []byte(b.String())
}

// ParseManifest reads what Encode wrote, and nothing else.
func ParseManifest(text []byte) (*Manifest, error) {
	m := new(Manifest)
	lines := strings.Split(string(text), "\n")
	next := func(word string) (string, bool) {
		if len(lines) == 0 {
			return "", false
		}
		rest, ok := strings.CutPrefix(lines[0], word+" ")
		if ok {
			lines = lines[1:]
		}
		return rest, ok
	}
	if lines[0] != BundleFormat {
		return nil, fmt.Errorf("it does not begin with %s", BundleFormat)
	}
	lines = lines[1:]
	m.Origin, _ = next("origin")
	m.Key, _ = next("key")
	for {
		w, ok := next("witness")
		if !ok {
			break
		}
		m.Witnesses = append(m.Witnesses, w)
	}
	about, _ := next("incident")
	m.Incident, m.Vendor, _ = strings.Cut(about, " ")
	if m.Origin == "" || m.Key == "" || !validName(m.Incident) || !validName(m.Vendor) {
		return nil, fmt.Errorf("origin, key, incident or vendor is missing")
	}
	var order partOrder
	for {
		line, ok := next("part")
		personal := false
		if !ok {
			if line, ok = next("personal"); !ok {
				break
			}
			personal = true
		}
		p := Part{Personal: personal}
		words := strings.Split(line, " ")
		if len(words) != 3 {
			return nil, fmt.Errorf("a part is not described by three words")
		}
		size, err := strconv.ParseInt(words[0], 10, 64)
		sum, err2 := hex.DecodeString(words[1])
		if err != nil || err2 != nil || size < 0 || len(sum) != sha256.Size {
			return nil, fmt.Errorf("the size or the hash of %s is none", words[2])
		}
		p.Size, p.SHA256, p.Name = size, words[1], words[2]
		if err := order.check(p); err != nil {
			return nil, err
		}
		m.Parts = append(m.Parts, p)
	}
	if err := order.end(); err != nil {
		return nil, err
	}
	for {
		line, ok := next("absent")
		if !ok {
			break
		}
		what, why, _ := strings.Cut(line, " ")
		if what == "" || why == "" {
			return nil, fmt.Errorf("something is absent without a name or a reason")
		}
		m.Absent = append(m.Absent, Absent{what, why})
	}
	if len(lines) != 1 || lines[0] != "" {
		return nil, fmt.Errorf("it has lines that do not belong there")
	}
	if string(m.Encode()) != string(text) { // leading zeros, capitals in hex
		return nil, fmt.Errorf("it is not written as it must be")
	}
	return m, nil
}

// Kinds of parts, in their order.
const (
	kindCheckpoint = iota
	kindProof
	kindEntries
	kindPersonal
	kindScope
	kindBitmap
	kindVendor
)

// partKind reads a name. id is what stands for N, ID, SHA256 or VENDOR.
func partKind(name string) (kind int, id string, ok bool) {
	if name == "checkpoint" {
		return kindCheckpoint, "", true
	}
	for _, k := range []struct {
		kind         int
		folder, tail string
	}{
		{kindProof, "batches/", ".tlog-proof"},
		{kindEntries, "batches/", ".entries"},
		{kindPersonal, "batches/", ".personal"},
		{kindScope, "scopes/", ".json"},
		{kindBitmap, "bitmaps/", ".roaring"},
		{kindVendor, "vendors/", ".yaml"},
	} {
		id, found := strings.CutPrefix(name, k.folder)
		if !found {
			continue
		}
		if id, found = strings.CutSuffix(id, k.tail); found && id != "" && !strings.Contains(id, "/") && validName(name) {
			return k.kind, id, true
		}
	}
	return 0, "", false
}

// partOrder holds that parts come in the order that the format gives them.
type partOrder struct {
	begun bool
	kind  int
	id    string
	batch uint64 // of the last proof
	shown bool   // entries came after the last proof
}

func (o *partOrder) check(p Part) error {
	wrong := fmt.Errorf("the part %s is not of a known kind, or not in its place", p.Name)
	kind, id, ok := partKind(p.Name)
	if !ok || p.Personal != (kind == kindPersonal || kind == kindBitmap || kind == kindVendor) {
		return wrong
	}
	last := *o
	o.begun, o.kind, o.id = true, kind, id
	if !last.begun {
		if kind != kindCheckpoint {
			return wrong
		}
		return nil
	}
	if last.kind == kindProof && kind != kindEntries && kind != kindPersonal {
		return wrong // a proof of nothing
	}
	switch kind {
	case kindProof:
		n, err := strconv.ParseUint(id, 10, 63)
		if err != nil || strconv.FormatUint(n, 10) != id || last.kind > kindPersonal || o.shown && n <= o.batch {
			return wrong
		}
		o.batch = n
	case kindEntries:
		if last.kind != kindProof || id != last.id {
			return wrong
		}
		o.shown = true
	case kindPersonal:
		if last.kind != kindProof && last.kind != kindEntries || id != last.id {
			return wrong
		}
		o.shown = true
	case kindScope, kindBitmap, kindVendor:
		if last.kind > kind || last.kind == kind && id <= last.id {
			return wrong
		}
		if kind == kindBitmap {
			if sum, err := hex.DecodeString(id); err != nil || len(sum) != sha256.Size || id != p.SHA256 {
				return wrong
			}
		}
	default:
		return wrong
	}
	return nil
}

func (o *partOrder) end() error {
	if !o.begun || o.kind == kindProof {
		return fmt.Errorf("there is no checkpoint, or a batch shows no entry")
	}
	return nil
}

// Head is what the ledger signs of a bundle.
type Head struct {
	Origin string
	Size   int64  // of the manifest
	SHA256 string // of the manifest, hex; the export's entry names it too
}

// HeadOf describes an encoded manifest.
func HeadOf(origin string, manifest []byte) Head {
	return Head{origin, int64(len(manifest)), hexSum(manifest)}
}

func (h Head) text() string {
	return fmt.Sprintf("%s\n%s\nmanifest %d %s\n", BundleFormat, h.Origin, h.Size, h.SHA256)
}

// Sign makes the member head.
func (h Head) Sign(s note.Signer) (string, error) {
	if h.Origin != s.Name() {
		return "", fmt.Errorf("bundle of %q cannot be signed by %q", h.Origin, s.Name())
	}
	msg, err := note.Sign(&note.Note{Text: h.text()}, s)
	if err != nil {
		return "", fmt.Errorf("signing a bundle: %w", err)
	}
	return string(msg), nil
}

// parseHead reads the text of a head without checking its signature.
func parseHead(signed []byte) (h Head, ok bool) {
	lines := strings.Split(string(signed), "\n")
	if len(lines) != 6 || lines[0] != BundleFormat || lines[3] != "" || lines[5] != "" {
		return h, false
	}
	h.Origin = lines[1]
	words := strings.Split(lines[2], " ")
	if len(words) != 3 {
		return h, false
	}
	h.Size, _ = strconv.ParseInt(words[1], 10, 64)
	h.SHA256 = words[2]
	return h, strings.HasPrefix(string(signed), h.text()+"\n")
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
