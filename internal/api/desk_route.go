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

// TestRoute says what the gateway would do with a message. Nothing is sent, and
// nothing is recorded but that somebody was shown whom the directory knows.
func (d *Desk) TestRoute(ctx context.Context, t RouteTest) (RouteTestAnswer, error) {
	trial, err := d.trial(ctx)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	answer, err := trial.test(t)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	return answer, trial.show(ctx)
}

// trial is one call that tests messages.
type trial struct {
	*Desk
	actor Actor
	// people is nil for those who may not read about people: an answer would
	// tell them who is in the directory, and whether a name that they guess is right.
	people roster
	shown  int // people of the directory in the answers
}

func (d *Desk) trial(ctx context.Context) (*trial, error) {
	actor, err := may(ctx, TryMessages)
	if err != nil {
		return nil, err
	}
	y := &trial{Desk: d, actor: actor}
	if actor.May(ReadPeople) {
		y.people, err = d.people(ctx)
	}
	return y, err
}

// show is called before the answers are seen: a read of people is an entry, and
// nobody but the socket's owner may make many.
func (y *trial) show(ctx context.Context) error {
	if y.shown == 0 {
		return nil
	}
	if err := y.limit().take(y.actor, float64(y.shown), y.Now()); err != nil {
		return err
	}
	return y.record(ctx, y.actor, "", map[string]any{"what": "route-test", "people": y.shown})
}

func (y *trial) test(t RouteTest) (RouteTestAnswer, error) {
	message, host, err := t.message()
	if err != nil {
		return refusedTest(t, exposure.ReasonMalformedRequest, err.Error()), nil
	}
	spec, err := y.addressee(t.Vendor, host, message)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	switch {
	case spec == nil && message.Envelope != nil:
		return refusedTest(t, exposure.ReasonUnknownVendor, "a mail does not say which vendor it goes through; give --vendor"), nil
	case spec == nil:
		return refusedTest(t, exposure.ReasonUnknownHost, "no manifest names this host; give --vendor, or add the host to a manifest"), nil
	}
	if limit := int64(y.Config.Limits.Body); limit > 0 && int64(len(message.Body)) > limit {
		message.Body, message.TooLarge = message.Body[:limit], true
	}
	classifier, err := classify.Compile(spec)
	if err != nil {
		return RouteTestAnswer{}, err
	}
	found := classifier.Classify(spec.Match(message.Method, message.Path), message)
	found.Search(y.people)
	answer := minimize.Describe(&found, spec, y.tokens(spec))
	if y.people != nil {
		for i, p := range found.People()[:len(answer.Subjects)] {
			id, known, err := y.people.PersonID(p.Identifiers)
			if err != nil {
				return RouteTestAnswer{}, unavailable("looking people up", err)
			}
			if known {
				answer.Subjects[i].DirectoryID = id
				y.shown++
			}
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
	session := token.Session{Maker: maker, Vendor: s.ID}
	if d.Ledger != nil {
		session.Epoch = d.Ledger.TokenEpoch(s.ID)
	}
	return session
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
	trial, err := d.trial(ctx)
	if err != nil {
		return all, err
	}
	for _, t := range batch.Messages {
		answer, err := trial.test(t)
		if err != nil {
			p := asProblem(err)
			answer = refusedTest(t, exposure.Reason(p.Reason), p.Detail)
		}
		all.Answers = append(all.Answers, answer)
	}
	return all, trial.show(ctx)
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
