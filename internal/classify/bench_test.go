package classify

import (
	"fmt"
	"strings"
	"testing"
)

// track is a message of about 1 KB as analytics clients send it.
const track = `{"batch":[{"type":"identify","userId":"user-4711","anonymousId":"5f0c1c1e-5a5c-4ad0-9d6a-1f3c2f8f8f0e","messageId":"ajs-next-1700000000000-abcdef","timestamp":"2026-11-24T10:00:00.000Z","traits":{"email":"ada.lovelace@example.org","name":"Ada Lovelace","plan":"pro","createdAt":"2026-01-02T03:04:05Z","address":{"city":"London","postalCode":"SW1Y 4JH","street":"12 St James's Square"}},"context":{"ip":"203.0.113.9","userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36","locale":"en-GB","library":{"name":"analytics.js","version":"2.1.0"},"page":{"url":"https://shop.example/products/17?ref=mail","title":"Teapots","referrer":"https://search.example/"}}},{"type":"track","userId":"user-4711","event":"Order Completed","properties":{"orderId":"A-1000234","total":129.9,"currency":"EUR","products":[{"id":"p-17","name":"Teapot","price":89.9,"quantity":1},{"id":"p-18","name":"Cup","price":10,"quantity":4}]},"context":{"ip":"203.0.113.9","library":{"name":"analytics.js","version":"2.1.0"}}}],"sentAt":"2026-11-24T10:00:01.000Z","writeKey":"abc"}`

const trackMapping = `
  - {on: POST /x, subjects: 'batch[]', fields: {userId: user.unique_id, anonymousId: user.unique_id.pseudonymous, type: none, messageId: none, timestamp: none, event: user.behavior, properties: user.behavior,
      traits.email: user.contact.email, traits.name: user.name, traits.plan: user.account.type, traits.createdAt: user.account, traits.address: user.contact.address, traits.address.street: user.contact.address.street,
      context.ip: user.device.ip_address, context.userAgent: user.device.user_agent, context.locale: user.demographic.language, context.library: none, context.page: user.behavior.browsing_history}}
  - {on: POST /x, fields: {sentAt: none, writeKey: none}}
`

func benchmarkMessage(b *testing.B, mapping, body string, edits func(*Findings) []Edit) {
	s := spec(b, mapping)
	c := classifier(b, s)
	m := message("/x", "application/json", body)
	r := s.Match("POST", "/x")
	f := c.Classify(r, m)
	if len(f.Incomplete()) > 0 {
		b.Fatal(f.Incomplete())
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	if edits == nil {
		for b.Loop() {
			c.Classify(r, m)
		}
		return
	}
	list := edits(&f)
	for b.Loop() {
		if _, err := f.Rewrite(list); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	b.Run("mapped", func(b *testing.B) { benchmarkMessage(b, trackMapping, track, nil) })
	b.Run("unmapped", func(b *testing.B) {
		benchmarkMessage(b, strings.ReplaceAll(trackMapping, "batch[]", "other[]"), track, nil)
	})
	inside := fmt.Sprintf(`{"batch":"%s","sentAt":"x"}`, appendEscaped(nil, track[len(`{"batch":`):strings.LastIndex(track, `,"sentAt"`)]))
	b.Run("in a string", func(b *testing.B) { benchmarkMessage(b, trackMapping, inside, nil) })
	filtered := strings.ReplaceAll(trackMapping, "batch[]", "batch[type=identify|track]")
	b.Run("filtered", func(b *testing.B) { benchmarkMessage(b, filtered, track, nil) })
}

func BenchmarkRewrite(b *testing.B) {
	some := func(f *Findings) (edits []Edit) {
		for i, at := range f.Fields() {
			switch at.Category.Key() {
			case "user.contact.email":
				edits = append(edits, Edit{Field: i, Value: "u.k7q2m4x9w3r8t5z1@relay.example.org"})
			case "user.name":
				edits = append(edits, Edit{Field: i, Value: "Talin Voreska"})
			case "user.device.ip_address":
				edits = append(edits, Edit{Field: i, Value: "203.0.113.0"})
			case "user.contact.address.street":
				edits = append(edits, Edit{Field: i, Drop: true})
			}
		}
		return edits
	}
	b.Run("some", func(b *testing.B) { benchmarkMessage(b, trackMapping, track, some) })
	inside := fmt.Sprintf(`{"batch":"%s","sentAt":"x"}`, appendEscaped(nil, track[len(`{"batch":`):strings.LastIndex(track, `,"sentAt"`)]))
	b.Run("in a string", func(b *testing.B) { benchmarkMessage(b, trackMapping, inside, some) })
}
