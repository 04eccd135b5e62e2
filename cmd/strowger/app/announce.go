package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"strowger/cmd/strowger/mail"
	"strowger/store"
)

// announceWithin is how old a message may be that nobody was told of, for it to be told after a restart.
const announceWithin = 24 * time.Hour

// announcer has messages transcribed and then tells of them by mail, one after the other.
type announcer struct {
	a     *App
	mails *mail.Queue // nil = none are sent
	hears *transcriber

	mu    sync.Mutex
	queue []store.Voicemail
	wake  chan struct{} // holds one token while the queue is not empty
}

func (a *App) newAnnouncer() *announcer {
	n := &announcer{a: a, wake: make(chan struct{}, 1), hears: newTranscriber(&a.cfg.Voicemail)}
	if m := &a.cfg.Mail; m.Host != "" {
		host, port := m.HostPort()
		n.mails = mail.New(mail.Config{Store: a.db, Log: a.log,
			Audio:  func(vm store.Voicemail) (io.ReadSeekCloser, error) { return a.boxes.Open(vm) },
			Server: mail.Server{Host: host, Port: port, TLS: m.TLS, Username: m.Username, Password: m.Password, From: m.From}})
	}
	return n
}

// came takes a new message. It never blocks.
func (n *announcer) came(vm store.Voicemail) {
	n.mu.Lock()
	n.queue = append(n.queue, vm)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run tells of messages until ctx is done; first of those of which a crash kept it.
func (n *announcer) run(ctx context.Context) {
	if n.mails != nil {
		n.a.background.Go(func() { n.mails.Run(ctx) })
	}
	n.missed()
	for {
		n.mu.Lock()
		list := n.queue
		n.queue = nil
		n.mu.Unlock()
		for _, vm := range list {
			if ctx.Err() != nil {
				return
			}
			n.announce(ctx, vm)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
	}
}

// missed queues the messages that a crash left untold.
func (n *announcer) missed() {
	list, err := n.a.db.AllVoicemails()
	if err != nil {
		n.a.log.Error().Err(err).Msg("messages cannot be read")
		return
	}
	for _, vm := range list {
		if !vm.Announced && vm.Deleted.IsZero() && !vm.Heard && time.Since(vm.Left) < announceWithin {
			n.came(vm)
		}
	}
}

func (n *announcer) announce(ctx context.Context, vm store.Voicemail) {
	if now, err := n.a.db.Voicemail(vm.ID); err != nil || now.Announced { // deleted, or told already: it was queued twice
		return
	}
	if vm.Text == "" {
		text, err := n.hears.text(ctx, n.a.boxes.Path(vm))
		if err != nil {
			n.a.log.Warn().Err(err).Str("voicemail", vm.ID).Msg("a message could not be transcribed (see voicemail in the configuration)")
		} else if text != "" {
			vm.Text = text
			if _, err := n.a.boxes.SetText(vm.ID, text); err != nil {
				n.a.log.Error().Err(err).Str("voicemail", vm.ID).Msg("a transcription could not be kept")
			}
		}
	}
	if ctx.Err() != nil {
		return // the next start tells of it
	}
	if err := n.a.db.QueueMails(vm.ID, n.jobs(vm)); err != nil {
		n.a.log.Error().Err(err).Str("voicemail", vm.ID).Msg("nobody is told of a message by mail")
		return
	}
	if n.mails != nil {
		n.mails.Wake()
	}
}

// jobs are the mails about a message: to each user of the box who has an address and wants one.
func (n *announcer) jobs(vm store.Voicemail) []store.MailJob {
	if n.mails == nil {
		return nil
	}
	set, err := n.a.db.MailboxSettings(vm.Mailbox)
	if err != nil {
		n.a.log.Error().Err(err).Stringer("mailbox", vm.Mailbox).Msg("a mailbox's settings cannot be read; its users are told as the server is set up")
	}
	var jobs []store.MailJob
	for _, id := range n.a.org.usersOf(vm.Mailbox) {
		u, _ := n.a.org.UserByID(id)
		how := cmp.Or(set.MailFor(id), n.a.cfg.Mail.Messages)
		if u.Email == "" || how == store.MailOff {
			continue
		}
		now := time.Now().UTC()
		job := store.MailJob{ID: uuid.Must(uuid.NewV7()).String(), To: u.Email, Made: now, Next: now, Subject: n.subject(vm), Text: n.letter(vm)}
		if how == store.MailAttach {
			job.Voicemail = vm.ID
		}
		jobs = append(jobs, job)
	}
	return jobs
}

func (n *announcer) subject(vm store.Voicemail) string {
	s := int(math.Round(vm.Seconds))
	return fmt.Sprintf("Voicemail from %s, %d:%02d", n.who(vm), s/60, s%60)
}

// who left a message, for people. What a caller calls itself is not trusted to be one line.
func (n *announcer) who(vm store.Voicemail) string {
	name := cmp.Or(n.a.org.ContactName(vm.From), vm.FromName)
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if name == "" || name == vm.From {
		return vm.From
	}
	return fmt.Sprintf("%s (%s)", name, vm.From)
}

func (n *announcer) letter(vm store.Voicemail) string {
	var b strings.Builder
	box := "your mailbox"
	if vm.Mailbox.User == "" {
		box = "the mailbox of " + vm.Mailbox.Number
	}
	fmt.Fprintf(&b, "%s left a message of %.0f seconds in %s on %s.\n", n.who(vm), vm.Seconds, box,
		vm.Left.In(n.a.org.zone()).Format("Monday, January 2, 2006 at 3:04 PM"))
	if u, ok := n.a.org.UserByID(vm.Forwarded); ok {
		fmt.Fprintf(&b, "%s forwarded it to you.\n", u.Name)
	}
	if vm.Text != "" {
		fmt.Fprintf(&b, "\nIt was transcribed as:\n\n%s\n", vm.Text)
	}
	fmt.Fprintf(&b, "\nListen to it and delete it at %s, or by dialling %s.\n", cmp.Or(n.a.cfg.HTTP.URL, n.a.httpURL),
		n.a.org.view().dir.Features.Codes.WithDefaults().Voicemail)
	return b.String()
}
