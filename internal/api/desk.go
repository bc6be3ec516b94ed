package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/internal/config"
	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/scope"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// Desk does the work of every verb. The fields are set by whoever wires it and
// never change. Traffic and Gates are nil without a running server; the ledger
// is then open read-only and the desk changes nothing.
type Desk struct {
	Config *config.Config
	Specs  []*vendor.Spec
	Ledger *ledger.Ledger
	Index  *scope.Index
	Fold   *Fold
	// Gates of the running server, or nil.
	Gates *isolate.Gates
	// Traffic is the running gateway, or nil.
	Traffic Traffic
	// Witness is how the running server stands with its witness, or nil.
	Witness Witness
	// Watch is the running watch, or nil.
	Watch Watcher
	Now   func() time.Time
	// Tokens makes the tokens that a vendor would get. Nil, where no keys can be
	// opened: tokens of the same shapes that no vendor gets.
	Tokens *token.Maker
	// LedgerKey is the public key of the ledger, as checkpoint.pub holds it.
	LedgerKey string

	once  sync.Once
	reads *throttle
	// Care looks after the files.
	Care Care
	// backing is held by the one backup that may run.
	backing sync.Mutex
	// freezing is held from naming a scope until its entry is written.
	freezing sync.Mutex
	// importing is held by the one import that may run.
	importing sync.Mutex
	memory    memory
}

// Traffic is the running gateway; *gateway.Gateway is one.
type Traffic interface {
	Change(ctx context.Context, o gateway.Order) (gateway.Done, error)
	Counters() map[exposure.VendorID]gateway.Counters
}

// Online reports whether a server runs behind the desk.
func (d *Desk) Online() bool { return d.Traffic != nil }

func (d *Desk) needServer(verb string) error {
	if d.Online() {
		return nil
	}
	return problem(http.StatusServiceUnavailable, "no-server", "start it with `cordon serve`", "%s needs a running server, and none runs on this data directory", verb)
}

// needLedger is for a data directory that no server has ever used.
func (d *Desk) needLedger() error {
	if d.Ledger != nil {
		return nil
	}
	return problem(http.StatusServiceUnavailable, "no-ledger", "start it with `cordon serve`",
		"there is no ledger in %s yet", d.Config.Data)
}

// throttle of reads about people: twenty at once, then one every three seconds.
func (d *Desk) limit() *throttle {
	d.once.Do(func() { d.reads = newThrottle(20, 3*time.Second) })
	return d.reads
}

func (d *Desk) spec(name string) (*vendor.Spec, error) {
	names := make([]string, 0, len(d.Specs))
	for _, s := range d.Specs {
		if string(s.ID) == name {
			return s, nil
		}
		names = append(names, string(s.ID))
	}
	next := "cordon vendor list"
	if near := nearest(name, names); near != "" {
		next = "did you mean " + near + "? See `cordon vendor list`"
	}
	return nil, problem(http.StatusNotFound, "unknown-vendor", next, "there is no vendor %q", name)
}

// unavailable puts a ledger that does not record into words.
func unavailable(what string, err error) error {
	if errors.Is(err, ledger.ErrUnavailable) {
		return problem(http.StatusServiceUnavailable, string(exposure.ReasonLedger),
			"see `cordon status` and the server's log; nothing is forwarded until it is repaired and restarted",
			"%s: the ledger does not record", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// record writes that somebody read about people, before they see the answer.
// Without a server only the owner of the store can be the reader, and nothing
// can be written.
func (d *Desk) record(ctx context.Context, a Actor, v exposure.VendorID, fields map[string]any) error {
	if !d.Online() {
		return nil
	}
	_, err := d.Ledger.Append(ctx, ledger.Event{
		Kind: ledger.EventRead, Vendor: v, At: d.Now(), Actor: a.Name, Fields: fields,
	})
	if err != nil {
		return unavailable("recording who reads", err)
	}
	return nil
}

// nearest is the name that a typing mistake most likely meant, or "".
func nearest(name string, names []string) string {
	best, found := 3, "" // further than two letters is another word
	for _, n := range names {
		if strings.HasPrefix(n, name) && len(name) >= 3 {
			return n
		}
		if d := distance(name, n); d < best {
			best, found = d, n
		}
	}
	return found
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], slices.Min([]int{row[j+1] + 1, row[j] + 1, diagonal + cost})
		}
	}
	return row[len(b)]
}
