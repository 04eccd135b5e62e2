// Package media carries the voice: RTP and SDES-SRTP for trunks and phones, WebRTC for browsers, the bridge between
// them, and what ends here (prompts, tones, recordings, echo). SDP goes in and out as bytes; SIP is not known here.
//
// A Session is one party's media. Its link (session.go) is the way to the party; its inStream judges what arrives, its
// outStream makes everything that we send, from whatever source, one continuous RTP stream; the path between them is an
// immutable description of where packets go, replaced as a whole when the call changes and read without a lock per packet.
//
//	                       ┌ relay ──────────────┐
//	party A → link → in ─ path ─ transcode ──────┼→ out of B → link → party B
//	                       ├ echo → out of A     │
//	                       └ recorder     player ┘
//
// Locks, in the order in which they may be taken: Session.nego, Engine.topology, inStream.mu, outStream.mu.
package media
