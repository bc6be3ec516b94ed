package media

import (
	"strings"

	"cordon/internal/exposure"
)

// movie reads the box that describes a film.
func (r *reader) movie(moov box) {
	r.inside(moov.from, moov.to, func(b box) {
		switch b.kind {
		case "mvhd", "iods", "mvex", "ctab", "clip":
		case "trak":
			r.track(b)
		case "meta":
			r.metadata(b)
		case "cmov": // compressed
			r.opaque("movie", b.kind, b.from, b.to)
		default:
			r.other(b)
		}
	})
}

// track reads a track: what it is called, and whether it is one of metadata.
func (r *reader) track(trak box) {
	handler := ""
	r.inside(trak.from, trak.to, func(b box) {
		switch b.kind {
		case "tkhd", "edts", "tref", "load", "matt", "txas", "trgr", "tapt":
		case "meta":
			r.metadata(b)
		case "mdia":
			r.media(b, &handler)
		default:
			r.other(b)
		}
	})
}

// media finds the format of tracks that are neither seen nor heard: GoPro's
// telemetry, Apple's timed metadata. Their samples lie all over the file.
func (r *reader) media(mdia box, handler *string) {
	r.inside(mdia.from, mdia.to, func(b box) {
		switch b.kind {
		case "mdhd", "elng":
		case "hdlr":
			if b.to-b.from >= 12 {
				*handler = r.text[b.from+8 : b.from+12]
			}
		case "minf":
			if !ordinary[*handler] {
				r.samples(b, *handler)
			}
		default:
			r.other(b)
		}
	})
}

var ordinary = map[string]bool{"vide": true, "soun": true, "hint": true, "tmcd": true, "clcp": true, "pict": true, "auxv": true}

func (r *reader) samples(minf box, handler string) {
	r.inside(minf.from, minf.to, func(b box) {
		if b.kind != "stbl" {
			return
		}
		r.inside(b.from, b.to, func(b box) {
			if b.kind != "stsd" || b.to-b.from < 16 {
				return
			}
			// The format's name stands for the samples, which are not removed here.
			l := value(b.from+12, b.from+16, frozen{fixed{}}, is(exposure.Opaque))
			r.tell("track", boxName(handler), l)
		})
	})
}

// atoms of user data, by name: QuickTime's and iTunes' begin with ©, the others
// are 3GPP's (TS 26.244).
var atoms = map[string]*meaning{
	"\xa9xyz": is(exposure.Precise), "loci": is(exposure.Precise), "\xa9loc": is(exposure.Precise),
	"\xa9aut": is(exposure.Name), "\xa9ART": is(exposure.Name), "\xa9art": is(exposure.Name), "aART": is(exposure.Name), "\xa9dir": is(exposure.Name),
	"\xa9cpy": is(exposure.Name), "cprt": is(exposure.Name), "\xa9prd": is(exposure.Name), "\xa9prf": is(exposure.Name), "\xa9wrt": is(exposure.Name),
	"\xa9com": is(exposure.Name), "auth": is(exposure.Name), "perf": is(exposure.Name), "\xa9src": is(exposure.Name), "\xa9hst": is(exposure.Name),
	"\xa9own": is(exposure.Name), "ownr": is(exposure.Name), "apID": is(exposure.Email), "\xa9ope": is(exposure.Name), "name": is(exposure.Text),
	"\xa9nam": is(exposure.Text), "\xa9cmt": is(exposure.Text), "\xa9des": is(exposure.Text), "\xa9inf": is(exposure.Text), "\xa9lyr": is(exposure.Text),
	"desc": is(exposure.Text), "ldes": is(exposure.Text), "\xa9key": is(exposure.Text), "keyw": is(exposure.Text), "titl": is(exposure.Text),
	"dscp": is(exposure.Text), "\xa9alb": is(exposure.Text), "albm": is(exposure.Text), "\xa9grp": is(exposure.Text), "kywd": is(exposure.Text),
	"\xa9mal": nil, "CAME": is(exposure.DeviceID), "MUID": is(exposure.DeviceID), "\xa9snm": is(exposure.DeviceID), "manu": nil, "slno": is(exposure.DeviceID),
}

// plainAtoms say how, when and with what.
var plainAtoms = map[string]bool{}

func init() {
	for _, kind := range strings.Fields("\xa9too \xa9enc \xa9swr \xa9day \xa9mak \xa9mod \xa9fmt \xa9gen gnre trkn disk cpil tmpo pgap hdlr stik " +
		"hvcC rtng SelO AllF WLOC LOOP Hvo1 yrrc clfn clid cmnm FIRM LENS modl auxl date meta_ \xa9req \xa9ed1 TAGS_ ptv thmb_") {
		plainAtoms[kind] = true
	}
}

// userData reads the box of what users and cameras say of a film.
func (r *reader) userData(udta box) {
	r.inside(udta.from, udta.to, func(b box) {
		m, known := atoms[b.kind]
		switch {
		case b.kind == "meta":
			r.metadata(b)
		case plainAtoms[b.kind]:
		case b.kind == "loci":
			r.place3GPP(b)
		case b.kind[0] == 0xa9:
			r.texts(b, m)
		case known && b.kind == "name":
			r.tell("movie", "name", value(b.from, b.to, fixed{}, m))
		case known && m != nil && m.category != exposure.DeviceID && b.to-b.from > 6: // version, language, text
			r.tell("movie", boxName(b.kind), value(b.from+6, b.to, fixed{}, m))
		case known && printable(r.text[b.from:b.to]):
			r.tell("movie", boxName(b.kind), value(b.from, b.to, fixed{}, m))
		default:
			r.other(b)
		}
	})
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != 0 && s[i] != '\n' && s[i] != '\r' && s[i] != '\t' {
			return false
		}
	}
	return true
}

// texts reads QuickTime's international texts: size, language, text, again.
func (r *reader) texts(b box, m *meaning) {
	for pos := b.from; pos+4 <= b.to; {
		size := int(bigEndian(r.text[pos : pos+2]))
		if pos += 4; size > b.to-pos {
			if inner := r.text[b.from:b.to]; len(inner) > 16 && inner[4:8] == "data" { // iTunes' way in the wrong place
				r.dataBoxes(b, boxName(b.kind), m)
				return
			}
			r.opaque("movie", boxName(b.kind), b.from, b.to)
			return
		}
		r.tell("movie", boxName(b.kind), value(pos, pos+size, fixed{}, m))
		pos += size
	}
}

// place3GPP reads loci: language, a name, a role, longitude, latitude, altitude
// as 16.16 fractions, a heavenly body and notes. It is one value.
func (r *reader) place3GPP(b box) {
	if b.to-b.from < 6 {
		r.broken()
		return
	}
	r.tell("movie", "loci", value(b.from+6, b.to, loci{}, is(exposure.Precise)))
}
