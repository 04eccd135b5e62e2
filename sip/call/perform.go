package call

import (
	"fmt"
	"os"
	"time"

	"strowger/store"
)

// do does one effect. What it starts reports back by letters; what fails at once does so too.
func (a *actor) do(effect Effect) {
	switch e := effect.(type) {
	case Decide:
		a.tell(noLeg, a.m.decide(a))
	case Lookup:
		a.tell(noLeg, Found{e.Stage, a.lines()})
	case StartTimer:
		a.timers[e.Timer] = time.AfterFunc(e.After, func() { a.tell(noLeg, Timer{e.Timer}) })
	case StopTimer:
		if t := a.timers[e.Timer]; t != nil {
			t.Stop()
			delete(a.timers, e.Timer)
		}
	case OpenRecord:
		rec := a.record()
		a.keep("journal the call", func() error { return a.m.cfg.Records.Open(rec) })
	case CloseRecord:
		a.closeRecord()
	case OpenMailbox:
		a.openMailbox(e)
	case SaveVoicemail:
		a.saveVoicemail()
	case DropVoicemail:
		if file := a.vm.file; file != "" {
			a.keep("remove an empty message", func() error { return ignoreMissing(os.Remove(file)) })
		}
	case DecideTransfer:
		a.tell(noLeg, TransferPlanned{a.m.decideTransfer(a, e)})
	case DecideDeflection:
		a.tell(noLeg, a.m.decideDeflection(a, e))
	case WalkOn:
		a.tell(noLeg, WorkflowSays{a.walkOn(e)})
	case MakeSound:
		a.makeSound(e)
	case AskWeb:
		a.askWeb(e)
	case OpenScript:
		a.openScript()
	case MakePhrases:
		a.makePhrases(e)
	case AskService:
		a.askService(e)
	case DecideDial:
		a.tell(noLeg, DialPlanned{a.m.decideDial(a, e.Target)})
	case Reply:
		a.reply(e)
	case ClaimOrbit:
		a.tell(noLeg, OrbitClaimed{e.Orbit, a.m.claimOrbit(e.Orbit, a.id)})
	case FreeOrbit:
		a.m.freeOrbit(e.Orbit, a.id)
	case FindOrbit:
		a.tell(noLeg, OrbitFound{a.m.onOrbit(e.Orbit)})
	case FindRinging:
		a.tell(noLeg, RingingFound{a.m.ringing(e.Users, a.id)})
	case Yield:
		a.yield(e)
	case Adopt:
		a.adopt(e.Leg)
	case TakeBack:
		a.adopt(e.Leg)
	case Welcome:
		a.welcome(e)
	case Settle:
		if to := a.m.actor(e.To); to != nil {
			to.tell(noLeg, Settled{a.id, e.Code})
		}
	case GiveBack:
		a.sendBack(e.Code, e.Why)
	case Note:
		if len(a.story) < maxStory {
			a.story = append(a.story, store.RecordEvent{At: a.at, Leg: e.Leg, What: e.Text})
		}
	case OpenTape, StartTape, StopTape, PauseTape, TapeLeg:
		a.onTape(effect)
	case Finish:
	default:
		a.onLeg(effect)
	}
}

// onLeg does the effects that need the leg's SIP side.
func (a *actor) onLeg(effect Effect) {
	switch e := effect.(type) {
	case TakeOffer:
		a.takeOffer(e.Leg)
	case Dial:
		a.dial(e)
	case Ring:
		a.wires[e.Leg].leg.Provisional(180, nil)
	case EarlyAnswer:
		if sdp, ok := a.answer(e.Leg, e.Codecs); ok {
			a.wires[e.Leg].committed = sdp
			a.wires[e.Leg].leg.Provisional(183, sdp)
		}
	case Accept:
		a.accept(e)
	case Reject:
		a.wires[e.Leg].leg.Reject(e.Code, e.Phrase, e.Reason)
	case Hangup:
		if leg := a.wires[e.Leg].leg; leg != nil {
			leg.Hangup(e.Reason)
		}
	case Show:
		a.wires[e.Leg].leg.Show(a.party(e.With))
	case PickUp:
		a.wires[e.Leg].leg.PickUp()
	case ReferProgress:
		a.wires[e.Leg].leg.ReferProgress(e.Code, e.Phrase)
	case AskCarrier:
		var with Leg
		if e.With >= 0 {
			with = a.wires[e.With].leg
		}
		a.wires[e.Leg].leg.Refer(e.Number, with)
	case AcceptReoffer:
		a.acceptReoffer(e)
	case RejectReoffer:
		a.wires[e.Leg].leg.RejectReinvite(e.Code)
	case PassDigit:
		a.passDigit(&a.wires[e.Leg], e)
	default:
		a.onMedia(effect)
	}
}

