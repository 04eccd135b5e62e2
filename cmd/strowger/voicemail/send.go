package voicemail

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"strowger/media"
	"strowger/store"
)

// ErrFull: the box takes no further message.
var ErrFull = errors.New("the mailbox is full")

// Sender is who puts a message into a box without a call to it: by replying or forwarding.
type Sender struct {
	User, Extension, Name string
	Call                  string // the call in which it was done
}

// Send puts a recorded draft into a box as a message of a user's.
func (b *Boxes) Send(to store.Mailbox, from Sender, draft string) error {
	c, err := b.draft(draft)
	if err != nil {
		return err
	}
	return b.deliver(to, from, c, store.Voicemail{From: from.Extension, FromName: from.Name, FromUser: from.User})
}

// Forward copies a message into a colleague's box, after a comment (a draft) when there is one. It still says who left it.
func (b *Boxes) Forward(id string, to store.Mailbox, by Sender, comment string) error {
	vm, err := b.cfg.Store.Voicemail(id)
	if err != nil {
		return err
	}
	c, err := media.ReadClipFile(b.Path(vm))
	if err != nil {
		return fmt.Errorf("forward voicemail %s: %w", id, err)
	}
	if comment != "" {
		said, err := b.draft(comment)
		if err != nil {
			return fmt.Errorf("the comment on voicemail %s: %w", id, err)
		}
		pause := media.Clip{Samples: make([]int16, said.Rate/2), Rate: said.Rate}
		c = said.Trimmed(trimMargin).Joined(pause).Joined(c)
	}
	return b.deliver(to, by, c, store.Voicemail{From: vm.From, FromName: vm.FromName, FromUser: vm.FromUser, Forwarded: by.User, Text: vm.Text})
}

// deliver writes the audio first and the message after it, as every message is.
func (b *Boxes) deliver(to store.Mailbox, from Sender, c media.Clip, vm store.Voicemail) error {
	space, err := b.Space(to)
	if err != nil {
		return err
	}
	if space.Full {
		return fmt.Errorf("mailbox %s: %w", to, ErrFull)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	abs, rel, err := b.File(to, id.String())
	if err != nil {
		return err
	}
	if err := c.Write(abs); err != nil {
		return fmt.Errorf("write a message to mailbox %s: %w", to, err)
	}
	vm.ID, vm.Mailbox, vm.Call, vm.File = id.String(), to, from.Call, rel
	vm.Left, vm.Seconds = b.cfg.Now().UTC(), c.Duration().Seconds()
	return b.Add(vm)
}
