package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Policy says whether a session's SDP asks for SDES-SRTP (RFC 4568). WebRTC sessions are always encrypted by DTLS-SRTP.
type Policy int

// The policies. None offers RTP/AVP and refuses SAVP; Optional offers RTP/AVP with a=crypto lines and takes either;
// Required offers RTP/SAVP and refuses peers without keys.
const (
	None Policy = iota
	Optional
	Required
)

// Options of a new session.
type Options struct {
	ID     string // for logs only: the call's id
	WebRTC bool   // ICE-lite and DTLS-SRTP instead of RTP with SDES
	SRTP   Policy // RTP sessions only
	// Party is the host that the party signals from, when it is known and may stand behind NAT: its RTP is expected from
	// there, if not from the address in its SDP.
	Party netip.Addr
	// Address is our address as the party reaches it, for SDP (RTP sessions only); zero = Config.PublicIP.
	Address netip.Addr
	// SilenceTimeout posts Silent, once per silence, when nothing was received for so long; 0 = never. It starts to count
	// with the first SDP exchange that lets the party send, and is suspended while the party's direction says that it will not.
	SilenceTimeout time.Duration
	// OnEvent is told what happens. It is called from the media goroutines: it must not block, and must not call the session.
	OnEvent func(Event)
}

// EventType says what happened to a session.
type EventType int

// The events of a session.
const (
	PlayEnded   EventType = iota // a Play without Loop came to its end
	RecordEnded                  // the file is complete; when Why is "failed" up to there, and with Seconds = 0 not there at all
	Digit                        // the party pressed a key (RFC 4733, or heard in its voice), posted once, at its end
	Silent                       // nothing received for SilenceTimeout
	Lost                         // the way to the party is lost for good (ICE, DTLS); Why says what
	Ready                        // the first packet came (RTP), or ICE and DTLS are up (WebRTC)
	Quality                      // Trouble began (On), goes on (On again, every few seconds) or ended
)

// Event is posted by OnEvent.
type Event struct {
	Type   EventType
	Digit  byte // Digit: 0-9 * # A-D
	Millis int  // Digit: how long it was pressed
	Token  int  // PlayEnded: the Sound's
	// Relayed is set on a Digit that the bridge passed on to the other party by itself. One that it could not pass (the
	// other party has no telephone-event) is left to the caller, who may send a SIP INFO.
	Relayed bool
	// InSound is set on a Digit that the other party has in the sound only.
	InSound bool
	Seconds float64 // RecordEnded: length of audio written
	Speech  float64 // RecordEnded: seconds of it in which something louder than -42 dBFS is said, with the pauses between words
	Trouble Trouble // Quality
	On      bool    // Quality
	Value   float64 // Quality: loss in percent, jitter in milliseconds, as it begins; else 0
	Why     string  // RecordEnded: stopped | silence | limit | failed; Lost: what
}

// Sound is something to play: a WAV file (8 or 16 kHz, mono, 16 bit PCM) or a tone.
type Sound struct {
	File string
	Tone string // ringback | busy | congestion | beep | silence
	Loop bool
	From float64 // seconds into it, where it begins
	// Token comes back with PlayEnded, so that a late end of one sound is not taken for the end of the next.
	Token int
}

// Recording of one party's voice.
type Recording struct {
	File           string // absolute path of the WAV; it appears when it is complete
	MaxSeconds     int    // 0 = no limit
	SilenceSeconds int    // end after so long without speech, 0 = never
}

// Stats is the quality of one session. In is what we received, Out what we sent and what the receiver's reports said of it.
type Stats struct {
	Codec string // what the party sends, or what was agreed first while it has not sent
	SRTP  string // "" | sdes | dtls
	In    StreamStats
	Out   StreamStats
}

// StreamStats counts one direction.
type StreamStats struct {
	Packets  uint64
	Bytes    uint64  // payload only
	Lost     uint64  // cumulative, RFC 3550 §6.4.1
	JitterMS float64 // RFC 3550 §6.4.1
	// RTTMS is the round trip: at Out as we measure it (LSR and DLSR of the party's reports), at In as the party says that
	// it does (RTCP XR). 0 = not known.
	RTTMS float64
	// Late came too late to be heard: here, where the sound is terminated here; or else, at In, for a buffer of 100 ms
	// at the other party; at Out, as the party says (RTCP XR).
	Late        uint64
	Reordered   uint64  // In only
	Duplicates  uint64  // In only
	ConcealedMS float64 // In only: sound made up for what was lost or late; an estimate where it is only relayed
	Burst       float64 // BurstR: 1 = losses are random, more = they come in bursts; 0 = not known
	R           float64 // of the E-model (see Rating); 0 = nothing was heard
	MOS         float64 // that goes with it, 1 to 4.5; 0 = nothing was heard
}

