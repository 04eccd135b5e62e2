package sip

import (
	"runtime/debug"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"strowger/store"
)

// identity is who sent a request, as digest, the web session or the trunk's address proved it.
type identity struct {
	user    string         // User.ID, "" for a trunk
	device  store.Device   // the phone; zero for our own page
	binding *store.Binding // its registration, nil when it has none
	kind    string         // browser | desk | mobile | trunk
	trunk   *trunk         // set when the request came by a trunk
	ws      bool           // over a WebSocket
}

// handle takes every request that is no retransmission, on a goroutine of the crew. sipgo neither recovers nor ends
// transactions by itself.
func (s *Server) handle(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	defer s.finish(req, tx)
	if p := s.check(req); p != nil {
		s.refuse(req, tx, p)
		return
	}
	if req.Method == sipmsg.ACK && tagOf(req.To().Params) == s.statelessTag(req) {
		return // of a refusal that left no state
	}
	if inDialog(req) {
		sub := s.subs.find(req)
		if sub == nil && s.calls.dialogs.find(req) == nil { // a stranger's Call-ID shall not stay in the order's memory
			s.unknownDialog(req, tx)
			return
		}
		release := s.order.enter(req)
		defer release()
		if sub != nil {
			s.flows.prove(s.flowOf(req)) // who knows our tag has subscribed
			sub.queue.wait(func() { sub.safely(func() { sub.onRequest(req, tx) }) })
			s.forgetSoon(req, tx)
			return
		}
		s.onInDialog(req, tx)
		return
	}
	switch req.Method {
	case sipmsg.REGISTER:
		s.onRegister(req, tx)
	case sipmsg.INVITE:
		s.onNewInvite(req, tx)
	case sipmsg.OPTIONS:
		s.onOptions(req, tx)
	case sipmsg.REFER:
		s.onStrayRefer(req, tx)
	case sipmsg.SUBSCRIBE:
		s.onNewSubscribe(req, tx)
	case sipmsg.ACK: // of nothing
	default:
		// BYE, INFO, UPDATE, ... outside a dialog, and a CANCEL that matches no INVITE (RFC 3261 §9.2, §12.2.2).
		s.refuse(req, tx, problem(sipmsg.StatusCallTransactionDoesNotExists))
	}
}

// finish ends the transaction. INVITE, UPDATE and PRACK may be answered after the handler returned; sipgo's timers end their
// transactions after the final response.
func (s *Server) finish(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	cause := recover()
	if cause != nil {
		s.log.Error().Str("call_id", callID(req)).Str("method", string(req.Method)).Str("peer", req.Source()).
			Any("panic", cause).Bytes("stack", debug.Stack()).Msg("handling a request failed; answered 500")
		if req.Method != sipmsg.ACK {
			s.respond(req, tx, sipmsg.StatusInternalServerError, "Internal Server Error")
		}
	}
	if cause != nil || (req.Method != sipmsg.INVITE && req.Method != sipmsg.UPDATE && req.Method != sipmsg.PRACK) {
		tx.TerminateGracefully()
	}
}

// onNewInvite finds out who calls. Nobody unknown gets further than a challenge, and nothing rings before.
func (s *Server) onNewInvite(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	if s.draining.Load() {
		s.refuse(req, tx, problem(sipmsg.StatusServiceUnavailable).with("Retry-After", "10"))
		return
	}
	if !s.merged.enter(req, tx) {
		s.refuse(req, tx, problem(sipmsg.StatusLoopDetected).because("Merged Request"))
		return
	}
	id, p := s.identify(req)
	if p != nil {
		s.refuse(req, tx, p)
		return
	}
	if id.trunk != nil && cameBack(req, id.trunk.called(req)) {
		s.event(s.log.Warn(), req).Str("trunk", id.trunk.cfg.Name).Str("to", id.trunk.called(req)).
			Msg("a call that this number had forwarded came back to it; refused, else it would go round")
		s.refuse(req, tx, problem(sipmsg.StatusLoopDetected))
		return
	}
	replaced, r, p := s.replacing(req, id)
	if p != nil {
		s.refuse(req, tx, p)
		return
	}
	s.order.begin(req)
	if replaced == nil { // a nil *leg is no nil call.Leg
		s.onInvite(req, tx, id, nil, false)
		return
	}
	s.onInvite(req, tx, id, replaced, r.earlyOnly)
}

// onStrayRefer takes a REFER outside a call, by which a phone would have us call somebody. Who wants that does it by the
// web interface; a phone is told no (RFC 3515 §2.4.2), and a stranger nothing.
func (s *Server) onStrayRefer(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	if _, p := s.identify(req); p != nil {
		s.refuse(req, tx, p)
		return
	}
	s.refuse(req, tx, &refusal{code: sipmsg.StatusGlobalDecline, phrase: legPhrases[sipmsg.StatusGlobalDecline]})
}

