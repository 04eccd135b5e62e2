package directory

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Bounds of features.
const (
	maxRoom  = 100
	maxPages = 100 // phones that one page reaches
)

var (
	codeForm   = regexp.MustCompile(`^[*#][0-9*#]{1,7}$`)
	inCallForm = regexp.MustCompile(`^[*#][0-9*#]{1,3}$`)
	pinForm    = regexp.MustCompile(`^[0-9]{3,12}$`)
	dialForm   = regexp.MustCompile(`^[0-9]{2,6}$`)
)

func (v *validator) features() {
	f := &v.dir.Features
	v.codes(f.Codes)
	taken := map[string]string{} // extension → whose it is
	for i := range v.dir.Users {
		if ext := v.dir.Users[i].Extension; ext != "" {
			taken[ext] = "user " + v.dir.Users[i].ID
		}
	}
	extension := func(path, ext, whose string) {
		if !extensionForm.MatchString(ext) {
			v.add(path, `use digits only, like "801"`, "%q cannot be dialled as an extension", clip(ext))
		} else if other, is := taken[ext]; is {
			v.add(path, "give it an extension of its own", "%q is the extension of %s already", ext, other)
		} else {
			taken[ext] = whose
		}
	}
	for i, orbits := range f.Orbits {
		path := strict.Index("features.orbits", i)
		list, err := store.Range(orbits)
		if err != nil {
			v.add(path, `write "701", or "701-709"`, "%v", err)
		}
		for _, ext := range list {
			extension(path, ext, "the orbits "+orbits)
		}
	}
	if len(f.Orbits) == 0 {
		list, _ := store.Range(store.DefaultOrbits)
		for _, ext := range list {
			if taken[ext] == "" { // a user who has it keeps it, and there is one orbit less
				taken[ext] = "the standard orbits " + store.DefaultOrbits
			}
		}
	}
	for i := range f.Rooms {
		r, path := &f.Rooms[i], strict.Index("features.rooms", i)
		extension(path+".extension", r.Extension, "room "+r.Extension)
		v.room(r, path)
	}
	for i := range f.Pages {
		p, path := &f.Pages[i], strict.Index("features.pages", i)
		extension(path+".extension", p.Extension, "page "+p.Extension)
		if len(p.Users) == 0 || len(p.Users) > maxPages {
			v.add(path+".users", "name 1 to 100 users", "%d users cannot be paged at once", len(p.Users))
		}
		v.knownUsers(path+".users", p.Users)
	}
	for i := range f.Pickup {
		v.knownUsers(strict.Index("features.pickup", i)+".users", f.Pickup[i].Users)
	}
	v.emergency(&f.Emergency)
}

func (v *validator) knownUsers(path string, ids []string) {
	for i, id := range ids {
		v.knownUser(strict.Index(path, i), id)
	}
}

func (v *validator) room(r *store.Room, path string) {
	for _, pin := range []struct{ key, value string }{{".pin", r.PIN}, {".moderator_pin", r.ModeratorPIN}} {
		if pin.value != "" && !pinForm.MatchString(pin.value) {
			v.add(path+pin.key, `use 3 to 12 digits, in quotes, like "4711"`, "this cannot be a PIN")
		}
	}
	if r.PIN != "" && r.PIN == r.ModeratorPIN {
		v.add(path+".moderator_pin", "choose another one", "it is the PIN of everybody")
	}
	if r.Max < 0 || r.Max > maxRoom {
		v.add(path+".max", "", "%d parties are not between 1 and %d", r.Max, maxRoom)
	}
}

func (v *validator) emergency(e *store.Emergency) {
	for i, number := range e.Numbers {
		if !dialForm.MatchString(number) {
			v.add(strict.Index("features.emergency.numbers", i), `write it as it is dialled, like "112"`, "%q is not an emergency number", clip(number))
		}
	}
	if e.Callback != "" {
		v.phone("features.emergency.callback", e.Callback)
	}
}

// codes checks that no code is another one's too. Those that are dialled and those within a call are two kinds.
func (v *validator) codes(codes store.Codes) {
	inCall := []string{"transfer", "blind_transfer", "record"}
	var written []writtenField
	full := codes.WithDefaults()
	for f := range reflect.TypeFor[store.Codes]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		written = append(written, writtenField{name, reflect.ValueOf(full).FieldByIndex(f.Index)})
	}
	for i, f := range written {
		code, path := f.value.String(), "features.codes."+f.name
		during := slices.Contains(inCall, f.name)
		switch {
		case code == "":
		case during && !inCallForm.MatchString(code):
			v.add(path, `use * or # and one to three keys, like "*2", or "off"`, "%q cannot be a code within a call", clip(code))
		case !during && !codeForm.MatchString(code):
			v.add(path, `use * or # and one to seven keys, like "*43", or "off"`, "%q cannot be a feature code", clip(code))
		}
		for _, other := range written[:i] {
			if o := other.value.String(); code != "" && slices.Contains(inCall, other.name) == during && clash(o, code, during) {
				v.add(path, `choose another one, or "off"`, "%q is in the way of %s, which is %q", code, other.name, o)
			}
		}
	}
}

// clash: within a call keys are acted upon as soon as they make a code, so none may begin with another.
func clash(a, b string, during bool) bool {
	if a == "" || !during {
		return a != "" && a == b
	}
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}
