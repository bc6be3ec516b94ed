package classify

import "strings"

// Headers about the message, the connection, the client program or the
// credential, and not about a person: of HTTP (RFC 9110 and its registry), of
// tracing, and those that vendors' SDKs are known to send. Any other header is a
// leaf that no mapping names. Cookie and baggage are not here on purpose.
var protocolHeaders = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(`
		accept accept-charset accept-encoding accept-language accept-datetime
		cache-control pragma connection keep-alive host date age via te trailer expect upgrade range
		content-type content-length content-encoding content-language content-md5 content-digest content-disposition content-transfer-encoding
		digest repr-digest want-digest etag if-match if-none-match if-modified-since if-unmodified-since if-range
		authorization proxy-authorization www-authenticate x-api-key api-key apikey x-auth-token dd-api-key x-postmark-server-token x-postmark-account-token
		x-shopify-access-token x-shopify-storefront-access-token shopify-storefront-private-token x-sentry-auth plaid-client-id plaid-secret plaid-version plaid-new-user-api-enabled
		cko-idempotency-key auth0-client x-okta-user-agent-extended posthog-sdk-info
		idempotency-key x-idempotency-key x-request-id request-id x-correlation-id
		user-agent origin priority prefer upgrade-insecure-requests dnt
		traceparent tracestate b3 sentry-trace
		stripe-version stripe-account intercom-version x-mailgun-on-behalf-of mime-version revision x-requested-with
		retry-count x-retry-count x-attempt x-http-method-override
		transfer-encoding http2-settings proxy-connection`) {
		m[name], m[textual(name)] = true, true
	}
	return m
}()

// Families of such headers.
var protocolPrefixes = []string{"sec-", "x-stripe-", "x-amz-", "x-b3-", "x-datadog-", "x-stainless-", "x-sdk-", "x-client-version",
	"amz-sdk-", "x-fern-", "x-goog-", "x-firebase-", "x-klaviyo-"}

// textual is how net/http spells a name, which spares a copy in lower case.
func textual(name string) string {
	b := []byte(name)
	for i := range b {
		if (i == 0 || b[i-1] == '-') && 'a' <= b[i] && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

func aboutTheMessage(header string) bool {
	if protocolHeaders[header] {
		return true
	}
	name := strings.ToLower(header)
	if protocolHeaders[name] {
		return true
	}
	// What is behind these is the caller's own: X-Amz-Meta-Name, X-Goog-Meta-Mail.
	if strings.HasPrefix(name, "x-amz-meta-") || strings.HasPrefix(name, "x-goog-meta-") {
		return false
	}
	for _, p := range protocolPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
