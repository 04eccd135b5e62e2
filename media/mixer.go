package media

import "errors"

// MixerOptions of a new mixer.
type MixerOptions struct {
	ID    string // for logs only: the call's id, or the room's
	Tones bool   // all hear a tone when somebody joins or leaves
	// OnEvent is told what happens. It is called from the media goroutines: it must not block, and must not call the mixer.
	OnEvent func(MixerEvent)
}

// MemberOptions of one party in a mixer.
type MemberOptions struct {
	Member int  // names it in events
	Muted  bool // it is not heard
	Quiet  bool // no tone when it joins or leaves
}

// MixerEventType says what happened in a mixer.
type MixerEventType int

// The events of a mixer.
const (
	Speaking       MixerEventType = iota // a member began to talk, muted or not
	Quiet                                // it has said nothing for a second
	MixerPlayEnded                       // a Play without Loop came to its end
)

// MixerEvent is posted by OnEvent.
type MixerEvent struct {
	Type   MixerEventType
	Member int // Speaking, Quiet
	Token  int // MixerPlayEnded: the Sound's
}

// Mixer is a conference.
type Mixer struct{}

// NewMixer makes a mixer without members.
func (e *Engine) NewMixer(MixerOptions) (*Mixer, error) {
	return nil, errors.New("media: conferences are not available")
}

// Add lets a session join.
func (m *Mixer) Add(*Session, MemberOptions) error { return ErrClosed }

// Remove lets a member leave.
func (m *Mixer) Remove(*Session) {}

// Mute stops, or lets pass again, what a member says.
func (m *Mixer) Mute(*Session, bool) {}

// Play lets all members hear a sound.
func (m *Mixer) Play(Sound) error { return ErrClosed }

// Stop ends what is playing.
func (m *Mixer) Stop() {}

// Close lets all members leave.
func (m *Mixer) Close() {}

// member is a session in a mixer.
type member struct{}
