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
// Packets are handled by the goroutine that reads the socket, from the kernel and back to it, without an allocation.
// What is due by time (players, transcoders, recorders, keys, reports) is done by one clock per shard: where sound ends here
// it passes a jitter buffer with concealment (package playout). A recorder has a goroutine for the disk.
//
// Locks, in the order in which they may be taken: Session.nego, Engine.topology, the receiving side of a link,
// inStream.mu, transcoder.mu, outStream.mu, the sending side of a link. Events are posted with none of them held but the link's.
//
// What is obeyed: RFC 3264 and 8866 (SDP), 3550 and 3551 (RTP, RTCP: reports of our own to each party), 3605 (a=rtcp),
// 3711, 4568, 6188 and 7714 (SRTP with SDES; no MKI, no session parameters), 4733 (telephone-event: the 16 keys; for parties
// without it, ITU-T Q.24 in their voice),
// 4961 (symmetric RTP, see latch.go), 5761 (rtcp-mux), 7022 (CNAME), 7587 (Opus: converted where
// a party has nothing else and libopus is installed, or else passed on only), and for browsers what
// webrtc_link.go says. Not done: comfort noise (RFC 3389; never offered), RTCP XR (RFC 3611), bundling of several streams.
package media
