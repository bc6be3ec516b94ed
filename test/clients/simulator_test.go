package clients

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// shape is one call as a vendor documents it: where, with which credential,
// which values must be there and what they must look like. A simulator of
// shapes refuses what the vendor would refuse: 400 for a value, 401 for the
// credential, 404 for the path. It knows nothing of a vendor's behaviour.
type shape struct {
	method, path string   // path is a regular expression for all of it
	auth         string   // header and how its value must begin: "Authorization: Bearer "; or signed
	rules        []string // "path kind": every value there must be of this kind; with ? it may be missing
	status       int
	answer       string
}

// kinds are what values may have to be.
var kinds = map[string]func(string) bool{
	"text":      func(v string) bool { return v != "" },
	"email":     func(v string) bool { a, err := mail.ParseAddress(v); return err == nil && a.Address == v },
	"addresses": func(v string) bool { _, err := mail.ParseAddressList(v); return err == nil },
	"e164":      regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString,
	"slackid":   regexp.MustCompile(`^[UW][A-Z0-9]{8,}$`).MatchString,
	"ip":        regexp.MustCompile(`^[0-9a-f.:]+$`).MatchString,
	"short":     func(v string) bool { return v != "" && len(v) <= 100 },
	"number":    func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil },
}

// received is a message that arrived at a simulator.
type received struct {
	line   string // method, path, content type, coding: what the SDK put on the wire
	values []value
	raw    string // as it came: request line, headers, body
}

// value is one scalar of a body, with the path of its keys; list indexes are [].
type value struct{ path, text string }

// simulator answers as one vendor.
type simulator struct {
	url  string
	mu   sync.Mutex
	got  []received
	says []string // why something was refused
}

// simulate starts a simulator of shapes; or, where there is a better one at
// another address, records for it.
func simulate(t *testing.T, shapes []shape, better string) *simulator {
	s := &simulator{}
	var forward http.Handler
	if better != "" {
		to, err := url.Parse(better)
		if err != nil {
			t.Fatal(err)
		}
		forward = httputil.NewSingleHostReverseProxy(to)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer, refused := s.judge(r, shapes)
		if forward != nil {
			forward.ServeHTTP(w, r)
			return
		}
		if refused != "" {
			s.mu.Lock()
			s.says = append(s.says, refused)
			s.mu.Unlock()
			answer = `{"ok":false,"error":` + strconv.Quote(refused) + `,"message":` + strconv.Quote(refused) + `}`
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer) // a client that left is no error here
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *simulator) judge(r *http.Request, shapes []shape) (status int, answer, refused string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 400, "", "reading the body: " + err.Error()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	values, err := decode(r, body)
	var head bytes.Buffer
	_ = r.Header.Write(&head)
	s.mu.Lock()
	s.got = append(s.got, received{
		line:   strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"))),
		values: values, raw: r.Method + " " + r.URL.RequestURI() + "\n" + head.String() + "\n" + string(body),
	})
	s.mu.Unlock()
	if err != nil {
		return 400, "", "reading the body: " + err.Error()
	}
	for _, sh := range shapes {
		if sh.method != r.Method || !regexp.MustCompile(`^(?:`+sh.path+`)$`).MatchString(r.URL.Path) {
			continue
		}
		if sh.auth == signed {
			if err := verifySigV4(r, body); err != nil {
				return 403, "", "SignatureDoesNotMatch: " + err.Error()
			}
		} else if header, prefix, _ := strings.Cut(sh.auth, ": "); sh.auth != "" && (!strings.HasPrefix(r.Header.Get(header), prefix) || len(r.Header.Get(header)) <= len(prefix)) {
			return 401, "", r.Method + " " + r.URL.Path + " wants " + sh.auth
		}
		if refused := judgeValues(values, sh.rules); refused != "" {
			return 400, "", r.Method + " " + r.URL.Path + ": " + refused
		}
		return sh.status, sh.answer, ""
	}
	return 404, "", "there is no " + r.Method + " " + r.URL.Path
}

func judgeValues(values []value, rules []string) string {
	for _, rule := range rules {
		path, kind, _ := strings.Cut(rule, " ")
		path, optional := strings.CutSuffix(path, "?")
		seen := false
		for _, v := range values {
			if v.path != path {
				continue
			}
			seen = true
			if fits := kinds[kind]; fits != nil && !fits(v.text) || fits == nil && !slices.Contains(strings.Split(kind, "|"), v.text) {
				return fmt.Sprintf("%s is no %s: %q", path, kind, v.text)
			}
		}
		if !seen && !optional {
			return path + " is missing"
		}
	}
	return ""
}

// decode reads a body as the vendor would, by what the request says of it.
func decode(r *http.Request, body []byte) (values []value, err error) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	form := func(q url.Values) {
		for key, list := range q {
			for _, text := range list {
				values = append(values, value{key, text})
				if raw, err := base64.StdEncoding.DecodeString(text); err == nil && json.Valid(raw) && len(raw) > 0 && strings.ContainsAny(string(raw[:1]), "{[") {
					text = string(raw)
				}
				if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
					_ = flatten(key, []byte(text), &values) // text that only looks like JSON is text
				}
			}
		}
	}
	form(r.URL.Query())
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return values, nil
	case strings.Contains(r.URL.Path, "/envelope"):
		return values, envelope(body, &values)
	case kind == "multipart/form-data":
		parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for {
			part, err := parts.NextPart()
			if err == io.EOF {
				return values, nil
			}
			if err != nil {
				return values, err
			}
			text, err := io.ReadAll(part)
			if err != nil {
				return values, err
			}
			form(url.Values{part.FormName(): {string(text)}})
		}
	case kind == "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(body))
		form(q)
		return values, err
	default:
		return values, flatten("", body, &values)
	}
}

// envelope reads Sentry's lines: a header, then pairs of an item's header and
// its payload, which lies under the item's type.
func envelope(body []byte, values *[]value) error {
	lines := bytes.Split(bytes.TrimRight(body, "\n"), []byte("\n"))
	if err := flatten("header", lines[0], values); err != nil {
		return err
	}
	for i := 1; i+1 < len(lines); i += 2 {
		var item struct {
			Type   string
			Length *int
		}
		if err := json.Unmarshal(lines[i], &item); err != nil {
			return fmt.Errorf("an item's header: %w", err)
		}
		if item.Length != nil && *item.Length != len(lines[i+1]) {
			return fmt.Errorf("an item says %d bytes and has %d", *item.Length, len(lines[i+1]))
		}
		if err := flatten(item.Type, lines[i+1], values); err != nil {
			return err
		}
	}
	return nil
}

func flatten(path string, text []byte, values *[]value) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return err
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, below := range v {
				*values = append(*values, value{path + ".#", key})
				walk(strings.TrimPrefix(path+"."+key, "."), below)
			}
		case []any:
			for _, below := range v {
				walk(path+"[]", below)
			}
		default:
			*values = append(*values, value{path, fmt.Sprint(v)})
		}
	}
	walk(path, root)
	return nil
}

// holds tells where a text stands in what the vendor received, however written.
func (s *simulator) holds(text string) (where string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.got {
		for _, v := range m.values {
			if strings.Contains(v.text, text) {
				return v.path, true
			}
		}
		if strings.Contains(m.raw, text) || strings.Contains(m.raw, url.QueryEscape(text)) {
			return "the raw message", true
		}
	}
	return "", false
}
