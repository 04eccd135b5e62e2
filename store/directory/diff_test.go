package directory

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strowger/store"
	"strowger/store/directory/strict"
)

func load(t *testing.T) store.Directory {
	t.Helper()
	dir, err := Load("testdata/org.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDiffFieldByField(t *testing.T) {
	before, after := load(t), load(t)
	after.Company.RingSeconds = 25
	after.Company.Hours = append(after.Company.Hours, store.Window{Days: []string{"sat"}, From: "10:00", To: "12:00"})
	after.Company.Closed = nil
	after.Users[2].Reach = []string{"desk"}
	after.Users[3].Hours[0].To = "18:00"
	on := true
	after.Users[2].Voicemail = &on
	after.Users[4].DND = false
	after.Users = append(after.Users, store.User{ID: "hal", Name: "Hal Fox", Extension: "207", CallWaiting: true})
	after.Numbers[7].Rules[0].Blast = []string{"bob"}
	after.Numbers[7].DefaultRule = nil
	after.Numbers = slices.Delete(after.Numbers, 0, 1)
	after.Contacts[0].Created = after.Contacts[0].Created.Local() // the same moment
	after.Contacts[1].Owner = "ann"
	after.Policies["clock"] = store.Policy{Mode: "cascade", Steps: []store.PolicyStep{{Step: "ring_group"}, {Step: "forwarding", When: "open"}}}
	after.Workflows[0].Nodes["menu"].Menu.Keys["3"] = "leave"
	delete(after.Workflows[0].Nodes, "on")
	after.Workflows[0].Nodes["end"] = store.Node{Hangup: &struct{}{}}

	golden(t, "testdata/diff.golden", Diff(before, after).String())
}

func TestDiffOfEqualIsEmpty(t *testing.T) {
	if p := Diff(load(t), load(t)); !p.Empty() {
		t.Errorf("got %s", p)
	}
}

func TestDiffSeesOrderOfUsers(t *testing.T) {
	before, after := load(t), load(t)
	after.Users[0], after.Users[1] = after.Users[1], after.Users[0]
	if got := Diff(before, after).String(); !strings.Contains(got, "~ the order of the users") {
		t.Errorf("got %s", got)
	}
}

func TestPrintIsLimited(t *testing.T) {
	var after store.Directory
	for range 30 {
		after.Contacts = append(after.Contacts, store.Contact{ID: rapid.StringMatching(`[a-z]{12}`).Example()})
	}
	var b strings.Builder
	Diff(store.Directory{}, after).Print(&b, 10)
	if !strings.Contains(b.String(), "... and 20 more of kind contact to create") || !strings.Contains(b.String(), "30 to create") {
		t.Errorf("got %s", b.String())
	}
}

// Applying an export changes nothing, whatever the directory holds.
func TestExportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := genDirectory().Draw(t, "directory")
		data, err := Encode(dir)
		if err != nil {
			t.Fatal(err)
		}
		doc := ReadFrom("export.yaml", data)
		if len(doc.form) > 0 {
			t.Fatalf("%v in\n%s", doc.form, data)
		}
		if p := Diff(dir, doc.Directory); !p.Empty() {
			t.Fatalf("%s in\n%s", p, data)
		}
		again, err := Encode(doc.Directory)
		if err != nil || string(again) != string(data) {
			t.Fatalf("%v: not stable:\n%s\n%s", err, data, again)
		}
	})
}

// genDirectory makes directories of the right form that need not hold together.
func genDirectory() *rapid.Generator[store.Directory] {
	text := rapid.OneOf(rapid.StringN(0, 12, -1), rapid.SampledFrom([]string{"on", "null", "~", "1", "2026-01-05", "- a", "a: b", "#", "'", "true", "\u2028", " x "}))
	word := rapid.Map(text, func(s string) string {
		return strings.Map(func(r rune) rune {
			if strict.CheckText(string(r)) != "" {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "?"))
	})
	words := rapid.SliceOfN(word, 0, 3)
	window := rapid.Custom(func(t *rapid.T) store.Window {
		return store.Window{Days: words.Draw(t, "days"), From: word.Draw(t, "from"), To: "24:00"}
	})
	return rapid.Custom(func(t *rapid.T) store.Directory {
		var dir store.Directory
		dir.Company = store.Company{Name: word.Draw(t, "name"), Hours: rapid.SliceOfN(window, 0, 2).Draw(t, "hours"), Closed: words.Draw(t, "closed")}
		for i := range rapid.IntRange(0, 3).Draw(t, "users") {
			u := store.User{ID: string(rune('a' + i)), Name: word.Draw(t, "name"), Reach: words.Draw(t, "reach"), DND: rapid.Bool().Draw(t, "dnd")}
			if rapid.Bool().Draw(t, "has voicemail") {
				v := rapid.Bool().Draw(t, "voicemail")
				u.Voicemail = &v
			}
			dir.Users = append(dir.Users, u)
		}
		dir.Workflows = []store.Workflow{{ID: "w", Nodes: map[string]store.Node{
			"n":                 {Menu: &store.MenuNode{Keys: map[string]string{"1": word.Draw(t, "node")}}},
			word.Draw(t, "key"): {Hangup: &struct{}{}},
		}}}
		dir.Policies = map[string]store.Policy{"p": {Mode: "cascade", Steps: []store.PolicyStep{
			{Step: word.Draw(t, "step")}, {Step: "hangup", When: word.Draw(t, "when")},
		}}}
		return dir
	})
}
