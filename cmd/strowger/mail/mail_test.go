package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"strowger/store"
	"strowger/store/bolt"
)

// postOffice is a mail server.
type postOffice struct {
	mu    sync.Mutex
	mails []string
	fails error // to every DATA
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{p}, nil }

type visit struct{ p *postOffice }

func (v *visit) Reset()                               {}
func (v *visit) Logout() error                        { return nil }
func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	return nil
}

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if v.p.fails != nil {
		return v.p.fails
	}
	v.p.mails = append(v.p.mails, string(b))
	return err
}

func (p *postOffice) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.mails...)
}

type audio struct{ *bytes.Reader }

func (audio) Close() error { return nil }

// office starts a mail server, and a queue on a store of its own that sends by it.
func office(t *testing.T) (*postOffice, *Queue, *bolt.DB) {
	t.Helper()
	p := &postOffice{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(p)
	s.Domain = "localhost"
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	db, err := bolt.Open(filepath.Join(t.TempDir(), "x.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	q := New(Config{Store: db, Server: Server{Host: host, Port: port, TLS: "none", From: "Phone <phone@example.com>"},
		Audio: func(store.Voicemail) (io.ReadSeekCloser, error) {
			return audio{bytes.NewReader([]byte("RIFFWAVE"))}, nil
		}})
	return p, q, db
}

var made = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func job(id, to string) store.MailJob {
	return store.MailJob{ID: id, To: to, Subject: "Voicemail from Dée", Text: "Hello.", Voicemail: "vm", Made: made, Next: made}
}

func queue(t *testing.T, db *bolt.DB, jobs ...store.MailJob) {
	t.Helper()
	if err := db.AddVoicemail(store.Voicemail{ID: "vm", Mailbox: store.Mailbox{User: "ann"}, Left: made}); err != nil {
		t.Fatal(err)
	}
	if err := db.QueueMails("vm", jobs); err != nil {
		t.Fatal(err)
	}
}

func TestMailIsSentWithItsAudio(t *testing.T) {
	p, q, db := office(t)
	queue(t, db, job("1", "ann@example.com"))
	q.round(context.Background(), made)
	got := p.got()
	if len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	for _, part := range []string{"To: <ann@example.com>", "phone@example.com", "=?UTF-8?q?Voicemail_from_D=C3=A9e?=", "Hello.", "message.wav", "UklGRldBVkU=", "Message-ID: <1@strowger>"} {
		if !strings.Contains(got[0], part) {
			t.Errorf("the mail lacks %q:\n%s", part, got[0])
		}
	}
	if left, err := db.Mails(); err != nil || len(left) != 0 {
		t.Errorf("left in the queue: %+v %v", left, err)
	}
	if err := q.cfg.Server.Check(context.Background()); err != nil {
		t.Errorf("check: %v", err)
	}
}

// A server that does not take mails now is tried again, and the mail comes in the end; a crash between changes nothing.
func TestMailIsTriedAgain(t *testing.T) {
	p, q, db := office(t)
	queue(t, db, job("1", "ann@example.com"))
	p.fails = &smtp.SMTPError{Code: 451, Message: "later"}
	at := made
	for i := range 4 {
		next := q.round(context.Background(), at)
		left, err := db.Mails()
		if err != nil || len(left) != 1 || left[0].Tries != i+1 || left[0].Failed || !strings.Contains(left[0].Error, "later") {
			t.Fatalf("after try %d: %+v %v", i+1, left, err)
		}
		if wait := next.Sub(at); wait != firstRetry<<i {
			t.Errorf("after try %d it waits %v", i+1, wait)
		}
		if q.round(context.Background(), next.Add(-time.Second)); len(p.got()) != 0 {
			t.Error("it was tried too soon")
		}
		at = next
	}
	p.fails = nil
	q = New(q.cfg) // after a restart
	if q.round(context.Background(), at); len(p.got()) != 1 {
		t.Error("it was not sent after the restart")
	}
}

func TestMailIsGivenUp(t *testing.T) {
	p, q, db := office(t)
	queue(t, db, job("1", "nobody@example.com"), job("2", "ann@example.com"))
	p.fails = errors.New("broken")
	q.round(context.Background(), made)
	left, err := db.Mails()
	if err != nil || len(left) != 2 || !left[0].Failed || left[1].Failed {
		t.Fatalf("%+v %v", left, err)
	}
	q.round(context.Background(), made.Add(giveUp+time.Hour))
	if left, _ = db.Mails(); len(left) != 2 || !left[1].Failed {
		t.Errorf("after three days: %+v", left)
	}
	q.round(context.Background(), made.Add(keepFailed+time.Hour))
	if left, _ = db.Mails(); len(left) != 0 {
		t.Errorf("after a month: %+v", left)
	}
}

// What is told of was deleted meanwhile: nobody is told.
func TestMailOfNothing(t *testing.T) {
	p, q, db := office(t)
	queue(t, db, job("1", "ann@example.com"))
	if _, err := db.DeleteVoicemail("vm"); err != nil {
		t.Fatal(err)
	}
	q.round(context.Background(), made)
	if left, _ := db.Mails(); len(left) != 0 || len(p.got()) != 0 {
		t.Errorf("left %+v, sent %d", left, len(p.got()))
	}
}

func TestRunEnds(t *testing.T) {
	p, q, db := office(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); q.Run(ctx) }()
	queue(t, db, job("1", "ann@example.com"))
	q.Wake()
	for range 500 {
		if len(p.got()) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-ended
	if len(p.got()) != 1 {
		t.Error("it was not sent")
	}
}
