package call

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
)

// actor runs one call: it owns the State, turns what legs and media report into events, and does the effects. Everything
// in it but the mailbox belongs to its own goroutine.
type actor struct {
	m    *Manager
	id   string
	log  zerolog.Logger
	mail *mailbox
	hops int // how many SIP hops the call may go out by, 0 = 70

	unread   []letter // taken out of the mailbox, not read yet
	arriving *handing // the leg that another call hands over just now

	state  State
	wires  []wire // by leg
	timers map[int]*time.Timer
	ctx    context.Context // of what a call asks others: over when the call is
	cancel context.CancelFunc
	story  []store.RecordEvent
	at     time.Time // of the event at hand
	last   State     // as subscribers know it
	shown  bool      // subscribers were told that the call began
	ended  bool      // and that it is over

	taping  taping
	media   atomic.Pointer[[]MediaSession] // of the legs, for those who measure
	orders  int                            // commands so far
	replies map[int]chan<- error

	records serial
	vm      message
	mixer   Mixer // of a room, nil = none
	use     usage // what the call counts for in the Manager's limits; guarded by Manager.mu
}

// wire is what belongs to one leg outside the machine.
type wire struct {
	leg       Leg
	media     MediaSession
	way       *route    // its letters; nil once the leg has moved to another call
	in        *Incoming // the INVITE, when it called us
	known     bool      // the Manager knows where it is
	callID    string
	early     string // the SDP of the early answer that was taken
	committed []byte // the SDP that a 183 gave to the caller
	informs   bool   // it presses keys by INFO
	owesSDP   bool   // the ACK must bring the answer to our offer
	stat      store.MediaStat
}

// message is the voicemail being left.
type message struct {
	id, greeting, review, file, rel string
	lost                            bool // it was recorded, but could not be stored
}

// paths is the letter that brings them; the machine gets a MailboxReady.
type paths struct {
	box MailboxOpened
	err error
}

// crashed is the letter that ends a call whose actor must stop now.
type crashed struct{ why string }

func (a *actor) run() {
	defer a.m.left(a)
	defer a.cancel()
	var batch []letter
	for n := 1; !a.state.Done; n++ {
		batch = a.mail.take(batch)
		for i := range batch {
			if a.state.Done {
				a.returnUnread(batch[i:])
				break
			}
			a.unread = batch[i+1:]
			a.read(batch[i])
		}
		a.unread = nil
		clear(batch)
		if a.state.Done || a.mail.empty() || n%16 == 0 { // what follows at once makes one picture
			a.expose()
			a.m.publish(a)
		}
	}
	a.returnUnread(a.mail.close())
	a.replyAll()
	for _, t := range a.timers {
		t.Stop()
	}
}

// read handles one letter. A panic, whoever's it is, ends this call and no other.
func (a *actor) read(l letter) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error().Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("call failed inside; ending it")
			a.crash("internal error")
		}
		a.sendBack(481, "the call could not take the party")
	}()
	a.at = time.Now()
	leg := a.legOf(l.way)
	switch w := l.what.(type) {
	case crashed:
		a.crash(w.why)
	default:
		if e, ok := a.translate(leg, l.what); ok && (l.way == nil || leg != noLeg) {
			e.At = a.at
			a.step(e)
		}
	}
}

// legOf finds the leg whose letters take this way; noLeg when there is none, or the leg is another call's by now.
func (a *actor) legOf(way *route) int {
	if way != nil {
		for i := range a.wires {
			if a.wires[i].way == way {
				return i
			}
		}
	}
	return noLeg
}

func (a *actor) step(e Event) {
	next, effects := Step(a.state, e)
	a.state = next
	for len(a.wires) < len(next.Legs) {
		a.wires = append(a.wires, wire{way: &route{mail: a.mail}})
	}
	for _, effect := range effects {
		a.do(effect)
	}
	a.forgetEnded()
}

