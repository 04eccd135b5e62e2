// Package voicemail keeps the mailboxes: what may be done with messages, greetings and PINs, in the same way for whoever asks,
// by phone, by the page or by the API. Messages are in the store; their audio and the greetings are WAV files in the data
// folder:
//
//	voicemail/BOX/ID.wav                 a message
//	voicemail/BOX/greeting.wav           the greeting of who is away
//	voicemail/BOX/greeting-busy.wav      of who is on a call
//	voicemail/BOX/greeting-temporary.wav instead of both, as long as it is there
//	drafts/                              what is being recorded by phone and was not kept yet
package voicemail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"strowger/media"
	"strowger/store"
)

// Store keeps the messages; store/bolt implements it.
type Store interface {
	AddVoicemail(v store.Voicemail) error
	Voicemail(id string) (store.Voicemail, error)
	Voicemails(box store.Mailbox) ([]store.Voicemail, error)
	AllVoicemails() ([]store.Voicemail, error)
	ChangeVoicemail(id string, change func(*store.Voicemail)) (store.Voicemail, error)
	DeleteVoicemail(id string) (store.Voicemail, error)
	MailboxSettings(box store.Mailbox) (store.MailboxSettings, error)
	ChangeMailbox(box store.Mailbox, change func(*store.MailboxSettings)) (store.MailboxSettings, error)
}

// Limits of every box. Zero values: no limit.
type Limits struct {
	Messages int           // in a box, deleted ones not counted
	Length   time.Duration // of all messages in a box together
	Greeting time.Duration // longest greeting; 0 = 2 minutes
	Keep     time.Duration // messages that were heard and not saved are removed when they are older
	Undo     time.Duration // how long a deletion can be taken back; 0 = an hour
}

// Config of the boxes.
type Config struct {
	Store  Store
	Data   string // the data folder
	Limits Limits
	// Exists reports whether a box is a user's, or one of our numbers'; nil = every box is.
	Exists func(box store.Mailbox) bool
	// Changed is told of each message that came, changed or went (gone: deleted, or removed for good), on any goroutine.
	Changed func(vm store.Voicemail, gone bool)
	// Came is told of each message that somebody left: to announce it. It must not block.
	Came func(vm store.Voicemail)
	Now  func() time.Time // nil = time.Now
	Log  zerolog.Logger
}

// Boxes are all mailboxes of a server. Methods are safe for concurrent use; those with a file touch the disk.
type Boxes struct {
	cfg    Config
	hashes chan struct{} // holds one token for each PIN that is being checked

	mu   sync.Mutex
	late []store.Voicemail // recorded, and not in the store: see Keep
}

// New makes the boxes, and removes drafts and what else a crash left half done.
func New(c Config) (*Boxes, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Limits.Greeting == 0 {
		c.Limits.Greeting = 2 * time.Minute
	}
	if c.Limits.Undo == 0 {
		c.Limits.Undo = time.Hour
	}
	b := &Boxes{cfg: c, hashes: make(chan struct{}, hashesAtOnce)}
	if err := os.RemoveAll(b.drafts()); err != nil {
		return nil, fmt.Errorf("empty the folder of drafts: %w", err)
	}
	halves, err := filepath.Glob(filepath.Join(c.Data, "voicemail", "*", ".*.wav.*")) // what a crash kept Clip.Write from renaming
	if err != nil {
		return nil, err
	}
	for _, f := range halves {
		if err := os.Remove(f); err != nil {
			return nil, fmt.Errorf("remove half a file: %w", err)
		}
	}
	return b, nil
}

// Folder of a box, absolute; it is made when it is absent.
func (b *Boxes) folder(box store.Mailbox) (string, error) {
	name := box.String()
	if name == "" || box.User != "" && box.Number != "" || filepath.Base(name) != name || name == ".." || name == "." {
		return "", fmt.Errorf("mailbox %+v has no folder name", box)
	}
	path := filepath.Join(b.cfg.Data, "voicemail", name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make the mailbox's folder: %w", err)
	}
	return path, nil
}

// File is where a new message belongs: its absolute path, and the one relative to the data folder.
func (b *Boxes) File(box store.Mailbox, id string) (abs, rel string, err error) {
	folder, err := b.folder(box)
	if err != nil {
		return "", "", err
	}
	rel = filepath.Join("voicemail", box.String(), id+".wav")
	return filepath.Join(folder, id+".wav"), rel, nil
}

func (b *Boxes) drafts() string { return filepath.Join(b.cfg.Data, "drafts") }

// Draft is a path for a recording that may or may not be kept: a greeting, a reply, a comment. What is left there is removed
// with the next start.
func (b *Boxes) Draft() (string, error) {
	if err := os.MkdirAll(b.drafts(), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of drafts: %w", err)
	}
	return filepath.Join(b.drafts(), uuid.NewString()+".wav"), nil
}

// draft reads a recording that was made at a path of Draft, and removes it.
func (b *Boxes) draft(path string) (media.Clip, error) {
	if filepath.Dir(path) != b.drafts() {
		return media.Clip{}, fmt.Errorf("%s is no draft", path)
	}
	defer os.Remove(path) // the next start removes what stays
	return media.ReadClipFile(path)
}

