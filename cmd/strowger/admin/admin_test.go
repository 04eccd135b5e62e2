package admin

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"strowger/sip"
	"strowger/store"
	"strowger/store/bolt"
)

// client opens a new store with one user.
func client(t *testing.T) (*Client, string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := Make(data); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Send(http.MethodPost, "/users", NewUser{User: store.User{ID: "ann", Name: "Ann Lee", Role: store.Owner, Extension: "201"}}, nil); err != nil {
		t.Fatal(err)
	}
	return c, data
}

func TestDialMakesNoStore(t *testing.T) {
	if _, err := Dial(t.TempDir()); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("got %v", err)
	}
}

func TestUsers(t *testing.T) {
	c, _ := client(t)
	err := c.Send(http.MethodPost, "/users", NewUser{User: store.User{ID: "bob", Name: "Bob", Extension: "201"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "201") {
		t.Errorf("an extension was given twice: %v", err)
	}
	if err := c.Send(http.MethodPut, "/users/ann/password", Password{"short"}, nil); err == nil {
		t.Error("a short password was taken")
	}
	if err := c.Send(http.MethodPut, "/users/ann/password", Password{"long enough"}, nil); err != nil {
		t.Error(err)
	}
	if err := c.Send(http.MethodPut, "/users/zed/password", Password{"long enough"}, nil); err == nil || !strings.Contains(err.Error(), "user list") {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestDevices(t *testing.T) {
	c, data := client(t)
	var made DeviceCreated
	if err := c.Send(http.MethodPost, "/devices", NewDevice{User: "ann", Kind: store.Desk}, &made); err != nil {
		t.Fatal(err)
	}
	if made.Device.ID != "ann-desk" || len(made.Password) < 20 || made.Device.HA1MD5 != "" {
		t.Errorf("%+v", made)
	}
	for _, bad := range []NewDevice{{User: "ann", Kind: store.Desk}, {User: "ann", Kind: "fax"}, {User: "zed", Kind: store.Desk}, {User: "ann", Kind: store.Desk, ID: "a b"}} {
		if err := c.Send(http.MethodPost, "/devices", bad, nil); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	body, err := c.Open(context.Background(), http.MethodGet, "/devices", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := io.ReadAll(body)
	md5, sha := sip.HA1("ann-desk", "strowger", made.Password)
	if s := string(list); !strings.Contains(s, "ann-desk") || strings.Contains(s, md5) || strings.Contains(s, sha) {
		t.Errorf("the list holds what is as good as a password, or no device: %s", s)
	}
	c.Close()
	db, err := bolt.Open(filepath.Join(data, StoreName), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if d, err := db.Device("ann-desk"); err != nil || d.HA1MD5 != md5 || d.HA1SHA != sha {
		t.Errorf("the stored hashes are not the password's: %v", err)
	}
}

func TestWithoutAServer(t *testing.T) {
	c, _ := client(t)
	for _, path := range []string{"/status", "/trunks"} {
		if err := c.Get(path, nil, nil); err == nil || !strings.Contains(err.Error(), "no server runs") {
			t.Errorf("%s: %v", path, err)
		}
	}
	var calls []store.CallRecord
	if err := c.Get("/calls", url.Values{"limit": {"5"}}, &calls); err != nil || len(calls) != 0 {
		t.Errorf("%v %v", calls, err)
	}
	if err := c.Get("/calls", url.Values{"since": {"yesterday"}}, nil); err == nil || !strings.Contains(err.Error(), "since") {
		t.Errorf("got %v", err)
	}
	if err := c.Get("/calls/none", nil, nil); err == nil {
		t.Error("a call that is not there was found")
	}
	var dir Directory
	if err := c.Get("/directory", nil, &dir); err != nil || len(dir.Directory.Users) != 1 {
		t.Errorf("%+v %v", dir, err)
	}
	body, err := c.Open(context.Background(), http.MethodGet, "/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if n, err := io.Copy(io.Discard, body); err != nil || n < 4096 {
		t.Errorf("backup of %d bytes: %v", n, err)
	}
}