// crash ends the call without its machine's help: legs are let go, the record is written.
func (a *actor) crash(why string) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error().Str("panic", fmt.Sprint(p)).Msg("call failed while it was being ended")
			a.state.Done = true
		}
	}()
	next, effects := abort(a.state, a.at, why)
	a.state = next
	for _, effect := range effects {
		a.try(effect)
	}
	a.forgetEnded()
}

// try does an effect of which the failure must not keep the others from being done.
func (a *actor) try(effect Effect) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error().Str("panic", fmt.Sprint(p)).Type("effect", effect).Msg("call failed while it was being ended")
		}
	}()
	a.do(effect)
}

// post gives a leg its way to the mailbox.
func (a *actor) post(leg int) Post {
	way := a.wires[leg].way
	return func(e LegEvent) { way.post(e) }
}

// tell posts to the call itself. Only its own goroutine may tell of a leg.
func (a *actor) tell(leg int, what What) {
	if leg == noLeg {
		a.mail.post(letter{what: what})
	} else if way := a.wires[leg].way; way != nil {
		way.post(what)
	}
}

// translate does the media work that belongs to what was reported, and makes the machine's event of it.
func (a *actor) translate(leg int, what any) (Event, bool) {
	e := Event{Leg: leg}
	switch w := what.(type) {
	case LegEvent:
		e.What = a.fromLeg(leg, w)
	case MediaEvent:
		e.What = a.fromMedia(e.Leg, w)
	case paths:
		a.vm.greeting, a.vm.review, a.vm.file, a.vm.rel = w.box.Greeting, w.box.Review, w.box.File, w.box.Rel
		ready := MailboxReady{Full: w.box.Full, Review: w.box.Review != "", Operator: w.box.Operator}
		if w.err != nil {
			ready.Err = w.err.Error()
		}
		e.Leg, e.What = noLeg, ready
	case MixerEvent:
		if w.Type != MixerPlayEnded {
			e.Leg, e.What = w.Member, PeerSpeaks{w.Type == MixerSpeaking}
		}
	case order:
		e.Leg, e.What = noLeg, a.ordered(w)
	case handing:
		a.arriving = &w
		e.What = w.event
	case tapeFile:
		e.Leg, e.What = noLeg, a.tapeReady(w)
	case What:
		e.What = w
	}
	return e, e.What != nil
}

func (a *actor) fromMedia(i int, w MediaEvent) What {
	switch w.Type {
	case PlayEnded:
		return PlayDone{w.Token}
	case RecordEnded:
		return RecordDone{Seconds: w.Seconds, Silence: max(w.Seconds-w.Speech, 0), Why: w.Why}
	case MediaDigit:
		return PeerDigit{w.Digit, w.Millis, w.Relayed && !(w.InSound && a.informed(i))}
	case MediaSilent:
		return MediaQuiet{}
	case MediaLost:
		return MediaBroken{408, w.Why}
	case MediaReady:
		return MediaUp{}
	case MediaQuality:
		return Judged{w.Trouble, w.On, w.Value}
	}
	return nil
}

// fromLeg takes SDP to the leg's media session and reports the outcome. nil = nothing for the machine.
func (a *actor) fromLeg(i int, w LegEvent) What {
	if i < 0 || i >= len(a.state.Legs) {
		return nil
	}
	leg, wire := &a.state.Legs[i], &a.wires[i]
	switch w.Type {
	case Failed:
		if len(w.Contacts) > 0 {
			return PeerDeflected{w.Code, w.Reason, w.Contacts}
		}
		return PeerFailed{w.Code, w.Reason}
	case Ended:
		return PeerGone{w.Reason}
	case Cancelled:
		return PeerCancelled{}
	}
	if !leg.Phase.live() || wire.leg == nil {
		return nil // it is on its way out; nothing is negotiated any more
	}
	switch w.Type {
	case Progress:
		return a.progress(i, w)
	case Answered:
		return a.answered(i, w)
	case Acked:
		return a.acked(i, w)
	case Reoffered:
		return a.reoffered(i, w)
	case Reanswered:
		if _, err := wire.media.RemoteAnswer(w.SDP); err != nil {
			return MediaBroken{488, err.Error()}
		}
		return PeerRedirected{wire.media.RemoteDirection()}
	case Referred:
		return a.refersTo(w)
	case ReferTold:
		return CarrierSays{w.Code}
	case Digit:
		wire.informs = true
		return PeerDigit{w.Digit, w.Millis, false}
	}
	return nil
}

