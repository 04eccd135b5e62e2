package store

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Features are what users dial besides people and numbers: codes, parking orbits, conference rooms, groups to page, and
// emergency numbers.
type Features struct {
	Codes     Codes     `yaml:"codes,omitempty" json:"codes,omitzero"`
	Orbits    []string  `yaml:"orbits,omitempty,flow" json:"orbits,omitempty"` // extensions or ranges "701-709"; none = DefaultOrbits
	Rooms     []Room    `yaml:"rooms,omitempty" json:"rooms,omitempty"`
	Pages     []Page    `yaml:"pages,omitempty" json:"pages,omitempty"`
	Pickup    []Group   `yaml:"pickup,omitempty" json:"pickup,omitempty"` // none = everybody may take everybody's calls
	Emergency Emergency `yaml:"emergency,omitempty" json:"emergency,omitzero"`
}

// CodeOff as a code means that there is none.
const CodeOff = "off"

// DefaultOrbits are the parking orbits of a directory that names none.
const DefaultOrbits = "701-709"

// Codes are the feature codes; an empty one is the default (see WithDefaults), CodeOff none.
type Codes struct {
	Echo         string `yaml:"echo,omitempty" json:"echo,omitempty"`                   // *43 echo test
	Voicemail    string `yaml:"voicemail,omitempty" json:"voicemail,omitempty"`         // *97 own mailbox
	AnyVoicemail string `yaml:"any_voicemail,omitempty" json:"any_voicemail,omitempty"` // *98 any mailbox; an extension may follow
	DNDOn        string `yaml:"dnd_on,omitempty" json:"dnd_on,omitempty"`               // *78 do not disturb
	DNDOff       string `yaml:"dnd_off,omitempty" json:"dnd_off,omitempty"`             // *79
	ForwardOn    string `yaml:"forward_on,omitempty" json:"forward_on,omitempty"`       // *72 forward all calls; the target may follow
	ForwardOff   string `yaml:"forward_off,omitempty" json:"forward_off,omitempty"`     // *73
	GroupPickup  string `yaml:"group_pickup,omitempty" json:"group_pickup,omitempty"`   // *8 take a call that rings in the group
	Pickup       string `yaml:"pickup,omitempty" json:"pickup,omitempty"`               // ** and an extension: take the call that rings there
	Redial       string `yaml:"redial,omitempty" json:"redial,omitempty"`               // *69 call the last caller
	Intercom     string `yaml:"intercom,omitempty" json:"intercom,omitempty"`           // *80 and an extension: it answers by itself
	Message      string `yaml:"message,omitempty" json:"message,omitempty"`             // *96 and an extension: leave a message there; for transfers
	// During a call, from the user's own keys:
	Transfer      string `yaml:"transfer,omitempty" json:"transfer,omitempty"`             // *2 attended
	BlindTransfer string `yaml:"blind_transfer,omitempty" json:"blind_transfer,omitempty"` // ##
	Record        string `yaml:"record,omitempty" json:"record,omitempty"`                 // *1 starts and ends a recording
}

// WithDefaults fills in the codes that are not set; those that are off become "".
func (c Codes) WithDefaults() Codes {
	set := func(code *string, standard string) {
		if *code = cmp.Or(*code, standard); *code == CodeOff {
			*code = ""
		}
	}
	set(&c.Echo, "*43")
	set(&c.Voicemail, "*97")
	set(&c.AnyVoicemail, "*98")
	set(&c.DNDOn, "*78")
	set(&c.DNDOff, "*79")
	set(&c.ForwardOn, "*72")
	set(&c.ForwardOff, "*73")
	set(&c.GroupPickup, "*8")
	set(&c.Pickup, "**")
	set(&c.Redial, "*69")
	set(&c.Intercom, "*80")
	set(&c.Message, "*96")
	set(&c.Transfer, "*2")
	set(&c.BlindTransfer, "##")
	set(&c.Record, "*1")
	return c
}

// Room is a conference room.
type Room struct {
	Extension    string `yaml:"extension" json:"extension"`
	Name         string `yaml:"name,omitempty" json:"name,omitempty"`
	PIN          string `yaml:"pin,omitempty" json:"pin,omitempty"`                     // digits; "" = users of ours enter without
	ModeratorPIN string `yaml:"moderator_pin,omitempty" json:"moderator_pin,omitempty"` // digits; "" = nobody moderates by PIN
	Max          int    `yaml:"max,omitempty" json:"max,omitempty"`                     // parties at once, 0 = 100
}

// Page is a group of phones that answer by themselves and hear whoever pages them.
type Page struct {
	Extension string   `yaml:"extension" json:"extension"`
	Name      string   `yaml:"name,omitempty" json:"name,omitempty"`
	Users     []string `yaml:"users,flow" json:"users"`
}

// Group is a set of users who may take each other's calls.
type Group struct {
	Name  string   `yaml:"name,omitempty" json:"name,omitempty"`
	Users []string `yaml:"users,flow" json:"users"`
}

// Emergency says which numbers always go out, and what the dispatcher and the console are told.
type Emergency struct {
	Numbers  []string `yaml:"numbers,omitempty,flow" json:"numbers,omitempty"` // besides those of the company's region
	Callback string   `yaml:"callback,omitempty" json:"callback,omitempty"`    // E.164 shown instead of the user's number
	Location string   `yaml:"location,omitempty" json:"location,omitempty"`    // for the console, where users have none of their own
}

// maxRange bounds how many extensions one range may name.
const maxRange = 1000

// Range lists the extensions of "701-709", or the one of "701".
func Range(s string) ([]string, error) {
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	switch {
	case err1 != nil || err2 != nil || len(from) != len(to) || len(from) > 9 || strings.ContainsAny(s, "+ "):
		return nil, fmt.Errorf("%q is neither an extension nor a range like 701-709", s)
	case last < first || last-first >= maxRange:
		return nil, fmt.Errorf("the range %q is empty, or has more than %d extensions", s, maxRange)
	}
	list := make([]string, 0, last-first+1)
	for n := first; n <= last; n++ {
		list = append(list, fmt.Sprintf("%0*d", len(from), n))
	}
	return list, nil
}
