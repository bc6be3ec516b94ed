// Package strict reads YAML files that people write. It refuses whatever it
// does not recognise and reports every problem of a file at once, each with
// file, line and what to write instead; and it draws the JSON Schema of the
// same files from the same Go structs, so that an editor and the program
// agree.
//
// A struct describes one mapping of the file. Its tags are the whole language:
//
//	yaml:"name"        the key; "-" is no key; ",scalar" takes the value of a
//	                   plain scalar that stands where the mapping could stand
//	doc:"…"            one sentence, shown in the schema; every key has one
//	default:"…"        the value of an absent key, written as in the file
//	required:"true"    the key must be there
//	enum:"a b c"       the values allowed (of a list: its items, of a map: its values)
//	kind:"country"     the same, by a named Kind
//	keykind:"country"  the Kind of a map's keys
//	single:"true"      one item may stand for a list of one
//
// A struct with a method Check(*Report) adds what tags cannot say.
package strict

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a file. Line is 1-based, 0 when the file as a
// whole is meant. Fix says what to write or do instead.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// String is the problem on two lines: what is wrong, what to do next.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	fmt.Fprintf(&b, ": %s", p.Problem)
	if p.Fix != "" {
		fmt.Fprintf(&b, "\n  %s", p.Fix)
	}
	return b.String()
}