// progress takes a carrier's early answer; phones ring without.
func (a *actor) progress(i int, w LegEvent) What {
	leg, wire := &a.state.Legs[i], &a.wires[i]
	p := PeerProgress{Code: w.Code}
	if len(w.SDP) == 0 || leg.Trunk == "" || wire.media == nil || leg.Phase > LegRinging {
		return p
	}
	if string(w.SDP) == wire.early {
		p.Codecs = leg.Codecs
		return p
	}
	codecs, err := wire.media.RemoteAnswer(w.SDP)
	if err != nil {
		a.log.Warn().Err(err).Str("peer", wire.leg.Remote()).Msg("early media is not understood; waiting for the answer")
		return p
	}
	wire.early, p.Codecs = string(w.SDP), codecs
	return p
}

func (a *actor) answered(i int, w LegEvent) What {
	leg, wire := &a.state.Legs[i], &a.wires[i]
	if wire.media == nil {
		return MediaBroken{488, "no media"}
	}
	if wire.early != "" && (len(w.SDP) == 0 || string(w.SDP) == wire.early) { // the early answer stands (RFC 3261 §13.2.1)
		return PeerAnswered{leg.Codecs, wire.media.RemoteDirection()}
	}
	codecs, err := wire.media.RemoteAnswer(w.SDP)
	if err != nil {
		a.log.Warn().Err(err).Str("peer", wire.leg.Remote()).Msg("answer has no media in common with our offer")
		return MediaBroken{488, err.Error()}
	}
	return PeerAnswered{codecs, wire.media.RemoteDirection()}
}

// acked: an ACK brings the answer when our 2xx had the offer (RFC 3261 §13.2.2.4).
func (a *actor) acked(i int, w LegEvent) What {
	wire := &a.wires[i]
	acked := PeerAcked{}
	if wire.owesSDP && wire.media != nil {
		wire.owesSDP = false
		if len(w.SDP) == 0 {
			return MediaBroken{488, "ACK without answer"}
		}
		if _, err := wire.media.RemoteAnswer(w.SDP); err != nil {
			return MediaBroken{488, err.Error()}
		}
		acked.Direction = wire.media.RemoteDirection()
		if a.state.Legs[i].Phase == LegUp {
			return PeerRedirected{acked.Direction}
		}
	}
	return acked
}

func (a *actor) reoffered(i int, w LegEvent) What {
	wire := &a.wires[i]
	if len(w.SDP) == 0 || wire.media == nil {
		return PeerReoffered{}
	}
	codecs, err := wire.media.RemoteOffer(w.SDP)
	if err == nil {
		if codecs = both(codecs, a.allowed(i)); len(codecs) > 0 {
			if a.state.Legs[i].Phase <= LegRinging {
				wire.early = string(w.SDP) // the 200 of a party that we ring repeats it
			}
			return PeerReoffered{codecs, wire.media.RemoteDirection()}
		}
	}
	a.log.Warn().Err(err).Str("peer", wire.leg.Remote()).Msg("re-INVITE refused: nothing in common; the call goes on as before")
	wire.leg.RejectReinvite(488)
	return nil
}

// allowed are the codecs that the leg's trunk permits, nil = all.
func (a *actor) allowed(i int) []string {
	if in := a.wires[i].in; in != nil {
		return in.Codecs
	}
	return a.state.Legs[i].To.Codecs
}
