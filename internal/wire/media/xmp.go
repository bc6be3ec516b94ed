package media

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
	"cordon/internal/wire/xml"
)

// xmp reads an XMP packet (ISO 16684-1). It keeps its length: new values are
// padded with blanks, and nothing goes.
func (r *reader) xmp(from, to int) {
	text := strings.TrimRight(r.text[from:to], "\x00")
	xml.ReadQualified(text, &packet{reader: r, from: from})
}

// packet is what reads XML for r.
type packet struct {
	*reader
	from int
	way  []string
}

func (p *packet) Enter(key string)               { p.way = append(p.way, key) }
func (p *packet) Element(int)                    { p.way = append(p.way, "") }
func (p *packet) Leave()                         { p.way = p.way[:len(p.way)-1] }
func (p *packet) Problem(reason exposure.Reason) { p.flag(reason) }

func (p *packet) Leaf(l wire.Leaf) bool {
	key, m, told := p.property()
	if told {
		p.tell("xmp", key, value(p.from+l.Start, p.from+l.End, padded{l.Codec}, m))
	}
	return !p.stopped
}

// property is the innermost property that a value belongs to, and what it means
// there. False: it is technical.
func (p *packet) property() (key string, m *meaning, told bool) {
	prefix, last := "", p.way[len(p.way)-1]
	if strings.HasPrefix(last, "@xml:") || strings.HasPrefix(last, "@rdf:") && last != "@rdf:resource" {
		return "", nil, false // languages and how to read what is inside
	}
	for i := len(p.way) - 1; i >= 0; i-- {
		name := strings.TrimPrefix(p.way[i], "@")
		space, local, qualified := strings.Cut(name, ":")
		switch {
		case strings.HasPrefix(name, "?"), !qualified && strings.HasPrefix(name, "#"):
			return key, nil, !strings.HasPrefix(name, "?xpacket")
		case !qualified || space == "rdf" || space == "x" || space == "xml":
			continue
		}
		if key == "" {
			key, prefix = local, space
		}
		if c, ok := properties[local]; ok {
			return local, is(c), true
		}
	}
	if key == "" { // x:xmptk
		return "", nil, false
	}
	return key, nil, !technicalSpaces[prefix] && !technicalNames[prefix+":"+key]
}

// properties by their local names, which are unambiguous in practice.
var properties = meanings(map[exposure.Category]string{
	exposure.Precise: `GPSLatitude GPSLongitude GPSAltitude GPSDestLatitude GPSDestLongitude GPSAreaInformation GPSProcessingMethod
		GPSImgDirection GPSSatellites GPSSpeed GPSTrack Location Sublocation LocationName LocationId`,
	exposure.Imprecise: `City State Country CountryCode CountryName ProvinceState WorldRegion LocationCreated LocationShown`,
	exposure.Name: `creator contributor publisher rights Artist Copyright Owner OwnerName CameraOwnerName CaptionWriter Credit Source
		PersonInImage PersonInImageName PersonDisplayName Photographer author Author artist Licensor LicensorName
		CopyrightOwner CopyrightOwnerName ImageCreatorName ImageSupplierName ModelReleaseID HostComputer Name`,
	exposure.DeviceID: `SerialNumber BodySerialNumber LensSerialNumber CameraSerialNumber ImageUniqueID RawFileName DigitalImageGUID
		DocumentID InstanceID OriginalDocumentID documentID instanceID originalDocumentID RawDataUniqueID ContentIdentifier UniqueCameraSerial`,
	exposure.Text: `description title subject Headline Instructions UserComment ImageDescription AltTextAccessibility ExtDescrAccessibility
		hierarchicalSubject Event Comment comment label Label Nickname TransmissionReference Notes notes Caption keywords Keywords PreservedFileName`,
	exposure.Email:      `CiEmailWork PersonEmailDigest LicensorEmail`,
	exposure.Phone:      `CiTelWork LicensorTelephone1 LicensorTelephone2`,
	exposure.Street:     `CiAdrExtadr LicensorStreetAddress`,
	exposure.City:       `CiAdrCity LicensorCity`,
	exposure.PostalCode: `CiAdrPcode LicensorPostalCode`,
	exposure.Address:    `CiAdrRegion CiAdrCtry LicensorRegion LicensorCountry`,
	jobTitle:            `AuthorsPosition`,
	exposure.MustCategory("user.contact.url"): `CiUrlWork WebStatement`,
	exposure.Opaque: `MakerNote MakerNoteSafety HDRGainMap`,
})

func meanings(lists map[exposure.Category]string) map[string]exposure.Category {
	m := map[string]exposure.Category{}
	for c, list := range lists {
		for _, name := range strings.Fields(list) {
			m[name] = c
		}
	}
	return m
}

var technicalNames = map[string]bool{
	"dc:format": true, "dc:date": true, "dc:type": true, "dc:language": true,
	"Iptc4xmpCore:CreatorContactInfo": true, "Iptc4xmpCore:Scene": true, "Iptc4xmpCore:SubjectCode": true,
	"Iptc4xmpExt:DigitalSourceType": true, "Iptc4xmpExt:MaxAvailWidth": true, "Iptc4xmpExt:MaxAvailHeight": true,
}

// technicalSpaces are the prefixes, as Adobe and others prescribe them, of
// properties that say how a picture was taken, coded and worked on; what is
// personal among them has a meaning above.
var technicalSpaces = map[string]bool{
	"tiff": true, "exif": true, "exifEX": true, "aux": true, "crs": true, "crss": true, "xmp": true, "xmpMM": true, "stEvt": true, "stRef": true,
	"xmpG": true, "xmpTPg": true, "stDim": true, "stFnt": true, "stArea": true, "photoshop": true, "GCamera": true, "GContainer": true,
	"Container": true, "Item": true, "GPano": true, "GImage": true, "GDepth": true, "GFocus": true, "hdrgm": true, "HDRGainMap": true, "apdi": true,
	"xmlns": true, "xmpDM": true, "xmpRights": true, "mwg-rs": true, "MP": true, "MPRI": true, "MPReg": true, "depthData": true, "pixelDataOffset": true, "xmpidq": true,
}
