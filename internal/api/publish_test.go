package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cordon/internal/ledger"
)

// pretendLog answers with what it was asked for.
type pretendLog struct{}

func (pretendLog) PublishedHead() string { return "head" }

func (pretendLog) Tile(level int, index uint64, width int) ([]byte, error) {
	if index == 7 {
		return nil, ledger.ErrNoTile
	}
	return fmt.Appendf(nil, "tile %d %d %d", level, index, width), nil
}

func (pretendLog) Headers(index uint64, width int) ([]byte, error) {
	return fmt.Appendf(nil, "headers %d %d", index, width), nil
}

func TestPathsOfThePublishedLog(t *testing.T) {
	a := NewAccess(nil, time.Now)
	h := a.PublishLog(pretendLog{}, true, slog.New(slog.DiscardHandler))
	for path, want := range map[string]string{
		"/tlog/checkpoint":                          "head",
		"/tlog/tile/0/000":                          "tile 0 0 256",
		"/tlog/tile/0/000.p/1":                      "tile 0 0 1",
		"/tlog/tile/3/x001/x234/067":                "tile 3 1234067 256",
		"/tlog/tile/3/x001/x234/067.p/255":          "tile 3 1234067 255",
		"/tlog/tile/entries/x001/000.p/12":          "headers 1000 12",
		"/tlog/tile/entries/999":                    "headers 999 256",
		"/tlog/tile/0/007":                          "",
		"/tlog/tile/0/000.p/0":                      "",
		"/tlog/tile/0/000.p/256":                    "",
		"/tlog/tile/0/000.p/01":                     "",
		"/tlog/tile/0/000.p/+1":                     "",
		"/tlog/tile/0/0":                            "",
		"/tlog/tile/0/0000":                         "",
		"/tlog/tile/0/x000/001":                     "",
		"/tlog/tile/0/001/002":                      "",
		"/tlog/tile/0/x001":                         "",
		"/tlog/tile/00/001":                         "",
		"/tlog/tile/-1/001":                         "",
		"/tlog/tile/0/-01":                          "",
		"/tlog/tile/0/x001/x001/x001/x001/x001/001": "",
		"/tlog/tile/0/":                             "",
		"/tlog/tile/0":                              "",
		"/tlog/entries/000":                         "",
		"/tlog/":                                    "",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		body, _ := io.ReadAll(w.Body)
		if want == "" && w.Code != http.StatusNotFound || want != "" && (w.Code != 200 || string(body) != want) {
			t.Errorf("%s: %d %q, want %q", path, w.Code, body, want)
		}
		if w.Code == 404 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the absence may be cached", path)
		}
	}
	for path, cache := range map[string]string{"/tlog/checkpoint": "public, max-age=1", "/tlog/tile/0/000": "public, max-age=31536000, immutable"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Header().Get("Cache-Control"); got != cache {
			t.Errorf("%s: %q", path, got)
		}
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/tlog/checkpoint", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	w = httptest.NewRecorder()
	a.PublishLog(pretendLog{}, false, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/tlog/checkpoint", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("not public, nobody logged in: %d", w.Code)
	}
}
