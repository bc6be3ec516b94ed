package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// list is a source in blocks of five that can be read again.
type list struct {
	people  []Person
	version string
	asOf    time.Time
	passed  uint32
	blocks  uint32
	stopAt  uint32 // the block at which reading fails; 0 for none
	inside  uint32 // the block in the middle of which it fails
	taken   atomic.Int64
	before  func(block uint32) // taken in
}

const perBlock = 5

var errLineDead = errors.New("the line is dead")

func (s *list) Version() string                    { return s.version }
func (s *list) AsOf() time.Time                    { return s.asOf }
func (s *list) GoOn(asOf time.Time, blocks uint32) { s.asOf, s.passed = asOf, blocks }

func (s *list) Next() (Block, error) {
	n := s.blocks
	if s.stopAt > 0 && n == s.stopAt {
		return nil, errLineDead
	}
	if int(n)*perBlock >= len(s.people) {
		return nil, nil
	}
	s.blocks++
	part := s.people[n*perBlock : min(len(s.people), int(n+1)*perBlock)]
	return func(take func(*Person) error) error {
		if s.before != nil {
			s.before(n)
		}
		for i := range part {
			if s.inside > 0 && n == s.inside && i == perBlock/2 {
				return errLineDead
			}
			p := part[i]
			if n < s.passed { // only the line matters of these
				p = Person{Line: p.Line}
			} else {
				s.taken.Add(1)
			}
			if err := take(&p); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// crowd are people of whom some share an address, some come twice, and some
// wrote before.
func crowd() (people []Person, all []exposure.Identifier) {
	for i := range 63 {
		p := Person{
			ID: fmt.Sprint("p-", i), Identifiers: []exposure.Identifier{email(i), phone(i)}, Country: []string{"DE", "FR", ""}[i%3], Language: "de", Line: uint64(i + 2),
			Needles: []classify.Needle{{Hash: uint64(i + 1), Words: 1, Category: exposure.LastName}},
		}
		switch {
		case i%10 == 7:
			p.ID = fmt.Sprint("p-", i-5)
		case i%10 == 8:
			p.Identifiers[0] = email(i - 6)
		}
		people = append(people, p)
		all = append(all, user(p.ID), email(i), phone(i))
		all = append(all, email(i).Hashes()...)
	}
	return people, all
}

const everyBlocks = 3

func openForPoints(t *testing.T, dir string) *Ledger {
	t.Helper()
	l := mustOpen(t, dir)
	l.baseFrom, l.pointEvery, l.atPoint = 1, everyBlocks, func(uint32) {}
	return l
}

func goOn(t *testing.T, l *Ledger, s *list) Imported {
	t.Helper()
	done, err := l.ImportFrom(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// whole is what comes out when nothing interrupts.
func whole(t *testing.T, people []Person, all []exposure.Identifier) (counts, picture string) {
	t.Helper()
	l := openForPoints(t, t.TempDir())
	write(t, l)
	done := goOn(t, l, &list{people: people, version: "1", asOf: time.Now()})
	if len(done.Repeated) == 0 || l.ids.base.Load() == nil {
		t.Fatalf("this is no test: %+v", done)
	}
	return count(done), portrait(t, l, all)
}

func count(d Imported) string {
	d.Behind, d.Anew = 0, ""
	return fmt.Sprintf("%+v", d)
}

// write records messages about some of the crowd.
func write(t *testing.T, l *Ledger) {
	t.Helper()
	for _, i := range []int{3, 18, 40} {
		mustRecord(t, l, mail(about(justMail, email(i))))
	}
}

// same compares with whole, also after a restart.
func same(t *testing.T, l *Ledger, dir string, done Imported, all []exposure.Identifier, counts, picture string) {
	t.Helper()
	if count(done) != counts {
		t.Errorf("imported %s, want %s", count(done), counts)
	}
	for range 2 {
		if got := portrait(t, l, all); got != picture {
			t.Fatalf("the people are\n%s, want\n%s", got, picture)
		}
		mustVerify(t, l)
		if _, err := os.Stat(l.leftoverDir()); err == nil {
			t.Error("something of the import is left")
		}
		l.Close()
		l = mustOpen(t, dir)
	}
}

// Wherever reading breaks off, at a waypoint, between two or in a block: the next
// import goes on behind the last waypoint and comes out as if nothing had
// happened, in the same process or in another, whoever writes meanwhile.
func TestAnInterruptedImportGoesOnAndComesOutTheSame(t *testing.T) {
	people, all := crowd()
	counts, picture := whole(t, people, all)
	blocks := uint32((len(people) + perBlock - 1) / perBlock)
	for stop := uint32(1); stop <= blocks; stop++ {
		for _, inside := range []bool{false, true} {
			if inside && stop == blocks {
				continue
			}
			t.Run(fmt.Sprint(stop, inside), func(t *testing.T) {
				dir := t.TempDir()
				l := openForPoints(t, dir)
				s := &list{people: people, version: "1", asOf: time.Now()}
				if s.stopAt = stop; inside {
					s.stopAt, s.inside = 0, stop
				}
				if _, err := l.ImportFrom(context.Background(), s); !errors.Is(err, errLineDead) {
					t.Fatalf("the import ended with %v", err)
				}
				if stop%2 == 0 {
					l.Close()
					l = openForPoints(t, dir)
				}
				write(t, l) // they must not get an ordinal of somebody who was set aside
				s = &list{people: people, version: "1", asOf: time.Now()}
				done := goOn(t, l, s)
				// A block that fails ends the import before the workers stop again.
				// The block before one that cannot be read may have been cut short.
				from := stop
				if !inside {
					from--
				}
				from = from / everyBlocks * everyBlocks
				behind := uint64(0)
				if from > 0 {
					behind = uint64(from)*perBlock + 1
				}
				if done.Behind != behind || done.Anew != "" || s.taken.Load() != int64(len(people))-int64(from)*perBlock {
					t.Errorf("went on behind %d (%s) with %d people, want %d", done.Behind, done.Anew, s.taken.Load(), behind)
				}
				same(t, l, dir, done, all, counts, picture)
			})
		}
	}
}

// The process is killed at a waypoint, in any block, or when all was set aside:
// a copy of the data directory of that moment goes on.
func TestAKilledImportGoesOn(t *testing.T) {
	people, all := crowd()
	counts, picture := whole(t, people, all)
	dir, copies := t.TempDir(), t.TempDir()
	l := openForPoints(t, dir)
	write(t, l)
	l.atPoint = func(blocks uint32) { copyDir(t, dir, filepath.Join(copies, fmt.Sprint("at ", blocks))) }
	s := &list{people: people, version: "1", asOf: time.Now()}
	s.before = func(n uint32) {
		if n%4 == 1 {
			copyDir(t, dir, filepath.Join(copies, fmt.Sprint("in ", n)))
		}
	}
	l.beforeNaming = func() { copyDir(t, dir, filepath.Join(copies, "in 99")) }
	goOn(t, l, s)
	found, err := os.ReadDir(copies)
	if err != nil || len(found) < 8 {
		t.Fatalf("%d copies, %v", len(found), err)
	}
	for _, c := range found {
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join(copies, c.Name())
			l := openForPoints(t, dir)
			var what string
			var n uint64
			fmt.Sscan(c.Name(), &what, &n)
			s := &list{people: people, version: "1", asOf: time.Now()}
			done := goOn(t, l, s)
			last := n / everyBlocks * everyBlocks
			if n == 99 || int(n)*perBlock > len(people) {
				last = uint64(len(people)+perBlock-1) / perBlock
			}
			want := uint64(0)
			if last > 0 {
				want = min(last*perBlock, uint64(len(people))) + 1
			}
			// Workers may be one block ahead of the one that is copied in.
			if done.Behind != want && (what != "in" || done.Behind != want+everyBlocks*perBlock) || done.Anew != "" {
				t.Errorf("went on behind %d (%s), want %d", done.Behind, done.Anew, want)
			}
			same(t, l, dir, done, all, counts, picture)
		})
	}
}

// interrupted leaves an import behind, seven blocks in.
func interrupted(t *testing.T, dir string, people []Person) *Ledger {
	t.Helper()
	l := openForPoints(t, dir)
	if _, err := l.ImportFrom(context.Background(), &list{people: people, version: "1", asOf: time.Now(), stopAt: 7}); !errors.Is(err, errLineDead) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(l.leftoverDir(), waypointName)); err != nil {
		t.Fatal(err)
	}
	return l
}

// What does not belong to the source as it is now, or is not whole any more, is
// not gone on with: all is read anew, and the answer says why.
func TestAnotherSourceOrADamagedLeftoverStartsAnew(t *testing.T) {
	people, all := crowd()
	counts, picture := whole(t, people, all)
	flip := func(pattern string) func(*testing.T, *Ledger) {
		return func(t *testing.T, l *Ledger) {
			files, _ := filepath.Glob(filepath.Join(l.leftoverDir(), pattern))
			if len(files) == 0 {
				t.Fatalf("no %s", pattern)
			}
			path := files[len(files)/2]
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			content[len(content)/2] ^= 2
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		version string
		damage  func(*testing.T, *Ledger)
		why     error
	}{
		"changed file":    {"2", nil, errLeftSource},
		"without version": {"", nil, errLeftOnce},
		"tuples":          {"1", flip("tuples-*"), errLeftDamaged},
		"rows":            {"1", flip("rows-*"), errLeftDamaged},
		"waypoint":        {"1", flip(waypointName), errLeftDamaged},
		"part is gone": {"1", func(t *testing.T, l *Ledger) {
			files, _ := filepath.Glob(filepath.Join(l.leftoverDir(), "tuples-*"))
			if err := os.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
		}, errLeftDamaged},
		"part is cut": {"1", func(t *testing.T, l *Ledger) {
			files, _ := filepath.Glob(filepath.Join(l.leftoverDir(), "rows-*"))
			if err := os.Truncate(files[0], 40); err != nil {
				t.Fatal(err)
			}
		}, errLeftDamaged},
		"other keys": {"1", func(t *testing.T, l *Ledger) { l.keys.ID = []byte("other keys") }, errLeftKeys},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := interrupted(t, dir, people)
			used := l.j.used
			if test.damage != nil {
				test.damage(t, l)
			}
			write(t, l)
			s := &list{people: people, version: test.version, asOf: time.Now()}
			done := goOn(t, l, s)
			if done.Behind != 0 || done.Anew != test.why.Error() || s.taken.Load() != int64(len(people)) {
				t.Errorf("went on behind %d (%s) with %d people", done.Behind, done.Anew, s.taken.Load())
			}
			if used == 0 {
				t.Error("the interrupted import had no ordinals")
			}
			same(t, l, dir, done, all, counts, picture)
		})
	}
}

// Same length, same time, same beginning and end, and yet other rows: the import
// fails, says so, and leaves nothing.
func TestASourceWithOtherRowsIsNotGoneOnWith(t *testing.T) {
	people, all := crowd()
	counts, picture := whole(t, people, all)
	for name, n := range map[string]int{"shorter": 12, "other rows": len(people) - 2} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := interrupted(t, dir, people)
			other := &shifted{list: list{people: people[:n], version: "1", asOf: time.Now()}}
			if _, err := l.ImportFrom(context.Background(), other); !errors.Is(err, errNotTheSame) {
				t.Fatalf("the import ended with %v", err)
			}
			write(t, l)
			done := goOn(t, l, &list{people: people, version: "1", asOf: time.Now()})
			if done.Behind != 0 || done.Anew != "" {
				t.Errorf("went on behind %d (%s)", done.Behind, done.Anew)
			}
			same(t, l, dir, done, all, counts, picture)
		})
	}
}

