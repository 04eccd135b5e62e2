package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// The tones of prompts.
const (
	welcomeTone = 1500.0
	menuTone    = 1900.0
	speech      = "STROWGER_CALLS_SPEECH=flite -voice slt -t {text} -o {file}"
)

// applies puts a part of a directory into the running server.
func (s *server) applies(doc string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "part.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.cli("apply", "-f", file, "--yes")
}

// prompt puts a tone into the folder of prompts.
func (s *server) prompt(name string, hz float64, d time.Duration) {
	s.t.Helper()
	writeTone(s.t, filepath.Join(s.data, "prompts", name), 8000, hz, d)
}

const menuOrganisation = `
numbers:
  - {number: "+12025550005", kind: company, label: Menu, workflow: menu}
workflows:
  - id: menu
    start: mark
    nodes:
      mark: {set: {source: Radio, next: welcome}}
      welcome: {play: {file: welcome.wav, next: menu}}
      menu: {menu: {prompt: menu.wav, keys: {"1": desk, "2": ask}, tries: 2, timeout: 2, otherwise: sorry}}
      ask: {webhook: {url: "WEB", timeout: 3, nodes: [desk], otherwise: sorry}}
      desk: {ring: {users: [bob], seconds: 20, otherwise: sorry}}
      sorry: {say: {text: "Sorry, nobody is here.", next: bye}}
      bye: {hangup: {}}
`

// steps are the actions of the record's workflow and what came of them.
func steps(r store.CallRecord) (out []string) {
	for _, s := range r.Workflow {
		out = append(out, s.Node+": "+s.Outcome)
	}
	return out
}

// A caller walks through a menu by keys, interrupting its prompt, and talks to the phone that it leads to.
func TestWorkflowByKeys(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), speech)
	s.applies(strings.ReplaceAll(menuOrganisation, "WEB", "https://crm.example/"))
	s.prompt("welcome.wav", welcomeTone, time.Second)
	s.prompt("menu.wav", menuTone, 30*time.Second)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550005", "+12025550999", byeAfter(9*time.Second))
	sipp.hears(welcomeTone)
	sipp.hears(menuTone)
	sipp.rtp.press('1') // RFC 4733, into the thirty seconds of the prompt
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	sipp.hears(deskTone)
	desk.hears(carrierTone)
	sipp.ends(20 * time.Second)
	r := s.record(1)
	if want := []string{"welcome: was heard", "menu: key 1", "desk: answered by bob"}; !slices.Equal(steps(r), want) {
		t.Errorf("the workflow did %q, want %q", steps(r), want)
	}
	if r.Disposition != store.Answered || r.AnsweredBy != "bob" || r.Source != "Radio" {
		t.Errorf("record: %s by %q, source %q", r.Disposition, r.AnsweredBy, r.Source)
	}
	s.noCalls()
}

// A web server decides where the call goes; the caller hears the phone ring meanwhile.
func TestWorkflowAsksTheWeb(t *testing.T) {
	asked := make(chan map[string]string, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&q)
		asked <- q
		_, _ = w.Write([]byte(`{"node": "desk"}`))
	}))
	defer web.Close()
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_CALLS_WEBHOOK_PRIVATE=127.0.0.0/8")
	s.applies(strings.ReplaceAll(menuOrganisation, "WEB", web.URL))
	s.prompt("welcome.wav", welcomeTone, time.Second)
	s.prompt("menu.wav", menuTone, time.Second)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550005", "+12025550900", byeAfter(9*time.Second))
	sipp.hears(menuTone)
	sipp.rtp.press('2')
	desk.waitFor("CALL_INCOMING", mark, 8*time.Second)
	if q := <-asked; q["from"] != "+12025550900" || q["to"] != "+12025550005" || q["source"] != "Radio" {
		t.Errorf("the web server was told %v", q)
	}
	desk.do("accept", "")
	sipp.hears(deskTone)
	sipp.ends(20 * time.Second)
	s.record(1)
	s.noCalls()
}

// A caller who presses nothing hears the menu twice and a spoken farewell.
func TestWorkflowWithoutKeys(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), speech)
	s.applies(strings.ReplaceAll(menuOrganisation, "WEB", "https://crm.example/"))
	s.prompt("welcome.wav", welcomeTone, time.Second)
	s.prompt("menu.wav", menuTone, time.Second)
	sipp := carrierCalls(t, s, "+12025550005", "+12025550999", waitBye)
	sipp.hears(menuTone)
	sipp.ends(30 * time.Second)
	r := s.record(1)
	want := []string{"welcome: was heard", "menu: no key in time", "menu: no key in time", "sorry: was heard", "bye: ends the call"}
	if !slices.Equal(steps(r), want) {
		t.Errorf("the workflow did %q, want %q", steps(r), want)
	}
	if spoken, _ := filepath.Glob(filepath.Join(s.data, "speech", "*.wav")); len(spoken) != 1 {
		t.Errorf("the farewell was spoken into %v", spoken)
	}
	s.noCalls()
}
