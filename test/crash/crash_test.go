// Package crash compares the wire with the ledger: what a vendor received before cordon was killed must stand in
// the ledger after it came back, and what cordon acknowledged must not be missing.
package crash

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/test/rig"
)

const (
	connections   = 64
	roundMessages = 1500 // at most, a round; the directory has as many people
	strangerEvery = 10   // every tenth recipient is one whom no directory names
	roundsInCI    = 4    // CORDON_CRASH_ROUNDS=200 for the full run
)

func rounds(t *testing.T) int {
	text := os.Getenv("CORDON_CRASH_ROUNDS")
	if text == "" {
		if testing.Short() {
			return 1
		}
		return roundsInCI
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CORDON_CRASH_ROUNDS=%q is not a number of rounds", text)
	}
	return n
}

func TestWhatTheVendorSawIsInTheLedgerAfterKill9(t *testing.T) {
	rounds := rounds(t)
	binary, err := rig.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	wire, err := rig.Listen(5 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	org, err := rig.New(binary, t.TempDir(), wire.Addr, rounds*roundMessages)
	if err != nil {
		t.Fatal(err)
	}
	server, err := org.Serve(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Kill() }()

	crowd := crowd{org: org, attempted: map[string]bool{}, acknowledged: map[string]bool{}}
	var (
		ledger audited
		broken int
	)
	for round := 1; round <= rounds; round++ {
		ended := crowd.send()
		time.Sleep(150*time.Millisecond + rand.N(750*time.Millisecond))
		server.Kill()
		<-ended
		if err := wire.Quiet(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		if server, err = org.Serve(time.Minute); err != nil {
			t.Fatalf("round %d: starting again after kill -9: %v", round, err)
		}

		seen := wire.Seen()
		exposed, strangers, err := org.Exposed()
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := ledger.read(org); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		problems := audit(seen, crowd.attempted, crowd.acknowledged, exposed, strangers, &ledger)
		problems = append(problems, recordedBefore(org, seen)...)
		for _, p := range problems {
			t.Errorf("round %d: %s", round, p)
		}
		if t.Failed() {
			t.Fatalf("the server's last words:\n%s", server.Log())
		}
		broken = 0
		for _, s := range seen {
			if !s.Whole {
				broken++
			}
		}
		t.Logf("round %d: sent %d, acknowledged %d, on the wire %d (%d broken off), entries %d, unknown %d",
			round, len(crowd.attempted), len(crowd.acknowledged), len(seen), broken, ledger.size, ledger.results["unknown"])
	}
	if len(crowd.acknowledged) == 0 || len(wire.Seen()) == 0 {
		t.Fatal("nothing crossed the gateway: this proves nothing")
	}
}

// crowd sends messages from many connections, each to a recipient of its own.
type crowd struct {
	org  *rig.Org
	next atomic.Int64 // recipients handed out, over all rounds

	mu                      sync.Mutex
	attempted, acknowledged map[string]bool // by address
}

// addressOf is the recipient of message n: somebody of the directory, or every tenth time a stranger.
func addressOf(n int) string {
	if n%strangerEvery == 0 {
		return fmt.Sprintf("stranger%07d@elsewhere.test", n)
	}
	return rig.Address(n)
}

// send starts the connections; the channel closes when all have met a dead server or the round's end.
func (c *crowd) send() (ended chan struct{}) {
	limit := c.next.Load() + roundMessages
	ended = make(chan struct{})
	var wg sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	for range connections {
		wg.Go(func() {
			for {
				n := c.next.Add(1) - 1
				if n >= limit {
					return
				}
				if !c.one(client, addressOf(int(n))) {
					return
				}
			}
		})
	}
	go func() {
		wg.Wait()
		transport.CloseIdleConnections()
		if over := c.next.Load(); over > limit {
			c.next.Store(limit)
		}
		close(ended)
	}()
	return ended
}

// one sends one message and reports whether the server is still there.
func (c *crowd) one(client *http.Client, to string) bool {
	c.mu.Lock()
	c.attempted[to] = true
	c.mu.Unlock()
	// GetBody stays unset, so that the client never sends a message twice by itself.
	req, err := http.NewRequest("POST", "http://"+c.org.HTTP+"/"+rig.Vendor+"/v3/mail/send", io.NopCloser(bytes.NewReader(rig.Mail(to))))
	if err != nil {
		panic(err)
	}
	req.ContentLength = int64(len(rig.Mail(to)))
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode/100 == 2 {
		c.mu.Lock()
		c.acknowledged[to] = true
		c.mu.Unlock()
	}
	return true
}

// audited is what the tail of the ledger said so far.
type audited struct {
	size        uint64
	disclosures int
	outcomes    map[uint64]int // of a disclosure
	results     map[string]int
	verified    rig.Verified
	shrunk      string // how the ledger became shorter, if it did
}

// read takes in the entries that came since the last time, and has the ledger check itself.
func (a *audited) read(org *rig.Org) error {
	if a.outcomes == nil {
		a.outcomes, a.results = map[uint64]int{}, map[string]int{}
	}
	entries, err := org.Tail(a.size + 1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Kind {
		case "disclosure":
			a.disclosures++
			if _, ok := a.outcomes[e.Seq]; !ok {
				a.outcomes[e.Seq] = 0
			}
		case "outcome":
			a.outcomes[e.Of]++
			a.results[e.Result]++
		}
	}
	before := a.size
	if a.verified, err = org.Verify(); err != nil {
		return err
	}
	if a.verified.Size < before {
		a.shrunk = fmt.Sprintf("the ledger had %d entries and has %d", before, a.verified.Size)
	}
	if len(entries) > 0 {
		a.size = entries[len(entries)-1].Seq
	}
	return nil
}

// audit compares the wire with the ledger and says what does not hold.
func audit(seen []rig.Seen, attempted, acknowledged, exposed map[string]bool, strangers int, ledger *audited) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	// Directory ids and addresses carry the same number.
	idOf := func(address string) string {
		name, _, _ := strings.Cut(address, "@")
		return "p" + strings.TrimPrefix(name, "user")
	}
	onWire, strangersOnWire, strangersTried := map[string]int{}, 0, 0
	for _, s := range seen {
		switch {
		case s.Recipient == "": // broke off before the recipient; the count below covers it
		case !attempted[s.Recipient]:
			say("the vendor received a message to somebody to whom nobody sent one")
		default:
			if onWire[s.Recipient]++; onWire[s.Recipient] > 1 {
				say("the vendor received %d messages to person %s, sent once", onWire[s.Recipient], idOf(s.Recipient))
			}
			if strings.HasPrefix(s.Recipient, "stranger") {
				strangersOnWire++
			} else if !exposed[idOf(s.Recipient)] {
				say("the vendor received a message about person %s, and the ledger does not have it", idOf(s.Recipient))
			}
		}
	}
	for address := range acknowledged {
		if onWire[address] == 0 {
			say("the message to person %s was acknowledged and never reached the vendor", idOf(address))
		}
	}
	ids := map[string]bool{}
	for address := range attempted {
		if strings.HasPrefix(address, "stranger") {
			strangersTried++
		} else {
			ids[idOf(address)] = true
		}
	}
	for id := range exposed {
		if !ids[id] {
			say("person %s counts as exposed, and nobody sent anything about them", id)
		}
	}
	if strangers < strangersOnWire || strangers > strangersTried {
		say("%d strangers count as exposed; %d were on the wire and %d were tried", strangers, strangersOnWire, strangersTried)
	}
	if ledger.disclosures < len(seen) {
		say("%d messages were on the wire and %d disclosures are in the ledger", len(seen), ledger.disclosures)
	}
	for seq, n := range ledger.outcomes {
		if n != 1 {
			say("disclosure %d has %d outcomes after a restart", seq, n)
		}
	}
	if !ledger.verified.OK {
		say("the ledger does not verify: %s", strings.Join(ledger.verified.Problems, "; "))
	}
	if ledger.shrunk != "" {
		say("%s", ledger.shrunk)
	}
	return problems
}

// recordedBefore asks for some of those the vendor saw and compares the clocks: the entry stands before the wire's
// first byte. Entries have milliseconds.
func recordedBefore(org *rig.Org, seen []rig.Seen) (problems []string) {
	for range min(5, len(seen)) {
		s := seen[rand.IntN(len(seen))]
		if s.Recipient == "" {
			continue
		}
		var answer struct {
			Vendors []struct {
				First time.Time `json:"first"`
			} `json:"vendors"`
		}
		if err := org.JSON(&answer, "subject", s.Recipient); err != nil {
			problems = append(problems, err.Error())
		} else if len(answer.Vendors) != 1 {
			problems = append(problems, fmt.Sprintf("a person on the wire stands with %d vendors", len(answer.Vendors)))
		} else if first := answer.Vendors[0].First; first.Truncate(time.Millisecond).After(s.At) {
			problems = append(problems, fmt.Sprintf("the wire saw the message at %v, the ledger has it at %v", s.At, first))
		}
	}
	return problems
}

func TestAuditNamesWhatDoesNotHold(t *testing.T) {
	at := func(n int) string { return rig.Address(n) }
	fine := func() (seen []rig.Seen, attempted, acknowledged, exposed map[string]bool, ledger *audited) {
		return []rig.Seen{{Recipient: at(1), Whole: true}, {Recipient: at(2)}, {}},
			map[string]bool{at(1): true, at(2): true, at(3): true, at(4): true}, map[string]bool{at(1): true},
			map[string]bool{rig.ID(1): true, rig.ID(2): true, rig.ID(3): true},
			&audited{disclosures: 3, outcomes: map[uint64]int{7: 1, 9: 1, 11: 1}, verified: rig.Verified{OK: true}}
	}
	seen, attempted, acknowledged, exposed, ledger := fine()
	if problems := audit(seen, attempted, acknowledged, exposed, 0, ledger); len(problems) > 0 {
		t.Errorf("found fault where there is none: %q", problems)
	}
	for name, spoil := range map[string]func(){
		"on the wire, not in the ledger":      func() { delete(exposed, rig.ID(2)) },
		"acknowledged, not on the wire":       func() { acknowledged[at(4)] = true },
		"exposed, never sent":                 func() { exposed[rig.ID(9)] = true },
		"sent twice":                          func() { seen[2] = seen[0] },
		"fewer disclosures than messages":     func() { ledger.disclosures = 2 },
		"a disclosure without an outcome":     func() { ledger.outcomes[9] = 0 },
		"a disclosure with two outcomes":      func() { ledger.outcomes[9] = 2 },
		"a ledger that does not verify":       func() { ledger.verified.OK = false },
		"a ledger that became shorter":        func() { ledger.shrunk = "shorter" },
		"a stranger on the wire, uncounted":   func() { seen[2].Recipient = addressOf(10); attempted[addressOf(10)] = true },
		"a message to somebody not attempted": func() { delete(attempted, at(1)) },
	} {
		seen, attempted, acknowledged, exposed, ledger = fine()
		spoil()
		if problems := audit(seen, attempted, acknowledged, exposed, 0, ledger); len(problems) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
}
