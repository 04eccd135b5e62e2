package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"strowger/store"
)

// maxGreetingBytes is how big an uploaded greeting may be: ten minutes of 16-bit stereo at 48 kHz would be more.
const maxGreetingBytes = 16 << 20

var greetingKinds = []string{"unavailable", "busy", "temporary"}

// MessageBox is a box as the API shows it.
type MessageBox struct {
	ID        string   `json:"id" doc:"The user's id, or the number: names the box in paths"`
	Box       Party    `json:"box" doc:"Whose it is"`
	Shared    bool     `json:"shared" doc:"It is a number's, of all users that the number names"`
	New       int      `json:"new" doc:"Messages that nobody has heard"`
	Old       int      `json:"old"`
	PIN       bool     `json:"pin" doc:"It has a PIN, without which it opens from its owner's own phones only"`
	Mail      string   `json:"mail" doc:"How one is told by mail: attach, link, off, or default: as the server is set up. Each user of a shared box has this for themselves"`
	Greetings []string `json:"greetings" doc:"Those of its own: unavailable, busy, temporary. Without one callers hear the standard greeting"`
}

type mailboxesOutput struct {
	Body struct {
		Mailboxes []MessageBox `json:"mailboxes" doc:"One's own first"`
	}
}

// BoxInput names a box. Embedded inputs must be exported to be read.
type BoxInput struct {
	Box string `path:"box" maxLength:"100" doc:"A user's id, or one of our numbers"`
}

type pinInput struct {
	BoxInput
	Body struct {
		PIN string `json:"pin" maxLength:"10" pattern:"^[0-9]*$" doc:"4 to 10 digits; empty takes the PIN away"`
	}
}

type mailInput struct {
	BoxInput
	Body struct {
		Mail string `json:"mail" enum:"attach,link,off,default"`
	}
}

// GreetingInput names a greeting of a box.
type GreetingInput struct {
	BoxInput
	Kind string `path:"kind" enum:"unavailable,busy,temporary"`
}

type recordGreetingInput struct {
	GreetingInput
	User string `query:"user" maxLength:"64" doc:"Whose devices ring; empty: one's own. Others for admins only"`
}

type greetingUpload struct {
	GreetingInput
	RawBody []byte `contentType:"audio/wav"`
}

func (s *Server) mailboxRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-mailboxes", Method: http.MethodGet, Path: "/api/mailboxes", Summary: "Mailboxes and their settings",
		Description: "One's own, and the shared ones of the numbers that name one; for the admin token every user's and number's.",
	}, func(_ context.Context, p Principal, _ *struct{}) (*mailboxesOutput, error) {
		out := &mailboxesOutput{}
		out.Body.Mailboxes = []MessageBox{}
		for _, box := range s.boxesOf(p) {
			view, err := s.mailboxView(p, box)
			if err != nil {
				return nil, err
			}
			out.Body.Mailboxes = append(out.Body.Mailboxes, view)
		}
		return out, nil
	})
	route(s, needAny, huma.Operation{
		OperationID: "set-mailbox-pin", Method: http.MethodPut, Path: "/api/mailboxes/{box}/pin", Summary: "Set the PIN of a mailbox, or take it away",
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(_ context.Context, p Principal, in *pinInput) (*struct{}, error) {
		box, err := s.ownBox(p, in.Box)
		if err != nil {
			return nil, err
		}
		return nil, s.cfg.Mailboxes.SetPIN(box, in.Body.PIN)
	})
	route(s, needAny, huma.Operation{
		OperationID: "set-mailbox-mail", Method: http.MethodPut, Path: "/api/mailboxes/{box}/mail", Summary: "How to tell of new messages by mail",
		Description: "Of a shared box each user sets this for themselves; the admin token sets what those have who have set nothing.",
		Errors:      []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *mailInput) (*struct{}, error) {
		box, err := s.ownBox(p, in.Box)
		if err != nil {
			return nil, err
		}
		how := in.Body.Mail
		if how == "default" {
			how = ""
		}
		return nil, s.cfg.Mailboxes.SetMail(box, p.User.ID, how)
	})
	s.greetingRoutes()
	s.recordGreetingRoute()
}

func (s *Server) greetingRoutes() {
	const path = "/api/mailboxes/{box}/greetings/{kind}"
	route(s, needAny, huma.Operation{
		OperationID: "greeting-audio", Method: http.MethodGet, Path: path, Summary: "A greeting of the mailbox's own, as WAV",
		Errors:    []int{http.StatusNotFound},
		Responses: map[string]*huma.Response{"200": {Description: "The greeting", Content: map[string]*huma.MediaType{"audio/wav": {}}}},
	}, s.greetingAudio)
	route(s, needAny, huma.Operation{
		OperationID: "put-greeting", Method: http.MethodPut, Path: path, Summary: "Upload a greeting",
		Description:  "A WAV file of any usual form, or Opus in Ogg, of at most two minutes; it is converted. With the phone it is recorded by *97.",
		MaxBodyBytes: maxGreetingBytes, Errors: []int{http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity},
	}, func(_ context.Context, p Principal, in *greetingUpload) (*struct{}, error) {
		box, err := s.ownBox(p, in.Box)
		if err != nil {
			return nil, err
		}
		return nil, s.cfg.Mailboxes.PutGreeting(box, in.Kind, bytes.NewReader(in.RawBody))
	})
	route(s, needAny, huma.Operation{
		OperationID: "delete-greeting", Method: http.MethodDelete, Path: path, Summary: "Go back to the standard greeting",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *GreetingInput) (*struct{}, error) {
		box, err := s.ownBox(p, in.Box)
		if err != nil {
			return nil, err
		}
		return nil, s.cfg.Mailboxes.DeleteGreeting(box, in.Kind)
	})
}

