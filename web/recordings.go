package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"strowger/sip/call"
	"strowger/store"
)

// CallRecording is the recording of a call, or of a part of it, as the API shows it.
type CallRecording struct {
	ID      string    `json:"id"`
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds" doc:"0 = not known: the server stopped while it was made"`
	Format  string    `json:"format" doc:"wav or ogg: stereo, the caller left, everybody else right"`
	By      string    `json:"by,omitempty" doc:"User id of who asked for it; empty: a rule"`
	Why     string    `json:"why"`
	Ended   string    `json:"ended" doc:"stopped, limit, failed or interrupted"`
	// Pauses are silent in the file.
	Pauses    []store.RecordingPause `json:"pauses" doc:"Left out on demand, or because a party held, in seconds from the start"`
	Missing   float64                `json:"missing,omitempty" doc:"Seconds of silence because the disk did not keep up"`
	Deleted   time.Time              `json:"deleted,omitzero"`
	DeletedBy string                 `json:"deleted_by,omitempty" doc:"User id, admin (the admin token), or retention"`
}

type recordingsOutput struct {
	Body struct {
		Recordings []CallRecording `json:"recordings"`
	}
}

type recordingInput struct {
	ID        string `path:"id" maxLength:"100"`
	Recording string `path:"recording" maxLength:"120"`
	Download  bool   `query:"download" doc:"As a file to save"`
}

