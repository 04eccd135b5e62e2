package sip

import (
	"hash/maphash"
	"net"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// arrived sees every message in the order of the wire, before the transaction layer does. It notes in the top Via where
// the request really came from (RFC 3261 §18.2.1, RFC 3581 §4), whatever the peer wrote there.
func (s *Server) arrived(msg sipmsg.Message) {
	req, ok := msg.(*sipmsg.Request)
	if !ok {
		return
	}
	via := req.Via()
	if via == nil {
		return
	}
	host, port, err := net.SplitHostPort(req.Source())
	if err != nil {
		return
	}
	via.Params.Remove("received")
	if via.Params.Has("rport") {
		via.Params.Add("rport", port)
		via.Params.Add("received", host)
	} else if strings.Trim(via.Host, "[]") != host {
		via.Params.Add("received", host)
	}
}

// response builds a response (RFC 3261 §8.2.6) with a To tag. The tag depends on nothing but the request, so that
// retransmissions of a request that left no state get the same one (§8.2.7).
func (s *Server) response(req *sipmsg.Request, code int, phrase string) *sipmsg.Response {
	res := sipmsg.NewResponse(code, phrase)
	dialog := req.Method != sipmsg.REGISTER && code > 100 && code < 300
	for _, h := range req.Headers() {
		switch h := h.(type) {
		case *sipmsg.ViaHeader, *sipmsg.FromHeader, *sipmsg.CallIDHeader, *sipmsg.CSeqHeader:
			res.AppendHeader(h)
		case *sipmsg.ToHeader:
			if code > 100 && tagOf(h.Params) == "" {
				to := sipmsg.ToHeader{DisplayName: h.DisplayName, Address: h.Address, Params: h.Params.Clone()}
				to.Params.Add("tag", s.statelessTag(req))
				h = &to
			}
			res.AppendHeader(h)
		case *sipmsg.RecordRouteHeader:
			if dialog {
				res.AppendHeader(h)
			}
		default:
			switch h.Name() {
			case "From", "To", "Call-ID", "Via": // unreadable, returned as they came
				res.AppendHeader(h)
			}
		}
	}
	res.SetTransport(req.Transport())
	res.SetDestination(returnAddress(req))
	res.SetBody(nil)
	return res
}

// returnAddress is where a response goes: back over a connection; by UDP to the source's address and, without rport and
// NAT, to the port in Via (RFC 3261 §18.2.2, RFC 3581 §4).
func returnAddress(req *sipmsg.Request) string {
	via := req.Via()
	if req.Transport() != "UDP" || via == nil || via.Params.Has("rport") || via.Params.Has("received") {
		return req.Source()
	}
	host, _, err := net.SplitHostPort(req.Source())
	if err != nil {
		return req.Source()
	}
	port := via.Port
	if port == 0 {
		port = sipmsg.DefaultUdpPort
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// statelessTag is the To tag of a response outside a dialog.
func (s *Server) statelessTag(req *sipmsg.Request) string {
	var h maphash.Hash
	h.SetSeed(s.tagSeed)
	_, _ = h.WriteString(callID(req))
	if from := req.From(); from != nil {
		_, _ = h.WriteString(tagOf(from.Params))
	}
	if via := req.Via(); via != nil {
		branch, _ := via.Params.Get("branch")
		_, _ = h.WriteString(branch)
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// respond answers a request with extra headers. A response that cannot be sent is logged: the peer retransmits or gives up.
func (s *Server) respond(req *sipmsg.Request, tx sipmsg.ServerTransaction, code int, phrase string, headers ...sipmsg.Header) {
	res := s.response(req, code, phrase)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	s.reply(req, tx, res)
}

// reply sends a response in its transaction.
func (s *Server) reply(req *sipmsg.Request, tx sipmsg.ServerTransaction, res *sipmsg.Response) {
	if err := tx.Respond(res); err != nil {
		s.event(s.log.Debug(), req).Int("code", res.StatusCode).Err(err).Msg("response not sent")
	}
}

// refuse answers a request and forgets it at once (RFC 3261 §8.2.7): whoever we do not know costs us no memory for the
// 32 s of Timer J. A retransmission is refused again, in the same words.
func (s *Server) refuse(req *sipmsg.Request, tx *sipmsg.ServerTx, p *refusal) {
	if req.Method != sipmsg.ACK {
		s.respond(req, tx, p.code, p.phrase, p.headers...)
		if e := s.log.Debug(); e.Enabled() {
			s.event(e, req).Int("code", p.code).Str("reason", p.phrase).Msg("request refused")
		}
	}
	tx.Terminate()
}
