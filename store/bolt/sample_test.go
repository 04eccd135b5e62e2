package bolt

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"strowger/store"
)

var sample = flag.Bool("sample", false, "write testdata/vN.db for the newest layout; once for each")

func organisation() store.Directory {
	return store.Directory{
		Company:  store.Company{Name: "Lakeside Homes", Region: "US", Hours: []store.Window{{Days: []string{"mon"}, From: "09:00", To: "17:00"}}},
		Users:    []store.User{{ID: "ann", Name: "Ann Lee"}, {ID: "bob", Name: "Bob Ray"}},
		Numbers:  []store.Number{{Number: "+12025550001", Kind: store.CompanyNumber, Ring: []string{"ann", "bob"}}},
		Contacts: []store.Contact{{ID: "c1", Name: "Dee Poe", Phones: []string{"+12025550900", "+12025550901"}, Owner: "bob", Created: at(0)}},
		Policies: map[string]store.Policy{"mine": {Mode: "cascade", Steps: []store.PolicyStep{{Step: "ring_group", When: "open"}}}},
		Workflows: []store.Workflow{{ID: "w", Start: "a", Nodes: map[string]store.Node{
			"a": {Menu: &store.MenuNode{Prompt: "Press 1", Keys: map[string]string{"1": "b"}}}, "b": {Hangup: &struct{}{}},
		}}},
	}
}

// fill stores one of everything.
func fill(t *testing.T, d *DB) {
	_, err := d.Apply(organisation())
	check(t, err)
	check(t, d.PutDevice(store.Device{ID: "ann-desk", User: "ann", Kind: store.Desk, HA1SHA: "abc", Created: at(1)}))
	check(t, d.PutCredential(store.Credential{User: "ann", Hash: "$argon2id$x", Changed: at(1)}))
	check(t, d.SaveBindings([]store.Binding{{User: "ann", Device: "ann-desk", Contact: "sip:ann@192.0.2.1", Expires: at(9)}}, nil))
	check(t, d.OpenCall(store.CallRecord{ID: "open", Start: at(2)}))
	check(t, d.CloseCall(store.CallRecord{ID: "closed", Start: at(1), End: at(2), Disposition: store.Missed, Unclaimed: true, Participants: []string{"ann"}}))
	check(t, d.AddVoicemail(store.Voicemail{ID: "vm", Mailbox: store.Mailbox{User: "ann"}, Left: at(2), Seconds: 3.5, File: "voicemail/vm.wav"}))
	check(t, d.Sessions().Commit("token", []byte("data"), time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC)))
	check(t, d.PutSetting("key", []byte("value")))
	check(t, d.Audit(store.AuditEntry{At: at(3), Actor: "ann", Action: "apply"}))
}

// expectSample checks that everything of fill is there.
func expectSample(t *testing.T, d *DB) {
	t.Helper()
	want := organisation()
	got, version := d.Directory()
	contacts := must[[]store.Contact](t)(d.ContactsByPhone("+12025550901"))
	got.Contacts = contacts
	if diff := cmp.Diff(want, got); diff != "" || version == "" {
		t.Errorf("directory, version %q: %s", version, diff)
	}
	if v := must[store.Device](t)(d.Device("ann-desk")); v.HA1SHA != "abc" || !v.Created.Equal(at(1)) {
		t.Errorf("device %+v", v)
	}
	if v := must[store.Credential](t)(d.Credential("ann")); v.Hash != "$argon2id$x" {
		t.Errorf("credential %+v", v)
	}
	if v := must[[]store.Binding](t)(d.LoadBindings()); len(v) != 1 || v[0].Contact != "sip:ann@192.0.2.1" {
		t.Errorf("bindings %+v", v)
	}
	if v := must[[]store.CallRecord](t)(d.Calls(store.CallFilter{User: "ann", Unclaimed: true})); len(v) != 1 || v[0].ID != "closed" {
		t.Errorf("calls %+v", v)
	}
	if v := must[[]store.CallRecord](t)(d.RecoverInterrupted()); len(v) != 1 || v[0].ID != "open" || v[0].Disposition != store.Interrupted {
		t.Errorf("interrupted %+v", v)
	}
	if v := must[[]store.Voicemail](t)(d.Voicemails(store.Mailbox{User: "ann"})); len(v) != 1 || v[0].Seconds != 3.5 {
		t.Errorf("voicemails %+v", v)
	}
	if v, found, err := d.Sessions().Find("token"); err != nil || !found || string(v) != "data" {
		t.Errorf("session %q %v %v", v, found, err)
	}
	if v := must[[]byte](t)(d.Setting("key")); string(v) != "value" {
		t.Errorf("setting %q", v)
	}
	if v := must[[]store.AuditEntry](t)(d.AuditLog(0, 10)); len(v) != 1 || v[0].Actor != "ann" {
		t.Errorf("audit %+v", v)
	}
}

func TestEverythingIsThereAfterReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strowger.db")
	d, err := Open(path, Options{})
	check(t, err)
	fill(t, d)
	check(t, d.Close())
	if *sample {
		data := must[[]byte](t)(os.ReadFile(path))
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(filepath.Join("testdata", "v"+strconv.Itoa(len(migrations))+".db"), data, 0o644))
	}
	expectSample(t, openAt(t, path, Options{}))
}
