package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A file is read in blocks of whole rows. Finding where rows end is quick and
// done in order; the rest, splitting, checking and what the sink does, goes on
// as many goroutines as the sink likes.

// Source gives people in blocks.
type Source interface {
	// Next gives the next block, nil at the end. It is called by one goroutine
	// at a time.
	Next() (Block, error)
}

// Block calls take for each person that can be taken, in the order of the file.
// It may run on any goroutine, beside other blocks. A Person is valid during the
// call; the strings in it stay so, but hold on to all of the block.
type Block func(take func(*Person) error) error

// BlockSink is a Sink that takes blocks.
type BlockSink func(context.Context, Source) (Stored, error)

// blockBytes bounds a block, together with progressEvery lines.
const blockBytes = 128 << 10

// lines are the rows of a block.
type lines struct {
	csv   *csvRows  // exactly one of them
	json  *jsonRows //
	table rowMaker  //
	parts []part
	size  int
}

// rowMaker makes rows of what is no text.
type rowMaker interface {
	rows(r *row, take func(*row) error) error
}

// part is whole rows as they stand in the file, or one that was parsed, or why
// one cannot be.
type part struct {
	line    uint64 // where it begins
	text    string
	fields  []string
	problem problem
}

func (b *lines) add(p part) {
	b.parts = append(b.parts, p)
	b.size += len(p.text) + 64*(1+len(p.fields))
}

// orError gives what was read before an error; the error comes again.
func (b *lines) orError(err error) (*lines, error) {
	if len(b.parts) > 0 {
		return b, nil
	}
	return nil, err
}

func (b *lines) orEnd() (*lines, error) {
	if len(b.parts) == 0 && b.table == nil {
		return nil, nil
	}
	return b, nil
}

// untilBlock is how many lines are missing to a full block.
func untilBlock(line uint64) uint64 { return progressEvery - line%progressEvery }

// each calls take for every row, its values in place, or with why they are not.
func (b *lines) each(r *row, take func(*row, error) error) error {
	if b.table != nil {
		return b.table.rows(r, func(r *row) error { return take(r, nil) })
	}
	place := func(r *row) error {
		r.begin()
		if b.csv != nil {
			return take(r, b.csv.place(r))
		}
		return take(r, b.json.place(r))
	}
	for i := range b.parts {
		p := &b.parts[i]
		var err error
		switch {
		case p.problem != "":
			r.line = p.line
			err = take(r, p.problem)
		case p.fields != nil:
			r.line, r.fields = p.line, p.fields
			err = place(r)
			r.fields = nil
		case b.csv != nil:
			err = b.csv.rows(p, r, place)
		default:
			err = b.json.rows(p, r, place)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// source is the file of an import.
type source struct {
	ctx      context.Context
	in       rows
	o        Options
	now      time.Time // birth dates are looked at as of this instant
	checkers sync.Pool
	mu       sync.Mutex // guards answer
	answer   *Answer
	told     uint64
}

// Again is a Source that gives the same blocks when its file is opened once more:
// where blocks end depends on nothing but what is in it.
type Again interface {
	Source
	// Version is that of Options.
	Version() string
	// AsOf is the instant at which rows are looked at.
	AsOf() time.Time
	// LookAsOf sets it, before the first Next.
	LookAsOf(time.Time)
}

func (s *source) Version() string        { return s.o.Version }
func (s *source) AsOf() time.Time        { return s.now }
func (s *source) LookAsOf(now time.Time) { s.now = now }

func (s *source) Next() (Block, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	b, err := s.in.next()
	if err != nil {
		_, line := s.in.read()
		return nil, fmt.Errorf("reading line %d: %w", line+1, err)
	}
	if bytes, line := s.in.read(); s.o.Progress != nil && (b == nil || line/progressEvery > s.told) {
		s.told = line / progressEvery
		s.o.Progress(bytes, line)
	}
	if b == nil {
		return nil, nil
	}
	return func(take func(*Person) error) error { return s.take(b, take) }, nil
}

func (s *source) take(b *lines, take func(*Person) error) error {
	c := s.checkers.Get().(*checker)
	defer s.checkers.Put(c)
	var people uint64
	err := b.each(&c.row, func(r *row, err error) error {
		if err == nil {
			err = c.person(r, &c.of)
		}
		var why problem
		switch {
		case errors.As(err, &why):
			s.reject(r.line, string(why))
			return nil
		case err != nil:
			return err
		}
		people++
		return take(&c.of)
	})
	s.mu.Lock()
	s.answer.People += people
	s.mu.Unlock()
	return err
}

func (s *source) reject(line uint64, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer.reject(line, problem)
	if s.o.Rejected != nil {
		s.o.Rejected(Rejected{line, problem})
	}
}
