package bolt

import (
	"errors"
	"testing"

	"strowger/store"
)

func TestMailboxSettings(t *testing.T) {
	d := open(t)
	box := store.Mailbox{User: "ann"}
	if s := must[store.MailboxSettings](t)(d.MailboxSettings(box)); s.PIN != "" || s.Mailbox != box {
		t.Errorf("a fresh box: %+v", s)
	}
	for range 3 {
		must[store.MailboxSettings](t)(d.ChangeMailbox(box, func(s *store.MailboxSettings) { s.Wrong++ }))
	}
	if s := must[store.MailboxSettings](t)(d.MailboxSettings(box)); s.Wrong != 3 || s.Mailbox != box {
		t.Errorf("changed three times: %+v", s)
	}
	if s := must[store.MailboxSettings](t)(d.MailboxSettings(store.Mailbox{Number: "ann"})); s.Wrong != 0 {
		t.Errorf("a number's box took a user's settings: %+v", s)
	}
}

func TestChangeVoicemail(t *testing.T) {
	d := open(t)
	fill(t, d)
	v := must[store.Voicemail](t)(d.ChangeVoicemail("vm", func(v *store.Voicemail) { v.Saved, v.ID, v.Left = true, "x", at(99) }))
	if !v.Saved || v.ID != "vm" || !v.Left.Equal(at(2)) {
		t.Errorf("%+v", v)
	}
	if _, err := d.ChangeVoicemail("none", func(*store.Voicemail) {}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
}

// The mails of a message are queued once, and only for one that is there.
func TestQueueMails(t *testing.T) {
	d := open(t)
	fill(t, d)
	for _, id := range []string{"1", "2"} {
		check(t, d.QueueMails("vm", []store.MailJob{{ID: id, To: "ann@example.com"}}))
	}
	if err := d.QueueMails("none", []store.MailJob{{ID: "3"}}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
	mails := must[[]store.MailJob](t)(d.Mails())
	if len(mails) != 1 || mails[0].ID != "1" {
		t.Fatalf("queued: %+v", mails)
	}
	mails[0].Tries = 1
	check(t, d.PutMail(mails[0]))
	check(t, d.DeleteMail("1"))
	check(t, d.DeleteMail("1"))
	if mails := must[[]store.MailJob](t)(d.Mails()); len(mails) != 0 {
		t.Errorf("left: %+v", mails)
	}
}
