package clients

import (
	"maps"
	"slices"
	"strings"
)

// vendorUnderTest is how Cordon is told of a vendor, and what the vendor takes.
type vendorUnderTest struct {
	manifest string // beside vendor, upstream and minimize
	minimize policy // of the second run; nil: let through again
	shapes   []shape
}

// policy is what becomes of categories and what is below them; of all else, nothing.
type policy map[string]string

func (p policy) yaml() string {
	out := "{"
	for _, category := range slices.Sorted(maps.Keys(p)) {
		out += category + ": " + p[category] + ", "
	}
	return out + "default: allow}"
}

// expected is how what was told stands in an export after the policy.
func (p policy) expected(told string) (list []string) {
	for _, category := range categories(told) {
		action := ""
		for above := category; above != ""; above = above[:max(strings.LastIndexByte(above, '.'), 0)] {
			if action = p[above]; action != "" {
				break
			}
		}
		switch action {
		case "", "allow":
			list = append(list, category)
		case "token":
			list = append(list, category+"=tokenised")
		case "mask":
			list = append(list, category+"=masked")
		case "drop":
		default:
			panic("no policy here says " + action)
		}
	}
	slices.Sort(list)
	return list
}

// sparing lets a vendor know people again by tokens; it gets no number to call
// and no network address.
var sparing = policy{"user.name": "token", "user.unique_id": "token", "user.account.username": "token", "user.contact.phone_number": "mask", "user.device.ip_address": "drop"}

// masked is for mail: whoever reads it would see a token for a name.
var masked = policy{"user.name": "mask"}

