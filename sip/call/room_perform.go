package call

import (
	"slices"

	"strowger/store"
)

// What a room needs outside the machine: its mixer, its call, and phones to page.

func (a *actor) openMixer(e OpenMixer) {
	mix, err := a.m.cfg.Media.NewMixer(MixerOptions{ID: a.id, Tones: e.Tones, Post: func(ev MixerEvent) { a.mail.post(letter{what: ev}) }})
	if err != nil {
		a.log.Error().Err(err).Msg("no mixer for a conference")
		a.tell(noLeg, HangupCall{Reason{"SIP", 503, "No mixer"}})
		return
	}
	a.mixer = mix
}

// onRoom does the effects of rooms.
func (a *actor) onRoom(effect Effect) {
	switch e := effect.(type) {
	case OpenMixer:
		a.openMixer(e)
	case CloseMixer:
		if a.mixer != nil {
			a.mixer.Close()
			a.mixer = nil
		}
	case Mix:
		a.mix(e)
	case Unmix:
		if s := a.wires[e.Leg].media; s != nil && a.mixer != nil {
			a.mixer.Remove(s)
		}
	case MuteMember:
		if s := a.wires[e.Leg].media; s != nil && a.mixer != nil {
			a.mixer.Mute(s, e.On)
		}
	case FindRoom:
		a.tell(noLeg, a.findRoom(e))
	case LookupPage:
		a.tell(noLeg, PageFound{a.toPage(e.Users)})
	}
}

func (a *actor) mix(e Mix) {
	s := a.wires[e.Leg].media
	if s == nil || a.mixer == nil {
		return
	}
	if err := a.mixer.Add(s, MemberOptions{Member: e.Leg, Muted: e.Muted, Quiet: e.Quiet}); err != nil {
		a.log.Error().Err(err).Str("peer", a.state.Legs[e.Leg].Peer).Msg("a party could not join a conference")
		a.tell(e.Leg, MediaBroken{500, "could not join the conference"})
	}
}

// findRoom is the call of a conference room, which is made for the first who comes.
func (a *actor) findRoom(e FindRoom) RoomFound {
	max, ok := a.m.cfg.Router.Room(e.Room)
	if !ok {
		return RoomFound{Err: "there is no such conference"}
	}
	id, err := a.m.room(e.Room, e.Not, max)
	if err != nil {
		return RoomFound{Err: err.Error()}
	}
	return RoomFound{Call: id}
}

// room finds the call of a room, other than not, or begins one.
func (m *Manager) room(extension, not string, max int) (id string, err error) {
	m.roomsMu.Lock()
	defer m.roomsMu.Unlock()
	if id = m.rooms[extension]; id != "" && id != not && m.actor(id) != nil {
		return id, nil
	}
	if max == 0 {
		max = maxMembers
	}
	a, err := m.begin(Incoming{}, Started{To: extension, From: Party{Number: extension, Name: "Conference"}, RoomMax: max})
	if err != nil {
		return "", err
	}
	m.rooms[extension] = a.id
	go a.run()
	return a.id, nil
}

// toPage are the desk phones of users who are not on a call.
func (a *actor) toPage(users []string) []Endpoint {
	a.m.mu.Lock()
	busy := slices.Clone(a.m.counts.busyUsers)
	a.m.mu.Unlock()
	var to []Endpoint
	for _, u := range users {
		if _, on := slices.BinarySearch(busy, u); !on {
			to = append(to, a.m.cfg.Dialer.Endpoints(u, []string{store.Desk})...)
		}
	}
	return to
}
