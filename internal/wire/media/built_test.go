package media_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/wire/media"
	"cordon/internal/wire/wiretest"
)

// field is one entry of a directory that a test builds.
type field struct {
	tag, kind uint16
	count     uint32
	data      string
}

func ascii(tag uint16, s string) field { return field{tag, 2, uint32(len(s) + 1), s + "\x00"} }

// tiff builds a directory with values behind it. next follows it.
func tiff(o binary.AppendByteOrder, mark string, fields ...field) string {
	b := []byte(mark)
	b = o.AppendUint32(b, 8)
	b = o.AppendUint16(b, uint16(len(fields)))
	at := 8 + 2 + 12*len(fields) + 4
	var values strings.Builder
	for _, f := range fields {
		b = o.AppendUint16(b, f.tag)
		b = o.AppendUint16(b, f.kind)
		b = o.AppendUint32(b, f.count)
		if len(f.data) <= 4 {
			b = append(b, (f.data + "\x00\x00\x00\x00")[:4]...)
			continue
		}
		b = o.AppendUint32(b, uint32(at+values.Len()))
		values.WriteString(f.data)
	}
	b = o.AppendUint32(b, 0)
	return string(b) + values.String()
}

func big(fields ...field) string    { return tiff(binary.BigEndian, "MM\x00*", fields...) }
func little(fields ...field) string { return tiff(binary.LittleEndian, "II*\x00", fields...) }

func segment(marker byte, data string) string {
	n := len(data) + 2
	return string([]byte{0xff, marker, byte(n >> 8), byte(n)}) + data
}

// jpeg is no picture, but has the form of one.
func jpeg(segments ...string) string {
	return "\xff\xd8" + strings.Join(segments, "") + segment(0xda, "scan") + "coded\xff\x00data\xff\xd0more" + "\xff\xd9"
}

func exif(data string) string { return segment(0xe1, "Exif\x00\x00"+data) }

func box(kind, data string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+8))) + kind + data
}

