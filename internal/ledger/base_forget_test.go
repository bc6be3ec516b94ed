package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// baseOf is a ledger in dir with so many people in the base.
func baseOf(t *testing.T, dir string, people int) *Ledger {
	t.Helper()
	testBaseFrom = 1
	t.Cleanup(func() { testBaseFrom = 0 })
	l := mustOpen(t, dir)
	var list []Person
	for i := range people {
		list = append(list, Person{
			ID: fmt.Sprint("p-", i), Identifiers: []exposure.Identifier{email(i)}, Country: "DE", State: "BE", Language: "de",
			Needles: []classify.Needle{{Hash: uint64(i + 1), Words: 1, Category: exposure.LastName}},
		})
	}
	mustImport(t, l, list...)
	if l.ids.base.Load() == nil {
		t.Fatal("there is no base")
	}
	return l
}

// isIn checks that the base has exactly those whom gone does not name.
func isIn(t *testing.T, l *Ledger, people int, gone ...int) {
	t.Helper()
	columns, err := l.People()
	if err != nil {
		t.Fatal(err)
	}
	in := 0
	for i := range people {
		own, ok, err := l.DirectoryID(ordinalOf(t, l, email(i)))
		if want := !slices.Contains(gone, i); err != nil || ok != want || ok && own != fmt.Sprint("p-", i) || l.Knows(user(fmt.Sprint("p-", i))) != want {
			t.Errorf("person %d: %q %v %v", i, own, ok, err)
		}
		if needles := l.Needles([]exposure.Identifier{email(i)}, nil); (len(needles) > 0) == slices.Contains(gone, i) {
			t.Errorf("person %d: %v is known", i, needles)
		}
	}
	for o := range columns.Country {
		if columns.InDirectory(exposure.Ordinal(o)) {
			in++
		}
	}
	if in != people-len(gone) {
		t.Errorf("%d are in the directory, want %d", in, people-len(gone))
	}
}

func TestForgottenPeopleAreNowhereInTheBase(t *testing.T) {
	const people = 700
	dir := t.TempDir()
	l := baseOf(t, dir, people)
	gone := []int{3, 4, 5, 600}
	var ordinals []exposure.Ordinal
	var hashes [][]byte
	some := map[exposure.Ordinal]bool{}
	for _, i := range gone {
		o := ordinalOf(t, l, email(i))
		ordinals = append(ordinals, o)
		some[o] = true
	}
	found, err := l.baseIdentifiers(some)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range ordinals {
		if len(found[o]) != 4 { // id, address, two forms
			t.Errorf("%d identifiers", len(found[o]))
		}
		for _, h := range found[o] {
			hashes = append(hashes, bytes.Clone(h[:]))
		}
	}
	l.importing.Lock()
	digest, err := l.forgetInBase(ordinals...)
	l.importing.Unlock()
	if err != nil || len(digest) != 64 {
		t.Fatal(digest, err)
	}
	l.ids = func() *identities { // what was cached is the caller's to hide
		ids := newIdentities(l.store.DB())
		ids.base.Store(l.ids.base.Load())
		return ids
	}()
	isIn(t, l, people, gone...)
	eachFile(t, l.peopleDir(), func(path string, content []byte) {
		for _, h := range hashes {
			if bytes.Contains(content, h) || strings.HasSuffix(path, "fences") && bytes.Contains(content, h[:8]) {
				t.Errorf("%s still has an identifier", path)
			}
		}
	})
	if problems := l.verifyBase(context.Background()); len(problems) > 0 {
		t.Error(problems)
	}
	l.Close()
	l = mustOpen(t, dir)
	isIn(t, l, people, gone...)
	if row, _, err := l.baseRow(); err != nil || hex.EncodeToString(row.digest[:]) != digest {
		t.Errorf("the store names %x, %v", row.digest, err)
	}
	// The next generation does not have them either, unless the directory still does.
	mustImport(t, l, Person{ID: "p-3", Identifiers: []exposure.Identifier{email(3)}})
	if o := ordinalOf(t, l, email(3)); slices.Contains(ordinals, o) || o == exposure.Nobody {
		t.Errorf("somebody who was forgotten is %d again", o)
	}
}

