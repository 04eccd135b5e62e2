package call

// Commands to rooms.
type (
	// Merge takes the other party of the user's call With into this one: three and more talk (conference). This call goes on,
	// the other is over. The error comes when this call would not have it; all is then as before.
	Merge struct{ User, With string }

	// Mute silences a party of a room, or lets it be heard again: oneself, or by a moderator anybody.
	Mute struct {
		User string
		Leg  string // LegSnapshot.ID
		On   bool
	}

	// Kick removes a party from a room; moderators may.
	Kick struct{ User, Leg string }

	// Lock closes a room to newcomers other than moderators, or opens it; moderators may.
	Lock struct {
		User string
		On   bool
	}

	// mergeInto is Merge as the call With is told it.
	mergeInto struct{ user, into string }
)

func (Merge) command()     {}
func (Mute) command()      {}
func (Kick) command()      {}
func (Lock) command()      {}
func (mergeInto) command() {}

// mergeInto sends the other party of the user to a call of the same user.
func (m *machine) mergeInto(token int, c mergeInto) (later bool, err error) {
	i, k, err := m.talks(c.user)
	switch {
	case err != nil:
		return false, err
	case m.Transfer.Step != TransferNone || m.Handing.To != "":
		return false, ErrNotNow("the call is being transferred")
	}
	m.note(k, "is merged into another call of %s", m.Legs[i].name())
	m.yield(k, Place{Call: c.into, User: m.Legs[i].User}, HowMerge, noLeg)
	m.Handing.Token = token
	return true, nil
}

// moderates says why a user may not command the room, "" = an administrator.
func (m *machine) moderates(user string) error {
	if m.Phase != Up || m.Room.Kind == RoomNone {
		return ErrNotNow("this is no conference")
	}
	if user == "" {
		return nil
	}
	for i := range m.Legs {
		if l := &m.Legs[i]; l.In && l.User == user {
			if l.Moderator || m.Room.Kind != RoomConference {
				return nil
			}
			return ErrNotNow("only a moderator of the conference may do this")
		}
	}
	return ErrNotInCall
}

func (m *machine) obeyRoom(command Command) error {
	switch c := command.(type) {
	case Mute:
		i := m.named(c.Leg)
		if i < 0 || !m.Legs[i].In {
			return ErrNotInCall
		}
		if own := c.User != "" && m.Legs[i].User == c.User; !own {
			if err := m.moderates(c.User); err != nil {
				return err
			}
		}
		if m.Legs[i].Muted != c.On {
			m.muteMember(i, c.On)
		}
	case Kick:
		if err := m.moderates(c.User); err != nil {
			return err
		}
		i := m.named(c.Leg)
		if i < 0 || !m.Legs[i].In {
			return ErrNotInCall
		}
		m.note(i, "is removed from the conference")
		m.hangup(i, Reason{"SIP", 480, "Removed from the conference"})
	case Lock:
		if err := m.moderates(c.User); err != nil {
			return err
		}
		m.lockRoom(c.On)
	}
	return nil
}
