package admin

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"strowger/sip"
	"strowger/store"
)

// NewUser is what `user add` sends.
type NewUser struct {
	User     store.User `json:"user"`
	Password string     `json:"password,omitempty"`
}

// Password sets a user's password for the page.
type Password struct {
	Password string `json:"password"`
}

// NewDevice is what `device add` sends.
type NewDevice struct {
	ID    string `json:"id"` // "" = USER-KIND
	User  string `json:"user"`
	Kind  string `json:"kind"`
	Label string `json:"label"`
	Realm string `json:"realm"`
	// Password, "" = a new random one.
	Password string `json:"password,omitempty"`
}

// DeviceCreated answers NewDevice; the password is shown once and kept nowhere.
type DeviceCreated struct {
	Device   store.Device `json:"device"`
	Password string       `json:"password"`
}

const minPassword = 8

func (s *service) users(*http.Request) (any, error) {
	dir, _ := s.db.Directory()
	return append([]store.User{}, dir.Users...), nil
}

func (s *service) addUser(r *http.Request) (any, error) {
	in, err := decode[NewUser](r)
	if err != nil {
		return nil, err
	}
	if in.Password != "" && len(in.Password) < minPassword {
		return nil, fmt.Errorf("the password must have at least %d characters", minPassword)
	}
	dir, version := s.db.Directory()
	dir.Users = append(append([]store.User{}, dir.Users...), in.User)
	if err := s.replaceDirectory(dir, version); err != nil {
		return nil, err
	}
	if in.Password != "" {
		if err := s.putPassword(in.User.ID, in.Password); err != nil {
			return nil, err
		}
	}
	return in.User, s.changed("cli", "user.add", in.User.ID)
}

func (s *service) user(id string) (store.User, error) {
	dir, _ := s.db.Directory()
	for _, u := range dir.Users {
		if u.ID == id {
			return u, nil
		}
	}
	return store.User{}, fmt.Errorf("there is no user %q: %w; `strowger user list` shows them", id, store.ErrNotFound)
}

func (s *service) setPassword(r *http.Request) (any, error) {
	in, err := decode[Password](r)
	if err != nil {
		return nil, err
	}
	u, err := s.user(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if len(in.Password) < minPassword {
		return nil, fmt.Errorf("the password must have at least %d characters", minPassword)
	}
	if err := s.putPassword(u.ID, in.Password); err != nil {
		return nil, err
	}
	return nil, s.changed("cli", "user.password", u.ID)
}

func (s *service) putPassword(user, password string) error {
	hash, err := argon2id.CreateHash(password, argon2id.DefaultParams)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	return s.db.PutCredential(store.Credential{User: user, Hash: hash, Changed: time.Now()})
}

func (s *service) signinLink(r *http.Request) (any, error) {
	if s.live == nil {
		return nil, errNoServer
	}
	u, err := s.user(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	url, err := s.live.SigninLink(u.ID)
	return map[string]string{"url": url}, err
}

func (s *service) devices(r *http.Request) (any, error) {
	list, err := s.db.Devices(r.URL.Query().Get("user"))
	for i := range list {
		list[i].HA1MD5, list[i].HA1SHA = "", "" // as good as passwords
	}
	return list, err
}

func (s *service) addDevice(r *http.Request) (any, error) {
	in, err := decode[NewDevice](r)
	if err != nil {
		return nil, err
	}
	if _, err := s.user(in.User); err != nil {
		return nil, err
	}
	switch in.Kind {
	case store.Desk, store.Mobile, store.Browser:
	default:
		return nil, fmt.Errorf("kind is %q; it must be desk, mobile or browser", in.Kind)
	}
	if in.ID == "" {
		in.ID = in.User + "-" + in.Kind
	}
	if strings.ContainsAny(in.ID, " \t\r\n\"<>@:;/?%") {
		return nil, fmt.Errorf("device id %q cannot be a SIP user name; use letters, digits, '-', '_' and '.'", in.ID)
	}
	if _, err := s.db.Device(in.ID); err == nil {
		return nil, fmt.Errorf("there is a device %q already; give this one another --id", in.ID)
	}
	if in.Password == "" {
		in.Password = RandomPassword()
	}
	if in.Realm == "" {
		in.Realm = s.realm()
	}
	d := store.Device{ID: in.ID, User: in.User, Kind: in.Kind, Label: in.Label, Realm: in.Realm, Created: time.Now()}
	d.HA1MD5, d.HA1SHA = sip.HA1(d.ID, d.Realm, in.Password)
	if err := s.db.PutDevice(d); err != nil {
		return nil, err
	}
	if err := s.changed("cli", "device.add", d.ID); err != nil {
		return nil, err
	}
	d.HA1MD5, d.HA1SHA = "", ""
	return DeviceCreated{Device: d, Password: in.Password}, nil
}

func (s *service) removeDevice(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if err := s.db.DeleteDevice(id); err != nil {
		return nil, err
	}
	return nil, s.changed("cli", "device.remove", id)
}

// RandomPassword is a password of 130 random bits that can be typed on a desk phone.
func RandomPassword() string { return strings.ToLower(rand.Text()) }

// SettingRealm is where a server leaves its digest realm for commands that run without it.
const SettingRealm = "sip.realm"

func (s *service) realm() string {
	if v, err := s.db.Setting(SettingRealm); err == nil && len(v) > 0 {
		return string(v)
	}
	return "strowger"
}
