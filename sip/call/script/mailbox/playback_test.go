package mailbox

import (
	"slices"
	"testing"

	"strowger/sip/call/script"
)

// cuts presses a key while a message is heard, so many seconds into it.
func (c *caller) cuts(key byte, file string, at float64) *caller {
	c.heard = nil
	c.in(script.Key{Digit: key, File: file, At: at})
	return c
}

func TestMovingInAMessage(t *testing.T) {
	c := call(t, own).begins()
	c.presses("1").hears("/m1.wav", "vm-message-menu", "vm-playback-keys")
	c.cuts('#', "/m1.wav", 10).hears("/m1.wav", "from 15", "vm-message-menu")
	c.cuts('*', "/m1.wav", 15.5).hears("/m1.wav", "from 10.5")
	c.cuts('*', "/m1.wav", 3).hears("/m1.wav")
	if slices.Contains(c.heard, "from 0") || len(c.heard) != 3 {
		t.Errorf("back to its beginning: heard %q", c.heard)
	}
	c.cuts('0', "/m1.wav", 20).hears("vm-paused")
	c.presses(".").hears("vm-paused")
	c.presses("0").hears("/m1.wav", "from 20")
	c.cuts('0', "/m1.wav", 21).presses("#").hears("/m1.wav", "from 26")
	c.cuts('0', "/m1.wav", 26).presses("7").hears("vm-deleted")
	c.presses("7").hears("vm-undeleted")
	c.presses("5").cuts('#', "/m1.wav", 60).hears("vm-message-menu") // 62 s long: it is over
	if slices.Contains(c.heard, "/m1.wav") {
		t.Errorf("beyond the end: heard %q", c.heard)
	}
	c.presses("5").cuts('6', "/m1.wav", 5).hears("vm-last", "/m2.wav") // other keys do what they always do
	c.cuts('#', "", 0).hears("vm-menu")                                // while its introduction is heard, or after the message
	c.presses("1").cuts('0', "/m2.wav", 1)
	if c.presses("..."); !c.ended {
		t.Error("a pause that nobody ends goes on for ever")
	}
}

func TestOneGreetingIsRecorded(t *testing.T) {
	c := call(t, RecordGreeting{Box: own.Box, Kind: "busy"}).begins().hears("vm-busy-greeting", "vm-record", "vm-review-greeting")
	c.presses("2").hears("/drafts/x.wav")
	c.presses("1").hears("vm-greeting-kept", "goodbye")
	c.wasAsked("Draft KeepGreeting")
	if !c.ended {
		t.Error("the call goes on")
	}
	if c = call(t, RecordGreeting{Box: own.Box, Kind: "busy"}); !c.begins().presses("*").ended {
		t.Error("the call goes on after it was cancelled")
	}
	if c = call(t, RecordGreeting{Box: own.Box, Kind: "loud"}).begins(); len(c.asked) != 0 {
		t.Error("an unknown greeting is recorded")
	}
}
