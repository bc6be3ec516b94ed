package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"cordon/evidence"
	"cordon/internal/directory"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// Client is the other end of NewHandler: one method per operation. Errors of
// the server arrive as *Error.
type Client struct {
	transport http.RoundTripper
	base      string
	token     string
	// Offline says that no server answers but this process over the store.
	Offline bool
}

// Socket is the client of the server on a data directory. Token may be "".
func Socket(data, token string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, data) }
	return &Client{transport: &http.Transport{DialContext: dial, DisableCompression: true}, base: "http://localhost", token: token}
}

// Remote is the client of a server's console address.
func Remote(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("the server is given as a URL, such as http://127.0.0.1:8480")
	}
	return &Client{transport: http.DefaultTransport, base: strings.TrimSuffix(u.String(), "/"), token: token}, nil
}

// InProcess is the client of a desk in this process; its owner acts as local.
func InProcess(d *Desk) *Client {
	return &Client{transport: direct{NewHandler(d)}, base: "http://localhost", Offline: !d.Online()}
}

func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, http.MethodGet, "/status", nil, &s)
}

func (c *Client) Health(ctx context.Context) (h Health, err error) {
	return h, c.call(ctx, http.MethodGet, "/health", nil, &h)
}

func (c *Client) Vendors(ctx context.Context) (l VendorList, err error) {
	return l, c.call(ctx, http.MethodGet, "/vendors", nil, &l)
}

func (c *Client) Vendor(ctx context.Context, name string) (v VendorDetail, err error) {
	return v, c.call(ctx, http.MethodGet, "/vendors/"+url.PathEscape(name), nil, &v)
}

// ChangeGate runs verb (cut, hold, restore) on a vendor.
func (c *Client) ChangeGate(ctx context.Context, verb, vendor string, r GateRequest) (g GateChange, err error) {
	return g, c.call(ctx, http.MethodPost, "/vendors/"+url.PathEscape(vendor)+"/gate/"+verb, r, &g)
}

func (c *Client) Scope(ctx context.Context, q ScopeQuery) (a scope.Answer, err error) {
	return a, c.call(ctx, http.MethodGet, scopePath(q, ""), nil, &a)
}

// ExportScope copies the CSV to w.
func (c *Client) ExportScope(ctx context.Context, q ScopeQuery, w io.Writer) error {
	response, err := c.do(ctx, http.MethodGet, scopePath(q, "/export"), "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(w, response.Body)
	return err
}

func (c *Client) Subject(ctx context.Context, q SubjectQuery) (p scope.Person, err error) {
	return p, c.call(ctx, http.MethodPost, "/subjects/lookup", q, &p)
}

// Links lists by what identifiers became a person's.
func (c *Client) Links(ctx context.Context, q SubjectQuery) (l SubjectLinks, err error) {
	return l, c.call(ctx, http.MethodPost, "/subjects/links", q, &l)
}

// Unlink gives an identifier to somebody else.
func (c *Client) Unlink(ctx context.Context, r SubjectUnlink) (u SubjectUnlinked, err error) {
	return u, c.call(ctx, http.MethodPost, "/subjects/unlink", r, &u)
}

func (c *Client) TestRoute(ctx context.Context, t RouteTest) (a RouteTestAnswer, err error) {
	return a, c.call(ctx, http.MethodPost, "/route/test", t, &a)
}

func (c *Client) TestRoutes(ctx context.Context, b RouteTestBatch) (a RouteTestAnswers, err error) {
	return a, c.call(ctx, http.MethodPost, "/route/test/batch", b, &a)
}

func (c *Client) VerifyLedger(ctx context.Context) (r ledger.Report, err error) {
	return r, c.call(ctx, http.MethodPost, "/ledger/verify", nil, &r)
}

func (c *Client) Prove(ctx context.Context, seq uint64) (p evidence.Proof, err error) {
	return p, c.call(ctx, http.MethodGet, fmt.Sprintf("/ledger/entries/%d/proof", seq), nil, &p)
}

// Tail gives entries to each, as Desk.Tail does.
func (c *Client) Tail(ctx context.Context, from, last uint64, follow bool, each func(Entry) error) error {
	path := fmt.Sprintf("/ledger/entries?from=%d&last=%d&follow=%t", from, last, follow)
	response, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := jsontext.NewDecoder(response.Body)
	for {
		line, err := lines.ReadValue()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading entries: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// ImportDirectory sends a file; version is that of directory.Opened, and sure says
// that many may leave.
func (c *Client) ImportDirectory(ctx context.Context, format directory.Format, version string, sure bool, r io.Reader) (a directory.Answer, err error) {
	q := url.Values{"version": {version}}
	if sure {
		q.Set("yes", "true")
	}
	response, err := c.do(ctx, http.MethodPost, "/directory?"+q.Encode(), mediaType(format), r)
	if err != nil {
		return a, err
	}
	return a, decode(response, &a)
}

func (c *Client) Users(ctx context.Context) (l UserList, err error) {
	return l, c.call(ctx, http.MethodGet, "/users", nil, &l)
}

func (c *Client) AddUser(ctx context.Context, name string, role Role) (u NewUser, err error) {
	return u, c.call(ctx, http.MethodPost, "/users", map[string]string{"user": name, "role": string(role)}, &u)
}

func (c *Client) ApproveUser(ctx context.Context, name string) (u User, err error) {
	return u, c.call(ctx, http.MethodPost, "/users/"+url.PathEscape(name)+"/approve", nil, &u)
}

func (c *Client) ChangeRole(ctx context.Context, name string, role Role) (u User, err error) {
	return u, c.call(ctx, http.MethodPost, "/users/"+url.PathEscape(name)+"/role", map[string]string{"role": string(role)}, &u)
}

func scopePath(q ScopeQuery, below string) string {
	v := url.Values{}
	for name, value := range map[string]string{"route": q.Route, "app": q.App, "credential": q.Credential, "basis": q.Basis, "incident": q.Incident} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	return "/vendors/" + url.PathEscape(q.Vendor) + "/scope" + below + "?" + v.Encode()
}

// call sends and reads one JSON value.
func (c *Client) call(ctx context.Context, method, path string, request, into any) error {
	var body io.Reader
	if request != nil {
		var b bytes.Buffer
		if err := Encode(&b, request, false); err != nil {
			return err
		}
		body = &b
	}
	response, err := c.do(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	return decode(response, into)
}

func decode(response *http.Response, into any) error {
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	// A newer server may say more than this version knows.
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the server's answer is not what this version expects: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+Prefix+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	data, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	p := new(Error)
	if json.Unmarshal(data, p) != nil || p.Detail == "" {
		return nil, problem(response.StatusCode, "not-cordon", "check --server", "the server answered %s without a reason", strconv.Itoa(response.StatusCode))
	}
	return nil, p
}
