package app

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"strowger/media"
	"strowger/sip/call"
	"strowger/store"
)

// mediaFactory gives the call engine sessions of the media engine. The two packages do not know each other.
type mediaFactory struct {
	engine  *media.Engine
	longest time.Duration           // of a recording
	trouble func(call, what string) // with a recording
}

// NewSession implements call.MediaFactory.
func (f mediaFactory) NewSession(o call.MediaOptions) (call.MediaSession, error) {
	s, err := f.engine.NewSession(media.Options{
		ID:             o.CallID,
		WebRTC:         o.WebRTC,
		SRTP:           srtpPolicy(o.SRTP),
		Party:          hostOf(o.Source),
		Address:        addressOf(o.Host),
		SilenceTimeout: o.SilenceTimeout,
		OnEvent:        func(e media.Event) { o.Post(mediaEvent(e)) },
	})
	if err != nil {
		return nil, err
	}
	return mediaSession{s}, nil
}

// NewMixer implements call.MediaFactory.
func (f mediaFactory) NewMixer(o call.MixerOptions) (call.Mixer, error) {
	m, err := f.engine.NewMixer(media.MixerOptions{
		ID: o.ID, Tones: o.Tones, OnEvent: func(e media.MixerEvent) { o.Post(mixerEvent(e)) },
	})
	if err != nil {
		return nil, err
	}
	return mixer{m}, nil
}

func mixerEvent(e media.MixerEvent) call.MixerEvent {
	types := map[media.MixerEventType]call.MixerEventType{
		media.Speaking: call.MixerSpeaking, media.Quiet: call.MixerQuiet, media.MixerPlayEnded: call.MixerPlayEnded,
	}
	return call.MixerEvent{Type: types[e.Type], Member: e.Member, Token: e.Token}
}

// mixer is a media.Mixer as the call engine sees it; what is not named here is the mixer's own.
type mixer struct{ *media.Mixer }

// Add implements call.Mixer.
func (m mixer) Add(s call.MediaSession, o call.MemberOptions) error {
	ms, ok := s.(mediaSession)
	if !ok {
		return fmt.Errorf("mixer: %T is no session of this engine", s)
	}
	return m.Mixer.Add(ms.Session, media.MemberOptions{Member: o.Member, Muted: o.Muted, Quiet: o.Quiet})
}

// Remove implements call.Mixer.
func (m mixer) Remove(s call.MediaSession) {
	if ms, ok := s.(mediaSession); ok {
		m.Mixer.Remove(ms.Session)
	}
}

// Mute implements call.Mixer.
func (m mixer) Mute(s call.MediaSession, muted bool) {
	if ms, ok := s.(mediaSession); ok {
		m.Mixer.Mute(ms.Session, muted)
	}
}

// Play implements call.Mixer.
func (m mixer) Play(s call.Sound) error { return m.Mixer.Play(mediaSound(s)) }

// addressOf is a host of a URI when it is an address, else zero.
func addressOf(host string) netip.Addr {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// hostOf is the address in "host:port", zero when there is none.
func hostOf(source string) netip.Addr {
	addr, err := netip.ParseAddrPort(source)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}

func srtpPolicy(p call.SRTPPolicy) media.Policy {
	switch p {
	case call.SRTPOptional:
		return media.Optional
	case call.SRTPRequired:
		return media.Required
	default:
		return media.None
	}
}

func mediaEvent(e media.Event) call.MediaEvent {
	troubles := map[media.Trouble]call.Trouble{media.HighLoss: call.HighLoss, media.HighJitter: call.HighJitter,
		media.OneWay: call.OneWay, media.SilentMic: call.SilentMic}
	types := map[media.EventType]call.MediaEventType{
		media.PlayEnded: call.PlayEnded, media.RecordEnded: call.RecordEnded, media.Digit: call.MediaDigit,
		media.Silent: call.MediaSilent, media.Lost: call.MediaLost, media.Ready: call.MediaReady, media.Quality: call.MediaQuality,
	}
	return call.MediaEvent{Type: types[e.Type], Digit: e.Digit, Millis: e.Millis, Relayed: e.Relayed, InSound: e.InSound,
		Trouble: troubles[e.Trouble], On: e.On, Value: e.Value, Seconds: e.Seconds, Speech: e.Speech, Why: e.Why, Token: e.Token}
}

// mediaSession is a media.Session as the call engine sees it; what is not named here is the session's own.
type mediaSession struct{ *media.Session }

// Bridge implements call.MediaSession.
func (s mediaSession) Bridge(other call.MediaSession) error {
	if other == nil {
		return s.Session.Bridge(nil)
	}
	o, ok := other.(mediaSession)
	if !ok {
		return fmt.Errorf("bridge: %T is no session of this engine", other)
	}
	return s.Session.Bridge(o.Session)
}

// Play implements call.MediaSession.
func (s mediaSession) Play(sound call.Sound) error {
	return s.Session.Play(mediaSound(sound))
}

func mediaSound(s call.Sound) media.Sound {
	return media.Sound{File: s.File, Tone: s.Tone, Loop: s.Loop, From: s.From, Token: s.Token}
}

// Record implements call.MediaSession.
func (s mediaSession) Record(r call.Recording) error {
	return s.Session.Record(media.Recording{File: r.File, MaxSeconds: r.MaxSeconds, SilenceSeconds: r.SilenceSeconds})
}

// Stats implements call.MediaSession.
func (s mediaSession) Stats() store.MediaStat {
	st := s.Session.Stats()
	return store.MediaStat{Codec: st.Codec, SRTP: st.SRTP, In: streamStat(st.In), Out: streamStat(st.Out)}
}

func streamStat(s media.StreamStats) store.StreamStat {
	return store.StreamStat(s)
}
