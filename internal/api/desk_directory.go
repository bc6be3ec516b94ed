package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"cordon/internal/directory"
	"cordon/internal/ledger"
)

// ImportDirectory reads the directory of people into the ledger: who is in it,
// and that whoever is missing has left. One import runs at a time. One of the
// same version that was interrupted is gone on with; without a version none is.
// Progress may be nil.
func (d *Desk) ImportDirectory(ctx context.Context, format directory.Format, version string, r io.Reader, progress func(bytes int64, lines uint64)) (*directory.Answer, error) {
	if _, err := may(ctx, LoadPeople); err != nil {
		return nil, err
	}
	if err := d.needServer("cordon directory import"); err != nil {
		return nil, err
	}
	if !d.importing.TryLock() {
		return nil, problem(http.StatusConflict, "import-running", "wait until it is done", "another import runs")
	}
	defer d.importing.Unlock()
	answer, err := directory.ImportBlocks(ctx, format, r, People(d.Ledger, d.Config.Directory), directory.Options{Progress: progress, Now: d.Now(), Version: version})
	switch {
	case err == nil:
		d.Fold.AlarmDirectory("") // whoever imports sees who left
		return answer, nil
	case errors.Is(err, ledger.ErrUnavailable) || ctx.Err() != nil:
		return nil, unavailable("importing the directory", err)
	default:
		return nil, unreadableDirectory(err)
	}
}
