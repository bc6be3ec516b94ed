package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"cordon/internal/care"
)

func registerCare(mux *http.ServeMux, a huma.API, d *Desk) {
	answer(a, http.MethodGet, "/ledger/scrub", "scrub-status", "What the last reading of everything found",
		func(ctx context.Context, _ *nothing) (care.ScrubStatus, error) { return d.Scrubbed(ctx) })

	stream(mux, a, &huma.Operation{
		OperationID: "ledger-backup", Method: http.MethodPost, Path: "/ledger/backup",
		Summary:     "Copy the ledger to a folder or file of the server; progress as JSON lines, the result last",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {}}},
		Responses:   streamed("application/x-ndjson", "progress, then backup or error"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Content-Type") != "application/json" {
			return problem(http.StatusUnsupportedMediaType, "media-type", "send application/json", "a backup is asked for in JSON")
		}
		var request BackupRequest
		in := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
		in.DisallowUnknownFields()
		if err := in.Decode(&request); err != nil {
			return problem(http.StatusUnprocessableEntity, "malformed-request", `send {"to":"/path"}`, "the request cannot be read")
		}
		return lines(w, func(progress func(care.Progress)) (CareLine, error) {
			done, err := d.Backup(ctx, request, progress)
			return CareLine{Backup: done}, err
		})
	})

	stream(mux, a, &huma.Operation{
		OperationID: "ledger-scrub", Method: http.MethodPost, Path: "/ledger/scrub",
		Summary:   "Read everything now; progress as JSON lines, the result last",
		Responses: streamed("application/x-ndjson", "progress, then scrub or error"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		return lines(w, func(progress func(care.Progress)) (CareLine, error) {
			s, err := d.ScrubNow(ctx, progress)
			return CareLine{Scrub: &s}, err
		})
	})
}

// lines answers with progress while do runs, at most ten lines a second. An
// error before the first line is an ordinary one; after it, the last line.
func lines(w http.ResponseWriter, do func(progress func(care.Progress)) (CareLine, error)) error {
	var mu sync.Mutex
	var last time.Time
	begun := false
	flush := http.NewResponseController(w)
	put := func(l CareLine) error {
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
			begun = true
		}
		if err := Encode(w, l, false); err != nil {
			return err
		}
		return flush.Flush()
	}
	result, err := do(func(p care.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) > 100*time.Millisecond {
			last = now
			_ = put(CareLine{Progress: &p}) // a client that went away ends the request's context
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		if !begun {
			return err
		}
		result = CareLine{Error: asProblem(err)}
	}
	return put(result)
}
