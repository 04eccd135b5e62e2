package app

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"strowger/routing"
	"strowger/sip/call"
	"strowger/sip/call/script"
	"strowger/store"
)

// Who calls can make carriers say anything of it: redial and call-back dial it as a number, or not at all.
func TestCallersThatReadLikeCodes(t *testing.T) {
	a := demo(t)
	f, user := a.features(), a.org.Users()[0].ID
	number := "+12025550177"
	for i, from := range []string{number, "*72+12025559999", "anonymous", "911", "**202", ""} {
		at := time.Now().Add(time.Duration(i) * time.Second)
		rec := store.CallRecord{ID: call.ServiceMailbox + from, Direction: store.Inbound, From: from, Start: at, End: at, Participants: []string{user}}
		if err := a.db.CloseCall(rec); err != nil {
			t.Fatal(err)
		}
		if to, err := f.lastCaller(context.Background(), call.ServiceCall{User: user}, script.LastCaller{}); err != nil || to != number && to != "+1911" {
			t.Errorf("after a call of %q redial dials %v, %v", from, to, err)
		}
	}
	m := menuAnswers{a}
	for from, want := range map[string]string{number: number, "(202) 555-0177": number, "*72+12025559999": "", "anonymous": ""} {
		if got := m.message(store.Voicemail{From: from}).CallBack; got != want {
			t.Errorf("a message of %q is called back at %q, want %q", from, got, want)
		}
	}
	ext := a.org.Users()[1].Extension
	if got := m.message(store.Voicemail{From: ext}); got.FromUser != "" || got.ReplyTo != "" {
		t.Errorf("who calls from outside as %s is taken for a colleague: %+v", ext, got)
	}
	if to, err := f.forwardTarget(user, "911"); err == nil {
		t.Errorf("calls are forwarded to the police at %s", to)
	}
}

// The PINs of a room cannot be tried out, neither by calling again and again nor under ever new numbers.
func TestRoomPINsAreNotGuessed(t *testing.T) {
	a := demo(t)
	view := *a.org.view()
	dir := view.dir
	dir.Features.Rooms = []store.Room{{Extension: "8800", PIN: "4711"}}
	index, err := routing.NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	view.index = index
	a.org.now.Store(&view)
	f := a.features()
	enters := func(c call.ServiceCall, pin string) bool {
		t.Helper()
		got, err := f.roomPass(context.Background(), c, script.RoomPass{Room: "8800", PIN: pin})
		if err != nil {
			t.Fatal(err)
		}
		return got.(script.RoomPassed).Enter
	}
	outside, inside := call.ServiceCall{From: call.Party{Number: "+12025550900"}}, call.ServiceCall{User: "ann"}
	for range wrongRoomPINs - 1 {
		enters(outside, "0000")
	}
	if !enters(outside, "4711") {
		t.Error("the right PIN is refused")
	}
	for range wrongRoomPINs {
		enters(outside, "0000")
	}
	if enters(outside, "4711") {
		t.Error("the room can be guessed at")
	}
	if !enters(inside, "4711") {
		t.Error("a user is locked out by strangers")
	}
	w, now := newWrongPINs(zerolog.Nop()), time.Now()
	for range wrongRoomPINs {
		w.wrong(guesser{"8800", ""}, now)
	}
	if !w.refuses(guesser{"8800", ""}, now.Add(roomPINLock-1)) || w.refuses(guesser{"8800", ""}, now.Add(roomPINLock)) {
		t.Error("the lock does not end in time")
	}
}
