package voicemail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strowger/store"
)

// goneKeep is how long a box is kept after its user or number is gone: one who was removed by mistake comes back to it.
const goneKeep = 30 * 24 * time.Hour

// sweepBoxes removes boxes that have been nobody's for goneKeep, with their messages, greetings and settings. list is all
// messages. It returns how many messages went.
func (b *Boxes) sweepBoxes(list []store.Voicemail) (removed int, err error) {
	if b.cfg.Exists == nil {
		return 0, nil
	}
	boxes := map[store.Mailbox][]store.Voicemail{}
	for _, vm := range list {
		boxes[vm.Mailbox] = append(boxes[vm.Mailbox], vm)
	}
	folders, err := filepath.Glob(filepath.Join(b.cfg.Data, "voicemail", "*"))
	if err != nil {
		return 0, err
	}
	for _, f := range folders {
		box := boxOf(filepath.Base(f))
		if _, known := boxes[box]; !known {
			boxes[box] = nil
		}
	}
	var failed []error
	for box, messages := range boxes {
		n, err := b.sweepBox(box, messages)
		removed, failed = removed+n, append(failed, err)
	}
	return removed, errors.Join(failed...)
}

// boxOf is the box that a folder belongs to.
func boxOf(folder string) store.Mailbox {
	if strings.HasPrefix(folder, "+") {
		return store.Mailbox{Number: folder}
	}
	return store.Mailbox{User: folder}
}

// sweepBox notes that a box is nobody's, or somebody's again, or removes it when its time is over.
func (b *Boxes) sweepBox(box store.Mailbox, messages []store.Voicemail) (removed int, err error) {
	set, err := b.cfg.Store.MailboxSettings(box)
	if err != nil {
		return 0, err
	}
	now, exists := b.cfg.Now().UTC(), b.cfg.Exists(box)
	switch {
	case exists && set.Gone.IsZero():
		return 0, nil
	case exists || set.Gone.IsZero():
		_, err := b.cfg.Store.ChangeMailbox(box, func(s *store.MailboxSettings) {
			if s.Gone = now; exists {
				s.Gone = time.Time{}
			}
		})
		return 0, err
	case now.Sub(set.Gone) < goneKeep:
		return 0, nil
	}
	for _, vm := range messages {
		if err := b.remove(vm.ID, b.Path(vm)); err != nil && !errors.Is(err, store.ErrNotFound) { // swept a moment ago
			return removed, err
		}
		removed++
		b.changed(vm, true)
	}
	folder, err := b.folder(box)
	if err == nil {
		err = os.RemoveAll(folder)
	}
	if err != nil {
		return removed, fmt.Errorf("remove mailbox %s: %w", box, err)
	}
	b.cfg.Log.Info().Stringer("mailbox", box).Int("messages", removed).Msg("a mailbox whose owner is gone was removed")
	_, err = b.cfg.Store.ChangeMailbox(box, func(s *store.MailboxSettings) { *s = store.MailboxSettings{Mailbox: s.Mailbox} })
	return removed, err
}
