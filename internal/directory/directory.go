// Package directory reads the organisation's list of people: who they are,
// where they live, which language they read, and by which identifiers a
// message to a vendor may name them.
//
// Files stream: memory does not grow with the number of rows. A line that
// cannot be taken is reported by its number and a sentence that holds no
// personal value, and the rest is imported all the same.
package directory

import (
	"context"
	"time"

	"cordon/internal/exposure"
)

// Person is one row, checked and in canonical form.
type Person struct {
	ID          string // the organisation's own id; personal data
	Identifiers []exposure.Identifier
	Country     string    // ISO 3166-1 alpha-2, upper case, or ""
	State       string    // bare: "CA"
	Language    string    // BCP 47, as written in the directory
	BirthDate   time.Time // midnight UTC, zero if unknown
}

// Outcome is what became of one person in the sink.
type Outcome uint8

const (
	Unchanged Outcome = iota
	New
	Changed
	// Duplicate: the same id was put earlier in this import; nothing changed.
	Duplicate
)

// Sink takes the people, in order, from one goroutine.
type Sink interface {
	// Put stores one person. An error ends the import.
	Put(ctx context.Context, p Person) (Outcome, error)
}

// Rejected is a line that was not taken.
type Rejected struct {
	Line    uint64 `json:"line"` // of the file, from 1; where the row begins
	Problem string `json:"problem"`
}

// Answer is what `cordon directory import --json` prints.
type Answer struct {
	People  uint64 `json:"people"`
	New     uint64 `json:"new"`
	Changed uint64 `json:"changed"`
	// Rejected holds at most MaxRejected lines; RejectedLines counts them all.
	Rejected      []Rejected `json:"rejected"`
	RejectedLines uint64     `json:"rejected_lines"`
	// Ignored are the columns that Cordon does not read.
	Ignored []string `json:"ignored"`
}

// MaxRejected bounds the list of an answer, so that a file of the wrong kind
// does not fill the memory.
const MaxRejected = 10_000

// Options of an import.
type Options struct {
	// Progress is called every so often with what was read, in bytes and lines.
	Progress func(bytes int64, lines uint64)
	// Today is the last birth date that is taken; zero means no check.
	Today time.Time
}
