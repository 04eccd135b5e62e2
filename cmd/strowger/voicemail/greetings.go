package voicemail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"strowger/media"
	"strowger/store"
)

// Kinds of greeting.
const (
	Unavailable = "unavailable"
	Busy        = "busy"
	Temporary   = "temporary"
)

// GreetingKinds are all kinds of greeting.
var GreetingKinds = []string{Unavailable, Busy, Temporary}

var greetingFiles = map[string]string{Unavailable: "greeting.wav", Busy: "greeting-busy.wav", Temporary: "greeting-temporary.wav"}

// ErrGreeting is what errors about an unknown kind of greeting wrap.
var ErrGreeting = errors.New("the greeting must be unavailable, busy or temporary")

func (b *Boxes) greetingPath(box store.Mailbox, kind string) (string, error) {
	name := greetingFiles[kind]
	if name == "" {
		return "", fmt.Errorf("%w, not %q", ErrGreeting, kind)
	}
	folder, err := b.folder(box)
	return filepath.Join(folder, name), err
}

// Greeting is the file of a greeting of the box's own; the error wraps store.ErrNotFound when there is none.
func (b *Boxes) Greeting(box store.Mailbox, kind string) (string, error) {
	path, err := b.greetingPath(box, kind)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s greeting of mailbox %s: %w", kind, box, store.ErrNotFound)
	}
	return path, nil
}

// Greets is the file of the greeting that callers hear now, "" when the box has none of its own: the temporary one, or that of
// who is on a call, or that of who is away.
func (b *Boxes) Greets(box store.Mailbox, busy bool) string {
	kinds := []string{Temporary, Unavailable}
	if busy {
		kinds = []string{Temporary, Busy}
	}
	for _, kind := range kinds {
		if path, err := b.Greeting(box, kind); err == nil {
			return path
		}
	}
	return ""
}

// PutGreeting takes a greeting from a file that somebody uploads: see media.ReadClip. The error wraps media.ErrClip when the file is
// to blame.
func (b *Boxes) PutGreeting(box store.Mailbox, kind string, sound io.Reader) error {
	path, err := b.greetingPath(box, kind)
	if err != nil {
		return err
	}
	c, err := media.ReadClip(sound, b.cfg.Limits.Greeting)
	if err != nil {
		return err
	}
	return b.keepGreeting(path, c)
}

// KeepGreeting takes a recorded draft as greeting.
func (b *Boxes) KeepGreeting(box store.Mailbox, kind, draft string) error {
	path, err := b.greetingPath(box, kind)
	if err != nil {
		return err
	}
	c, err := b.draft(draft)
	if err != nil {
		return err
	}
	return b.keepGreeting(path, c)
}

func (b *Boxes) keepGreeting(path string, c media.Clip) error {
	if err := c.Trimmed(trimMargin).Write(path); err != nil {
		return fmt.Errorf("write a greeting: %w", err)
	}
	return nil
}

// DeleteGreeting removes a greeting; callers hear the standard one. One that is not there is no error.
func (b *Boxes) DeleteGreeting(box store.Mailbox, kind string) error {
	path, err := b.greetingPath(box, kind)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete a greeting: %w", err)
	}
	return nil
}