// The shapes are written from the vendors' public references of their APIs.
var vendorsUnderTest = map[string]vendorUnderTest{
	"sendgrid": {"catalogue: sendgrid", masked, []shape{{"POST", "/v3/mail/send", "Authorization: Bearer ", []string{
		"from.email email", "personalizations[].to[].email email", "personalizations[].to[].name? text", "personalizations[].cc[].email? email",
		"subject text", "content[].type text/plain|text/html", "content[].value text", "attachments[].content? text", "attachments[].filename? text"}, 202, ``}}},
	"mailgun": {"catalogue: mailgun", masked, []shape{{"POST", "/v3/photos.example/messages", "Authorization: Basic ", []string{
		"from addresses", "to addresses", "subject text", "text text", "recipient-variables.# email"}, 200, `{"id":"<20261124.1@photos.example>","message":"Queued. Thank you."}`}}},
	"postmark": {"catalogue: postmark", masked, []shape{{"POST", "/email", "X-Postmark-Server-Token: ", []string{
		"From addresses", "To addresses", "Cc? addresses", "Subject text", "TextBody text", "Tag? text"}, 200,
		`{"To":"","SubmittedAt":"2026-11-24T12:00:00Z","MessageID":"0a129aee-e1cd-480d-b08d-4f48548ff48d","ErrorCode":0,"Message":"OK"}`}}},
	// Not in the catalogue: as an organisation writes it for itself.
	"resend": {`hosts: [api.resend.com]
mapping:
- {on: POST /emails, subjects: 'to[]|addresses[]', fields: {email: user.contact.email, name: user.name}, deliver: [email]}
- {on: POST /emails, subjects: 'cc[]|addresses[]', fields: {email: user.contact.email, name: user.name}, deliver: [email]}
- on: POST /emails
  fields: {from: none, subject: user.content.private, html: user.content.private, text: user.content.private, 'tags[].name': none, 'tags[].value': user.content.private}
  render: [subject, html, text]`, masked, []shape{{"POST", "/emails", "Authorization: Bearer re_", []string{
		"from addresses", "to[] addresses", "cc[]? addresses", "subject text"}, 200, `{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}`}}},
	"stripe": {"catalogue: stripe", sparing, nil}, // stripe-mock
	"twilio": {"catalogue: twilio", policy{"user.content.private": "mask"}, []shape{{"POST", "/2010-04-01/Accounts/AC0{32}/Messages.json", "Authorization: Basic ", []string{
		"To e164", "From e164", "Body text"}, 201, `{"sid":"SM00000000000000000000000000000001","status":"queued","error_code":null}`}}},
	// What a person is called at Slack is Slack's own id: another would be nobody.
	"slack": {"catalogue: slack", policy{"user.name": "token", "user.unique_id.pseudonymous": "allow", "user.unique_id": "token", "user.contact.phone_number": "mask"}, []shape{
		{"POST", "/api/users.lookupByEmail", "", []string{"email email"}, 200, `{"ok":true,"user":{"id":"U0CORDON02","name":"ada"}}`},
		{"POST", "/api/users.profile.set", "", []string{"user slackid", "profile.email email", "profile.first_name text", "profile.last_name text", "profile.phone text"}, 200, `{"ok":true,"profile":{}}`}}},
	"hubspot": {"catalogue: hubspot", sparing, []shape{{"POST", "/crm/(v3/objects/contacts|objects/[0-9-]+/contacts)", "Authorization: Bearer ", []string{
		"properties.email email", "properties.firstname text", "properties.lastname text", "properties.phone text", "properties.city text"}, 201,
		`{"id":"51","properties":{},"createdAt":"2026-11-24T12:00:00Z","updatedAt":"2026-11-24T12:00:00Z","archived":false}`}}},
	"segment": {"catalogue: segment", sparing, []shape{{"POST", "/v1/batch", "Authorization: Basic ", []string{
		"batch[].type identify|track", "batch[].userId short", "batch[].messageId short", "batch[].context.ip? ip"}, 200, `{"success":true}`}}},
	"intercom": {"catalogue: intercom", sparing, []shape{{"POST", "/contacts", "Authorization: Bearer ", []string{
		"email email", "external_id short", "name text", "phone text"}, 200, `{"type":"contact","id":"6657af026abd0167d9419def"}`}}},
	"zendesk": {"catalogue: zendesk", sparing, []shape{{"POST", "/api/v2/tickets.json", "Authorization: Basic ", []string{
		"ticket.subject text", "ticket.comment.body text", "ticket.requester.name text", "ticket.requester.email email"}, 201, `{"ticket":{"id":35436}}`}}},
	"sentry": {"catalogue: sentry", sparing, []shape{{"POST", "/api/1/envelope/", "", []string{
		"event.user.id short", "event.user.email email", "event.user.username text", "event.user.ip_address? ip"}, 200, `{}`}}},
	"posthog": {"catalogue: posthog", sparing, []shape{{"POST", "/batch/", "", []string{
		"api_key text", "batch[].distinct_id short", "batch[].event text"}, 200, `{"status":1}`}}},
	// Klaviyo takes no number that is not E.164, so none at all.
	"klaviyo": {"catalogue: klaviyo", policy{"user.name": "token", "user.unique_id": "token", "user.contact.phone_number": "drop", "user.device.ip_address": "drop"},
		[]shape{{"POST", "/api/profiles/?", "Authorization: Klaviyo-API-Key ", []string{
			"data.type profile", "data.attributes.email email", "data.attributes.phone_number? e164", "data.attributes.external_id short"}, 201,
			`{"data":{"type":"profile","id":"01GDDKASAP8TKDDA2GRZDSVP4H","attributes":{},"links":{"self":"https://a.klaviyo.com/api/profiles/1"}},"links":{"self":"https://a.klaviyo.com/api/profiles"}}`}}},
	"auth0": {"catalogue: auth0\nhosts: [photos.us.auth0.com]", sparing, []shape{{"POST", "/api/v2/users", "Authorization: Bearer ", []string{
		"connection text", "email email", "password text", "username? short"}, 201, `{"user_id":"auth0|507f1f77bcf86cd799439020"}`}}},
	"okta": {"catalogue: okta\nhosts: [photos.okta.com]", sparing, []shape{{"POST", "/api/v1/users", "Authorization: SSWS ", []string{
		"profile.login email", "profile.email email", "profile.firstName short", "profile.lastName short", "profile.mobilePhone? short", "credentials.password.value text"}, 200,
		`{"id":"00ub0oNGTSWTBKOLGLNR","status":"STAGED","profile":{}}`}}},
	// Whoever changes a signed message, or only its host, must sign it anew.
	"ses": {"catalogue: amazon-ses\ncredential: {in: sigv4, name: AKIACORDON, secret: file:ses.secret, region: us-east-1, service: ses}", masked, []shape{{"POST", "/v2/email/outbound-emails", signed, []string{
		"FromEmailAddress addresses", "Destination.ToAddresses[] addresses", "Destination.CcAddresses[] addresses", "Content.Simple.Subject.Data text"}, 200, `{"MessageId":"0100018"}`}}},
	"brevo": {`hosts: [api.brevo.com]
mapping:
- {on: POST /v3/smtp/email, subjects: 'to[]', fields: &who {email: user.contact.email, name: user.name}, deliver: [email]}
- {on: POST /v3/smtp/email, subjects: 'cc[]', fields: *who, deliver: [email]}
- on: POST /v3/smtp/email
  fields: {sender: none, subject: user.content.private, textContent: user.content.private, params: user.content.private}
  render: [subject, textContent, params]`, masked, []shape{{"POST", "/v3/smtp/email", "Api-Key: ", []string{
		"sender.email email", "to[].email email", "to[].name? text", "cc[].email email", "subject text", "textContent text"}, 201, `{"messageId":"<202611241200.1@smtp-relay.example>"}`}}},
	"customerio": {"catalogue: customer-io", sparing, []shape{{"PUT", "/api/v1/customers/[^/]{1,150}", "Authorization: Basic ", []string{
		"email email", "first_name? text"}, 200, `{}`}}},
	"mixpanel": {"catalogue: mixpanel", sparing, []shape{
		{"GET", "/engage/?", "", []string{"data.$distinct_id short", "data.$set.$email email", "data.$set.$name? text"}, 200, `1`},
		{"GET", "/track/?", "", []string{"data.event text", "data.properties.distinct_id short", "data.properties.ip? ip"}, 200, `1`}}},
}
