// Package ledger is the durable record.
package ledger

import (
	"context"
	"errors"
	"iter"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/store"
)

// ErrUnavailable is what every call gets once the ledger cannot be trusted to
// record any more; errors.Unwrap leads to the cause.
var ErrUnavailable = errors.New("the ledger does not record")

type Ledger struct{}
type Receipt struct{}

const todo = "being written"

func Open(o Options) (*Ledger, error) { panic(todo) }
func (l *Ledger) Close() error        { panic(todo) }

// Store is the one store, for the owners of the other keyspaces.
func (l *Ledger) Store() *store.Store                                         { panic(todo) }
func (l *Ledger) Record(ctx context.Context, d Disclosure) (*Receipt, error)  { panic(todo) }
func (r *Receipt) Seq() uint64                                                { panic(todo) }
func (r *Receipt) Redeem(c *minimize.Cleared) error                           { panic(todo) }
func (l *Ledger) Settle(r *Receipt, o Outcome)                                { panic(todo) }
func (l *Ledger) Append(ctx context.Context, e Event) (seq uint64, err error) { panic(todo) }
func (l *Ledger) Note(e Event)                                                { panic(todo) }
func (l *Ledger) Status() Status                                              { panic(todo) }
func (l *Ledger) Checkpoint(ctx context.Context) error                        { panic(todo) }

// Entries yields durable entries from number from on (1 is the first), and ends at what was durable when it began.
func (l *Ledger) Entries(from uint64) iter.Seq2[Entry, error] { panic(todo) }

// Follow returns a channel that is closed when the ledger grows next. Take it before reading Entries.
func (l *Ledger) Follow() <-chan struct{}                                              { panic(todo) }
func (l *Ledger) Verify(ctx context.Context, progress func(done, total uint64)) Report { panic(todo) }
func (l *Ledger) Prove(seq uint64) (evidence.Proof, error)                             { panic(todo) }
func (l *Ledger) Lookup(id exposure.Identifier) (exposure.Ordinal, bool, error)        { panic(todo) }
func (l *Ledger) Import(ctx context.Context, people iter.Seq2[Person, error]) (Imported, error) {
	panic(todo)
}
func (l *Ledger) People() (*People, error) { panic(todo) }

// DirectoryID opens the sealed directory id of somebody in the directory.
func (l *Ledger) DirectoryID(o exposure.Ordinal) (string, bool, error) { panic(todo) }
