package witness

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"cordon/evidence"
)

const (
	keyFile    = "key"
	keyPubFile = "key.pub"
	lockFile   = "lock"
	logsDir    = "logs"
	logFile    = "log"
	headName   = "head"
	refusedDir = "refused"
	retiredDir = "retired"
)

// Init makes a witness in dir, which must not hold one, and returns its
// verifier key.
func Init(dir, name string) (vkey string, err error) {
	if err := os.MkdirAll(filepath.Join(dir, logsDir), 0o700); err != nil {
		return "", fmt.Errorf("making the witness's folder: %w", err)
	}
	path := filepath.Join(dir, keyFile)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is a witness in %s already", dir)
	}
	skey, vkey, err := evidence.GenerateCosigner(rand.Reader, name)
	if err != nil {
		return "", err
	}
	if err := writeFile(filepath.Join(dir, keyPubFile), []byte(vkey+"\n"), 0o644); err != nil {
		return "", err
	}
	return vkey, writeFile(path, []byte(skey+"\n"), 0o600)
}

// Options are what the folder does not say.
type Options struct {
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: nothing is logged
	// ReadOnly looks without serving: it takes no lock and cosigns nothing.
	ReadOnly bool
}

// Witness is an open witness. All methods may be called concurrently.
type Witness struct {
	dir      string
	cosigner *evidence.Cosigner
	now      func() time.Time
	log      *slog.Logger
	lock     *os.File
	readOnly bool

	mu      sync.Mutex // guards the rest, not what is in a ledger
	logs    map[string]*ledger
	scanned time.Time // when the folder of logs was last read
}

// ledger is one log whose heads are cosigned.
type ledger struct {
	origin string
	vkey   string
	key    note.Verifier
	dir    string

	mu   sync.Mutex // one head at a time: from the check to the answer
	head *headFile
	size uint64 // of the head, 0 for none
	lost error  // why the head is not known
	rate bucket
}

