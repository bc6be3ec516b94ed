package ledger

import "cordon/internal/exposure"

// People holds the attributes of everyone by ordinal, as arrays, so that scope
// can count cohorts in one pass. It is a snapshot. All slices but the tables
// have the same length; an ordinal at or past it is a stranger without attributes.
type People struct {
	Countries, States, Languages []string // tables; index 0 is ""
	Country                      []uint8  // index into Countries
	State                        []uint16
	Language                     []uint8
	MinorUntil                   []uint16 // days since 1970-01-01, 0 for adults
	directory                    []uint64 // bitmap: in the directory
}

// InDirectory reports whether the directory names the ordinal.
func (p *People) InDirectory(o exposure.Ordinal) bool {
	w := int(o / 64)
	return w < len(p.directory) && p.directory[w]&(1<<(o%64)) != 0
}
