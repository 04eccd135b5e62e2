package app

import (
	"fmt"
	"slices"
	"time"

	"strowger/cmd/strowger/voicemail"
	"strowger/sip/call"
	"strowger/store"
)

// openMailboxes opens the mailboxes. Nobody is told of a change before the web and signalling are there.
func (a *App) openMailboxes() error {
	c := &a.cfg.Voicemail
	a.announces = a.newAnnouncer()
	a.onClose(a.announces.hears.close)
	var err error
	a.boxes, err = voicemail.New(voicemail.Config{Store: a.db, Data: a.cfg.Data, Log: a.log,
		Limits: voicemail.Limits{Messages: c.Messages, Length: c.Length, Keep: time.Duration(c.KeepDays) * 24 * time.Hour, Undo: c.Undo},
		Exists: a.org.hasBox,
		Came:   a.announces.came,
		Changed: func(vm store.Voicemail, gone bool) {
			for _, f := range a.onMessage {
				f(vm, gone)
			}
		},
	})
	return err
}

// OpenMailbox implements call.Records.
func (r *records) OpenMailbox(box store.Mailbox, id string, busy bool) (call.MailboxOpened, error) {
	abs, rel, err := r.boxes.File(box, id)
	if err != nil {
		return call.MailboxOpened{}, err
	}
	space, err := r.boxes.Space(box)
	if err != nil {
		return call.MailboxOpened{}, err
	}
	o := call.MailboxOpened{File: abs, Rel: rel, Full: space.Full, Operator: r.org.Company().Operator != ""}
	prompt := "voicemail-greeting"
	switch {
	case space.Full:
		prompt = "vm-full"
	case box.User == "":
		prompt = "voicemail-shared"
	case busy || r.busy(box.User):
		busy, prompt = true, "voicemail-busy"
	}
	if o.Greeting = r.boxes.Greets(box, busy); o.Greeting == "" || space.Full {
		o.Greeting = r.prompt(prompt)
	}
	if r.review && !space.Full {
		o.Review = r.prompt("vm-review")
	}
	return o, nil
}

// prompt is the file of a prompt, "" when there is none: then it is not said.
func (r *records) prompt(name string) string {
	file, err := r.prompts.file(name)
	if err != nil {
		r.log.Error().Err(err).Msg("a prompt cannot be played")
	}
	return file
}

// usersOf are the users who may use a box: its owner, or those that a number's routing names.
func (o *organisation) usersOf(box store.Mailbox) []string {
	if box.User != "" {
		return []string{box.User}
	}
	var users []string
	for _, n := range o.Numbers() {
		if n.Number == box.Number {
			for _, u := range o.Users() {
				if n.Names(u.ID) {
					users = append(users, u.ID)
				}
			}
		}
	}
	return users
}

// hasBox reports whether a box is a user's, or one of our numbers'.
func (o *organisation) hasBox(box store.Mailbox) bool {
	if box.User != "" {
		_, ok := o.UserByID(box.User)
		return ok
	}
	return slices.ContainsFunc(o.Numbers(), func(n store.Number) bool { return n.Number == box.Number })
}

// boxesOf are the boxes of a user: their own, and the shared one of every number that names them.
func (o *organisation) boxesOf(user string) []store.Mailbox {
	boxes := []store.Mailbox{{User: user}}
	for _, n := range o.Numbers() {
		if n.Names(user) {
			boxes = append(boxes, store.Mailbox{Number: n.Number})
		}
	}
	return boxes
}

// boxNamed is the box that somebody names by an extension, a user's id or one of our numbers.
func (o *organisation) boxNamed(name string) (store.Mailbox, error) {
	if u, ok := o.UserByExtension(name); ok && u.HasVoicemail() {
		return store.Mailbox{User: u.ID}, nil
	}
	if u, ok := o.UserByID(name); ok && u.HasVoicemail() {
		return store.Mailbox{User: u.ID}, nil
	}
	i := slices.IndexFunc(o.Numbers(), func(n store.Number) bool { return n.Number == name || n.Number == "+"+name })
	if i < 0 {
		return store.Mailbox{}, fmt.Errorf("mailbox %q: %w", name, store.ErrNotFound)
	}
	return store.Mailbox{Number: o.Numbers()[i].Number}, nil
}
