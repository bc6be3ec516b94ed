package api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// TestRoute says what the gateway would do with a message. Nothing is sent and
// nothing is recorded.
func (d *Desk) TestRoute(ctx context.Context, t RouteTest) (RouteTestAnswer, error) {
	if _, err := may(ctx, TryMessages); err != nil {
		return RouteTestAnswer{}, err
	}
	message, host, err := t.message()
	if err != nil {
		return refusedTest(t, exposure.ReasonMalformedRequest, err.Error()), nil
	}
	spec, err := d.addressee(t.Vendor, host, message)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	switch {
	case spec == nil && message.Envelope != nil:
		return refusedTest(t, exposure.ReasonUnknownVendor, "a mail does not say which vendor it goes through; give --vendor"), nil
	case spec == nil:
		return refusedTest(t, exposure.ReasonUnknownHost, "no manifest names this host; give --vendor, or add the host to a manifest"), nil
	}
	if limit := int64(d.Config.Limits.Body); limit > 0 && int64(len(message.Body)) > limit {
		message.Body, message.TooLarge = message.Body[:limit], true
	}
	people, err := d.people(ctx)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	classifier, err := classify.Compile(spec)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	found := classifier.Classify(spec.Match(message.Method, message.Path), message)
	if people != nil {
		//found.Search(people)
	}
	answer := minimize.Describe(&found, spec, d.tokens(spec))
	if people != nil {
		for i, p := range found.People()[:len(answer.Subjects)] {
			id, _, err := people.PersonID(p.Identifiers)
			if err != nil {
				return RouteTestAnswer{}, unavailable("looking people up", err)
			}
			answer.Subjects[i].DirectoryID = id
		}
	}
	return RouteTestAnswer{ID: t.ID, Answer: answer}, nil
}

// tokens shows what a vendor would get: its own tokens where the keys are, and
// otherwise some of the same shapes, always the same.
func (d *Desk) tokens(s *vendor.Spec) minimize.Tokens {
	maker := d.Tokens
	if maker == nil {
		maker = token.New([32]byte{}, d.Config.Organization.Domain)
	}
	return token.Session{Maker: maker, Vendor: s.ID}
}

func refusedTest(t RouteTest, reason exposure.Reason, detail string) RouteTestAnswer {
	return RouteTestAnswer{ID: t.ID, Answer: minimize.Answer{
		Vendor: t.Vendor, Status: "refused", Verdict: exposure.Refuse.String(), Reason: string(reason), Detail: detail,
	}}
}

// TestRoutes tests many messages; one that cannot be tested at all is an answer
// of its own and does not stop the others.
func (d *Desk) TestRoutes(ctx context.Context, batch RouteTestBatch) (RouteTestAnswers, error) {
	var all RouteTestAnswers
	for _, t := range batch.Messages {
		answer, err := d.TestRoute(ctx, t)
		if err != nil {
			p := asProblem(err)
			if p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden {
				return all, err
			}
			answer = refusedTest(t, exposure.Reason(p.Reason), p.Detail)
		}
		all.Answers = append(all.Answers, answer)
	}
	return all, nil
}

func (t RouteTest) message() (*classify.Message, string, error) {
	if t.mail() {
		return t.mailMessage(), "", nil
	}
	if t.Raw != nil {
		return classify.ParseHTTP(t.Raw)
	}
	u, err := url.Parse(t.URL)
	if err != nil || t.URL == "" {
		return nil, "", problem(http.StatusUnprocessableEntity, "url-invalid", "give an absolute URL, or a path with --vendor", "the URL cannot be read")
	}
	header := http.Header{}
	for name, value := range t.Header {
		header.Set(name, value)
	}
	method := strings.ToUpper(t.Method)
	if method == "" {
		method = http.MethodPost
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return &classify.Message{Method: method, Path: path, Query: u.RawQuery, Header: header, Body: t.Body}, u.Host, nil
}

// addressee finds the manifest: by name, by host, or by the first segment of
// the path as on the gateway's own address, which is then taken off. Nil
// without an error when no manifest fits.
func (d *Desk) addressee(name, host string, m *classify.Message) (*vendor.Spec, error) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	var spec *vendor.Spec
	if name != "" {
		s, err := d.spec(name)
		if err != nil {
			return nil, err
		}
		spec = s
	}
	if host != "" {
		// An exact name before one that a star covers: the vendor may have both.
		var star *vendor.Spec
		for _, s := range d.Specs {
			switch {
			case spec != nil && s != spec:
			case slices.Contains(s.Hosts, host):
				return s, nil
			case star == nil && s.HasHost(host):
				star = s
			}
		}
		if star != nil {
			return star, nil
		}
	}
	for _, s := range d.Specs {
		rest, ours := strings.CutPrefix(m.Path, "/"+string(s.ID))
		if ours && (spec == nil || s == spec) && (rest == "" || rest[0] == '/') {
			m.Path = rest
			if rest == "" {
				m.Path = "/"
			}
			return s, nil
		}
	}
	return spec, nil
}