type auditInput struct {
	Before uint64 `query:"before" doc:"Only entries older than the one with this number"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type auditOutput struct {
	Body struct {
		Entries []store.AuditEntry `json:"entries" doc:"Newest first"`
	}
}

type recordInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Do string `json:"do" enum:"start,stop,pause,resume" doc:"In a pause silence is recorded: for card numbers"`
	}
}

func (s *Server) recordingRoutes() {
	route(s, needAny, controlOp("record", "Record a call, pause or stop the recording"),
		func(ctx context.Context, p Principal, in *recordInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.RecordCall{User: user, Do: in.Body.Do} })
		})
	route(s, needAny, huma.Operation{
		OperationID: "list-recordings", Method: http.MethodGet, Path: "/api/calls/{id}/recordings", Summary: "Recordings of a call",
		Description: "Owners and admins, and where the company's rules say so, those who took part.",
		Errors:      []int{http.StatusForbidden, http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *idInput) (*recordingsOutput, error) {
		rec, err := s.listenedCall(p, in.ID)
		if err != nil {
			return nil, err
		}
		out := &recordingsOutput{}
		out.Body.Recordings = make([]CallRecording, 0, len(rec.Recordings))
		for _, r := range rec.Recordings {
			out.Body.Recordings = append(out.Body.Recordings, recordingView(r))
		}
		return out, nil
	})
	route(s, needAny, huma.Operation{
		OperationID: "recording-audio", Method: http.MethodGet, Path: "/api/calls/{id}/recordings/{recording}/audio", Summary: "Listen to a recording",
		Description: "Range requests are answered. Who listened stands in the audit log, once as long as the same session asks again within ten minutes.", Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Responses: map[string]*huma.Response{
			"200": {Description: "The recording", Content: map[string]*huma.MediaType{"audio/wav": {}, "audio/ogg": {}}},
			"206": {Description: "The part of it that was asked for", Content: map[string]*huma.MediaType{"audio/wav": {}, "audio/ogg": {}}},
		},
	}, s.recordingAudio)
	route(s, needAdmin, huma.Operation{
		OperationID: "delete-recording", Method: http.MethodDelete, Path: "/api/calls/{id}/recordings/{recording}", Summary: "Delete a recording",
		Description: "The call's record keeps that there was one, and the audit log who deleted it.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, p Principal, in *recordingInput) (*struct{}, error) {
		if err := s.audit(ctx, p, "recording.delete", in.Recording); err != nil {
			return nil, err
		}
		rec, err := s.cfg.Recordings.DeleteRecording(in.ID, in.Recording, p.name())
		if err != nil {
			return nil, fmt.Errorf("delete recording %s: %w", in.Recording, err)
		}
		s.RecordChanged(rec)
		return nil, nil
	})
	route(s, needAdmin, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Summary: "Who did what",
	}, func(_ context.Context, _ Principal, in *auditInput) (*auditOutput, error) {
		list, err := s.cfg.Recordings.AuditLog(in.Before, in.Limit)
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		out := &auditOutput{}
		out.Body.Entries = list
		return out, nil
	})
}

// recordingAudio writes into the audit log first: nobody listens unnoticed.
func (s *Server) recordingAudio(ctx context.Context, p Principal, in *recordingInput) (*huma.StreamResponse, error) {
	rec, err := s.listenedCall(p, in.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rec.Recordings, func(r store.Recording) bool { return r.ID == in.Recording && r.Deleted.IsZero() })
	if i < 0 {
		return nil, fmt.Errorf("recording %s: %w", in.Recording, store.ErrNotFound)
	}
	r := rec.Recordings[i]
	audio, err := s.cfg.Recordings.OpenRecording(r)
	if err != nil {
		return nil, fmt.Errorf("open recording %s: %w", r.ID, err)
	}
	action := "recording.listen"
	if in.Download {
		action = "recording.download"
	}
	if err := s.auditListening(ctx, p, action, r.ID); err != nil {
		_ = audio.Close()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = audio.Close() }() // it was only read
		req, w := humago.Unwrap(ctx)
		kind := path.Ext(r.File)
		w.Header().Set("Content-Type", "audio/"+strings.TrimPrefix(kind, "."))
		w.Header().Set("Cache-Control", "no-store") // who listens again shall be noted again
		if in.Download {
			w.Header().Set("Content-Disposition", `attachment; filename="`+r.ID+kind+`"`)
		}
		http.ServeContent(w, req, "", r.Start, io.ReadSeeker(audio))
	}}, nil
}

// listenedCall reads the record of a call whose recordings the principal may hear. A call that is not theirs does not exist
// for them.
func (s *Server) listenedCall(p Principal, id string) (store.CallRecord, error) {
	rec, err := s.ownCall(p, id)
	if err != nil {
		return rec, err
	}
	if !p.Admin && s.cfg.Organisation.Company().Recording.Listen != store.ListenParticipants {
		return rec, huma.Error403Forbidden("Only owners and admins may listen to recordings here.")
	}
	return rec, nil
}

// auditListening notes a listening once, in however many parts the recording is asked for. The admin token has no sessions:
// each of its requests is noted.
func (s *Server) auditListening(ctx context.Context, p Principal, action, recording string) error {
	l, now := listening{p.name(), p.Session, action, recording}, time.Now()
	if p.Session != "" && s.listenings.noted(l, now) {
		return nil
	}
	if err := s.audit(ctx, p, action, recording); err != nil {
		return err
	}
	s.listenings.note(l, now)
	return nil
}

// audit notes what a principal does. What cannot be noted is not done.
func (s *Server) audit(_ context.Context, p Principal, action, object string) error {
	if err := s.cfg.Recordings.Audit(store.AuditEntry{At: time.Now().UTC(), Actor: p.name(), Action: action, Object: object}); err != nil {
		return fmt.Errorf("note %s of %s: %w", action, object, err)
	}
	return nil
}

// name is the principal in the audit log.
func (p Principal) name() string {
	if p.User.ID == "" {
		return "admin"
	}
	return p.User.ID
}

func recordingView(r store.Recording) CallRecording {
	return CallRecording{
		ID: r.ID, Start: r.Start, Seconds: r.Seconds, Format: strings.TrimPrefix(path.Ext(r.File), "."), By: r.By, Why: r.Why, Ended: r.Ended,
		Pauses: append([]store.RecordingPause{}, r.Pauses...), Missing: r.Missing, Deleted: r.Deleted, DeletedBy: r.DeletedBy,
	}
}