func chunk(kind, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

func png(chunks ...string) string {
	return "\x89PNG\r\n\x1a\n" + chunk("IHDR", strings.Repeat("\x01", 13)) + strings.Join(chunks, "") + chunk("IEND", "")
}

// heic holds an EXIF item behind its boxes, or in idat.
func heic(tiff string, inside bool) string {
	item := "\x00\x00\x00\x06Exif\x00\x00" + tiff
	infe := box("infe", "\x02\x00\x00\x00\x00\x01\x00\x00Exif\x00") + box("infe", "\x02\x00\x00\x00\x00\x02\x00\x00hvc1\x00")
	build := func(offset int) string {
		method := "\x00\x00"
		if inside {
			method, offset = "\x00\x01", 0
		}
		iloc := "\x01\x00\x00\x00\x44\x00\x00\x01" + "\x00\x01" + method + "\x00\x00\x00\x01"
		iloc += string(binary.BigEndian.AppendUint32(nil, uint32(offset))) + string(binary.BigEndian.AppendUint32(nil, uint32(len(item))))
		meta := "\x00\x00\x00\x00" + box("hdlr", strings.Repeat("\x00", 8)+"pict"+strings.Repeat("\x00", 13)) + box("iinf", "\x00\x00\x00\x00\x00\x02"+infe) + box("iloc", iloc)
		if inside {
			meta += box("idat", item)
		}
		return box("ftyp", "heic\x00\x00\x00\x00mif1heic") + box("meta", meta)
	}
	head := build(0)
	if inside {
		return head + box("mdat", "coded")
	}
	return build(len(head)+8) + box("mdat", item)
}

func track(handler, format string) string {
	return box("trak", box("tkhd", strings.Repeat("\x00", 84))+box("mdia", box("hdlr", strings.Repeat("\x00", 8)+handler+strings.Repeat("\x00", 13))+
		box("minf", box("stbl", box("stsd", "\x00\x00\x00\x00\x00\x00\x00\x01"+box(format, "\x00\x00\x00\x00\x00\x00\x00\x01"))))))
}

func movie(boxes ...string) string {
	return box("ftyp", "isom\x00\x00\x02\x00isommp42") + box("moov", box("mvhd", strings.Repeat("\x00", 100))+strings.Join(boxes, "")) + box("mdat", "coded")
}

var gps = field{0x8825, 4, 1, "\x00\x00\x00\x00"}

const note = "Nikon\x00 owner Anna, serial 4711, and more that nobody documents"

func TestBuiltFiles(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"big-endian": {jpeg(exif(big(ascii(0x013b, "Anna Berg"), field{0x9286, 7, 16, "UNICODE\x00\x00B\x00o\x00!\x00\x00"}))),
			[]string{"exif.Artist=Anna Berg (user.name)", "exif.UserComment=Bo! (user.content.private)"}},
		"maker note": {jpeg(exif(little(field{0x927c, 7, uint32(len(note)), note}))),
			[]string{"exif.MakerNote=" + note + " <application/octet-stream> (opaque)"}},
		"unknown tags": {little(ascii(0x9999, "{\"who\":\"Anna\"}"), ascii(0x010f, "Acme")),
			[]string{`exif.0x9999={"who":"Anna"}`}},
		"comment and app": {jpeg(segment(0xfe, "for Anna"), segment(0xe5, "private"), segment(0xe0, "JFIF\x00")),
			[]string{"jpeg.comment=for Anna (user.content.private)", "jpeg.app5=private <application/octet-stream> (opaque)"}},
		"two pictures": {jpeg(segment(0xfe, "one")) + jpeg(segment(0xfe, "two")) + "secret",
			[]string{"jpeg.comment=one (user.content.private)", "jpeg.comment=two (user.content.private)", "file.trailer=secret <application/octet-stream> (opaque)"}},
		"motion photo": {jpeg() + movie(box("udta", box("\xa9xyz", "\x00\x08\x15\xc7+52+013/"))),
			[]string{"movie.©xyz=+52+013/ (user.location.precise)"}},
		"png": {png(chunk("tEXt", "Comment\x00f\xfcr Anna"), chunk("prVt", "x"), chunk("tEXt", "parameters\x00portrait of Eva"), chunk("tEXt", "exif:GPSLatitude\x0052/1"), chunk("tEXt", "Software\x00x"), chunk("tEXt", "Raw profile type exif\x00\nexif\n 3\n4578")) + "zip",
			[]string{"png.Comment=für Anna (user.content.private)", "png.prVt=x <application/octet-stream> (opaque)", "png.parameters=portrait of Eva",
				"png.exif:GPSLatitude=52/1 (user.location.precise)", "png.Raw profile type exif=\nexif\n 3\n4578 (opaque)", "file.trailer=zip <application/octet-stream> (opaque)"}},
		"heic":        {heic(little(ascii(0xa430, "Anna Berg")), false), []string{"exif.CameraOwnerName=Anna Berg (user.name)"}},
		"heic inside": {heic(big(ascii(0xa430, "Anna Berg")), true), []string{"exif.CameraOwnerName=Anna Berg (user.name)"}},
		"telemetry": {movie(track("vide", "avc1"), track("meta", "gpmd")),
			[]string{"track.meta=gpmd (opaque)"}},
		"camera": {movie(box("udta", box("LENS", "x")+box("CAME", "0123abcd")+box("name", "Anna")+box("GPMF", "binary\x01"))),
			[]string{"movie.CAME=0123abcd (user.device.device_id)", "movie.name=Anna (user.content.private)", "movie.GPMF=binary\x01 <application/octet-stream> (opaque)"}},
		"freed": {movie(box("free", "+52.5+013.3/"), box("skip", strings.Repeat("\x00", 8))),
			[]string{"movie.free=+52.5+013.3/ <application/octet-stream> (opaque)"}},
		"iTunes": {movie(box("udta", box("meta", "\x00\x00\x00\x00"+box("hdlr", strings.Repeat("\x00", 25))+box("ilst", box("\xa9ART", box("data", "\x00\x00\x00\x01\x00\x00\x00\x00Anna"))+
			box("----", box("mean", "\x00\x00\x00\x00com.example")+box("name", "\x00\x00\x00\x00Owner")+box("data", "\x00\x00\x00\x01\x00\x00\x00\x00Bo")))))),
			[]string{"movie.©ART=Anna (user.name)", "movie.Owner=Bo (user.name)"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := wiretest.Read(t, c.text, media.Read)
			tree.Want(c.want...)
			for pick := range uint64(8) {
				wiretest.Hold(t, c.text, media.Read, pick)
			}
			for i := range tree.Leaves {
				wiretest.HoldValue(t, c.text, media.Read, i, "T")
				wiretest.HoldValue(t, c.text, media.Read, i, "")
			}
		})
	}
}

