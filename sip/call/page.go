package call

import (
	"strowger/routing"
)

// Paging: the caller speaks to phones that answer by themselves. Who is on a call is not disturbed.

// page makes the call a room of which only the caller is heard.
func (m *machine) page(end *routing.End) {
	m.Phase = Up
	m.stop(&m.RingTimer)
	m.stopRingback()
	m.transferDone("paging")
	m.note(noLeg, "pages %s", end.Arg)
	m.answerForService()
	m.Room = RoomState{Kind: RoomPage, Extension: end.Arg, Max: maxMembers, Looking: true}
	m.do(OpenMixer{})
	m.enter(m.Caller)
	m.do(LookupPage{end.Users})
}

func (m *machine) pageFound(w PageFound) {
	if m.Room.Kind != RoomPage || !m.Room.Looking {
		return
	}
	m.Room.Looking = false
	for _, to := range w.To {
		if len(m.Legs) >= maxLegs || to.Binding == nil {
			m.note(noLeg, "too many phones; one is not paged")
			continue
		}
		m.Legs = append(m.Legs, LegState{ID: m.newLegID(), Phase: LegDialling, Stage: -1, Moved: true, To: to, Peer: to.Binding.User,
			User: to.Binding.User, Device: to.Binding.Device, Kind: to.Binding.Kind, WebRTC: to.WebRTC, AutoAnswer: true, Muted: true,
			Media: true, Start: m.at})
		m.do(Dial{len(m.Legs) - 1, offerTo(m.Legs[m.Caller].Codecs, nil, to.Codecs, m.Start.Opus)})
	}
	m.start(&m.Room.Timer, roomPatience)
}

// pages reports whether a phone hears the page, or may yet.
func (m *machine) pages() bool {
	for i := range m.Legs {
		if i != m.Caller && m.Legs[i].Phase.live() {
			return true
		}
	}
	return false
}

// paged: a phone has answered.
func (m *machine) paged(i int, w PeerAnswered) {
	leg := &m.Legs[i]
	leg.Codecs, leg.Direction, leg.Answer, leg.Code, leg.Phase = w.Codecs, w.Direction, m.at, 200, LegUp
	first := m.members() == 1
	m.note(i, "hears the page")
	m.enter(i)
	if first {
		m.play(m.Caller, Beep, "")
	}
}

// autoAnswer asks a phone to answer by itself: each maker has its own way (Call-Info and Alert-Info; RFC 5373).
func autoAnswer() []Header {
	return []Header{
		{"Call-Info", "<sip:page>;answer-after=0"},
		{"Alert-Info", "<http://www.notused.com>;info=alert-autoanswer;delay=0"},
		{"Answer-Mode", "Auto"},
	}
}
