package media

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"strowger/media/codec"
)

// Config of an Engine.
type Config struct {
	// BindIP is the address of the RTP sockets; zero or "::" = every address of this host, of both families where it has
	// both; 0.0.0.0 = all IPv4 ones. For a wildcard PublicIP must be set.
	BindIP   netip.Addr
	PublicIP netip.Addr // address written into SDP; zero = BindIP
	// PublicIP6 is the IPv6 address for SDP where PublicIP is an IPv4 one; zero = that of the interface that leads to the party.
	PublicIP6 netip.Addr
	// RTPMin and RTPMax are the ports of the RTP sockets: even ones for RTP, the next odd one for RTCP. Both zero = any
	// free pair.
	RTPMin, RTPMax int
	// WebRTCUDP and WebRTCTCP are the listen addresses that all browsers share; "" = not offered (WebRTCUDP "" means no
	// WebRTC at all).
	WebRTCUDP, WebRTCTCP string
	Shards               int                // media goroutines; 0 = one per two CPUs, at least one
	Portable             bool               // use net.UDPConn also on Linux
	NoOpus               bool               // pass Opus on only, even where libopus is installed
	Opus                 codec.OpusSettings // of what is encoded here
	Log                  zerolog.Logger
}

// ErrClosed is returned by sessions and engines that were closed.
var ErrClosed = errors.New("media: closed")

// Engine owns the sockets and goroutines of all sessions.
type Engine struct {
	cfg    Config
	log    zerolog.Logger
	ports  *portRange
	shards []*shard
	hub    webrtcHub // nil without WebRTC
	start  time.Time
	opus   *codec.OpusLibrary // nil: not installed

	sounds sounds

	nums atomic.Uint32  // names of packet sources
	work sync.WaitGroup // recordings that are being completed

	// topology guards who is bridged with whom, of all sessions: changes are rare, and one lock for all cannot be taken
	// in the wrong order.
	topology sync.Mutex
	sessions map[*Session]struct{}
	mixers   map[*Mixer]struct{}
	tapes    map[*Tape]struct{}
	closed   bool
}

// NewEngine opens the WebRTC ports and starts the media goroutines.
func NewEngine(cfg Config) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, log: cfg.Log, start: time.Now(), sessions: map[*Session]struct{}{}, mixers: map[*Mixer]struct{}{}, tapes: map[*Tape]struct{}{},
		ports: newPortRange(cfg.RTPMin, cfg.RTPMax),
	}
	if cfg.WebRTCUDP != "" {
		hub, err := newWebRTCHub(cfg)
		if err != nil {
			return nil, err
		}
		e.hub = hub
	}
	if opus, err := codec.LoadOpus(); err == nil && !cfg.NoOpus {
		opus.Settings = cfg.Opus
		e.opus = opus
	}
	for range cfg.Shards {
		sh, err := newShard(e)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.shards = append(e.shards, sh)
	}
	return e, nil
}

// Close ends all sessions and frees everything. Recordings in progress are completed.
func (e *Engine) Close() {
	e.topology.Lock()
	e.closed = true
	var open []*Session
	for s := range e.sessions {
		open = append(open, s)
	}
	mixers, tapes := slices.Collect(maps.Keys(e.mixers)), slices.Collect(maps.Keys(e.tapes))
	e.topology.Unlock()
	for _, t := range tapes {
		t.Close()
	}
	for _, m := range mixers {
		m.Close()
	}
	for _, s := range open {
		s.Close()
	}
	e.work.Wait()
	for _, sh := range e.shards {
		sh.close()
	}
	if e.hub != nil {
		e.hub.close()
	}
}

// WebRTCAddr is the real "host:port" of the UDP port for browsers, "" without WebRTC.
func (e *Engine) WebRTCAddr() string {
	if e.hub == nil {
		return ""
	}
	return e.hub.addr()
}

// NewSession makes a session; its ports are open when it returns. It fails when no ports are left or WebRTC is not configured.
func (e *Engine) NewSession(opt Options) (*Session, error) {
	switch {
	case !opt.WebRTC:
		return e.newSession(opt, newRTPLink)
	case e.hub == nil:
		return nil, fmt.Errorf("media session %s: no WebRTC address is configured", opt.ID)
	}
	return e.newSession(opt, e.hub.newLink)
}

func (e *Engine) newSession(opt Options, dial func(*Session) (link, error)) (*Session, error) {
	s := &Session{num: e.newSource(), engine: e, opt: opt}
	s.shard = e.shards[int(s.num)%len(e.shards)]
	s.in.init(s)
	s.out.init(s)
	s.path.Store(&path{})
	var err error
	if s.link, err = dial(s); err != nil {
		return nil, fmt.Errorf("media session %s: %w", opt.ID, err)
	}
	e.topology.Lock()
	if e.closed {
		e.topology.Unlock()
		s.link.close()
		return nil, ErrClosed
	}
	e.sessions[s] = struct{}{}
	e.topology.Unlock()
	s.shard.add(s)
	return s, nil
}

// Opus says whether Opus can be played, transcoded and made out of prompts here, beyond being passed on: libopus is
// installed.
func (e *Engine) Opus() bool { return e.opus != nil }

// newSource names a new source of packets: a session or a player. Never 0.
func (e *Engine) newSource() uint32 {
	for {
		if n := e.nums.Add(1); n != 0 {
			return n
		}
	}
}

// now is the engine's monotonic clock.
func (e *Engine) now() time.Duration { return time.Since(e.start) }

func (c *Config) complete() error {
	if !c.BindIP.IsValid() || c.BindIP == netip.IPv6Unspecified() {
		c.BindIP = bothFamilies()
	}
	if !c.PublicIP.IsValid() {
		c.PublicIP = c.BindIP
	}
	if c.PublicIP.IsUnspecified() {
		return fmt.Errorf("media: the public address is unset and the RTP sockets are bound to %s: SDP needs a real address", c.BindIP)
	}
	if c.RTPMin == 0 && c.RTPMax == 0 {
		return c.completeShards()
	}
	if c.RTPMin < 1024 || c.RTPMax > 65535 || c.RTPMin+1 > c.RTPMax {
		return fmt.Errorf("media: RTP ports %d-%d: want at least two ports within 1024-65535", c.RTPMin, c.RTPMax)
	}
	return c.completeShards()
}
