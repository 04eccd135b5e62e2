package strict

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Positions tells where the values of a decoded file stand.
type Positions struct {
	File string
	root *yaml.Node // nil when the file is empty or could not be parsed
}

// At is the place of the value at a key path such as users[2].phone; of what encloses it when it is not in the file.
func (p *Positions) At(path string) Position {
	n, _ := p.find(path)
	if n == nil {
		return Position{File: p.File}
	}
	return Position{File: p.File, Line: n.Line, Column: n.Column}
}

// Has reports whether the file has a value at a key path.
func (p *Positions) Has(path string) bool {
	_, found := p.find(path)
	return found
}

// find walks down a path as far as it goes.
func (p *Positions) find(path string) (n *yaml.Node, found bool) {
	n = p.root
	if n == nil {
		return nil, false
	}
	for path != "" {
		var key string
		var index int
		key, index, path = next(path)
		child := (*yaml.Node)(nil)
		switch {
		case index >= 0 && n.Kind == yaml.SequenceNode && index < len(n.Content):
			child = n.Content[index]
		case index < 0 && n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == key {
					child = n.Content[i+1]
					break
				}
			}
		}
		if child == nil {
			return n, false
		}
		n = child
	}
	return n, true
}

// next takes the first element off a path: a key, or an index (-1 for keys).
func next(path string) (key string, index int, rest string) {
	if strings.HasPrefix(path, `["`) {
		if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
			key, _ = strconv.Unquote(quoted)
			return key, -1, strings.TrimPrefix(strings.TrimPrefix(path[1+len(quoted):], "]"), ".")
		}
	}
	if strings.HasPrefix(path, "[") {
		number, rest, _ := strings.Cut(path[1:], "]")
		if i, err := strconv.Atoi(number); err == nil && i >= 0 {
			return "", i, strings.TrimPrefix(rest, ".")
		}
		return number, -1, strings.TrimPrefix(rest, ".")
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, -1, ""
	}
	return path[:end], -1, strings.TrimPrefix(path[end:], ".")
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Join is the path of a key inside path.
func Join(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(short(key)) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// Index is the path of a list's item.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
