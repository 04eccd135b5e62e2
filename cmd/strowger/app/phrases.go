package app

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"strowger/sip/call/script"
)

// Phrases implements call.Speech: recordings where there are, the voice for all else.
func (s *speech) Phrases(ctx context.Context, phrases []script.Phrase) ([]string, error) {
	var files []string
	var failed []error
	add := func(file string, err error) {
		if err != nil {
			failed = append(failed, err)
		}
		if file != "" {
			files = append(files, file)
		}
	}
	for _, p := range phrases {
		switch p := p.(type) {
		case script.File:
			add(p.Path, nil)
		case script.Prompt:
			if file := s.Prompt(p.Name); file != "" {
				add(file, nil)
			} else {
				add(s.Say(ctx, p.Text))
			}
		case script.Text:
			add(s.Say(ctx, p.S))
		case script.Number:
			add(s.Say(ctx, strconv.Itoa(p.N)))
		case script.Digits:
			for _, d := range p.S {
				if d >= '0' && d <= '9' {
					if file := s.Prompt("digits/" + string(d)); file != "" {
						add(file, nil)
					} else {
						add(s.Say(ctx, string(d)))
					}
				}
			}
		case script.Date:
			add(s.Say(ctx, p.At.Format("Monday, January 2")))
		case script.Time:
			add(s.Say(ctx, strings.ToLower(p.At.Format("3:04 PM"))))
		}
	}
	return files, errors.Join(failed...)
}
