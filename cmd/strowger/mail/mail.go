// Package mail sends what users are told by mail. Mails wait in the store: a restart loses none, and a server that cannot be
// reached is tried again, ever more rarely, for three days.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	gomail "github.com/wneessen/go-mail"

	"strowger/store"
)

// Server is where mails are handed in.
type Server struct {
	Host, Port         string
	TLS                string // starttls | tls | none
	Username, Password string
	From               string
	// Trust replaces the system's certificates; nil = they hold.
	Trust *tls.Config
}

// Store keeps the queue; store/bolt implements it.
type Store interface {
	Mails() ([]store.MailJob, error)
	PutMail(m store.MailJob) error
	DeleteMail(id string) error
	Voicemail(id string) (store.Voicemail, error)
}

// Config of a Queue.
type Config struct {
	Store  Store
	Server Server
	// Audio opens the audio of a message, WAV.
	Audio func(vm store.Voicemail) (io.ReadSeekCloser, error)
	Log   zerolog.Logger
}

// Times of the queue.
const (
	firstRetry = time.Minute
	lastRetry  = 2 * time.Hour
	giveUp     = 72 * time.Hour
	keepFailed = 30 * 24 * time.Hour // for somebody to see
	sendTime   = time.Minute
)

// Queue sends what is queued in the store.
type Queue struct {
	cfg  Config
	wake chan struct{} // holds one token when something was queued
}

// New makes a queue; Run sends.
func New(c Config) *Queue { return &Queue{cfg: c, wake: make(chan struct{}, 1)} }

// Wake tells that something was queued. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Run sends what is due, until ctx is done.
func (q *Queue) Run(ctx context.Context) {
	for {
		next := q.round(ctx, time.Now())
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round tries what is due, and returns when the next round is.
func (q *Queue) round(ctx context.Context, now time.Time) time.Time {
	next := now.Add(lastRetry)
	jobs, err := q.cfg.Store.Mails()
	if err != nil {
		q.cfg.Log.Error().Err(err).Msg("the queued mails cannot be read: check the data folder")
		return next
	}
	for _, m := range jobs {
		switch {
		case ctx.Err() != nil:
			return next
		case m.Failed && now.Sub(m.Made) > keepFailed:
			q.drop(m.ID)
		case m.Failed:
		case m.Next.After(now):
			next = earlier(next, m.Next)
		default:
			if again := q.try(ctx, m, now); !again.IsZero() {
				next = earlier(next, again)
			}
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// try sends one mail. It returns when it is to be tried again, zero = never.
func (q *Queue) try(ctx context.Context, m store.MailJob, now time.Time) time.Time {
	err := q.send(ctx, m)
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound): // sent, or the message that it tells of was deleted meanwhile
		q.drop(m.ID)
		return time.Time{}
	case ctx.Err() != nil: // we stop; it was not the server's fault
		return time.Time{}
	}
	m.Tries++
	m.Error = err.Error()
	m.Next = now.Add(min(firstRetry<<min(m.Tries-1, 20), lastRetry))
	m.Failed = refused(err) || now.Sub(m.Made) > giveUp
	log := q.cfg.Log.Warn()
	if m.Failed {
		log = q.cfg.Log.Error()
	}
	log.Err(err).Str("to", m.To).Int("tries", m.Tries).Bool("given_up", m.Failed).Msg("a mail could not be sent: check mail in the configuration (`strowger doctor`)")
	if err := q.cfg.Store.PutMail(m); err != nil {
		q.cfg.Log.Error().Err(err).Msg("the queue of mails cannot be written: check the data folder")
	}
	if m.Failed {
		return time.Time{}
	}
	return m.Next
}

func (q *Queue) drop(id string) {
	if err := q.cfg.Store.DeleteMail(id); err != nil {
		q.cfg.Log.Error().Err(err).Msg("the queue of mails cannot be written: check the data folder")
	}
}

// refused reports whether the server will never take this mail: it does not want its receiver.
func refused(err error) bool {
	var send *gomail.SendError
	return errors.As(err, &send) && send.Reason == gomail.ErrSMTPRcptTo && !send.IsTemp()
}

func (q *Queue) send(ctx context.Context, m store.MailJob) error {
	msg, done, err := q.message(m)
	if err != nil {
		return err
	}
	defer done()
	client, err := q.cfg.Server.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send a mail by %s: %w", q.cfg.Server.Host, err)
	}
	return nil
}

// message makes the mail. done frees the attachment.
func (q *Queue) message(m store.MailJob) (msg *gomail.Msg, done func(), err error) {
	done = func() {}
	msg = gomail.NewMsg()
	if err := msg.From(q.cfg.Server.From); err != nil {
		return nil, done, fmt.Errorf("mail.from: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, done, fmt.Errorf("the address %q: %w", m.To, err)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Made)
	msg.SetMessageIDWithValue(m.ID + "@strowger") // a mail that is sent twice is seen as one
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.Voicemail == "" {
		return msg, done, nil
	}
	vm, err := q.cfg.Store.Voicemail(m.Voicemail)
	if err != nil {
		return nil, done, err
	}
	if !vm.Deleted.IsZero() {
		return nil, done, fmt.Errorf("voicemail %s was deleted: %w", vm.ID, store.ErrNotFound)
	}
	audio, err := q.cfg.Audio(vm)
	if err != nil {
		return nil, done, err
	}
	msg.AttachReadSeeker("message.wav", audio, gomail.WithFileContentType("audio/wav"))
	return msg, func() { _ = audio.Close() }, nil // it was only read
}

func (s Server) client() (*gomail.Client, error) {
	port, err := strconv.Atoi(s.Port)
	if err != nil {
		return nil, fmt.Errorf("mail.host: port %q: %w", s.Port, err)
	}
	opts := []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(sendTime / 2)}
	switch s.TLS {
	case "tls":
		opts = append(opts, gomail.WithSSL())
	case "none":
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Trust != nil {
		opts = append(opts, gomail.WithTLSConfig(s.Trust))
	}
	if s.Username != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	c, err := gomail.NewClient(s.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail server %s: %w", s.Host, err)
	}
	return c, nil
}

// Check reaches the server, signs in, and leaves: for `strowger doctor`.
func (s Server) Check(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail server %s: %w", s.Host, err)
	}
	return c.Close()
}
