package minimize

import (
	"fmt"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// corpus is what vendors get, in their shapes: events with traits, customers
// with metadata, and mails, of one to sixteen kilobytes.
func corpus() (list []*classify.Message) {
	add := func(path, body string) {
		list = append(list, &classify.Message{Method: "POST", Path: path, Body: []byte(body),
			Header: map[string][]string{"Content-Type": {"application/json"}}})
	}
	for i := range 50 {
		var batch strings.Builder
		batch.WriteString(`{"batch":[`)
		for j := range 8 {
			if j > 0 {
				batch.WriteByte(',')
			}
			fmt.Fprintf(&batch, `{"type":"track","event":"Photo Shared","messageId":"ajs-next-%d-%d-4a2f","timestamp":"2026-11-24T10:%02d:00.000Z","userId":"user-%d","context":{"library":{"name":"analytics.js","version":"2.11.1"},"page":{"path":"/albums/%d","title":"Albums","url":"https://photos.example/albums/%d?sort=new"},"locale":"en-GB","traits":{"email":"person%d@example.org","name":"Person Number%d"}},"properties":{"album":"Summer at the lake","photos":%d,"public":false,"tags":["lake","summer","family"],"camera":{"make":"Example","model":"EX-100","iso":200,"aperture":"f/2.8"}},"integrations":{"All":true}}`, i, j, j, i*8+j, i, i, i*8+j, i*8+j, j)
		}
		batch.WriteString(`],"sentAt":"2026-11-24T10:00:00.000Z"}`)
		add("/events", batch.String())
		m := mail(16 << 10)
		add("/mail", string(m.Body))
	}
	return list
}

const corpusMapping = `
mapping:
  - on: POST /events
    subjects: 'batch[]'
    fields: {userId: user.unique_id, context.traits.email: user.contact.email, context.traits.name: user.name, type: none, event: none, messageId: none, timestamp: none,
      context.library: none, context.page: none, context.locale: none, properties: none, integrations: none}
  - {on: POST /events, fields: {sentAt: none}}
  - {on: POST /mail, subjects: 'personalizations[].to[]', fields: {email: user.contact.email, name: user.name}}
  - {on: POST /mail, fields: {"personalizations[].dynamic_template_data": none, "personalizations[].custom_args": none, from: none, reply_to: none, subject: none, template_id: none, categories: none, content: none}}
`

// BenchmarkRewrite puts tokens in place of 1,250 values in 0.9 MB: classify,
// then clear; clear alone is the part that this package answers for.
func BenchmarkRewrite(b *testing.B) {
	s, problems := vendor.Parse("acme.yaml", []byte("vendor: acme\nupstream: https://api.acme.example\nminimize: {user.unique_id: token, user.contact.email: token, user.name: token}\n"+corpusMapping))
	for _, p := range problems {
		b.Fatalf("%+v", p)
	}
	c, err := classify.Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	messages := corpus()
	size := 0
	found := make([]classify.Findings, len(messages))
	for i, m := range messages {
		size += len(m.Body)
		found[i] = c.Classify(s.Match(m.Method, m.Path), m)
		if len(found[i].Incomplete())+len(found[i].Unmapped()) > 0 {
			b.Fatal(found[i].Incomplete(), found[i].Unmapped())
		}
	}
	b.Run("classify and clear", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for _, m := range messages {
				f := c.Classify(s.Match(m.Method, m.Path), m)
				if _, d := Clear(&f, s, session); d.Verdict != exposure.Pass {
					b.Fatal(d)
				}
			}
		}
	})
	b.Run("clear", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for i := range found {
				if _, d := Clear(&found[i], s, session); d.Verdict != exposure.Pass {
					b.Fatal(d)
				}
			}
		}
	})
}
