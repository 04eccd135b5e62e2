package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium whose microphone is a tone.
type browser struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	mu  sync.Mutex
	id  int
}

func newBrowser(t *testing.T, hz float64) *browser {
	t.Helper()
	mic := filepath.Join(t.TempDir(), "microphone.wav")
	writeTone(t, mic, 48000, hz, 60*time.Second)
	driver, err := filepath.Abs("browser/driver.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", driver, mic)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = testWriter{t, "chromium"}
	start(t, cmd)
	b := &browser{t: t, in: in, out: bufio.NewReader(out)}
	if _, err := b.out.ReadString('\n'); err != nil {
		t.Fatalf("chromium did not start: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("page log:\n%s", strings.Join(b.log(), "\n"))
		}
		in.(io.Closer).Close()
	})
	return b
}

// try runs one command of driver.mjs and returns its JSON value.
func (b *browser) try(cmd string, args map[string]any) (json.RawMessage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.id++
	msg := map[string]any{"id": b.id, "cmd": cmd}
	for k, v := range args {
		msg[k] = v
	}
	line, err := json.Marshal(msg)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(b.in, "%s\n", line); err != nil {
		return nil, err
	}
	reply, err := b.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("chromium is gone: %w", err)
	}
	var r struct {
		OK    bool
		Error string
		Value json.RawMessage
	}
	if err := json.Unmarshal(reply, &r); err != nil {
		return nil, err
	}
	if !r.OK {
		return nil, fmt.Errorf("%s %v: %s", cmd, args, r.Error)
	}
	return r.Value, nil
}

func (b *browser) do(cmd string, args map[string]any) json.RawMessage {
	b.t.Helper()
	v, err := b.try(cmd, args)
	if err != nil {
		b.screenshot("failed")
		b.t.Fatal(err)
	}
	return v
}

func (b *browser) open(url string) { b.t.Helper(); b.do("goto", map[string]any{"url": url}) }
func (b *browser) click(selector string) {
	b.t.Helper()
	b.do("click", map[string]any{"selector": selector})
}
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.do("fill", map[string]any{"selector": selector, "text": text})
}

// sees waits until the selector is visible.
func (b *browser) sees(selector string, d time.Duration) {
	b.t.Helper()
	b.do("wait", map[string]any{"selector": selector, "timeout": d.Milliseconds()})
}

// gone waits until nothing visible matches the selector.
func (b *browser) gone(selector string, d time.Duration) {
	b.t.Helper()
	b.do("wait", map[string]any{"selector": selector, "timeout": d.Milliseconds(), "state": "hidden"})
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	var s string
	json.Unmarshal(b.do("text", map[string]any{"selector": selector}), &s)
	return s
}

func (b *browser) eval(js string, into any) {
	b.t.Helper()
	if err := json.Unmarshal(b.do("eval", map[string]any{"js": js}), into); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) log() []string {
	v, err := b.try("log", nil)
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	json.Unmarshal(v, &lines)
	return lines
}

// screenshot keeps a picture of the page under STROWGER_SHOTS, when that is set.
func (b *browser) screenshot(name string) {
	if shots := shotsFolder(); shots != "" {
		b.try("screenshot", map[string]any{"path": filepath.Join(shots, strings.ReplaceAll(b.t.Name(), "/", "_")+"-"+name+".png")})
	}
}

// hears waits until the page's loudspeaker carries this tone.
func (b *browser) hears(hz float64) {
	b.t.Helper()
	var h struct{ Hz, RMS float64 }
	for range 60 {
		if v, err := b.try("heard", nil); err == nil {
			json.Unmarshal(v, &h)
			if h.RMS > 0.01 && near(h.Hz, hz) {
				return
			}
		}
		time.Sleep(150 * time.Millisecond)
	}
	b.screenshot("deaf")
	b.t.Fatalf("the browser should hear %.0f Hz, hears %.0f Hz at %.3f", hz, h.Hz, h.RMS)
}
