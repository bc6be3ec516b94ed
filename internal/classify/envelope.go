package classify

import "slices"

// Envelope is what SMTP says of a mail besides its text (RFC 5321): who gets
// it, whatever its headers say. It is read at the places envelope.from and
// envelope.to[] of the body's mappings.
type Envelope struct {
	From string
	To   []string
}

// envelope reads the mailboxes of a mail's envelope.
func (f *Findings) envelope(w *walk) {
	e := f.message.Envelope
	if e == nil {
		return
	}
	w.src = inEnvelope
	at := cursor{node: f.tries.body, leaf: f.tries.body.leaf}
	step := func(at cursor, c crumb) cursor {
		if c.elem {
			if c.node = nil; at.node != nil {
				c.node = at.node.elem
			}
		} else {
			c.node = at.node.under(c.key)
		}
		w.push(c)
		return w.enter(at, c.node, nil)
	}
	mailbox := func(at cursor, number int, address string) {
		if address == "" { // the null sender of bounces
			return
		}
		w.begin(inEnvelope, address)
		w.text(at.node, at.leaf, at.group, position{enc: wholeText, start: int32(number), member: -1}, address)
	}
	at = step(at, crumb{key: "envelope"})
	mailbox(step(at, crumb{key: "from"}), 0, e.From)
	w.pop()
	list := step(at, crumb{key: "to"})
	for i, address := range e.To {
		mailbox(step(list, crumb{index: int32(i), elem: true}), i+1, address)
		w.pop()
	}
	w.pop()
	w.pop()
}

// editEnvelope changes or drops one mailbox.
func (r *rewriting) editEnvelope(number int, e Edit) {
	if r.out.Envelope == r.message.Envelope {
		own := *r.message.Envelope
		own.To = slices.Clone(own.To)
		r.out.Envelope = &own
	}
	switch {
	case number > 0 && e.Drop:
		r.gone = append(r.gone, number-1)
	case number > 0:
		r.out.Envelope.To[number-1] = unfolded(e.Value)
	case e.Drop:
		r.out.Envelope.From = ""
	default:
		r.out.Envelope.From = unfolded(e.Value)
	}
}

// dropRecipients takes those out that are dropped.
func (r *rewriting) dropRecipients() {
	var left []string
	for i, address := range r.out.Envelope.To {
		if !slices.Contains(r.gone, i) {
			left = append(left, address)
		}
	}
	r.out.Envelope.To = left
}
