package call

import (
	"strings"
	"time"
)

// Codes within a call: a user's own keys ask for a transfer. The other party hears music while the user keys in the target.

// InCall are the codes that a user keys in during a call; "" = there is none.
type InCall struct {
	Transfer string // attended transfer
	Blind    string // blind transfer
	Record   string // starts and ends a recording
}

// Keying is the target of a transfer that is being keyed in.
type Keying struct {
	On     bool
	By     int  // the user's leg
	Other  int  // the party that waits
	Blind  bool // or attended
	Digits string
	Timer  int
}

const (
	codeTime   = 3 * time.Second // within which the keys of a code must follow each other
	targetTime = 8 * time.Second // until the first key of a target
	targetEnd  = 4 * time.Second // after its last key
	maxTarget  = 32              // keys
)

// watchCode looks for a code among the keys of a user who talks. It has been passed on already: whether a key begins a code
// is not known when it is pressed.
func (m *machine) watchCode(i int, digit byte) {
	leg, codes := &m.Legs[i], m.Start.InCall
	if leg.User == "" || leg.Phase != LegUp {
		return
	}
	if m.at.Sub(leg.KeyAt) > codeTime {
		leg.Keys = ""
	}
	leg.KeyAt = m.at
	leg.Keys += string(rune(digit))
	for leg.Keys != "" && !begins(codes, leg.Keys) {
		leg.Keys = leg.Keys[1:]
	}
	switch code := leg.Keys; {
	case code == "":
		return
	case code == codes.Blind:
		m.beginKeying(i, true)
	case code == codes.Transfer:
		m.beginKeying(i, false)
	case code == codes.Record:
		m.toggleRecording(i)
	default:
		return
	}
	leg.Keys = ""
}

// begins reports whether keys are the beginning of a code.
func begins(c InCall, keys string) bool {
	return strings.HasPrefix(c.Transfer, keys) || strings.HasPrefix(c.Blind, keys) || strings.HasPrefix(c.Record, keys)
}

// beginKeying asks leg i for the target of a transfer.
func (m *machine) beginKeying(i int, blind bool) {
	k := m.other(i)
	if m.Transfer.Step != TransferNone || m.Handing.To != "" || k < 0 || m.Legs[k].Phase != LegUp {
		return
	}
	m.part(i)
	m.Keying = Keying{On: true, By: i, Other: k, Blind: blind}
	m.note(i, "asks for a transfer by keys")
	m.announce(i, "transfer-to")
	m.start(&m.Keying.Timer, targetTime)
}

// keyed takes a key of the target: # ends it, * gives it up.
func (m *machine) keyed(digit byte) {
	k := &m.Keying
	if leg := &m.Legs[k.By]; leg.Sound != 0 && !leg.Music {
		m.stopPlay(k.By)
	}
	m.Legs[k.By].Token = 0
	switch {
	case digit == '#':
		m.keyingDone()
		return
	case digit == '*' && k.Digits == "":
		m.endKeying()
		return
	case len(k.Digits) < maxTarget:
		k.Digits += string(rune(digit))
	}
	m.start(&k.Timer, targetEnd)
}

// endKeying lets the two talk again.
func (m *machine) endKeying() {
	k := m.Keying
	m.stop(&m.Keying.Timer)
	m.Keying = Keying{}
	leg := &m.Legs[k.By]
	if leg.Token = 0; leg.Sound != 0 && !leg.Music {
		m.stopPlay(k.By)
	}
	if m.Phase != Up {
		return
	}
	m.Peer = k.By + k.Other - m.Caller
	m.music()
	m.do(Bridge{m.Caller, m.Peer})
}

// keyingDone begins the transfer.
func (m *machine) keyingDone() {
	k := m.Keying
	m.endKeying()
	if k.Digits == "" {
		return
	}
	m.Transfer = Transfer{Step: TransferAsking, By: k.By, Target: k.Digits, Consult: !k.Blind, Held: k.Other}
	m.note(k.By, "transfers %s to %s", m.Legs[k.Other].name(), k.Digits)
	m.do(DecideTransfer{k.By, k.Digits})
}
