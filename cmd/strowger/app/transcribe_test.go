package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/cmd/strowger/config"
)

func TestTranscribeByCommand(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "m.wav")
	if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "hears")
	write := func(body string) *transcriber {
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
		return newTranscriber(&config.Voicemail{Transcribe: script + " {file}", TranscribeTime: 5 * time.Second})
	}
	if got, err := write(`printf '  Call me\007 back\n%s\n' "$(cat "$1")"`).text(context.Background(), file); got != "Call me back\nRIFF" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := write("echo no model >&2; exit 3").text(context.Background(), file); err == nil || !strings.Contains(err.Error(), "no model") {
		t.Errorf("a command that fails: %v", err)
	}
	if got, err := write("head -c 3000000 /dev/zero | tr '\\0' x").text(context.Background(), file); len(got) > maxTranscript+10 || err != nil {
		t.Errorf("a command that says too much: %d characters, %v", len(got), err)
	}
	slow := write("sleep 60")
	slow.limit = 50 * time.Millisecond
	if _, err := slow.text(context.Background(), file); err == nil {
		t.Error("a command that takes too long is waited for")
	}
	if got, err := newTranscriber(&config.Voicemail{TranscribeTime: time.Second}).text(context.Background(), file); got != "" || err != nil {
		t.Errorf("without a command: %q, %v", got, err)
	}
}

func TestTranscribeByWeb(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.wav")
	if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Content-Type") != "audio/wav" || string(b) != "RIFF":
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/json":
			_, _ = io.WriteString(w, `{"text": "Call me back"}`)
		case r.URL.Path == "/text":
			_, _ = io.WriteString(w, "Call me back\n")
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	local := []config.Addresses{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}
	ask := func(path string, inside []config.Addresses) (string, error) {
		tr := newTranscriber(&config.Voicemail{TranscribeURL: server.URL + path, TranscribeTime: 5 * time.Second, TranscribePrivate: inside})
		defer tr.close()
		return tr.text(context.Background(), file)
	}
	for _, path := range []string{"/json", "/text"} {
		if got, err := ask(path, local); got != "Call me back" || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := ask("/other", local); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a server that refuses: %v", err)
	}
	if _, err := ask("/json", nil); err == nil || !strings.Contains(err.Error(), "inside") {
		t.Errorf("an address inside is asked: %v", err)
	}
}
