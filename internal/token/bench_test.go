package token

import (
	"fmt"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

func BenchmarkMake(b *testing.B) {
	for _, c := range []struct {
		name     string
		category exposure.Category
		value    string
	}{
		{"email", exposure.Email, "ada.lovelace@example.org"}, {"name", exposure.Name, "Ada Lovelace"}, {"uuid", exposure.UserID, "5f0c6b7e-8c1d-4e2f-9a3b-4c5d6e7f8091"},
		{"digits", exposure.UserID, "97727693"}, {"phone", exposure.Phone, "+442071838750"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := maker.Make("acme", c.category, 0, c.value, false, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFind searches what vendors answer: lists with an id, an address and
// times each, and mail.
func BenchmarkFind(b *testing.B) {
	var list strings.Builder
	for i := range 400 {
		k, err := maker.Make("acme", exposure.Email, 0, fmt.Sprintf("p%d@example.org", i), false, 0)
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(&list, `{"id":"cus_N%dabcDEF%d","object":"customer","created":17000%05d,"email":"%s","livemode":false,"metadata":{"order":"20260%d"}},`, i*7919, i, i, k.Text, i)
	}
	for name, text := range map[string]string{
		"list": list.String(), "mail": strings.Repeat("<p style=\\\"margin:0\\\">Hello Ada, here are your photos of the week.</p>\\n", 800), "base64": strings.Repeat("aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ", 2000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			found := make([]Candidate, 0, 1000)
			for b.Loop() {
				found = maker.AppendString(found[:0], text)
			}
		})
	}
}