func TestForgettingIsMadeGoodAfterACrash(t *testing.T) {
	const people = 300
	for _, reached := range []string{"planned", "written in part", "written", "sums", "manifest"} {
		t.Run(reached, func(t *testing.T) {
			dir := t.TempDir()
			l := baseOf(t, dir, people)
			b := l.ids.base.Load()
			writes, err := b.forgetWrites(map[exposure.Ordinal]bool{ordinalOf(t, l, email(7)): true, ordinalOf(t, l, email(8)): true})
			if err != nil {
				t.Fatal(err)
			}
			plan := forgetPlan{Generation: b.m.Generation, Writes: writes, SumsBefore: b.m.file(sumsName).SHA256}
			sums, err := b.sumsAfter(writes)
			if err != nil {
				t.Fatal(err)
			}
			raw := allSums(&b.m, sums)
			after := sha256.Sum256(raw)
			plan.SumsAfter = hex.EncodeToString(after[:])
			text, _ := json.Marshal(plan)
			pb := l.store.DB().NewBatch()
			if err := pb.Set(baseKey(baseForget), text, nil); err != nil {
				t.Fatal(err)
			}
			if err := l.store.Apply(pb); err != nil {
				t.Fatal(err)
			}
			switch reached {
			case "written in part":
				err = writeForgotten(b.dir, writes[:len(writes)/2])
			case "written":
				err = writeForgotten(b.dir, writes)
			case "sums":
				err = writeForgotten(b.dir, writes)
				if err == nil {
					err = replaceFile(filepath.Join(b.dir, sumsName), raw)
				}
			case "manifest":
				if err = writeForgotten(b.dir, writes); err == nil {
					_, err = writeManifest(b.dir, b.m, sums)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			l = mustOpen(t, dir)
			isIn(t, l, people, 7, 8)
			if problems := l.verifyBase(context.Background()); len(problems) > 0 {
				t.Error(problems)
			}
		})
	}
}

// Every file of the base, cut, gone, or with a bit changed anywhere: the start
// refuses, or Verify names the file.
func TestDamageToTheBaseIsNamed(t *testing.T) {
	dir := t.TempDir()
	l := baseOf(t, dir, 700)
	base := l.ids.base.Load().dir
	l.Close()
	list, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, file string) {
		t.Helper()
		l, err := openTest(t, dir)
		if err != nil {
			if !strings.Contains(err.Error(), base) {
				t.Errorf("%s: %v does not say where", what, err)
			}
			return
		}
		defer l.Close()
		if problems := l.verifyBase(context.Background()); len(problems) != 1 || !strings.Contains(problems[0], file) {
			t.Errorf("%s: problems %q", what, problems)
		}
	}
	for _, f := range list {
		path := filepath.Join(base, f.Name())
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write := func(c []byte) {
			if err := os.WriteFile(path, c, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range []int{0, len(content) / 2, len(content) - 1} {
			changed := bytes.Clone(content)
			changed[at] ^= 1
			write(changed)
			check(fmt.Sprintf("%s, byte %d", f.Name(), at), f.Name())
		}
		write(content[:len(content)-1])
		check(f.Name()+" cut", f.Name())
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		check(f.Name()+" gone", f.Name())
		write(content)
	}
	check = nil
	l = mustOpen(t, dir)
	if problems := l.verifyBase(context.Background()); len(problems) > 0 {
		t.Error(problems)
	}
	// What is damaged is not answered with, either.
	l.Close()
	path := filepath.Join(base, "ids")
	content, _ := os.ReadFile(path)
	for i := range content {
		content[i] ^= 0x10
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir)
	if _, _, err := l.Lookup(email(1)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("looked up in damaged identifiers: %v", err)
	}
}
