package voicemail

import (
	"time"

	"strowger/store"
)

const (
	lateEvery = 10 * time.Second // a message that the store did not take is tried again
	maxLate   = 100              // of them are remembered; what is beyond stays a file
)

// Keep is Add, for a message that must not be lost: where the store cannot be written, because the disk is full, it is tried
// again until it can. The message's file is complete already. Only what is remembered already fills up makes an error.
func (b *Boxes) Keep(vm store.Voicemail) error {
	err := b.Add(vm)
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.late) >= maxLate {
		return err
	}
	b.late = append(b.late, vm)
	b.cfg.Log.Error().Err(err).Stringer("mailbox", vm.Mailbox).Str("file", vm.File).
		Msg("a message was recorded and cannot be put into its mailbox yet; it is tried again: make room on the data folder's disk")
	return nil
}

// keepLate tries again what the store did not take.
func (b *Boxes) keepLate() {
	b.mu.Lock()
	list := b.late
	b.late = nil
	b.mu.Unlock()
	for i, vm := range list {
		if err := b.Add(vm); err != nil {
			b.mu.Lock()
			b.late = append(list[i:len(list):len(list)], b.late...)
			b.mu.Unlock()
			return
		}
		b.cfg.Log.Info().Stringer("mailbox", vm.Mailbox).Str("file", vm.File).Msg("a message that had to wait is in its mailbox now")
	}
}
