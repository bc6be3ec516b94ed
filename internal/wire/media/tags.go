package media

import (
	"fmt"

	"cordon/internal/exposure"
)

// how a tag's value is read.
type how uint8

const (
	plain how = iota // text or fractions
	technical
	halfTag // N, S, E or W
	directoryTag
	thumbnailTag
	wideTag    // UTF-16
	commentTag // with the name of a character set before it
	opaqueTag
	xmpTag
	iptcTag
	photoshopTag
)

// tag is what is known of a tag.
type tag struct {
	name      string
	how       how
	category  exposure.Category
	reference int         // the tag that says which half of the globe
	tags      map[int]tag // of the directory that it points to
}

func tagName(number int) string { return fmt.Sprintf("0x%04x", number) }

var jobTitle = exposure.MustCategory("user.job_title")

// mainTags are those of a picture and of its EXIF directory, which share one
// range of numbers (CIPA DC-008-2023, DNG 1.7, TIFF/EP).
var mainTags map[int]tag

var gpsTags = map[int]tag{
	0x01: {name: "GPSLatitudeRef", how: halfTag},
	0x02: {name: "GPSLatitude", category: exposure.Precise, reference: 0x01},
	0x03: {name: "GPSLongitudeRef", how: halfTag},
	0x04: {name: "GPSLongitude", category: exposure.Precise, reference: 0x03},
	0x06: {name: "GPSAltitude", category: exposure.Precise, reference: 0x05},
	0x08: {name: "GPSSatellites", category: exposure.Precise},
	0x0d: {name: "GPSSpeed", category: exposure.Precise},
	0x0f: {name: "GPSTrack", category: exposure.Precise},
	0x11: {name: "GPSImgDirection", category: exposure.Precise},
	0x13: {name: "GPSDestLatitudeRef", how: halfTag},
	0x14: {name: "GPSDestLatitude", category: exposure.Precise, reference: 0x13},
	0x15: {name: "GPSDestLongitudeRef", how: halfTag},
	0x16: {name: "GPSDestLongitude", category: exposure.Precise, reference: 0x15},
	0x18: {name: "GPSDestBearing", category: exposure.Precise},
	0x1a: {name: "GPSDestDistance", category: exposure.Precise},
	0x1b: {name: "GPSProcessingMethod", how: commentTag, category: exposure.Precise},
	0x1c: {name: "GPSAreaInformation", how: commentTag, category: exposure.Precise},

	0x00: {how: technical}, 0x05: {how: technical}, 0x07: {how: technical}, 0x09: {how: technical}, 0x0a: {how: technical},
	0x0b: {how: technical}, 0x0c: {how: technical}, 0x0e: {how: technical}, 0x10: {how: technical}, 0x12: {how: technical},
	0x17: {how: technical}, 0x19: {how: technical}, 0x1d: {how: technical}, 0x1e: {how: technical}, 0x1f: {how: technical},
}

func init() { // mainTags point to themselves: a directory in a directory
	mainTags = map[int]tag{
		0x010e: {name: "ImageDescription", category: exposure.Text},
		0x013b: {name: "Artist", category: exposure.Name},
		0x013c: {name: "HostComputer", category: exposure.Name},
		0x8298: {name: "Copyright", category: exposure.Name},
		0x9286: {name: "UserComment", how: commentTag, category: exposure.Text},
		0x9c9b: {name: "XPTitle", how: wideTag, category: exposure.Text},
		0x9c9c: {name: "XPComment", how: wideTag, category: exposure.Text},
		0x9c9d: {name: "XPAuthor", how: wideTag, category: exposure.Name},
		0x9c9e: {name: "XPKeywords", how: wideTag, category: exposure.Text},
		0x9c9f: {name: "XPSubject", how: wideTag, category: exposure.Text},
		0xa420: {name: "ImageUniqueID", category: exposure.DeviceID},
		0xa430: {name: "CameraOwnerName", category: exposure.Name},
		0xa431: {name: "BodySerialNumber", category: exposure.DeviceID},
		0xa435: {name: "LensSerialNumber", category: exposure.DeviceID},
		0xa436: {name: "ImageTitle", category: exposure.Text},
		0xa437: {name: "Photographer", category: exposure.Name},
		0xa438: {name: "ImageEditor", category: exposure.Name},
		0xc62f: {name: "CameraSerialNumber", category: exposure.DeviceID},
		0xc65d: {name: "RawDataUniqueID", category: exposure.DeviceID},
		0xc68b: {name: "OriginalRawFileName", category: exposure.Text},
		0xfde8: {name: "OwnerName", category: exposure.Name},
		0xfde9: {name: "SerialNumber", category: exposure.DeviceID},

		0x014a: {how: directoryTag}, 0x8769: {how: directoryTag}, 0x8825: {how: directoryTag, tags: gpsTags}, 0xa005: {how: directoryTag},
		0x0201: {how: thumbnailTag},
		0x02bc: {how: xmpTag}, 0x83bb: {how: iptcTag}, 0x8649: {how: photoshopTag},
		0x927c: {name: "MakerNote", how: opaqueTag}, 0xc634: {name: "DNGPrivateData", how: opaqueTag}, 0x935c: {name: "ImageSourceData", how: opaqueTag},
	}
	for _, number := range []int{
		0x010f, 0x0110, 0x0131, 0x0132, 0x010d, 0x011d, 0x0129, // make, model, program, date, names of the document and its page
		0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292, // dates
		0xa433, 0xa434, 0xa439, 0xa43a, 0xa43b, 0xa43c, // makes of lens and programs
		0x0001, 0x0002, 0x1000, // interoperability
		0x9000, 0x9101, 0xa000, 0xa300, 0xa301, 0xa302, 0xa20c, 0x8828, 0xa40b, 0x9217, 0x8824, // how it was taken
		0x015b, 0x8773, 0xc4a5, 0xea1c, 0x0111, 0x0117, 0x0153, 0x013d, // tables, colours, padding
		0xc612, 0xc613, 0xc614, 0xc615, 0xc621, 0xc623, 0xc6f3, 0xc6f8, 0xc6fc, 0xc6fe, 0xc714, 0xc716, 0xc717, 0xc71b, 0xc740, 0xc741, 0xc74e, // DNG
	} {
		mainTags[number] = tag{how: technical}
	}
	for _, number := range []int{0x010d, 0x011d} { // a document's name is somebody's
		mainTags[number] = tag{name: map[int]string{0x010d: "DocumentName", 0x011d: "PageName"}[number], category: exposure.Text}
	}
	for number, t := range mainTags {
		if t.how == directoryTag && t.tags == nil {
			t.tags = mainTags
			mainTags[number] = t
		}
	}
}
