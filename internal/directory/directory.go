// Package directory reads the organisation's list of people: who they are,
// where they live, which language they read, and by which identifiers a
// message to a vendor may name them.
//
// Files stream: memory does not grow with the number of rows. A line that
// cannot be taken is reported by its number and a sentence that holds no
// personal value, and the rest is imported all the same: one bad row must not
// make strangers of everybody else.
package directory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// Person is one row, checked and in canonical form.
type Person struct {
	// Line is where the row begins in the file, from 1.
	Line uint64
	// ID is the organisation's own id; personal data. It is also an identifier
	// of kind user_id, which Identifiers does not repeat.
	ID          string
	Identifiers []exposure.Identifier
	Country     string    // ISO 3166-1 alpha-2, upper case, or ""
	State       string    // the part after the dash in ISO 3166-2, upper case, or ""
	Language    string    // BCP 47, or ""
	BirthDate   time.Time // midnight UTC, zero if unknown
	// Values are what else the directory knows, for the search of messages for
	// it; personal data.
	Values []Value
}

// Value is one thing that is known of a person: a name, a street, a number.
type Value struct {
	Category exposure.Category
	Text     string
}

// majority is the age at which a person is no longer a minor.
const majority = 18

// MinorUntil is the eighteenth birthday, zero if the birth date is unknown.
// Whoever was born on 29 February comes of age on 1 March in a common year.
func (p *Person) MinorUntil() time.Time {
	if p.BirthDate.IsZero() {
		return time.Time{}
	}
	return p.BirthDate.AddDate(majority, 0, 0)
}

// Stored is what a sink did with the people.
type Stored struct {
	New, Changed uint64
	// Left were in the directory before and no longer are.
	Left uint64
	// Repeated are the lines whose id came before in the same import; the
	// sink kept the first and left these out.
	Repeated []uint64
	// Behind and Anew are those of Answer.
	Behind uint64
	Anew   string
}

// Sink stores a whole directory, in order. When people ends with an error the
// sink returns it, and nobody counts as having left.
type Sink func(ctx context.Context, people iter.Seq2[Person, error]) (Stored, error)

// Rejected is a row that was not taken.
type Rejected struct {
	Line    uint64 `json:"line"` // where the row begins, from 1
	Problem string `json:"problem"`
}

// Answer is what `cordon directory import --json` prints.
type Answer struct {
	People  uint64 `json:"people"` // taken
	New     uint64 `json:"new"`
	Changed uint64 `json:"changed"`
	Left    uint64 `json:"left"`
	// Rejected lists at most MaxRejected rows; RejectedRows counts them all.
	Rejected     []Rejected `json:"rejected"`
	RejectedRows uint64     `json:"rejected_rows"`
	// Ignored are the columns that Cordon does not know, by name.
	Ignored []string `json:"ignored"`
	// WentOnBehind is the line behind which an import of the same file was gone on
	// with that had been interrupted; all counts are those of the whole file.
	WentOnBehind uint64 `json:"went_on_behind,omitempty"`
	// BegunAnew says why an import that was interrupted was not gone on with.
	BegunAnew string `json:"begun_anew,omitempty"`
}

// MaxRejected bounds the list of an answer, so that a file of the wrong kind
// does not fill the memory.
const MaxRejected = 10_000

// Options of an import.
type Options struct {
	// Progress is called about every thousand rows and at the end, with the
	// bytes and lines read so far.
	Progress func(bytes int64, lines uint64)
	// Rejected is called with every row that is not taken, in no order, one at a time.
	Rejected func(Rejected)
	// Now bounds birth dates; zero means the present.
	Now time.Time
	// Version is that of Opened, "" for what cannot be read again.
	Version string
}

func (a *Answer) reject(line uint64, problem string) {
	a.RejectedRows++
	if a.Rejected = append(a.Rejected, Rejected{line, problem}); len(a.Rejected) >= 2*MaxRejected {
		a.trim()
	}
}

// trim keeps the first MaxRejected, in order.
func (a *Answer) trim() {
	slices.SortStableFunc(a.Rejected, func(x, y Rejected) int { return cmp.Compare(x.Line, y.Line) })
	a.Rejected = a.Rejected[:min(len(a.Rejected), MaxRejected)]
}