// A link is the way between a session and its party: SDP, sockets and keys. rtpLink is plain RTP and SDES-SRTP;
// webrtcLink is ICE-lite and DTLS-SRTP. Everything that does not depend on the way (streams, bridge, digits,
// players, recorders, RTCP) is the Session's.
//
//	party ─packets→ link ─received→ Session.in ─path→ other Session.out ─sendRTP→ its link ─packets→ party
//
// The SDP methods are called one at a time (the session holds its negotiation lock). sendRTP and sendRTCP are called
// with the outgoing stream's lock held, from any goroutine; they must not block, keep the slice, or call the session.
// The link delivers with Session.received and Session.receivedRTCP, and tells Session.linkReady and Session.linkLost.
type link interface {
	// offer makes a new offer with these codecs in this order; with telephone-event. Called again for a re-INVITE.
	offer(codecs []*codecInfo) ([]byte, error)
	// remoteOffer takes an offer and returns the codecs of ours that it has, in its order.
	remoteOffer(sdp []byte) ([]*codecInfo, error)
	// answer answers the last remoteOffer with those of codecs that it had (nil = all common ones), first one preferred.
	answer(codecs []*codecInfo) ([]byte, agreement, error)
	// remoteAnswer takes the answer to the last offer.
	remoteAnswer(sdp []byte) (agreement, error)
	// remoteDirection is sendrecv, sendonly, recvonly or inactive, as the peer's last SDP says of itself.
	remoteDirection() string

	// sendRTP sends one RTP packet with a bare 12-byte header (no CSRC, no extension, no padding).
	sendRTP(pkt []byte)
	// sendRTCP sends one compound RTCP packet.
	sendRTCP(pkt []byte)
	// srtp is "", "sdes" or "dtls", for Stats.
	srtp() string
	// close frees sockets and goroutines. Nothing is delivered after it returns.
	close()
}

// webrtcHub makes the links of browsers: it owns the one UDP and one TCP port that they all share.
type webrtcHub interface {
	newLink(s *Session) (link, error)
	addr() string // "host:port" of the UDP port
	close()
}

// format is one payload that SDP agreed.
type format struct {
	codec *codecInfo
	send  uint8 // payload type of what we send
	recv  uint8 // payload type of what we receive
}

// agreement is what one SDP exchange came to.
type agreement struct {
	audio  []format // the peer's preference first, never empty
	events []format // telephone-event, by clock rate; empty when the peer has none
	noise  uint8    // payload type of comfort noise that the peer takes, 0 = none
	ptime  int      // milliseconds of audio per packet that the peer wants, 20 when it does not say
	send   bool     // the peer wants to hear us
	recv   bool     // the peer may talk
	opus   bool     // Opus can be encoded here; the session fills it in
	xr     xrTerms  // what the peer takes of RTCP XR
}

// Session is the media of one party: it negotiates by SDP, receives and sends RTP, and is joined to another session by
// Bridge, or ended here by Play, Record and Echo. Its methods may be called from any goroutine and do not block for
// longer than a file takes to open.
type Session struct {
	num    uint32 // names the session as a source of packets, never 0
	engine *Engine
	shard  *shard
	opt    Options
	link   link

	in   inStream
	out  outStream
	path atomic.Pointer[path] // where received packets go; rebuilt on every change, read per packet

	nego sync.Mutex // one SDP exchange at a time

	// Guarded by engine.topology: what the paths are made of.
	agreed      agreement
	peer        *Session
	echo        bool
	closed      bool
	player      *player
	recorder    *recorder
	listener    *listener   // nil: nobody listens to it here
	listenSince StreamStats // what had come when somebody began to
	playedOut   playedOut
	lane        *lane // of the tape that it is on
	lastCoder   *transcoder
	member      *member // of a mixer
	inband      *inbandListener

	ready atomic.Bool
	watch watch // the shard's clock's
	xr    xrState
}

// ID is the Options' ID.
func (s *Session) ID() string { return s.opt.ID }

func (s *Session) post(ev Event) {
	if s.opt.OnEvent != nil {
		s.opt.OnEvent(ev)
	}
}

// linkReady says that the party can be reached: its first packet came, or ICE and DTLS are up. Only the first call counts.
func (s *Session) linkReady() {
	if s.ready.CompareAndSwap(false, true) {
		s.post(Event{Type: Ready})
	}
}

// linkLost says that the party cannot be reached any more.
func (s *Session) linkLost(why string) { s.post(Event{Type: Lost, Why: why}) }
