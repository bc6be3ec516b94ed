package classify

import "cordon/internal/exposure"

// Field is one leaf of a message that carries personal data, or that no
// mapping names (category Unclassified).
type Field struct {
	Category exposure.Category
	marks    marks
	// Path is the template that found it: "personalizations[].to[].email".
	Path string

	raw   string // as it stands in the message, without quotes
	group int32
	// host is the field within whose value a derived field lies.
	host int32
	spot
}

// spot is where a field stands and how it is written there.
type spot struct {
	position
	// layer is the number of the text that the position is in: 0 is the source
	// itself, n is Findings.layers[n-1].
	layer int32
	src   source
}

// position is a place in one text.
type position struct {
	// start is the position of the field's first byte; for a header, the number
	// of the value in Findings.headers; for a derived field, the position in its
	// host's value.
	start int32
	// member is where what must go with the field begins: its key, its pair,
	// its part. -1 when it stands alone.
	member int32
	enc    encoding
}

// encoding is how a value is written in its place.
type encoding uint8

const (
	jsonString  encoding = iota // between quotes
	jsonBare                    // a number, true or false
	jsonSubtree                 // an array or object that was not looked into
	formText                    // percent-encoded, of a form or a query
	pathText                    // percent-encoded, of a path
	partText                    // the body of a part, as it is
	fileName                    // a quoted parameter of a part's header
	wholeText                   // a header's value, or a body that nothing decodes
	jsonKey                     // the key of a member
	formKey                     // a part of the key of a pair, percent-encoded
	base64Text                  // the whole of a text, in base64
	wired                       // as the codec of a reader of documents writes it
	piece                       // a piece of the host's value
)

// Value is the leaf decoded and in the clear.
func (f Field) Value() string {
	v, _ := f.enc.decode(f.raw)
	return v
}

// decode reads a value as written, and reports whether nothing in it is broken.
func (e encoding) decode(raw string) (value string, clean bool) {
	switch e {
	case jsonString, jsonKey:
		return unescape(raw), true
	case formText, pathText, formKey:
		return percentDecode(raw, e != pathText)
	default:
		return raw, true
	}
}

// Bare reports whether the value stands in JSON without quotes: a number, true
// or false.
func (f Field) Bare() bool { return f.enc == jsonBare || f.marks&bare != 0 }
