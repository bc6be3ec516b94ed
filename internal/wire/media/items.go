package media

// items reads the metadata box of HEIC and AVIF, whose items stand elsewhere in
// the file (ISO/IEC 14496-12 section 8.11).
func (r *reader) items(meta box, fileFrom, fileTo int) {
	kinds := map[int]item{}
	var places []place
	var data box // idat, in which some items stand
	r.inside(meta.from+4, meta.to, func(b box) {
		switch b.kind {
		case "iinf":
			r.itemKinds(b, kinds)
		case "iloc":
			places = append(places, r.places(b)...)
		case "idat":
			data = b
		case "hdlr", "pitm", "iprp", "iref", "grpl", "dinf", "ipro":
		case "uuid", "udta", "XMP_":
			r.other(b)
		default:
			r.opaque("movie", boxName(b.kind), b.from, b.to)
		}
	})
	for _, p := range places {
		k, from, to := kinds[p.id], fileFrom, fileTo
		if p.inside {
			from, to = data.from, data.to
		}
		if p.offset > uint64(to-from) || p.length > uint64(to-from)-p.offset {
			if k.told() {
				r.broken()
			}
			continue
		}
		start := from + int(p.offset)
		end := start + int(p.length)
		if p.length == 0 {
			end = to
		}
		switch {
		case !k.told():
		case p.pieces > 1:
			r.opaque("item", k.kind, start, end)
		case k.kind == "Exif":
			r.exifItem(start, end)
		case k.mediaType == "application/rdf+xml":
			r.xmp(start, end)
		default:
			r.opaque("item", k.kind, start, end)
		}
	}
}

// exifItem begins with how far from there the TIFF structure is.
func (r *reader) exifItem(from, to int) {
	if to-from < 4 {
		r.broken()
		return
	}
	skip := bigEndian(r.text[from : from+4])
	if skip > uint64(to-from-4) {
		r.broken()
		return
	}
	r.tiff(from+4+int(skip), to)
}

// item is what a file says of one.
type item struct{ kind, mediaType string }

// told reports an item that is no picture.
func (i item) told() bool { return i.kind == "Exif" || i.kind == "mime" || i.kind == "uri " }

func (r *reader) itemKinds(b box, kinds map[int]item) {
	head := 4 + 2
	if b.to-b.from >= 4 && r.text[b.from] != 0 {
		head = 4 + 4
	}
	r.inside(b.from+head, b.to, func(e box) {
		data := r.text[e.from:e.to]
		if e.kind != "infe" || len(data) < 12 || data[0] < 2 {
			return // version 0 and 1 have no kinds
		}
		at := 4
		id := int(bigEndian(data[at : at+2]))
		if at += 2; data[0] > 2 {
			if len(data) < 14 {
				return
			}
			id = int(bigEndian(data[4:8]))
			at += 2
		}
		at += 2 // protection
		k := item{kind: data[at : at+4]}
		if at += 4; k.kind == "mime" {
			_, rest := cutZero(data[at:]) // a name
			k.mediaType, _ = cutZero(rest)
		}
		kinds[id] = k
	})
}

func cutZero(s string) (string, string) {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// place is where one piece of an item stands.
type place struct {
	id, pieces     int
	offset, length uint64
	inside         bool // in the box of data beside
}

// places reads iloc. Items that stand in other files or items are not there.
func (r *reader) places(b box) (list []place) {
	data := r.text[b.from:b.to]
	pos := 0
	take := func(n int) uint64 {
		if n > len(data)-pos {
			pos = len(data) + 1
			return 0
		}
		v := bigEndian(data[pos : pos+n])
		pos += n
		return v
	}
	version := take(1)
	take(3)
	sizes := take(2)
	offsetSize, lengthSize := int(sizes>>12&15), int(sizes>>8&15)
	baseSize, indexSize := int(sizes>>4&15), int(sizes&15)
	wide := 2
	if version > 1 {
		wide = 4
	}
	if version == 0 {
		indexSize = 0
	}
	for count := take(wide); count > 0 && pos < len(data); count-- {
		p := place{id: int(take(wide))}
		if version > 0 {
			method := take(2) & 15
			p.inside = method == 1
			if method > 1 {
				p.id = -1
			}
		}
		take(2)
		base := take(baseSize)
		p.pieces = int(take(2))
		for range p.pieces {
			take(indexSize)
			p.offset, p.length = base+take(offsetSize), take(lengthSize)
			if pos > len(data) {
				break
			}
			list = append(list, p)
		}
	}
	if pos > len(data) {
		r.broken()
	}
	return list
}
