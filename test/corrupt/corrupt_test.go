// Package corrupt damages the files of a small store, one at a time, and checks that nobody is told less than
// before without being told so: the start refuses, or verify names what is wrong, or nothing is missing.
package corrupt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/test/rig"
)

// whole is what the undamaged store says.
type whole struct {
	entries  []rig.Entry
	verified rig.Verified
}

// A damage changes one file of a copy of the store; the file exists and has size bytes, more than none.
type damage struct {
	name string
	do   func(file string, size int64) error
}

func damages() []damage {
	flip := func(at func(size int64) int64) func(string, int64) error {
		return func(file string, size int64) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[at(size)] ^= 1 << rand.IntN(8)
			return os.WriteFile(file, b, 0o600)
		}
	}
	cut := func(to func(size int64) int64) func(string, int64) error {
		return func(file string, size int64) error { return os.Truncate(file, to(size)) }
	}
	list := []damage{
		{"one bit flipped near the beginning", flip(func(size int64) int64 { return min(size-1, 10) })},
		{"one bit flipped in the middle", flip(func(size int64) int64 { return size / 2 })},
		{"one bit flipped in the last byte", flip(func(size int64) int64 { return size - 1 })},
		{"cut to half", cut(func(size int64) int64 { return size / 2 })},
		{"its last byte cut off", cut(func(size int64) int64 { return size - 1 })},
		{"emptied", cut(func(int64) int64 { return 0 })},
		{"deleted", func(file string, _ int64) error { return os.Remove(file) }},
	}
	if os.Getenv("CORDON_CORRUPT") == "all" {
		return list
	}
	// The binary takes a second and a half for each; TestEverySingleBit tries the places.
	return []damage{list[1], list[6]}
}

// TestDamageIsRefusedOrNamed starts the real binary on each damaged copy: that its
// refusal is two lines for a person and an exit code, and no stack.
func TestDamageIsRefusedOrNamed(t *testing.T) {
	binary, err := rig.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	endings := []string{"kill -9", "clean stop"}
	if os.Getenv("CORDON_CORRUPT") != "all" {
		endings = endings[:1]
	}
	for _, ending := range endings {
		t.Run(ending, func(t *testing.T) {
			wire, err := rig.Listen(0)
			if err != nil {
				t.Fatal(err)
			}
			defer wire.Close()
			org, err := rig.New(binary, t.TempDir(), wire.Addr, 200)
			if err != nil {
				t.Fatal(err)
			}
			before := fill(t, org, ending)
			files := contents(t, org)
			if len(files) < 5 {
				t.Fatalf("only %d files to damage: %v", len(files), files)
			}
			tally := map[string]int{}
			for _, file := range files {
				var each []string
				for _, d := range damages() {
					met := damaged(t, org, before, file, d)
					tally[met]++
					each = append(each, d.name+": "+met)
				}
				t.Logf("%s: %s", file, strings.Join(each, "; "))
			}
			t.Logf("%d files, %d entries: %v", len(files), len(before.entries), tally)
			if tally["refused"]+tally["named"] == 0 {
				t.Error("no damage at all was noticed: this proves nothing")
			}
		})
	}
}

