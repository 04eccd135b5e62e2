package app

import (
	"github.com/rs/zerolog"

	"strowger/cmd/strowger/voicemail"
	"strowger/sip"
	"strowger/store"
)

// waiting lights the message lamps of phones. It implements sip.MessageCounts.
type waiting struct {
	org   *organisation
	boxes *voicemail.Boxes
	tell  func(key string) // sip's MessagesChanged
	log   zerolog.Logger
}

// Mailbox implements sip.MessageCounts: a user's own mailbox, by id, extension, phone, or the code that is dialled to listen to
// it; and the shared one of a number that rings the user.
func (w *waiting) Mailbox(user, name string) (key string, ok bool) {
	u, ok := w.org.UserByID(user)
	if !ok {
		return "", false
	}
	d, isDevice := w.org.Device(name)
	if name == u.ID || name == u.Extension || isDevice && d.User == u.ID || name == w.dial() {
		return store.Mailbox{User: u.ID}.String(), u.HasVoicemail()
	}
	for _, n := range w.org.Numbers() {
		if n.Number == name && n.Names(u.ID) {
			return store.Mailbox{Number: n.Number}.String(), true
		}
	}
	return "", false
}

// Messages implements sip.MessageCounts.
func (w *waiting) Messages(key string) (count sip.MessageCount, ok bool) {
	box := store.Mailbox{User: key}
	if w.org.IsOurs(key) {
		box = store.Mailbox{Number: key}
	}
	n, err := w.boxes.Counts(box)
	if err != nil {
		w.log.Error().Err(err).Str("mailbox", key).Msg("messages cannot be counted; message lamps stay as they are")
		return count, false
	}
	count.New, count.Old, count.Dial = n.New, n.Old, w.dial()
	return count, true
}

func (w *waiting) dial() string { return w.org.view().dir.Features.Codes.WithDefaults().Voicemail }

// changed takes a message that was left, heard or removed.
func (w *waiting) changed(vm store.Voicemail, _ bool) { w.tell(vm.Mailbox.String()) }
