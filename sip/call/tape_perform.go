package call

import (
	"errors"
)

// tapeFile is the letter that brings the place of a recording; the machine gets a TapeReady.
type tapeFile struct {
	n        int
	abs, rel string
	err      error
}

// taping is what belongs to the recording outside the machine.
type taping struct {
	tape Tape
	file string // absolute
}

// tapeReady makes the machine's event of it.
func (a *actor) tapeReady(w tapeFile) What {
	a.taping.file = w.abs
	ready := TapeReady{N: w.n, File: w.rel}
	if w.err != nil {
		ready.Err = w.err.Error()
	}
	return ready
}

// onTape does the effects of recordings.
func (a *actor) onTape(effect Effect) {
	switch e := effect.(type) {
	case OpenTape:
		id, n := a.state.Start.ID, e.N
		a.keep("prepare the recording of a call", func() error {
			f := tapeFile{n: n, err: errors.New("failed inside")}
			defer func() { a.mail.post(letter{what: f}) }()
			f.abs, f.rel, f.err = a.m.cfg.Records.RecordingFile(id, n)
			return f.err
		})
	case StartTape:
		a.startTape(e.N)
	case StopTape:
		if a.taping.tape != nil {
			a.taping.tape.Close()
			a.taping.tape = nil
		}
	case PauseTape:
		if a.taping.tape != nil {
			a.taping.tape.Pause(e.On)
		}
	case TapeLeg:
		a.tapeLeg(e)
	}
}

func (a *actor) startTape(n int) {
	tape, err := a.m.cfg.Media.NewTape(TapeOptions{CallID: a.state.Start.ID, File: a.taping.file, Post: func(e TapeEvent) {
		done := TapeDone{N: n, Seconds: e.Seconds, Missing: e.Missing, Why: e.Why}
		if e.Err != nil {
			done.Err = e.Err.Error()
		}
		a.tell(noLeg, done)
	}})
	if err != nil {
		a.log.Error().Err(err).Msg("the call is not recorded: check the data folder's disk")
		a.tell(noLeg, TapeDone{N: n, Why: "failed", Err: err.Error()})
		return
	}
	a.taping.tape = tape
}

func (a *actor) tapeLeg(e TapeLeg) {
	s, tape := a.wires[e.Leg].media, a.taping.tape
	switch {
	case s == nil || tape == nil:
	case e.On:
		a.warn(tape.Add(s, e.Channel), "a party is not recorded")
	default:
		tape.Remove(s)
	}
}
