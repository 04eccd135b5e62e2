// Package playout turns the packets of one party, as the network delivers them, into an even stream of samples: for
// recorders, transcoders and mixers. It is arithmetic on samples and times that are given to it; it reads no clock and
// starts no goroutine.
//
//	packets → Buffer: order, delay ─ Decoder → Concealer: gaps → time scale ─ frames, when the consumer's clock asks
//
// Delay is what jitter of the last five seconds asks for, and no more. It is changed by a pitch period at a time, taken
// out or put in where the waveform is most like itself: so are differences of the parties' clocks made good.
package playout
