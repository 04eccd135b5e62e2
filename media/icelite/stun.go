package icelite

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/pion/stun/v4"
)

// isSTUN tells STUN from the other protocols of the port by its first byte (RFC 7983 §7) and magic cookie.
func isSTUN(b []byte) bool { return b[0] < 4 && stun.IsMessage(b) }

// check answers a connectivity check (RFC 8445 §7.3) that came to a socket, and notes its source as a path of its agent.
// msg is scratch space. What does not prove the password is dropped in silence: an answer would help nobody but a prober.
func (m *Mux) check(msg *stun.Message, raw []byte, s socket, from netip.AddrPort) {
	if stun.Decode(raw, msg) != nil || msg.Type != stun.BindingRequest {
		return
	}
	name, err := msg.Get(stun.AttrUsername) // Decode has dropped what MESSAGE-INTEGRITY does not cover (RFC 8489 §14.5)
	if err != nil {
		return
	}
	ufrag, _, _ := strings.Cut(string(name), ":") // "ours:theirs", RFC 8445 §7.2.2
	a := m.agent(ufrag)
	if a == nil {
		return
	}
	key := a.integrity(ufrag)
	if key == nil || key.Check(msg) != nil {
		return
	}
	if msg.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(msg) != nil {
		return
	}
	id := stun.NewTransactionIDSetter(msg.TransactionID)
	if msg.Contains(stun.AttrICEControlled) {
		// A lite agent is the controlled one; a peer that thinks the same must change over (RFC 8445 §7.3.1.1).
		m.reply(s, from, id, stun.BindingError, stun.CodeRoleConflict, *key)
		return
	}
	var priority uint32
	if v, err := msg.Get(stun.AttrPriority); err == nil && len(v) == 4 {
		priority = binary.BigEndian.Uint32(v)
	}
	if !a.heardFrom(s, from, priority, msg.Contains(stun.AttrUseCandidate)) {
		return
	}
	mapped := &stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
	m.reply(s, from, id, stun.BindingSuccess, mapped, *key)
}

// reply sends a response with this body, MESSAGE-INTEGRITY and FINGERPRINT.
func (m *Mux) reply(s socket, to netip.AddrPort, id stun.Setter, kind stun.MessageType, body, key stun.Setter) {
	answer, err := stun.Build(id, kind, body, key, stun.Fingerprint)
	if err != nil {
		return
	}
	_ = s.write(answer.Raw, to)
}
