// Package directory reads and writes the administrator's document: the organisation as one YAML file, or as a folder of
// files that are read as one. It refuses what does not hold together, all of it at once, with place and remedy, and computes
// what a new document would change.
package directory

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Document is a directory with the places of its parts. It may be partial: see Over.
type Document struct {
	store.Directory
	form   strict.Problems // what could not be read
	twice  strict.Problems // what is in two files
	files  []*strict.Positions
	places map[string][]place // list section → where each item comes from
	maps   map[string]int     // "company", "policies.NAME" → index into files
}

// place of a list item: the file, and its index there. file -1: it is not from a file.
type place struct{ file, index int }

// Load reads and checks a file, or a folder's *.yaml and *.yml files as one document. The error holds everything that is
// wrong (strict.Problems).
func Load(path string) (store.Directory, error) {
	doc, err := Read(path)
	if err != nil {
		return store.Directory{}, err
	}
	return doc.Directory, doc.Validate().Err()
}

// Parse reads and checks a document in memory; name is for messages.
func Parse(name string, data []byte) (store.Directory, error) {
	doc := ReadFrom(name, data)
	return doc.Directory, doc.Validate().Err()
}

// Read reads like Load and leaves all checks to Validate: for documents that change parts of a directory, see Over.
func Read(path string) (*Document, error) {
	names, err := filesOf(path)
	if err != nil {
		return nil, err
	}
	doc := newDocument()
	for _, name := range names {
		data, problem, err := readFile(name)
		switch {
		case err != nil:
			return nil, err
		case problem != nil:
			doc.form = append(doc.form, *problem)
		default:
			doc.add(name, data)
		}
	}
	doc.normalize()
	return doc, nil
}

// ReadFrom is Read for a document in memory.
func ReadFrom(name string, data []byte) *Document {
	doc := newDocument()
	doc.add(name, data)
	doc.normalize()
	return doc
}

// Validate checks that the document is well formed and holds together. Where its form is wrong, the rest is checked all the
// same, so that everything wrong is known at once; what is only wrong because of a part that could not be read is left out.
func (doc *Document) Validate() strict.Problems {
	for _, p := range doc.form {
		if !strings.ContainsAny(p.Path, ".[") { // a whole section or file is missing: everything would dangle
			return doc.form
		}
	}
	problems := append(slices.Clone(doc.form), doc.twice...)
	for _, p := range Validate(doc.Directory, doc) {
		unread := slices.ContainsFunc(doc.form, func(f strict.Problem) bool {
			return f.File == p.File && (strings.HasPrefix(f.Path, p.Path) || strings.HasPrefix(p.Path, f.Path))
		})
		if !unread {
			problems = append(problems, p)
		}
	}
	problems.Sort()
	return problems
}

// readFile reads a file unless it is too big.
func readFile(name string) ([]byte, *strict.Problem, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read directory: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read directory: %w", err)
	}
	if info.Size() > strict.MaxSize {
		problem := strict.TooBig(name, info.Size())
		return nil, &problem, nil
	}
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxSize+1)) // a pipe or a device has no size; Decode refuses what is too big
	if err != nil {
		return nil, nil, fmt.Errorf("read directory: %w", err)
	}
	return data, nil, nil
}

// filesOf lists the files of a document in the order in which they are read.
func filesOf(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read directory: there is no file or folder %s", path)
		}
		return nil, fmt.Errorf("read directory: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("read directory: the folder %s has no .yaml files", path)
	}
	slices.Sort(names)
	return names, nil
}

func newDocument() *Document { return &Document{places: map[string][]place{}, maps: map[string]int{}} }

