package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"cordon/internal/classify"
	"cordon/internal/config"
	"cordon/internal/directory"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// People lets a ledger take a directory. With directory.known_values: off it
// takes no values, and forgets those that it has.
func People(l *ledger.Ledger, c config.Directory) directory.BlockSink {
	return func(ctx context.Context, src directory.Source) (directory.Stored, error) {
		p := &peopleSource{src: src, noValues: c.KnownValues == valuesOff}
		p.makers.New = func() any { return directory.NewNeedles(l.Hash) }
		done, err := l.ImportFrom(ctx, p)
		return directory.Stored{
			New: done.New, Changed: done.Changed, Left: done.Left, Repeated: done.Repeated, Behind: done.Behind, Anew: done.Anew,
		}, err
	}
}

// peopleSource shows people of a directory to the ledger.
type peopleSource struct {
	src      directory.Source
	noValues bool
	makers   sync.Pool // of *directory.Needles
	blocks   uint32
	passed   uint32 // blocks of whom nothing is searched for: they were taken before
}

// Version is of everything on which it depends what the ledger is given. It
// includes the program: another one may read rows in another way.
func (s *peopleSource) Version() string {
	again, ok := s.src.(directory.Again)
	if !ok || again.Version() == "" {
		return ""
	}
	return fmt.Sprintf("%s %t %s", again.Version(), s.noValues, program())
}

// program names what was built from the same sources.
var program = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	name := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			name += " " + s.Value
		}
	}
	return name
})

func (s *peopleSource) AsOf() time.Time { return s.src.(directory.Again).AsOf() }

func (s *peopleSource) GoOn(asOf time.Time, blocks uint32) {
	s.src.(directory.Again).LookAsOf(asOf)
	s.passed = blocks
}

func (s *peopleSource) Next() (ledger.Block, error) {
	block, err := s.src.Next()
	if err != nil || block == nil {
		return nil, err
	}
	passed := s.blocks < s.passed
	s.blocks++
	return func(take func(*ledger.Person) error) error {
		needles := s.makers.Get().(*directory.Needles)
		defer s.makers.Put(needles)
		var person ledger.Person
		return block(func(p *directory.Person) error {
			person = ledger.Person{
				ID: p.ID, Identifiers: p.Identifiers, Country: p.Country, State: p.State, Language: p.Language, MinorUntil: p.MinorUntil(), Line: p.Line,
			}
			if !s.noValues && !passed {
				person.Needles = needles.Of(p)
			}
			return take(&person)
		})
	}, nil
}

const valuesOff = "off"

// DirectoryVersion names the state of the configured file, and what is kept of
// it, so that a start need not read 35 million people again; "" when there is
// no such file, or it is a database.
func DirectoryVersion(c config.Directory) (string, error) {
	if c.File == "" || strings.Contains(c.File, "://") {
		return "", nil
	}
	info, err := os.Stat(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("directory.file: %w", err)
	}
	return fmt.Sprintf("2 %s %d %d", c.KnownValues, info.Size(), info.ModTime().UnixNano()), nil
}

// roster is what the desk asks about the people of a message.
type roster interface {
	classify.Known
	PersonID(ids []exposure.Identifier) (string, bool, error)
}

// memory is the directory of a desk that has no ledger, or an older one.
type memory struct {
	once sync.Once
	held *directory.Memory
	err  error
}

// people says who knows the people of a message: the ledger, and as long as no
// server has loaded the configured file into it, that file itself. Nil when
// there is neither.
func (d *Desk) people(ctx context.Context) (roster, error) {
	if d.Online() {
		return d.Ledger, nil
	}
	version, err := DirectoryVersion(d.Config.Directory)
	if err == nil && d.Ledger != nil && (version == "" || version == d.Fold.DirectoryVersion()) {
		return d.Ledger, nil
	}
	if err == nil && version == "" {
		return nil, nil
	}
	d.memory.once.Do(func() {
		if d.memory.err = err; err == nil {
			o := directory.MemoryOptions{Options: directory.Options{Now: d.Now()}, NoValues: d.Config.Directory.KnownValues == valuesOff}
			d.memory.held, _, d.memory.err = directory.LoadMemory(ctx, d.Config.Directory.File, o)
		}
	})
	if d.memory.err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "directory-unreadable",
			"put directory.file right, or take the key out of the configuration", "the directory cannot be read: %v", d.memory.err)
	}
	return d.memory.held, nil
}
