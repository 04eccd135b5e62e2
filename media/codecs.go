package media

import (
	"slices"
	"strings"
	"time"

	"strowger/media/codec"
)

// codecInfo describes a codec as SDP and RTP see it.
type codecInfo struct {
	name      string // as in a=rtpmap
	payload   uint8  // static payload type (RFC 3551 §6), or the dynamic one of our offers
	static    bool
	clock     uint32 // RTP clock, Hz
	channels  int    // as in a=rtpmap; 0 = not written
	fmtp      string
	rate      int  // sampling rate of the audio that is terminated here, Hz; differs from clock for G722 (RFC 3551 §4.5.2)
	transcode bool // we can encode it, whatever this machine has installed
}

// The codecs that we know, in the order in which we offer them: wideband first.
var (
	codecOpus = &codecInfo{name: "opus", payload: 111, clock: 48000, channels: 2, fmtp: "minptime=10;useinbandfec=1", rate: codec.OpusRate}
	codecG722 = &codecInfo{name: "G722", payload: 9, static: true, clock: 8000, rate: 16000, transcode: true}
	codecPCMU = &codecInfo{name: "PCMU", payload: 0, static: true, clock: 8000, rate: 8000, transcode: true}
	codecPCMA = &codecInfo{name: "PCMA", payload: 8, static: true, clock: 8000, rate: 8000, transcode: true}

	codecEvent8  = &codecInfo{name: "telephone-event", payload: 101, clock: 8000, fmtp: "0-16"}
	codecEvent48 = &codecInfo{name: "telephone-event", payload: 110, clock: 48000, fmtp: "0-16"}

	// Comfort noise (RFC 3389), beside G.711: agreed to when a party offers it, never offered. To offer it invites phones to
	// send nothing while nothing is said, and with it goes the room behind the voice, and the first consonant of what is
	// said next; softphones like baresip and linphone have no use for the offer, and desk phones suppress silence only where
	// somebody has switched it on, and then offer it themselves. What we say ourselves (prompts, messages, conferences) is
	// sent without a pause for the same reason, and so that the way through address translators stays open.
	codecNoise = &codecInfo{name: "CN", payload: 13, static: true, clock: 8000, rate: 8000}

	allCodecs = []*codecInfo{codecOpus, codecG722, codecPCMU, codecPCMA}
)

// Terminated lists the codecs that every Engine can decode and encode itself: those to answer with when the call ends
// here (Play, Record) or is bridged to a party that shares nothing. Opus is one more where Engine.Opus says so.
func Terminated() []string { return []string{"G722", "PCMU", "PCMA"} }

// samples is how many samples at rate Hz a payload decodes to.
func (c *codecInfo) samples(payload []byte, rate int) int {
	if c == codecOpus {
		return codec.OpusSamples(payload) * rate / codec.OpusRate
	}
	return min(len(payload)*rate/int(c.clock), maxFrame*rate/16000) // one octet per unit of the RTP clock
}

// frame is the length of the packets to send to a party that wants so many milliseconds in each.
func (c *codecInfo) frame(ptime int) time.Duration {
	if c == codecOpus && !slices.Contains([]int{10, 20, 40, 60}, ptime) { // RFC 6716 §2.1.4; above 60 ms they are made of several
		ptime = 20
	}
	return time.Duration(min(max(ptime, 10), 60)) * time.Millisecond
}

// codecByName finds a codec by its encoding name, in any case (RFC 3551 §3); nil when it is not ours.
func codecByName(name string) *codecInfo {
	for _, c := range allCodecs {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

// codecsByName keeps order and drops what is not ours; nil means all.
func codecsByName(names []string) []*codecInfo {
	if names == nil {
		return allCodecs
	}
	list := []*codecInfo{} // not nil: that would mean all
	for _, n := range names {
		if c := codecByName(n); c != nil {
			list = append(list, c)
		}
	}
	return list
}

func codecNames(list []*codecInfo) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.name
	}
	return names
}
