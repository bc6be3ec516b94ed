package exposure

import (
	"fmt"
	"math/bits"
	"strings"
)

// Form says how a category left: in the clear, or protected in some way.
type Form uint8

const (
	Clear Form = iota
	Masked
	Tokenised
	Aliased
	Hashed
	Generalised
	forms
)

var formNames = [forms]string{"clear", "masked", "tokenised", "aliased", "hashed", "generalised"}

func (f Form) String() string { return formNames[f] }

// LookupForm finds a form by its name.
func LookupForm(name string) (Form, bool) {
	for i, n := range formNames {
		if n == name {
			return Form(i), true
		}
	}
	return 0, false
}

// Item is one category in one form.
type Item struct {
	Category Category
	Form     Form
}

// Set is a category set: the exact categories that one message carried about
// one subject, each with its form. It is a value: comparable, usable as a map
// key, and copied without allocation. A category may be there in two forms,
// when the same message carried it twice and only one of them was protected.
type Set struct {
	bits [forms][maxCategories / 64]uint64
}

// SetOf builds a set of categories in the clear.
func SetOf(categories ...Category) Set {
	var s Set
	for _, c := range categories {
		s.Add(c, Clear)
	}
	return s
}

// Add puts a category in a form into the set.
func (s *Set) Add(c Category, f Form) { s.bits[f][c/64] |= 1 << (c % 64) }

// Has reports whether the set has the category in that form.
func (s Set) Has(c Category, f Form) bool { return s.bits[f][c/64]&(1<<(c%64)) != 0 }

// Empty reports whether nothing is in the set.
func (s Set) Empty() bool { return s == Set{} }

// Union is everything in either set.
func (s Set) Union(t Set) Set {
	for f := range s.bits {
		for w := range s.bits[f] {
			s.bits[f][w] |= t.bits[f][w]
		}
	}
	return s
}

// Items lists the set, by form and then by key.
func (s Set) Items() []Item {
	var items []Item
	for f := range s.bits {
		for w, word := range s.bits[f] {
			for ; word != 0; word &= word - 1 {
				c := Category(w*64 + bits.TrailingZeros64(word))
				items = append(items, Item{c, Form(f)})
			}
		}
	}
	return items
}

// String is the canonical text, which the ledger stores: keys sorted within
// each form, "user.contact.email,user.name:masked". The empty set is "".
func (s Set) String() string {
	var b strings.Builder
	for _, it := range s.Items() {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(it.Category.Key())
		if it.Form != Clear {
			b.WriteByte(':')
			b.WriteString(it.Form.String())
		}
	}
	return b.String()
}

// ParseSet reads what String wrote. A key or form that this build does not
// know is an error: a ledger must never be read as less than it says.
func ParseSet(text string) (Set, error) {
	var s Set
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		key, form, protected := strings.Cut(part, ":")
		c, ok := LookupCategory(key)
		if !ok {
			return Set{}, fmt.Errorf("unknown category %q", key)
		}
		f := Clear
		if protected {
			if f, ok = LookupForm(form); !ok || f == Clear {
				return Set{}, fmt.Errorf("unknown form %q of category %q", form, key)
			}
		}
		s.Add(c, f)
	}
	return s, nil
}
