package call

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	"strowger/store"
)

// What a call leaves behind. The store is asked on a goroutine of its own, in order; the call never waits for it.

// Limits of a message in a mailbox.
const (
	messageSeconds = 300
	messageSilence = 8
)

// maxStory is how many lines a record tells: a phone that holds and resumes all day shall not fill the store.
const maxStory = 500

// keep does f after everything that was kept before. A failure is the operator's to know; the call goes on.
func (a *actor) keep(what string, f func() error) {
	log := a.log
	a.records.do(func() {
		defer func() {
			if p := recover(); p != nil {
				log.Error().Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("could not " + what)
			}
		}()
		if err := f(); err != nil {
			log.Error().Err(err).Msg("could not " + what + ": check the data folder's disk")
		}
	})
}

// record is the call's record as it stands.
func (a *actor) record() store.CallRecord {
	rec := a.state.record()
	for i := range rec.Legs {
		w := &a.wires[i]
		rec.Legs[i].SIPCallID, rec.Legs[i].Media = w.callID, w.stat
	}
	rec.Events = append([]store.RecordEvent(nil), a.story...)
	return rec
}

func (a *actor) closeRecord() {
	rec := a.record()
	if a.state.VM.Saved {
		rec.Voicemail = a.vm.id
	}
	a.log.Info().Str("from", rec.From).Str("to", rec.To).Str("disposition", rec.Disposition).Str("ended_by", rec.EndedBy).
		Str("reason", rec.Reason).Int("code", rec.Code).Msg("call ended")
	a.keep("write the call's record", func() error {
		if a.vm.lost {
			rec.Voicemail, rec.Disposition = "", store.Missed
			rec.Reason = "the message could not be stored"
		}
		return a.m.cfg.Records.Close(rec)
	})
}

func (a *actor) openMailbox(e OpenMailbox) {
	a.vm.id = a.state.Start.ID // after a crash the file's name leads back to the call
	if e.Turn > 1 {
		a.vm.id += fmt.Sprintf("-%d", e.Turn)
	}
	box, id := a.state.VM.Box, a.vm.id
	a.keep("open the mailbox", func() error {
		p := paths{err: errors.New("failed inside")}
		defer func() { a.mail.post(letter{what: p}) }()
		p.box, p.err = a.m.cfg.Records.OpenMailbox(box, id, e.Busy)
		return p.err
	})
}

func (a *actor) recordVoice(e RecordVoice) {
	s, limits := a.wires[e.Leg].media, a.m.cfg.Limits
	rec := Recording{File: e.File, MaxSeconds: cmp.Or(e.Max, limits.MessageSeconds), SilenceSeconds: cmp.Or(e.Silence, limits.MessageSilence)}
	if rec.File == "" {
		rec.File = a.vm.file
	}
	err := errors.New("no media")
	if s != nil {
		err = s.Record(rec)
	}
	if err != nil {
		a.log.Error().Err(err).Msg("could not record a message: check the data folder's disk")
		a.tell(e.Leg, RecordDone{Why: "failed"})
	}
}

func (a *actor) saveVoicemail() {
	s := &a.state
	vm := store.Voicemail{
		ID: a.vm.id, Mailbox: s.VM.Box, Call: s.Start.ID, From: s.Plan.Caller.Number, FromName: s.Plan.Caller.Name,
		Left: a.at, Seconds: s.VM.Seconds, File: a.vm.rel,
	}
	if c := s.Caller; c >= 0 && c < len(s.Legs) { // who was transferred here is not who began the call
		vm.FromUser = s.Legs[c].User
	}
	a.vm.lost = true // until it is stored; from here on only what is kept later looks at it
	a.keep("store a voicemail", func() error {
		err := a.m.cfg.Records.AddVoicemail(vm)
		a.vm.lost = err != nil
		return err
	})
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
