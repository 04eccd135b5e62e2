package voicemail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"strowger/store"
)

// Errors of PINs, for errors.Is.
var (
	ErrWrongPIN = errors.New("wrong PIN")
	ErrLocked   = errors.New("too many wrong PINs; try again later")
	ErrNoPIN    = errors.New("the mailbox has no PIN")
	ErrWeakPIN  = fmt.Errorf("a PIN has %d to %d digits, and neither are all the same nor do they follow each other", store.MinPIN, store.MaxPIN)
)

const (
	wrongPINs = 5 // in a row lock the box
	lockTime  = 15 * time.Minute

	hashesAtOnce = 2 // PINs that are checked at a time: each takes 64 MiB, and anybody who calls may try
)

// SetPIN sets the PIN of a box and unlocks it; "" takes the PIN away, so that it opens from its owner's phones only.
func (b *Boxes) SetPIN(box store.Mailbox, pin string) error {
	return SetPIN(b.cfg.Store, box, pin)
}

// Settings keeps the settings of boxes; store/bolt implements it.
type Settings interface {
	ChangeMailbox(box store.Mailbox, change func(*store.MailboxSettings)) (store.MailboxSettings, error)
}

// SetPIN is Boxes.SetPIN on a store that no server may have open.
func SetPIN(in Settings, box store.Mailbox, pin string) error {
	hash := ""
	if pin != "" {
		if weakPIN(pin) {
			return ErrWeakPIN
		}
		var err error
		if hash, err = argon2id.CreateHash(pin, argon2id.DefaultParams); err != nil {
			return fmt.Errorf("hash the PIN: %w", err)
		}
	}
	_, err := in.ChangeMailbox(box, func(s *store.MailboxSettings) { s.PIN, s.Wrong, s.Locked = hash, 0, time.Time{} })
	return err
}

// HasPIN reports whether a box has a PIN.
func (b *Boxes) HasPIN(box store.Mailbox) (bool, error) {
	s, err := b.cfg.Store.MailboxSettings(box)
	return s.PIN != "", err
}

// CheckPIN is nil when the PIN is right, else it wraps ErrWrongPIN, ErrLocked or ErrNoPIN. A guess counts before it is
// checked: many at once win nothing.
func (b *Boxes) CheckPIN(box store.Mailbox, pin string) error {
	now := b.cfg.Now().UTC()
	locked := false
	s, err := b.cfg.Store.ChangeMailbox(box, func(s *store.MailboxSettings) {
		if locked = now.Before(s.Locked); locked || s.PIN == "" {
			return
		}
		if s.Wrong++; s.Wrong >= wrongPINs {
			s.Wrong, s.Locked = 0, now.Add(lockTime)
		}
	})
	switch {
	case err != nil:
		return err
	case s.PIN == "":
		return fmt.Errorf("mailbox %s: %w", box, ErrNoPIN)
	case locked:
		return fmt.Errorf("mailbox %s: %w", box, ErrLocked)
	}
	b.hashes <- struct{}{}
	right, err := argon2id.ComparePasswordAndHash(pin, s.PIN)
	<-b.hashes
	switch {
	case err != nil:
		return fmt.Errorf("the PIN of mailbox %s: %w", box, err)
	case !right && now.Before(s.Locked):
		return fmt.Errorf("mailbox %s: %w", box, ErrLocked)
	case !right:
		return fmt.Errorf("mailbox %s: %w", box, ErrWrongPIN)
	}
	_, err = b.cfg.Store.ChangeMailbox(box, func(s *store.MailboxSettings) { s.Wrong, s.Locked = 0, time.Time{} })
	return err
}

// weakPIN: too short, too long, no digits, all the same, or in a row up or down.
func weakPIN(pin string) bool {
	if len(pin) < store.MinPIN || len(pin) > store.MaxPIN || strings.Trim(pin, "0123456789") != "" {
		return true
	}
	for _, step := range []int{0, 1, -1} {
		row := true
		for i := 1; i < len(pin); i++ {
			row = row && int(pin[i])-int(pin[i-1]) == step
		}
		if row {
			return true
		}
	}
	return false
}