// onMedia does the effects that need the leg's media only.
func (a *actor) onMedia(effect Effect) {
	switch e := effect.(type) {
	case Play:
		a.play(e)
	case MakeWhisper:
		a.makeWhisper(e)
	case StopPlay:
		if s := a.wires[e.Leg].media; s != nil {
			s.Stop()
		}
	case Echo:
		if s := a.wires[e.Leg].media; s != nil {
			a.warn(s.Echo(), "could not send a caller its own voice")
		}
	case StopEcho:
		if s := a.wires[e.Leg].media; s != nil {
			a.warn(s.Bridge(nil), "could not end an echo")
		}
	case RecordVoice:
		a.recordVoice(e)
	case StopRecord:
		if s := a.wires[e.Leg].media; s != nil {
			s.StopRecording()
		} else {
			a.tell(e.Leg, RecordDone{Why: "failed"})
		}
	case Bridge:
		a.bridge(e)
	case Unbridge:
		if s := a.wires[e.Leg].media; s != nil {
			a.warn(s.Bridge(nil), "could not part the legs")
		}
	case CloseMedia:
		if w := &a.wires[e.Leg]; w.media != nil {
			w.stat = w.media.Stats()
			w.media.Close()
			w.media = nil
		}
	default:
		a.onRoom(effect)
	}
}

func (a *actor) warn(err error, msg string) {
	if err != nil {
		a.log.Warn().Err(err).Msg(msg)
	}
}

// session makes the media of leg i.
func (a *actor) session(i int, srtp SRTPPolicy) error {
	way := a.wires[i].way
	s, err := a.m.cfg.Media.NewSession(MediaOptions{
		CallID: a.state.Start.ID, WebRTC: a.state.Legs[i].WebRTC, SRTP: srtp, Source: a.source(i), Host: a.host(i),
		SilenceTimeout: a.m.cfg.Limits.Silence, Post: func(e MediaEvent) { way.post(e) },
	})
	if err != nil {
		a.log.Error().Err(err).Msg("no media for a leg: check the RTP port range and the limit of open files")
		return err
	}
	a.wires[i].media = s
	return nil
}

// source is where the device of leg i signals from, "" for trunks.
func (a *actor) source(i int) string {
	switch to, in := a.state.Legs[i].To, a.wires[i].in; {
	case to.Binding != nil:
		return to.Binding.Source
	case in != nil && in.Device != nil:
		return in.Device.Source
	}
	return ""
}

// host is our address as the peer of leg i reaches it.
func (a *actor) host(i int) string {
	if in := a.wires[i].in; in != nil {
		return in.Host
	}
	return a.state.Legs[i].To.Host
}

func (a *actor) takeOffer(i int) {
	in := a.wires[i].in
	if err := a.session(i, in.SRTP); err != nil {
		a.tell(i, MediaBroken{503, "no media port is free"})
		return
	}
	if len(in.SDP) == 0 {
		a.tell(i, OfferTaken{})
		return
	}
	s := a.wires[i].media
	codecs, err := s.RemoteOffer(in.SDP)
	if err == nil {
		if codecs = both(codecs, in.Codecs); len(codecs) > 0 {
			a.tell(i, OfferTaken{codecs, s.RemoteDirection()})
			return
		}
		err = fmt.Errorf("the offer has none of the codecs allowed here: %v", in.Codecs)
	}
	a.log.Warn().Err(err).Str("peer", in.Leg.Remote()).Msg("the caller's offer cannot be answered")
	a.tell(i, MediaBroken{488, err.Error()})
}

// answer makes the answer to the caller's offer. When it cannot, the call ends.
func (a *actor) answer(i int, codecs []string) ([]byte, bool) {
	w := &a.wires[i]
	if w.media != nil {
		sdp, err := w.media.Answer(codecs)
		if err == nil {
			return sdp, true
		}
		a.log.Warn().Err(err).Strs("codecs", codecs).Msg("could not answer the caller's offer")
	}
	a.tell(i, MediaBroken{488, "the offer could not be answered"})
	return nil, false
}

