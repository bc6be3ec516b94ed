package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"cordon/internal/directory"
)

// registerStreams adds what is not one JSON value: lists that stream and files
// that are uploaded. They stand in the OpenAPI document like the others.
func registerStreams(mux *http.ServeMux, a huma.API, d *Desk) {
	registerCare(mux, a, d)
	registerHoldings(mux, a, d)
	registerDirectory(mux, a, d)
	stream(mux, a, &huma.Operation{
		OperationID: "ledger-entries", Method: http.MethodGet, Path: "/ledger/entries",
		Summary: "Entries as JSON lines; with follow=true it goes on",
		Parameters: []*huma.Param{
			query("from", "the first entry, from 1"), query("last", "or so many of the newest"), query("follow", "true: go on"),
		},
		Responses: streamed("application/x-ndjson", "one entry a line"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		from, err1 := number(r, "from")
		last, err2 := number(r, "last")
		if err1 != nil || err2 != nil {
			return problem(http.StatusUnprocessableEntity, "malformed-request", "give whole numbers", "from and last are numbers of entries")
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		flush := http.NewResponseController(w)
		return d.Tail(ctx, from, last, r.URL.Query().Get("follow") == "true", func(e Entry) error {
			if err := Encode(w, e, false); err != nil {
				return err
			}
			return flush.Flush()
		})
	})

	stream(mux, a, &huma.Operation{
		OperationID: "scope-export", Method: http.MethodGet, Path: "/vendors/{vendor}/scope/export",
		Summary: "The people of a scope by directory id, as CSV; recorded and limited",
		Parameters: []*huma.Param{
			query("route", ""), query("app", ""), query("credential", ""),
			query("since", "RFC 3339"), query("until", "RFC 3339"), query("basis", "held or sent"),
		},
		Responses: streamed("text/csv", "id,cohort,categories,protected,country,language"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		v := r.URL.Query()
		q := ScopeQuery{Vendor: r.PathValue("vendor"), Route: v.Get("route"), App: v.Get("app"),
			Credential: v.Get("credential"), Basis: v.Get("basis")}
		for name, into := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
			if v.Get(name) == "" {
				continue
			}
			t, err := time.Parse(time.RFC3339Nano, v.Get(name))
			if err != nil {
				return problem(http.StatusUnprocessableEntity, "malformed-request", "write it as 2026-02-03T10:00:00Z", "%s is not an instant", name)
			}
			*into = t
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		return d.ExportScope(ctx, q, w)
	})

	stream(mux, a, &huma.Operation{
		OperationID: "incident-accessed", Method: http.MethodPost, Path: "/incidents/{incident}/accessed",
		Summary:     "Take in a list of what was accessed, as it came from the vendor or an examiner",
		Parameters:  []*huma.Param{query("kind", "records, vendor-log, token or canary")},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {}}},
		Responses:   streamed("application/json", "rows, matched, people, unmatched, certain"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Content-Type") != "application/octet-stream" { // no form of another site can send it
			return problem(http.StatusUnsupportedMediaType, "media-type", "send it as application/octet-stream", "a list of what was accessed is sent as it is")
		}
		answer, err := d.IncidentAccessed(ctx, r.PathValue("incident"), r.URL.Query().Get("kind"), r.Body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return Encode(w, answer, false)
	})

	stream(mux, a, &huma.Operation{
		OperationID: "directory-import", Method: http.MethodPost, Path: "/directory",
		Summary: "Replace the directory of people; refused if many would leave, unless yes=true",
		Parameters: []*huma.Param{
			query("version", "names the state of the file: an interrupted import of the very same is gone on with"),
			query("yes", "true: whoever is not in the file may leave, however many they are"),
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/csv": {}, "application/x-ndjson": {},
		}},
		Responses: streamed("application/json", "people, new, changed, rejected"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		// Neither type can be sent by a form of another site.
		format, ok := map[string]directory.Format{"text/csv": directory.CSV, "application/x-ndjson": directory.JSONL}[r.Header.Get("Content-Type")]
		if !ok {
			return problem(http.StatusUnsupportedMediaType, "media-type", "send text/csv or application/x-ndjson", "a directory is CSV or JSON lines")
		}
		body, err := d.MayReplaceDirectory(ctx, format, r.URL.Query().Get("yes") == "true", r.Body)
		if err != nil {
			return err
		}
		defer body.Close()
		answer, err := d.ImportDirectory(ctx, format, r.URL.Query().Get("version"), body, nil)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return Encode(w, answer, false)
	})
}

func stream(mux *http.ServeMux, a huma.API, op *huma.Operation, do func(context.Context, http.ResponseWriter, *http.Request) error) {
	a.OpenAPI().AddOperation(op)
	mux.HandleFunc(op.Method+" "+Prefix+op.Path, func(w http.ResponseWriter, r *http.Request) {
		sw := &startedWriter{ResponseWriter: w}
		if err := do(r.Context(), sw, r); err != nil {
			if sw.started {
				// The status is gone. Break the connection, so that half an
				// answer is not taken for a whole one.
				panic(http.ErrAbortHandler)
			}
			w.Header().Del("Content-Type")
			writeProblem(w, asProblem(err))
		}
	})
}

// startedWriter remembers whether anything was sent.
type startedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *startedWriter) Write(p []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(p)
}

func (w *startedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

var _ io.Writer = (*startedWriter)(nil)

func query(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
}

func streamed(contentType, doc string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: doc, Content: map[string]*huma.MediaType{contentType: {}}}}
}

func number(r *http.Request, name string) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	return strconv.ParseUint(text, 10, 64)
}
