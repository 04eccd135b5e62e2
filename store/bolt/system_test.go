package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

func TestSecretsStayTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	d, err := Open(path, Options{})
	check(t, err)
	got := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = d.Secret("nonce") })
	}
	wg.Wait()
	for _, s := range got {
		if len(s) != 32 || !bytes.Equal(s, got[0]) {
			t.Errorf("%x, %x", s, got[0])
		}
	}
	if other := must[[]byte](t)(d.Secret("other")); bytes.Equal(other, got[0]) {
		t.Error("two names, one secret")
	}
	check(t, d.Close())
	if s := must[[]byte](t)(openAt(t, path, Options{}).Secret("nonce")); !bytes.Equal(s, got[0]) {
		t.Error("another one after a restart")
	}
}

func TestAuditLog(t *testing.T) {
	d := openAt(t, filepath.Join(t.TempDir(), "s.db"), Options{AuditEntries: 3})
	for _, action := range []string{"a", "b", "c", "d", "e"} {
		check(t, d.Audit(store.AuditEntry{Actor: "ann", Action: action}))
	}
	show := func(before uint64, limit int) (s string) {
		for _, e := range must[[]store.AuditEntry](t)(d.AuditLog(before, limit)) {
			if e.At.IsZero() {
				t.Error("no time")
			}
			s += e.Action
		}
		return s
	}
	if got := show(0, 10) + "|" + show(0, 2) + "|" + show(4, 10) + "|" + show(3, 10); got != "edc|ed|c|" {
		t.Errorf("got %s", got)
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t)
		s := d.Sessions()
		check(t, s.Commit("one", []byte("1"), time.Now().Add(time.Minute)))
		check(t, s.Commit("two", []byte("2"), time.Now().Add(time.Hour)))
		check(t, s.Commit("one", []byte("1b"), time.Now().Add(2*time.Minute))) // extended
		time.Sleep(time.Minute + time.Second)
		if data, found, err := s.Find("one"); err != nil || !found || string(data) != "1b" {
			t.Errorf("one: %q %v %v", data, found, err)
		}
		time.Sleep(time.Minute)
		if _, found, _ := s.Find("one"); found {
			t.Error("one has expired")
		}
		check(t, s.Commit("three", nil, time.Now().Add(time.Hour))) // sweeps
		check(t, d.view(func(tx *bbolt.Tx) error {
			if n, m := tx.Bucket(bucketSessions).Stats().KeyN, tx.Bucket(bucketSessionEnds).Stats().KeyN; n != 2 || m != 2 {
				t.Errorf("%d sessions, %d ends", n, m)
			}
			if tx.Bucket(bucketSessions).Get([]byte("two")) != nil {
				t.Error("the token is stored")
			}
			return nil
		}))
		check(t, s.Delete("two"))
		check(t, s.Delete("two"))
		if _, found, _ := s.Find("two"); found {
			t.Error("two was deleted")
		}
	})
}

