package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

// Mails is the queue of mails.
type Mails interface {
	Mails() ([]store.MailJob, error)
}

// QueuedMail is a mail that waits to be sent, or was given up.
type QueuedMail struct {
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Made    time.Time `json:"made"`
	Next    time.Time `json:"next" doc:"When it is tried"`
	Tries   int       `json:"tries"`
	Error   string    `json:"error,omitempty" doc:"Of the last try"`
	Failed  bool      `json:"failed" doc:"It was given up; after a month it is forgotten"`
}

type mailsOutput struct {
	Body struct {
		Mails []QueuedMail `json:"mails" doc:"Oldest first"`
	}
}

func (s *Server) mailRoutes() {
	route(s, needAdmin, huma.Operation{
		OperationID: "list-mails", Method: http.MethodGet, Path: "/api/mails", Summary: "Mails that could not be sent yet",
	}, func(context.Context, Principal, *struct{}) (*mailsOutput, error) {
		jobs, err := s.cfg.Mails.Mails()
		out := &mailsOutput{}
		out.Body.Mails = make([]QueuedMail, 0, len(jobs))
		for _, m := range jobs {
			out.Body.Mails = append(out.Body.Mails, QueuedMail{To: m.To, Subject: m.Subject, Made: m.Made, Next: m.Next, Tries: m.Tries, Error: m.Error, Failed: m.Failed})
		}
		return out, err
	})
}
