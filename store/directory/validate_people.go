package directory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Bounds of ring times, in seconds.
const (
	minRing = 1
	maxRing = 600
)

var (
	idForm        = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	extensionForm = regexp.MustCompile(`^[0-9]{1,15}$`)
	roles         = []string{string(store.Owner), string(store.Admin), string(store.Agent)}
	kinds         = []string{store.Browser, store.Desk, store.Mobile, store.Phone}
)

func (v *validator) company() {
	c := &v.dir.Company
	if c.Timezone != "" {
		if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "Local" {
			v.add("company.timezone", `use a name of the IANA database, like "America/New_York"`, "there is no time zone %q", clip(c.Timezone))
		}
	}
	if c.Region != "" && !phonenumbers.GetSupportedRegions()[c.Region] {
		fix := `use two letters of ISO 3166, like "US"`
		if upper := strings.ToUpper(c.Region); phonenumbers.GetSupportedRegions()[upper] {
			fix = fmt.Sprintf("write %q", upper)
		}
		v.add("company.region", fix, "there is no region %q", clip(c.Region))
	}
	v.ringSeconds("company.ring_seconds", c.RingSeconds)
	v.windows("company.hours", c.Hours)
	for i, day := range c.Closed {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			v.add(strict.Index("company.closed", i), `write it like "2026-12-25"`, "%q is not a date", clip(day))
		}
	}
	v.recording("company.recording", &c.Recording)
	if c.TextSender != "" {
		v.phone("company.text_sender", c.TextSender)
	}
	if c.Operator != "" && !slices.ContainsFunc(v.dir.Users, func(u store.User) bool { return u.ID == c.Operator || u.Extension == c.Operator }) {
		v.add("company.operator", "write a user's id or extension", "there is no user or extension %q", clip(c.Operator))
	}
	if c.Phone != "" && v.phone("company.phone", c.Phone) {
		v.notOurs("company.phone", c.Phone)
	}
}

// notOurs refuses an outside line that is a number of ours.
func (v *validator) notOurs(path, phone string) {
	if i, ours := v.number[phone]; ours {
		v.add(path, "give an outside line, or none", "%s is a number of this system, %s", phone, v.other(numberPath(i)+".number"))
	}
}

func (v *validator) ringSeconds(path string, n int) {
	if n == 0 && !v.places.Has(path) {
		return // not set
	}
	if n < minRing || n > maxRing {
		v.add(path, "", "%d s is not between %d and %d s", n, minRing, maxRing)
	}
}

func userPath(i int) string   { return strict.Index("users", i) }
func numberPath(i int) string { return strict.Index("numbers", i) }

func (v *validator) users() {
	extensions, phones := map[string]int{}, map[string]int{}
	for i := range v.dir.Users {
		u, path := &v.dir.Users[i], userPath(i)
		v.id(path+".id", u.ID)
		if first := v.user[u.ID]; first != i && u.ID != "" {
			v.add(path+".id", "give each user an id of their own", "%q is the id of %s already", u.ID, v.other(userPath(first)+".id"))
		}
		if u.Role != "" && !slices.Contains(roles, string(u.Role)) {
			v.add(path+".role", strict.OneOf(string(u.Role), roles), "there is no role %q", clip(string(u.Role)))
		}
		if u.Email != "" && (!strings.Contains(u.Email, "@") || strings.ContainsAny(u.Email, " \t\r\n<>")) {
			v.add(path+".email", "write it like ann@example.com", "%q is not an e-mail address", clip(u.Email))
		}
		for j, kind := range u.Reach {
			if !slices.Contains(kinds, kind) {
				v.add(strict.Index(path+".reach", j), strict.OneOf(kind, kinds), "users cannot be reached by %q", clip(kind))
			}
		}
		v.ringSeconds(path+".ring_seconds", u.RingSeconds)
		v.windows(path+".hours", u.Hours)
		v.record(path+".record", u.Record)
		if u.ForwardTo != "" {
			v.forwarding(path+".forward_to", u)
		}
		if u.Extension != "" {
			v.extension(path+".extension", u, i, extensions)
		}
		if u.Phone != "" && v.phone(path+".phone", u.Phone) {
			v.notOurs(path+".phone", u.Phone)
			if first, taken := phones[u.Phone]; taken {
				v.add(path+".phone", "a phone belongs to one user", "%s is the phone of user %q already, %s", u.Phone, v.dir.Users[first].ID, v.other(userPath(first)+".phone"))
			} else {
				phones[u.Phone] = i
			}
		}
	}
}

