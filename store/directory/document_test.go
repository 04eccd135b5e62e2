package directory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strowger/store"
	"strowger/store/directory/strict"
)

func TestLoadOrganisation(t *testing.T) {
	dir := load(t)
	if len(dir.Users) != 6 || len(dir.Numbers) != 12 || len(dir.Contacts) != 8 {
		t.Errorf("%+v", dir)
	}
	if steps := dir.Policies["clock"].Steps; steps[0].When != "open" || steps[3].Step != "hangup" {
		t.Errorf("%+v", steps)
	}
	if n := dir.Workflows[0].Nodes; n["on"].Continue == nil || n["leave"].Voicemail == nil || n["menu"].Menu.Keys["1"] != "sales" {
		t.Errorf("%+v", n)
	}
}

// folder writes files into a folder of their own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolderIsOneDocument(t *testing.T) {
	path := folder(t, map[string]string{
		"1-company.yaml": "company: {name: Lakeside, region: US}\nusers: [{id: ann}]\n",
		"2-more.yml":     "users: [{id: bob}]\nnumbers: [{number: \"+12025550001\", kind: company, user: bob}]\npolicies: {mine: {mode: cascade, steps: [hangup]}}\n",
		"notes.txt":      "not looked at",
		".hidden.yaml":   "neither: this",
	})
	dir, err := Load(path)
	if err != nil || len(dir.Users) != 2 || dir.Users[1].ID != "bob" || dir.Company.Name != "Lakeside" || len(dir.Policies) != 1 {
		t.Errorf("%v %+v", err, dir)
	}
}

func TestFolderNamesTheFile(t *testing.T) {
	path := folder(t, map[string]string{
		"a.yaml": "company: {name: A}\nusers: [{id: ann}, {id: bob}]\npolicies: {p: {mode: cascade, steps: [hangup]}}\n",
		"b.yaml": "company: {name: B}\nusers:\n  - {id: cyd}\n  - {id: ann}\npolicies: {p: {mode: cascade, steps: [hangup]}, q: {mode: x, steps: [hangup]}}\n",
	})
	_, err := Load(path)
	want := []string{
		"b.yaml:1:10: company: is in two files; keep one; the other is %s/a.yaml:1:10",
		`b.yaml:4:10: users[3].id: "ann" is the id of users[0].id (%s/a.yaml:2:14) already`,
		"b.yaml:5:15: policies.p: is in two files; keep one; the other is %s/a.yaml:3:15",
		`b.yaml:5:59: policies.q.mode: there is no mode "x"`,
	}
	for _, w := range want {
		if strings.Contains(w, "%s") {
			w = fmt.Sprintf(w, path)
		}
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s is not in\n%v", w, err)
		}
	}
}

func TestUnreadablePaths(t *testing.T) {
	for name, path := range map[string]string{"nothing": filepath.Join(t.TempDir(), "x.yaml"), "empty folder": t.TempDir()} {
		if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), "read directory: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that is too big is not even read.
func TestHugeFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 200<<20); err != nil { // no room is taken: it has holes
		t.Fatal(err)
	}
	_, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), "huge.yaml: the file has 200 MB, the limit is 32 MB") {
		t.Errorf("got %v", err)
	}
}

func TestContactsPhonesAreNormalised(t *testing.T) {
	dir, err := Parse("x", []byte("company: {region: US}\ncontacts: [{id: c, phones: [(202) 555-0900, +44 20 7946 0958]}]\n"))
	if err != nil || dir.Contacts[0].Phones[0] != "+12025550900" || dir.Contacts[0].Phones[1] != "+442079460958" {
		t.Errorf("%v %+v", err, dir.Contacts)
	}
}

func TestExplicitNothingIsNotAbsent(t *testing.T) {
	dir := store.Directory{Users: []store.User{{ID: "ann"}}, Numbers: []store.Number{{Number: "+12025550001", Kind: "company"}}}
	if p := Validate(dir, nil); len(p) > 0 {
		t.Errorf("absent: %v", p)
	}
	if _, err := Parse("x", []byte("users: [{id: ann, ring_seconds: 0}]\n")); err == nil {
		t.Error("ring_seconds: 0 is accepted")
	}
}

