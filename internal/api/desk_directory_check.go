package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"os"
	"runtime"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"cordon/internal/directory"
	"cordon/internal/figure"
	"cordon/internal/ledger"
)

// A file of people replaces the directory: whoever is not in it has left, and is
// a stranger to every answer from then on. Half a file, or the wrong one, must
// not do that unasked.
const (
	// manyLeave and manyOf: more than so many people, and more than every so
	// many-th of the directory.
	manyLeave = 20
	manyOf    = 10
)

// MassLeave reports whether so many of a directory leave at once that somebody
// has to say that it is meant.
func MassLeave(left, there uint64) bool { return left > manyLeave && left > there/manyOf }

// DirectoryPreview is what `cordon directory import --dry-run --json` answers.
// Who would be changed cannot be told without storing it.
type DirectoryPreview struct {
	DryRun bool `json:"dry_run"`
	// People would be taken; New of them are not known, and Left of the There who
	// are in the directory now would leave. Absent where no ledger could be asked.
	People uint64  `json:"people"`
	There  *uint64 `json:"there,omitempty"`
	New    *uint64 `json:"new,omitempty"`
	Left   *uint64 `json:"left,omitempty"`
	// Asks: the import is refused unless it is said that this is meant.
	Asks         bool                 `json:"asks"`
	Rejected     []directory.Rejected `json:"rejected"`
	RejectedRows uint64               `json:"rejected_rows"`
	Ignored      []string             `json:"ignored"`
}

// PreviewDirectory says what an import of the file would do, and stores nothing.
func (d *Desk) PreviewDirectory(ctx context.Context, format directory.Format, r io.Reader) (*DirectoryPreview, error) {
	if _, err := may(ctx, LoadPeople); err != nil {
		return nil, err
	}
	if err := d.needLedger(); err != nil {
		return nil, err
	}
	var found ledger.Compared
	a, err := directory.ImportBlocks(ctx, format, r, func(ctx context.Context, src directory.Source) (s directory.Stored, err error) {
		found, err = compare(ctx, d.Ledger, src)
		s.Repeated = found.Repeated
		return s, err
	}, directory.Options{Now: d.Now()})
	switch {
	case err == nil:
	case errors.Is(err, ledger.ErrUnavailable) || ctx.Err() != nil:
		return nil, unavailable("comparing the directory", err)
	default:
		return nil, unreadableDirectory(err)
	}
	return &DirectoryPreview{DryRun: true, People: a.People, There: &found.There, New: &found.New, Left: &found.Left,
		Asks: MassLeave(found.Left, found.There), Rejected: a.Rejected, RejectedRows: a.RejectedRows, Ignored: a.Ignored}, nil
}

func unreadableDirectory(err error) error {
	return problem(http.StatusUnprocessableEntity, "directory-unreadable",
		"the first line of a CSV names the columns: id,email,phone,name,street,postal_code,city,country,state,language,birth_date,username", "%v", err)
}

// compare looks everybody of a source up, several blocks at once.
func compare(ctx context.Context, l *ledger.Ledger, src directory.Source) (found ledger.Compared, err error) {
	c, err := l.Compare()
	if err != nil {
		return found, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next sync.Mutex
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			for ctx.Err() == nil {
				next.Lock()
				block, err := src.Next()
				next.Unlock()
				if err == nil && block != nil {
					err = block(func(p *directory.Person) error {
						return c.Add(&ledger.Person{ID: p.ID, Identifiers: p.Identifiers, Line: p.Line})
					})
				}
				if err != nil {
					stop(err)
				}
				if block == nil {
					return
				}
			}
		})
	}
	tasks.Wait()
	if err := context.Cause(ctx); err != nil {
		return found, err
	}
	return c.Done(), nil
}

