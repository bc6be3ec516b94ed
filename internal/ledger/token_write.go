package ledger

import (
	"errors"
	"fmt"

	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/token"

	"github.com/cockroachdb/pebble/v2"
)

// mintedTokens are the tokens of one disclosure, with what needs no order.
type mintedTokens struct {
	vendor exposure.VendorID
	epoch  token.Epoch
	list   []mintedToken
	pin    *Pin
	shreds uint64 // before the rows were looked up

	refused error // set by the committer
}

type mintedToken struct {
	row      tokenRow
	tag      tag
	category exposure.Category
	value    string
	subject  int  // whose it is, an index into the intent's subjects; -1: nobody known
	there    bool // its row was there, and could be opened
}

// lookUpTokens does in the caller's goroutine what needs no order. Most tokens
// are there already, and cost no more than a look into the cache.
func (l *Ledger) lookUpTokens(d *Disclosure, minted []minimize.Minted, exposures []minimize.Exposure) (*mintedTokens, error) {
	if len(minted) == 0 && (d.Pin == nil || !d.Pin.fresh) {
		return nil, nil
	}
	t := &l.tokens
	if !t.on {
		return nil, errNoTokenKeys
	}
	out := &mintedTokens{vendor: d.Pathway.Vendor, epoch: d.Epoch, pin: d.Pin, shreds: t.shreds.Load()}
	subjects := subjectsOf(exposures)
	err := l.reading(func() error {
		for i := range minted {
			m := &minted[i]
			one := mintedToken{
				row: t.row(out.vendor, m.Key), tag: t.tag(out.vendor, &m.Token),
				category: m.Category, value: m.Value, subject: -1,
			}
			if n := len(m.Identifiers); n > 0 {
				if s, ok := subjects[&m.Identifiers[0]]; ok {
					one.subject = s
				}
			}
			has, ok := t.rows.get(one.row)
			if !ok {
				var err error
				if has, ok, err = l.tokenRowThere(one.row, out.vendor, l.personKey); err != nil {
					return err
				}
				if ok {
					t.rows.putIf(one.row, has, func() bool { return t.shreds.Load() == out.shreds })
				}
			}
			if ok && has != one.tag {
				return ErrTokenTaken
			}
			one.there = ok
			out.list = append(out.list, one)
		}
		return nil
	})
	return out, err
}

// subjectsOf finds exposures by their identifiers, of which the tokens hold the
// very same slices.
func subjectsOf(list []minimize.Exposure) map[*exposure.Identifier]int {
	m := make(map[*exposure.Identifier]int, len(list))
	for i := range list {
		if len(list[i].Identifiers) > 0 {
			m[&list[i].Identifiers[0]] = i
		}
	}
	return m
}

// tokenRowThere reads the tag of a row; ok only if the row can be opened. A row
// whose person was shredded keeps its tag: it is there for whoever compares, and
// is written anew when the person is met again.
func (l *Ledger) tokenRowThere(row tokenRow, v exposure.VendorID, keyOf func(slot string) (personKey, error)) (g tag, ok bool, err error) {
	raw, found, err := l.tokenAt(row)
	if err != nil || !found {
		return 0, false, err
	}
	h, err := parseTokenHead(raw)
	if err != nil {
		return 0, false, err
	}
	key, err := l.ownersKey(h.owners, h.day, v, keyOf)
	return h.tag, err == nil && key.aead != nil, err
}

// tokensFree looks, before anything of a disclosure is written, whether its
// short tokens still stand for its values: another message may have taken one
// a moment ago. It also looks again where keys were deleted meanwhile.
func (j *journal) tokensFree(m *mintedTokens) (bool, error) {
	if m == nil {
		return true, nil
	}
	t, b := &j.l.tokens, &j.build
	again := b.gone != nil || m.shreds != t.shreds.Load()
	for i := range m.list {
		one := &m.list[i]
		if has, here := b.tokens[one.row]; here {
			if has != one.tag {
				return false, nil
			}
			continue
		}
		if one.there && !again || !one.there && one.tag == 0 {
			continue
		}
		raw, found, err := j.l.tokenAt(one.row)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		h, err := parseTokenHead(raw)
		if err != nil {
			return false, err
		}
		if h.tag != one.tag {
			return false, nil
		}
		key, err := j.l.ownersKey(h.owners, h.day, m.vendor, j.keyNow)
		if err != nil {
			return false, err
		}
		one.there = key.aead != nil
	}
	return j.pinFree(m)
}

// addTokens writes the rows of what the table does not have yet.
func (j *journal) addTokens(pb *pebble.Batch, in *intent) error {
	m := in.tokens
	if m == nil {
		return nil
	}
	b, wrote := &j.build, false
	for i := range m.list {
		one := &m.list[i]
		if _, here := b.tokens[one.row]; here || one.there {
			continue
		}
		var owners []exposure.Ordinal
		if one.subject >= 0 {
			for _, o := range in.subjects[one.subject].ordinals {
				if o != exposure.Nobody {
					owners = append(owners, o)
				}
			}
		}
		if len(owners) > maxOwners {
			owners = nil
		}
		day := uint16(in.at / 86_400_000)
		key, err := j.l.ownersKey(owners, day, m.vendor, func(slot string) (personKey, error) { return j.keyFor(pb, slot) })
		if err != nil {
			return err
		}
		raw, err := sealToken(key, one.row, owners, day, one.tag, one.category, one.value)
		if err != nil {
			return err
		}
		if err := pb.Set(one.row.key(), raw, nil); err != nil {
			return fmt.Errorf("adding a token: %w", err)
		}
		b.tokens[one.row] = one.tag
		j.l.tokens.epochs.count(m.vendor, m.epoch, in.at)
		wrote = true
	}
	if wrote {
		if err := j.l.tokens.epochs.save(pb, m.vendor, m.epoch); err != nil {
			return err
		}
	}
	return j.addPin(pb, m)
}

// tokensApplied publishes what the batch wrote, once look-ups in the store see it.
func (j *journal) tokensApplied() {
	t, b := &j.l.tokens, &j.build
	if b.gone != nil {
		t.shreds.Add(1)
		t.rows.forget()
		t.keys.forget()
	}
	for row, g := range b.tokens {
		t.rows.put(row, g)
	}
	for slot, k := range b.keys {
		t.keys.put(slot, k)
	}
}

// beginTokens empties what the batch before wrote.
func (b *builder) beginTokens() {
	clear(b.tokens)
	clear(b.keys)
	clear(b.pins)
	if b.tokens == nil {
		b.tokens, b.keys, b.pins = map[tokenRow]tag{}, map[string]personKey{}, map[[16]byte]Pin{}
	}
	b.gone = nil
}

// value copies a value; false when there is none.
func (l *Ledger) value(key []byte) (v []byte, ok bool, err error) {
	err = view(l.store.DB(), key, func(found []byte) error {
		v = append(v, found...)
		return nil
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	return v, err == nil, err
}