// forwarding checks where a user's calls go instead.
func (v *validator) forwarding(path string, u *store.User) {
	if extensionForm.MatchString(u.ForwardTo) {
		i := slices.IndexFunc(v.dir.Users, func(o store.User) bool { return o.Extension == u.ForwardTo })
		switch {
		case i < 0:
			v.add(path, "name a user's extension, or a number in E.164 form", "nobody has the extension %q", u.ForwardTo)
		case v.dir.Users[i].ID == u.ID:
			v.add(path, "name somebody else's, or leave it out", "%q is the user's own extension", u.ForwardTo)
		}
		return
	}
	if v.phone(path, u.ForwardTo) {
		v.notOurs(path, u.ForwardTo)
	}
}

func (v *validator) extension(path string, u *store.User, i int, taken map[string]int) {
	if !extensionForm.MatchString(u.Extension) {
		v.add(path, `use digits only, like "201"`, "%q cannot be dialled as an extension", clip(u.Extension))
		return
	}
	if first, ok := taken[u.Extension]; ok {
		v.add(path, "give each user an extension of their own", "%q is the extension of user %q already, %s", u.Extension, v.dir.Users[first].ID, v.other(userPath(first)+".extension"))
		return
	}
	taken[u.Extension] = i
}

// id checks the form of an id that people type and that stands in addresses.
func (v *validator) id(path, id string) {
	switch {
	case id == "":
		v.add(path, "give it one", "there is no id")
	case !idForm.MatchString(id):
		v.add(path, "use letters, digits, dot, dash and underscore, at most 64", "%q cannot be an id", clip(id))
	}
}

// knownUser checks a reference to a user.
func (v *validator) knownUser(path, id string) bool {
	if _, ok := v.user[id]; ok {
		return true
	}
	fix := "name one of users"
	if len(v.dir.Users) < 1000 && !v.full() {
		ids := make([]string, len(v.dir.Users))
		for i := range ids {
			ids[i] = v.dir.Users[i].ID
		}
		if near := strict.Nearest(id, ids); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
	}
	v.add(path, fix, "there is no user %q", clip(id))
	return false
}

// maxContactID bounds a contact's id in bytes; other systems' ids are taken as they are.
const maxContactID = 128

func (v *validator) contacts() {
	ids := make(map[string]int, len(v.dir.Contacts))
	for i := range v.dir.Contacts {
		c := &v.dir.Contacts[i]
		path := func(key string) string { return strict.Index("contacts", i) + key }
		switch first, taken := ids[c.ID]; {
		case c.ID == "":
			v.add(path(".id"), "give it one", "there is no id")
		case taken:
			v.add(path(".id"), "give each contact an id of its own", "%q is the id of %s already", clip(c.ID), v.other(strict.Index("contacts", first)+".id"))
		default:
			ids[c.ID] = i
		}
		if problem := CheckContactID(c.ID); problem != "" {
			v.add(path(".id"), "", "%s", problem)
		}
		for j, phone := range c.Phones {
			v.phone(strict.Index(path(".phones"), j), phone)
		}
		if c.Owner != "" {
			v.knownUser(path(".owner"), c.Owner)
		}
	}
}

// CheckContactID says what is wrong with the form of a contact's id; "" = nothing.
func CheckContactID(id string) string {
	if len(id) > maxContactID {
		return fmt.Sprintf("the id has %d bytes, the limit is %d", len(id), maxContactID)
	}
	if strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Sprintf("the id %q holds a control character", id)
	}
	return ""
}
