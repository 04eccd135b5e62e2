// Package icelite is the answering half of ICE (RFC 8445 §2.5, "lite") for a server that every browser reaches on the same
// UDP port, or on the same TCP port where UDP is blocked.
//
// A lite agent gathers nothing and checks nothing: it answers connectivity checks that know its password and remembers where
// they came from. So an agent here is an entry in two tables, without goroutines or timers of its own, and a packet goes from
// the socket to its session without another hop:
//
//	           ┌ STUN ──→ byUfrag[USERNAME] ── password good? ──→ paths[source] = agent, answer
//	socket ────┤
//	           └ other ─→ paths[source] ──→ Handler.Packet (DTLS, SRTP, SRTCP: RFC 7983)
//
// What is not answered: requests for unknown users, with wrong passwords, or that are no binding requests. Nothing is sent to
// an address that has not proved that it knows the password.
package icelite
