package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"cordon/internal/exposure"
)

const (
	pageSize = 4096
	slotSize = 16 // key, word
	slots    = pageSize / slotSize
)

// page is one mapped gate file: 256 slots of a key and a word. Slot 0 is the
// vendor, the others are routes in the order in which they were first named;
// they are never freed, so a scan may stop at the first free one.
//
// The file's blocks are written when it is made, so a later change needs no
// space. (A copy-on-write filesystem allocates anyway; there the change can
// fail on a full disk, and says so, after it took effect in memory.)
type page struct {
	vendor exposure.VendorID
	path   string
	file   *os.File
	mem    []byte
	ino    uint64
	routes map[string]routeSlot // the known routes' slots; never changed once in use
}

// gatePath is where a vendor's gate lies in a data directory.
func gatePath(data string, vendor exposure.VendorID) string {
	return filepath.Join(data, "gates", string(vendor)+".gate")
}

// createPage makes the file with the vendor in the given state.
//
//	open(tmp) write(4096) fsync close rename fsync(dir)
//
// so that under its name there is never a half-made file: a crash leaves
// either no gate or a whole one.
func createPage(data string, vendor exposure.VendorID, s State) error {
	dir := filepath.Dir(gatePath(data, vendor))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of gates: %w", err)
	}
	var buf [pageSize]byte
	*(*uint64)(unsafe.Pointer(&buf[0])) = vendorKey
	*(*uint64)(unsafe.Pointer(&buf[8])) = uint64(makeWord(slotSeed(vendor, vendorKey), 1, s))
	tmp, err := os.CreateTemp(dir, ".new-*.gate")
	if err != nil {
		return fmt.Errorf("making the gate of %s: %w", vendor, err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if _, err := tmp.Write(buf[:]); err != nil {
		return fmt.Errorf("making the gate of %s: %w", vendor, err)
	}
	if err := tmp.Sync(); err != nil {
		return fmt.Errorf("syncing the gate of %s: %w", vendor, err)
	}
	if err := os.Rename(tmp.Name(), gatePath(data, vendor)); err != nil {
		return fmt.Errorf("naming the gate of %s: %w", vendor, err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

var errWrongSize = errors.New("gate file does not have 4096 bytes")

// mapPage maps an existing file. os.ErrNotExist and errWrongSize are told apart
// by the caller.
func mapPage(dir string, vendor exposure.VendorID) (*page, error) {
	path := gatePath(dir, vendor)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the gate of %s: %w", vendor, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, fmt.Errorf("reading the gate of %s: %w", vendor, err)
	}
	if st.Size != pageSize {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, errWrongSize)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("mapping the gate of %s: %w", vendor, err)
	}
	return &page{vendor: vendor, path: path, file: f, mem: mem, ino: st.Ino}, nil
}

// index remembers where the known routes stand, so that the hot path need not
// search.
func (p *page) index(routes []string) {
	p.routes = make(map[string]routeSlot, len(routes))
	for _, route := range routes {
		key := routeKey(route)
		if slot, found := p.find(key); found {
			p.routes[route] = routeSlot{slot, key, slotSeed(p.vendor, key)}
		}
	}
}

func (p *page) close() error {
	return errors.Join(unix.Munmap(p.mem), p.file.Close())
}

func (p *page) at(offset int) *uint64 { return (*uint64)(unsafe.Pointer(&p.mem[offset])) }

// load reads one slot. It survives a file that was truncated under the map,
// which the kernel answers with SIGBUS: ok is then false.
func (p *page) load(slot int) (key uint64, w word, ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			key, w, ok = 0, 0, false
		}
	}()
	key = atomic.LoadUint64(p.at(slot * slotSize))
	return key, word(atomic.LoadUint64(p.at(slot*slotSize + 8))), true
}

