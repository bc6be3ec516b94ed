package witness

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func headPath(dir string) string {
	return filepath.Join(dir, logsDir, originHash(logName), headName)
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTornWriteLeavesOneOfTheTwoHeads cuts the writing of a head off after every
// possible sector, at which point nobody was answered.
func TestTornWriteLeavesOneOfTheTwoHeads(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 30)
	w, dir := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	mustCosign(t, w, l.request(t, 10, 11))
	before := mustRead(t, headPath(dir))
	mustCosign(t, w, l.request(t, 11, 20))
	after := mustRead(t, headPath(dir))
	w.Close()
	for slots := range 2 {
		for cut := 0; cut <= slotSize; cut += 128 {
			torn := append([]byte(nil), before...)
			for i := range slots {
				copy(torn[i*slotSize:(i+1)*slotSize], after[i*slotSize:])
			}
			copy(torn[slots*slotSize:slots*slotSize+cut], after[slots*slotSize:])
			if err := os.WriteFile(headPath(dir), torn, 0o600); err != nil {
				t.Fatal(err)
			}
			w := open(t, dir, Options{})
			s := w.States()[0]
			if s.Problem != "" || s.Size != 11 && s.Size != 20 || slots == 1 && s.Size != 20 {
				t.Fatalf("cut after %d bytes of slot %d: %+v", cut, slots, s)
			}
			mustCosign(t, w, l.request(t, int(s.Size), 25)) // and it goes on
			w.Close()
			if w := open(t, dir, Options{}); w.States()[0].Size != 25 {
				t.Fatalf("after a torn write the next head is lost: %+v", w.States())
			} else {
				w.Close()
			}
		}
	}
}

// TestDamageToEitherSlotLosesNothing: what was answered must not be forgotten.
func TestDamageToEitherSlotLosesNothing(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 30)
	w, dir := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	mustCosign(t, w, l.request(t, 10, 20))
	w.Close()
	good := mustRead(t, headPath(dir))
	for i := 0; i < len(good); i += 41 {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		if err := os.WriteFile(headPath(dir), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		w := open(t, dir, Options{})
		if s := w.States()[0]; s.Size != 20 || s.Problem != "" {
			t.Fatalf("byte %d: %+v", i, s)
		}
		w.Close()
	}
}

func TestWitnessThatForgotCosignsNothing(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 30)
	for name, damage := range map[string]func(path string) error{
		"file gone":    os.Remove,
		"file emptied": func(path string) error { return os.Truncate(path, 0) },
		"both slots zeroed": func(path string) error {
			return os.WriteFile(path, make([]byte, 2*slotSize), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, dir := newWitness(t, l)
			mustCosign(t, w, l.request(t, 0, 10))
			w.Close()
			if err := damage(headPath(dir)); err != nil {
				t.Fatal(err)
			}
			w = open(t, dir, Options{})
			if _, err := w.Cosign(l.request(t, 0, 20)); !errors.Is(err, errLost) {
				t.Errorf("cosigned from nothing: %v", err)
			}
			if _, err := w.Cosign(l.request(t, 10, 20)); !errors.Is(err, errLost) {
				t.Errorf("cosigned: %v", err)
			}
			if s := w.States()[0]; s.Problem == "" {
				t.Errorf("not said: %+v", s)
			}
		})
	}
}

func TestDiskThatFailsGetsNoCosignature(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 30)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	w.logs[logName].head.f.Close() // every write fails from here on
	for range 2 {
		if line, err := w.Cosign(l.request(t, 10, 20)); err == nil || line != "" {
			t.Fatalf("cosigned without keeping: %q %v", line, err)
		}
	}
}

// TestKilledWitnessNeverGoesBack kills a witness while it cosigns. Whatever
// size it had answered, the next process must know.
func TestKilledWitnessNeverGoesBack(t *testing.T) {
	if dir := os.Getenv("WITNESS_DIR"); dir != "" {
		cosignForEver(t, dir)
		return
	}
	l := newLog(t, 1)
	w, dir := newWitness(t, l)
	w.Close()
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWitnessNeverGoesBack$")
		cmd.Env = append(os.Environ(), "WITNESS_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		answered := 0
		lines := bufio.NewScanner(out)
		for stop := 5 + rand.N(60); answered >= 0 && stop > 0 && lines.Scan(); stop-- {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				answered = n
			}
		}
		_ = cmd.Process.Kill()
		for lines.Scan() { // what it had still said
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				answered = n
			}
		}
		_ = cmd.Wait()
		w := open(t, dir, Options{})
		s := w.States()[0]
		if answered == 0 || s.Problem != "" || s.Size < uint64(answered) {
			t.Fatalf("answered size %d, after the kill %+v", answered, s)
		}
		l.growTo(t, answered)
		_, err = w.Cosign(l.request(t, answered/2, answered))
		wantStatus(t, err, http.StatusConflict)
		w.Close()
	}
}

func cosignForEver(t *testing.T, dir string) {
	c := newClock()
	w := open(t, dir, Options{Now: c.now})
	l := newLog(t, 1)
	size := int(w.States()[0].Size)
	for {
		l.growTo(t, size+1)
		mustCosign(t, w, l.request(t, size, size+1))
		size++
		fmt.Println(size)
		c.add(time.Second)
	}
}

func mustWrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
