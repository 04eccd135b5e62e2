package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/store/directory"
)

var updateGolden = flag.Bool("update-directory", false, "write the golden files of apply and lint")

// shell runs commands on a data folder of its own.
type shell struct {
	t    *testing.T
	data string
}

func newShell(t *testing.T) *shell { return &shell{t, t.TempDir()} }

// run gives a command this input and returns what it prints.
func (s *shell) run(cmd interface{ Run(*Globals) error }, input string) (string, error) {
	s.t.Helper()
	var out, messages bytes.Buffer
	err := cmd.Run(&Globals{Stdin: strings.NewReader(input), Stdout: &out, Stderr: &messages, Data: s.data, DataSet: true})
	return out.String(), err
}

func (s *shell) must(cmd interface{ Run(*Globals) error }, input string) string {
	s.t.Helper()
	out, err := s.run(cmd, input)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *shell) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *shell) contacts(phone string) (list []store.Contact) {
	s.t.Helper()
	db, err := bolt.Open(filepath.Join(s.data, "strowger.db"), bolt.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if list, err = db.ContactsByPhone(phone); err != nil {
		s.t.Fatal(err)
	}
	return list
}

const organisation = "../../store/directory/testdata/org.yaml"

func TestApplyPlansAsksAndApplies(t *testing.T) {
	s := newShell(t)
	var code exitCode
	if out, err := s.run(&applyCmd{File: organisation, DryRun: true}, ""); !errors.As(err, &code) || code != 2 || !strings.Contains(out, "28 to create") {
		t.Fatalf("dry run: %v\n%s", err, out)
	}
	if out, err := s.run(&applyCmd{File: organisation}, "no\n"); err == nil || !strings.Contains(out, "Only yes is accepted") {
		t.Fatalf("refused: %v\n%s", err, out)
	}
	s.must(&applyCmd{File: organisation}, "yes\n")
	if out := s.must(&applyCmd{File: organisation, DryRun: true}, ""); !strings.HasPrefix(out, "No changes") {
		t.Errorf("applied again: %s", out)
	}
}

func TestApplyOfAnExportChangesNothing(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	export := s.must(&exportCmd{Contacts: true}, "")
	if out := s.must(&applyCmd{File: "-", DryRun: true, Prune: true}, export); !strings.HasPrefix(out, "No changes") {
		t.Errorf("got %s", out)
	}
	if again := s.must(&exportCmd{Contacts: true}, ""); again != export {
		t.Error("a second export differs")
	}
	if short := s.must(&exportCmd{}, ""); strings.Contains(short, "contacts:") || !strings.Contains(short, "main-ivr") {
		t.Errorf("without contacts: %s", short)
	}
}

func TestApplyOfAPart(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	part := "users:\n  - {id: ann, name: Ann Ray, role: owner, extension: \"201\", phone: \"+12025550111\"}\n"
	out := s.must(&applyCmd{File: "-", Yes: true}, part)
	if !strings.Contains(out, "~ name: Ann Lee → Ann Ray") || !strings.Contains(out, "0 to create, 1 to change, 0 to remove") {
		t.Errorf("part: %s", out)
	}
	out = s.must(&applyCmd{File: "-", Yes: true, Prune: true}, "contacts:\n  - {id: c1, phones: [\"+12025550900\"]}\n")
	if !strings.Contains(out, "7 to remove") || strings.Contains(out, "user") {
		t.Errorf("prune: %s", out)
	}
}

// A failed apply leaves the store as it was, and names all that is wrong.
func TestFailedApplyChangesNothing(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	before := s.must(&exportCmd{Contacts: true}, "")
	for name, doc := range map[string]string{
		"users with contacts go": "users:\n  - {id: ann}\n",
		"broken":                 "numbers:\n  - {number: \"123\"}\nusers:\n  - {id: bob, extension: \"201\"}\n",
		"not yaml":               "users: [",
	} {
		_, err := s.run(&applyCmd{File: "-", Yes: true, Prune: true}, doc)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if after := s.must(&exportCmd{Contacts: true}, ""); after != before {
			t.Errorf("%s: the store changed", name)
		}
	}
	_, err := s.run(&applyCmd{File: "-", Yes: true}, "users:\n  - {id: bob, extension: \"201\"}\n")
	if err == nil || !strings.Contains(err.Error(), `standard input:2:26: users[1].extension: "201" is the extension of user "ann" already, users[0].extension (stored user ann)`) {
		t.Errorf("got %v", err)
	}
}

func TestImportContacts(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	sheet := "\ufeffFirst Name;Last Name;Mobile phone;Work phone;Assigned to;Tags;Shoe size\r\n" +
		"Mia;Lu;(202) 555-0921;+1 202 555 0922 | 202-555-0923;Bob Ray;hot|buyer;38\r\n" +
		"\"Doe; John\";;2025550924;;;;\r\n" +
		";;;;;;\r\n"
	file := s.file("sheet.csv", sheet)
	if out := s.must(&contactsImportCmd{File: file}, ""); !strings.Contains(out, "Imported 2 contacts: 2 new") {
		t.Errorf("got %s", out)
	}
	if out := s.must(&contactsImportCmd{File: "-"}, sheet); !strings.Contains(out, "0 new, 0 changed, 2 as they were") {
		t.Errorf("again: %s", out)
	}
	got := s.contacts("+12025550923")
	if len(got) != 1 || got[0].Name != "Mia Lu" || got[0].Owner != "bob" || strings.Join(got[0].Tags, " ") != "hot buyer" || got[0].Created.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func TestImportKeepsWhatCellsLeaveEmpty(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	s.must(&contactsImportCmd{File: "-", Map: map[string]string{"phone": "Ruf"}}, "id,Ruf,owner\nc1,+12025550999,ann\n")
	got := s.contacts("+12025550999")
	if len(got) != 1 || got[0].Name != "Dee Poe" || got[0].Owner != "ann" || got[0].Source != "Zillow" {
		t.Errorf("got %+v", got)
	}
	if old := s.contacts("+12025550900"); len(old) != 0 {
		t.Errorf("the old phone still finds %+v", old)
	}
}

func TestWrongLinesImportNothing(t *testing.T) {
	s := newShell(t)
	s.must(&applyCmd{File: organisation, Yes: true}, "")
	before := s.must(&exportCmd{Contacts: true}, "")
	file := s.file("c.csv", "id,name,phone,owner,created\n"+
		"k1,Mia,+12025550921,ann,2026-01-05\n"+
		"k2,Lou,12,zoe,yesterday\n"+
		"k1,Kim,+12025550922,,\n"+
		"k3,\"Bad \"quote,+12025550922,,\n"+
		"k4,Too,many,,,cells\n"+
		"k5,\x1b[31mred,+12025550923,,\n"+
		"k6,Nul\x00,+12025550924,,\n")
	_, err := s.run(&contactsImportCmd{File: file}, "")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`c.csv:3:8: phone: "12" is not a telephone number`,
		`c.csv:3:11: owner: there is no user with the id, name or e-mail "zoe"`,
		`c.csv:3:15: created: "yesterday" is not a time`,
		"c.csv:4:1: id: the id is that of line 2 already",
		`c.csv:5:`,
		"c.csv:6:1: has 6 cells, the heading has 5",
		`c.csv:7:4: name: holds the control character '\x1b'`,
		`c.csv:8:4: name: holds the control character '\x00'`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if after := s.must(&exportCmd{Contacts: true}, ""); after != before {
		t.Error("the store changed")
	}
	for name, sheet := range map[string]string{"no phones": "id,name\na,b\n", "empty": "", "two names": "phone,name,full name\n"} {
		if _, err := s.run(&contactsImportCmd{File: "-"}, sheet); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for rows, want := range map[string]string{
		"id,name,phone\nk1,Mia,+12025550921\nk2,\"" + strings.Repeat("Lou\n", 1<<20):                 ":3:1: a row here has more than 1 MB; is a quote missing?",
		"id,name,phone\nk1,Mia,+12025550921\nk2," + strings.Repeat("Lou", 1<<20) + ",+12025550922\n": ":3:1: a row here has more than 1 MB",
		"id,name,phone\nk2," + strings.Repeat("x", 70_000) + ",+12025550922\n":                       ":2:4: name: the text has 70000 bytes, the limit is 65536",
	} {
		if _, err := s.run(&contactsImportCmd{File: "-"}, rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", rows, err, want)
		}
	}
	if _, err := s.run(&contactsImportCmd{File: "-", Map: map[string]string{"phone": "Tel"}}, "id,name\n"); err == nil {
		t.Error("a column that is not there: accepted")
	}
}

func TestLint(t *testing.T) {
	s := newShell(t)
	out, err := s.run(&lintCmd{File: "testdata/lint.yaml", At: "2026-11-20T10:00:00-05:00"}, "")
	var code exitCode
	if !errors.As(err, &code) || code != 1 {
		t.Errorf("got %v", err)
	}
	const golden = "testdata/lint.golden"
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || out != string(want) {
		t.Errorf("%v, got\n%s\nwant\n%s", err, out, want)
	}
}

func TestLintOfWhatIsStored(t *testing.T) {
	s := newShell(t)
	good := "users:\n  - {id: ann, extension: \"201\"}\nnumbers:\n  - {number: \"+12025550001\", kind: company, ring: [ann]}\n"
	s.must(&applyCmd{File: "-", Yes: true}, good)
	if out := s.must(&lintCmd{}, ""); out != "Nothing to remark.\n" {
		t.Errorf("got %s", out)
	}
}

// What the store does for commands must also work through the socket of a running server: streams go both ways at once.
func TestImportAndExportThroughTheSocket(t *testing.T) {
	s := newShell(t)
	db, err := bolt.Open(filepath.Join(s.data, admin.StoreName), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	listener, err := net.Listen("unix", filepath.Join(s.data, admin.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: admin.Handler(db, s.data, nil)}
	ended := make(chan struct{})
	go func() { defer close(ended); server.Serve(listener) }()
	defer func() { server.Close(); <-ended }()

	s.must(&applyCmd{File: organisation, Yes: true}, "")
	const n = spoolRun + 10_000 // several runs, several batches
	var sheet strings.Builder
	sheet.WriteString("id,phone\n")
	for i := range n {
		fmt.Fprintf(&sheet, "k%05d,+1303%07d\n", (i*7919)%n, 2000000+i)
	}
	if out := s.must(&contactsImportCmd{File: "-"}, sheet.String()); !strings.Contains(out, fmt.Sprintf("%d new", n)) {
		t.Errorf("got %s", out)
	}
	export := s.must(&exportCmd{Contacts: true}, "")
	if got := strings.Count(export, "+1303"); got != n {
		t.Errorf("%d contacts are exported", got)
	}
	if out := s.must(&applyCmd{File: "-", DryRun: true, Prune: true}, export); !strings.HasPrefix(out, "No changes") {
		t.Errorf("got %s", out)
	}
}

// The document's checks know the same words as the routing: neither package imports the other.
func TestDocumentAndRoutingKnowTheSameWords(t *testing.T) {
	known := slices.Sorted(maps.Keys(routing.BuiltinPolicies()))
	if words := slices.Sorted(slices.Values(directory.BuiltinPolicies)); !slices.Equal(words, known) {
		t.Errorf("built-in policies: the document knows %v, routing %v", words, known)
	}
	for _, step := range routing.StepNames() {
		for _, when := range append(routing.WhenNames(), "") {
			policy := store.Policy{Mode: routing.Cascade, Steps: []store.PolicyStep{{Step: step, When: when}}}
			dir := store.Directory{Policies: map[string]store.Policy{"p": policy}}
			if problems := directory.Validate(dir, nil); len(problems) > 0 {
				t.Error(problems)
			}
		}
	}
	for name, policy := range routing.BuiltinPolicies() {
		if problems := directory.Validate(store.Directory{Policies: map[string]store.Policy{name: policy}}, nil); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func FuzzSheet(f *testing.F) {
	f.Add("id,name,phone,owner,created\nk1,Mia,+12025550921,ann,2026-01-05\n")
	f.Add("\ufefffirst;tel;tag\n\"a;b\";1;\n;;\nx\n")
	f.Add("phone\tphone\n\"")
	dir := store.Directory{Company: store.Company{Region: "US"}, Users: []store.User{{ID: "ann", Name: "Ann"}}}
	f.Fuzz(func(t *testing.T, text string) {
		sheet, err := newSheet(strings.NewReader(text), "f", nil, dir)
		if err != nil {
			return
		}
		read := 0
		for c := range sheet.contacts() {
			if read++; c.ID == "" {
				t.Errorf("%+v", c)
			}
		}
		if sheet.unused(); sheet.read != read {
			t.Errorf("%d contacts, %d counted", read, sheet.read)
		}
		sheet.err()
	})
}

// A password may be a sentence; the end of the line is no part of it.
func TestPasswordIsTheWholeLine(t *testing.T) {
	for _, input := range []string{"correct horse battery\n", "correct horse battery\r\n", "correct horse battery"} {
		g := &Globals{Stdin: strings.NewReader(input)}
		if got, err := g.askPassword(); err != nil || got != "correct horse battery" {
			t.Errorf("%q: got %q, %v", input, got, err)
		}
	}
}
