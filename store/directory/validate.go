package directory

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Places tells where a key path stands; Document and strict.Positions do.
type Places interface {
	At(path string) strict.Position
	Has(path string) bool
}

// nowhere is for directories that come from no file.
type nowhere struct{}

func (nowhere) At(string) strict.Position { return strict.Position{} }
func (nowhere) Has(string) bool           { return false }

// Validate checks every constraint of a directory and returns all that are broken, with both sides named. places may be
// nil.
func Validate(dir store.Directory, places Places) strict.Problems {
	if places == nil {
		places = nowhere{}
	}
	v := newValidator(&dir, places)
	v.company()
	v.users()
	v.numbers()
	v.forwardingLoops()
	v.contacts()
	v.policies()
	v.workflows()
	v.features()
	v.problems.Sort()
	return v.problems
}

// validator collects problems. The maps hold the first index of each id.
type validator struct {
	dir      *store.Directory
	places   Places
	problems strict.Problems

	user     map[string]int
	number   map[string]int
	workflow map[string]int
}

func newValidator(dir *store.Directory, places Places) *validator {
	v := &validator{dir: dir, places: places, user: map[string]int{}, number: map[string]int{}, workflow: map[string]int{}}
	for i := len(dir.Users) - 1; i >= 0; i-- {
		v.user[dir.Users[i].ID] = i
	}
	for i := len(dir.Numbers) - 1; i >= 0; i-- {
		v.number[dir.Numbers[i].Number] = i
	}
	for i := len(dir.Workflows) - 1; i >= 0; i-- {
		v.workflow[dir.Workflows[i].ID] = i
	}
	return v
}

// add notes a problem at a key path; fix may be "".
func (v *validator) add(path, fix, format string, args ...any) {
	if v.full() {
		return
	}
	v.problems = append(v.problems, strict.Problem{
		Position: v.places.At(path), Path: path, Message: fmt.Sprintf(format, args...), Fix: fix,
	})
}

// full reports whether enough problems are known.
func (v *validator) full() bool { return len(v.problems) >= strict.MaxProblems }

// other names the other side of a conflict: its key path and, when known, its place.
func (v *validator) other(path string) string {
	if at := v.places.At(path).String(); at != "" {
		return fmt.Sprintf("%s (%s)", path, at)
	}
	return path
}

// normalize brings contacts' phones into E.164: they may be written as people write them, in the company's region. What
// cannot be read stays for Validate to refuse.
func (doc *Document) normalize() { Normalize(&doc.Directory) }

// Normalize brings contacts' phones into E.164, reading national forms by the company's region. It changes dir.
func Normalize(dir *store.Directory) {
	for i := range dir.Contacts {
		for j, phone := range dir.Contacts[i].Phones {
			if e164, ok := ParsePhone(phone, dir.Company.Region); ok {
				dir.Contacts[i].Phones[j] = e164
			}
		}
	}
}

// ParsePhone reads a number as people write it; national forms are those of region, "" = only international forms. A number
// is one when its length is right for its country: numbering plans open new blocks faster than programs are updated.
func ParsePhone(s, region string) (e164 string, ok bool) {
	if len(s) < 3 || len(s) > 64 {
		return "", false
	}
	if isNANP(s) {
		return s, true
	}
	number, err := phonenumbers.Parse(s, region)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

// isNANP recognises a North American number in E.164; it spares a million contacts the parser's microseconds.
func isNANP(s string) bool {
	if len(s) != 12 || s[0] != '+' || s[1] != '1' || s[2] < '2' || s[2] > '9' {
		return false
	}
	return strings.Trim(s[3:], "0123456789") == ""
}

// phone checks that a value is E.164.
func (v *validator) phone(path, s string) bool {
	e164, ok := ParsePhone(s, v.dir.Company.Region)
	switch {
	case ok && e164 == s:
		return true
	case ok:
		v.add(path, fmt.Sprintf("write %q", e164), "%q is not in E.164 form", s)
	default:
		v.add(path, `write it in E.164 form, like "+12025550100"`, "%q is not a telephone number", clip(s))
	}
	return false
}

// clip cuts a long value for a message.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:57], "") + "..."
	}
	return s
}
