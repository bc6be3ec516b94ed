package api

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"cordon/internal/ledger"
)

// LogPrefix is where the ledger's tree can be read as that of any transparency
// log (C2SP tlog-tiles), on the console's address.
const LogPrefix = "/tlog"

// publishedLog is the ledger's tree; *ledger.Ledger is one.
type publishedLog interface {
	PublishedHead() string
	Tile(level int, index uint64, width int) ([]byte, error)
	Headers(index uint64, width int) ([]byte, error)
}

// PublishLog serves the tree, whose leaves are the headers of batches: no
// personal data, but when messages left and how many. So unless public says
// otherwise it wants a session or a token, as the figures do; a witness needs
// none of it.
//
//	/tlog/checkpoint               the newest head, cosigned where somebody does
//	/tlog/tile/L/N[.p/W]           hashes
//	/tlog/tile/entries/N[.p/W]     headers
func (a *Access) PublishLog(l publishedLog, public bool, log *slog.Logger) http.Handler {
	// A bundle costs a read of up to 256 batches: strangers get two at a time.
	places := make(chan struct{}, 2)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, problem(http.StatusMethodNotAllowed, "method", "GET it", "the log can only be read"))
			return
		}
		cache := "public"
		if !public {
			cache = "private"
			actor, _ := a.Who(r)
			if actor.Name == "" || !actor.May(SeeFigures) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="cordon"`)
				writeProblem(w, problem(http.StatusUnauthorized, "not-authenticated",
					"send `Authorization: Bearer TOKEN`, or set public_log: true", "the log is not public"))
				return
			}
		}
		path := strings.TrimPrefix(r.URL.Path, LogPrefix+"/")
		if path == "checkpoint" {
			head := l.PublishedHead()
			if head == "" {
				writeProblem(w, problem(http.StatusNotFound, "no-head", "wait a second", "no head is signed yet"))
				return
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", cache+", max-age=1")
			_, _ = w.Write([]byte(head))
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-r.Context().Done():
			return
		}
		body, err := readTile(l, path)
		switch {
		case errors.Is(err, ledger.ErrNoTile):
			writeProblem(w, problem(http.StatusNotFound, "no-tile", "read "+LogPrefix+"/checkpoint first", "the newest head needs no such tile"))
		case err != nil:
			log.Error("serving the log", "path", path, "error", err)
			writeProblem(w, problem(http.StatusServiceUnavailable, "ledger", "see the server's log; `cordon ledger verify` says what is there", "the tile cannot be read"))
		default:
			w.Header().Set("Content-Type", "application/octet-stream")
			// What a head of that size needs never changes.
			w.Header().Set("Cache-Control", cache+", max-age=31536000, immutable")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
		}
	})
}

func readTile(l publishedLog, path string) ([]byte, error) {
	path, ok := strings.CutPrefix(path, "tile/")
	kind, rest, cut := strings.Cut(path, "/")
	if !ok || !cut {
		return nil, ledger.ErrNoTile
	}
	index, width, ok := parseTile(rest)
	if !ok {
		return nil, ledger.ErrNoTile
	}
	if kind == "entries" {
		return l.Headers(index, width)
	}
	level, err := strconv.ParseUint(kind, 10, 6)
	if err != nil || strconv.FormatUint(level, 10) != kind {
		return nil, ledger.ErrNoTile
	}
	return l.Tile(int(level), index, width)
}

// parseTile reads N[.p/W]: groups of three digits, an x before all but the
// last, as few of them as the number needs.
func parseTile(s string) (index uint64, width int, ok bool) {
	width = ledger.TileWidth
	if n, w, partial := strings.Cut(s, ".p/"); partial {
		var err error
		width, err = strconv.Atoi(w)
		if err != nil || strconv.Itoa(width) != w || width < 1 || width >= ledger.TileWidth {
			return 0, 0, false
		}
		s = n
	}
	groups := strings.Split(s, "/")
	if len(groups) > 5 { // 2^48 tiles
		return 0, 0, false
	}
	for i, g := range groups {
		if i < len(groups)-1 {
			var x bool
			if g, x = strings.CutPrefix(g, "x"); !x {
				return 0, 0, false
			}
		}
		n, err := strconv.ParseUint(g, 10, 16)
		if err != nil || len(g) != 3 || i == 0 && len(groups) > 1 && n == 0 {
			return 0, 0, false
		}
		index = index*1000 + n
	}
	return index, width, true
}
