package call

// Dialling: whom, and in whose name.

func (a *actor) dial(e Dial) {
	leg := &a.state.Legs[e.Leg]
	fail := func(code int, text string) { a.tell(e.Leg, PeerFailed{code, Reason{"SIP", code, text}}) }
	if a.hops == 1 && leg.To.Trunk != "" {
		fail(483, phrase(483))
		return
	}
	if err := a.session(e.Leg, leg.To.SRTP); err != nil {
		fail(500, "no media port is free")
		return
	}
	offer, err := a.wires[e.Leg].media.Offer(e.Codecs)
	if err != nil {
		a.log.Error().Err(err).Str("peer", leg.Peer).Msg("could not make an offer")
		fail(500, "no offer")
		return
	}
	req := a.dialRequest(leg)
	req.SDP = offer
	l, err := a.m.cfg.Dialer.Dial(a.m.ctx, req, a.post(e.Leg))
	if err != nil {
		a.log.Warn().Err(err).Str("peer", leg.Peer).Msg("could not dial")
		fail(503, err.Error())
		return
	}
	a.wires[e.Leg].leg, a.wires[e.Leg].callID = l, l.SIPCallID()
	a.m.know(&a.wires[e.Leg], a.id, leg.ID)
}

// dialRequest says who calls: to devices the caller as we know them, to outside lines also by which number of ours the
// call came (Diversion, RFC 5806).
func (a *actor) dialRequest(leg *LegState) DialRequest {
	s := &a.state
	req := DialRequest{CallID: s.Start.ID, To: leg.To, From: s.Plan.Caller, Called: s.to(), MaxForwards: max(a.hops-1, 0)}
	if s.Stage < 0 && leg.Trunk == "" { // an originated call rings its own user: show whom they will talk to
		req.From = Party{Number: s.to(), Name: a.m.cfg.Router.ContactName(s.to())}
		return req
	}
	if leg.AutoAnswer {
		req.Headers = autoAnswer()
	}
	if leg.Moved {
		req.Replaces = s.Transfer.Replaces
	}
	if leg.Moved && s.Transfer.Header != "" {
		req.Headers = append(req.Headers, Header{"Referred-By", s.Transfer.Header})
	}
	if leg.Trunk != "" && s.Plan.Outside != "" && !isNumber(req.From.Number) {
		req.From.Number = s.Plan.Outside // an extension says nothing out there, and carriers refuse it
	}
	if leg.Trunk != "" && s.Stage >= 0 && leg.Peer != s.to() && isNumber(s.to()) {
		req.Diverted = []Party{{Number: s.to()}}
		req.Asserted = Party{Number: s.to()}
	}
	if n := len(leg.Deflected); n > 0 && leg.Trunk == "" {
		by := leg.Deflected[n-1]
		req.Diverted = []Party{{Number: by, Name: a.m.cfg.Router.UserName(by)}}
	}
	if by := leg.DeflectedBy; leg.Trunk != "" && isNumber(by.Number) {
		req.Diverted, req.Asserted = append(req.Diverted, by), Party{Number: by.Number}
	}
	return req
}

// lines are the endpoints of the current stage's targets, now.
func (a *actor) lines() []Line {
	var lines []Line
	for n, t := range a.state.targets() {
		for _, to := range a.linesOf(t, a.state.Plan.Caller.Number) {
			lines = append(lines, Line{n, to})
		}
	}
	return lines
}
