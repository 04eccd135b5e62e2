package app

import (
	"context"
	"errors"
	"time"

	"strowger/sip/call/script"
	"strowger/sip/call/spoken"
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
		default:
			for _, name := range spokenAs(s.prompts.grammar(), p, time.Now()) {
				add(s.prompts.file(name))
			}
		}
	}
	return files, errors.Join(failed...)
}

// spokenAs are the prompts that a number, a date or a time is put together from.
func spokenAs(l spoken.Language, p script.Phrase, now time.Time) []string {
	switch p := p.(type) {
	case script.Number:
		return l.Number(p.N)
	case script.Digits:
		return spoken.Digits(p.S)
	case script.Date:
		return l.Day(p.At, now.In(p.At.Location()))
	case script.Time:
		return l.Clock(p.At)
	case script.Length:
		return l.Length(p.D)
	case script.Count:
		return l.Count(p.N, p.One, p.Many)
	}
	return nil
}
