package media

import "strings"

// codecInfo describes a codec as SDP and RTP see it.
type codecInfo struct {
	name      string // as in a=rtpmap
	payload   uint8  // static payload type (RFC 3551 §6), or the dynamic one of our offers
	static    bool
	clock     uint32 // RTP clock, Hz
	channels  int    // as in a=rtpmap; 0 = not written
	fmtp      string
	rate      int // sampling rate of the audio, Hz; differs from clock for G722 (RFC 3551 §4.5.2)
	transcode bool
}

// The codecs that we know, in the order in which we offer them: wideband first.
var (
	codecOpus = &codecInfo{name: "opus", payload: 111, clock: 48000, channels: 2, fmtp: "minptime=10;useinbandfec=1", rate: 48000}
	codecG722 = &codecInfo{name: "G722", payload: 9, static: true, clock: 8000, rate: 16000, transcode: true}
	codecPCMU = &codecInfo{name: "PCMU", payload: 0, static: true, clock: 8000, rate: 8000, transcode: true}
	codecPCMA = &codecInfo{name: "PCMA", payload: 8, static: true, clock: 8000, rate: 8000, transcode: true}

	codecEvent8  = &codecInfo{name: "telephone-event", payload: 101, clock: 8000, fmtp: "0-16"}
	codecEvent48 = &codecInfo{name: "telephone-event", payload: 110, clock: 48000, fmtp: "0-16"}

	allCodecs = []*codecInfo{codecOpus, codecG722, codecPCMU, codecPCMA}
)

// Terminated lists the codecs that this package can decode and encode itself: those to answer with when the call ends
// here (Play, Record) or is bridged to a party that shares nothing.
func Terminated() []string { return []string{"G722", "PCMU", "PCMA"} }

// samples is how many samples at rate Hz a payload decodes to.
func (c *codecInfo) samples(payload []byte, rate int) int {
	return min(len(payload)*rate/int(c.clock), maxFrame*rate/16000) // one octet per unit of the RTP clock
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
