// Package strict decodes YAML into Go structs and refuses everything that it does not understand, all at once: unknown and
// repeated keys, wrong types, aliases (and with them alias bombs), several documents, control characters, files that are
// too big. Each problem says where it is, what is wrong and what would be right.
//
// Fields are named by `yaml` tags. A field tagged `strict:"bare"` may be written as the whole object: a bare step name
// instead of {step: name}. What the file does not mention keeps the value it has, so defaults are set before decoding.
package strict

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a file: its size in bytes, and how many values it may hold, since each takes some 350 bytes of memory while it is
// read. What is beyond them is for `strowger contacts import`.
const (
	MaxSize   = 32 << 20
	maxValues = 4_000_000
)

// Decode decodes data into the struct that into points to. name is for messages. The positions are never nil and tell where
// a key path stands, for checks that follow. When there are problems, into holds what could be understood.
func Decode(name string, data []byte, into any) (*Positions, Problems) {
	d := &decoder{pos: &Positions{File: name}, fields: map[reflect.Type][]field{}}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		d.file("cannot decode into %T", into)
		return d.pos, d.problems
	}
	if d.check(data) && d.parse(data) && d.pos.root != nil {
		d.value(d.pos.root, v.Elem(), "", "")
	}
	d.problems.Sort()
	return d.pos, d.problems
}

// TooBig is the problem of a file beyond MaxSize, for callers that look at its size before they read it.
func TooBig(name string, size int64) Problem {
	return Problem{
		Position: Position{File: name},
		Message:  fmt.Sprintf("the file has %d MB, the limit is %d MB", (size+1<<20-1)>>20, MaxSize>>20),
		Fix:      tooBigFix,
	}
}

const tooBigFix = "split it into a folder of files, and bring in many contacts with `strowger contacts import FILE.csv`"

type decoder struct {
	pos      *Positions
	problems Problems
	fields   map[reflect.Type][]field // known so far: a list has many of a type
}

func (d *decoder) fieldsOf(t reflect.Type) []field {
	fields, ok := d.fields[t]
	if !ok {
		fields = fieldsOf(t)
		d.fields[t] = fields
	}
	return fields
}

func (d *decoder) add(p Problem) {
	p.File = d.pos.File
	switch {
	case len(d.problems) < MaxProblems:
		d.problems = append(d.problems, p)
	case len(d.problems) == MaxProblems:
		d.problems = append(d.problems, Problem{Position: p.Position, Message: "there are more problems; they are not listed"})
	}
}

func (d *decoder) file(format string, args ...any) {
	d.add(Problem{Message: fmt.Sprintf(format, args...)})
}

// at notes a problem at a node.
func (d *decoder) at(n *yaml.Node, path, message, fix string) {
	d.add(Problem{Position: Position{Line: n.Line, Column: n.Column}, Path: path, Message: message, Fix: fix})
}

// check looks at the bytes before the parser spends time on them.
func (d *decoder) check(data []byte) bool {
	if len(data) > MaxSize {
		d.add(TooBig(d.pos.File, int64(len(data))))
		return false
	}
	values := 0 // at most so many: each but the first follows one of these
	for _, mark := range []string{",", "\n", ":", "[", "{", "- "} {
		values += bytes.Count(data, []byte(mark))
	}
	if values > maxValues {
		d.add(Problem{Message: fmt.Sprintf("the file has some %d values, the limit is %d", values, maxValues), Fix: tooBigFix})
		return false
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		line, column := lineOf(data, i)
		d.add(Problem{Position: Position{Line: line, Column: column}, Message: "holds a NUL byte", Fix: "save it as plain UTF-8 text"})
		return false
	}
	if !utf8.Valid(data) {
		i := 0
		for i < len(data) {
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		line, column := lineOf(data, i)
		d.add(Problem{Position: Position{Line: line, Column: column}, Message: "is not UTF-8", Fix: "save it as UTF-8 text"})
		return false
	}
	return true
}

// lineOf is the line and column of a byte.
func lineOf(data []byte, i int) (line, column int) {
	return bytes.Count(data[:i], []byte("\n")) + 1, i - bytes.LastIndexByte(data[:i], '\n')
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// parse builds the node tree; it never expands aliases.
func (d *decoder) parse(data []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return true // empty: everything keeps its value
	}
	if err == nil {
		d.pos.root = &doc
		if len(doc.Content) == 1 {
			d.pos.root = doc.Content[0]
		}
		if err = dec.Decode(&second); err == nil {
			d.at(&second, "", "a second document begins here", "keep one document per file")
			return true
		}
		if errors.Is(err, io.EOF) {
			return true
		}
	}
	p := Problem{Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column = 1
		p.Message = strings.TrimPrefix(err.Error(), m[0])
	}
	p.Message = "not valid YAML: " + p.Message
	d.add(p)
	return false
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// value decodes a node into v. oneof is the field's `oneof` tag: the words that are allowed.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path, oneof string) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.at(n, path, "anchors (&) and aliases (*) are not allowed", "write the value out where it is needed")
		return
	}
	if v.Kind() == reflect.Pointer {
		d.pointer(n, v, path, oneof)
		return
	}
	if n.ShortTag() == "!!null" {
		switch v.Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice:
			if v.Type() != timeType {
				return // a key without a value is as good as none
			}
		}
		d.at(n, path, "has no value", "give it one or remove the key")
		return
	}
	switch {
	case v.Type() == timeType:
		d.time(n, v, path)
	case v.Type() == durationType:
		d.duration(n, v, path)
	case v.CanAddr() && v.Addr().Type().Implements(textType):
		d.text(n, v, path)
	case v.Kind() == reflect.Struct:
		d.object(n, v, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, path, oneof)
	default:
		d.scalar(n, v, path, oneof)
	}
}

