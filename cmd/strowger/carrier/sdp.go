package carrier

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// offer is what the carrier reads from the other side's SDP: where to send, and as what.
type offer struct {
	addr    netip.AddrPort
	payload byte // 0 PCMU or 8 PCMA: a carrier speaks G.711
	event   byte // payload type of telephone-event, 0 = none
}

func readSDP(body []byte) (offer, error) {
	var o offer
	var ip string
	var found bool
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "c=IN IP4 "):
			ip = line[len("c=IN IP4 "):]
		case strings.HasPrefix(line, "m=audio "):
			fields := strings.Fields(line)
			if len(fields) < 4 {
				return o, fmt.Errorf("SDP: short media line %q", line)
			}
			for _, pt := range fields[3:] {
				if (pt == "0" || pt == "8") && !found {
					found = true
					o.payload = pt[0] - '0'
				}
			}
			port, err := strconv.ParseUint(fields[1], 10, 16)
			if err != nil {
				return o, fmt.Errorf("SDP: port in %q: %w", line, err)
			}
			o.addr = netip.AddrPortFrom(netip.Addr{}, uint16(port))
		case strings.HasPrefix(line, "a=rtpmap:") && strings.Contains(line, "telephone-event/8000"):
			pt, _, _ := strings.Cut(line[len("a=rtpmap:"):], " ")
			n, _ := strconv.ParseUint(pt, 10, 7)
			o.event = byte(n)
		}
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(ip))
	if err != nil {
		return o, fmt.Errorf("SDP: connection address %q: %w", ip, err)
	}
	if !found {
		return o, fmt.Errorf("SDP: neither PCMU nor PCMA")
	}
	o.addr = netip.AddrPortFrom(addr, o.addr.Port())
	return o, nil
}

// writeSDP describes our port, with one codec when we answer (payload 0 or 8) and both when we offer (payload 255).
func writeSDP(local netip.AddrPort, payload, event byte) []byte {
	list, maps := fmt.Sprint(payload), ""
	if payload == 255 {
		list = "0 8"
	}
	if event != 0 {
		list += fmt.Sprintf(" %d", event)
		maps = fmt.Sprintf("a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", event, event)
	}
	return fmt.Appendf(nil, "v=0\r\no=carrier 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP %[3]s\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n%[4]sa=ptime:20\r\na=sendrecv\r\n",
		local.Addr(), local.Port(), list, maps)
}
