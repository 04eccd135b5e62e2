package app

import (
	"slices"
	"testing"

	"strowger/cmd/strowger/mail"
	"strowger/store"
)

// Who of a shared box wants no mail gets none; the others are told as the box or the server is set up.
func TestMailsToUsersOfASharedBox(t *testing.T) {
	a := demo(t)
	a.announces.mails = mail.New(mail.Config{Store: a.db})
	a.cfg.Mail.Messages = store.MailAttach
	view := *a.org.view()
	view.dir.Users = slices.Clone(view.dir.Users)
	for i := range view.dir.Users {
		view.dir.Users[i].Email = view.dir.Users[i].ID + "@example.com"
	}
	a.org.now.Store(&view)
	vm := store.Voicemail{ID: "vm", Mailbox: store.Mailbox{Number: "+12025550001"}, From: "+12025550900"}
	told := func() (list []string) {
		for _, job := range a.announces.jobs(vm) {
			how := store.MailLink
			if job.Voicemail != "" {
				how = store.MailAttach
			}
			list = append(list, job.To+" "+how)
		}
		return list
	}
	if got := told(); !slices.Equal(got, []string{"ann@example.com attach", "bob@example.com attach"}) {
		t.Fatalf("as the server is set up: %q", got)
	}
	boxes := webMailboxes{a}
	for _, set := range [][2]string{{"ann", store.MailOff}, {"", store.MailLink}} {
		if err := boxes.SetMail(vm.Mailbox, set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	if got := told(); !slices.Equal(got, []string{"bob@example.com link"}) {
		t.Errorf("as they want it: %q", got)
	}
}
