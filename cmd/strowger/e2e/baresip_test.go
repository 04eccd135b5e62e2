package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// baresip is a desk phone whose microphone is a tone. Its received audio is recorded.
type baresip struct {
	t    *testing.T
	proc *process
	dir  string
	conn net.Conn
	mu   sync.Mutex
	n    int
	wait map[string]chan baresipMsg
	evs  []baresipMsg
	cond *sync.Cond
	log  *logFile
	name string
}

type baresipMsg struct {
	Event, Response, OK               bool
	Class, Type, PeerURI, Param, Data string
	Token                             string
}

type baresipOptions struct {
	Transport string // udp, tcp, tls; "" = udp
	Password  string // "" = the device's
	Codecs    string // "" = "PCMU/8000/1,PCMA/8000/1"
	SRTP      bool   // SDES
	Netns     string // run in this network namespace
	Local     string // its address, "" = 127.0.0.1
	Server    string // "" = the server's address
	Port      int    // SIP port, 0 = any free one
	// AutoAnswer answers every call at once, as phones that are set up for paging do with those that ask for it. This baresip does
	// not read who asks.
	AutoAnswer bool
	Refresh    int // seconds of its registration, 0 = 60

	Watch    []string // extensions whose presence it shows
	Messages bool     // it subscribes to waiting messages (RFC 3842); its end is not graceful then
}

// newBaresip starts a phone as this device and waits until it is registered.
func newBaresip(t *testing.T, s *server, device string, hz float64, o baresipOptions) *baresip {
	t.Helper()
	b := startBaresip(t, s, device, hz, o)
	s.hasPhone(device)
	return b
}

// startBaresip starts a phone and does not wait for its registration.
func startBaresip(t *testing.T, s *server, device string, hz float64, o baresipOptions) *baresip {
	t.Helper()
	if o.Local == "" {
		o.Local = "127.0.0.1"
	}
	if o.Codecs == "" {
		o.Codecs = "PCMU/8000/1,PCMA/8000/1"
	}
	if o.Password == "" {
		o.Password = s.password(device)
	}
	if o.Refresh == 0 {
		o.Refresh = 60
	}
	addr := s.ready.SIPUDP
	transport := ""
	if o.Transport == "tcp" || o.Transport == "tls" {
		transport = ";transport=" + o.Transport
		addr = map[string]string{"tcp": s.ready.SIPTCP, "tls": s.ready.SIPTLS}[o.Transport]
	}
	if o.Server != "" {
		addr = o.Server
	}
	srtp := ""
	if o.SRTP {
		srtp = ";mediaenc=srtp"
	}
	if o.AutoAnswer {
		srtp += ";answermode=auto"
	}
	dir := t.TempDir()
	wav := filepath.Join(dir, "microphone.wav")
	rate := 8000
	switch {
	case strings.HasPrefix(o.Codecs, "G722"):
		rate = 16000
	case strings.HasPrefix(o.Codecs, "opus"):
		rate = 48000
	}
	writeTone(t, wav, rate, hz, 60*time.Second)
	ctrl, port, media := freePort(t, "tcp"), o.Port, freeRange(t)
	if port == 0 {
		port = freePort(t, "udp")
	}
	name := strings.ReplaceAll(device, ".", "-")
	config := fmt.Sprintf(`poll_method epoll
call_local_timeout 120
call_max_calls 8
sip_listen %[10]s
sip_verify_server no
net_interface %[1]s
audio_source aufile,%[3]s
audio_player aubridge,nul-%[4]s
audio_alert aubridge,nul-%[4]s
ausrc_srate %[5]d
auplay_srate %[5]d
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports %[6]d-%[7]d
rtcp_mux no
jitter_buffer_delay 5-10
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app debug_cmd.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%[8]d
snd_path %[9]s
menu_bell no
`, o.Local, port, wav, name, rate, media, media+38, ctrl, dir, net.JoinHostPort(o.Local, strconv.Itoa(port)))
	account := fmt.Sprintf("<sip:%s@%s%s>;auth_user=%s;auth_pass=%s;regint=%d;audio_codecs=%s%s\n", device, addr, transport, device, o.Password, o.Refresh, o.Codecs, srtp)
	write := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts", account)
	contacts := ""
	for _, ext := range o.Watch {
		contacts += fmt.Sprintf("\"%s\" <sip:%s@%s>;presence=p2p\n", ext, ext, addr)
		config += "module_app contact.so\nmodule_app presence.so\n"
	}
	if o.Messages {
		config += "module_app mwi.so\n"
	}
	write("config", config)
	write("contacts", contacts)
	args := []string{"-s", "-f", dir} // with a trace of its SIP in the log
	bin := "baresip"
	if o.Netns != "" {
		args = append([]string{"netns", "exec", o.Netns, "baresip"}, args...)
		bin = "ip"
	}
	cmd := exec.Command(bin, args...)
	log := &logFile{}
	cmd.Stdout, cmd.Stderr = log, log
	proc := start(t, cmd)
	b := &baresip{t: t, proc: proc, dir: dir, wait: map[string]chan baresipMsg{}, log: log, name: device}
	b.cond = sync.NewCond(&b.mu)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("baresip %s:\n%s", device, log)
		}
	})
	if o.Messages && subscribesForever(t, log) {
		proc.kill()
		return startBaresip(t, s, device, hz, o)
	}
	b.connect(o.Netns, fmt.Sprintf("127.0.0.1:%d", ctrl))
	return b
}

