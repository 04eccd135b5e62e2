package e2e

import (
	"bytes"
	"math"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tones of the parties, hertz: far enough apart, and none a harmonic of another.
const (
	carrierTone = 440.0
	outsideTone = 620.0
	deskTone    = 830.0
	browserTone = 1170.0
)

// eventTimeout is how long a party waits for what should happen at once; generous, because the machine may be busy.
const eventTimeout = 10 * time.Second

// near reports whether two frequencies are the same tone.
func near(a, b float64) bool { return math.Abs(a-b) < 15 }

// process is a running party.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how, after done
}

// start runs a party until the test ends, and then stops it by its own process id.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v (does `make setup` succeed?)", cmd.Path, err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() { p.err = cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

// kill ends the party and whatever it started, at once.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// ended waits for the party to end by itself.
func (p *process) ended(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}

// logFile collects what a party prints; it is shown when the test fails.
type logFile struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}
func (l *logFile) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

// testWriter passes a party's lines to the test's log.
type testWriter struct {
	t    *testing.T
	name string
}

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s: %s", w.name, bytes.TrimSpace(p))
	return len(p), nil
}

func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

var ranges struct {
	sync.Mutex
	next int
}

// freeRange hands out forty UDP ports that no other party of this test run uses.
func freeRange(*testing.T) int {
	ranges.Lock()
	defer ranges.Unlock()
	if ranges.next == 0 {
		ranges.next = 16000 + os.Getpid()%100*40
	}
	ranges.next += 40
	return ranges.next
}

func shotsFolder() string { return os.Getenv("STROWGER_SHOTS") }

// eventually waits until f holds.
func eventually(t *testing.T, what string, d time.Duration, f func() bool) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, d)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
