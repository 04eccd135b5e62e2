package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"strowger/cmd/strowger/voicemail"
	"strowger/media"
	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
)

// webVoicemails are the mailboxes and their files.
type webVoicemails struct{ a *App }

func (w webVoicemails) Voicemails(boxes []store.Mailbox) ([]store.Voicemail, error) {
	if boxes == nil {
		return w.a.db.AllVoicemails()
	}
	var list []store.Voicemail
	for _, b := range boxes {
		some, err := w.a.db.Voicemails(b)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	slices.SortStableFunc(list, func(x, y store.Voicemail) int { return cmp.Or(y.Left.Compare(x.Left), cmp.Compare(x.ID, y.ID)) })
	return list, nil
}

func (w webVoicemails) Voicemail(id string) (store.Voicemail, error) { return w.a.db.Voicemail(id) }

func (w webVoicemails) SetHeard(id, user string, heard bool) (store.Voicemail, error) {
	return w.a.boxes.Hear(id, user, heard)
}

func (w webVoicemails) SetSaved(id string, saved bool) (store.Voicemail, error) {
	return w.a.boxes.Save(id, saved)
}

func (w webVoicemails) OpenAudio(vm store.Voicemail) (io.ReadSeekCloser, error) {
	return w.a.boxes.Open(vm)
}

func (w webVoicemails) DeleteVoicemail(id string) error {
	_, err := w.a.boxes.Delete(id)
	return err
}

func (w webVoicemails) RestoreVoicemail(id string) (store.Voicemail, error) {
	return w.a.boxes.Undelete(id)
}

func (w webVoicemails) ForwardVoicemail(id string, to store.Mailbox, by store.User) error {
	return forPeople(w.a.boxes.Forward(id, to, voicemail.Sender{User: by.ID, Extension: by.Extension, Name: by.Name}, ""))
}

// webMailboxes are the settings of mailboxes.
type webMailboxes struct{ a *App }

func (w webMailboxes) MailboxSettings(box store.Mailbox) (store.MailboxSettings, error) {
	return w.a.db.MailboxSettings(box)
}

func (w webMailboxes) SetPIN(box store.Mailbox, pin string) error {
	return forPeople(w.a.boxes.SetPIN(box, pin))
}

func (w webMailboxes) SetMail(box store.Mailbox, user, how string) error {
	_, err := w.a.db.ChangeMailbox(box, func(s *store.MailboxSettings) { s.SetMailFor(user, how) })
	return err
}

func (w webMailboxes) OpenGreeting(box store.Mailbox, kind string) (io.ReadSeekCloser, error) {
	path, err := w.a.boxes.Greeting(box, kind)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

func (w webMailboxes) PutGreeting(box store.Mailbox, kind string, sound io.Reader) error {
	return forPeople(w.a.boxes.PutGreeting(box, kind, sound))
}

func (w webMailboxes) RecordGreeting(user string, box store.Mailbox, kind string) (string, error) {
	code := w.a.org.view().dir.Features.Codes.WithDefaults().Voicemail
	return w.a.calls.Originate(call.OriginateRequest{User: user, To: code, Service: call.ServiceGreeting, Arg: box.String() + "/" + kind})
}

func (w webMailboxes) DeleteGreeting(box store.Mailbox, kind string) error {
	return w.a.boxes.DeleteGreeting(box, kind)
}

// forPeople marks the errors whose text is for whoever asked.
func forPeople(err error) error {
	for _, theirs := range []error{voicemail.ErrWeakPIN, voicemail.ErrFull, voicemail.ErrGreeting, media.ErrClip} {
		if errors.Is(err, theirs) {
			return fmt.Errorf("%w: %w", web.ErrUnacceptable, err)
		}
	}
	return err
}
