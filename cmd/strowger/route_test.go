package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"strowger/routing"
)

const routeTestOrg = "../../routing/testdata/org.yaml"

// route runs a route command line and returns what it prints.
func route(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	return routeIn(t, filepath.Join(t.TempDir(), "none"), stdin, args...)
}

// routeIn is route on a data folder.
func routeIn(t *testing.T, data, stdin string, args ...string) (string, error) {
	t.Helper()
	var c struct {
		Route RouteCmd `cmd:""`
	}
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("kong exits") }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := parser.Parse(append([]string{"route"}, args...))
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = ctx.Run(&Globals{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &out, Data: data})
	return out.String(), err
}

func TestRouteExplain(t *testing.T) {
	args := []string{"explain", "--org", routeTestOrg, "--to", "+12025550033", "--from", "2025550999", "--at", "2026-11-21T12:00:00-05:00",
		"--registered", "bob=desk+mobile", "--registered", "cyd=desk", "--busy", "cyd", "--active", "2025550001=3"}
	got, err := route(t, "", args...)
	if err != nil {
		t.Fatal(err)
	}
	want := `2025550999 calls +12025550033 on Sat 2026-11-21 12:00 EST
  the caller is unknown
policy closemaster
├─   workflow       skipped: the number has no workflow (no_workflow)
├─   number_user    skipped: the number has no user (no_user)
├─   contact_owner  skipped: no contact of the caller has an owner (no_owner)
├─   ring_group     skipped: the number rings no group (no_ring_group)
├─ * forwarding     forward_to: as +12025550031 decides
│  ├─   number_user    skipped: its condition does not hold (when_not_met)
│  ├─   contact_owner  skipped: no contact of the caller has an owner (no_owner)
│  ├─ * unknown_rules  rule:Weekend
│  │      + bob rings at desk, mobile
│  │      - cyd: on a call (busy)
│  │      - dan: outside the user's hours (outside_hours)
│  └─   voicemail      passed over: the outer plan goes on
├─ * company_phone  company_phone
│      + +12025550100 rings
└─ * voicemail      ends the plan
1. ring bob for 20 s by +12025550031
2. ring +12025550100 for 20 s
→ voicemail of +12025550033
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got, err = route(t, "", append(args, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var plan routing.Plan
	if err := json.Unmarshal([]byte(got), &plan); err != nil || len(plan.Stages) != 2 || plan.Stages[0].Number != "+12025550031" {
		t.Errorf("%v: %s", err, got)
	}
}

func TestRouteExplainText(t *testing.T) {
	got, err := route(t, "", "explain", "--org", routeTestOrg, "--kind", "text", "--to", "+12025550032", "--from", "+12025550903", "--at", "2026-11-21T12:00:00-05:00")
	want := `+12025550903 texts +12025550032 on Sat 2026-11-21 12:00 EST
  the caller is known (c5, c6), the contact of dan
policy loftyworks
├─ * number_user    user_assigned
├─   contact_owner  not reached: an earlier step decides (after_match)
├─   unknown_rules  not reached: an earlier step decides (after_match)
└─   voicemail      skipped: it has no say in texts (not_for_texts)
→ to dan
`
	if err != nil || got != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}

func TestRouteExplainRefuses(t *testing.T) {
	base := []string{"explain", "--to", "+12025550001", "--from", "anonymous"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name the right one with --data"},
		{[]string{"--org", "nowhere.yaml"}, "nowhere.yaml"},
		{[]string{"--org", routeTestOrg, "--at", "noon"}, "--at noon: write a time like 2026-11-20T10:00:00-05:00"},
		{[]string{"--org", routeTestOrg, "--registered", "ann"}, "write USER=KIND+KIND"},
		{[]string{"--org", routeTestOrg, "--registered", "zed=desk"}, `there is no user "zed"`},
		{[]string{"--org", routeTestOrg, "--registered", "ann=fax"}, `"fax" is not a kind of endpoint; use browser, desk or mobile`},
		{[]string{"--org", routeTestOrg, "--busy", "zed"}, "--busy zed: there is no such user"},
		{[]string{"--org", routeTestOrg, "--active", "+12025550001"}, "write NUMBER=N"},
		{[]string{"--org", routeTestOrg, "--active", "+12025550404=1"}, "+12025550404 is not one of the organisation's numbers"},
		{[]string{"--org", routeTestOrg, "--kind", "fax"}, "--kind"},
	} {
		if _, err := route(t, "", append(base, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %s", c.args, err, c.want)
		}
	}
}

// TestRouteAsksTheStore: without a document, the stored organisation is asked, contacts included.
func TestRouteAsksTheStore(t *testing.T) {
	data := t.TempDir()
	var out bytes.Buffer
	g := &Globals{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Data: data}
	if err := (&applyCmd{File: routeTestOrg, Yes: true}).Run(g); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	c := RouteExplainCmd{To: "+12025550001", From: "+12025550900", At: "2026-11-20T10:00:00-05:00", Kind: "call", JSON: true}
	if err := c.Run(g); err != nil || !strings.Contains(out.String(), `"c1"`) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestRouteTest(t *testing.T) {
	files, err := filepath.Glob("../../routing/testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	got, err := route(t, "", append([]string{"test"}, files...)...)
	if err != nil || !strings.HasSuffix(got, " cases pass\n") || strings.Contains(got, "FAIL") {
		t.Errorf("%v: %s", err, got)
	}
}

// TestRouteExplainRunsTheCases gives every case to explain as flags and compares the JSON that it prints.
func TestRouteExplainRunsTheCases(t *testing.T) {
	files, err := filepath.Glob("../../routing/testdata/cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		cases, _, err := readRouteCases(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, rc := range cases {
			args := []string{"explain", "--json", "--org", routeTestOrg, "--kind", rc.Call.Kind, "--to", rc.Call.To, "--from", rc.Call.From,
				"--at", rc.Call.At.Format(time.RFC3339)}
			for user, kinds := range rc.State.Registered {
				args = append(args, "--registered", user+"="+strings.Join(kinds, "+"))
			}
			for _, user := range rc.State.Busy {
				args = append(args, "--busy", user)
			}
			for number, n := range rc.State.Active {
				args = append(args, "--active", fmt.Sprintf("%s=%d", number, n))
			}
			out, err := route(t, "", args...)
			if err != nil {
				t.Fatal(err)
			}
			got, err1 := sortedJSON(json.RawMessage(out))
			want, err2 := sortedJSON(rc.Expect)
			if err1 != nil || err2 != nil || got != want {
				t.Errorf("%s: %s: got\n%s\nwant\n%s", file, rc.Name, got, want)
			}
		}
	}
}

// TestRouteTestRefuses cases that do not say what is asked.
func TestRouteTestRefuses(t *testing.T) {
	org, err := filepath.Abs(routeTestOrg)
	if err != nil {
		t.Fatal(err)
	}
	for call, want := range map[string]string{
		`{kind: fax, to: "+12025550001", at: "2026-11-20T10:00:00-05:00"}`: `case "odd": call.kind "fax": write call or text`,
		`{to: "+12025550001"}`:              "call.at is missing",
		`{at: "2026-11-20T10:00:00-05:00"}`: "call.to is missing",
		`{too: "+12025550001"}`:             "field too not found",
	} {
		file := filepath.Join(t.TempDir(), "cases.yaml")
		text := fmt.Sprintf("org: %s\ncases: [{name: odd, call: %s, expect: {}}]\n", org, call)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := route(t, "", "test", file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", call, err, want)
		}
	}
}

// TestRouteTestShowsTheDifference: a case that expects something else fails, with what is missing and what is too much.
func TestRouteTestShowsTheDifference(t *testing.T) {
	org, err := filepath.Abs(routeTestOrg)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("org: " + org + `
cases:
- name: nobody answers here
  call: {kind: call, to: "+12025550098", from: "+12025550999", at: "2026-11-20T10:00:00-05:00"}
  expect:
    caller: "+12025550999"
    called: "+12025550098"
    known: true
    contacts: []
    trace: []
    stages: []
    end: {action: refuse, code: 404, reason: unknown_number}
`)
	got, err := route(t, "", "test", file)
	want := "FAIL " + file + `: nobody answers here
    …
          "code": 404,
          "reason": "unknown_number"
        },
    -   "known": true,
    +   "known": false,
        "stages": [],
        "trace": []
      }

