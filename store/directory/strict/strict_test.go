package strict

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type step struct {
	Name string `yaml:"name" strict:"bare"`
	When string `yaml:"when"`
}

type shared struct {
	Region string `yaml:"region"`
}

type config struct {
	shared   `yaml:",inline"`
	Embedded struct {
		Deep string `yaml:"deep"`
	} `yaml:",inline"`
	Name    string           `yaml:"name"`
	On      bool             `yaml:"on"`
	Count   int              `yaml:"count"`
	Port    uint16           `yaml:"port"`
	Ratio   float64          `yaml:"ratio"`
	Wait    time.Duration    `yaml:"wait"`
	At      time.Time        `yaml:"at"`
	Nets    []netip.Prefix   `yaml:"nets"`
	Maybe   *bool            `yaml:"maybe"`
	Rule    *step            `yaml:"rule"`
	Steps   []step           `yaml:"steps"`
	Keys    map[string]int   `yaml:"keys"`
	Digits  map[int]string   `yaml:"digits"`
	Matrix  [][]string       `yaml:"matrix"`
	Level   string           `yaml:"level" oneof:"debug info warn"`
	Hidden  string           `yaml:"-"`
	private string           //nolint:unused // must not be reachable
	Nested  map[string]*step `yaml:"nested"`
}

func TestDecodeEverything(t *testing.T) {
	var c config
	c.Hidden, c.Count = "kept", 7
	_, problems := Decode("c.yaml", []byte(`
region: US
deep: down
name: +12025550100
on: true
port: 5060
ratio: 2
wait: 1m30s
at: 2026-01-05T10:00:00+01:00
nets: [192.0.2.0/24, "2001:db8::/32"]
maybe: false
rule: {name: a, when: open}
steps: [bare, {name: b}, {name: c, when: closed}]
keys: {a: 1, "b c": 2}
digits: {1: one, 2: two}
matrix: [[a, b], []]
level: info
nested: {x: y}
`), &c)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	no := false
	want := config{
		shared: shared{}, Name: "+12025550100", On: true, Count: 7, Port: 5060, Ratio: 2, Wait: 90 * time.Second,
		Nets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}, Maybe: &no,
		Rule: &step{"a", "open"}, Steps: []step{{Name: "bare"}, {Name: "b"}, {"c", "closed"}},
		Keys: map[string]int{"a": 1, "b c": 2}, Digits: map[int]string{1: "one", 2: "two"}, Matrix: [][]string{{"a", "b"}, {}},
		Level: "info", Hidden: "kept", Nested: map[string]*step{"x": {Name: "y"}},
	}
	want.Embedded.Deep = "down"
	want.Region = "US"
	if at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC); !c.At.Equal(at) {
		t.Errorf("at %v", c.At)
	}
	c.At = time.Time{}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestProblems(t *testing.T) {
	for yaml, want := range map[string]string{
		"hidden: x":                 "1:1: hidden: unknown key \"hidden\"; use one of: region, deep, name, on, count, port, ratio, wait, at, nets, maybe, rule, steps, keys, digits, matrix, ...",
		"private: x":                "1:1: private: unknown key \"private\"; use one of: region, deep, name, on, count, port, ratio, wait, at, nets, maybe, rule, steps, keys, digits, matrix, ...",
		"wait: 20":                  "1:7: wait: must be a length of time, is the number 20; add the unit: 20s are seconds",
		"wait: [1s]":                "1:7: wait: must be a length of time, is a list; write it like 500ms, 20s, 5m or 1h30m",
		"port: 65536":               "1:7: port: must be a whole number from 0, is the number 65536; it is too big",
		"port: -1":                  "1:7: port: must be a whole number from 0, is the number -1; write digits",
		"count: \"7\"":              "1:8: count: must be a whole number, is the text \"7\"; write it without quotes: 7",
		"ratio: .inf":               "1:8: ratio: must be a number, is the number .inf; write digits",
		"level: wran":               "1:8: level: \"wran\" is not allowed; did you mean \"warn\"? (one of debug, info, warn)",
		"nets: [nonsense]":          "1:8: nets[0]: netip.ParsePrefix(\"nonsense\"): no '/'",
		"name:":                     "1:6: name: has no value; give it one or remove the key",
		"maybe: ~":                  "1:8: maybe: has no value; give it one or remove the key",
		"name: !!binary aGk=\nx: 1": "2:1: x: unknown key \"x\"; use one of: region, deep, name, on, count, port, ratio, wait, at, nets, maybe, rule, steps, keys, digits, matrix, ...",
		"digits: {one: x}":          "1:10: digits.one: must be a whole number, is the text \"one\"; write digits",
		"{a: 1, ? [b] : 2}":         "1:2: a: unknown key \"a\"; did you mean \"at\"? (one of region, deep, name, on, count, port, ratio, wait, at, nets, maybe, rule, steps, keys, digits, matrix, ...)",
		"? [b]\n: 2":                "1:3: a key must be a word",
		"name: *x":                  "not valid YAML: unknown anchor 'x' referenced",
		"name: &x a":                "1:7: name: anchors (&) and aliases (*) are not allowed; write the value out where it is needed",
		"steps: [[a]]":              "1:9: steps[0]: must be keys with values, is a list; write key: value",
		"just text":                 "1:1: must be keys with values, is the text \"just text\"; write key: value",
		"name: a\nname: b":          "2:1: name: key \"name\" is repeated; keep one; the first is in line 1",
		"keys: {a.b: x}":            "1:13: keys[\"a.b\"]: must be a whole number, is the text \"x\"; write digits",
	} {
		var c config
		_, problems := Decode("c.yaml", []byte(yaml), &c)
		got := problems.Error()
		if first, _, _ := strings.Cut(got, "\n"); first != "c.yaml:"+want && first != "c.yaml: "+want {
			t.Errorf("%q: got\n%s\nwant\nc.yaml:%s", yaml, first, want)
		}
	}
}

