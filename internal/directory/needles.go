package directory

import (
	"slices"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// Needles makes what messages about people are searched for. It is for one
// goroutine, and remembers what comes again and again: days, cities.
type Needles struct {
	hash  func(words string) uint64
	known map[exposure.Category]map[string][]classify.Needle
	days  [][]classify.Needle // of dates such as 1990-12-31, by dayIndex
	list  []classify.Needle
}

// NewNeedles hashes with hash.
func NewNeedles(hash func(words string) uint64) *Needles {
	return &Needles{hash: hash, known: map[exposure.Category]map[string][]classify.Needle{}}
}

// Of is what a message about the person is searched for, each once. It is
// valid until the next call.
func (n *Needles) Of(p *Person) []classify.Needle {
	n.list = n.list[:0]
	for _, v := range p.Values {
		for _, needle := range n.of(v) {
			if !slices.Contains(n.list, needle) {
				n.list = append(n.list, needle)
			}
		}
	}
	return n.list
}

// firstYear and years bound the dates that are remembered by number: looking
// texts up costs more than all else about them.
const firstYear, years = 1890, 160

// dayIndex numbers a date such as 1990-12-31; -1 for anything else.
func dayIndex(s string) int {
	if len(s) != len("1990-12-31") || s[4] != '-' || s[7] != '-' {
		return -1
	}
	number := func(s string) (n int) {
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return -10_000
			}
			n = 10*n + int(s[i]-'0')
		}
		return n
	}
	y, m, d := number(s[:4])-firstYear, number(s[5:7])-1, number(s[8:])-1
	if y < 0 || y >= years || m < 0 || m >= 12 || d < 0 || d >= 31 {
		return -1
	}
	return (y*12+m)*31 + d
}

func (n *Needles) of(v Value) []classify.Needle {
	if v.Category == exposure.BirthDate {
		if day := dayIndex(v.Text); day >= 0 {
			if n.days == nil {
				n.days = make([][]classify.Needle, years*12*31)
			}
			if n.days[day] == nil {
				n.days[day] = classify.NeedlesOf(v.Category, v.Text, n.hash)
			}
			return n.days[day]
		}
	}
	switch v.Category {
	case exposure.BirthDate, exposure.City, exposure.PostalCode, exposure.FirstName, exposure.LastName:
	default:
		return classify.NeedlesOf(v.Category, v.Text, n.hash)
	}
	known := n.known[v.Category]
	if known == nil {
		known = map[string][]classify.Needle{}
		n.known[v.Category] = known
	}
	list, ok := known[v.Text]
	if !ok {
		list = classify.NeedlesOf(v.Category, v.Text, n.hash)
		if len(known) < remembered {
			known[strings.Clone(v.Text)] = list
		}
	}
	return list
}
