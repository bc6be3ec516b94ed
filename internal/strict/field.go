package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is what the tags of one struct field say.
type field struct {
	index         int
	name, doc     string
	preset        string // the default, as the file would have it
	hasPreset     bool
	required      bool
	single        bool
	enum          []string
	kind, keykind string
	min, max      *int64
}

// fieldsOf lists the keys of a struct in their order, and the field that takes
// a plain scalar, if there is one.
func fieldsOf(t reflect.Type) (fields []field, plain *field) {
	for i := range t.NumField() {
		sf := t.Field(i)
		name, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if name == "-" || !sf.IsExported() {
			continue
		}
		f := field{
			index: i, name: name, doc: sf.Tag.Get("doc"),
			required: sf.Tag.Get("required") == "true", single: sf.Tag.Get("single") == "true",
			enum: strings.Fields(sf.Tag.Get("enum")), kind: sf.Tag.Get("kind"), keykind: sf.Tag.Get("keykind"),
			min: number(sf.Tag.Get("min")), max: number(sf.Tag.Get("max")),
		}
		f.preset, f.hasPreset = sf.Tag.Lookup("default")
		if option == "scalar" {
			plain = &f
			continue
		}
		fields = append(fields, f)
	}
	return fields, plain
}

func (f field) bounds() string {
	switch {
	case f.min != nil && f.max != nil:
		return fmt.Sprintf("from %d to %d", *f.min, *f.max)
	case f.min != nil:
		return fmt.Sprintf("of at least %d", *f.min)
	default:
		return fmt.Sprintf("of at most %d", *f.max)
	}
}

func number(tag string) *int64 {
	if tag == "" {
		return nil
	}
	n, err := strconv.ParseInt(tag, 10, 64)
	if err != nil {
		panic("strict: " + err.Error())
	}
	return &n
}

// Defaults fills the zero struct that into points to as an empty file would.
func Defaults(into any) { fill(reflect.ValueOf(into).Elem()) }

// fill sets the defaults of a struct and of the structs inside it. What a
// pointer could point to stays absent.
func fill(v reflect.Value) {
	fields, _ := fieldsOf(v.Type())
	for _, f := range fields {
		fv := v.Field(f.index)
		if fv.Kind() == reflect.Struct {
			fill(fv)
		}
		if f.hasPreset {
			preset(fv, f)
		}
	}
}

func preset(v reflect.Value, f field) {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(f.preset)); err != nil {
			panic("strict: default of " + f.name + ": " + err.Error())
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.preset)
	case reflect.Int:
		v.SetInt(*number(f.preset))
	case reflect.Bool:
		v.SetBool(f.preset == "true")
	case reflect.Struct:
		_, plain := fieldsOf(v.Type())
		v.Field(plain.index).SetString(f.preset)
	default:
		panic("strict: no default for " + v.Type().String())
	}
}
