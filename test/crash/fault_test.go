package crash

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cordon/test/rig"
)

// fault is one kind of system call that fails once in each thread, on the files
// of the data directory alone: which of its calls, and with what.
type fault struct {
	call, errno string
	when        int
}

// Log and tables are written with write, the file of heads with pwrite64; logs are
// synced with fdatasync, heads with fsync.
var faults = []fault{
	{"fdatasync", "EIO", 2}, {"write", "EIO", 2}, {"fsync", "EIO", 1}, {"pwrite64", "EIO", 2}, {"write", "ENOSPC", 2}, {"fdatasync", "ENOSPC", 1},
}

// TestSystemCallsFailingOnce runs the real binary and has the kernel's answer to
// one call replaced by an error while messages go through: whatever was answered
// with success is in the ledger after a restart, and the ledger verifies.
// CORDON_FAULT_ROUNDS is how many rounds (4; 0 is every fault twice).
func TestSystemCallsFailingOnce(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: apt-get install strace")
	}
	rounds := 4
	if s := os.Getenv("CORDON_FAULT_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		if rounds = n; n == 0 {
			rounds = 2 * len(faults)
		}
	}
	if testing.Short() {
		rounds = 1
	}
	binary, err := rig.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	wire, err := rig.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	org, err := rig.New(binary, t.TempDir(), wire.Addr, 200)
	if err != nil {
		t.Fatal(err)
	}
	injected := 0
	acknowledged := 0 // disclosures that were answered with success
	for round := range rounds {
		f := faults[round%len(faults)]
		n, answered := faultRound(t, org, f, round*1000)
		injected += n
		acknowledged += answered
		server, err := org.Serve(time.Minute)
		if err != nil {
			t.Fatalf("after %s %s: %v", f.call, f.errno, err)
		}
		var v rig.Verified
		if v, err = org.Verify(); err != nil || !v.OK {
			t.Errorf("after %s %s: %+v %v", f.call, f.errno, v, err)
		}
		entries, err := org.Tail(1)
		if err != nil {
			t.Fatal(err)
		}
		there := 0
		for _, e := range entries {
			if e.Kind == "disclosure" {
				there++
			}
		}
		if there < acknowledged {
			t.Errorf("after %s %s: %d messages were answered with success, %d are in the ledger", f.call, f.errno, acknowledged, there)
		}
		t.Logf("%s %s: %d calls failed, %d messages answered, %d in the ledger", f.call, f.errno, n, answered, there)
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if injected == 0 {
		t.Error("no call failed: this proves nothing")
	}
}

// faultRound sends messages, some of them while calls fail, and kills the
// server. It says how many calls failed and how many messages were answered
// with success.
func faultRound(t *testing.T, org *rig.Org, f fault, from int) (failed, answered int) {
	t.Helper()
	server, err := org.Serve(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	client := &http.Client{Timeout: 3 * time.Second}
	send := func(n int) bool {
		res, err := client.Post("http://"+org.HTTP+"/"+rig.Vendor+"/v3/mail/send", "application/json", bytes.NewReader(rig.Mail(rig.Address(n%org.People))))
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode/100 == 2
	}
	for n := range 10 {
		if !send(from + n) {
			t.Fatalf("message %d before anything failed was not taken:\n%s", n, server.Log())
		}
		answered++
	}
	// Only calls on the files of the data directory: those on sockets are none of the disk's.
	said := filepath.Join(t.TempDir(), "strace")
	args := []string{"-f", "-qq", "-o", said, "-p", fmt.Sprint(server.Pid()), "-e", "trace=" + f.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, f.errno, f.when)}
	for _, pattern := range []string{"data/store/*", "data/heads", "data/gates/*", "mirror/*", "data/store", "data"} {
		paths, _ := filepath.Glob(filepath.Join(org.Dir, pattern))
		for _, p := range paths {
			args = append(args, "-P", p)
		}
	}
	trace := exec.Command("strace", args...)
	var complaint strings.Builder
	trace.Stderr = &complaint
	if err := trace.Start(); err != nil {
		t.Skipf("strace does not start: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		trace.Wait()
		close(ended)
	}()
	time.Sleep(500 * time.Millisecond)
	select {
	case <-ended:
		t.Skipf("strace may not attach here: %s", complaint.String())
	default:
	}
	for n, refused := 10, 0; n < 40 && refused < 3; n++ {
		if send(from + n) {
			answered++
			time.Sleep(50 * time.Millisecond) // heads are signed each second
		} else {
			refused++
		}
	}
	server.Kill()
	<-ended
	text, _ := os.ReadFile(said)
	return strings.Count(string(text), "(INJECTED)"), answered
}