// add decodes one more file into the document.
func (doc *Document) add(name string, data []byte) {
	var dir store.Directory
	pos, problems := strict.Decode(name, data, &dir)
	file := len(doc.files)
	doc.files = append(doc.files, pos)
	twice := func(key string, first int) {
		doc.twice = append(doc.twice, strict.Problem{
			Position: pos.At(key), Path: key, Message: "is in two files",
			Fix: fmt.Sprintf("keep one; the other is %s", doc.files[first].At(key)),
		})
	}
	if pos.Has("company") {
		if first, ok := doc.maps["company"]; ok {
			twice("company", first)
		}
		doc.maps["company"] = file
		doc.Company = dir.Company
	}
	if pos.Has(sectionFeatures) {
		if first, ok := doc.maps[sectionFeatures]; ok {
			twice(sectionFeatures, first)
		}
		doc.maps[sectionFeatures] = file
		doc.Features = dir.Features
	}
	for name, policy := range dir.Policies {
		key := strict.Join("policies", name)
		if first, ok := doc.maps[key]; ok {
			twice(key, first)
		}
		doc.maps[key] = file
		if doc.Policies == nil {
			doc.Policies = map[string]store.Policy{}
		}
		doc.Policies[name] = policy
	}
	doc.Users = joinSection(doc, "users", file, doc.Users, dir.Users)
	doc.Numbers = joinSection(doc, "numbers", file, doc.Numbers, dir.Numbers)
	doc.Contacts = joinSection(doc, "contacts", file, doc.Contacts, dir.Contacts)
	doc.Workflows = joinSection(doc, "workflows", file, doc.Workflows, dir.Workflows)
	doc.form = append(doc.form, problems...)
}

func joinSection[T any](doc *Document, section string, file int, have, more []T) []T {
	for i := range more {
		doc.places[section] = append(doc.places[section], place{file, i})
	}
	return append(have, more...)
}

// resolve finds the file that holds a key path of the document, and the path there.
func (doc *Document) resolve(path string) (*strict.Positions, string) {
	section, index, rest := splitPath(path)
	if index >= 0 && index < len(doc.places[section]) {
		p := doc.places[section][index]
		if p.file < 0 {
			return nil, ""
		}
		return doc.files[p.file], strict.Index(section, p.index) + rest
	}
	best := ""
	for key := range doc.maps {
		if len(key) > len(best) && (path == key || strings.HasPrefix(path, key) && strings.ContainsAny(path[len(key):len(key)+1], ".[")) {
			best = key
		}
	}
	if best != "" {
		return doc.files[doc.maps[best]], path
	}
	if len(doc.files) == 1 {
		return doc.files[0], path
	}
	return nil, ""
}

// splitPath splits users[2].phone into users, 2 and .phone; index is -1 for other paths.
func splitPath(path string) (section string, index int, rest string) {
	open, end := strings.IndexByte(path, '['), strings.IndexByte(path, ']')
	if open <= 0 || end < open || strings.IndexByte(path[:open], '.') >= 0 {
		return path, -1, ""
	}
	n := 0
	for _, c := range path[open+1 : end] {
		if c < '0' || c > '9' {
			return path, -1, ""
		}
		n = n*10 + int(c-'0')
	}
	return path[:open], n, path[end+1:]
}

// At is the place of a key path; without line when it is in no file.
func (doc *Document) At(path string) strict.Position {
	pos, inFile := doc.resolve(path)
	if pos == nil {
		return strict.Position{File: doc.stored(path)}
	}
	return pos.At(inFile)
}

// stored names an object that is in no file: it was there before.
func (doc *Document) stored(path string) string {
	section, i, _ := splitPath(path)
	switch {
	case section == sectionUsers && i >= 0 && i < len(doc.Users):
		return "stored user " + doc.Users[i].ID
	case section == sectionNumbers && i >= 0 && i < len(doc.Numbers):
		return "stored number " + doc.Numbers[i].Number
	case section == sectionContacts && i >= 0 && i < len(doc.Contacts):
		return "stored contact " + doc.Contacts[i].ID
	case section == sectionWorkflows && i >= 0 && i < len(doc.Workflows):
		return "stored workflow " + doc.Workflows[i].ID
	}
	return "stored directory"
}

// Has reports whether a file of the document has a value at a key path.
func (doc *Document) Has(path string) bool {
	pos, path := doc.resolve(path)
	return pos != nil && pos.Has(path)
}