func TestOver(t *testing.T) {
	current := load(t)
	parts := func(dir store.Directory) string {
		var ids []string
		for _, u := range dir.Users {
			ids = append(ids, u.ID)
		}
		return fmt.Sprintf("%s %d/%d/%d/%d %s", strings.Join(ids, ","), len(dir.Numbers), len(dir.Contacts), len(dir.Policies), len(dir.Workflows), dir.Company.Name)
	}
	for name, tc := range map[string]struct {
		doc   string
		prune bool
		want  string
	}{
		"nothing":               {"", false, "ann,bob,cyd,dan,eve,gil 12/8/1/1 Lakeside Homes"},
		"nothing, pruned":       {"", true, "ann,bob,cyd,dan,eve,gil 12/8/1/1 Lakeside Homes"},
		"company":               {"company: {name: New}", false, "ann,bob,cyd,dan,eve,gil 12/8/1/1 New"},
		"new and changed users": {"users: [{id: zed}, {id: cyd}]", false, "ann,bob,cyd,dan,eve,gil,zed 12/8/1/1 Lakeside Homes"},
		"pruned users":          {"users: [{id: zed}, {id: cyd}]", true, "zed,cyd 12/8/1/1 Lakeside Homes"},
		"another order":         {"users: [{id: gil}, {id: eve}, {id: dan}, {id: cyd}, {id: bob}, {id: ann}]", false, "gil,eve,dan,cyd,bob,ann 12/8/1/1 Lakeside Homes"},
		"policies":              {"policies: {p: {mode: cascade, steps: [hangup]}}", false, "ann,bob,cyd,dan,eve,gil 12/8/2/1 Lakeside Homes"},
		"pruned policies":       {"policies: {}\ncontacts: []", true, "ann,bob,cyd,dan,eve,gil 12/0/0/1 Lakeside Homes"},
		"an id twice":           {"users: [{id: cyd}, {id: cyd}]", false, "ann,bob,cyd,dan,eve,gil,cyd 12/8/1/1 Lakeside Homes"},
	} {
		if got := parts(ReadFrom("doc", []byte(tc.doc)).Over(current, tc.prune).Directory); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
	if len(current.Policies) != 1 || current.Users[0].ID != "ann" {
		t.Error("the current directory was changed")
	}
}

// Applying a whole document over anything, pruned, gives the document; and twice is as once.
func TestOverIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, err := Encode(genDirectory().Draw(t, "document"))
		if err != nil {
			t.Fatal(err)
		}
		before, prune := genDirectory().Draw(t, "before"), rapid.Bool().Draw(t, "prune")
		once := ReadFrom("doc", data).Over(before, prune).Directory
		if p := Diff(once, ReadFrom("doc", data).Over(once, prune).Directory); !p.Empty() {
			t.Fatalf("twice: %s", p)
		}
		if whole := ReadFrom("doc", data).Directory; prune {
			once.Policies, whole.Policies, once.Workflows, whole.Workflows = nil, nil, nil, nil // a document without them leaves them
			if p := Diff(whole, once); !p.Empty() {
				t.Fatalf("pruned: %s", p)
			}
		}
	})
}

// Overlap found by comparing windows must be what walking through every minute of the week finds.
func TestOverlapsAsMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clockOf := rapid.Map(rapid.IntRange(0, 23*4+3), func(q int) string { return fmt.Sprintf("%02d:%02d", q/4, q%4*15) })
		window := rapid.Custom(func(t *rapid.T) store.Window {
			return store.Window{Days: rapid.SliceOfNDistinct(rapid.SampledFrom(days), 1, 3, rapid.ID[string]).Draw(t, "days"), From: clockOf.Draw(t, "from"), To: clockOf.Draw(t, "to")}
		})
		windows := rapid.SliceOfN(window, 1, 4).Draw(t, "windows")
		n := store.Number{Number: "+12025550001", Kind: "company"}
		var open [minutesPerWeek]int
		overlap := false
		for i, w := range windows {
			n.Rules = append(n.Rules, store.Rule{Name: fmt.Sprint(i), Hours: []store.Window{w}, AnotherNumber: "+12025550100"})
			for _, s := range spans(w, "", "") {
				for m := s.start; m < s.end; m++ {
					open[m%minutesPerWeek]++
					overlap = overlap || open[m%minutesPerWeek] > 1
				}
			}
		}
		var v validator
		v.places = nowhere{}
		v.ruleOverlaps(&n, "numbers[0]")
		if got := len(v.problems) > 0; got != overlap {
			t.Fatalf("got %v, want overlap %v", v.problems, overlap)
		}
	})
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/broken/*.yaml")
	for _, name := range append(files, "testdata/org.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, err := Parse("f", data)
		if err != nil {
			return
		}
		out, err := Encode(dir)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("f", out)
		if p := Diff(dir, again); err != nil || !p.Empty() {
			t.Fatalf("%v\n%s\n%s", err, p, out)
		}
	})
}

// manyContacts makes a valid directory with n contacts.
func manyContacts(n int) store.Directory {
	dir := store.Directory{Company: store.Company{Region: "US"}, Users: []store.User{{ID: "ann"}}}
	for i := range n {
		dir.Contacts = append(dir.Contacts, store.Contact{
			ID: fmt.Sprintf("c%07d", i), Name: fmt.Sprintf("Contact %d", i), Owner: "ann", Tags: []string{"buyer"},
			Phones: []string{fmt.Sprintf("+1202%07d", 2000000+i)},
		})
	}
	return dir
}

func BenchmarkDiff100k(b *testing.B) {
	before, after := manyContacts(100_000), manyContacts(100_000)
	for i := range after.Contacts {
		if i%10 == 0 {
			after.Contacts[i].Name += " Jr."
		}
	}
	for b.Loop() {
		if p := Diff(before, after); len(p.Changes) != 10_000 {
			b.Fatal(len(p.Changes))
		}
	}
}

func BenchmarkParse100k(b *testing.B) {
	data, err := Encode(manyContacts(100_000))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse("x", data); err != nil {
			b.Fatal(err)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	dir := manyContacts(3000)
	for i := range dir.Contacts {
		dir.Contacts[i].Owner = "nobody"
	}
	if n := len(Validate(dir, nil)); n != strict.MaxProblems {
		t.Errorf("%d problems", n)
	}
}

// TestEndlessFile: what tells no size is not read for ever.
func TestEndlessFile(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		return // no such device on this system
	}
	if _, err := Load("/dev/zero"); err == nil || !strings.Contains(err.Error(), "the limit is 32 MB") {
		t.Errorf("got %v", err)
	}
}
