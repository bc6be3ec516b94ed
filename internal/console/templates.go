package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cordon/internal/figure"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// pages holds one template set per page: the layout and the page's own file.
var pages = parse()

func parse() map[string]*template.Template {
	sets := map[string]*template.Template{}
	base := template.Must(template.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		if name := path.Base(f); name != "layout.html" && name != "parts.html" {
			sets[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, f))
		}
	}
	return sets
}

var functions = template.FuncMap{
	"n":        func(v any) string { return grouped(v) },
	"count":    func(v any, one, many string) string { return counted(v, one, many) },
	"took":     figure.Took,
	"ago":      figure.Ago,
	"instant":  figure.Instant,
	"rfc3339":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"asset":    asset,
	"sentence": sentence,
	"rate":     rate,
	"head":     head,
	"gateWord": func(gate string) string {
		return map[string]string{"open": "Open", "hold": "On hold", "cut": "Cut"}[gate]
	},
	"title": func(s string) string {
		r, size := utf8.DecodeRuneInString(s)
		return string(unicode.ToUpper(r)) + s[size:]
	},
}

func grouped(v any) string {
	switch v := v.(type) {
	case int:
		return figure.Grouped(v)
	case int64:
		return figure.Grouped(v)
	case uint64:
		return figure.Grouped(v)
	default:
		return fmt.Sprint(v)
	}
}

func counted(v any, one, many string) string {
	text := grouped(v)
	if text == "1" {
		return "1 " + one
	}
	return text + " " + many
}

// rate writes messages per second: "0", "0.4", "12".
func rate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "0"
	case perSecond < 10:
		return fmt.Sprintf("%.1f", perSecond)
	default:
		return figure.Grouped(int(perSecond + 0.5))
	}
}

// head is the root hash of a signed checkpoint, shortened for the eye.
func head(checkpoint string) string {
	lines := strings.SplitN(checkpoint, "\n", 4)
	if len(lines) < 4 || len(lines[2]) < 12 {
		return ""
	}
	return lines[2][:12]
}

// sentence makes one of a message that began as an error.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	r, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[size:]
	if !strings.ContainsAny(s[len(s)-1:], ".?!`") {
		s += "."
	}
	return s
}

// draw writes a page, whole or not at all.
func (c *Console) draw(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages[name].Execute(&b, data); err != nil {
		c.log.Error("console", "template", name, "error", err)
		http.Error(w, "The page could not be drawn; the server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// versions are the first bytes of each asset's hash: an asset's address changes
// with its content, so that it may be kept for ever.
var versions = func() map[string]string {
	out := map[string]string{}
	err := fs.WalkDir(assetFiles, "assets", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := assetFiles.ReadFile(p)
		sum := sha256.Sum256(data)
		out[strings.TrimPrefix(p, "assets/")] = hex.EncodeToString(sum[:6])
		return err
	})
	if err != nil {
		panic(err)
	}
	return out
}()

func asset(name string) (string, error) {
	v, ok := versions[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return "/assets/" + name + "?v=" + v, nil
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	data, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := map[string]string{".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[path.Ext(name)]
	if kind == "" {
		kind = "text/plain"
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	if r.URL.Query().Get("v") == versions[name] {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(data)
}
