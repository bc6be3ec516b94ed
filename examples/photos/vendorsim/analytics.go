package vendorsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// analytics answers as Segment's tracking API does: it accepts nearly
// everything, so that a mistake in an app is not noticed here.
type analytics struct{}

func (*analytics) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	call, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	switch call {
	case "identify", "track", "page", "screen", "group", "alias", "batch", "import":
	default:
		ok = false
	}
	if !ok || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if !json.Valid(body) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"success": false, "message": "malformed JSON"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"success": true})
}

func (*analytics) refuse(w http.ResponseWriter, status int, retryAfter time.Duration) {
	setRetryAfter(w, retryAfter)
	writeJSON(w, status, map[string]any{"success": false, "message": http.StatusText(status)})
}
