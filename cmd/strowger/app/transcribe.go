package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"strowger/cmd/strowger/config"
)

const (
	maxTranscript    = 4000     // characters that are kept
	maxTranscription = 64 << 10 // bytes that are read
)

// transcriber writes down what is said in a WAV file, by a command or a web server of the administrator's.
type transcriber struct {
	command []string // with {file}
	url     string
	limit   time.Duration
	web     *webhooks
}

func newTranscriber(c *config.Voicemail) *transcriber {
	t := &transcriber{command: strings.Fields(c.Transcribe), url: c.TranscribeURL, limit: c.TranscribeTime}
	if t.url != "" {
		t.web = newWebhooks(c.Private())
	}
	return t
}

func (t *transcriber) close() {
	if t.web != nil {
		t.web.close()
	}
}

// text is what is said in a file, "" when nothing transcribes, or nothing was understood.
func (t *transcriber) text(ctx context.Context, file string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	var said []byte
	var err error
	switch {
	case len(t.command) > 0:
		said, err = t.run(ctx, file)
	case t.url != "":
		said, err = t.ask(ctx, file)
	}
	if err != nil {
		return "", err
	}
	return readable(said), nil
}

// run runs the command, without a shell.
func (t *transcriber) run(ctx context.Context, file string) ([]byte, error) {
	args := make([]string, len(t.command))
	for i, a := range t.command {
		args[i] = strings.ReplaceAll(a, "{file}", file)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = speechGrace
	var out, said limitedBuffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("transcribe: %s: %w: %.200s (see voicemail.transcribe)", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return out.Bytes(), nil
}

// limitedBuffer keeps the first maxTranscription bytes of what a command says.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(0, maxTranscription-b.Len()))])
	return len(p), nil
}

// ask posts the file. Errors do not repeat the URL, which may hold a secret.
func (t *transcriber) ask(ctx context.Context, file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, f)
	if err != nil {
		return nil, withoutURL(err)
	}
	if info, err := f.Stat(); err == nil {
		req.ContentLength = info.Size()
	}
	req.Header.Set("Content-Type", "audio/wav")
	req.Header.Set("Accept", "application/json, text/plain")
	req.Header.Set("User-Agent", "strowger")
	resp, err := t.web.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("transcribe: %w (see voicemail.transcribe_url, voicemail.transcribe_private)", withoutURL(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxTranscription))
	switch {
	case err != nil:
		return nil, fmt.Errorf("transcribe: the answer broke off: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("transcribe: the web server said %d", resp.StatusCode)
	}
	if text := bytes.TrimSpace(answer); len(text) > 0 && text[0] == '{' {
		var told struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(text, &told); err != nil {
			return nil, fmt.Errorf("transcribe: the answer is no JSON: %w", err)
		}
		return []byte(told.Text), nil
	}
	return answer, nil
}

// readable is a text as people read it: lines, no control characters, not too long.
func readable(said []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(said), ""))
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > maxTranscript {
		text = strings.TrimSpace(string(r[:maxTranscript])) + " …"
	}
	return text
}