func TestBackupIsAStore(t *testing.T) {
	d := open(t)
	fill(t, d)
	var buf bytes.Buffer
	n, err := d.Backup(&buf)
	if err != nil || n != int64(buf.Len()) {
		t.Fatalf("%d of %d bytes: %v", n, buf.Len(), err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	check(t, os.WriteFile(path, buf.Bytes(), 0o600))
	expectSample(t, openAt(t, path, Options{}))
	if _, err := d.Backup(brokenWriter{}); err == nil {
		t.Error("a backup that cannot be written is no error")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestDevicesAndCredentials(t *testing.T) {
	d := open(t)
	for _, v := range []store.Device{{ID: "b-desk", User: "bob"}, {ID: "a-desk", User: "ann"}, {ID: "a-cell", User: "ann"}} {
		check(t, d.PutDevice(v))
	}
	if list := must[[]store.Device](t)(d.Devices("ann")); len(list) != 2 || list[0].ID != "a-cell" {
		t.Errorf("%+v", list)
	}
	if list := must[[]store.Device](t)(d.Devices("")); len(list) != 3 {
		t.Errorf("%+v", list)
	}
	check(t, d.SaveBindings([]store.Binding{{User: "ann", Device: "a-desk", Contact: "sip:1"}, {User: "ann", Device: "a-cell", Contact: "sip:2"}}, nil))
	check(t, d.DeleteDevice("a-desk"))
	if list := must[[]store.Binding](t)(d.LoadBindings()); len(list) != 1 || list[0].Device != "a-cell" {
		t.Errorf("%+v", list)
	}
	if _, err := d.Device("a-desk"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	check(t, d.PutCredential(store.Credential{User: "ann", Hash: "x"}))
	if list := must[[]store.Credential](t)(d.Credentials()); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	check(t, d.DeleteCredential("ann"))
	if _, err := d.Credential("ann"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// A phone that comes back replaces its binding: by instance and reg-id, else by contact. Many name an instance and no
// reg-id; one that comes back at another address must not leave a ghost that rings after a restart.
func TestBindingIdentity(t *testing.T) {
	d := open(t)
	first := []store.Binding{
		{User: "ann", Contact: "sip:1", Instance: "<urn:x>", RegID: 1},
		{User: "ann", Contact: "sip:1", Instance: "<urn:x>", RegID: 2},
		{User: "ann", Contact: "sip:2"},
		{User: "bob", Contact: "sip:2"},
		{User: "cyd", Contact: "sip:3", Instance: "<urn:y>"},
	}
	check(t, d.SaveBindings(first, nil))
	check(t, d.SaveBindings([]store.Binding{
		{User: "ann", Contact: "sip:9", Instance: "<urn:x>", RegID: 1, CSeq: 2},
		{User: "ann", Contact: "sip:2", CSeq: 2},
		{User: "cyd", Contact: "sip:4", Instance: "<urn:y>"},
	}, []store.Binding{first[3]}))
	got := ""
	for _, b := range must[[]store.Binding](t)(d.LoadBindings()) {
		got += b.User + " " + b.Contact + ";"
	}
	if got != "ann sip:2;ann sip:9;ann sip:1;cyd sip:4;" {
		t.Errorf("got %s", got)
	}
	check(t, d.SaveBindings(nil, nil))
}

func TestVoicemails(t *testing.T) {
	d := open(t)
	ann, line := store.Mailbox{User: "ann"}, store.Mailbox{Number: "+12025550001"}
	for i, box := range []store.Mailbox{ann, line, ann, {User: "an"}} {
		v := store.Voicemail{ID: string(rune('a' + i)), Mailbox: box, Left: at(i)}
		check(t, d.AddVoicemail(v))
		check(t, d.AddVoicemail(v))
	}
	show := func(box store.Mailbox) (s string) {
		for _, v := range must[[]store.Voicemail](t)(d.Voicemails(box)) {
			s += v.ID
		}
		return s
	}
	if got := show(ann) + "|" + show(line) + "|" + show(store.Mailbox{User: "bob"}); got != "ca|b|" {
		t.Errorf("got %s", got)
	}
	for _, step := range []struct {
		user  string
		heard bool
		by    string
	}{{"ann", true, "ann"}, {"bob", true, "ann"}, {"bob", false, ""}, {"bob", true, "bob"}} {
		v := must[store.Voicemail](t)(d.SetHeard("a", step.user, step.heard))
		if v.Heard != step.heard || v.HeardBy != step.by || v != must[store.Voicemail](t)(d.Voicemail("a")) {
			t.Errorf("%+v: %+v", step, v)
		}
	}
	if v := must[store.Voicemail](t)(d.DeleteVoicemail("c")); v.Mailbox != ann {
		t.Errorf("%+v", v)
	}
	if _, err := d.DeleteVoicemail("c"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := d.SetHeard("c", "ann", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if got := show(ann); got != "a" {
		t.Errorf("got %s", got)
	}
	if list := must[[]store.Voicemail](t)(d.AllVoicemails()); len(list) != 3 || list[0].ID != "d" || list[2].ID != "a" {
		t.Errorf("all: %+v", list)
	}
}