// subscribesForever reports whether the phone's mwi module has fallen into a loop, as it does at about every second start.
func subscribesForever(t *testing.T, log *logFile) bool {
	t.Helper()
	loops := false
	eventually(t, "the phone should be told of its messages", eventTimeout, func() bool {
		text := log.String()
		loops = strings.Count(text, "mwi: subscribing") > 2
		return loops || strings.Contains(text, "MWI for")
	})
	return loops
}

func (b *baresip) connect(netns, addr string) {
	b.t.Helper()
	dial := func() (net.Conn, error) { return net.Dial("tcp", addr) }
	if netns != "" {
		dial = func() (net.Conn, error) { return dialIn(netns, addr) }
	}
	for range 100 {
		conn, err := dial()
		if err == nil {
			b.conn = conn
			b.t.Cleanup(func() { conn.Close() })
			go b.read(conn)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("baresip %s does not answer on %s", b.name, addr)
}

func (b *baresip) read(conn io.Reader) {
	r := bufio.NewReader(conn)
	for { // a netstring: LENGTH ':' JSON ','
		l, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimLeft(l, ","), ":"))
		if err != nil {
			return
		}
		data := make([]byte, n+1)
		if _, err := io.ReadFull(r, data); err != nil {
			return
		}
		var m baresipMsg
		if json.Unmarshal(data[:n], &m) != nil {
			continue
		}
		b.mu.Lock()
		if m.Response {
			if ch := b.wait[m.Token]; ch != nil {
				ch <- m
				delete(b.wait, m.Token)
			}
		} else {
			b.evs = append(b.evs, m)
		}
		b.cond.Broadcast()
		b.mu.Unlock()
	}
}

// do runs a baresip command: dial, accept, hangup, hold, resume, sndcode, reginfo, ...
func (b *baresip) do(cmd, params string) string {
	b.t.Helper()
	if cmd == "dial" || cmd == "accept" { // what an earlier call left must not be taken for this one's
		for _, f := range b.recordings() {
			os.Remove(f)
		}
	}
	b.mu.Lock()
	b.n++
	token := strconv.Itoa(b.n)
	ch := make(chan baresipMsg, 1)
	b.wait[token] = ch
	b.mu.Unlock()
	data, _ := json.Marshal(map[string]string{"command": cmd, "params": params, "token": token})
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(data), data); err != nil {
		b.t.Fatalf("baresip %s: %v", cmd, err)
	}
	select {
	case m := <-ch:
		if !m.OK {
			b.t.Fatalf("baresip %s: %s", cmd, m.Data)
		}
		return m.Data
	case <-time.After(5 * time.Second):
		b.t.Fatalf("baresip %s: no response", cmd)
		return ""
	}
}

// mark is a place in the stream of events, to wait from.
func (b *baresip) mark() int { b.mu.Lock(); defer b.mu.Unlock(); return len(b.evs) }

// waitFor waits for an event at or after mark: REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, ...
func (b *baresip) waitFor(event string, mark int, d time.Duration) baresipMsg {
	b.t.Helper()
	stop := time.AfterFunc(d, func() { b.mu.Lock(); b.cond.Broadcast(); b.mu.Unlock() })
	defer stop.Stop()
	end := time.Now().Add(d)
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for i := mark; i < len(b.evs); i++ {
			if b.evs[i].Type == event {
				return b.evs[i]
			}
		}
		if time.Now().After(end) {
			b.t.Fatalf("baresip %s: no %s within %v; it saw %v", b.name, event, d, b.types(mark))
		}
		b.cond.Wait()
	}
}

// saw reports whether an event came at or after mark.
func (b *baresip) saw(event string, mark int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.types(mark) {
		if strings.HasPrefix(t, event) {
			return true
		}
	}
	return false
}

// keys are what the phone was sent by RFC 4733 since mark.
func (b *baresip) keys(mark int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := ""
	for _, e := range b.evs[mark:] {
		if e.Type == "CALL_DTMF_START" {
			keys += e.Param
		}
	}
	return keys
}

func (b *baresip) types(mark int) []string {
	var out []string
	for _, e := range b.evs[min(mark, len(b.evs)):] {
		out = append(out, strings.TrimSpace(e.Type+" "+e.Param))
	}
	return out
}

// recorded is the newest recording of what the phone heard since it last dialled or answered, "" while there is none.
func (b *baresip) recorded() string {
	newest := ""
	for _, f := range b.recordings() {
		newest = max(newest, f)
	}
	return newest
}

func (b *baresip) recordings() []string {
	files, _ := filepath.Glob(filepath.Join(b.dir, "*-dec.wav"))
	return files
}

// leaves unregisters the phone and ends it.
func (b *baresip) leaves(s *server) {
	b.t.Helper()
	b.do("quit", "")
	s.noPhone(b.name)
}

// hears waits until the phone's recording ends in this tone.
func (b *baresip) hears(hz float64) { b.t.Helper(); wavHears(b.t, "baresip "+b.name, b.recorded, hz) }
