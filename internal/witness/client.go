package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"cordon/evidence"
)

// maxAnswer bounds what a witness may say.
const maxAnswer = 64 << 10

// Client asks one witness. Only the key that it was made with is believed.
type Client struct {
	url  string
	key  *evidence.Witness
	http *http.Client
}

// NewClient makes a client of the witness at an address (http or https, a
// path may follow), whose verifier key is vkey.
func NewClient(address, vkey string) (*Client, error) {
	key, err := evidence.ParseWitness(vkey)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("address of the witness: %q is not http(s)://HOST[:PORT][/PATH]", address)
	}
	return &Client{
		url: strings.TrimRight(address, "/"), key: key,
		http: &http.Client{
			Timeout: 10 * time.Second,
			// One witness, one connection, kept open between heads; no proxy from the
			// environment: nothing but the configuration says where we speak to.
			Transport: &http.Transport{
				MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
				MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Key is the witness's public key.
func (c *Client) Key() *evidence.Witness { return c.key }

// URL is where it is asked.
func (c *Client) URL() string { return c.url }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// AddCheckpoint asks for a cosignature of the head in r. It returns the head
// with the log's signatures and the witness's, checked, and when it was given.
// What the witness refuses is a *Refusal.
func (c *Client) AddCheckpoint(ctx context.Context, r Request) (cosigned string, at time.Time, err error) {
	status, kind, body, err := c.do(ctx, http.MethodPost, "/add-checkpoint", r.String())
	if err != nil {
		return "", at, err
	}
	if status != http.StatusOK {
		return "", at, c.refusal(status, kind, body)
	}
	return c.cosigned(r.Checkpoint, body)
}

// cosigned adds those lines of the answer to the head that are this witness's.
func (c *Client) cosigned(checkpoint, lines string) (string, time.Time, error) {
	var others []string
	out := checkpoint
	for line := range strings.Lines(lines) {
		if !strings.HasPrefix(line, "— ") || !strings.HasSuffix(line, "\n") {
			return "", time.Time{}, fmt.Errorf("the witness answered with something that is no signature")
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		if name != c.key.Name() {
			others = append(others, name)
			continue
		}
		out += line
	}
	at, err := c.key.Cosigned(out)
	switch {
	case errors.Is(err, evidence.ErrNotCosigned) && len(others) > 0:
		return "", at, &WrongKey{fmt.Sprintf("the witness signs as %s, the configured key is of %s", strings.Join(others, ", "), c.key.Name())}
	case errors.Is(err, evidence.ErrNotCosigned):
		return "", at, &WrongKey{fmt.Sprintf("the witness calls itself %s and signs with another key than the configured one", c.key.Name())}
	case err != nil:
		// The right key, and a signature over something else: an older head's, or
		// nobody's. Either is no cosignature of this head.
		return "", at, &WrongKey{fmt.Sprintf("the witness answered with a signature that is not over this head: %v", err)}
	}
	return onlyKnown(out, c.key), at, nil
}

// onlyKnown drops signatures that repeat or that a stranger added: what is kept has
// one line for each key that is believed, and the log's own lines.
func onlyKnown(signed string, key *evidence.Witness) string {
	text, sigs, _ := strings.Cut(signed, "\n\n")
	var b strings.Builder
	b.WriteString(text + "\n\n")
	seen := false
	for line := range strings.Lines(sigs) {
		if strings.HasPrefix(line, "— "+key.Name()+" ") {
			n, err := note.Open([]byte(text+"\n\n"+line), note.VerifierList(key))
			if err != nil || len(n.Sigs) == 0 || seen {
				continue
			}
			seen = true
		}
		b.WriteString(line)
	}
	return b.String()
}

// WrongKey says that an answer does not bear a cosignature that could be
// believed. Asking again does not help.
type WrongKey struct{ What string }

func (e *WrongKey) Error() string { return e.What }

// Latest fetches the newest head of a log that the witness cosigned, "" if it
// knows of none (or offers no such question: it is optional). Its signatures
// are not checked.
func (c *Client) Latest(ctx context.Context, origin string) (string, error) {
	status, kind, body, err := c.do(ctx, http.MethodGet, "/"+originHash(origin)+"/checkpoint", "")
	switch {
	case err != nil:
		return "", err
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return "", nil
	case status != http.StatusOK:
		return "", c.refusal(status, kind, body)
	}
	return body, nil
}

func (c *Client) do(ctx context.Context, method, path, body string) (status int, kind, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", fmt.Errorf("asking the witness: %w", err)
	}
	req.Header.Set("User-Agent", "cordon")
	if body != "" {
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // the address is known
		}
		return 0, "", "", fmt.Errorf("the witness at %s cannot be reached: %w", c.url, err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, "", "", fmt.Errorf("the witness at %s broke off its answer: %w", c.url, err)
	}
	if n > maxAnswer {
		return 0, "", "", fmt.Errorf("the witness at %s answered with more than %d bytes", c.url, maxAnswer)
	}
	kind, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type")) // "" for one that cannot be read
	return resp.StatusCode, kind, b.String(), nil
}

// refusal reads an answer that is no cosignature.
func (c *Client) refusal(status int, kind, body string) error {
	if status == http.StatusConflict {
		size, err := parseSize(strings.TrimSuffix(body, "\n"))
		if err != nil || kind != "text/x.tlog.size" {
			return fmt.Errorf("the witness at %s says that its size differs, but not what it is", c.url)
		}
		return &Refusal{status, size, fmt.Sprintf("the witness has seen %d batches", size)}
	}
	said := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, body))
	if len(said) > 200 {
		said = said[:200]
	}
	switch status {
	case http.StatusNotFound:
		return &Refusal{Status: status, What: "the witness does not know this ledger: " + said}
	case http.StatusForbidden:
		return &Refusal{Status: status, What: "the witness knows this ledger by another key: " + said}
	case http.StatusUnprocessableEntity:
		return &Refusal{Status: status, What: "the witness has seen another history of this ledger: " + said}
	}
	return &Refusal{Status: status, What: fmt.Sprintf("the witness answered with status %d: %s", status, said)}
}
