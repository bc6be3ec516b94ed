package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// The vectors of the SipHash paper's reference code: key 00 01 … 0f, input
// 00 01 … of each length.
func TestHashIsSipHash(t *testing.T) {
	l := &Ledger{words: wordKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}}
	for n, want := range map[int]uint64{0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 7: 0xab0200f58b01d137, 8: 0x93f5f5799a932462, 15: 0xa129ca6149be45e5} {
		var b strings.Builder
		for i := range n {
			b.WriteByte(byte(i))
		}
		if got := l.Hash(b.String()); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func known(l *Ledger, c exposure.Category, words ...string) (list []classify.Needle) {
	for _, w := range words {
		list = append(list, classify.Needle{Hash: l.Hash(w), Words: uint8(len(strings.Fields(w))), Category: c})
	}
	return list
}

func TestWhatTheDirectoryKnowsIsFoundByEveryIdentifier(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	ada := slices.Concat(known(l, exposure.Name, "ada lovelace"), known(l, exposure.Street, "st james square"))
	people := []Person{
		{ID: "1", Identifiers: []exposure.Identifier{email(1), phone(1)}, Needles: slices.Concat(ada, ada)},
		{ID: "2", Identifiers: []exposure.Identifier{email(2)}, Needles: known(l, exposure.City, "ulm")},
		{ID: "3", Identifiers: []exposure.Identifier{email(3)}},
	}
	if done := mustImport(t, l, people...); done.New != 3 {
		t.Fatalf("%+v", done)
	}
	if done := mustImport(t, l, people...); done.Changed != 0 {
		t.Errorf("nothing changed, and %d did", done.Changed)
	}
	l.Close()
	l = mustOpen(t, dir)
	for _, ids := range [][]exposure.Identifier{{email(1)}, {phone(1), user("1")}, {hashOf(t, email(1), exposure.KindEmailMD5)}, {email(1), email(404)}} {
		if got := l.Needles(ids, nil); !slices.Equal(got, ada) {
			t.Errorf("%v: %v, want %v", ids, got, ada)
		}
		if id, ok, err := l.PersonID(ids); id != "1" || !ok || err != nil {
			t.Errorf("%v is %q, %v, %v", ids, id, ok, err)
		}
		if !l.Knows(ids[0]) {
			t.Errorf("%v is in the directory", ids[0])
		}
	}
	// It may be either, so both are searched for, and nobody says who it is.
	if got := l.Needles([]exposure.Identifier{email(1), email(2)}, nil); len(got) != 3 {
		t.Errorf("two people: %v", got)
	}
	if _, ok, _ := l.PersonID([]exposure.Identifier{email(1), email(2)}); ok {
		t.Error("two people are one")
	}
	mustRecord(t, l, mail(about(justMail, email(9))))
	for _, id := range []exposure.Identifier{email(3), email(404), email(9)} {
		if got := l.Needles([]exposure.Identifier{id}, nil); len(got) != 0 {
			t.Errorf("%v: %v", id, got)
		}
	}
	if l.Knows(email(9)) || l.Knows(email(404)) {
		t.Error("a stranger is in the directory")
	}
	// Changed, gone from the directory, and asked not to be kept.
	people[0].Needles = known(l, exposure.Name, "ada king")
	if done := mustImport(t, l, people[0], people[2]); done.Changed != 1 || done.Left != 1 {
		t.Errorf("%+v", done)
	}
	if got := l.Needles([]exposure.Identifier{email(1)}, nil); !slices.Equal(got, people[0].Needles) {
		t.Errorf("after the change: %v", got)
	}
	if got := l.Needles([]exposure.Identifier{email(2)}, nil); len(got) != 0 {
		t.Errorf("somebody who left is searched for: %v", got)
	}
	people[0].Needles = nil
	mustImport(t, l, people[0], people[2])
	if got := l.Needles([]exposure.Identifier{email(1)}, nil); len(got) != 0 {
		t.Errorf("after known values were switched off: %v", got)
	}
}

func TestKnownValueOfAStrangeCategoryIsRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	_, err := l.Import(context.Background(), peopleSeq(Person{ID: "1", Needles: known(l, exposure.CreditCard, "4111")}))
	if err == nil {
		t.Error("taken")
	}
}

func TestDamagedKnownRowIsNotHalfRead(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	row, err := knownRow(known(l, exposure.Name, "ada", "ada lovelace"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range row {
		if _, err := appendNeedles(nil, row[:n]); err == nil && n != 1+needleSize && n != 1 {
			t.Errorf("cut at %d and taken", n)
		}
	}
	for _, at := range []int{0, 1} {
		bad := slices.Clone(row)
		bad[at] ^= 0x80
		if _, err := appendNeedles(nil, bad); err == nil {
			t.Errorf("byte %d flipped and taken", at)
		}
	}
	if many, _ := knownRow(known(l, exposure.Name, strings.Fields(numbers(1000))...)); len(many) > 2+needleSize*(maxNeedles+1) {
		t.Errorf("a row of %d bytes", len(many))
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprint(&b, i, " ")
	}
	return b.String()
}

func BenchmarkNeedles(b *testing.B) {
	l := mustOpen(b, b.TempDir())
	people := make([]Person, benchPeople)
	for i := range people {
		people[i] = Person{ID: fmt.Sprintf("u-%d", i), Identifiers: []exposure.Identifier{email(i)}, Needles: known(l, exposure.Name, fmt.Sprint("person ", i), fmt.Sprint(i), "street")}
	}
	mustImport(b, l, people...)
	var dst []classify.Needle
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if dst = l.Needles([]exposure.Identifier{email(i % benchPeople)}, dst[:0]); len(dst) != 3 {
			b.Fatal(dst)
		}
	}
}