0 of 1 cases pass
`
	var code exitCode
	if !errors.As(err, &code) || code != 1 || got != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	write("org: " + org + "\ncases: [{name: x, cal: {}}]\n")
	if _, err := route(t, "", "test", file); err == nil || !strings.Contains(err.Error(), "field cal not found") {
		t.Errorf("an unknown key: %v", err)
	}
	write("cases: []\n")
	if _, err := route(t, "", "test", file); err == nil || !strings.Contains(err.Error(), "org is missing") {
		t.Errorf("no organisation: %v", err)
	}
}

func TestRouteWeek(t *testing.T) {
	got, err := route(t, "", "week", "--org", routeTestOrg, "--number", "+12025550031", "--at", "2026-11-21T12:00:00-05:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"        Mon 16   Tue 17   Wed 18   Thu 19   Fri 20   Sat 21   Sun 22\n",
		"05:00   A        B        B        B        B        C        C\n",
		"22:00   B        B        B        B        A        C        C\n",
		"\nA\n  1. ring ann for 25 s\n  → voicemail of ann\n\nB\n  1. ring +12025550177 for 20 s\n  → voicemail of +12025550031\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
}

// TestRouteWeekJSON: weeks in which the clocks change, and plans that change within an hour.
func TestRouteWeekJSON(t *testing.T) {
	for at, hours := range map[string]int{"2026-11-20T12:00:00-05:00": 168, "2026-03-08T12:00:00-04:00": 167, "2026-11-01T12:00:00-05:00": 169} {
		got, err := route(t, "", "week", "--org", routeTestOrg, "--number", "+12025550042", "--at", at, "--json")
		if err != nil {
			t.Fatal(err)
		}
		var w routeWeek
		if err := json.Unmarshal([]byte(got), &w); err != nil || len(w.Hours) != hours {
			t.Errorf("%s: %v, %d hours", at, err, len(w.Hours))
		}
		// On Mondays the company closes at 17:30.
		if h := w.Hours[17]; len(h.Changes) != 1 || h.Changes[0].At.Minute() != 30 || h.Changes[0].Plan == h.Plan {
			t.Errorf("%s: %+v", at, h)
		}
	}
	if _, err := route(t, "", "week", "--org", routeTestOrg, "--number", "+12025550404"); err == nil {
		t.Error("a number that is not ours")
	}
}

func TestRouteWorkflow(t *testing.T) {
	got, err := route(t, "9\n1\nn\n", "workflow", "main-ivr", "--org", routeTestOrg)
	want := `[menu] menu, try 1, waits 5 s: Press 1 for sales, 2 for support
  key (empty = none in time): [menu] menu, try 2, waits 5 s: Press 1 for sales, 2 for support
  key (empty = none in time): [sales] ring bob, cyd for 20 s
  answered? (y/N): [leave] voicemail of the called number