// fill makes a small store: people of the directory and strangers, a restart in the middle, a vendor that is cut at
// the end. It returns what the undamaged store says.
func fill(t *testing.T, org *rig.Org, ending string) whole {
	t.Helper()
	var server *rig.Server
	for half := range 2 {
		var err error
		if server, err = org.Serve(time.Minute); err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			to := rig.Address(half*40 + n)
			if n%10 == 9 {
				to = fmt.Sprintf("stranger%d@elsewhere.test", half*40+n)
			}
			res, err := http.Post("http://"+org.HTTP+"/"+rig.Vendor+"/v3/mail/send", "application/json", bytes.NewReader(rig.Mail(to)))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode/100 != 2 {
				t.Fatalf("sending answered %d; the server said:\n%s", res.StatusCode, server.Log())
			}
		}
		if half == 0 {
			if err := server.Stop(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var cut struct{ Gate string }
	if err := org.JSON(&cut, "cut", rig.Vendor, "--reason", "rehearsal", "--yes"); err != nil {
		t.Fatal(err)
	}
	if cut.Gate != "cut" {
		t.Fatalf("the gate is %q after a cut", cut.Gate)
	}
	// What the newest signed head covers is what damage must not take away unnoticed; heads are signed each second.
	time.Sleep(2500 * time.Millisecond)
	if ending == "kill -9" {
		server.Kill()
	} else if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	var (
		w   whole
		err error
	)
	if w.entries, err = org.Tail(1); err != nil {
		t.Fatal(err)
	}
	if w.verified, err = org.Verify(); err != nil {
		t.Fatal(err)
	}
	if !w.verified.OK || len(w.entries) < 160 {
		t.Fatalf("the undamaged store: %+v, %d entries", w.verified, len(w.entries))
	}
	return w
}

// contents lists the files of data and mirror. Keys are not here: losing a key is another sentence, and theirs.
func contents(t *testing.T, org *rig.Org) (files []string) {
	t.Helper()
	for _, dir := range []string{"data", "mirror"} {
		err := filepath.WalkDir(filepath.Join(org.Dir, dir), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Type().IsRegular() {
				rel, _ := filepath.Rel(org.Dir, p)
				files = append(files, rel)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

// damaged does one damage to a copy, and says how it was met. What must not happen is an error of the test.
func damaged(t *testing.T, org *rig.Org, before whole, file string, d damage) (met string) {
	t.Helper()
	bad := func(format string, args ...any) string {
		t.Errorf("%s, %s: %s", file, d.name, fmt.Sprintf(format, args...))
		return "not met"
	}
	info, err := os.Stat(filepath.Join(org.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() == 0 && d.name != "deleted" {
		return "empty already"
	}
	dir, err := os.MkdirTemp("", "cordon-corrupt")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := copyTree(org.Dir, dir); err != nil {
		t.Fatal(err)
	}
	hurt := *org
	hurt.Dir = dir
	if err := d.do(filepath.Join(dir, file), info.Size()); err != nil {
		t.Fatal(err)
	}

	server, err := hurt.Serve(20 * time.Second)
	var refusal *rig.Refusal
	if errors.As(err, &refusal) {
		if why := clear(refusal.Code, refusal.Stderr); why != "" {
			return bad("%s:\n%s", why, refusal.Stderr)
		}
		return "refused"
	}
	if err != nil {
		return bad("%v", err)
	}
	defer server.Kill()

	// It started. The vendor that was cut is still cut, whatever happened to its file.
	res, err := http.Post("http://"+hurt.HTTP+"/"+rig.Vendor+"/v3/mail/send", "application/json", bytes.NewReader(rig.Mail(rig.Address(150))))
	if err != nil {
		return bad("sending to the cut vendor: %v; the server said:\n%s", err, server.Log())
	}
	res.Body.Close()
	if res.StatusCode/100 == 2 {
		return bad("the vendor was cut, and a message to it was answered with %d", res.StatusCode)
	}

	verified, err := hurt.Verify()
	if errors.As(err, &refusal) {
		if why := clear(refusal.Code, refusal.Stderr); why != "" {
			return bad("%s:\n%s", why, refusal.Stderr)
		}
		return "refused"
	}
	if err != nil {
		return bad("%v; the server said:\n%s", err, server.Log())
	}
	if !verified.OK {
		if len(verified.Problems) == 0 {
			return bad("verify does not hold and names nothing")
		}
		return "named"
	}
	// Verify holds: then nothing may be missing, and what was there reads as before.
	entries, err := hurt.Tail(1)
	if err != nil {
		return bad("verify holds and tail fails: %v", err)
	}
	if verified.Size < before.verified.Size || len(entries) < len(before.entries) {
		return bad("silently fewer entries: %d of %d; the server said:\n%s", verified.Size, before.verified.Size, server.Log())
	}
	for i, e := range before.entries {
		if entries[i].Line != e.Line {
			return bad("entry %d reads differently and verify holds:\n%s\n%s", e.Seq, e.Line, entries[i].Line)
		}
	}
	return "unharmed"
}

// clear says what is wrong with a refusal: it is two lines for a person, not a stack and not silence.
func clear(code int, stderr string) string {
	switch {
	case strings.Contains(stderr, "goroutine ") || strings.Contains(stderr, "panic:"):
		return "it panicked"
	case code <= 0:
		return fmt.Sprintf("it was ended by a signal (code %d)", code)
	case len(strings.Fields(stderr)) < 4:
		return "it refused without saying why"
	}
	return ""
}

// copyTree copies regular files and folders; sockets that a killed server left are not part of a store.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		switch target := filepath.Join(to, rel); {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type().IsRegular():
			if _, err := os.Lstat(target); err == nil {
				return nil // copied before the others
			}
			return copyFile(p, target)
		}
		return nil
	})
}

// copyFile leaves holes where the original has zeros: the space that a store keeps in reserve need not be written
// anew for every damage.
func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(int64(len(b))); err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := 0; at < len(b); at += len(zeros) {
		chunk := b[at:min(at+len(zeros), len(b))]
		if bytes.Equal(chunk, zeros[:len(chunk)]) {
			continue
		}
		if _, err := f.WriteAt(chunk, int64(at)); err != nil {
			return err
		}
	}
	return nil
}
