package admin

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"strowger/cmd/strowger/voicemail"
	"strowger/store"
)

// PIN sets the PIN of a mailbox, "" takes it away.
type PIN struct {
	PIN string `json:"pin"`
}

// Mail is a mail that waits to be sent, or was given up.
type Mail struct {
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Made    time.Time `json:"made"`
	Next    time.Time `json:"next"` // when it is tried
	Tries   int       `json:"tries"`
	Error   string    `json:"error,omitempty"` // of the last try
	Failed  bool      `json:"failed"`          // given up
}

// setPIN sets the PIN of the mailbox of a user, or of one of our numbers.
func (s *service) setPIN(r *http.Request) (any, error) {
	in, err := decode[PIN](r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("box")
	box := store.Mailbox{Number: name}
	if strings.HasPrefix(name, "+") {
		err = s.ours(name)
	} else {
		box = store.Mailbox{User: name}
		_, err = s.user(name)
	}
	if err != nil {
		return nil, err
	}
	if err := voicemail.SetPIN(s.db, box, in.PIN); err != nil {
		return nil, err
	}
	return nil, s.db.Audit(store.AuditEntry{At: time.Now(), Actor: "cli", Action: "mailbox.pin", Object: name})
}

func (s *service) ours(number string) error {
	dir, _ := s.db.Directory()
	for _, n := range dir.Numbers {
		if n.Number == number {
			return nil
		}
	}
	return fmt.Errorf("%s is no number of ours: %w", number, store.ErrNotFound)
}

// mails are those that wait to be sent.
func (s *service) mails(*http.Request) (any, error) {
	jobs, err := s.db.Mails()
	list := make([]Mail, 0, len(jobs))
	for _, m := range jobs {
		list = append(list, Mail{To: m.To, Subject: m.Subject, Made: m.Made, Next: m.Next, Tries: m.Tries, Error: m.Error, Failed: m.Failed})
	}
	return list, err
}
