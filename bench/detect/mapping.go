package main

import (
	"errors"
	"fmt"

	"cordon/internal/classify"
	"cordon/internal/detect/detecttest"
	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// The mappings of the generated messages, one route a shape. Under "none" what
// is nobody's is named too, as in the catalogue; without it, everything that is
// not named is searched.
const mappings = `vendor: acme
upstream: https://api.acme.example
%s
mapping:
  - {on: POST /0, subjects: 'personalizations[].to[]', fields: {email: user.contact.email, name: user.name}}
  - {on: POST /0, fields: {'personalizations[].subject': %[2]s, 'content[].value': %[2]s, 'content[].type': none, from: none%[3]s}}
  - {on: POST /1, fields: {card.number: user.financial.credit_card, card.exp_month: none, card.exp_year: none, amount: none, currency: none, billing_details.email: user.contact.email,
      billing_details.phone: user.contact.phone_number, billing_details.name: user.name, client_ip: user.device.ip_address%[3]s}}
  - {on: POST /2, fields: {userId: user.unique_id, anonymousId: user.unique_id.pseudonymous, context.ip: user.device.ip_address, context.userAgent: user.device.user_agent, type: none,
      context.locale: none, context.screen: none, context.location: user.location.precise, traits.email: user.contact.email, traits.phone: user.contact.phone_number, timestamp: none%[3]s}}
  - {on: POST /3, fields: {user.id: user.unique_id, user.ip_address: user.device.ip_address, 'exception.values[].value': %[2]s, 'exception.values[].type': none, event_id: none, timestamp: none, platform: none, release: none%[3]s}}
  - {on: POST /4, fields: {ticket.requester.name: user.name, ticket.requester.email: user.contact.email, ticket.subject: %[2]s, ticket.comment.body: %[2]s, 'ticket.tags[]': none%[3]s}}
  - {on: POST /5, fields: {employee.name: user.name, employee.ssn: user.government_id.national_identification_number, employee.iban: user.financial.bank_account,
      employee.salary: none, employee.email: user.contact.email, period: none%[3]s}}
`

const (
	text  = "user.content.private"
	noise = ", id: none, order_id: none, reference: none, created: none, request_id: none, sha: none, cursor: none, sdk: none, asset: none, package: none, updated_at: none"
	// tokens asks for a token of every mapped category that can have one.
	tokens = "minimize: {user.contact.email: token, user.contact.phone_number: token, user.name: token, user.unique_id: token, user.unique_id.pseudonymous: token}"
	routes = 6
)

// mapping are the contestants that read messages as the gateway does.
func mapping(docs []detecttest.Document) ([]*speed, error) {
	session := token.Session{Maker: token.New([32]byte{1}, "acme.example"), Vendor: "acme"}
	var list []*speed
	for _, of := range []struct {
		name, does, policy, text, noise string
		pass                            func(c *course) func()
	}{
		{"mapping", "classified; everything named, nothing searched", "", "none", noise, (*course).classify},
		{"mapping and detector", "classified; texts searched, all else named", "", text, noise, (*course).classify},
		{"mapping and detector, little named", "the same; eleven leaves that nothing names are searched too", "", text, "", (*course).classify},
		{"splice with real tokens", "of classified messages every address, number, name and id replaced by its token", tokens, "none", noise,
			func(c *course) func() { return c.splice(session) }},
		{"whole way", "classified, cleared with tokens, spliced, digested for the receipt", tokens, text, noise,
			func(c *course) func() { return c.clear(session) }},
	} {
		c, err := newCourse(fmt.Sprintf(mappings, of.policy, of.text, of.noise), docs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", of.name, err)
		}
		list = append(list, &speed{Name: of.name, Does: of.does, pass: of.pass(c)})
	}
	return list, nil
}

func (c *course) classify() func() {
	return func() {
		for i := range c.messages {
			c.classifier.Classify(c.routes[i%routes], &c.messages[i])
		}
	}
}

func (c *course) clear(tokens minimize.Tokens) func() {
	return func() {
		for i := range c.messages {
			f := c.classifier.Classify(c.routes[i%routes], &c.messages[i])
			if _, d := minimize.Clear(&f, c.spec, tokens); d.Verdict != exposure.Pass {
				panic("a generated message was refused: " + d.Detail)
			}
		}
	}
}

// splice is what comes behind classification: tokens made and put in place.
func (c *course) splice(session token.Session) func() {
	found := make([]classify.Findings, len(c.messages))
	for i := range c.messages {
		found[i] = c.classifier.Classify(c.routes[i%routes], &c.messages[i])
	}
	var edits []classify.Edit
	return func() {
		for i := range found {
			f := &found[i]
			edits = edits[:0]
			fields := f.Fields()
			for n := range fields {
				at := &fields[n]
				if c.spec.Action(at.Category) != vendor.Token {
					continue
				}
				t, err := session.Token(at.Category, at.Value(), at.Bare())
				if err != nil {
					panic("a generated value has no token: " + err.Error())
				}
				edits = append(edits, classify.Edit{Field: n, Value: t.Text})
			}
			if _, err := f.Rewrite(edits); err != nil {
				panic("a generated message was not rewritten: " + err.Error())
			}
		}
	}
}

// course is what a classifier is to read.
type course struct {
	spec       *vendor.Spec
	classifier *classify.Classifier
	routes     []vendor.Route
	messages   []classify.Message
}

func newCourse(manifest string, docs []detecttest.Document) (*course, error) {
	spec, problems := vendor.Parse("acme.yaml", []byte(manifest))
	var faults []error
	for _, p := range problems {
		faults = append(faults, fmt.Errorf("%+v", p))
	}
	if spec == nil || len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c := &course{spec: spec}
	var err error
	if c.classifier, err = classify.Compile(spec); err != nil {
		return nil, err
	}
	for i := range routes {
		r := spec.Match("POST", fmt.Sprintf("/%d", i))
		if !r.Mapped() {
			return nil, fmt.Errorf("nothing maps route %d", i)
		}
		c.routes = append(c.routes, r)
	}
	for i := range docs {
		c.messages = append(c.messages, classify.Message{
			Method: "POST", Path: fmt.Sprintf("/%d", i%routes), Body: []byte(docs[i].Text),
			Header: map[string][]string{"Content-Type": {"application/json"}},
		})
	}
	return c, nil
}
