package mime_test

import (
	"net/mail"
	"strings"
	"testing"

	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

// inTo edits the list of addresses in the header To of a mail, as the classifier
// does with a document in a document, and returns what Go then reads there.
func inTo(t *testing.T, to string, edit func(list *wiretest.Tree) (string, bool)) (header string, read []*mail.Address, ok bool) {
	t.Helper()
	text := "Subject: x\r\nTo: " + to + "\r\n\r\nhi\r\n"
	m := wiretest.Read(t, text, mime.Read)
	list, ok := edit(wiretest.Read(t, m.Leaves[1].Value, mime.ReadAddresses))
	if !ok {
		return "", nil, false
	}
	written, ok := m.Replace(map[int]string{1: list})
	if !ok {
		return "", nil, false
	}
	for line := range strings.SplitSeq(written, "\r\n") {
		if len(line) > 120 {
			t.Errorf("a line of %d characters:\n%s", len(line), written)
		}
	}
	again, err := mail.ReadMessage(strings.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	header = again.Header.Get("To")
	read, _ = mail.ParseAddressList(header)
	return header, read, true
}

const many = `=?utf-8?q?M=C3=BCller=2C_J=C3=B6rg?= <joerg@example.com>, "Berg, Anna" <anna@example.org>,` + "\r\n" + ` bo@example.org (Bo), Team: eva@example.org, =?iso-8859-1?q?=D6?= <oe@example.org>;`

func TestAddressesInAHeaderAreRewritten(t *testing.T) {
	header, read, ok := inTo(t, many, func(list *wiretest.Tree) (string, bool) {
		list.Want("[0].name=Müller, Jörg", "[0].email=joerg@example.com", "[1].name=Berg, Anna", "[1].email=anna@example.org",
			"[2].email=bo@example.org", "[2].name=Bo", "[3].group=Team", "[4].email=eva@example.org", "[5].name=Ö", "[5].email=oe@example.org")
		return list.Replace(map[int]string{
			0: "Zoë, T.", 1: "u.aaaa@relay.example.com", 3: "u.bbbb@relay.example.com", 4: "u.cccc@relay.example.com", 5: "Łukasz (x)", 7: "eva@müller.example",
		})
	})
	if !ok || len(read) != 5 {
		t.Fatalf("Go reads %v in %q", read, header)
	}
	for i, want := range []mail.Address{
		{Name: "Zoë, T.", Address: "u.aaaa@relay.example.com"}, {Name: "Berg, Anna", Address: "u.bbbb@relay.example.com"}, {Name: "Łukasz (x)", Address: "u.cccc@relay.example.com"},
		{Address: "eva@xn--mller-kva.example"}, {Name: "Ö", Address: "oe@example.org"},
	} {
		if *read[i] != want {
			t.Errorf("Go reads %v, wanted %v in\n%s", read[i], &want, header)
		}
	}
}

func TestAddressesInAHeaderGo(t *testing.T) {
	for _, c := range []struct {
		gone []int
		want string
	}{
		{[]int{1}, "anna@example.org bo@example.org eva@example.org oe@example.org"},
		{[]int{1, 3}, "bo@example.org eva@example.org oe@example.org"},
		{[]int{3, 4}, "joerg@example.com eva@example.org oe@example.org"},
		{[]int{7, 9}, "joerg@example.com anna@example.org bo@example.org"},
		{[]int{9}, "joerg@example.com anna@example.org bo@example.org eva@example.org"},
		{[]int{0, 2, 5}, "joerg@example.com anna@example.org bo@example.org eva@example.org oe@example.org"},
	} {
		header, read, ok := inTo(t, many, func(list *wiretest.Tree) (string, bool) { return list.Drop(c.gone...) })
		var have []string
		for _, a := range read {
			have = append(have, a.Address)
		}
		if got := strings.Join(have, " "); !ok || got != c.want {
			t.Errorf("without %v Go reads %q, wanted %q in\n%s", c.gone, got, c.want, header)
		}
	}
	header, _, ok := inTo(t, "Anna <anna@example.org>, bo@example.org", func(list *wiretest.Tree) (string, bool) { return list.Drop(1, 2) })
	if !ok || header != "undisclosed-recipients:;" {
		t.Errorf("nobody is left, and the header says %q", header)
	}
}

// RFC 6531: an address that is not ASCII before the at sign needs a vendor that
// speaks it, which a mail that had none does not show.
func TestAddressBeyondASCIIIsRefused(t *testing.T) {
	if header, _, ok := inTo(t, "anna@example.org", func(list *wiretest.Tree) (string, bool) {
		return list.Replace(map[int]string{0: "jörg@example.org"})
	}); ok {
		t.Errorf("took it as %q", header)
	}
}
