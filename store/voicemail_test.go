package store

import "testing"

func TestMailForUsersOfABox(t *testing.T) {
	shared := MailboxSettings{Mailbox: Mailbox{Number: "+12025550100"}}
	shared.SetMailFor("", MailLink)
	before := shared
	shared.SetMailFor("ann", MailOff)
	shared.SetMailFor("bob", MailAttach)
	shared.SetMailFor("bob", "")
	if a, b := shared.MailFor("ann"), shared.MailFor("bob"); a != MailOff || b != MailLink || len(shared.Mails) != 1 {
		t.Errorf("ann %q, bob %q, %v", a, b, shared.Mails)
	}
	if before.MailFor("ann") != MailLink {
		t.Error("a copy was changed")
	}
	own := MailboxSettings{Mailbox: Mailbox{User: "ann"}}
	own.SetMailFor("ann", MailOff)
	if own.Mail != MailOff || own.Mails != nil {
		t.Errorf("%+v", own)
	}
}
