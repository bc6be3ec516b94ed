package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// EvidenceType is the media type of a bundle: a tar archive of one layout.
const EvidenceType = "application/vnd.cordon.evidence+tar"

func registerEvidence(mux *http.ServeMux, a huma.API, d *Desk) {
	stream(mux, a, &huma.Operation{
		OperationID: "evidence", Method: http.MethodGet, Path: "/incidents/{incident}/evidence",
		Summary:    "The evidence bundle of an incident, for cordon-verify; recorded",
		Parameters: []*huma.Param{query("redacted", "true: without what is about people"), query("disclosures", "true: with the messages to the vendor")},
		Responses:  streamed(EvidenceType, "see package evidence"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		request := EvidenceRequest{Incident: r.PathValue("incident")}
		for name, into := range map[string]*bool{"redacted": &request.Redacted, "disclosures": &request.Disclosures} {
			switch q.Get(name) {
			case "", "false":
			case "true":
				*into = true
			default:
				return problem(http.StatusUnprocessableEntity, "malformed-request", "leave it out or say true", "%s is true or false", name)
			}
		}
		return d.ExportEvidence(ctx, request, func(size int64) {
			w.Header().Set("Content-Type", EvidenceType)
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			w.Header().Set("Content-Disposition", `attachment; filename="`+request.Incident+`.evidence"`)
		}, w)
	})
}
