package media

import (
	"bytes"
	"compress/zlib"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// png reads chunks: size, type, data, CRC (PNG, third edition).
func (r *reader) png(from, to int) {
	pos := from + len(pngSignature)
	for pos < to && !r.stopped {
		if to-pos < 12 {
			break
		}
		size := int(bigEndian(r.text[pos : pos+4]))
		kind := r.text[pos+4 : pos+8]
		if size > to-pos-12 {
			break
		}
		c := chunk{start: pos, from: pos + 8, to: pos + 8 + size, end: pos + 12 + size}
		if kind == "IEND" {
			r.behind(c.end, to)
			return
		}
		r.chunk(kind, c)
		pos = c.end
	}
	r.broken()
}

// chunk is one whose data is from:to.
type chunk struct{ start, from, to, end int }

func (r *reader) chunk(kind string, c chunk) {
	switch {
	case kind == "tEXt" || kind == "zTXt" || kind == "iTXt":
		r.textChunk(kind, c)
	case kind == "eXIf":
		r.within(c, r.tiff)
	case plainChunks[kind]:
	default:
		l := r.unread(c.from, c.to)
		l.Member, l.MemberEnd, l.Codec = c.start, c.end, frozen{blob{}}
		if c.from < c.to {
			r.tell("png", kind, l)
		}
	}
}

// within reads a chunk whose values only go as a whole.
func (r *reader) within(c chunk, read func(from, to int)) {
	around := r.freeze
	r.freeze = span{c.start, c.end}
	read(c.from, c.to)
	r.freeze = around
}

// plainChunks say what the picture looks like, and when it was made.
var plainChunks = map[string]bool{}

func init() {
	for _, kind := range strings.Fields(`IHDR PLTE IDAT tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT tIME acTL fcTL fdAT
		oFFs pCAL sCAL sTER gIFg vpAg caNv orNT CgBI iDOT npTc npLb npOl`) {
		plainChunks[kind] = true
	}
}

// textChunk reads a keyword and a text. Its value is the text, its place the
// whole chunk, as size and CRC change with it.
func (r *reader) textChunk(kind string, c chunk) {
	key, _, ok := strings.Cut(r.text[c.from:c.to], "\x00")
	if !ok || key == "" || len(key) > 79 {
		r.broken()
		return
	}
	if key == "XML:com.adobe.xmp" && kind == "iTXt" {
		if t, ok := cutText(kind, r.text[c.from:c.to]); ok && !t.compressed {
			at := c.to - len(t.text)
			r.within(chunk{c.start, at, c.to, c.end}, r.xmp)
			return
		}
	}
	l := wire.Leaf{Start: c.start, End: c.end, Member: c.start, MemberEnd: c.end, Codec: pngText{}}
	words := strings.FieldsFunc(key, func(r rune) bool { return r == ':' || r == ' ' })
	last := key
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	switch c, known := properties[last]; {
	case strings.HasPrefix(key, "Raw profile type") || key == "XML:com.adobe.xmp":
		l.Category, l.Known = exposure.Opaque, true
	case pngWords[key] != nil:
		l.Category, l.Known = pngWords[key].category, true
	case known:
		l.Category, l.Known = c, true
	case plainWords[strings.ToLower(last)]:
		return
	}
	r.tell("png", latin(key), l)
}

var pngWords = map[string]*meaning{
	"Title": is(exposure.Text), "Author": is(exposure.Name), "Description": is(exposure.Text), "Copyright": is(exposure.Name),
	"Comment": is(exposure.Text), "Source": is(exposure.DeviceID), "Disclaimer": is(exposure.Text), "Warning": is(exposure.Text),
}

// plainWords say with what and when.
var plainWords = map[string]bool{
	"software": true, "creation": true, "time": true, "date:create": true, "create": true, "modify": true, "timestamp": true, "colorspace": true,
	"orientation": true, "compression": true, "dpi": true, "width": true, "height": true, "pixelxdimension": true, "pixelydimension": true,
	"exifoffset": true, "datetime": true, "datetimeoriginal": true, "make": true, "model": true,
}

// parts of a text chunk.
type textParts struct {
	head       string // keyword, and what is before the text
	text       string // as it stands
	compressed bool
	utf8       bool
}

func cutText(kind, data string) (t textParts, ok bool) {
	i := strings.IndexByte(data, 0) + 1
	switch {
	case i == 0:
		return t, false
	case kind == "zTXt":
		i++ // the method, of which there is one
		t.compressed = true
	case kind == "iTXt":
		if i+2 > len(data) {
			return t, false
		}
		t.compressed, t.utf8 = data[i] == 1, true
		i += 2
		for range 2 { // language and translated keyword
			end := strings.IndexByte(data[i:], 0)
			if end < 0 {
				return t, false
			}
			i += end + 1
		}
	}
	if i > len(data) {
		return t, false
	}
	t.head, t.text = data[:i], data[i:]
	return t, true
}

// pngText is the text of a whole chunk.
type pngText struct{}

// maxInflated bounds what a compressed text may become.
const maxInflated = 4 << 20

func (pngText) Decode(raw string) (string, bool) {
	if len(raw) < 12 {
		return "", false
	}
	sum := bigEndian(raw[len(raw)-4:])
	t, ok := cutText(raw[4:8], raw[8:len(raw)-4])
	if !ok {
		return "", false
	}
	if sum != uint64(crc32.ChecksumIEEE([]byte(raw[4:len(raw)-4]))) {
		ok = false // some drop the chunk
	}
	text := t.text
	if t.compressed {
		text, ok = inflate(text, ok)
	}
	if t.utf8 {
		return text, ok && utf8.ValidString(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		b.WriteRune(rune(text[i])) // Latin-1, says the specification
	}
	if utf8.ValidString(text) { // UTF-8, say most programs
		return text, ok
	}
	return b.String(), ok
}

func inflate(text string, ok bool) (string, bool) {
	z, err := zlib.NewReader(strings.NewReader(text))
	if err != nil {
		return "?", false
	}
	all, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	return string(all), ok && err == nil && len(all) <= maxInflated
}

func (c pngText) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	t, ok := textParts{}, len(raw) >= 12
	if ok {
		t, ok = cutText(raw[4:8], raw[8:len(raw)-4])
	}
	if !ok || !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return "", false
	}
	text := value
	if t.compressed {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		io.WriteString(z, value)
		z.Close()
		text = b.String()
	}
	return pngChunk(raw[4:8], t.head+text), true
}

func pngChunk(kind, data string) string {
	b := order{big: true}.append32(nil, uint64(len(data)))
	b = append(append(b, kind...), data...)
	return string(order{big: true}.append32(b, uint64(crc32.ChecksumIEEE(b[4:]))))
}
