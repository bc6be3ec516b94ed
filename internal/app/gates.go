package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"cordon/internal/isolate"
	"cordon/internal/ledger"
)

// adopt records a gate that is more closed than the ledger remembers: somebody
// cut it without a server, or its file is damaged. Without this entry the
// ledger would contradict the gate for ever.
func (a *App) adopt(ctx context.Context, r isolate.Report) error {
	last, remembered := a.fold.Gates(r.Vendor)[r.Route]
	if !remembered {
		last = isolate.Open
	}
	if r.InForce >= last {
		return nil
	}
	// Where the data lie is nobody's business for ever: often below somebody's name.
	found := strings.ReplaceAll(r.Problem, a.cfg.Data+string(filepath.Separator), "")
	_, err := a.ledger.Append(ctx, ledger.Event{
		Kind: ledger.EventGate, Vendor: r.Vendor, At: a.o.Now(), Actor: "gate-file",
		Fields: map[string]any{"gate": r.InForce.String(), "from": last.String(), "route": r.Route, "found": found},
	})
	if err != nil {
		return fmt.Errorf("recording the gate of %s: %w", r.Vendor, err)
	}
	a.fold.Took(r.Vendor, r.Route, r.InForce)
	return nil
}