// Open opens the witness in dir.
func Open(dir string, o Options) (*Witness, error) {
	w := &Witness{dir: dir, now: o.Now, log: o.Log, readOnly: o.ReadOnly, logs: map[string]*ledger{}}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	path := filepath.Join(dir, keyFile)
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening the witness: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("opening the witness: %s is open to others (mode %04o), make it 0600", path, st.Mode().Perm())
	}
	skey, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening the witness: %w", err)
	}
	if w.cosigner, err = evidence.ParseCosigner(strings.TrimSpace(string(skey)), w.now); err != nil {
		return nil, fmt.Errorf("opening the witness: %s: %w", path, err)
	}
	if !o.ReadOnly {
		if err := w.takeLock(); err != nil {
			return nil, err
		}
	}
	if err := w.scan(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// takeLock keeps a second process from cosigning with the same key: the two
// would not know of each other's heads.
func (w *Witness) takeLock() error {
	f, err := os.OpenFile(filepath.Join(w.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("locking the witness: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("another process serves the witness in %s", w.dir)
	}
	w.lock = f
	return nil
}

// Close lets go of the folder.
func (w *Witness) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.logs {
		l.mu.Lock()
		if l.head != nil {
			l.head.f.Close()
			l.head, l.lost = nil, errors.New("the witness is closed")
		}
		l.mu.Unlock()
	}
	if w.lock != nil {
		w.lock.Close()
	}
}

// Key is the public key.
func (w *Witness) Key() *evidence.Witness { return w.cosigner.Witness() }

// AddLog has heads of a log cosigned from now on, also by a process that
// serves already. Adding the same one again changes nothing.
func AddLog(dir, origin, vkey string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("the log's key: %w", err)
	}
	if v.Name() != origin {
		return fmt.Errorf("the key is named %q, the log %q", v.Name(), origin)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err != nil {
		return fmt.Errorf("there is no witness in %s", dir)
	}
	path := filepath.Join(dir, logsDir, originHash(origin))
	switch _, known, err := readLogFile(path); {
	case err == nil && known == vkey:
		return nil
	case err == nil:
		return fmt.Errorf("the log %s is known with another key; a new key is a new log and needs a new origin", origin)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// Everything in a folder beside, then one rename: whoever serves sees all or
	// nothing, and a crash leaves no log without its head.
	tmp, err := os.MkdirTemp(filepath.Join(dir, logsDir), ".new-")
	if err != nil {
		return fmt.Errorf("adding a log: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := writeFile(filepath.Join(tmp, logFile), []byte(origin+"\n"+vkey+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(tmp, refusedDir), 0o700); err != nil {
		return fmt.Errorf("adding a log: %w", err)
	}
	if err := makeHeadFile(filepath.Join(tmp, headName)); err != nil {
		return fmt.Errorf("adding a log: %w", err)
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("adding a log: %w", err)
	}
	return syncDir(filepath.Join(dir, logsDir))
}

// Retire sets a log aside, with its head and what was refused of it, so that one
// of the same origin can be added and begins anew. It is for a ledger whose
// owner has lost entries for good and said so: everything that was cosigned
// before remains true, and both heads together show the loss. No process may
// serve meanwhile. It returns the folder where the old state is kept.
func Retire(dir, origin string, now time.Time) (string, error) {
	w := &Witness{dir: dir}
	if err := w.takeLock(); err != nil {
		return "", err
	}
	defer w.lock.Close()
	from := filepath.Join(dir, logsDir, originHash(origin))
	if _, _, err := readLogFile(from); err != nil {
		return "", fmt.Errorf("the log %s: %w", origin, err)
	}
	retired := filepath.Join(dir, retiredDir)
	if err := os.MkdirAll(retired, 0o700); err != nil {
		return "", err
	}
	to := filepath.Join(retired, now.UTC().Format("20060102T150405Z")+"-"+originHash(origin)[:16])
	if err := os.Rename(from, to); err != nil {
		return "", err
	}
	return to, errors.Join(syncDir(retired), syncDir(filepath.Join(dir, logsDir)))
}

func originHash(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(h[:])
}

func readLogFile(dir string) (origin, vkey string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 3 || lines[2] != "" || filepath.Base(dir) != originHash(lines[0]) {
		return "", "", fmt.Errorf("%s is damaged", filepath.Join(dir, logFile))
	}
	return lines[0], lines[1], nil
}

// scan takes in the logs that were added. The caller holds mu or is alone.
func (w *Witness) scan() error {
	dirs, err := os.ReadDir(filepath.Join(w.dir, logsDir))
	if err != nil {
		return fmt.Errorf("reading the logs: %w", err)
	}
	for _, d := range dirs {
		dir := filepath.Join(w.dir, logsDir, d.Name())
		if !d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		origin, vkey, err := readLogFile(dir)
		if err != nil {
			return fmt.Errorf("reading the logs: %w", err)
		}
		if w.logs[origin] != nil {
			continue
		}
		l := &ledger{origin: origin, vkey: vkey, dir: dir, rate: bucket{perSecond: 5, burst: 20}}
		if l.key, err = note.NewVerifier(vkey); err != nil {
			return fmt.Errorf("reading the logs: the key of %s: %w", origin, err)
		}
		w.openLedger(l)
		w.logs[origin] = l
	}
	return nil
}

// openLedger reads the head. One that is lost closes this log and no other.
func (w *Witness) openLedger(l *ledger) {
	l.head, l.lost = openHeadFile(filepath.Join(l.dir, headName))
	if l.lost == nil && l.head.Head != "" {
		var c evidence.Checkpoint
		c, l.lost = evidence.OpenCheckpoint(l.head.Head, l.key)
		l.size = c.Size
		if l.lost == nil {
			_, l.lost = w.Key().Cosigned(l.head.Head)
		}
	}
	switch {
	case l.lost != nil:
		w.log.Error("nothing is cosigned for this ledger any more", "origin", l.origin, "error", l.lost,
			"next", "its operator must know; make a new witness with a new key, this one may have cosigned what it forgot")
	case l.head.Damaged():
		w.log.Warn("one of the two copies of the head is damaged; the next head mends it", "origin", l.origin)
	}
}

// find gives the log of an origin, looking for one just added at most once a second.
func (w *Witness) find(origin string) *ledger {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.logs[origin]; l != nil {
		return l
	}
	now := w.now()
	if since := now.Sub(w.scanned); since >= 0 && since < time.Second {
		return nil
	}
	w.scanned = now
	if err := w.scan(); err != nil {
		w.log.Error("reading the logs", "error", err)
	}
	return w.logs[origin]
}

// State is what a witness knows of one log.
type State struct {
	Origin string    `json:"origin"`
	Key    string    `json:"key"`
	Size   uint64    `json:"size"`
	Root   string    `json:"root,omitempty"`
	At     time.Time `json:"at,omitzero"` // of the newest cosignature
	// Refused are the files of heads that contradict.
	Refused []string `json:"refused"`
	Problem string   `json:"problem,omitempty"`
}

// States gives all logs, by origin.
func (w *Witness) States() []State {
	w.mu.Lock()
	logs := make([]*ledger, 0, len(w.logs))
	for _, l := range w.logs {
		logs = append(logs, l)
	}
	w.mu.Unlock()
	slices.SortFunc(logs, func(a, b *ledger) int { return strings.Compare(a.origin, b.origin) })
	states := make([]State, 0, len(logs))
	for _, l := range logs {
		states = append(states, w.state(l))
	}
	return states
}

func (w *Witness) state(l *ledger) State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := State{Origin: l.origin, Key: l.vkey, Refused: []string{}}
	if l.lost != nil {
		s.Problem = l.lost.Error()
	} else if l.head.Head != "" {
		c, err := evidence.OpenCheckpoint(l.head.Head, l.key)
		if err == nil {
			s.Size, s.Root = c.Size, c.Root.String()
			s.At, err = w.Key().Cosigned(l.head.Head)
		}
		if err != nil {
			s.Problem = err.Error()
		}
	}
	files, _ := os.ReadDir(filepath.Join(l.dir, refusedDir)) // none is none
	for _, f := range files {
		s.Refused = append(s.Refused, filepath.Join(l.dir, refusedDir, f.Name()))
	}
	return s
}
