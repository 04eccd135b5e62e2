package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/cmd/strowger/app"
	"strowger/store"
)

// server is the real binary, running.
type server struct {
	t         *testing.T
	data      string
	args      []string
	log       *logFile
	proc      *process
	netns     string   // where it runs, "" = here
	env       []string // overrides of its configuration, "STROWGER_KEY=value"
	ready     app.Ready
	passwords map[string]string
}

// testOrganisation is small and names everything that the tests call.
const testOrganisation = `company: {name: Test, timezone: America/New_York, region: US, ring_seconds: 20}
users:
  - {id: ann, name: Ann Lee, role: owner, extension: "201", call_waiting: true}
  - {id: bob, name: Bob Ray, role: agent, extension: "202", call_waiting: true}
numbers:
  - {number: "+12025550001", kind: company, label: Main line, user: ann, ring_seconds: 20}
  - {number: "+12025550002", kind: company, label: Onward, policy: onward, ring: [bob], ring_seconds: 5, forward_to: "+12025550150"}
  - {number: "+12025550003", kind: company, label: Message, policy: message}
  - {number: "+12025550004", kind: personal, label: Bob, user: bob}
contacts:
  - {id: dee, name: Dee Poe, phones: ["+12025550900"], owner: ann, created: 2026-01-05T10:00:00Z}
policies:
  onward: {mode: cascade, steps: [ring_group, forwarding, voicemail]}
  message: {mode: cascade, steps: [voicemail]}
`

// program is the binary under test: STROWGER_BIN, or one that is built for this run.
var program = os.Getenv("STROWGER_BIN")

func TestMain(m *testing.M) {
	if program != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "strowger-e2e-*")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "strowger")
	build := exec.Command("go", "build", "-o", program, "strowger/cmd/strowger")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// serve starts `strowger serve` with these trunks (YAML list items) and the test organisation, on loopback. Keys of the
// configuration are overridden by env, "STROWGER_KEY=value".
func serve(t *testing.T, trunks string, env ...string) *server {
	t.Helper()
	s := configure(t, trunks, "127.0.0.1")
	s.env = env
	s.start()
	return s
}

// serveBoth starts it on every address of this machine, of both families.
func serveBoth(t *testing.T, trunks string, env ...string) *server {
	t.Helper()
	s := configure(t, trunks, "")
	s.env = env
	s.start()
	return s
}

// serveIn starts it inside a network namespace, on that address.
func serveIn(t *testing.T, netns, ip string) *server {
	t.Helper()
	s := configure(t, "", ip)
	s.netns = netns
	s.start()
	return s
}

func configure(t *testing.T, trunks, ip string) *server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "strowger.yaml")
	text := "data: data\nlimits: {calls_per_user: 8}\ncalls: {voicemail_silence: 4s, drain: 2s}\n"
	if trunks != "" {
		text += "trunks:\n" + trunks
	}
	org := filepath.Join(dir, "org.yaml")
	for file, content := range map[string]string{config: text, org: testOrganisation} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{t: t, data: filepath.Join(dir, "data"), passwords: map[string]string{}}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	s.cli("apply", "-f", org, "--yes")
	s.args = []string{"--data", s.data, "serve", "--config", config, "--http", net.JoinHostPort(ip, "0"), "--sip", net.JoinHostPort(ip, "0"), "--rtp", "24000-29999"}
	return s
}

// demo starts `strowger demo`.
func demo(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), passwords: map[string]string{}}
	s.args = []string{"--data", s.data, "demo", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "-v"}
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	ready := filepath.Join(filepath.Dir(s.data), "ready.json")
	os.Remove(ready)
	if s.log == nil {
		s.log = &logFile{}
		s.t.Cleanup(func() {
			if s.t.Failed() {
				s.t.Logf("strowger:\n%s", s.log)
			}
		})
	}
	cmd := exec.Command(program, append(s.args, "--ready", ready)...)
	if s.netns != "" {
		cmd = exec.Command("ip", append([]string{"netns", "exec", s.netns}, cmd.Args...)...)
	}
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	s.proc = start(s.t, cmd)
	eventually(s.t, "the server should be ready", 15*time.Second, func() bool {
		data, err := os.ReadFile(ready)
		return err == nil && json.Unmarshal(data, &s.ready) == nil
	})
}

