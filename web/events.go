package web

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"strowger/sip/call"
	"strowger/store"
)

// The events of GET /api/events, by their names there.
type (
	// HelloEvent comes first.
	HelloEvent struct {
		Resumed bool `json:"resumed" doc:"Whatever was missed follows; if false, read the lists anew"`
	}
	// CallEvent (call): a call in progress.
	CallEvent struct {
		Kind string   `json:"kind" enum:"started,changed,ended"`
		Call LiveCall `json:"call"`
	}
	// RecordEvent (record): the record of an ended call was written or changed.
	RecordEvent struct {
		Call Call `json:"call"`
	}
	// RecordGoneEvent (record_gone): somebody else took this missed call.
	RecordGoneEvent struct {
		ID string `json:"id"`
	}
	// VoicemailEvent (voicemail): a message was left, heard or deleted.
	VoicemailEvent struct {
		Voicemail Voicemail `json:"voicemail"`
		Deleted   bool      `json:"deleted"`
	}
	// RegistrationEvent (registration): the phones of a user, all of them as they are now.
	RegistrationEvent struct {
		User          string         `json:"user"`
		Registrations []Registration `json:"registrations"`
	}
	// TrunkEvent (trunk): an outside line changed its state.
	TrunkEvent struct {
		Trunk TrunkStatus `json:"trunk"`
	}
	// QualityEvent (quality): how the calls in progress sound, every few seconds. It has no id.
	QualityEvent struct {
		Calls []LiveQuality `json:"calls"`
	}
	// AnswerEvent (answer): the page whose phone knows the call by this Call-ID shall answer it.
	AnswerEvent struct {
		SIPCallID string `json:"sip_call_id"`
	}
	// PingEvent (ping): nothing happened; the connection is alive.
	PingEvent struct {
		Time time.Time `json:"time"`
	}
)

// CallChanged tells viewers that a call started, changed or ended. Like all these methods it never blocks.
func (s *Server) CallChanged(c call.Change) {
	s.hub.publish(func(p Principal) bool { return seesLive(p, c.Call) },
		func() any { return CallEvent{Kind: c.Kind, Call: s.liveView(c.Call)} })
	if s.parked.left(c) { // for those who saw it only because it was parked, it is over
		s.hub.publish(func(p Principal) bool { return p.User.ID != "" && !seesLive(p, c.Call) },
			func() any {
				return CallEvent{Kind: call.CallEnded, Call: LiveCall{ID: c.Call.ID, Phase: "ended", Legs: []LiveLeg{}}}
			})
	}
}

// parked are the calls in progress that are on an orbit.
type parked struct {
	mu  sync.Mutex
	ids map[string]bool
}

// left reports whether a call was parked until this change.
func (k *parked) left(c call.Change) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was, is := k.ids[c.Call.ID], c.Call.Orbit != "" && c.Kind != call.CallEnded
	switch {
	case is && k.ids == nil:
		k.ids = map[string]bool{c.Call.ID: true}
	case is:
		k.ids[c.Call.ID] = true
	default:
		delete(k.ids, c.Call.ID)
	}
	return was && !is
}

// RecordChanged tells viewers that a call's record was written or claimed.
func (s *Server) RecordChanged(rec store.CallRecord) {
	s.hub.publish(func(p Principal) bool { return seesRecord(p, rec) },
		func() any { return RecordEvent{Call: s.callView(rec)} })
	if rec.ClaimedBy != "" {
		s.hub.publish(func(p Principal) bool { return p.sees(rec.Participants) && !seesRecord(p, rec) },
			func() any { return RecordGoneEvent{ID: rec.ID} })
	}
}

// VoicemailChanged tells viewers that a message was left or changed, or is gone.
func (s *Server) VoicemailChanged(vm store.Voicemail, deleted bool) {
	s.hub.publish(func(p Principal) bool { return s.hears(p, vm.Mailbox) },
		func() any { return VoicemailEvent{Voicemail: s.voicemailView(vm), Deleted: deleted} })
}

// RegistrationChanged tells viewers which phones a user has registered now.
func (s *Server) RegistrationChanged(user string, now []store.Binding) {
	s.hub.publish(func(p Principal) bool { return p.Admin || p.User.ID == user },
		func() any { return RegistrationEvent{User: user, Registrations: registrationViews(now)} })
}

// TrunkChanged tells owners and admins that an outside line changed its state.
func (s *Server) TrunkChanged(t TrunkStatus) {
	s.hub.publish(func(p Principal) bool { return p.Admin }, func() any { return TrunkEvent{Trunk: t} })
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"Of the last event seen; browsers send it when they reconnect"`
}

func (s *Server) eventRoutes() {
	sse.Register(s.api, huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/api/events", Summary: "Live events",
		Description: "A stream of server-sent events: what the user may see, as it happens. The first is hello. A viewer that does " +
			"not keep up is cut off and may reconnect.",
		Security:    []map[string][]string{{"session": {}}, {"token": {}}},
		Errors:      []int{http.StatusUnauthorized, http.StatusTooManyRequests},
		Middlewares: huma.Middlewares{s.admit(needAny), s.room, unbuffered},
	}, map[string]any{
		"hello": HelloEvent{}, "call": CallEvent{}, "record": RecordEvent{}, "record_gone": RecordGoneEvent{},
		"voicemail": VoicemailEvent{}, "registration": RegistrationEvent{}, "trunk": TrunkEvent{}, "quality": QualityEvent{}, "alert": AlertEvent{}, "answer": AnswerEvent{}, "ping": PingEvent{},
	}, s.stream)
}

// unbuffered asks reverse proxies not to hold the stream back.
func unbuffered(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("X-Accel-Buffering", "no")
	next(ctx)
}

// stream serves one viewer until it leaves, its session ends, it falls behind, or the server closes.
func (s *Server) stream(ctx context.Context, in *eventsInput, send sse.Sender) {
	p, ok := principal(ctx)
	if !ok {
		return
	}
	seen, _ := strconv.ParseInt(in.LastEventID, 10, 64) // anything odd is as good as nothing
	st, missed, resumed, last := s.hub.subscribe(p, seen)
	defer s.hub.unsubscribe(st)
	if send(sse.Message{ID: int(last) - len(missed), Data: HelloEvent{Resumed: resumed}, Retry: 2000}) != nil {
		return
	}
	for _, e := range missed {
		if send(sse.Message{ID: int(e.id), Data: e.data()}) != nil {
			return
		}
	}
	beat := time.NewTicker(s.cfg.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-st.events:
			if !ok || send(sse.Message{ID: int(e.id), Data: e.data()}) != nil {
				return
			}
		case <-beat.C:
			if send.Data(PingEvent{Time: time.Now().UTC()}) != nil {
				return
			}
		}
	}
}
