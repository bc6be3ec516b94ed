// Command people writes directories of invented people, and measures how they
// are imported.
//
//	go run ./bench/people --people 35000000 -o people.csv
//	go run ./bench/people --import people.csv
//
// The measuring run imports the file into a new ledger, and again with nothing
// changed, and says for each what it took: seconds, processor seconds, the
// greatest resident memory of the process so far; then what a person costs on
// disk, and how long the next start and the columns of everybody take.
package main

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"

	"cordon/internal/api"
	"cordon/internal/config"
	"cordon/internal/directory"
	"cordon/internal/ledger"
)

func main() {
	people := flag.Uint64("people", 1_000_000, "how many people to write")
	out := flag.String("o", "", "the file to write")
	seed := flag.Uint64("seed", 1, "another one gives other people")
	phones := flag.Bool("phone", false, "with a phone number each")
	file := flag.String("import", "", "the file to import")
	dir := flag.String("dir", "", "where to make the ledger; a temporary folder if empty")
	once := flag.Bool("once", false, "do not import it again")
	profile := flag.String("cpuprofile", "", "write a profile of the first import there")
	flag.Parse()
	var err error
	switch {
	case *out != "":
		err = writeFile(*out, *people, *seed, *phones)
	case *file != "":
		var r *result
		if r, err = measure(*file, *dir, *once, *profile); err == nil {
			text, _ := json.MarshalIndent(r, "", " ")
			fmt.Println(string(text))
		}
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func writeFile(path string, people, seed uint64, phones bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	g := newGenerator(seed, phones, time.Date(2026, 2, 6, 0, 0, 0, 0, time.UTC))
	if err := g.write(f, people); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

type round struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     int64   `json:"peak_resident_mb"` // of the process until then
	People     uint64  `json:"people"`
	New        uint64  `json:"new"`
	Changed    uint64  `json:"changed"`
	Left       uint64  `json:"left"`
	Rejected   uint64  `json:"rejected"`
}

type result struct {
	First          round   `json:"first"`
	Again          *round  `json:"again,omitempty"`
	BytesPerPerson float64 `json:"bytes_per_person"`
	OpenMS         float64 `json:"open_ms"`
	ColumnsMS      float64 `json:"columns_ms"`
}

func measure(file, dir string, once bool, profile string) (*result, error) {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "people"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	o, err := options(filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(o)
	if err != nil {
		return nil, err
	}
	r := &result{}
	if r.First, err = importOnce(l, file, profile); err != nil {
		l.Close()
		return nil, err
	}
	r.BytesPerPerson = float64(size(filepath.Join(dir, "data", "people"))) / float64(max(1, r.First.People))
	if !once {
		if profile != "" {
			profile += ".again"
		}
		again, err := importOnce(l, file, profile)
		if err != nil {
			l.Close()
			return nil, err
		}
		r.Again = &again
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	start := time.Now()
	if l, err = ledger.Open(o); err != nil {
		return nil, err
	}
	defer l.Close()
	r.OpenMS = ms(start)
	start = time.Now()
	if _, err := l.People(); err != nil {
		return nil, err
	}
	r.ColumnsMS = ms(start)
	return r, nil
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func importOnce(l *ledger.Ledger, path, profile string) (r round, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	if profile != "" {
		p, err := os.Create(profile)
		if err != nil {
			return r, err
		}
		defer p.Close()
		if err := pprof.StartCPUProfile(p); err != nil {
			return r, err
		}
		defer pprof.StopCPUProfile()
	}
	start, cpu := time.Now(), processor()
	answer, err := directory.ImportBlocks(context.Background(), directory.CSV, io.Reader(f), api.People(l, config.Directory{}), directory.Options{})
	if err != nil {
		return r, err
	}
	r = round{
		Seconds: time.Since(start).Seconds(), CPUSeconds: (processor() - cpu).Seconds(), PeakMB: peak(),
		People: answer.People, New: answer.New, Changed: answer.Changed, Left: answer.Left, Rejected: answer.RejectedRows,
	}
	return r, nil
}

// options are those of a ledger with keys of its own.
func options(dir string) (o ledger.Options, err error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return o, err
	}
	contact, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return o, err
	}
	signing, verifying, err := note.GenerateKey(rand.Reader, "bench.example/people")
	if err != nil {
		return o, err
	}
	k := ledger.Keys{Contact: contact.PublicKey(), ID: []byte("bench")}
	if k.Signer, err = note.NewSigner(signing); err != nil {
		return o, err
	}
	if k.Verifier, err = note.NewVerifier(verifying); err != nil {
		return o, err
	}
	for _, secret := range []*[32]byte{&k.Identity, &k.Directory, &k.Tokens} {
		rand.Read(secret[:])
	}
	return ledger.Options{Dir: dir, Keys: k}, nil
}

// size is what a folder takes on disk.
func size(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// processor is the time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is VmHWM in MB, 0 where the system does not tell.
func peak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb / 1024
		}
	}
	return 0
}