`
	if err != nil || got != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	got, err = route(t, "1\ny\n", "workflow", "main-ivr", "--org", routeTestOrg)
	if err != nil || !strings.HasSuffix(got, "answered? (y/N): answered\n") {
		t.Errorf("%v: %s", err, got)
	}
	got, err = route(t, "", "workflow", "main-ivr", "--org", routeTestOrg)
	if err != nil || !strings.HasSuffix(got, "the caller hangs up\n") {
		t.Errorf("%v: %s", err, got)
	}
	if _, err = route(t, "", "workflow", "none", "--org", routeTestOrg); err == nil || err.Error() != `there is no workflow "none"` {
		t.Errorf("%v", err)
	}
}

func TestRouteExplainDialled(t *testing.T) {
	for _, c := range []struct{ dialled, want string }{
		{"*78", "└─ * feature        dnd-on\n→ do-not-disturb is switched on\n"},
		{"*999", "└─ * feature        no such feature code (unknown_code)\n→ is told that there is no such code, refused with 404\n"},
		{"911", "├─ * emergency      emergency\n"},
	} {
		out, err := route(t, "", "explain", "--org", "../../configs/demo.yaml", "--from-user", "ann", "--to", c.dialled)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v\n%s", c.dialled, err, out)
		}
	}
}

// TestRouteExplainHint: an extension is none of our numbers; the answer says how to ask about it.
func TestRouteExplainHint(t *testing.T) {
	got, err := route(t, "", "explain", "--org", "../../configs/demo.yaml", "--to", "202", "--from", "+12025550903")
	if err != nil || !strings.Contains(got, "hint: 202 is ") || !strings.Contains(got, "--from-user USER --to 202") {
		t.Errorf("%v\n%s", err, got)
	}
	got, err = route(t, "", "explain", "--org", "../../configs/demo.yaml", "--to", "+12025559999", "--from", "+12025550903")
	if err != nil || strings.Contains(got, "hint") {
		t.Errorf("a number that is nobody's: %v\n%s", err, got)
	}
}
