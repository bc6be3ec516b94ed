package api

import (
	"io"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encode writes an answer as --json and the API do, with a line end. Lists are
// never null, keys of maps are sorted, and unknown or doubled keys are refused
// on the way back in: what two programs could read differently is not sent.
func Encode(w io.Writer, answer any, indented bool) error {
	options := json.JoinOptions(json.Deterministic(true), jsontext.EscapeForHTML(false))
	if indented {
		options = json.JoinOptions(options, jsontext.WithIndent("  "))
	}
	data, err := json.Marshal(answer, options)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// Decode reads one answer or request, strictly.
func Decode(data []byte, into any) error {
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}

// format puts Encode under huma. Decoding for huma's own validation (into any)
// is done the same way; huma refuses unknown members by the schema.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error { return Encode(w, v, false) },
	Unmarshal: func(data []byte, v any) error {
		if reflect.TypeOf(v) == reflect.TypeFor[*any]() {
			return json.Unmarshal(data, v)
		}
		return Decode(data, v)
	},
}
