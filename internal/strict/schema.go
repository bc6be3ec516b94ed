package strict

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
)

// Schema draws the JSON Schema (2020-12) of the struct that v is, for editors.
// It says as much as JSON Schema can; what a Check method adds, it cannot.
func Schema(title, description string, v any, kinds Kinds) []byte {
	s := object(reflect.TypeOf(v), kinds)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"], s["description"] = title, description
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("strict: " + err.Error())
	}
	return append(out, '\n')
}

type node = map[string]any

func object(t reflect.Type, kinds Kinds) node {
	fields, plain := fieldsOf(t)
	properties, required := node{}, []string{}
	for _, f := range fields {
		if f.doc == "" {
			panic("strict: key " + f.name + " of " + t.String() + " has no doc")
		}
		p := describe(t.Field(f.index).Type, f, kinds)
		p["description"] = f.doc
		if f.hasPreset {
			p["default"] = presetJSON(t.Field(f.index).Type, f)
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	s := node{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if plain != nil {
		scalar := describe(t.Field(plain.index).Type, *plain, kinds)
		scalar["description"] = plain.doc
		return node{"anyOf": []node{scalar, s}}
	}
	return s
}

func describe(t reflect.Type, f field, kinds Kinds) node {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return node{"type": []string{"string", "integer"}}
	}
	switch t.Kind() {
	case reflect.Struct:
		return object(t, kinds)
	case reflect.Slice:
		item := describe(t.Elem(), f, kinds)
		list := node{"type": "array", "items": item}
		if f.required {
			list["minItems"] = 1
		}
		if f.single {
			return node{"anyOf": []node{item, list}}
		}
		return list
	case reflect.Map:
		s := node{"type": "object", "additionalProperties": describe(t.Elem(), field{enum: f.enum, kind: f.kind, single: f.single}, kinds)}
		if f.keykind != "" {
			s["propertyNames"] = ofKind(kinds.Get(f.keykind))
		}
		return s
	case reflect.Bool:
		return node{"type": "boolean"}
	case reflect.Int:
		s := node{"type": "integer"}
		if f.min != nil {
			s["minimum"] = *f.min
		}
		if f.max != nil {
			s["maximum"] = *f.max
		}
		return s
	case reflect.String:
		s := node{"type": "string"}
		if len(f.enum) > 0 {
			s["enum"] = f.enum
		} else if f.kind != "" {
			for k, v := range ofKind(kinds.Get(f.kind)) {
				s[k] = v
			}
			if !f.required { // "" stands for an absent key
				return node{"anyOf": []node{s, {"const": ""}}}
			}
		}
		return s
	default:
		panic("strict: no schema for " + t.String())
	}
}

func ofKind(k Kind) node {
	s := node{}
	if k.Values != nil {
		s["enum"] = k.Values()
	}
	if k.Pattern != "" {
		s["pattern"] = k.Pattern
	}
	if k.Format != "" {
		s["format"] = k.Format
	}
	return s
}

func presetJSON(t reflect.Type, f field) any {
	switch t.Kind() {
	case reflect.Int:
		return *number(f.preset)
	case reflect.Bool:
		b, _ := strconv.ParseBool(f.preset)
		return b
	default:
		return f.preset
	}
}
