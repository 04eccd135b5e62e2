package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"strowger/store"
	"strowger/store/directory"
	"strowger/store/directory/strict"
)

// Fields of a contact that a column can hold, with the headings under which they are found (letters and digits only).
// Several columns may hold phones or tags.
var contactFields = map[string][]string{
	"id":      {"id", "contactid", "leadid", "externalid"},
	"name":    {"name", "fullname", "contactname", "contact", "displayname"},
	"first":   {"first", "firstname", "givenname"},
	"last":    {"last", "lastname", "surname", "familyname"},
	"phone":   {"phone", "phones", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "cellphone", "homephone", "workphone", "otherphone", "number", "phone1", "phone2", "phone3", "phone4"},
	"owner":   {"owner", "agent", "assignedto", "assignedagent", "primaryagent", "user"},
	"source":  {"source", "leadsource"},
	"tags":    {"tags", "tag", "labels"},
	"created": {"created", "createdat", "createdon", "createddate", "datecreated", "dateadded"},
}

// listedErrors bounds how many wrong lines are kept and listed; the rest is counted.
const listedErrors = 100

// sheet reads contacts from CSV, one by one. Lines that are wrong are noted.
type sheet struct {
	name    string
	csv     *csv.Reader
	limit   rowLimit
	heading []string
	columns map[string][]int // field → columns
	region  string
	owners  map[string]string // id, name and e-mail, lower case → User.ID; "" = ambiguous

	read     int // contacts so far
	line     int // of the last row
	problems strict.Problems
	wrong    int // problems, also those that are not kept
	seed     maphash.Seed
	ids      []seenID
}

// seenID notes an id that a line gave, in sixteen bytes: there may be millions.
type seenID struct {
	hash uint64
	line int32
}

// newSheet reads the heading line. columns says which column (by heading) holds a field, over what is found.
func newSheet(in io.Reader, name string, columns map[string]string, dir store.Directory) (*sheet, error) {
	s := &sheet{
		name: name, limit: rowLimit{in: in}, columns: map[string][]int{}, region: dir.Company.Region,
		owners: ownersOf(dir.Users), seed: maphash.MakeSeed(),
	}
	r := bufio.NewReaderSize(&s.limit, sheetBuffer)
	if bom, err := r.Peek(3); err == nil && bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		r.Discard(3)
	}
	start, _ := r.Peek(4096)
	s.csv = csv.NewReader(r)
	s.csv.Comma = delimiter(start)
	s.csv.ReuseRecord = true
	s.csv.FieldsPerRecord = -1
	heading, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: heading line: %w", name, err)
	}
	s.heading = slices.Clone(heading)
	s.line, _ = s.csv.FieldPos(0)
	return s, s.mapColumns(columns)
}

const (
	sheetBuffer = 256 << 10
	maxRow      = 1 << 20 // bytes of a row
)

// rowLimit ends a sheet at a row that is too long: one quote too few makes a row of all that follows.
type rowLimit struct {
	in   io.Reader
	read int64
	row  int64 // where the row being read begins
}

// Read implements io.Reader.
func (l *rowLimit) Read(p []byte) (int, error) {
	if l.read-l.row > maxRow+sheetBuffer {
		return 0, fmt.Errorf("a row here has more than %d MB; is a quote missing?", maxRow>>20)
	}
	n, err := l.in.Read(p)
	l.read += int64(n)
	return n, err
}

