package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/roll"
	"cordon/internal/scope"
)

// AccessedKinds are what can prove that somebody's data was accessed: a list of
// records that a vendor or an examiner made, a log of the vendor, tokens that
// came back, canaries that rang.
var AccessedKinds = []string{"records", "vendor-log", "token", "canary"}

// maxUnmatched bounds the list of lines in an answer.
const maxUnmatched = 10_000

// Accessed takes in such a file: whom it names is certain from then on. The file
// itself is not kept, since it is another list of people; its hash is, and the
// digest of whom it names. Lines that name nobody known are listed by number.
func (d *Desk) Accessed(ctx context.Context, incident string, v exposure.VendorID, kind string, r io.Reader) (Accessed, error) {
	if kind == "" {
		kind = AccessedKinds[0]
	}
	answer := Accessed{Incident: incident, Vendor: string(v), Kind: kind, Unmatched: []uint64{}}
	actor, err := may(ctx, FreezeScopes)
	if err != nil {
		return answer, err
	}
	if !slices.Contains(AccessedKinds, kind) {
		return answer, problem(http.StatusUnprocessableEntity, "kind-unknown", "use "+strings.Join(AccessedKinds, ", "), "there is no kind of proof %q", kind)
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	if err := d.needServer("cordon incident accessed"); err != nil {
		return answer, err
	}
	people, sum := roaring.New(), sha256.New()
	o := roll.Options{Vendor: v, Bare: true, Anything: true, Now: d.Now()}
	for row, err := range roll.Read(ctx, io.TeeReader(r, sum), o, &answer.Problems) {
		if err != nil {
			return answer, unreadable(err)
		}
		who, err := d.named(v, kind, &row)
		if err != nil {
			return answer, unavailable("looking people up", err)
		}
		answer.Rows++
		if len(who) == 0 {
			if answer.UnmatchedRows++; len(answer.Unmatched) < maxUnmatched {
				answer.Unmatched = append(answer.Unmatched, row.Line)
			}
			continue
		}
		answer.Matched++
		for _, o := range who {
			people.Add(uint32(o))
		}
	}
	answer.People, answer.FileSHA256 = people.GetCardinality(), finish(sum, r)
	fields := map[string]any{"incident": incident, "proof": kind, "file_sha256": answer.FileSHA256,
		"rows": answer.Rows, "matched": answer.Matched, "people": answer.People}
	switch answer.Digest, err = d.Index.KeepAccessed(people); {
	case errors.Is(err, scope.ErrNobody):
	case err != nil:
		return answer, unavailable("keeping whom the list names", err)
	default:
		fields["digest"], fields["list"] = answer.Digest, answer.Digest
	}
	answer.Entry, err = d.Ledger.Append(ctx, ledger.Event{Kind: ledger.EventAccessed, Vendor: v, At: d.Now(), Actor: actor.Name, Fields: fields})
	if err != nil {
		return answer, unavailable("recording the list", err)
	}
	if answer.Certain, err = d.Index.Held(ctx, v, people); err != nil {
		return answer, unavailable("answering from the index", err)
	}
	answer.NotHeld = answer.People - answer.Certain
	return answer, nil
}

// named are the people whom a row names. A typed column says what its value is;
// a bare word is taken in the first meaning that somebody has. Rows of logs and
// lists of tokens are searched for more: a log names people where it likes.
func (d *Desk) named(v exposure.VendorID, kind string, row *roll.Row) ([]exposure.Ordinal, error) {
	var who []exposure.Ordinal
	add := func(more []exposure.Ordinal, err error) error {
		for _, o := range more {
			if o != exposure.Nobody && !slices.Contains(who, o) {
				who = append(who, o)
			}
		}
		return err
	}
	var typed []exposure.Identifier
	for _, name := range row.Names {
		switch {
		case name.Token != "":
			if err := add(d.Ledger.TokensIn(v, name.Token)); err != nil {
				return nil, err
			}
		case name.Typed:
			typed = append(typed, name.Readings...)
		default:
			for _, id := range name.Readings {
				found, err := d.Ledger.Whom([]exposure.Identifier{id})
				if err := add(found, err); err != nil {
					return nil, err
				}
				if len(found) > 0 {
					break
				}
			}
		}
	}
	if len(typed) > 0 {
		if err := add(d.Ledger.Whom(typed)); err != nil {
			return nil, err
		}
	}
	if len(who) > 0 && kind != "vendor-log" {
		return who, nil
	}
	if err := add(d.Ledger.TokensIn(v, row.Text)); err != nil {
		return nil, err
	}
	if kind != "vendor-log" {
		return who, nil
	}
	for _, id := range shaped(row.Text) {
		if err := add(d.Ledger.Whom([]exposure.Identifier{id})); err != nil {
			return nil, err
		}
	}
	return who, nil
}

var encoded = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// shaped are the words of a line that can be nothing but an address, an
// international number, or a hash of one.
func shaped(text string) (ids []exposure.Identifier) {
	between := func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'`,;|=<>()[]{}?&", r) }
	words := strings.FieldsFunc(text, between)
	// A log of a web server has addresses as they stand in URLs. Each word is
	// decoded once: what was encoded twice is somebody's text about an address.
	// What is no encoding stays as it stands; a log line is seldom a whole URL.
	for _, w := range words {
		plain := encoded.ReplaceAllStringFunc(w, func(x string) string {
			c, _ := strconv.ParseUint(x[1:], 16, 8)
			return string([]byte{byte(c)})
		})
		if plain != w || strings.Contains(w, "/") {
			words = append(words, strings.FieldsFunc(plain, func(r rune) bool { return between(r) || r == '/' })...)
		}
	}
	for _, w := range words {
		w = strings.TrimRight(w, ".:")
		var kinds []exposure.Kind
		switch _, domain, at := strings.Cut(w, "@"); {
		case at && strings.Contains(domain, "."):
			kinds = []exposure.Kind{exposure.KindEmail}
		case strings.HasPrefix(w, "+") && len(w) >= 8:
			kinds = []exposure.Kind{exposure.KindPhone}
		case len(w) == 64:
			kinds = []exposure.Kind{exposure.KindEmailSHA256, exposure.KindPhoneSHA256}
		case len(w) == 32:
			kinds = []exposure.Kind{exposure.KindEmailMD5}
		}
		for _, k := range kinds {
			if id, err := exposure.Canonical(k, w); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