func TestTypesByFirstBytes(t *testing.T) {
	for want, text := range map[string]string{
		"image/jpeg": jpeg(), "image/png": png(), "image/heic": heic(little(), false), "video/mp4": movie(), "image/tiff": big(),
		"image/avif": box("ftyp", "avif\x00\x00\x00\x00mif1"), "video/quicktime": box("ftyp", "qt  \x00\x00\x00\x00"), "": "RIFF\x00\x00\x00\x00WAVE",
	} {
		if got := media.Type(text); got != want {
			t.Errorf("%q is %q", want, got)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	circle := little(field{0x8769, 4, 1, "\x08\x00\x00\x00"})
	overlap := little(field{0x013b, 2, 10, ""}, field{0x010e, 2, 10, ""})
	overlap = strings.Replace(overlap, "\x0a\x00\x00\x00\x00\x00\x00\x00", "\x0a\x00\x00\x00\x26\x00\x00\x00", 2) + "Anna Berg\x00"
	deep := ""
	for range 40 {
		deep = box("trak", deep)
	}
	for name, c := range map[string]struct {
		text   string
		reason exposure.Reason
	}{
		"unknown":          {"GIF90", exposure.IncompleteContentType},
		"cut jpeg":         {jpeg(segment(0xfe, "Anna"))[:20], exposure.IncompleteSyntax},
		"cut segment":      {"\xff\xd8\xff\xfe\x00\xffAnna", exposure.IncompleteSyntax},
		"no picture":       {"\xff\xd8\xff\xe0\x00\x02Anna", exposure.IncompleteSyntax},
		"cut png":          {png()[:20], exposure.IncompleteSyntax},
		"circle":           {circle, exposure.IncompleteSyntax},
		"overlap":          {overlap, exposure.IncompleteSyntax},
		"far offset":       {strings.Replace(little(ascii(0x013b, "Anna Berg")), "\x1a\x00\x00\x00", "\xff\xff\x00\x00", 1), exposure.IncompleteSyntax},
		"long box":         {box("ftyp", "isom\x00\x00\x00\x00") + "\x00\x00\xff\xffmoov", exposure.IncompleteSyntax},
		"deep boxes":       {movie(box("udta", box("meta", deep))) + box("moov", deep), ""},
		"broken xmp":       {jpeg(segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>")), exposure.IncompleteSyntax},
		"wrong crc":        {strings.Replace(png(chunk("tEXt", "Author\x00Anna")), "Anna", "Anno", 1), ""},
		"cut gif":          {"GIF89a\x01\x00\x01\x00\x00\x00\x00!\xfe\x04Anna", exposure.IncompleteSyntax},
		"longer than RIFF": {"RIFF\xff\xff\x00\x00WEBP", exposure.IncompleteSyntax},
	} {
		tree := wiretest.Read(t, c.text, media.Read)
		if c.reason != "" && !slices.Contains(tree.Problems, c.reason) {
			t.Errorf("%s: problems %q, wanted %s", name, tree.Problems, c.reason)
		}
		if c.reason == "" && len(tree.Problems) == 0 && !slices.ContainsFunc(tree.Leaves, func(f wiretest.Found) bool { return !f.OK || f.Category == exposure.Opaque }) {
			t.Errorf("%s: read as if nothing were wrong:\n%s", name, tree)
		}
	}
}

func TestStrangeFilesAreReadInLinearTime(t *testing.T) {
	for name, doc := range map[string]func(n int) string{
		"segments": func(n int) string { return jpeg(strings.Repeat(segment(0xfe, "x"), n)) },
		"filling":  func(n int) string { return "\xff\xd8" + strings.Repeat("\xff", n) },
		"pictures": func(n int) string { return strings.Repeat(jpeg(), n) },
		"entries": func(n int) string {
			return little(slices.Repeat([]field{ascii(0x013b, "Anna Berg")}, min(n, 65535))...)
		},
		"chunks": func(n int) string { return png(strings.Repeat(chunk("tEXt", "a\x00b"), n)) },
		"boxes":  func(n int) string { return movie(strings.Repeat(box("free", "x"), n)) },
		"empty":  func(n int) string { return movie(strings.Repeat(box("udta", ""), n)) },
		"blocks": func(n int) string { return "GIF89a\x01\x00\x01\x00\x00\x00\x00!\xfe" + strings.Repeat("\x01a", n) },
		"items": func(n int) string {
			return box("ftyp", "heic\x00\x00\x00\x00mif1heic") + box("meta", "\x00\x00\x00\x00"+box("iinf", "\x00\x00\x00\x00\x00\x00"+strings.Repeat(box("infe", "\x02\x00\x00\x00\x00\x01\x00\x00Exif\x00"), n)))
		},
		"pieces": func(n int) string {
			return box("ftyp", "heic\x00\x00\x00\x00mif1heic") + box("meta", "\x00\x00\x00\x00"+box("iinf", "\x00\x00\x00\x00\x00\x00"+box("infe", "\x02\x00\x00\x00\x00\x01\x00\x00Exif\x00"))+
				box("iloc", "\x00\x00\x00\x00\x44\x00\x00\x01\x00\x01\x00\x00"+string([]byte{byte(min(n, 65535) >> 8), byte(min(n, 65535))})+strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x20", n)))
		},
	} {
		wiretest.Linear(t, name, media.Read, doc)
	}
}

func FuzzMedia(f *testing.F) {
	for _, text := range files(f) {
		f.Add(text, ^uint64(0), 3, "T")
	}
	for _, text := range []string{
		jpeg(exif(big(ascii(0x013b, "Anna Berg"), gps)), segment(0xfe, "x")), png(chunk("eXIf", little(ascii(0x013b, "Anna Berg"))), chunk("tEXt", "Author\x00Anna")), heic(little(ascii(0xa430, "Anna Berg")), false),
		movie(track("meta", "gpmd"), box("udta", box("\xa9xyz", "\x00\x08\x15\xc7+52+013/"))), "GIF89a\x01\x00\x01\x00\x00\x00\x00!\xfe\x04Anna\x00;",
		"RIFF\x20\x00\x00\x00WEBPEXIF\x14\x00\x00\x00" + little(),
	} {
		f.Add(text, uint64(0x5555555555555555), 0, "Zoë")
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64, i int, value string) {
		if len(text) > 1<<13 || i < 0 {
			return
		}
		wiretest.Hold(t, text, media.Read, pick)
		wiretest.HoldValue(t, text, media.Read, i, value)
	})
}
