package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"strowger/store"
)

// lamp waits until the phone was told of so many new and old messages last: unasked, as most desk phones want it. The module of
// baresip that asks by itself runs wild too often for a test as long as these; see TestMessageLamp.
func (b *baresip) lamp(fresh, old int) {
	b.t.Helper()
	want := fmt.Sprintf("Voice-Message: %d/%d", fresh, old)
	eventually(b.t, b.name+" should be told "+want, 10*time.Second, func() bool {
		log := b.log.String()
		i := strings.LastIndex(log, "Voice-Message: ")
		return i >= 0 && strings.HasPrefix(log[i:], want)
	})
}

type messages struct {
	Voicemails []struct {
		ID      string
		Seconds float64
		Heard   bool
		HeardBy string `json:"heard_by"`
		Text    string
	}
}

func (s *server) messages(n int) messages {
	s.t.Helper()
	var list messages
	eventually(s.t, fmt.Sprintf("there should be %d messages", n), 10*time.Second, func() bool {
		list = messages{}
		return s.api("GET", "/api/voicemails", &list) == 200 && len(list.Voicemails) == n
	})
	return list
}

// audio is that of a message.
func (s *server) audio(id string) (samples []int16, rate int) {
	s.t.Helper()
	var wav []byte
	if code := s.api("GET", "/api/voicemails/"+id+"/audio", &wav); code != 200 {
		s.t.Fatalf("the audio: %d", code)
	}
	file := filepath.Join(s.t.TempDir(), "message.wav")
	if err := os.WriteFile(file, wav, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return readWAV(file)
}

// A caller leaves a message for bob, who has declined; the lamp of his phone is lit; he hears the message by *97 and
// the lamp changes; the message is deleted by the API, brought back and deleted by phone, and the lamp goes out.
func TestMailboxByPhone(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	bob.lamp(0, 0)
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(14*time.Second))
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("hangup", "")
	sipp.ends(30 * time.Second)
	if r := s.record(1); r.Disposition != store.VoicemailOK {
		t.Fatalf("record: %s (%s)", r.Disposition, r.Reason)
	}
	bob.lamp(1, 0)

	mark = bob.mark()
	bob.do("dial", "*97")
	bob.waitFor("CALL_ESTABLISHED", mark, 5*time.Second)
	time.Sleep(time.Second)
	bob.keysIn("1")
	bob.hears(carrierTone)
	bob.lamp(0, 1)
	list := s.messages(1)
	if vm := list.Voicemails[0]; !vm.Heard || vm.HeardBy != "bob" {
		t.Errorf("by the API: %+v", vm)
	}
	path := "/api/voicemails/" + list.Voicemails[0].ID
	if code := s.api("DELETE", path, nil); code != 204 {
		t.Errorf("delete: %d", code)
	}
	bob.lamp(0, 0)
	if code := s.api("POST", path+"/restore", nil); code != 200 {
		t.Errorf("restore: %d", code)
	}
	bob.lamp(0, 1)
	bob.keysIn("7")
	bob.lamp(0, 0)
	s.messages(0)
	bob.keysIn("7") // and back
	bob.lamp(0, 1)
	bob.do("hangup", "")
	s.noCalls()
	if code := s.api("DELETE", path, nil); code != 204 {
		t.Errorf("delete: %d", code)
	}
	bob.lamp(0, 0)
}

// The server is killed while a message is being left: it is there after the restart, up to the last second.
func TestMessageSurvivesKill(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	carrierCalls(t, s, "+12025550003", "+12025550999", waitBye)
	eventually(t, "the message should be recorded", 20*time.Second, func() bool {
		parts, err := filepath.Glob(filepath.Join(s.data, "voicemail", "*", "*.part"))
		return err == nil && len(parts) == 1
	})
	begun := time.Now()
	time.Sleep(6 * time.Second)
	s.proc.kill()
	lasted := time.Since(begun)
	s.start()
	list := s.messages(1)
	if lost := lasted.Seconds() - list.Voicemails[0].Seconds; lost > 1.2 {
		t.Errorf("the message has %.1f s; %.1f s of it are lost", list.Voicemails[0].Seconds, lost)
	}
	samples, rate := s.audio(list.Voicemails[0].ID)
	if !carries(samples, rate, carrierTone) {
		t.Error("the message does not hold the caller's tone")
	}
	if r := s.record(1); r.Disposition != store.Interrupted {
		t.Errorf("the call's record: %s", r.Disposition)
	}
}

// Bob records a temporary greeting by *97, and the next caller hears it.
func TestGreetingByPhone(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := bob.mark()
	bob.do("dial", "*97")
	bob.waitFor("CALL_ESTABLISHED", mark, 5*time.Second)
	time.Sleep(time.Second)
	for _, key := range []string{"0", "3", "2"} { // options, temporary greeting, record
		bob.keysIn(key)
		time.Sleep(500 * time.Millisecond)
	}
	time.Sleep(7 * time.Second) // it is told how, and then speaks
	bob.keysIn("#")
	time.Sleep(time.Second)
	bob.keysIn("1") // keeps it
	eventually(t, "the greeting should be there", 10*time.Second, func() bool {
		return s.api("GET", "/api/mailboxes/bob/greetings/temporary", nil) == 200
	})
	bob.do("hangup", "")
	s.noCalls()
	mark = bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("hangup", "")
	sipp.hears(deskTone)
}