// recordGreetingRoute rings a user's devices and records what they say.
func (s *Server) recordGreetingRoute() {
	route(s, needAny, huma.Operation{
		OperationID: "record-greeting", Method: http.MethodPost, Path: "/api/mailboxes/{box}/greetings/{kind}/record", Summary: "Record a greeting by phone",
		Description:   "Rings the user's own devices. Who answers is asked to speak, and keeps the greeting by 1; until then the old one stays.",
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(_ context.Context, p Principal, in *recordGreetingInput) (*originateOutput, error) {
		box, err := s.ownBox(p, in.Box)
		if err != nil {
			return nil, err
		}
		user, err := s.actsFor(p, in.User)
		if err != nil {
			return nil, err
		}
		if _, ok := s.cfg.Organisation.UserByID(user); !ok {
			return nil, huma.Error422UnprocessableEntity("Name the user whose devices shall ring.")
		}
		out := &originateOutput{}
		out.Body.ID, err = s.cfg.Mailboxes.RecordGreeting(user, box, in.Kind)
		return out, s.controlProblem(err)
	})
}

func (s *Server) greetingAudio(_ context.Context, p Principal, in *GreetingInput) (*huma.StreamResponse, error) {
	box, err := s.ownBox(p, in.Box)
	if err != nil {
		return nil, err
	}
	audio, err := s.cfg.Mailboxes.OpenGreeting(box, in.Kind)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = audio.Close() }() // it was only read
		_, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Cache-Control", "no-cache")
		if _, err := io.Copy(w, audio); err != nil {
			s.log.Debug().Err(err).Msg("greeting not read to its end")
		}
	}}, nil
}

// boxesOf are the boxes whose settings somebody sees at once.
func (s *Server) boxesOf(p Principal) []store.Mailbox {
	if p.User.ID != "" {
		return mailboxes(p.User.ID, s.cfg.Organisation.Numbers())
	}
	var boxes []store.Mailbox
	for _, u := range s.cfg.Organisation.Users() {
		boxes = append(boxes, store.Mailbox{User: u.ID})
	}
	for _, n := range s.cfg.Organisation.Numbers() {
		boxes = append(boxes, store.Mailbox{Number: n.Number})
	}
	return boxes
}

// box is the box that a user's id or one of our numbers names.
func (s *Server) box(name string) (store.Mailbox, error) {
	if _, ok := s.cfg.Organisation.UserByID(name); ok {
		return store.Mailbox{User: name}, nil
	}
	if slices.ContainsFunc(s.cfg.Organisation.Numbers(), func(n store.Number) bool { return n.Number == name }) {
		return store.Mailbox{Number: name}, nil
	}
	return store.Mailbox{}, fmt.Errorf("mailbox %q: %w", name, store.ErrNotFound)
}

// ownBox is a box that the principal may use. One that is not theirs does not exist for them.
func (s *Server) ownBox(p Principal, name string) (store.Mailbox, error) {
	box, err := s.box(name)
	if err == nil && !s.hears(p, box) {
		err = fmt.Errorf("mailbox %q: %w", name, store.ErrNotFound)
	}
	return box, err
}

func (s *Server) mailboxView(p Principal, box store.Mailbox) (MessageBox, error) {
	set, err := s.cfg.Mailboxes.MailboxSettings(box)
	if err != nil {
		return MessageBox{}, err
	}
	list, err := s.cfg.Voicemails.Voicemails([]store.Mailbox{box})
	if err != nil {
		return MessageBox{}, err
	}
	v := MessageBox{ID: box.String(), Box: s.party(box.Number, "", box.User), Shared: box.User == "", PIN: set.PIN != "", Mail: cmp.Or(set.MailFor(p.User.ID), "default"), Greetings: []string{}}
	for _, vm := range list {
		switch {
		case !vm.Deleted.IsZero():
		case vm.Heard:
			v.Old++
		default:
			v.New++
		}
	}
	for _, kind := range greetingKinds {
		audio, err := s.cfg.Mailboxes.OpenGreeting(box, kind)
		switch {
		case err == nil:
			_ = audio.Close() // it was not even read
			v.Greetings = append(v.Greetings, kind)
		case !errors.Is(err, store.ErrNotFound):
			return MessageBox{}, err
		}
	}
	return v, nil
}