func TestNothingIsNoProblem(t *testing.T) {
	for _, yaml := range []string{"", "\n", "# only words\n", "---\n", "nets:\nkeys:\nrule:\n", "~"} {
		c := config{Count: 3, Nets: []netip.Prefix{{}}}
		if _, problems := Decode("c.yaml", []byte(yaml), &c); len(problems) > 0 || c.Count != 3 || len(c.Nets) != 1 {
			t.Errorf("%q: %v, %+v", yaml, problems, c)
		}
	}
}

func TestDecodeIntoNonsense(t *testing.T) {
	if _, problems := Decode("c.yaml", nil, config{}); len(problems) != 1 {
		t.Errorf("got %v", problems)
	}
}

func TestPositions(t *testing.T) {
	var c config
	pos, problems := Decode("c.yaml", []byte("name: a\nsteps:\n  - bare\n  - {name: b,\n     when: open}\nkeys: {\"b c\": 2, d: 3}\n"), &c)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for path, want := range map[string]string{
		"name":          "1:7 true",
		"steps[0]":      "3:5 true",
		"steps[1].when": "5:12 true",
		"steps[1].x":    "4:5 false",
		"steps[2]":      "3:3 false",
		"steps[x]":      "3:3 false",
		`keys["b c"]`:   "6:15 true",
		"keys.d":        "6:21 true",
		"nothing.here":  "1:1 false",
		"name.deeper":   "1:7 false",
		"":              "1:1 true",
		"[":             "1:1 false",
		`["`:            "1:1 false",
	} {
		at := pos.At(path)
		if got := fmt.Sprintf("%d:%d %v", at.Line, at.Column, pos.Has(path)); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if at := (&Positions{File: "x"}).At("a.b"); at != (Position{File: "x"}) {
		t.Errorf("empty: %v", at)
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	var c config
	_, problems := Decode("c.yaml", []byte(b.String()), &c)
	if len(problems) != MaxProblems+1 {
		t.Errorf("%d problems", len(problems))
	}
	if lines := strings.Split(problems.Error(), "\n"); len(lines) != printed+1 || lines[printed] != "and 901 more" {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
}

// What would cost time or memory is refused before it does.
func TestHostileFiles(t *testing.T) {
	bomb := "name: [" + strings.Repeat("&a [*a,", 8) + "]"
	for name, data := range map[string][]byte{
		"too big":          bytes.Repeat([]byte("#"), MaxSize+1),
		"too many":         []byte("matrix: [" + strings.Repeat("a,", maxValues) + "]"),
		"deep lists":       bytes.Repeat([]byte("["), 1<<20),
		"deep maps":        bytes.Repeat([]byte("{a: "), 1<<20),
		"deep blocks":      []byte(strings.Repeat("- ", 1<<18)),
		"self reference":   []byte("nested: &a {x: *a}"),
		"bomb":             []byte(bomb),
		"NUL":              []byte("name: a\x00b"),
		"not UTF-8":        []byte("name: \xff"),
		"control":          []byte("name: \x01"),
		"two documents":    []byte("name: a\n---\nname: b\n"),
		"directive":        []byte("%YAML 9.9\n---\nname: b\n"),
		"tagged as python": []byte("count: !!python/object:os.system x"),
	} {
		var c config
		if _, problems := Decode("c.yaml", data, &c); len(problems) == 0 {
			t.Errorf("%s: accepted %+v", name, c)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"timezone", "name", "ring_seconds", "id", "mon"}
	for word, want := range map[string]string{
		"time_zone": "timezone", "TimeZone": "timezone", "tiemzone": "timezone", "nmae": "name", "ringSeconds": "ring_seconds",
		"ring-seconds": "ring_seconds", "monday": "mon", "di": "id", "x": "", "": "", "colour": "",
		strings.Repeat("x", 100000): "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nsteps: [a, {name: b}]\nkeys: {a: 1}\n"))
	f.Add([]byte("nested: {a: &x {name: b}, c: *x}\n"))
	f.Add([]byte("? {a: b}\n: c\n<<: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c config
		pos, problems := Decode("f", data, &c)
		for _, p := range problems {
			if p.Message == "" || p.Line < 0 {
				t.Errorf("%+v", p)
			}
			pos.At(p.Path)
		}
	})
}