// MayReplaceDirectory looks through a file before it is imported, and refuses
// one that would have many people leave. It gives back what was read, to be
// closed. With sure, or a directory of few people, nothing is read.
//
// A body comes once and is needed twice: it lies meanwhile in a file that has no
// name any more, under a key that is nowhere but in memory, since it holds people.
func (d *Desk) MayReplaceDirectory(ctx context.Context, format directory.Format, sure bool, r io.ReadCloser) (io.ReadCloser, error) {
	if _, err := may(ctx, LoadPeople); err != nil {
		return nil, err
	}
	if sure || !d.Online() || d.Ledger == nil {
		return r, nil
	}
	people, err := d.Ledger.People()
	if err != nil {
		return nil, unavailable("reading the directory", err)
	}
	there := 0
	for _, w := range people.DirectoryBits() {
		there += bits.OnesCount64(w)
	}
	if !MassLeave(uint64(there), uint64(there)) { // not even if all left
		return r, nil
	}
	aside, err := newAside(d.Config.Data)
	if err != nil {
		return nil, unavailable("setting the directory aside", err)
	}
	p, err := d.PreviewDirectory(ctx, format, io.TeeReader(r, aside))
	if err == nil && p.Asks {
		err = problem(http.StatusForbidden, "many-leave",
			"if the file is whole and the right one, run it again with --yes (--dry-run shows the figures)",
			"the file replaces the directory, and %s of %s in it are not in the file: they would leave, and nothing was stored",
			figure.Grouped(*p.Left), figure.Count(*p.There, "person", "people"))
	}
	if err == nil {
		err = aside.rewind()
	}
	if err != nil {
		aside.Close()
		return nil, err
	}
	return aside, nil
}

// aside is a file without a name whose content only this process can read.
type aside struct {
	file  *os.File
	block cipher.Block
	w     io.Writer
	r     io.Reader
}

func newAside(dir string) (*aside, error) {
	f, err := os.CreateTemp(dir, ".directory-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	block, err := aes.NewCipher(random(32))
	if err != nil {
		f.Close()
		return nil, err
	}
	a := &aside{file: f, block: block}
	a.w = cipher.StreamWriter{S: a.stream(), W: f}
	return a, nil
}

// stream has no nonce: a key is used for one file.
func (a *aside) stream() cipher.Stream {
	return cipher.NewCTR(a.block, make([]byte, aes.BlockSize))
}

func (a *aside) Write(p []byte) (int, error) { return a.w.Write(p) }
func (a *aside) Read(p []byte) (int, error)  { return a.r.Read(p) }
func (a *aside) Close() error                { return a.file.Close() }

func (a *aside) rewind() error {
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading what was set aside: %w", err)
	}
	a.r = cipher.StreamReader{S: a.stream(), R: a.file}
	return nil
}

func registerDirectory(mux *http.ServeMux, a huma.API, d *Desk) {
	stream(mux, a, &huma.Operation{
		OperationID: "directory-preview", Method: http.MethodPost, Path: "/directory/preview",
		Summary: "What an import of a file of people would do; nothing is stored",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/csv": {}, "application/x-ndjson": {},
		}},
		Responses: streamed("application/json", "people, there, new, left, asks, rejected"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		format, ok := map[string]directory.Format{"text/csv": directory.CSV, "application/x-ndjson": directory.JSONL}[r.Header.Get("Content-Type")]
		if !ok {
			return problem(http.StatusUnsupportedMediaType, "media-type", "send text/csv or application/x-ndjson", "a directory is CSV or JSON lines")
		}
		answer, err := d.PreviewDirectory(ctx, format, r.Body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return Encode(w, answer, false)
	})
}

// PreviewDirectory sends a file of which nothing is stored.
func (c *Client) PreviewDirectory(ctx context.Context, format directory.Format, r io.Reader) (p DirectoryPreview, err error) {
	response, err := c.do(ctx, http.MethodPost, "/directory/preview", mediaType(format), r)
	if err != nil {
		return p, err
	}
	return p, decode(response, &p)
}

func mediaType(f directory.Format) string {
	if f == directory.JSONL {
		return "application/x-ndjson"
	}
	return "text/csv"
}