// The disk is full: callers are told that no message can be left; and where it fills up while somebody speaks, the server
// goes on, says so, and what was recorded until then is in the box as soon as there is room to say so.
func TestDiskFull(t *testing.T) {
	s := configure(t, carrierTrunk("acme", carrierIP, 5060, ""), "127.0.0.1")
	disk := filepath.Join(filepath.Dir(s.data), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"); err != nil {
		t.Fatalf("a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	if err := os.CopyFS(filepath.Join(disk, "data"), os.DirFS(s.data)); err != nil {
		t.Fatal(err)
	}
	for i, a := range s.args {
		if a == s.data {
			s.args[i] = filepath.Join(disk, "data")
		}
	}
	s.data = filepath.Join(disk, "data")
	s.start()
	carrierCalls(t, s, "+12025550003", "+12025550998", waitBye)
	eventually(t, "the message should be recorded", 20*time.Second, func() bool {
		parts, err := filepath.Glob(filepath.Join(s.data, "voicemail", "*", "*.part"))
		return err == nil && len(parts) == 1
	})
	begun := time.Now()
	time.Sleep(3 * time.Second)
	fill, err := os.Create(filepath.Join(disk, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096, 1} {
		for err = nil; err == nil; {
			_, err = fill.Write(make([]byte, size))
		}
	}
	eventually(t, "the operator should be told", 20*time.Second, func() bool {
		return strings.Contains(s.log.String(), "recording could not be completed")
	})
	full := time.Now()
	if err := fill.Truncate(40 << 20); err != nil { // less than a message needs is free
		t.Fatal(err)
	}
	s.noCalls()
	sipp := carrierCalls(t, s, "+12025550003", "+12025550997", waitBye)
	sipp.ends(20 * time.Second)
	if r := s.recordOf("+12025550997", 10*time.Second); r.Disposition != store.Missed || r.Reason != "the mailbox is full" {
		t.Errorf("record: %s, %q", r.Disposition, r.Reason)
	}
	eventually(t, "what was recorded should be in the box", 15*time.Second, func() bool {
		list := messages{}
		return s.api("GET", "/api/voicemails", &list) == 200 && len(list.Voicemails) == 1
	})
	list := s.messages(1)
	if got := list.Voicemails[0].Seconds; got < 0.7 || got > full.Sub(begun).Seconds()+1 {
		t.Errorf("the message has %.1f s", got)
	}
	if samples, rate := s.audio(list.Voicemails[0].ID); !carries(samples[:len(samples)-rate*3/10], rate, carrierTone) {
		t.Error("the message does not hold the caller's tone")
	}
}

// postOffice is a mail server.
type postOffice struct {
	mu    sync.Mutex
	mails []string
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (p *postOffice) Reset()                                      {}
func (p *postOffice) Logout() error                               { return nil }
func (p *postOffice) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *postOffice) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (p *postOffice) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, string(b))
	return err
}

// Bob is told of a message by mail, with the audio and its text, although the mail server was away when the message was left and
// the server was restarted meanwhile.
func TestMailOfAMessage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // for now
	hears := filepath.Join(t.TempDir(), "hears")
	if err := os.WriteFile(hears, []byte("#!/bin/sh\necho call me back\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := configure(t, carrierTrunk("acme", carrierIP, 5060, ""), "127.0.0.1")
	config, err := os.OpenFile(s.args[4], os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(config, "mail: {host: %q, tls: none, from: phone@example.com}\nvoicemail: {transcribe: %q}\n", addr, hears+" {file}")
		config.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	s.applies("users:\n  - {id: ann, name: Ann Lee, role: owner, extension: \"201\"}\n  - {id: bob, name: Bob Ray, extension: \"202\", email: bob@example.com}\n")
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(14*time.Second))
	sipp.ends(30 * time.Second)
	eventually(t, "the mail should be tried", 20*time.Second, func() bool { return strings.Contains(s.log.String(), "a mail could not be sent") })
	if out, _ := s.try("doctor", "--config", s.args[4]); !strings.Contains(out, "1 wait for another try") {
		t.Errorf("doctor says nothing of the mail:\n%s", out)
	}
	s.stop()
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	office := &postOffice{}
	server := smtp.NewServer(office)
	server.Domain = "localhost"
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	s.start()
	var mail string
	eventually(t, "the mail should come", 75*time.Second, func() bool {
		office.mu.Lock()
		defer office.mu.Unlock()
		if len(office.mails) > 0 {
			mail = office.mails[0]
		}
		return mail != ""
	})
	for _, part := range []string{"bob@example.com", "+12025550999", "call me back", "message.wav"} {
		if !strings.Contains(mail, part) {
			t.Errorf("the mail lacks %q:\n%.2000s", part, mail)
		}
	}
	if got := s.messages(1); got.Voicemails[0].Text != "call me back" {
		t.Errorf("by the API: %+v", got)
	}
}
