package directory

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/store"
)

// Encode writes a directory as the document that Parse reads. Equal directories give equal bytes: lists keep their order,
// which means something (users ring in it), maps are sorted.
func Encode(dir store.Directory) ([]byte, error) {
	var buf bytes.Buffer
	err := EncodeTo(&buf, dir, func(yield func(store.Contact) error) error {
		for i := range dir.Contacts {
			if err := yield(dir.Contacts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return buf.Bytes(), err
}

// EncodeTo is Encode for any number of contacts, which each hands over one by one; those in dir are not looked at, and with
// a nil each the document has no contacts at all.
func EncodeTo(w io.Writer, dir store.Directory, each func(yield func(store.Contact) error) error) error {
	e := emitter{w: bufio.NewWriterSize(w, 64<<10)}
	e.section("company", dir.Company)
	e.section("users", dir.Users)
	e.section("numbers", dir.Numbers)
	if each != nil {
		empty := true
		err := each(func(c store.Contact) error {
			if empty {
				e.w.WriteString("contacts:\n")
				empty = false
			}
			e.w.WriteString("  - ")
			e.flow(reflect.ValueOf(c))
			_, err := e.w.WriteString("\n")
			return err
		})
		if err != nil {
			return fmt.Errorf("write directory: %w", err)
		}
		if empty {
			e.w.WriteString("contacts: []\n")
		}
	}
	if len(dir.Policies) > 0 {
		e.section("policies", dir.Policies)
	}
	if len(dir.Workflows) > 0 {
		e.section("workflows", dir.Workflows)
	}
	if f := reflect.ValueOf(dir.Features); len(written(f)) > 0 {
		e.section("features", dir.Features)
	}
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("write directory: %w", err)
	}
	return nil
}

// emitter writes YAML: objects in block style, small ones (windows, steps, contacts) on one line. The library's own encoder
// is not used because it writes some texts with tabs and line breaks so that it cannot read them back. Errors stay in
// the bufio.Writer until Flush.
type emitter struct{ w *bufio.Writer }

func (e *emitter) section(name string, v any) {
	e.w.WriteString(name + ":")
	e.value(reflect.ValueOf(v), 0)
}

// value writes what follows a key's colon.
func (e *emitter) value(v reflect.Value, indent int) {
	v = deref(v)
	switch {
	case v.Kind() == reflect.Slice && v.Len() > 0 && (!isLeaf(v.Type()) || v.Type().Elem() == stepType):
		e.w.WriteString("\n")
		for i := range v.Len() {
			e.indent(indent + 1)
			e.w.WriteString("- ")
			e.item(v.Index(i), indent+2)
		}
	case v.Kind() == reflect.Map && v.Len() > 0 && v.Type().Elem().Kind() != reflect.String:
		e.w.WriteString("\n")
		for _, k := range slices.SortedFunc(maps.Keys(mapOf(v)), strings.Compare) {
			e.indent(indent + 1)
			e.w.WriteString(scalar(k) + ":")
			e.value(mapOf(v)[k], indent+1)
		}
	case v.Kind() == reflect.Struct && !isLeaf(v.Type()) && !inline(v):
		e.w.WriteString("\n")
		e.fields(v, indent+1, false)
	default:
		e.w.WriteString(" ")
		e.flow(v)
		e.w.WriteString("\n")
	}
}

// item writes an object that follows "- ".
func (e *emitter) item(v reflect.Value, indent int) {
	if v.Kind() != reflect.Struct || isLeaf(v.Type()) || inline(v) {
		e.flow(v)
		e.w.WriteString("\n")
		return
	}
	e.fields(v, indent, true)
}

// fields writes a struct's fields, one a line; started: the first one goes on in the line that is begun.
func (e *emitter) fields(v reflect.Value, indent int, started bool) {
	for _, f := range written(v) {
		if !started {
			e.indent(indent)
		}
		started = false
		e.w.WriteString(f.name + ":")
		e.value(f.value, indent)
	}
}

func (e *emitter) indent(n int) {
	for range n {
		e.w.WriteString("  ")
	}
}

// flow writes a value on the line.
func (e *emitter) flow(v reflect.Value) {
	v = deref(v)
	if t, ok := v.Interface().(time.Time); ok {
		e.w.WriteString(t.UTC().Format(time.RFC3339Nano))
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		e.w.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				e.w.WriteString(", ")
			}
			e.flow(v.Index(i))
		}
		e.w.WriteString("]")
	case reflect.Map:
		e.w.WriteString("{")
		for i, k := range slices.SortedFunc(maps.Keys(mapOf(v)), strings.Compare) {
			if i > 0 {
				e.w.WriteString(", ")
			}
			e.w.WriteString(scalar(k) + ": ")
			e.flow(mapOf(v)[k])
		}
		e.w.WriteString("}")
	case reflect.Struct:
		if step, ok := v.Interface().(store.PolicyStep); ok && step.When == "" {
			e.w.WriteString(scalar(step.Step))
			return
		}
		e.w.WriteString("{")
		for i, f := range written(v) {
			if i > 0 {
				e.w.WriteString(", ")
			}
			e.w.WriteString(f.name + ": ")
			e.flow(f.value)
		}
		e.w.WriteString("}")
	case reflect.String:
		e.w.WriteString(scalar(v.String()))
	case reflect.Bool:
		e.w.WriteString(strconv.FormatBool(v.Bool()))
	default:
		e.w.WriteString(strconv.FormatInt(v.Int(), 10))
	}
}

// inline: objects that read best on one line.
func inline(v reflect.Value) bool {
	switch v.Interface().(type) {
	case store.Window, store.Contact, store.MailboxNode, store.SetNode, store.SayNode, store.PlayNode, store.RingNode, store.ForwardNode, store.Room,
		store.Page, store.Group:
		return true
	}
	return v.NumField() == 0 || len(written(v)) == 0
}

type writtenField struct {
	name  string
	value reflect.Value
}

// written lists the fields that a document shows.
func written(v reflect.Value) []writtenField {
	var list []writtenField
	for f := range v.Type().Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		value := v.FieldByIndex(f.Index)
		empty := value.IsZero() || (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0
		if empty && strings.Contains(options, "omitempty") {
			continue
		}
		list = append(list, writtenField{name, value})
	}
	return list
}

func mapOf(v reflect.Value) map[string]reflect.Value {
	m := make(map[string]reflect.Value, v.Len())
	for k, elem := range v.Seq2() {
		m[k.String()] = elem
	}
	return m
}

var (
	plainText = regexp.MustCompile(`^[\pL_](?:[\pL\pN_./() '-]*[\pL\pN_.)])?$`)
	// YAML 1.1 and 1.2 take these for something else than a text.
	notText = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|y|n|null)$`)
)

// scalar writes a text, in quotes where it would not be read back as one.
func scalar(s string) string {
	if plainText.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD")) // Go's escapes are YAML's
}
