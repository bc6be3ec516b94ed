package vendor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// Kinds are the sorts of values that manifests and cordon.yaml are made of.
var Kinds = strict.Common.With(strict.Kinds{
	"vendor":     {Noun: "vendor name", Check: checkName, Pattern: vendorName.String()},
	"app":        {Noun: "app name", Check: checkName, Pattern: vendorName.String()},
	"category":   {Noun: "category", Values: exposure.CategoryKeys},
	"mapped":     {Noun: "category", Values: func() []string { return append(exposure.CategoryKeys(), None) }},
	"policy":     {Noun: "category", Values: func() []string { return append(exposure.CategoryKeys(), "default") }},
	"purpose":    {Noun: "purpose", Values: exposure.PurposeKeys},
	"identifier": {Noun: "kind of identifier", Values: func() []string { return identifierKinds }},
	"country":    {Noun: "country", Check: checkCountry, Pattern: `^[A-Z]{2}$`},
	"region":     {Noun: "country or region", Check: checkRegion, Pattern: regionName.String()},
	"on":         {Noun: "route", Check: checkOn, Pattern: `^[A-Z]+ /`},
	"path":       {Noun: "path", Check: checkPath},
	"field":      {Noun: "path", Check: checkField},
	"when":       {Noun: "key", Check: checkWhen},
	"hosts":      {Noun: "host name", Check: checkHostPattern, Pattern: `^[a-z0-9_*]([a-z0-9_.*-]*[a-z0-9])?$`},
	"upstream":   {Noun: "URL", Check: checkUpstream, Format: "uri"},
	"base":       {Noun: "URL", Check: checkBase, Pattern: `^https?://`},
	"secret":     {Noun: "secret", Check: checkSecret, Pattern: secretRef.String()},
	"keyfile":    {Noun: "file", Check: checkKeyFile, Pattern: secretRef.String()},
	"pin":        {Noun: "pin", Check: checkPin, Pattern: pinSHA256.String()},
	"when_cut":   {Noun: "answer", Check: checkWhenCut, Pattern: `^(refuse|hold|failover:[a-z0-9-]+)$`},
	"webhook":    {Noun: "webhook scheme", Values: func() []string { return webhookSchemes }},
})

var identifierKinds = []string{
	exposure.KindEmail.String(), exposure.KindPhone.String(), exposure.KindUserID.String(),
	exposure.KindUsername.String(), exposure.KindPseudonym.String(),
	exposure.KindEmailSHA256.String(), exposure.KindEmailMD5.String(), exposure.KindPhoneSHA256.String(),
}

// webhookSchemes name how a vendor proves that a webhook is its own.
var webhookSchemes = []string{
	"standard-webhooks", "stripe", "slack", "shopify", "intercom", "klaviyo", "twilio", "hubspot",
	"mailgun", "sendgrid", "plaid", "adyen", "customer-io", "sentry", "segment", "zendesk", "basic", "none",
}

var (
	vendorName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	regionName = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,4})?$`)
	// A file's name is one component, so that it cannot leave the keys folder.
	secretRef = regexp.MustCompile(`^(file:[A-Za-z0-9_][A-Za-z0-9._-]*|env:[A-Za-z_][A-Za-z0-9_]*|age:.+)$`)
	pinSHA256 = regexp.MustCompile(`^sha256:([0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$`)
)

func checkName(v string) (string, string) {
	if vendorName.MatchString(v) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a name", v), "write lower-case letters, digits and hyphens, at most 63"
}

func checkRegion(v string) (string, string) {
	country, state, _ := strings.Cut(v, "-")
	if problem, fix := checkCountry(country); problem != "" {
		return problem, fix
	}
	if !regionName.MatchString(v) {
		return fmt.Sprintf("%q is not a state of %s", state, country), "write its ISO 3166-2 code, such as US-CA"
	}
	return "", ""
}

// meant are codes that people write and ISO does not know.
var meant = map[string]string{"UK": "GB", "EL": "GR", "USA": "US", "GER": "DE", "KOS": "XK"}

func checkCountry(v string) (string, string) {
	up := strings.ToUpper(v)
	switch {
	case slices.Contains(Countries(), v):
		return "", ""
	case meant[up] != "":
		return fmt.Sprintf("unknown country %q", v), fmt.Sprintf("write %q", meant[up])
	case slices.Contains(Countries(), up):
		return fmt.Sprintf("country %q is not in capital letters", v), fmt.Sprintf("write %q", up)
	default:
		return fmt.Sprintf("unknown country %q", v), "write its ISO 3166-1 code of two letters, such as DE"
	}
}

func checkKeyFile(v string) (string, string) {
	if secretRef.MatchString(v) {
		return "", ""
	}
	return fmt.Sprintf("%q does not say where the file is", v), "put it into the keys folder and write file:NAME"
}

func checkSecret(v string) (string, string) {
	if secretRef.MatchString(v) {
		return "", ""
	}
	name, isFile := strings.CutPrefix(v, "file:")
	if isFile && strings.ContainsAny(name, `/\`) {
		return "the secret's file is not in the keys folder", "move it there and write file:NAME"
	}
	// The value is not repeated: it may be the secret itself.
	return "this does not say where the secret is", "put the secret into the keys folder and write file:NAME, or env:NAME, or age:FILE"
}

func checkPin(v string) (string, string) {
	if pinSHA256.MatchString(v) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a pin", v), "write sha256: and the hash of the public key (SPKI), 64 hex digits or base64"
}

func checkWhenCut(v string) (string, string) {
	other, failover := strings.CutPrefix(v, "failover:")
	if v == "refuse" || v == "hold" || failover && vendorName.MatchString(other) {
		return "", ""
	}
	return fmt.Sprintf("%q is not an answer for a cut vendor", v), "write refuse, hold, or failover:VENDOR"
}