// stop ends the server as an administrator does.
func (s *server) stop() {
	s.t.Helper()
	s.proc.cmd.Process.Signal(syscall.SIGTERM)
	if !s.proc.ended(15 * time.Second) {
		s.t.Fatal("the server did not stop on SIGTERM")
	}
	if s.proc.err != nil {
		s.t.Fatalf("the server ended badly: %v", s.proc.err)
	}
}

// restart stops the server and starts it on the same ports.
func (s *server) restart() {
	s.t.Helper()
	s.stop()
	for i, a := range s.args {
		switch a {
		case "--sip":
			s.args[i+1] = s.ready.SIPUDP
		case "--http":
			s.args[i+1] = strings.TrimPrefix(s.ready.HTTP, "http://")
		}
	}
	s.start()
}

// cli runs a command on the server's data folder and returns what it prints.
func (s *server) cli(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("strowger %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *server) try(args ...string) (string, error) {
	cmd := exec.Command(program, append([]string{"--data", s.data}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// phone adds a device of a user, "USER-KIND".
func (s *server) phone(user, kind string) string {
	s.t.Helper()
	id := user + "-" + kind
	if _, there := s.passwords[id]; !there {
		s.passwords[id] = "secret-" + id
		s.cli("device", "add", user, "--kind", kind, "--id", id, "--password", s.passwords[id])
	}
	return id
}

// hasPhone waits until the device is registered, noPhone until it is not.
func (s *server) hasPhone(device string) {
	s.t.Helper()
	eventually(s.t, device+" should be registered", 15*time.Second, func() bool { return s.registered(device) })
}

func (s *server) noPhone(device string) {
	s.t.Helper()
	eventually(s.t, device+" should be registered no more", 15*time.Second, func() bool { return !s.registered(device) })
}

func (s *server) registered(device string) bool {
	return strings.Contains(s.cli("registrations", "--json"), `"device": "`+device+`"`)
}

func (s *server) password(device string) string { return s.passwords[device] }

// api asks the HTTP API as an owner.
func (s *server) api(method, path string, into any) int {
	s.t.Helper()
	req, err := http.NewRequest(method, s.ready.HTTP+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.ready.AdminToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if into != nil && resp.StatusCode == http.StatusOK {
		if raw, ok := into.(*[]byte); ok {
			*raw = body
		} else if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
			s.t.Fatalf("%s %s: %v\n%s", method, path, err, body)
		}
	}
	return resp.StatusCode
}

// records are all call records, newest first.
func (s *server) records() []store.CallRecord {
	s.t.Helper()
	var list []store.CallRecord
	if err := json.Unmarshal([]byte(s.cli("calls", "--json", "--limit", "1000")), &list); err != nil {
		s.t.Fatal(err)
	}
	return list
}

// record waits until there are n records and returns the newest.
func (s *server) record(n int) store.CallRecord {
	s.t.Helper()
	var list []store.CallRecord
	eventually(s.t, fmt.Sprintf("there should be %d call records", n), 10*time.Second, func() bool {
		list = s.records()
		return len(list) >= n
	})
	if len(list) != n {
		s.t.Fatalf("%d call records, want %d", len(list), n)
	}
	return list[0]
}

// recordOf waits for the record of the call from that number.
func (s *server) recordOf(from string, d time.Duration) (r store.CallRecord) {
	s.t.Helper()
	eventually(s.t, "there should be a record of the call from "+from, d, func() bool {
		list := s.records()
		i := slices.IndexFunc(list, func(r store.CallRecord) bool { return r.From == from && !r.End.IsZero() })
		if i >= 0 {
			r = list[i]
		}
		return i >= 0
	})
	return r
}

// noCalls waits until no call is in progress.
func (s *server) noCalls() {
	s.t.Helper()
	eventually(s.t, "no call should be left", 10*time.Second, func() bool {
		return strings.TrimSpace(s.cli("calls", "--active", "--json")) == "[]"
	})
}

// carrierTrunk is the configuration of a trunk that is SIPp on that address.
func carrierTrunk(name, ip string, port int, more string) string {
	return fmt.Sprintf("- {name: %s, server: %q, addresses: [%q], qualify: 0s%s}\n", name, net.JoinHostPort(ip, fmt.Sprint(port)), ip, more)
}
