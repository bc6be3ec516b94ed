package classify

import (
	"strings"

	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// recognise looks at what the values of mapped fields really are. An app may
// put an address where the mapping expects a number, and may hash a value
// before it sends it.
func (f *Findings) recognise() {
	for i := range f.fields {
		at := &f.fields[i]
		switch {
		case at.marks&derived != 0:
		case at.Category == exposure.Email:
			if _, ok := exposure.HashedKind(exposure.Email, at.raw); ok {
				at.marks |= hashed
			}
		case at.Category == exposure.Phone:
			if _, ok := exposure.HashedKind(exposure.Phone, at.raw); ok {
				at.marks |= hashed
			} else if strings.IndexByte(at.raw, '@') > 0 || strings.Contains(at.raw, "%40") {
				if isMail(at.Value()) {
					at.Category = exposure.Email
				}
			}
		case at.Category == pushToken || at.Category == handle:
			f.readdress(at)
		case len(at.raw) == 64 && exposure.Digest(at.raw) && hashable(at.Category):
			at.marks |= hashed
		}
	}
}

// readdress takes an address or a number in full, where a device's token or a
// handle may stand, as what it is: APIs have one place for all ways to reach a
// person, and do not always say which it is.
func (f *Findings) readdress(at *Field) {
	value := at.Value()
	switch {
	case strings.IndexByte(value, '@') > 0 && isMail(value):
		at.Category = exposure.Email
	case len(value) > 8 && value[0] == '+':
		if _, err := exposure.Canonical(exposure.KindPhone, value); err != nil {
			return
		}
		at.Category = exposure.Phone
	default:
		return
	}
	f.groups[at.group].identifying = true
}

var (
	pushToken = exposure.MustCategory("user.device.push_token")
	handle    = exposure.MustCategory("user.contact.social_handle")
)

// numberless takes groups that hold no identifier but a telephone number that
// cannot be one (a push token, "n/a") for what they are: about whoever is around
// or within. One that nobody is within stays a person of its own: what stands
// beside a broken number was still sent about somebody, and not about the others.
func (f *Findings) numberless() {
	var broken map[int32]bool // groups: whether there is nothing else
	for i := range f.fields {
		at := &f.fields[i]
		if at.Category != exposure.Phone || at.marks&(hashed|derived) != 0 || f.groups[at.group].identifying && isNumber(at.Value()) {
			continue
		}
		if broken == nil {
			broken = map[int32]bool{}
		}
		broken[at.group] = true
	}
	if broken == nil {
		return
	}
	within := map[int32]bool{}
	for i := range f.fields {
		at := &f.fields[i]
		if _, ok := exposure.KindOf(at.Category); !ok || at.found() {
			continue
		}
		if at.Category != exposure.Phone || at.marks&hashed != 0 || isNumber(at.Value()) {
			delete(broken, at.group)
		}
		for g := f.groups[at.group].parent; g >= 0 && !within[g]; g = f.groups[g].parent {
			within[g] = true
		}
	}
	for g := range broken {
		if f.groups[g].parent < 0 || within[g] {
			f.groups[g].identifying = false
		}
	}
}

// isNumber reports whether a value can be a telephone number, with an extension
// or words around it.
func isNumber(value string) bool {
	if _, err := exposure.Canonical(exposure.KindPhone, dialled(value)); err == nil {
		return true
	}
	var room [2]detect.Hit
	for _, h := range detect.Append(room[:0], value, detect.Context{Key: "phone"}) {
		if h.Kind == detect.Phone {
			return true
		}
	}
	return false
}

// hashable reports whether a digest in the place of c is a value that the app
// hashed; where ids belong, an id may well look like one.
func hashable(c exposure.Category) bool {
	return c.Within(exposure.Name) || c.Within(contact) || c.Within(demographic)
}

var (
	contact     = exposure.MustCategory("user.contact")
	demographic = exposure.MustCategory("user.demographic")
)

// identifiers are the identifiers that a field of an identifying category
// gives: its own, and where an id is an e-mail address that one too.
func (f *Field) identifiers(v exposure.VendorID) (ids [2]exposure.Identifier, n int) {
	kind, _ := exposure.KindOf(f.Category)
	value := f.Value()
	if hashedKind, ok := exposure.HashedKind(f.Category, strings.TrimSpace(value)); ok {
		kind = hashedKind
	}
	id, err := exposure.Canonical(kind, value)
	if err == nil {
		if kind == exposure.KindPseudonym {
			id.Vendor = v
		}
		ids[n] = id
		n++
	}
	if f.isAddressAsID(value) {
		if id, err := exposure.Canonical(exposure.KindEmail, value); err == nil {
			ids[n] = id
			n++
		}
	}
	return ids, n
}

// isAddressAsID reports whether the field is an id and its value an e-mail
// address.
func (f *Field) isAddressAsID(value string) bool {
	switch f.Category {
	case exposure.UserID, exposure.Username, exposure.Pseudonym:
		return strings.IndexByte(value, '@') > 0 && isMail(value)
	default:
		return false
	}
}

// isMail reports whether a value is one e-mail address and nothing else.
func isMail(value string) bool {
	value = strings.TrimSpace(value)
	if len(value) > 320 {
		return false
	}
	var room [2]detect.Hit
	hits := detect.Append(room[:0], value, detect.Context{})
	return len(hits) == 1 && hits[0].Kind == detect.Email && hits[0].Start == 0 && int(hits[0].End) == len(value)
}

// nameIDs says of ids that are e-mail addresses that the vendor is given the
// person's address, unless it is given that anyway.
func (f *Findings) nameIDs() {
	var addressed map[int32]bool // people whose address the message has
	for i, n := 0, len(f.fields); i < n; i++ {
		at := &f.fields[i]
		if _, identifies := exposure.KindOf(at.Category); !identifies || at.marks&derived != 0 {
			continue
		}
		value := at.Value()
		if !at.isAddressAsID(value) {
			continue
		}
		if addressed == nil {
			addressed = map[int32]bool{}
			for j := range f.fields {
				if of := &f.fields[j]; of.Category == exposure.Email {
					addressed[f.groups[of.group].person] = true
				}
			}
		}
		p := f.groups[at.group].person
		if p == nobody || addressed[p] {
			continue
		}
		address := strings.TrimSpace(value)
		start := strings.Index(value, address)
		if f.derive(i, start, start+len(address), value, exposure.Email, at.group, 0) >= 0 {
			addressed[p] = true
		}
	}
}
