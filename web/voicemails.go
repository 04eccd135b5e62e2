package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"strowger/store"
)

type voicemailsInput struct {
	Deleted bool `query:"deleted" doc:"Also those whose deletion can be taken back"`
}

type voicemailsOutput struct {
	Body struct {
		Voicemails []Voicemail `json:"voicemails" doc:"Newest first"`
	}
}

type voicemailOutput struct{ Body Voicemail }

type heardInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Heard bool `json:"heard"`
	}
}

func (s *Server) voicemailRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-voicemails", Method: http.MethodGet, Path: "/api/voicemails", Summary: "Messages in one's mailboxes",
		Description: "One's own box and the shared boxes of the numbers that name one; owners and admins: every box.",
	}, func(_ context.Context, p Principal, in *voicemailsInput) (*voicemailsOutput, error) {
		var boxes []store.Mailbox
		if !p.Admin {
			boxes = mailboxes(p.User.ID, s.cfg.Organisation.Numbers())
		}
		list, err := s.cfg.Voicemails.Voicemails(boxes)
		if err != nil {
			return nil, fmt.Errorf("list voicemails: %w", err)
		}
		out := &voicemailsOutput{}
		out.Body.Voicemails = make([]Voicemail, 0, len(list))
		for _, vm := range list {
			if !in.Deleted && !vm.Deleted.IsZero() {
				continue
			}
			out.Body.Voicemails = append(out.Body.Voicemails, s.voicemailView(vm))
		}
		return out, nil
	})
	route(s, needAny, huma.Operation{
		OperationID: "voicemail-audio", Method: http.MethodGet, Path: "/api/voicemails/{id}/audio", Summary: "The message as WAV",
		Description: "Range requests are answered.", Errors: []int{http.StatusNotFound},
		Responses: map[string]*huma.Response{
			"200": {Description: "The message", Content: map[string]*huma.MediaType{"audio/wav": {}}},
			"206": {Description: "The part of the message that was asked for", Content: map[string]*huma.MediaType{"audio/wav": {}}},
		},
	}, s.voicemailAudio)
	route(s, needPerson, huma.Operation{
		OperationID: "set-voicemail-heard", Method: http.MethodPut, Path: "/api/voicemails/{id}/heard", Summary: "Mark as heard, or as new",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *heardInput) (*voicemailOutput, error) {
		if _, err := s.ownVoicemail(p, in.ID); err != nil {
			return nil, err
		}
		vm, err := s.cfg.Voicemails.SetHeard(in.ID, p.User.ID, in.Body.Heard)
		if err != nil {
			return nil, fmt.Errorf("mark voicemail %s: %w", in.ID, err)
		}
		return &voicemailOutput{Body: s.voicemailView(vm)}, nil
	})
	route(s, needAny, huma.Operation{
		OperationID: "delete-voicemail", Method: http.MethodDelete, Path: "/api/voicemails/{id}", Summary: "Delete a message",
		Description: "For a while the deletion can be taken back; then message and audio are removed.",
		Errors:      []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *idInput) (*struct{}, error) {
		if _, err := s.ownVoicemail(p, in.ID); err != nil {
			return nil, err
		}
		if err := s.cfg.Voicemails.DeleteVoicemail(in.ID); err != nil {
			return nil, fmt.Errorf("delete voicemail %s: %w", in.ID, err)
		}
		return nil, nil
	})
}

// forwardInput names a box as BoxInput does.
type forwardInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		To string `json:"to" minLength:"1" maxLength:"100" doc:"The mailbox: a user's id, or one of our numbers"`
	}
}

type savedInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Saved bool `json:"saved"`
	}
}

// voicemailChangeRoutes are what else can be done with a message.
func (s *Server) voicemailChangeRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "set-voicemail-saved", Method: http.MethodPut, Path: "/api/voicemails/{id}/saved", Summary: "Save a message, or no longer",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *savedInput) (*voicemailOutput, error) {
		if _, err := s.ownVoicemail(p, in.ID); err != nil {
			return nil, err
		}
		vm, err := s.cfg.Voicemails.SetSaved(in.ID, in.Body.Saved)
		return &voicemailOutput{Body: s.voicemailView(vm)}, err
	})
	route(s, needAny, huma.Operation{
		OperationID: "restore-voicemail", Method: http.MethodPost, Path: "/api/voicemails/{id}/restore", Summary: "Take a deletion back",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *idInput) (*voicemailOutput, error) {
		if _, err := s.ownVoicemail(p, in.ID); err != nil {
			return nil, err
		}
		vm, err := s.cfg.Voicemails.RestoreVoicemail(in.ID)
		return &voicemailOutput{Body: s.voicemailView(vm)}, err
	})
	route(s, needPerson, huma.Operation{
		OperationID: "forward-voicemail", Method: http.MethodPost, Path: "/api/voicemails/{id}/forward", Summary: "Put a copy into another mailbox",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *forwardInput) (*struct{}, error) {
		if _, err := s.ownVoicemail(p, in.ID); err != nil {
			return nil, err
		}
		to, err := s.box(in.Body.To)
		if err != nil {
			return nil, err
		}
		return nil, s.cfg.Voicemails.ForwardVoicemail(in.ID, to, p.User)
	})
}

func (s *Server) voicemailAudio(_ context.Context, p Principal, in *idInput) (*huma.StreamResponse, error) {
	vm, err := s.ownVoicemail(p, in.ID)
	if err != nil {
		return nil, err
	}
	audio, err := s.cfg.Voicemails.OpenAudio(vm)
	if err != nil {
		return nil, fmt.Errorf("open the audio of voicemail %s: %w", in.ID, err)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = audio.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Cache-Control", "private, max-age=3600")
		http.ServeContent(w, r, "", vm.Left, io.ReadSeeker(audio))
	}}, nil
}

// ownVoicemail reads a message that the principal may hear. One that is not theirs does not exist for them.
func (s *Server) ownVoicemail(p Principal, id string) (store.Voicemail, error) {
	vm, err := s.cfg.Voicemails.Voicemail(id)
	if err != nil {
		return vm, fmt.Errorf("read voicemail %s: %w", id, err)
	}
	if !s.hears(p, vm.Mailbox) {
		return store.Voicemail{}, fmt.Errorf("voicemail %s: %w", id, store.ErrNotFound)
	}
	return vm, nil
}

// hears reports whether the principal may hear what is in a box.
func (s *Server) hears(p Principal, box store.Mailbox) bool {
	return p.Admin || slices.Contains(mailboxes(p.User.ID, s.cfg.Organisation.Numbers()), box)
}

// mailboxes are the boxes of a user: their own, and the shared one of every number that names them.
func mailboxes(user string, numbers []store.Number) []store.Mailbox {
	boxes := []store.Mailbox{{User: user}}
	for _, n := range numbers {
		if n.Names(user) {
			boxes = append(boxes, store.Mailbox{Number: n.Number})
		}
	}
	return boxes
}
