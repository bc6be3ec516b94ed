package ledger

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"
)

const crashEnv = "CORDON_LEDGER_CRASH_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		crashChild(dir)
		return
	}
	os.Exit(m.Run())
}

// crashChild records without end and prints each entry once it is acknowledged.
func crashChild(dir string) {
	t := &testing.B{} // only for its helpers
	keys, _ := testKeys(t)
	l, err := Open(Options{Dir: dir, Mirror: dir + "-mirror", Keys: keys})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for w := range 16 {
		go func() {
			for i := w; ; i += 16 {
				who := about(nameMail, email(i%200), userID(i%200))
				m := withTokens(t, l, mail(who), minted(t, exposure.Email, email(i%200).Value, who.identifiers))
				r, err := l.record(context.Background(), m)
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				os.Stdout.WriteString(fmt.Sprintf("%d %d\n", r.Seq(), i%200))
				mu.Unlock()
				l.Settle(r, Outcome{Sent, 202, 700})
				if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{userID(i % 200)}, cookie(i%200), r.Seq()); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir() + "/data"
	acknowledged := map[uint64]int{}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		enough := 100 + 137*round
		go func() { // a child that hangs ends the test as well
			time.Sleep(20 * time.Second)
			cmd.Process.Kill()
		}()
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == enough {
				cmd.Process.Kill() // SIGKILL; what it wrote before is still read
			}
			seq, person, ok := strings.Cut(lines.Text(), " ")
			if !ok || seq == "error" {
				t.Fatalf("round %d: %s", round, lines.Text())
			}
			number, err := strconv.ParseUint(seq, 10, 64)
			if err != nil {
				continue // the last line may be cut
			}
			who, err := strconv.Atoi(person)
			if err != nil {
				continue
			}
			if _, twice := acknowledged[number]; twice {
				t.Fatalf("entry %d acknowledged twice", number)
			}
			acknowledged[number] = who
		}
		cmd.Wait()
	}
	l := mustOpen(t, dir, func(o *Options) { o.Mirror = dir + "-mirror" })
	ordinals := map[int]exposure.Ordinal{}
	found := 0
	open := map[uint64]bool{}
	for _, e := range allEntries(t, l) {
		switch e.Kind {
		case KindDisclosure:
			open[e.Seq] = true
			who, ok := acknowledged[e.Seq]
			if !ok {
				continue // written, and killed before it was said
			}
			found++
			if got := mustResolve(t, l, minted(t, exposure.Email, email(who).Value, nil).Key); got.Value != email(who).Value {
				t.Fatalf("a token that may be on the wire stands for %+v", got)
			}
			if ordinals[who] == exposure.Nobody {
				ordinals[who] = ordinalOf(t, l, email(who))
			}
			if len(e.Subjects) != 1 || e.Subjects[0].Ordinal != ordinals[who] {
				t.Fatalf("entry %d is about %v, want %d", e.Seq, e.Subjects, ordinals[who])
			}
		case KindOutcome:
			if !open[e.Of] {
				t.Fatalf("entry %d is a second outcome, or of none: %d", e.Seq, e.Of)
			}
			delete(open, e.Of)
		}
	}
	// Whoever is known is known by every name, and every link has its evidence.
	learnt := 0
	for who, o := range ordinals {
		for _, id := range append(email(who).Hashes(), userID(who)) {
			if got := ordinalOf(t, l, id); got != o {
				t.Errorf("%v of person %d is %d's, want %d", id, who, got, o)
			}
		}
		switch got := ordinalOf(t, l, cookie(who)); got {
		case o:
			learnt++
		case exposure.Nobody:
		default:
			t.Errorf("what an answer told of person %d is %d's, want %d", who, got, o)
		}
		links, err := l.Links(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range links {
			if e := entryAt(t, l, k.Entry); e.Kind != KindDisclosure || e.Subjects[0].Ordinal != o {
				t.Errorf("person %d: the evidence of %+v is %+v", who, k, e)
			}
		}
	}
	if learnt == 0 {
		t.Error("no answer told anything")
	}
	if found != len(acknowledged) || found < rounds*100 {
		t.Errorf("%d of %d acknowledged entries are there", found, len(acknowledged))
	}
	if len(open) > 0 {
		t.Errorf("%d disclosures without an outcome after a restart", len(open))
	}
	mustVerify(t, l)
}