// loadWith reads the vendor's slot and the word of another one, under one guard
// against the fault: setting that up costs more than the loads.
func (p *page) loadWith(slot int) (key uint64, vendor, other word, ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			key, vendor, other, ok = 0, 0, 0, false
		}
	}()
	key, vendor = atomic.LoadUint64(p.at(0)), word(atomic.LoadUint64(p.at(8)))
	return key, vendor, word(atomic.LoadUint64(p.at(slot*slotSize + 8))), true
}

// search finds the slot of a route that index does not know: an unmapped one may
// have been closed by name all the same. Slot 0 when nobody did.
func (p *page) search(vendor exposure.VendorID, route string) routeSlot {
	key := routeKey(route)
	slot, found := p.find(key)
	if !found {
		return routeSlot{}
	}
	return routeSlot{slot, key, slotSeed(vendor, key)}
}

// store writes one slot for every reader at once. The word goes first: a slot
// whose key is there has its word.
func (p *page) store(slot int, key uint64, w word) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s: %w", p.path, errWrongSize)
		}
	}()
	atomic.StoreUint64(p.at(slot*slotSize+8), uint64(w))
	atomic.StoreUint64(p.at(slot*slotSize), key)
	return nil
}

// sync makes the page durable before anyone is told about a change. On Linux
// msync with MS_SYNC is an fdatasync of the range, the disk's cache included.
func (p *page) sync() error {
	if err := unix.Msync(p.mem, unix.MS_SYNC); err != nil {
		return fmt.Errorf("syncing %s: %w", p.path, err)
	}
	return nil
}

// find gives the slot of a key; found is false and slot the first free one
// when there is none yet, slots when the page is full.
func (p *page) find(key uint64) (slot int, found bool) {
	for i := range slots {
		k, w, ok := p.load(i)
		if !ok {
			return slots, false
		}
		if k == key {
			return i, true
		}
		if i > 0 && k == 0 && w == 0 {
			return i, false
		}
	}
	return slots, false
}

// damage names every slot whose check does not hold.
func (p *page) damage() []int {
	var bad []int
	for i := range slots {
		key, w, ok := p.load(i)
		if i > 0 && ok && key == 0 && w == 0 {
			continue
		}
		if _, _, holds := w.read(slotSeed(p.vendor, key)); !ok || !holds || (i == 0 && key != vendorKey) {
			bad = append(bad, i)
		}
	}
	return bad
}

// set changes the state of one slot for every reader; sync makes it last. Other processes are kept out by
// flock, but only for a moment: a server that hangs with the lock must not keep
// anyone from cutting, and the worst of two writers is the same epoch twice.
func (p *page) set(key uint64, to State) (from State, epoch uint32, err error) {
	for end := time.Now().Add(200 * time.Millisecond); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(int(p.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			defer unix.Flock(int(p.file.Fd()), unix.LOCK_UN)
			break
		}
		if time.Now().After(end) {
			break
		}
	}
	from, next, err := p.plan(key, to)
	if err != nil || !next.changes {
		return from, next.epoch, err
	}
	return from, next.epoch, p.store(next.slot, key, makeWord(slotSeed(p.vendor, key), next.epoch, to))
}

// step is what a change will write.
type step struct {
	slot    int
	epoch   uint32
	changes bool // false: the slot says it already
}

// plan works a change out without writing.
func (p *page) plan(key uint64, to State) (from State, next step, err error) {
	slot, found := p.find(key)
	if key == vendorKey {
		slot = 0
	}
	if slot == slots {
		return Cut, step{}, fmt.Errorf("%s has no room for another route: cut the vendor instead", p.path)
	}
	from, next = Open, step{slot: slot, changes: true} // Open: a route that was never named
	if found || slot == 0 {
		_, w, _ := p.load(slot)
		var holds bool
		if from, next.epoch, holds = w.read(slotSeed(p.vendor, key)); holds && from == to {
			next.changes = false
			return from, next, nil
		}
	}
	next.epoch++
	return from, next, nil
}
