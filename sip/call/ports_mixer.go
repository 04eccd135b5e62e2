package call

// Mixer is the media of a conference: each member hears the sum of the others and never itself. The adapter in cmd
// implements it over package media. Its methods do not block, and do nothing once it is closed.
type Mixer interface {
	// Add lets a session join; it leaves its bridge, echo or earlier mixer. What it plays (MediaSession.Play) it hears alone,
	// instead of the others, who hear it meanwhile. Adding a member again changes its options. It fails when the session is
	// closed, or its party has only codecs that cannot be encoded here.
	Add(s MediaSession, o MemberOptions) error
	// Remove lets a member leave; others who were bridged to it before are not bridged again. A session that is no member is
	// left alone. A session that is closed, or bridged to another one, leaves by itself.
	Remove(s MediaSession)
	// Mute stops, or lets pass again, what a member says.
	Mute(s MediaSession, muted bool)
	// Play lets all members hear a sound, over what is said. MixerPlayEnded is posted when it is over. A new Play replaces the
	// old one; Stop ends it silently.
	Play(s Sound) error
	Stop()
	// Close lets all members leave. The sessions stay open.
	Close()
}

// MixerOptions for a new mixer.
type MixerOptions struct {
	ID    string // for logs: the call's id, or the room's
	Tones bool   // all hear a tone when somebody joins or leaves
	Post  func(MixerEvent)
}

// MemberOptions of one party in a mixer.
type MemberOptions struct {
	Member int  // names it in events
	Muted  bool // it is not heard: listen-only from the beginning, see Mixer.Mute
	Quiet  bool // no tone when it joins or leaves
}

// MixerEvent is what a Mixer posts. Post never blocks.
type MixerEvent struct {
	Type   MixerEventType
	Member int // MixerSpeaking, MixerQuiet
	Token  int // MixerPlayEnded: the Sound's
}

// MixerEventType says what happened in a conference.
type MixerEventType int

// The events of a mixer.
const (
	MixerSpeaking  MixerEventType = iota // a member began to talk; posted for a muted one too, who may want to know
	MixerQuiet                           // it has said nothing for a second
	MixerPlayEnded                       // a Play without Loop came to its end
)
