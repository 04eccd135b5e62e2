package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"text/template"
	"time"

	"golang.org/x/sys/unix"
)

// Where everybody is. The servers share an address; the caller and the callee have their own, by which a trunk is known.
const (
	strowgerAt = "127.0.0.1:15060"
	kamailioAt = "127.0.0.1:15071"
	ngAt       = "127.0.0.1:12223" // rtpengine's control
	callerIP   = "127.0.0.3"
	callerAt   = callerIP + ":15080" // of SIPp
	calleeIP   = "127.0.0.4"
	calleeAt   = calleeIP + ":15090"
)

//go:embed *.xml *.yaml kamailio.cfg rtpengine.conf
var files embed.FS

// server is one of the measured.
type server struct {
	name string
	at   string
	pids usage
}

// lab is a folder and the processes that were started for a run.
type lab struct {
	folder    string
	serverCPU string // of the measured servers
	loadCPU   int    // of us and of SIPp
	keep      bool   // the folder, when all is over

	mu      sync.Mutex
	running []*exec.Cmd
}

// newLab makes the folder with all configurations. The measured servers get one CPU, the load another.
func newLab(serverCPU, loadCPU int) (*lab, error) {
	folder, err := os.MkdirTemp("", "strowger-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{folder: folder, serverCPU: strconv.Itoa(serverCPU), loadCPU: loadCPU}
	values := map[string]any{
		"Strowger": strowgerAt, "Kamailio": kamailioAt, "NG": ngAt, "CallerIP": callerIP, "Callee": calleeAt,
		"FirstDevice": firstDevice, "Devices": deviceCount, "Password": devicePassword, "Modules": kamailioModules(),
	}
	names, err := files.ReadDir(".")
	if err != nil {
		return l, err
	}
	for _, n := range names {
		t, err := template.ParseFS(files, n.Name())
		if err != nil {
			return l, err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, values); err != nil {
			return l, err
		}
		if err := os.WriteFile(l.file(n.Name()), text.Bytes(), 0o600); err != nil {
			return l, err
		}
	}
	return l, os.WriteFile(l.file("devices.csv"), deviceList(), 0o600)
}

func (l *lab) file(name string) string { return filepath.Join(l.folder, name) }

// kamailioModules is where Debian keeps them on this architecture.
func kamailioModules() string {
	found, _ := filepath.Glob("/usr/lib/*/kamailio/modules")
	if len(found) == 0 {
		return "/usr/lib/kamailio/modules"
	}
	return found[0]
}

// strowger starts the server on a store of its own.
func (l *lab) strowger(binary string) (server, error) {
	if err := writeStore(l.file("data")); err != nil {
		return server{}, err
	}
	ready := l.file("ready.json")
	cmd, err := l.start("strowger", binary, "--data", l.file("data"), "serve", "--config", l.file("strowger.yaml"), "--ready", ready, "--drain", "1s")
	if err != nil {
		return server{}, err
	}
	err = l.await("strowger", func() bool { _, err := os.Stat(ready); return err == nil })
	return server{name: "strowger", at: strowgerAt, pids: usage{cmd.Process.Pid}}, err
}

// peer starts Kamailio with rtpengine, the pair that Debian users would take.
func (l *lab) peer() (server, error) {
	media, err := l.start("rtpengine", "rtpengine", "--config-file="+l.file("rtpengine.conf"), "--foreground", "--log-stderr", "--pidfile="+l.file("rtpengine.pid"))
	if err != nil {
		return server{}, err
	}
	if err := l.await("rtpengine", func() bool { return taken(ngAt) }); err != nil {
		return server{}, err
	}
	proxy, err := l.start("kamailio", "kamailio", "-DD", "-E", "-f", l.file("kamailio.cfg"), "-m", "256", "-M", "16", "-Y", l.folder)
	if err != nil {
		return server{}, err
	}
	err = l.await("kamailio", func() bool { return taken(kamailioAt) })
	return server{name: "kamailio+rtpengine", at: kamailioAt, pids: usage{proxy.Process.Pid, media.Process.Pid}}, err
}

// start runs a program on the servers' CPU.
func (l *lab) start(name, program string, args ...string) (*exec.Cmd, error) {
	log, err := os.Create(l.file(name + ".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("taskset", append([]string{"-c", l.serverCPU, program}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, l.begin(cmd)
}

// begin starts a process that ends with us, whatever ends us; close stops it.
func (l *lab) begin(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = append(l.running, cmd)
	return nil
}

// end waits for a process, and forgets it.
func (l *lab) end(cmd *exec.Cmd) error {
	err := cmd.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = slices.DeleteFunc(l.running, func(c *exec.Cmd) bool { return c == cmd })
	return err
}

// await waits until a server that was started last is there.
func (l *lab) await(name string, there func() bool) error {
	for range 200 {
		if there() {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(l.file(name + ".log"))
	return fmt.Errorf("%s did not start within 10 s:\n%s", name, log[max(0, len(log)-2000):])
}

// taken reports whether somebody listens on a UDP address.
func taken(at string) bool {
	conn, err := net.ListenPacket("udp4", at)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

// close stops what was started, last first, and removes the folder unless it is to be kept.
func (l *lab) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cmd := range slices.Backward(l.running) {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_, _ = cmd.Process.Wait()
		kill.Stop()
	}
	l.running = nil
	if !l.keep {
		_ = os.RemoveAll(l.folder)
	}
}

// pinSelf moves us, and whatever we start without taskset, to the load's CPU.
func (l *lab) pinSelf() error {
	var set unix.CPUSet
	set.Set(l.loadCPU)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, _ := strconv.Atoi(t.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pin to CPU %d: %w", l.loadCPU, err)
		}
	}
	return nil
}
