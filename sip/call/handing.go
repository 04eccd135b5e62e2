package call

// What adoption moves outside the machines: the wire of a leg, and the way of its letters.

// handing is the letter that brings a leg to another call, or back.
type handing struct {
	event What // Adopted or Returned
	wire  wire
	from  string // the call that it comes from
}

// seat is where a leg sits, for those who know it by its dialog.
type seat struct{ call, leg string }

// know notes where the leg on this wire is.
func (m *Manager) know(w *wire, call, leg string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w.known = true
	m.seats[w.leg] = seat{call, leg}
}

// forget strikes a leg out, unless it is in another call by now.
func (m *Manager) forget(l Leg, call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seats[l].call == call {
		delete(m.seats, l)
	}
}

// strike takes a leg out, wherever it was.
func (m *Manager) strike(l Leg) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seats, l)
}

// whereIs finds the call of a leg.
func (m *Manager) whereIs(l Leg) (Place, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.seats[l]
	return Place{Call: s.call, Leg: s.leg}, ok
}

func (m *Manager) actor(id string) *actor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[id]
}

// yield sends a leg to another call: from here on it, its media and its letters belong to that call's goroutine.
func (a *actor) yield(e Yield) {
	w := &a.wires[e.Leg]
	h := handing{event: Adopted{From: a.id, How: e.How, Seat: e.To, Leg: e.State}, wire: *w, from: a.id}
	left := wire{callID: w.callID, stat: w.stat}
	if w.media != nil {
		left.stat = w.media.Stats()
	}
	to := a.m.actor(e.To.Call)
	if to == nil || to == a || !w.way.move(to.mail, letter{what: h}, a.unread) {
		a.tell(noLeg, Returned{e.To.Call, 481, "the other call is over"})
		return
	}
	*w = left
}

// adopt connects the leg that came with the place that the machine has made for it.
func (a *actor) adopt(i int) {
	h := a.arriving
	if h == nil {
		return // it never left
	}
	a.arriving = nil
	a.wires[i] = h.wire
	if h.wire.leg != nil {
		a.m.know(&a.wires[i], a.id, a.state.Legs[i].ID)
	}
	a.m.use(a, usageOf(&a.state)) // it counts here before it ceases to count there
}

// welcome tells the call that sent a leg that it was taken.
func (a *actor) welcome(e Welcome) {
	if from := a.m.actor(e.From); from != nil {
		from.tell(noLeg, Joined{a.id, e.Who, e.Pending})
	}
}

// sendBack returns a leg for which there was no place, or lets it go when its call is over too.
func (a *actor) sendBack(code int, why string) {
	h := a.arriving
	if h == nil {
		return
	}
	a.arriving = nil
	from := a.m.actor(h.from)
	_, back := h.event.(Returned)
	answer := letter{what: handing{event: Returned{a.id, code, why}, wire: h.wire, from: a.id}}
	if !back && from != nil && from != a && h.wire.way.move(from.mail, answer, a.unread) {
		return
	}
	a.release(h.wire)
}

// release lets a leg go that no call wants.
func (a *actor) release(w wire) {
	w.way.end()
	if w.leg != nil {
		w.leg.Hangup(Reason{"SIP", 480, "The call is over"})
		a.m.strike(w.leg)
	}
	if w.media != nil {
		w.media.Close()
	}
}

// returnUnread looks through letters that will not be read for legs and commands that came too late.
func (a *actor) returnUnread(letters []letter) {
	for i := range letters {
		switch w := letters[i].what.(type) {
		case handing:
			a.unread, a.arriving = letters[i+1:], &w
			a.sendBack(481, "the other call is over")
		case order:
			w.reply <- ErrNoCall
		}
	}
	a.unread = nil
}

// forgetEnded strikes legs out of the Manager's book as soon as they are over.
func (a *actor) forgetEnded() {
	for i := range a.state.Legs {
		if w := &a.wires[i]; w.known && a.state.Legs[i].Phase == LegEnded {
			w.known = false
			a.m.forget(w.leg, a.id)
		}
	}
}

// refersTo is what a party asks for by REFER: with Replaces, the one that it talks to shall take a seat in another call.
func (a *actor) refersTo(w LegEvent) What {
	e := PeerReferred{Target: w.Target, By: w.By, Replaces: w.ReplacesHeader}
	if w.Replaces != nil {
		e.With, e.Attended = Place{}, true
		if at, ok := a.m.whereIs(w.Replaces); ok {
			e.With = at
		}
	}
	return e
}