// delimiter guesses what separates the columns: what the heading line has most of.
func delimiter(start []byte) rune {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func ownersOf(users []store.User) map[string]string {
	owners := map[string]string{}
	for _, u := range users {
		for _, word := range []string{u.Name, u.Email} {
			word = strings.ToLower(strings.TrimSpace(word))
			if other, taken := owners[word]; taken && other != u.ID {
				owners[word] = "" // two of that name
			} else if word != "" {
				owners[word] = u.ID
			}
		}
	}
	for _, u := range users { // an id is always meant as one
		owners[strings.ToLower(u.ID)] = u.ID
	}
	return owners
}

func (s *sheet) mapColumns(columns map[string]string) error {
	given := map[int]bool{}
	for _, field := range slices.Sorted(maps.Keys(columns)) {
		if _, ok := contactFields[field]; !ok {
			return fmt.Errorf("--map %s: there is no field %q; %s", field, field, strict.OneOf(field, slices.Sorted(maps.Keys(contactFields))))
		}
		i := slices.IndexFunc(s.heading, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(columns[field])) })
		if i < 0 {
			return fmt.Errorf("--map %s: %s has no column %q; its columns are: %s", field, s.name, columns[field], strings.Join(s.heading, ", "))
		}
		s.columns[field], given[i] = []int{i}, true
	}
	for i, heading := range s.heading {
		word := plainWord(heading)
		for field, words := range contactFields {
			if _, mapped := columns[field]; mapped || given[i] || !slices.Contains(words, word) {
				continue
			}
			if len(s.columns[field]) > 0 && field != "phone" && field != "tags" {
				return fmt.Errorf("%s: the columns %q and %q both look like the field %s; say which with --map %s=COLUMN",
					s.name, s.heading[s.columns[field][0]], heading, field, field)
			}
			s.columns[field] = append(s.columns[field], i)
		}
	}
	if len(s.columns["phone"]) == 0 {
		return fmt.Errorf("%s has no column of phones; name it with --map phone=COLUMN (its columns are: %s)", s.name, strings.Join(s.heading, ", "))
	}
	return nil
}

// plainWord is a heading in small letters and digits only.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// unused lists the headings of columns that hold no field.
func (s *sheet) unused() []string {
	var list []string
	for i, heading := range s.heading {
		used := false
		for _, columns := range s.columns {
			used = used || slices.Contains(columns, i)
		}
		if !used && strings.TrimSpace(heading) != "" {
			list = append(list, heading)
		}
	}
	return list
}

// contacts reads all lines. Lines that are wrong are not among them; err tells of them afterwards.
func (s *sheet) contacts() iter.Seq[store.Contact] {
	return func(yield func(store.Contact) bool) {
		for {
			s.limit.row = s.csv.InputOffset()
			record, err := s.csv.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				s.problem(parse.Line, parse.Column, "", parse.Err.Error())
				continue
			}
			if err != nil {
				s.problem(s.line+1, 0, "", err.Error())
				return
			}
			s.line, _ = s.csv.FieldPos(0)
			c, ok := s.contact(record)
			if !ok {
				continue
			}
			s.read++
			if !yield(c) {
				return
			}
		}
	}
}

// contact understands a line; false when it is wrong or empty.
func (s *sheet) contact(record []string) (store.Contact, bool) {
	before := s.wrong
	line, _ := s.csv.FieldPos(0)
	if len(record) > len(s.heading) {
		s.problem(line, 0, "", fmt.Sprintf("has %d cells, the heading has %d", len(record), len(s.heading)))
		return store.Contact{}, false
	}
	for i := range record {
		if problem := strict.CheckText(record[i]); problem != "" {
			s.cellProblem(i, problem)
		}
	}
	c := store.Contact{
		ID: s.cell(record, "id"), Name: s.cell(record, "name"), Source: s.cell(record, "source"),
		Owner: s.owner(record), Created: s.created(record),
	}
	if c.Name == "" {
		c.Name = strings.TrimSpace(s.cell(record, "first") + " " + s.cell(record, "last"))
	}
	s.each(record, "phone", func(i int, word string) {
		e164, ok := directory.ParsePhone(word, s.region)
		if !ok {
			s.cellProblem(i, fmt.Sprintf("%q is not a telephone number", word))
		} else if !slices.Contains(c.Phones, e164) {
			c.Phones = append(c.Phones, e164)
		}
	})
	s.each(record, "tags", func(_ int, word string) { c.Tags = append(c.Tags, word) })
	switch {
	case s.wrong > before:
		return c, false
	case c.ID != "":
		if problem := directory.CheckContactID(c.ID); problem != "" {
			s.cellProblem(s.columns["id"][0], problem)
		}
		s.ids = append(s.ids, seenID{maphash.String(s.seed, c.ID), int32(line)})
	case c.Name == "" && len(c.Phones) == 0:
		if strings.Join(record, "") != "" {
			s.problem(line, 0, "", "has neither id, name nor phone")
		}
		return c, false
	default:
		c.ID = madeID(c)
	}
	return c, s.wrong == before
}

