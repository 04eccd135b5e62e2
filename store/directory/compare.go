package directory

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/store"
	"strowger/store/directory/strict"
)

// compare lists the fields in which two objects of one type differ, by their yaml names.
func compare[T any](before, after T) []Field {
	var c comparer
	c.object("", reflect.ValueOf(&before).Elem(), reflect.ValueOf(&after).Elem())
	return c.fields
}

// fieldsOf lists the fields of an object that are set.
func fieldsOf[T any](v T) []Field {
	var zero T
	return compare(zero, v)
}

type comparer struct{ fields []Field }

var (
	stepType = reflect.TypeFor[store.PolicyStep]()
	timeType = reflect.TypeFor[time.Time]()
)

// value compares two values of one type; an invalid one is absent.
func (c *comparer) value(path string, a, b reflect.Value) {
	fullA, fullB := a, b
	a, b = deref(a), deref(b)
	t := cmp.Or(typeOf(a), typeOf(b))
	switch {
	case t == nil:
	case a.IsValid() != b.IsValid() || isLeaf(t):
		if old, now := show(fullA), show(fullB); old != now {
			c.fields = append(c.fields, Field{path, old, now})
		}
	case t.Kind() == reflect.Struct:
		c.object(path, a, b)
	case t.Kind() == reflect.Map:
		c.mapping(path, a, b)
	case t.Kind() == reflect.Slice:
		for i := range max(a.Len(), b.Len()) {
			c.value(strict.Index(path, i), item(a, i), item(b, i))
		}
	}
}

func (c *comparer) object(path string, a, b reflect.Value) {
	for f := range a.Type().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		c.value(strict.Join(path, name), a.FieldByIndex(f.Index), b.FieldByIndex(f.Index))
	}
}

func (c *comparer) mapping(path string, a, b reflect.Value) {
	keys := append(a.MapKeys(), b.MapKeys()...)
	slices.SortFunc(keys, func(x, y reflect.Value) int { return cmp.Compare(x.String(), y.String()) })
	keys = slices.CompactFunc(keys, func(x, y reflect.Value) bool { return x.String() == y.String() })
	for _, k := range keys {
		c.value(strict.Join(path, k.String()), a.MapIndex(k), b.MapIndex(k))
	}
}

// isLeaf: shown and compared as a whole.
func isLeaf(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return t == timeType || t == stepType
	case reflect.Map:
		return false
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Struct || t.Elem() == stepType
	}
	return true
}

func deref(v reflect.Value) reflect.Value {
	if v.IsValid() && v.Kind() == reflect.Pointer {
		return v.Elem() // invalid when nil
	}
	return v
}

func typeOf(v reflect.Value) reflect.Type {
	if !v.IsValid() {
		return nil
	}
	return v.Type()
}

func item(v reflect.Value, i int) reflect.Value {
	if i < v.Len() {
		return v.Index(i)
	}
	return reflect.Value{}
}

// show prints a field on one line, as YAML's flow style would; "" when it is not set. What a pointer leads to is set.
func show(v reflect.Value) string {
	pointer := v.IsValid() && v.Kind() == reflect.Pointer
	v = deref(v)
	switch {
	case !v.IsValid():
		return ""
	case pointer:
		return flow(v)
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0:
		return ""
	case v.Kind() != reflect.Struct && v.IsZero() || v.Type() == timeType && v.IsZero():
		return ""
	}
	return flow(v)
}

// flow prints a value that is set.
func flow(v reflect.Value) string {
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = flow(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		parts := make([]string, 0, v.Len())
		for k, elem := range v.Seq2() {
			parts = append(parts, quote(k.String())+": "+flow(elem))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Struct:
		return flowStruct(v)
	}
	return v.String()
}

func flowStruct(v reflect.Value) string {
	if step, ok := v.Interface().(store.PolicyStep); ok && step.When == "" {
		return quote(step.Step)
	}
	var parts []string
	for f := range v.Type().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if s := show(v.FieldByIndex(f.Index)); s != "" {
			parts = append(parts, name+": "+s)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// quote quotes a text that would not read as one.
func quote(s string) string {
	if s == "" {
		return `""`
	}
	plain := strings.Trim(s, " ") == s && strconv.Quote(s) == `"`+s+`"` && !strings.ContainsAny(s, `,[]{}:#&*!|>'%@`+"`")
	first := s[0]
	if plain && first != '+' && first != '-' && (first < '0' || first > '9') {
		return s
	}
	return strconv.Quote(s)
}
