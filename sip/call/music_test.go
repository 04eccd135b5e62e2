package call

import (
	"testing"

	"strowger/store"
)

func TestMusicOnHold(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		alice.reoffers("inactive PCMU") // the trunk holds
		bob.hears("music.wav")
		alice.saw("180", "200", "reinvite answered")
		bob.saw() // nothing but music reaches the other side
		bob.reoffers("sendonly PCMU")
		bob.hears("") // both hold
		alice.hears("")
		alice.reoffers("sendrecv PCMU")
		alice.hears("music.wav")
		bob.reoffers("recvonly PCMU") // it only listens: no hold
		alice.hears("")
		bob.reoffers("sendrecv PCMU")
		alice.talksTo(bob)
		bob.reoffers("sendonly PCMU")
		alice.hears("music.wav")
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

// TestHoldBeforeTheAck: the callee holds in its answer, and the caller hears music from its ACK on.
func TestHoldBeforeTheAck(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := bobRings(w)
		bob.answers("sendonly PCMU")
		alice.hears("")
		alice.acks()
		alice.hears("music.wav")
		bob.hangsUp()
		w.ends(store.Answered, "callee", 200)
	})
}
