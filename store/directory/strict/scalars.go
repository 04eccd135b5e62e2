package strict

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// scalar decodes a text, number or truth value.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path, oneof string) {
	if n.Kind != yaml.ScalarNode {
		d.at(n, path, fmt.Sprintf("must be %s, is %s", wanted(v.Kind()), describe(n)), "")
		return
	}
	tag := n.ShortTag()
	switch v.Kind() {
	case reflect.Bool:
		d.bool(n, v, path)
	case reflect.String:
		// An unquoted number or date is taken as it is written: +12025550100 and 201 lose nothing.
		if tag == "!!bool" {
			d.at(n, path, "must be a text, is "+describe(n), fmt.Sprintf("write it in quotes: %q", n.Value))
			return
		}
		if !d.fit(n, path) {
			return
		}
		if allowed := strings.Fields(oneof); len(allowed) > 0 && !slices.Contains(allowed, n.Value) {
			d.at(n, path, fmt.Sprintf("%q is not allowed", short(n.Value)), OneOf(n.Value, allowed))
			return
		}
		v.SetString(n.Value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
		if err != nil || tag != "!!int" {
			d.at(n, path, "must be a whole number, is "+describe(n), numberFix(n, err))
			return
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(n.Value, 10, v.Type().Bits())
		if err != nil || tag != "!!int" {
			d.at(n, path, "must be a whole number from 0, is "+describe(n), numberFix(n, err))
			return
		}
		v.SetUint(u)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(n.Value, v.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || tag != "!!int" && tag != "!!float" {
			d.at(n, path, "must be a number, is "+describe(n), numberFix(n, err))
			return
		}
		v.SetFloat(f)
	default:
		d.at(n, path, fmt.Sprintf("cannot be set from a file (%s)", v.Type()), "remove it")
	}
}

// numberFix is the remedy for a number that is quoted or too big.
func numberFix(n *yaml.Node, err error) string {
	switch {
	case err == nil:
		return "write it without quotes: " + n.Value
	case strings.Contains(err.Error(), "out of range"):
		return "it is too big"
	}
	return "write digits"
}

func (d *decoder) bool(n *yaml.Node, v reflect.Value, path string) {
	switch {
	case n.ShortTag() == "!!bool" && strings.EqualFold(n.Value, "true"):
		v.SetBool(true)
	case n.ShortTag() == "!!bool" && strings.EqualFold(n.Value, "false"):
		v.SetBool(false)
	default:
		fix := "write true or false"
		switch strings.ToLower(n.Value) {
		case "yes", "on", "y", "1", "true":
			fix = "write true"
		case "no", "off", "n", "0", "false":
			fix = "write false"
		}
		d.at(n, path, "must be true or false, is "+describe(n), fix)
	}
}

func (d *decoder) time(n *yaml.Node, v reflect.Value, path string) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, n.Value); err == nil && n.Kind == yaml.ScalarNode {
			v.Set(reflect.ValueOf(t))
			return
		}
	}
	d.at(n, path, "must be a time, is "+describe(n), "write it like 2026-01-05T10:00:00Z")
}

func (d *decoder) duration(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.ScalarNode {
		if t, err := time.ParseDuration(n.Value); err == nil {
			v.SetInt(int64(t))
			return
		}
	}
	fix := "write it like 500ms, 20s, 5m or 1h30m"
	if n.ShortTag() == "!!int" {
		fix = fmt.Sprintf("add the unit: %ss are seconds", n.Value)
	}
	d.at(n, path, "must be a length of time, is "+describe(n), fix)
}

// text lets a type with UnmarshalText decide.
func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.at(n, path, "must be a text, is "+describe(n), "")
		return
	}
	if !d.fit(n, path) {
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
		d.at(n, path, err.Error(), "")
	}
}

// scalarText decodes a mapping's key, which needs no quotes whatever it looks like.
func (d *decoder) scalarText(n *yaml.Node, v reflect.Value, path string) {
	if v.Kind() != reflect.String {
		d.value(n, v, path, "")
	} else if d.fit(n, path) {
		v.SetString(n.Value)
	}
}

// fit refuses what no text may be.
func (d *decoder) fit(n *yaml.Node, path string) bool {
	problem := CheckText(n.Value)
	if problem != "" {
		d.at(n, path, problem, "")
	}
	return problem == ""
}

// MaxText is how long a text may be, in bytes: room for every prompt, none for a file that lost a quote.
const MaxText = 64 << 10

// CheckText says what is wrong with a text; "" = nothing. A control character would mean something else on a terminal, in a
// SIP header or in a key of the store; tabs and line ends are a text's.
func CheckText(text string) (problem string) {
	if len(text) > MaxText {
		return fmt.Sprintf("the text has %d bytes, the limit is %d", len(text), MaxText)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return fmt.Sprintf("holds the control character %q; remove it", r)
		}
	}
	return ""
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a number"
}

// field of a struct as the file knows it.
type field struct {
	name  string
	index []int
	bare  bool
	oneof string
}

// fieldsOf lists a struct's fields by their yaml names; inlined structs count as their fields.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inline := strings.Contains(","+options+",", ",inline,")
		if name == "-" || !f.IsExported() && !(f.Anonymous && inline) {
			continue
		}
		if inline {
			for _, in := range fieldsOf(f.Type) {
				in.index = append(slices.Clone(f.Index), in.index...)
				fields = append(fields, in)
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		fields = append(fields, field{name: name, index: f.Index, bare: f.Tag.Get("strict") == "bare", oneof: f.Tag.Get("oneof")})
	}
	return fields
}
