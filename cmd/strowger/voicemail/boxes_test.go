package voicemail

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/media"
	"strowger/store"
	"strowger/store/bolt"
)

var ann, bob = store.Mailbox{User: "ann"}, store.Mailbox{User: "bob"}

// world is boxes on a store of their own, with a clock that the test moves.
type world struct {
	*Boxes
	t    *testing.T
	db   *bolt.DB
	now  time.Time
	told []string // "ID" or "-ID" for one that is gone
	came []string
}

func newWorld(t *testing.T, l Limits) *world {
	t.Helper()
	dir := t.TempDir()
	db, err := bolt.Open(filepath.Join(dir, "strowger.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: db, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	w.Boxes, err = New(Config{Store: db, Data: dir, Limits: l, Now: func() time.Time { return w.now },
		Changed: func(vm store.Voicemail, gone bool) { w.told = append(w.told, strings.Repeat("-", btoi(gone))+vm.ID) },
		Came:    func(vm store.Voicemail) { w.came = append(w.came, vm.ID) }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// speech is a second of silence, so many seconds of sound, and a second of silence.
func speech(seconds int) media.Clip {
	s := make([]int16, 8000*(seconds+2))
	for i := 8000; i < len(s)-8000; i++ {
		s[i] = int16(4000 * (i/4%2*2 - 1))
	}
	return media.Clip{Samples: s, Rate: 8000}
}

func (w *world) leave(box store.Mailbox, id string, seconds int) store.Voicemail {
	w.t.Helper()
	abs, rel, err := w.File(box, id)
	if err == nil {
		err = speech(seconds).Write(abs)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	vm := store.Voicemail{ID: id, Mailbox: box, From: "+12025550100", Left: w.now, File: rel, Seconds: float64(seconds + 2)}
	if err := w.Add(vm); err != nil {
		w.t.Fatal(err)
	}
	vm, err = w.db.Voicemail(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return vm
}

func (w *world) draft(seconds int) string {
	w.t.Helper()
	path, err := w.Draft()
	if err == nil {
		err = speech(seconds).Write(path)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return path
}

func TestMessagesAreTrimmed(t *testing.T) {
	w := newWorld(t, Limits{})
	vm := w.leave(ann, "m1", 3)
	if vm.Seconds < 3.4 || vm.Seconds > 3.6 {
		t.Errorf("three seconds of speech and two of silence are kept as %.2f s", vm.Seconds)
	}
	c, err := media.ReadClipFile(w.Path(vm))
	if err != nil || c.Duration().Seconds() != vm.Seconds {
		t.Errorf("the file has %v, the message says %.2f s (%v)", c.Duration(), vm.Seconds, err)
	}
	if len(w.came) != 1 || len(w.told) != 1 {
		t.Errorf("told %v, came %v", w.told, w.came)
	}
}

func TestHearSaveDeleteUndo(t *testing.T) {
	w := newWorld(t, Limits{})
	w.leave(ann, "m1", 1)
	w.leave(ann, "m2", 1)
	count := func(new, old int) {
		t.Helper()
		if n, err := w.Counts(ann, bob); err != nil || n != (store.MessageCounts{New: new, Old: old}) {
			t.Errorf("%+v %v, want %d new and %d old", n, err, new, old)
		}
	}
	count(2, 0)
	w.told = nil
	for range 2 {
		if vm, err := w.Hear("m1", "bob", true); err != nil || !vm.Heard || vm.HeardBy != "bob" {
			t.Errorf("%+v %v", vm, err)
		}
	}
	count(1, 1)
	for range 2 {
		if _, err := w.Delete("m1"); err != nil {
			t.Error(err)
		}
	}
	count(1, 0)
	if _, err := w.Undelete("m1"); err != nil {
		t.Error(err)
	}
	count(1, 1)
	if vm, err := w.Hear("m1", "ann", false); err != nil || vm.Heard || vm.HeardBy != "" {
		t.Errorf("%+v %v", vm, err)
	}
	count(2, 0)
	if got := strings.Join(w.told, " "); got != "m1 -m1 -m1 m1 m1" {
		t.Errorf("told: %s", got)
	}
	if _, err := w.Delete("none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(t, Limits{Keep: 24 * time.Hour, Undo: time.Hour})
	paths := map[string]string{}
	for _, id := range []string{"new", "heard", "saved", "deleted", "damaged"} {
		paths[id] = w.Path(w.leave(ann, id, 1))
	}
	for id, f := range map[string]func(string) (store.Voicemail, error){
		"heard":   func(id string) (store.Voicemail, error) { return w.Hear(id, "ann", true) },
		"saved":   func(id string) (store.Voicemail, error) { _, _ = w.Hear(id, "ann", true); return w.Save(id, true) },
		"deleted": w.Delete,
		"damaged": w.Delete,
	} {
		if _, err := f(id); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(paths["damaged"]); err != nil { // a crash between the audio and the message
		t.Fatal(err)
	}
	for _, step := range []struct {
		after   time.Duration
		removed int
		left    string
	}{{59 * time.Minute, 0, "new heard saved deleted damaged"}, {time.Minute, 2, "new heard saved"}, {24 * time.Hour, 1, "new saved"}, {9999 * time.Hour, 0, "new saved"}} {
		w.now = w.now.Add(step.after)
		if n, err := w.Sweep(); n != step.removed || err != nil {
			t.Errorf("after %v: %d removed, %v", step.after, n, err)
		}
		for id, path := range paths {
			_, inStore := w.db.Voicemail(id)
			_, onDisk := os.Stat(path)
			want := strings.Contains(" "+step.left+" ", " "+id+" ")
			if (inStore == nil) != want || (onDisk == nil) != want && id != "damaged" {
				t.Errorf("after %v: %s in the store: %v, on disk: %v", step.after, id, inStore, onDisk)
			}
		}
	}
}

func TestSpace(t *testing.T) {
	w := newWorld(t, Limits{Messages: 10, Length: time.Minute})
	space := func() Space {
		s, err := w.Space(ann)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for i := range 9 {
		w.leave(ann, string(rune('a'+i)), 1)
	}
	if s := space(); s != (Space{Almost: true}) {
		t.Errorf("nine of ten: %+v", s)
	}
	w.leave(ann, "j", 1)
	if s := space(); !s.Full {
		t.Errorf("ten of ten: %+v", s)
	}
	if err := w.Send(ann, Sender{User: "bob"}, w.draft(1)); !errors.Is(err, ErrFull) {
		t.Errorf("a reply to a full box: %v", err)
	}
	for i := range 10 {
		if _, err := w.Delete(string(rune('a' + i))); err != nil {
			t.Fatal(err)
		}
	}
	if s := space(); s != (Space{}) {
		t.Errorf("all deleted: %+v", s)
	}
	w.leave(ann, "long", 70)
	if s := space(); !s.Full {
		t.Errorf("more than a minute: %+v", s)
	}
}

func TestSendAndForward(t *testing.T) {
	w := newWorld(t, Limits{})
	vm := w.leave(ann, "m1", 2)
	by := Sender{User: "ann", Extension: "101", Name: "Ann Lee", Call: "c"}
	draft := w.draft(1)
	if err := w.Forward(vm.ID, bob, by, draft); err != nil {
		t.Fatal(err)
	}
	if err := w.Send(bob, by, w.draft(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(draft); err == nil {
		t.Error("the draft is still there")
	}
	list, err := w.List(bob)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	reply, forwarded := list[0], list[1]
	if reply.FromUser != "ann" || reply.From != "101" || reply.Forwarded != "" {
		t.Errorf("the reply: %+v", reply)
	}
	if forwarded.From != "+12025550100" || forwarded.Forwarded != "ann" || forwarded.Seconds < 4.2 || forwarded.Seconds > 5 {
		t.Errorf("the forwarded one: %+v", forwarded)
	}
	if err := w.Send(bob, by, w.Path(vm)); err == nil {
		t.Error("a file that is no draft was sent")
	}
}

func TestGreetings(t *testing.T) {
	w := newWorld(t, Limits{Greeting: 10 * time.Second})
	if got := w.Greets(ann, false); got != "" {
		t.Errorf("a box without greetings has %q", got)
	}
	put := func(kind string) {
		t.Helper()
		if err := w.KeepGreeting(ann, kind, w.draft(2)); err != nil {
			t.Fatal(err)
		}
	}
	greets := func(busy bool, want string) {
		t.Helper()
		if got := filepath.Base(w.Greets(ann, busy)); got != want {
			t.Errorf("busy %v: %s, want %s", busy, got, want)
		}
	}
	put(Unavailable)
	greets(false, "greeting.wav")
	greets(true, ".")
	put(Busy)
	greets(true, "greeting-busy.wav")
	put(Temporary)
	greets(false, "greeting-temporary.wav")
	greets(true, "greeting-temporary.wav")
	for range 2 {
		if err := w.DeleteGreeting(ann, Temporary); err != nil {
			t.Error(err)
		}
	}
	greets(false, "greeting.wav")
	if err := w.PutGreeting(ann, "cheerful", nil); !errors.Is(err, ErrGreeting) {
		t.Error(err)
	}
	if err := w.PutGreeting(ann, Busy, bytes.NewReader(speech(20).WAV())); !errors.Is(err, media.ErrClip) {
		t.Errorf("a greeting that is too long: %v", err)
	}
	if err := w.PutGreeting(store.Mailbox{User: "../x"}, Busy, bytes.NewReader(speech(2).WAV())); err == nil {
		t.Error("a mailbox leads out of the folder")
	}
}

func TestPIN(t *testing.T) {
	w := newWorld(t, Limits{})
	check := func(pin string, want error) {
		t.Helper()
		if err := w.CheckPIN(ann, pin); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", pin, err, want)
		}
	}
	check("", ErrNoPIN)
	for _, weak := range []string{"123", "1111", "1234", "98765", "12345678901", "12a4", "१२४८"} {
		if err := w.SetPIN(ann, weak); !errors.Is(err, ErrWeakPIN) {
			t.Errorf("%s is taken: %v", weak, err)
		}
	}
	if err := w.SetPIN(ann, "2580"); err != nil {
		t.Fatal(err)
	}
	check("2580", nil)
	for range 4 {
		check("2581", ErrWrongPIN)
	}
	check("2580", nil)
	for range 4 {
		check("2581", ErrWrongPIN)
	}
	check("2581", ErrLocked)
	check("2580", ErrLocked)
	w.now = w.now.Add(lockTime)
	check("2580", nil)
	if s, err := w.db.MailboxSettings(ann); err != nil || strings.Contains(s.PIN, "2580") {
		t.Errorf("the PIN is kept as %q (%v)", s.PIN, err)
	}
}

// full is a store that takes no messages while it is full.
type full struct {
	Store
	on bool
}

func (f *full) AddVoicemail(v store.Voicemail) error {
	if f.on {
		return errors.New("no space left on device")
	}
	return f.Store.AddVoicemail(v)
}

// A message whose store is full comes into its box as soon as there is room, in the order of messages, and is told of then.
func TestMessageWaitsForRoom(t *testing.T) {
	w := newWorld(t, Limits{})
	disk := &full{Store: w.db, on: true}
	w.cfg.Store = disk
	for _, id := range []string{"m1", "m2"} {
		abs, rel, err := w.File(ann, id)
		if err == nil {
			err = speech(1).Write(abs)
		}
		if err == nil {
			err = w.Keep(store.Voicemail{ID: id, Mailbox: ann, Left: w.now, File: rel, Seconds: 3})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.keepLate(); len(w.came) != 0 || len(w.late) != 2 {
		t.Fatalf("came %v, %d wait", w.came, len(w.late))
	}
	disk.on = false
	if w.keepLate(); strings.Join(w.came, " ") != "m1 m2" || len(w.late) != 0 {
		t.Errorf("came %v, %d wait", w.came, len(w.late))
	}
	if list, err := w.List(ann); err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
}

// The box of a user who is gone stays for a month, in case that was a mistake, and then goes with all that is in it.
func TestBoxOfNobody(t *testing.T) {
	w := newWorld(t, Limits{})
	here := map[store.Mailbox]bool{ann: true, bob: true}
	w.cfg.Exists = func(box store.Mailbox) bool { return here[box] }
	w.leave(ann, "m1", 1)
	w.leave(bob, "m2", 1)
	if err := w.KeepGreeting(ann, Busy, w.draft(1)); err != nil {
		t.Fatal(err)
	}
	if err := w.SetPIN(ann, "2580"); err != nil {
		t.Fatal(err)
	}
	sweep := func(after time.Duration, want int) {
		t.Helper()
		w.now = w.now.Add(after)
		if n, err := w.Sweep(); err != nil || n != want {
			t.Fatalf("swept %d, want %d: %v", n, want, err)
		}
	}
	sweep(0, 0)
	here[ann] = false
	sweep(time.Hour, 0)
	sweep(goneKeep-time.Hour, 0)
	here[ann] = true // it was a mistake
	sweep(time.Hour, 0)
	here[ann] = false
	sweep(time.Hour, 0)
	sweep(goneKeep-time.Hour, 0)
	sweep(time.Hour, 1)
	if list, err := w.db.AllVoicemails(); err != nil || len(list) != 1 || list[0].Mailbox != bob {
		t.Errorf("left %+v %v", list, err)
	}
	if _, err := os.Stat(filepath.Join(w.cfg.Data, "voicemail", "ann")); !os.IsNotExist(err) {
		t.Errorf("the folder: %v", err)
	}
	if has, err := w.HasPIN(ann); err != nil || has {
		t.Errorf("the PIN: %v %v", has, err)
	}
	sweep(2*goneKeep, 0)
}

// TestDraftsAreSwept: who records and hangs up, again and again, does not fill the disk.
func TestDraftsAreSwept(t *testing.T) {
	w := newWorld(t, Limits{})
	var drafts []string
	for _, age := range []time.Duration{keepDraft + time.Minute, time.Minute} {
		path, err := w.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if err := speech(1).Write(path); err != nil {
			t.Fatal(err)
		}
		if at := w.now.Add(-age); os.Chtimes(path, at, at) != nil {
			t.Fatal("the draft has no time")
		}
		drafts = append(drafts, path)
	}
	if _, err := w.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(drafts[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old draft stays: %v", err)
	}
	if _, err := os.Stat(drafts[1]); err != nil {
		t.Errorf("a new draft is gone: %v", err)
	}
}
