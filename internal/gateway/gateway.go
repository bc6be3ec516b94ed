package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/vault"
	"cordon/internal/vendor"
)

// Recorder is the durable record as the pipeline needs it; *ledger.Ledger is one.
// Record returns when the disclosure is durable. Settle and Note are queued
// and never waited for. All may be called by many goroutines.
type Recorder interface {
	Record(ctx context.Context, d ledger.Disclosure) (*ledger.Receipt, error)
	Settle(r *ledger.Receipt, o ledger.Outcome)
	Note(e ledger.Event)
}

// Journal is the durable record as a change of a gate needs it; *ledger.Ledger
// is one. Append returns when the event is durable.
type Journal interface {
	Append(ctx context.Context, e ledger.Event) (seq uint64, err error)
	Checkpoint(ctx context.Context) error
}

// Secrets reads what manifests name; *vault.Vault is one. Digest is keyed.
type Secrets interface {
	Secret(ref string) (vault.Secret, error)
	Digest(credential string) string
}

// App is one sender. Without any, loopback peers are served as "anonymous".
type App struct {
	Name    string
	Token   vault.Secret
	Vendors []exposure.VendorID // nil: all
}

// Options are what a gateway is made of.
type Options struct {
	Recorder Recorder
	Journal  Journal
	Gates    *isolate.Gates
	Specs    []*vendor.Spec
	Secrets  Secrets
	Apps     []App
	// BodyLimit is the longest body that is read as a whole, in bytes; 0: 1 MiB.
	BodyLimit int64
	// VendorTimeout is how long a vendor may take to begin its answer; 0: a minute.
	VendorTimeout time.Duration
	// Observe lets the proxy tunnel to hosts that no manifest names, recorded as
	// not inspected, instead of refusing them.
	Observe bool
	Log     *slog.Logger     // nil: slog.Default()
	Now     func() time.Time // nil: time.Now
}

// Anonymous is the app of a loopback peer when no apps are configured.
const Anonymous = "anonymous"

// ObservedVendor is the pseudo vendor under which traffic to hosts that no
// manifest names is recorded.
const ObservedVendor exposure.VendorID = "observed"

// Gateway serves exchanges. Make it with New, close it with Close.
type Gateway struct {
	o       Options
	vendors map[exposure.VendorID]*Vendor
	hosts   map[string]*Vendor
	pending pendingEvents
	seen    observed
}