// Counts of the messages of boxes, for lamps.
func (b *Boxes) Counts(boxes ...store.Mailbox) (store.MessageCounts, error) {
	var n store.MessageCounts
	for _, box := range boxes {
		list, err := b.List(box)
		if err != nil {
			return n, err
		}
		for _, vm := range list {
			if vm.Heard {
				n.Old++
			} else {
				n.New++
			}
		}
	}
	return n, nil
}

// List is the messages of a box, newest first, without deleted ones.
func (b *Boxes) List(box store.Mailbox) ([]store.Voicemail, error) {
	list, err := b.cfg.Store.Voicemails(box)
	return slices.DeleteFunc(list, func(vm store.Voicemail) bool { return !vm.Deleted.IsZero() }), err
}

// Space says how full a box is.
type Space struct {
	Full   bool // nobody can leave a message
	Almost bool // nine tenths are used
}

// Space of a box, by its own limits and the room on the disk.
func (b *Boxes) Space(box store.Mailbox) (Space, error) {
	if free, err := freeSpace(b.cfg.Data); err == nil && free < leastFree {
		b.cfg.Log.Error().Int64("free_bytes", free).Str("folder", b.cfg.Data).Msg("no room for voicemail on the data folder's disk: callers are told that the mailbox is full")
		return Space{Full: true, Almost: true}, nil
	}
	list, err := b.List(box)
	if err != nil {
		return Space{}, err
	}
	var length time.Duration
	for _, vm := range list {
		length += time.Duration(vm.Seconds * float64(time.Second))
	}
	l := b.cfg.Limits
	used := 0.0
	if l.Messages > 0 {
		used = float64(len(list)) / float64(l.Messages)
	}
	if l.Length > 0 {
		used = max(used, float64(length)/float64(l.Length))
	}
	return Space{Full: used >= 1, Almost: used >= 0.9}, nil
}

// trimMargin is how much silence stays at the ends of a message; less than twice as much is not worth writing a file for.
const trimMargin = 250 * time.Millisecond

// Add puts a message into its box whose audio is complete, without the silence at its ends, and tells of it.
func (b *Boxes) Add(vm store.Voicemail) error {
	path := filepath.Join(b.cfg.Data, vm.File)
	if c, err := media.ReadClipFile(path); err != nil {
		b.cfg.Log.Warn().Err(err).Msg("a message stays as it is: it cannot be trimmed")
	} else if t := c.Trimmed(trimMargin); c.Duration()-t.Duration() > 2*trimMargin {
		if err := t.Write(path); err != nil { // the message is there all the same
			b.cfg.Log.Warn().Err(err).Msg("the silence around a message could not be trimmed: check the data folder's disk")
		} else {
			vm.Seconds = t.Duration().Seconds()
		}
	}
	if err := b.cfg.Store.AddVoicemail(vm); err != nil {
		return err
	}
	b.changed(vm, false)
	if b.cfg.Came != nil {
		b.cfg.Came(vm)
	}
	return nil
}

func (b *Boxes) changed(vm store.Voicemail, gone bool) {
	if b.cfg.Changed != nil {
		b.cfg.Changed(vm, gone)
	}
}

// change changes a message and tells of it.
func (b *Boxes) change(id string, f func(*store.Voicemail)) (store.Voicemail, error) {
	vm, err := b.cfg.Store.ChangeVoicemail(id, f)
	if err == nil {
		b.changed(vm, !vm.Deleted.IsZero())
	}
	return vm, err
}

// Hear marks a message as heard by a user, who stays noted until it is new again.
func (b *Boxes) Hear(id, user string, heard bool) (store.Voicemail, error) {
	if vm, err := b.cfg.Store.Voicemail(id); err != nil || vm.Heard == heard {
		return vm, err
	}
	return b.change(id, func(vm *store.Voicemail) {
		switch {
		case !heard:
			vm.Heard, vm.HeardBy = false, ""
		case !vm.Heard:
			vm.Heard, vm.HeardBy = true, user
		}
	})
}

// Save keeps a message beyond Limits.Keep, or no longer.
func (b *Boxes) Save(id string, saved bool) (store.Voicemail, error) {
	return b.change(id, func(vm *store.Voicemail) { vm.Saved = saved })
}

// Delete deletes a message; until it is swept that can be taken back. Repeating it changes nothing.
func (b *Boxes) Delete(id string) (store.Voicemail, error) {
	return b.change(id, func(vm *store.Voicemail) {
		if vm.Deleted.IsZero() {
			vm.Deleted = b.cfg.Now().UTC()
		}
	})
}

// Undelete takes a deletion back.
func (b *Boxes) Undelete(id string) (store.Voicemail, error) {
	return b.change(id, func(vm *store.Voicemail) { vm.Deleted = time.Time{} })
}

// SetText keeps what a transcription heard.
func (b *Boxes) SetText(id, text string) (store.Voicemail, error) {
	return b.change(id, func(vm *store.Voicemail) { vm.Text = text })
}

// Open opens the audio of a message.
func (b *Boxes) Open(vm store.Voicemail) (io.ReadSeekCloser, error) {
	f, err := os.OpenInRoot(b.cfg.Data, vm.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the audio of voicemail %s: %w", vm.ID, store.ErrNotFound)
	}
	return f, err
}

// Path of a message's audio, absolute.
func (b *Boxes) Path(vm store.Voicemail) string { return filepath.Join(b.cfg.Data, vm.File) }
