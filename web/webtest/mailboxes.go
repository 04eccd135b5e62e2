package webtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"strowger/store"
	"strowger/web"
)

// Mailboxes and what is in them.

// Voicemails implements web.Voicemails.
func (f *Fake) Voicemails(boxes []store.Mailbox) ([]store.Voicemail, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.Messages), func(v store.Voicemail) bool {
		return boxes != nil && !slices.Contains(boxes, v.Mailbox)
	}), nil
}

// Voicemail implements web.Voicemails.
func (f *Fake) Voicemail(id string) (store.Voicemail, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	v, ok := find(f.Messages, func(v store.Voicemail) bool { return v.ID == id })
	if !ok {
		return v, fmt.Errorf("voicemail %s: %w", id, store.ErrNotFound)
	}
	return v, nil
}

// OpenAudio implements web.Voicemails.
func (f *Fake) OpenAudio(store.Voicemail) (io.ReadSeekCloser, error) {
	if f.Audio == nil {
		return nil, errors.New("no audio")
	}
	return nopCloser{bytes.NewReader(f.Audio)}, nil
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// SetHeard implements web.Voicemails.
func (f *Fake) SetHeard(id, user string, heard bool) (store.Voicemail, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	i := slices.IndexFunc(f.Messages, func(v store.Voicemail) bool { return v.ID == id })
	if i < 0 {
		return store.Voicemail{}, fmt.Errorf("voicemail %s: %w", id, store.ErrNotFound)
	}
	f.Messages[i].Heard, f.Messages[i].HeardBy = heard, ""
	if heard {
		f.Messages[i].HeardBy = user
	}
	return f.Messages[i], nil
}

// SetSaved implements web.Voicemails.
func (f *Fake) SetSaved(id string, saved bool) (store.Voicemail, error) {
	return f.message(id, func(v *store.Voicemail) { v.Saved = saved })
}

// DeleteVoicemail implements web.Voicemails.
func (f *Fake) DeleteVoicemail(id string) error {
	_, err := f.message(id, func(v *store.Voicemail) { v.Deleted = time.Now() })
	return err
}

// RestoreVoicemail implements web.Voicemails.
func (f *Fake) RestoreVoicemail(id string) (store.Voicemail, error) {
	return f.message(id, func(v *store.Voicemail) { v.Deleted = time.Time{} })
}

// ForwardVoicemail implements web.Voicemails.
func (f *Fake) ForwardVoicemail(id string, to store.Mailbox, by store.User) error {
	v, err := f.Voicemail(id)
	if err != nil {
		return err
	}
	f.Mu.Lock()
	defer f.Mu.Unlock()
	v.ID, v.Mailbox, v.Forwarded = v.ID+"-copy", to, by.ID
	f.Messages = append([]store.Voicemail{v}, f.Messages...)
	return nil
}

func (f *Fake) message(id string, change func(*store.Voicemail)) (store.Voicemail, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	i := slices.IndexFunc(f.Messages, func(v store.Voicemail) bool { return v.ID == id })
	if i < 0 {
		return store.Voicemail{}, fmt.Errorf("voicemail %s: %w", id, store.ErrNotFound)
	}
	change(&f.Messages[i])
	return f.Messages[i], nil
}

// MailboxSettings implements web.Mailboxes.
func (f *Fake) MailboxSettings(box store.Mailbox) (store.MailboxSettings, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return f.Boxes[box], nil
}

// SetPIN implements web.Mailboxes.
func (f *Fake) SetPIN(box store.Mailbox, pin string) error {
	if pin == "1234" {
		return fmt.Errorf("%w: that PIN is too easy", web.ErrUnacceptable)
	}
	return f.set(box, func(s *store.MailboxSettings) { s.PIN = pin })
}

// SetMail implements web.Mailboxes.
func (f *Fake) SetMail(box store.Mailbox, user, how string) error {
	return f.set(box, func(s *store.MailboxSettings) { s.SetMailFor(user, how) })
}

func (f *Fake) set(box store.Mailbox, change func(*store.MailboxSettings)) error {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	if f.Boxes == nil {
		f.Boxes = map[store.Mailbox]store.MailboxSettings{}
	}
	s := f.Boxes[box]
	s.Mailbox = box
	change(&s)
	f.Boxes[box] = s
	return nil
}

// OpenGreeting implements web.Mailboxes.
func (f *Fake) OpenGreeting(box store.Mailbox, kind string) (io.ReadSeekCloser, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	b, ok := f.Greetings[box.String()+" "+kind]
	if !ok {
		return nil, fmt.Errorf("greeting: %w", store.ErrNotFound)
	}
	return nopCloser{bytes.NewReader(b)}, nil
}

// PutGreeting implements web.Mailboxes.
func (f *Fake) PutGreeting(box store.Mailbox, kind string, sound io.Reader) error {
	b, err := io.ReadAll(sound)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("RIFF")) {
		return fmt.Errorf("%w: this is no WAV file", web.ErrUnacceptable)
	}
	f.Mu.Lock()
	defer f.Mu.Unlock()
	if f.Greetings == nil {
		f.Greetings = map[string][]byte{}
	}
	f.Greetings[box.String()+" "+kind] = b
	return nil
}

// DeleteGreeting implements web.Mailboxes.
func (f *Fake) DeleteGreeting(box store.Mailbox, kind string) error {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	delete(f.Greetings, box.String()+" "+kind)
	return nil
}
