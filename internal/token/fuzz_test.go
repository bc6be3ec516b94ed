package token

import (
	"fmt"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

// FuzzFind holds that strangers' bytes neither break the finder nor make it say
// something else when they arrive in pieces.
func FuzzFind(f *testing.F) {
	for _, c := range []exposure.Category{exposure.Email, exposure.Name, exposure.FirstName, exposure.UserID, exposure.Phone} {
		for _, value := range []string{"ada@example.org", "12345", "5f0c6b7e-8c1d-4e2f-9a3b-4c5d6e7f8091", "507f1f77bcf86cd799439011"} {
			k, err := maker.Make("acme", c, 0, value, false, 0)
			if err != nil {
				f.Fatal(err)
			}
			f.Add("x=%20"+k.Text+"&y="+k.Text, uint8(len(value)))
			f.Add(`{"a":"\n`+k.Text+`\u0020`+k.Text+`"}`, uint8(100))
		}
	}
	f.Fuzz(func(t *testing.T, text string, at uint8) {
		want := maker.AppendString(nil, text)
		last := 0
		for _, c := range want {
			if c.Start < 0 || c.End > len(text) || c.End-c.Start < shortestRun || c.End < last {
				t.Fatalf("%+v in %d bytes", c, len(text))
			}
			last = c.End
			if c.At != "" && !strings.EqualFold(text[c.Start+len("u.")+emailCore:][:len(c.At)], c.At) {
				t.Fatalf("%+v: no at-sign in %q", c, text)
			}
		}
		s := maker.Scanner()
		var got []Candidate
		given := 0
		take := func(piece []byte, found []Candidate) {
			for _, c := range found {
				c.Start, c.End = c.Start+given, c.End+given
				got = append(got, c)
			}
			if string(piece) != text[given:given+len(piece)] {
				t.Fatalf("%q was given back of %q", piece, text[given:])
			}
			given += len(piece)
		}
		for i := 0; i < len(text); {
			n := min(len(text)-i, 1+int(at))
			take(s.Feed([]byte(text[i : i+n])))
			i += n
		}
		take(s.Rest())
		if given != len(text) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in pieces of %d: %v, at once %v", 1+int(at), got, want)
		}
	})
}

// FuzzMake holds that every value has a token or an error, and is found again.
func FuzzMake(f *testing.F) {
	for _, v := range []string{"ada@example.org", "Ada", "1", "true", " ", "5F0C6B7E-8C1D-4E2F-9A3B-4C5D6E7F8091", "\xff", "+1 2"} {
		f.Add(uint8(0), v, false)
	}
	all := exposure.Categories()
	f.Fuzz(func(t *testing.T, category uint8, value string, bare bool) {
		c := all[int(category)%len(all)]
		k, err := maker.Make("acme", c, Epoch(category), value, bare, 0)
		if err != nil {
			if k != (Token{}) {
				t.Fatalf("%v with %v", k, err)
			}
			return
		}
		if found := maker.AppendString(nil, k.Text); len(found) != 1 || found[0].Key != k.Key || found[0].End-found[0].Start != len(k.Text) {
			t.Fatalf("%v %q became %v, found %+v", c, value, k, found)
		}
		if bare && k.Text[0] == '+' {
			t.Fatalf("a number became %q", k.Text)
		}
	})
}