// madeID is the id of a contact that has none: the same for the same phone and name, so that a second import adds nothing.
func madeID(c store.Contact) string {
	first := ""
	if len(c.Phones) > 0 {
		first = c.Phones[0]
	}
	sum := sha256.Sum256([]byte(first + "\n" + strings.ToLower(c.Name)))
	return "c-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// cell is a field's text, "" when there is no such column.
func (s *sheet) cell(record []string, field string) string {
	for _, i := range s.columns[field] {
		if i < len(record) {
			return strings.Clone(strings.TrimSpace(record[i])) // the record's memory is used again
		}
	}
	return ""
}

// each calls fn for every word of a field's cells.
func (s *sheet) each(record []string, field string, fn func(column int, word string)) {
	for _, i := range s.columns[field] {
		if i >= len(record) {
			continue
		}
		for word := range strings.FieldsFuncSeq(record[i], func(r rune) bool { return r == ';' || r == '|' || r == '\n' }) {
			if word = strings.TrimSpace(word); word != "" {
				fn(i, strings.Clone(word))
			}
		}
	}
}

func (s *sheet) owner(record []string) string {
	word := s.cell(record, "owner")
	if word == "" {
		return ""
	}
	id, ok := s.owners[strings.ToLower(word)]
	switch {
	case !ok:
		s.cellProblem(s.columns["owner"][0], fmt.Sprintf("there is no user with the id, name or e-mail %q", word))
	case id == "":
		s.cellProblem(s.columns["owner"][0], fmt.Sprintf("two users are called %q; give the id", word))
	}
	return id
}

func (s *sheet) created(record []string) time.Time {
	word := s.cell(record, "created")
	if word == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, word); err == nil {
			return t.UTC()
		}
	}
	s.cellProblem(s.columns["created"][0], fmt.Sprintf("%q is not a time; write it like 2026-01-05 or 2026-01-05T10:00:00Z", word))
	return time.Time{}
}

func (s *sheet) cellProblem(column int, message string) {
	line, col := s.csv.FieldPos(column)
	s.problem(line, col, s.heading[column], message)
}

func (s *sheet) problem(line, column int, heading, message string) {
	s.wrong++
	if len(s.problems) < listedErrors {
		s.problems = append(s.problems, strict.Problem{
			Position: strict.Position{File: s.name, Line: line, Column: max(column, 1)}, Path: heading, Message: message,
		})
	}
}

// err is everything that was wrong, by line.
func (s *sheet) err() error {
	s.repeatedIDs()
	if s.wrong == 0 {
		return nil
	}
	s.problems.Sort()
	more := ""
	if n := s.wrong - len(s.problems); n > 0 {
		more = fmt.Sprintf("\nand %d more", n)
	}
	return fmt.Errorf("nothing was imported:\n%w%s", s.problems, more)
}

// repeatedIDs finds ids that two lines give. It sorts what is known of them, which needs no memory.
func (s *sheet) repeatedIDs() {
	slices.SortFunc(s.ids, func(a, b seenID) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.line, b.line)) })
	for i := 1; i < len(s.ids); i++ {
		if s.ids[i].hash == s.ids[i-1].hash {
			s.problem(int(s.ids[i].line), 1, s.heading[s.columns["id"][0]], fmt.Sprintf("the id is that of line %d already", s.ids[i-1].line))
		}
	}
	s.ids = nil
}