// cameBack reports whether the number that is called has diverted this call before (RFC 5806 §5): an outside line to which
// we forwarded it forwards it to us.
func cameBack(req *sipmsg.Request, called string) bool {
	called = strings.TrimPrefix(called, "+")
	for value := range named(req, "Diversion") {
		for _, one := range splitList(value) {
			a, err := readNameAddr(one)
			if err != nil {
				continue
			}
			if by := strings.TrimPrefix(uriUser(&a.uri), "+"); by != "" && by == called {
				return true
			}
		}
	}
	return false
}

// identify proves who sent a request outside a dialog: a trunk by its address, a signed-in browser by its WebSocket,
// everybody else by digest.
func (s *Server) identify(req *sipmsg.Request) (identity, *refusal) {
	f := s.flowOf(req)
	if f != nil && f.ws != nil && f.ws.Trusted {
		return s.identifyBrowser(req, f)
	}
	if f == nil || f.ws == nil {
		if t := s.trunkOf(req); t != nil {
			s.guard.trust(req.Source())
			s.flows.prove(f)
			return identity{trunk: t, kind: "trunk"}, nil
		}
	}
	device, p := s.authenticate(req)
	if p != nil {
		return identity{}, p
	}
	if t := s.calls.trunks.byLogin(device); t != nil {
		return identity{trunk: t, kind: kindTrunk}, nil
	}
	if _, ok := s.cfg.Users.UserByID(device.User); !ok {
		return identity{}, problem(sipmsg.StatusForbidden)
	}
	id := identity{user: device.User, device: device, kind: device.Kind}
	if f != nil && f.ws != nil {
		id.ws, id.kind = true, store.Browser
	}
	id.binding = s.location.ofDevice(device.User, device.ID, req.Source(), f)
	return id, nil
}

// identifyBrowser takes the user from the web session. A page cannot speak for anybody else: From is that user.
func (s *Server) identifyBrowser(req *sipmsg.Request, f *flow) (identity, *refusal) {
	if from := req.From().Address.User; from != f.ws.User {
		if u, ok := s.cfg.Users.UserByExtension(from); !ok || u.ID != f.ws.User {
			return identity{}, problem(sipmsg.StatusForbidden)
		}
	}
	if _, ok := s.cfg.Users.UserByID(f.ws.User); !ok {
		return identity{}, problem(sipmsg.StatusForbidden)
	}
	id := identity{user: f.ws.User, kind: store.Browser, ws: true}
	id.binding = s.location.ofDevice(f.ws.User, browserDevice(f.ws.Session), req.Source(), f)
	return id, nil
}

// browserDevice is Binding.Device of our own page.
func browserDevice(session string) string { return "browser:" + session }

// flowOf is the connection that a request came over, nil for UDP.
func (s *Server) flowOf(req *sipmsg.Request) *flow {
	if req.Transport() == "UDP" {
		return nil
	}
	return s.flows.find(sipmsg.NetworkToLower(req.Transport()), req.Source())
}

// onOptions answers a keep-alive or a question for our abilities (RFC 3261 §11.2): the same to everybody, whoever is asked
// for, so that nothing about our users can be learnt from it. When an INVITE would be refused, so is the question: a carrier
// that asks first then sends its calls elsewhere.
func (s *Server) onOptions(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	if s.draining.Load() {
		s.refuse(req, tx, problem(sipmsg.StatusServiceUnavailable).with("Retry-After", "10"))
		return
	}
	if f := s.flowOf(req); f != nil && s.trunkOf(req) != nil {
		s.flows.prove(f) // a carrier keeps its connection open for the next call
	}
	res := s.response(req, sipmsg.StatusOK, "OK")
	res.AppendHeader(sipmsg.NewHeader("Allow", allowedMethods))
	res.AppendHeader(sipmsg.NewHeader("Accept", "application/sdp"))
	res.AppendHeader(sipmsg.NewHeader("Accept-Encoding", "identity"))
	res.AppendHeader(sipmsg.NewHeader("Accept-Language", "en"))
	res.AppendHeader(sipmsg.NewHeader("Supported", supportedOptions))
	res.AppendHeader(sipmsg.NewHeader("Allow-Events", allowedEvents))
	s.reply(req, tx, res)
	tx.Terminate()
}

// onStrayResponse takes responses that match no transaction: late 2xx to a forked INVITE, whose transaction is over.
func (s *Server) onStrayResponse(res *sipmsg.Response) {
	s.log.Debug().Str("call_id", callID(res)).Int("code", res.StatusCode).Str("peer", res.Source()).Msg("response without a transaction")
}

// callID is a message's Call-ID for the log.
func callID(m interface{ CallID() *sipmsg.CallIDHeader }) string {
	if h := m.CallID(); h != nil {
		return h.Value()
	}
	return ""
}

// event starts a log line about a request.
func (s *Server) event(e *zerolog.Event, req *sipmsg.Request) *zerolog.Event {
	return e.Str("call_id", callID(req)).Str("method", string(req.Method)).Str("peer", req.Source())
}