func (d *decoder) pointer(n *yaml.Node, v reflect.Value, path, oneof string) {
	elem := v.Type().Elem()
	if n.ShortTag() == "!!null" && elem.Kind() != reflect.Struct {
		d.at(n, path, "has no value", "give it one or remove the key")
		return
	}
	if v.IsNil() {
		v.Set(reflect.New(elem))
	}
	d.value(n, v.Elem(), path, oneof)
}

// object decodes a mapping into a struct.
func (d *decoder) object(n *yaml.Node, v reflect.Value, path string) {
	fields := d.fieldsOf(v.Type())
	if n.Kind == yaml.ScalarNode {
		for _, f := range fields {
			if f.bare {
				d.value(n, v.FieldByIndex(f.index), path, f.oneof)
				return
			}
		}
	}
	if !d.kind(n, yaml.MappingNode, path) {
		return
	}
	d.pairs(n, path, func(key, value *yaml.Node, path string) {
		for _, f := range fields {
			if f.name == key.Value {
				d.value(value, v.FieldByIndex(f.index), path, f.oneof)
				return
			}
		}
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = f.name
		}
		fix := "remove it; there are no keys here"
		if len(names) > 0 {
			fix = OneOf(key.Value, names)
		}
		d.at(key, path, fmt.Sprintf("unknown key %q", key.Value), fix)
	})
}

// pairs calls fn for each key of a mapping, with the path of its value, and refuses repeated and odd keys.
func (d *decoder) pairs(n *yaml.Node, path string, fn func(key, value *yaml.Node, path string)) {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind == yaml.AliasNode || key.Anchor != "":
			d.at(key, path, "anchors (&) and aliases (*) are not allowed", "write the value out where it is needed")
			continue
		case key.ShortTag() == "!!merge":
			d.at(key, path, "the merge key << is not allowed", "write the keys out")
			continue
		case key.Kind != yaml.ScalarNode:
			d.at(key, path, "a key must be a word", "")
			continue
		}
		if first, ok := seen[key.Value]; ok {
			d.at(key, Join(path, key.Value), fmt.Sprintf("key %q is repeated", key.Value),
				fmt.Sprintf("keep one; the first is in line %d", first.Line))
			continue
		}
		seen[key.Value] = key
		fn(key, value, Join(path, key.Value))
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	if !d.kind(n, yaml.MappingNode, path) {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Content)/2))
	}
	d.pairs(n, path, func(key, value *yaml.Node, path string) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(value, elem, path, "")
		k := reflect.New(v.Type().Key()).Elem()
		d.scalarText(key, k, path)
		v.SetMapIndex(k, elem)
	})
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path, oneof string) {
	if !d.kind(n, yaml.SequenceNode, path) {
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, list.Index(i), Index(path, i), oneof)
	}
	v.Set(list)
}

// kind checks that a node is a list or a mapping as its place wants.
func (d *decoder) kind(n *yaml.Node, want yaml.Kind, path string) bool {
	if n.Kind == want {
		return true
	}
	switch {
	case want == yaml.SequenceNode && n.Kind == yaml.ScalarNode:
		d.at(n, path, fmt.Sprintf("must be a list, is %s", describe(n)), fmt.Sprintf("write [%s]", short(n.Value)))
	case want == yaml.SequenceNode:
		d.at(n, path, "must be a list, is "+describe(n), `begin each item with "- "`)
	default:
		d.at(n, path, "must be keys with values, is "+describe(n), "write key: value")
	}
	return false
}

// describe names what a node is, for messages.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys with values"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + short(n.Value)
	case "!!bool":
		return "the truth value " + short(n.Value)
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "the time " + short(n.Value)
	}
	return "the text " + strconv.Quote(short(n.Value))
}

// short cuts a long value for a message.
func short(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:57], "") + "..."
}
