package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file; lines and columns count from 1. Line 0 is the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String prints as compilers do: file:line:column.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing wrong with a file.
type Problem struct {
	Position
	Path    string // key path, e.g. users[2].phone; "" = the file as a whole
	Message string // what is wrong
	Fix     string // what would be right; "" = the message says it
}

// String is one line for people: place, key, what is wrong, what would be right.
func (p Problem) String() string {
	var b strings.Builder
	if place := p.Position.String(); place != "" {
		b.WriteString(place + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// Problems are all things wrong, in the order of the files. As an error it prints one line for each.
type Problems []Problem

// MaxProblems bounds how many problems are collected: a file of another format has one on every line.
const MaxProblems = 1000

// printed bounds how many problems Error prints.
const printed = 100

// Error implements error.
func (ps Problems) Error() string {
	lines := make([]string, 0, min(len(ps), printed)+1)
	for _, p := range ps[:min(len(ps), printed)] {
		lines = append(lines, p.String())
	}
	if more := len(ps) - printed; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Err is ps as an error, nil when there is none. (A nil Problems in an error variable would not be nil.)
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Sort orders problems by file, line and column; those of one place keep their order.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Nearest returns the word of a list that was probably meant, "" when none is close.
func Nearest(word string, words []string) string {
	best, limit := "", len(word)/4+2 // longer words may have more slips
	if len(word) < 5 {
		limit = 2
	}
	for _, w := range words {
		if len(w) >= 3 && strings.HasPrefix(word, w) || len(word) >= 3 && strings.HasPrefix(w, word) {
			return w
		}
		if strings.EqualFold(strings.ReplaceAll(w, "_", ""), strings.NewReplacer("_", "", "-", "").Replace(word)) {
			return w
		}
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < limit && d < len(w) {
			best, limit = w, d
		}
	}
	return best
}

// distance is the edit distance of two words, an exchange of neighbours counting one.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}

// named bounds how many words a remedy lists.
const named = 16

// OneOf is the remedy for a word that is not in a list.
func OneOf(word string, words []string) string {
	list := strings.Join(words, ", ")
	if len(words) > named {
		list = strings.Join(words[:named], ", ") + ", ..."
	}
	switch near := Nearest(word, words); {
	case near != "" && word != "" && len(words) > 1:
		return fmt.Sprintf("did you mean %q? (one of %s)", near, list)
	case near != "" && word != "":
		return fmt.Sprintf("did you mean %q?", near)
	case len(words) == 0:
		return "there are none"
	}
	return "use one of: " + list
}
