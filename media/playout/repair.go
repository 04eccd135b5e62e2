package playout

// Packets that are lost, and what the next ones tell of them.

const (
	lossWeight = 1.0 / 100 // of one packet in the average
	lossMuch   = 0.02      // from here on the Buffer waits for the next packet, too
	lossLittle = 0.004     // until here
)

// lossy looks at how many packets are missing before this one, which is decoded.
func (b *Buffer) lossy(s *slot) {
	missing := int(s.seq - b.lastSeq - 1)
	b.lastSeq = s.seq
	if s.cut || missing > 10 { // another source, or a long gap: nothing that repair would help
		missing = 0
	}
	for range missing {
		b.loss += (1 - b.loss) * lossWeight
	}
	b.loss -= b.loss * lossWeight
	switch {
	case b.repair == nil || b.loss < lossLittle:
		b.extra = 0
	case b.loss > lossMuch && b.repair.Redundant(s.kind, s.payload):
		b.extra = s.samples
	}
}

// mend fills a gap, or its end, with what the packet behind it tells; false when there is more to the gap, or nothing is told.
func (b *Buffer) mend(s *slot, gap int64) bool {
	if b.repair == nil || s.tried || s.cut || gap > int64(s.samples) || !b.repair.Redundant(s.kind, s.payload) {
		return false
	}
	s.tried = true
	samples := b.repair.Repair(s.kind, s.payload)
	if int64(len(samples)) < gap {
		return false
	}
	b.tail += gap
	b.stats.Repaired += uint64(gap)
	b.play(samples[int64(len(samples))-gap:])
	return true
}
