package call

import (
	"time"

	"strowger/store"
)

// The media of a call, as package media gives it by an adapter in cmd.

// MediaSession is the media of one leg. The adapter in cmd implements it over package media. Codec names are
// "opus", "G722", "PCMU", "PCMA".
type MediaSession interface {
	// Offer makes a local offer with these codecs (nil = all). A second Offer makes the offer of a re-INVITE.
	Offer(codecs []string) ([]byte, error)
	// RemoteOffer takes the peer's offer and returns the codecs that both sides have, in the peer's order.
	RemoteOffer(sdp []byte) ([]string, error)
	// Answer answers the last RemoteOffer with those of codecs that it had (nil = all common ones), first one preferred.
	Answer(codecs []string) ([]byte, error)
	// RemoteAnswer takes the peer's answer to our Offer and returns the negotiated codecs, the peer's preference first.
	RemoteAnswer(sdp []byte) ([]string, error)
	// RemoteDirection is what the peer's last SDP says of itself: sendrecv, sendonly, recvonly or inactive (also for c=0.0.0.0).
	RemoteDirection() string
	// Bridge joins two sessions both ways; each session is in at most one bridge. Passing nil leaves the bridge.
	Bridge(other MediaSession) error
	// Play sends a sound, see Sound. PlayEnded is posted when it is over. A new Play replaces the old one; Stop ends it silently.
	Play(s Sound) error
	Stop()
	// Record writes what the party says to a WAV file until StopRecording, MaxSeconds, or SilenceSeconds without speech;
	// RecordEnded is posted. The file appears under its name when it is complete (temporary name, sync, rename).
	Record(r Recording) error
	StopRecording()
	// Echo sends back what the party says.
	Echo() error
	// SendDigit sends an RFC 4733 event; false when the peer negotiated no telephone-event.
	SendDigit(digit byte, millis int) bool
	// SendTone presses a key in the sound, for a party without telephone-event; false when it can take nothing that we encode.
	SendTone(digit byte, millis int) bool
	Stats() store.MediaStat
	// Close frees ports and goroutines; a running recording is completed first.
	Close()
}

// Sound is something to play: a prompt file (WAV) or a tone.
type Sound struct {
	File string // path of a WAV file, 8 or 16 kHz mono
	Tone string // ringback | busy | congestion | beep | silence
	Loop bool
	From float64 // seconds into it, where it begins
	// Token comes back with PlayEnded: a late end of one sound must not be taken for the end of the next.
	Token int
}

// Recording of one party's voice.
type Recording struct {
	File           string // absolute path
	MaxSeconds     int
	SilenceSeconds int
}

// MediaEvent is what a MediaSession posts.
type MediaEvent struct {
	Type    MediaEventType
	Digit   byte    // MediaDigit: 0-9 * # A-D
	Millis  int     // MediaDigit
	Token   int     // PlayEnded: the Sound's
	Relayed bool    // MediaDigit: the bridge has passed it on by itself
	InSound bool    // MediaDigit: but as a part of the sound only
	Trouble Trouble // MediaQuality
	On      bool    // MediaQuality
	Value   float64 // MediaQuality: as it begins, loss in percent or jitter in milliseconds
	Seconds float64 // RecordEnded: length of audio written
	Speech  float64 // RecordEnded: seconds of it in which something was said
	Why     string  // RecordEnded: stopped | silence | limit | failed; MediaLost: what
}

// MediaEventType says what happened to a leg's media.
type MediaEventType int

// The events of a media session.
const (
	PlayEnded    MediaEventType = iota
	RecordEnded                 // the file is complete; when Why is failed up to there, and with Seconds = 0 not there at all
	MediaDigit                  // an RFC 4733 digit, once, at its end
	MediaSilent                 // no RTP from the party for the configured time
	MediaLost                   // ICE or DTLS failed
	MediaReady                  // ICE and DTLS are up (WebRTC), or the first packet came
	MediaQuality                // a Trouble began (On), goes on (On, every few seconds) or ended
)

// MediaOptions for a new session.
type MediaOptions struct {
	CallID string
	WebRTC bool
	SRTP   SRTPPolicy
	// Source is the "host:port" that a device signals from, "" = not known: a phone behind NAT sends its voice from there
	// and not from the address in its SDP.
	Source string
	// Host is our address as the peer reaches it, for SDP: phones in our own network may not be able to use the address
	// that those outside use. "" = the one that is configured.
	Host string
	// SilenceTimeout posts MediaSilent; 0 = never.
	SilenceTimeout time.Duration
	Post           func(MediaEvent)
}

// MediaFactory makes media sessions.
type MediaFactory interface {
	NewSession(MediaOptions) (MediaSession, error)
	// NewMixer makes the media of a conference, without members.
	NewMixer(MixerOptions) (Mixer, error)
	// NewTape begins to record a call, with nobody on the tape.
	NewTape(TapeOptions) (Tape, error)
}
