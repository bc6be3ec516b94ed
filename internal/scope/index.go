package scope

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// Options say where the index lives and what it follows.
type Options struct {
	// DB is the one store; the index writes under store.Index and store.Scope.
	DB     *pebble.DB
	Source Source
	People People
	Now    func() time.Time
	Log    *slog.Logger
	// ReadOnly never writes: what the store does not hold yet is read from the
	// journal into memory.
	ReadOnly bool
	// FlushEvery and FlushFacts bound what a restart reads again: whichever
	// comes first. Zero takes the defaults.
	FlushEvery time.Duration
	FlushFacts int
}

// Index follows the journal and answers questions. All methods may be called
// at the same time.
type Index struct{}

// Progress is told how many entries of how many are done.
type Progress func(done, total uint64)

var errNotBuilt = errors.New("the scope index is not built yet")

// Open loads the index and starts to follow the journal.
func Open(o Options) (*Index, error) { return nil, errNotBuilt }

// Sync returns once the index knows every entry acknowledged before the call.
func (x *Index) Sync(ctx context.Context) error { return errNotBuilt }

// Query answers q; every disclosure acknowledged before the call is in it.
func (x *Index) Query(ctx context.Context, q Query) (*Answer, error) { return nil, errNotBuilt }

// Opener opens the directory id of a person; "" for a stranger.
type Opener func(exposure.Ordinal) (string, error)

// Export writes the people of q as CSV, one line each, and returns how many.
func (x *Index) Export(ctx context.Context, q Query, w io.Writer, open Opener) (uint64, error) {
	return 0, errNotBuilt
}

// Exposed gives the ordinals of q with their cohort (index in the answer's
// Cohorts), by chunk.
func (x *Index) Exposed(ctx context.Context, q Query) (*Answer, iter.Seq2[exposure.Ordinal, int], error) {
	return nil, nil, errNotBuilt
}

// Subject tells what every vendor got about one person.
func (x *Index) Subject(ctx context.Context, who exposure.Ordinal) (*Person, error) {
	return nil, errNotBuilt
}

// Recent gives today's figures: per vendor, and the people exposed to any.
func (x *Index) Recent(ctx context.Context) (map[exposure.VendorID]Recent, uint64, error) {
	return nil, 0, errNotBuilt
}

// Rebuild throws the index away and reads the journal from its beginning.
func (x *Index) Rebuild(ctx context.Context, progress Progress) error { return errNotBuilt }

// Check builds a second index in the empty folder scratch, compares it with
// this one, and names the differences.
func (x *Index) Check(ctx context.Context, scratch string, progress Progress) ([]string, error) {
	return nil, errNotBuilt
}

// Close writes what is not written yet and stops.
func (x *Index) Close() error { return errNotBuilt }