// shifted has a person less in its first block.
type shifted struct{ list }

func (s *shifted) Next() (Block, error) {
	first := s.blocks == 0
	block, err := s.list.Next()
	if block == nil || !first {
		return block, err
	}
	return func(take func(*Person) error) error {
		left := perBlock - 1
		return block(func(p *Person) error {
			if left--; left < 0 {
				return nil
			}
			return take(p)
		})
	}, nil
}

// What lies there names nobody, and goes when somebody is erased, when the disk
// is full, and when it is old.
func TestWhatAnInterruptedImportLeavesNamesNobodyAndGoes(t *testing.T) {
	people, _ := crowd()
	gone := func(t *testing.T, l *Ledger) {
		t.Helper()
		if _, err := os.Stat(l.leftoverDir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
	}
	t.Run("names nobody", func(t *testing.T) {
		l := interrupted(t, t.TempDir(), people)
		eachFile(t, l.leftoverDir(), func(path string, content []byte) {
			for _, p := range people {
				for _, text := range []string{`"` + p.ID, p.ID + `"`, p.Identifiers[0].Value, strings.TrimPrefix(p.Identifiers[1].Value, "+")} {
					if bytes.Contains(content, []byte(text)) {
						t.Errorf("%s has %q", filepath.Base(path), text)
					}
				}
			}
		})
	})
	t.Run("erasure", func(t *testing.T) {
		l := interrupted(t, t.TempDir(), people)
		before := l.j.used
		o := mustRecord(t, l, mail(about(justMail, email(3)))).Ordinals()[0]
		if _, err := l.Erase(context.Background(), []ToErase{{Ordinal: o}}, Event{}); err != nil {
			t.Fatal(err)
		}
		if l.j.used < before {
			t.Error("the ordinal of an erased person may come again")
		}
		gone(t, l)
	})
	t.Run("full disk", func(t *testing.T) {
		l := openForPoints(t, t.TempDir())
		l.atPoint = func(blocks uint32) { l.low.Store(blocks >= 6) }
		_, err := l.ImportFrom(context.Background(), &list{people: people, version: "1", asOf: time.Now()})
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("the import ended with %v", err)
		}
		gone(t, l)
		if l.j.used != 0 {
			t.Errorf("%d ordinals are lost", l.j.used)
		}
	})
	t.Run("old", func(t *testing.T) {
		dir := t.TempDir()
		interrupted(t, dir, people).Close()
		gone(t, mustOpen(t, dir, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(leftoverLife + time.Hour) } }))
	})
}