// accept sends the 200. The machine takes it as sent: when there is nothing to send, the leg is refused here.
func (a *actor) accept(e Accept) {
	w := &a.wires[e.Leg]
	sdp, ok := w.committed, w.committed != nil
	switch {
	case ok:
	case w.in != nil && len(w.in.SDP) > 0:
		sdp, ok = a.answer(e.Leg, e.Codecs)
	case w.media != nil:
		var err error
		sdp, err = w.media.Offer(e.Codecs)
		ok, w.owesSDP = err == nil, true
		a.warn(err, "could not make an offer to the caller")
	}
	if !ok {
		w.leg.Reject(488, phrase(488), Reason{})
		a.tell(e.Leg, PeerFailed{488, Reason{"SIP", 488, "no media in common"}})
		return
	}
	w.leg.Answer(sdp)
}

func (a *actor) acceptReoffer(e AcceptReoffer) {
	w := &a.wires[e.Leg]
	if w.media == nil {
		w.leg.RejectReinvite(488)
		return
	}
	makeSDP := w.media.Answer
	if e.Offer {
		makeSDP = w.media.Offer
	}
	sdp, err := makeSDP(e.Codecs)
	if err != nil {
		a.log.Warn().Err(err).Msg("could not answer a re-INVITE; the call goes on as before")
		w.leg.RejectReinvite(488)
		return
	}
	w.owesSDP = e.Offer
	if w.committed != nil { // the caller's latest early answer, which its 200 repeats
		w.committed = sdp
	}
	w.leg.AnswerReinvite(sdp)
}

func (a *actor) play(e Play) {
	s := a.wires[e.Leg].media
	sound := a.sound(e)
	silent := sound == Sound{}
	sound.Token = e.Token
	var err error
	if s != nil && !silent {
		err = s.Play(sound)
		a.warn(err, "could not play to a party")
	}
	if (s == nil || err != nil || silent) && !sound.Loop {
		a.tell(e.Leg, PlayDone{e.Token})
	}
}

func (a *actor) sound(e Play) Sound {
	switch e.What {
	case Spoken:
		return Sound{File: e.File, From: e.From}
	case Ringback:
		return Sound{Tone: "ringback", Loop: true}
	case Greeting:
		if a.vm.greeting == "" {
			return Sound{}
		}
		return Sound{File: a.vm.greeting}
	case ReviewMenu:
		return Sound{File: a.vm.review}
	case Message:
		return Sound{File: a.vm.file}
	case Announcement:
		if f := a.m.cfg.Speech.Prompt(promptRecorded); f != "" {
			return Sound{File: f}
		}
	case Music:
		if f := a.m.cfg.Speech.Prompt(promptMusic); f != "" {
			return Sound{File: f, Loop: true}
		}
		return Sound{Tone: "silence", Loop: true}
	case Silence:
		return Sound{Tone: "silence", Loop: true}
	case PressOne:
		if f := a.m.cfg.Speech.Prompt(promptPressOne); f != "" {
			return Sound{File: f, Loop: true}
		}
		return Sound{Tone: "beep", Loop: true}
	}
	return Sound{Tone: "beep"}
}

func (a *actor) bridge(e Bridge) {
	x, y := a.wires[e.Leg].media, a.wires[e.Other].media
	if x == nil || y == nil {
		return
	}
	if err := x.Bridge(y); err != nil {
		a.log.Error().Err(err).Msg("could not join the legs")
		a.tell(e.Other, MediaBroken{500, "the parties could not be joined"})
	}
}

// informed reports whether the other party of leg i presses keys by INFO, and so expects them: a key that it has in the sound
// only is told to it once more.
func (a *actor) informed(i int) bool {
	k := a.state.other(i)
	return k >= 0 && a.wires[k].informs
}

// passDigit presses a key at a party: by telephone-event, or by INFO where the party itself presses keys so, or in the
// sound, which is all that is left for one with neither.
func (a *actor) passDigit(w *wire, e PassDigit) {
	if w.media != nil && (w.media.SendDigit(e.Digit, e.Millis) || !w.informs && w.media.SendTone(e.Digit, e.Millis)) {
		return
	}
	w.leg.Info("application/dtmf-relay", fmt.Appendf(nil, "Signal=%c\r\nDuration=%d\r\n", e.Digit, e.Millis))
}
