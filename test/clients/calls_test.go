package clients

import "strings"

// sdkCall is one call of calls.cjs or gosdks, and what it tells about whom: for
// each person it is given, the categories, written from the SDK's documentation
// and the vendor's reference.
type sdkCall struct {
	sdk    string // module and version, as pinned
	vendor string
	way    string   // "route"; "exec" where the SDK takes no base URL, or none with a path; "go" is a route too
	told   []string // by person
	gone   []string // fields of the people that no vendor gets in the second run
}

// Categories by the letters that told uses.
var letters = map[string]string{
	"e": "user.contact.email", "n": "user.name", "f": "user.name.first", "l": "user.name.last", "p": "user.contact.phone_number", "u": "user.unique_id",
	"v": "user.unique_id.pseudonymous", "a": "user.account.username", "w": "user.authorization.password", "t": "user.content.private", "i": "user.device.ip_address",
	"b": "user.behavior", "d": "user.device", "g": "user.demographic.language", "z": "user.location.imprecise", "s": "user.contact.address.street",
	"c": "user.contact.address.city", "o": "user.contact.address.postal_code", "y": "user.contact.address.country", "j": "user.job_title", "k": "user.account.type",
}

func categories(told string) (list []string) {
	for _, letter := range strings.Fields(told) {
		list = append(list, letters[letter])
	}
	return list
}

var sdkCalls = []sdkCall{
	{"@sendgrid/mail@8.1.6", "sendgrid", "route", []string{"e n t", "e t"}, []string{"name"}},
	{"mailgun.js@14.0.1", "mailgun", "route", []string{"e n t", "e t"}, []string{"name"}},
	{"postmark@5.1.0", "postmark", "exec", []string{"e n t", "e t"}, []string{"name"}},
	{"resend@6.38.0", "resend", "route", []string{"e n t", "e t"}, []string{"name"}},
	{"stripe@23.1.0", "stripe", "exec", []string{"e n p t s c o y"}, []string{"name", "phone"}},
	{"twilio@6.2.0", "twilio", "exec", []string{"p t"}, []string{"text:Your code is on its way."}},
	{"@slack/web-api@8.2.0", "slack", "route", []string{"v e f l p j", "e"}, []string{"last", "phone"}},
	{"@hubspot/api-client@13.5.0", "hubspot", "route", []string{"e f l p c"}, []string{"first", "last", "phone"}},
	{"@segment/analytics-node@3.1.0", "segment", "route", []string{"u e n p a i", "u b"}, []string{"id", "name", "phone", "username", "ip"}},
	{"intercom-client@7.0.3", "intercom", "route", []string{"u e n p"}, []string{"id", "name", "phone"}},
	{"node-zendesk@6.0.1", "zendesk", "route", []string{"e n t"}, []string{"name"}},
	// The SDK adds what it runs on: device and system, language and time zone.
	{"@sentry/node@11.12.0", "sentry", "route", []string{"u e a i t d g z"}, []string{"id", "username", "ip"}},
	{"posthog-node@5.70.0", "posthog", "route", []string{"u e n b", "u i b"}, []string{"id", "name", "ip"}},
	{"klaviyo-api@23.0.0", "klaviyo", "route", []string{"u e f l p i c y"}, []string{"id", "first", "last", "phone", "ip"}},
	{"auth0@7.1.0", "auth0", "exec", []string{"e w n a"}, []string{"name", "username"}},
	{"@okta/okta-sdk-nodejs@8.1.0", "okta", "exec", []string{"e a f l p w"}, []string{"first", "last", "phone"}},
	{"@aws-sdk/client-sesv2@3.1169.0", "ses", "route", []string{"e n t", "e t"}, []string{"name"}},
	{"@getbrevo/brevo@6.0.3", "brevo", "route", []string{"e n t", "e t"}, []string{"name"}},
	{"customerio-node@4.4.0", "customerio", "exec", []string{"u e f p k"}, []string{"id", "first", "phone"}},
	{"mixpanel@0.24.0", "mixpanel", "route", []string{"u e n p", "u i b"}, []string{"id", "name", "phone", "ip"}},

	{"sendgrid-go v3.16.1", "sendgrid", "go", []string{"e n t", "e n t"}, []string{"name"}},
	{"mailgun-go/v4 v4.23.0", "mailgun", "go", []string{"e t", "e t"}, nil},
	{"mrz1836/postmark v1.7.4", "postmark", "go", []string{"e n t", "e t"}, []string{"name"}},
	{"resend-go/v2 v2.28.0", "resend", "go", []string{"e n t", "e t"}, []string{"name"}},
	{"stripe-go/v82 v82.5.1", "stripe", "go", []string{"e n p c y"}, []string{"name", "phone"}},
	{"slack-go v0.35.0", "slack", "go", []string{"e"}, nil},
	{"sentry-go v0.50.0", "sentry", "go", []string{"u e a n i t d"}, []string{"id", "username", "name", "ip"}},
	{"posthog-go v1.5.2", "posthog", "go", []string{"u e n b", "u i b"}, []string{"id", "name", "ip"}},
}
