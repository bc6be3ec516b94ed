package media

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// gif reads the blocks of GIF89a.
func (r *reader) gif(from, to int) {
	pos := from + 13
	if pos > to {
		r.broken()
		return
	}
	pos += colours(r.text[from+10])
	for pos < to && !r.stopped {
		start := pos
		switch r.text[pos] {
		case ';':
			r.behind(pos+1, to)
			return
		case ',':
			if pos+10 > to {
				r.broken()
				return
			}
			pos = r.blocks(pos+10+colours(r.text[pos+9])+1, to)
		case '!':
			if pos+2 > to {
				r.broken()
				return
			}
			pos = r.blocks(pos+2, to)
			r.extension(r.text[start+1], start, pos)
		default:
			r.broken()
			return
		}
	}
	r.broken()
}

// colours is how many bytes a table of colours has.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// blocks passes over blocks of data, of which an empty one is the last.
func (r *reader) blocks(pos, to int) int {
	for pos < to {
		size := int(r.text[pos])
		if pos += 1 + size; size == 0 {
			return pos
		}
	}
	r.broken()
	return to
}

func (r *reader) extension(label byte, start, end int) {
	l := wire.Leaf{Start: start, End: end, Member: start, MemberEnd: end, Codec: gifBlocks{}, Category: exposure.Text, Known: true}
	switch data := r.text[start+2 : end]; {
	case label == 0xfe:
		r.tell("gif", "comment", l)
	case label == 0x01 && end-start > 15: // text that is drawn
		r.tell("gif", "text", l)
	case label == 0xf9:
	case label == 0xff && strings.HasPrefix(data, "\x0bXMP DataXMP"):
		// XMP stands in one piece, behind it a table that leads every reader of
		// blocks to the end.
		const table = 258
		if from := start + 2 + 12; end-from > table {
			r.xmp(from, end-table)
		}
	case label == 0xff && (strings.HasPrefix(data, "\x0bNETSCAPE2.0") || strings.HasPrefix(data, "\x0bANIMEXTS1.0") || strings.HasPrefix(data, "\x0bICCRGBG1012")):
	default:
		o := r.unread(start+2, end)
		o.Member, o.MemberEnd, o.Codec = start, end, frozen{blob{}}
		r.tell("gif", "extension", o)
	}
}

// gifBlocks is text in blocks of at most 255 bytes, with what begins an
// extension.
type gifBlocks struct{}

func (gifBlocks) split(raw string) (head, text string, ok bool) {
	if len(raw) < 3 {
		return raw, "", false
	}
	pos := 2
	if raw[1] == 0x01 {
		pos = min(len(raw), 15)
	}
	head = raw[:pos]
	var b strings.Builder
	for pos < len(raw) && raw[pos] != 0 {
		end := pos + 1 + int(raw[pos])
		if end > len(raw) {
			return head, b.String() + raw[pos+1:], false
		}
		b.WriteString(raw[pos+1 : end])
		pos = end
	}
	return head, b.String(), pos < len(raw)
}

func (c gifBlocks) Decode(raw string) (string, bool) {
	_, text, ok := c.split(raw)
	value, _ := fixed{}.Decode(text)
	return value, ok
}

func (c gifBlocks) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	head, _, ok := c.split(raw)
	if again, _ := (fixed{}).Decode(value); again != value || !ok {
		return "", false
	}
	var b strings.Builder
	b.WriteString(head)
	for text := value; text != ""; {
		n := min(255, len(text))
		b.WriteByte(byte(n))
		b.WriteString(text[:n])
		text = text[n:]
	}
	b.WriteByte(0)
	return b.String(), true
}
