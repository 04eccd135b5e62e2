package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// linphone is linphonec as a desk phone: its microphone is a file with a tone, its loudspeaker a file.
type linphone struct {
	t     *testing.T
	name  string
	heard string // the loudspeaker's file
	in    io.Writer
	log   *logFile
	proc  *process
}

type linphoneOptions struct {
	Transport string // udp, tcp, tls
	SRTP      bool   // SDES, and nothing else
}

// newLinphone starts a phone as this device and waits until it is registered.
func newLinphone(t *testing.T, s *server, device string, hz float64, o linphoneOptions) *linphone {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{".local/share/linphone", ".config/linphone"} { // it fails without
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	microphone := filepath.Join(dir, "microphone.wav")
	writeTone(t, microphone, 8000, hz, 60*time.Second)
	rc := filepath.Join(dir, "rc")
	if err := os.WriteFile(rc, []byte(linphoneConfig(t, s, device, o)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("linphonec", "-d", "6", "-l", filepath.Join(dir, "log"), "-c", rc)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &linphone{t: t, name: device, heard: filepath.Join(dir, "heard.wav"), in: in, log: &logFile{}}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	p.proc = start(t, cmd)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("linphone %s:\n%s\n%s", device, p.log, p.wire())
		}
	})
	p.do("soundcard use files")
	p.do("play " + microphone)
	p.do("record " + p.heard)
	s.hasPhone(device)
	return p
}

func linphoneConfig(t *testing.T, s *server, device string, o linphoneOptions) string {
	t.Helper()
	ports := map[string]int{"udp": 0, "tcp": 0, "tls": 0} // 0 = off
	ports[o.Transport] = freePort(t, "tcp")
	addr := map[string]string{"udp": s.ready.SIPUDP, "tcp": s.ready.SIPTCP, "tls": s.ready.SIPTLS}[o.Transport]
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	host, encryption := "127.0.0.1", "none"
	if o.Transport == "tls" {
		host = "localhost" // it wants a name with TLS
	}
	if o.SRTP {
		encryption = "srtp"
	}
	return fmt.Sprintf(`[sip]
bind_address=127.0.0.1
sip_port=%[1]d
sip_tcp_port=%[2]d
sip_tls_port=%[3]d
default_proxy=0
register_only_when_network_is_up=0
guess_hostname=0
verify_server_certs=0
verify_server_cn=0
media_encryption=%[4]s
media_encryption_mandatory=%[5]d
use_ipv6=0
[net]
dns_srv_enabled=0
dns_search_enabled=0
firewall_policy=0
[rtp]
bind_address=127.0.0.1
audio_rtp_port=%[6]d
audio_adaptive_jitt_comp_enabled=0
[sound]
echocancellation=0
[misc]
enable_basic_to_client_group_chat_room_migration=0
[lime]
enabled=0
[app]
publish_presence=0
[proxy_0]
reg_proxy=<sip:%[7]s:%[8]s;transport=%[9]s>
reg_route=<sip:%[7]s:%[8]s;transport=%[9]s>
reg_identity=sip:%[10]s@127.0.0.1
reg_expires=600
reg_sendregister=1
publish=0
dial_escape_plus=0
[auth_info_0]
username=%[10]s
passwd=%[11]s
realm=strowger
algorithm=SHA-256
`, ports["udp"], ports["tcp"], ports["tls"], encryption, btoi(o.SRTP), freeRange(t), host, port, o.Transport, device, s.password(device))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// do types a command: call, answer, terminate, ...
func (p *linphone) do(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatalf("linphone %s: %s: %v", p.name, line, err)
	}
}

// sees waits until the phone has printed the text.
func (p *linphone) sees(text string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("linphone %s should print %q", p.name, text), eventTimeout, func() bool { return strings.Contains(p.log.String(), text) })
}

// wire is its own log, with the SIP messages. It is written late.
func (p *linphone) wire() string {
	data, _ := os.ReadFile(filepath.Join(filepath.Dir(p.heard), "log"))
	return string(data)
}

// hears waits until what the phone recorded ends in this tone.
func (p *linphone) hears(hz float64) {
	p.t.Helper()
	wavHears(p.t, "linphone "+p.name, func() string { return p.heard }, hz)
}
