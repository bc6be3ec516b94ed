package minimize

import (
	"fmt"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// mail is a message to one person whose body has about size bytes, HTML with
// the escapes that a JSON encoder puts into it.
func mail(size int) *classify.Message {
	const head = `{"personalizations":[{"to":[{"email":"ada.lovelace@example.org","name":"Ada Lovelace"}],"dynamic_template_data":{"first_name":"Ada","album":"Summer at the lake","photos":17},"custom_args":{"campaign":"weekly"}}],"from":{"email":"hello@photos.example","name":"Example Photos"},"reply_to":{"email":"help@photos.example"},"subject":"Your photos of the week","template_id":"d-0123456789abcdef","categories":["weekly"],"content":[{"type":"text/html","value":"`
	const tail = `"}]}`
	const line = `<p style=\"margin:0\">Hello Ada, here are your photos of the week.</p>\n`
	n := max(0, size-len(head)-len(tail)) / len(line)
	body := head + strings.Repeat(line, n) + tail
	return &classify.Message{Method: "POST", Path: "/v3/mail/send", Body: []byte(body),
		Header: map[string][]string{"Content-Type": {"application/json"}}}
}

// BenchmarkSendGrid classifies and clears one mail.
func BenchmarkSendGrid(b *testing.B) {
	for _, policy := range []struct {
		name    string
		actions map[string]vendor.Action
	}{{"allow", nil}, {"mask", map[string]vendor.Action{"user.name": vendor.Mask, "user.content.private": vendor.Drop}}} {
		for _, size := range []int{1 << 10, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%dKiB", policy.name, size>>10), func(b *testing.B) {
				spec := catalogueSpec(b, "sendgrid", policy.actions)
				c, err := classify.Compile(spec)
				if err != nil {
					b.Fatal(err)
				}
				m := mail(size)
				route := spec.Match(m.Method, m.Path)
				b.SetBytes(int64(len(m.Body)))
				b.ReportAllocs()
				for b.Loop() {
					f := c.Classify(route, m)
					if _, d := Clear(&f, spec, nil); d.Verdict != exposure.Pass {
						b.Fatal(d)
					}
				}
			})
		}
	}
}

// BenchmarkThousandRecipients is the largest batch that SendGrid takes.
func BenchmarkThousandRecipients(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"personalizations":[`)
	for i := range 1000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"to":[{"email":"person%d@example.org","name":"Person"}],"dynamic_template_data":{"code":"c%d"}}`, i, i)
	}
	body.WriteString(`],"from":{"email":"hello@photos.example"},"subject":"Hi"}`)
	spec := catalogueSpec(b, "sendgrid", nil)
	c, err := classify.Compile(spec)
	if err != nil {
		b.Fatal(err)
	}
	m := mail(0)
	m.Body = []byte(body.String())
	route := spec.Match(m.Method, m.Path)
	b.SetBytes(int64(len(m.Body)))
	b.ReportAllocs()
	for b.Loop() {
		f := c.Classify(route, m)
		if cleared, d := Clear(&f, spec, nil); d.Verdict != exposure.Pass || len(cleared.Exposures()) != 1000 {
			b.Fatal(d)
		}
	}
}
