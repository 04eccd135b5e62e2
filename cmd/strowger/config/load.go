package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/store/directory/strict"
)

// Load reads a file over the defaults and lets the environment override it; "" = the defaults and the environment. Relative
// paths in the file are relative to its folder. Every problem is reported at once, with file, line, key and remedy.
func Load(file string) (Config, error) {
	c := Default()
	if file == "" {
		return c, errors.Join(c.Environment(), c.problems("the default configuration", nil).Err())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	positions, problems := strict.Decode(file, data, &c)
	if len(problems) > 0 {
		return c, problems
	}
	for i := range c.Trunks {
		c.Trunks[i].setDefaults()
	}
	c.resolve(filepath.Dir(file))
	if err := c.Environment(); err != nil {
		return c, err
	}
	return c, c.problems(file, positions).Err()
}

// resolve makes the file's relative paths independent of where the server was started.
func (c *Config) resolve(folder string) {
	for _, p := range []*string{&c.Data, &c.HTTP.Cert, &c.HTTP.Key, &c.SIP.Cert, &c.SIP.Key} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}

func (t *Trunk) setDefaults() {
	d := DefaultTrunk()
	t.Transport = or(t.Transport, d.Transport)
	t.NumberFormat = or(t.NumberFormat, d.NumberFormat)
	t.CallerID = or(t.CallerID, d.CallerID)
	t.Privacy = or(t.Privacy, d.Privacy)
	t.SRTP = or(t.SRTP, d.SRTP)
	if t.Expires == 0 {
		t.Expires = d.Expires
	}
	if t.Qualify == nil {
		t.Qualify = d.Qualify
	}
	if len(t.Codecs) == 0 {
		t.Codecs = d.Codecs
	}
	if t.Diversion == nil {
		t.Diversion = d.Diversion
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// checker collects problems with their places.
type checker struct {
	file string
	pos  *strict.Positions
	all  strict.Problems
}

func (k *checker) bad(path, message, fix string) {
	p := strict.Problem{Path: path, Message: message, Fix: fix}
	p.Position = strict.Position{File: k.file}
	if k.pos != nil {
		p.Position = k.pos.At(path)
	}
	k.all = append(k.all, p)
}

// problems are the checks that a type does not make.
func (c *Config) problems(file string, pos *strict.Positions) strict.Problems {
	k := &checker{file: file, pos: pos}
	k.listen(c)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "auto", "json", "text")
	if c.SIP.MinExpires > c.SIP.MaxExpires {
		k.bad("sip.min_expires", fmt.Sprintf("%v is longer than max_expires, %v", c.SIP.MinExpires, c.SIP.MaxExpires), "make it shorter")
	}
	if c.SIP.Realm == "" || strings.ContainsAny(c.SIP.Realm, "\"\\\r\n") {
		k.bad("sip.realm", fmt.Sprintf("%q cannot be a digest realm", c.SIP.Realm), "use a plain word or a domain name")
	}
	if _, err := netip.ParseAddr(c.PublicAddress); c.PublicAddress != "" && err != nil {
		k.bad("public_address", fmt.Sprintf("%q is no IP address", c.PublicAddress), "write the address itself, such as 203.0.113.7; SDP carries no host names")
	}
	if a, err := netip.ParseAddr(c.PublicAddress6); c.PublicAddress6 != "" && (err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "") {
		k.bad("public_address6", fmt.Sprintf("%q is no IPv6 address", c.PublicAddress6), "write the address itself, such as 2001:db8::7, without a zone")
	}
	if s := c.Calls.Speech; s != "" && (!strings.Contains(s, "{text}") || !strings.Contains(s, "{file}")) {
		k.bad("calls.speech", "the command lacks {text} or {file}", "write it like flite -voice slt -t {text} -o {file}")
	}
	k.voicemail(&c.Voicemail)
	k.recording(&c.Recording)
	k.mail(&c.Mail)
	k.notNegative("limits.calls", c.Limits.Calls)
	k.notNegative("limits.calls_per_user", c.Limits.CallsPerUser)
	k.pair("http.cert", c.HTTP.Cert, "http.key", c.HTTP.Key)
	k.pair("sip.cert", c.SIP.Cert, "sip.key", c.SIP.Key)
	if b := c.Opus.Bitrate; b != 0 && (b < 6000 || b > 64000) {
		k.bad("opus.bitrate", fmt.Sprintf("%d is not between 6000 and 64000 bit/s", b), "leave it out: 0 means 24000, or 32000 with fec")
	}
	names := map[string]int{}
	for i := range c.Trunks {
		k.trunk(fmt.Sprintf("trunks[%d]", i), &c.Trunks[i])
		if other, twice := names[c.Trunks[i].Name]; twice {
			k.bad(fmt.Sprintf("trunks[%d].name", i), fmt.Sprintf("%q is the name of trunks[%d] too", c.Trunks[i].Name, other), "give each trunk its own name")
		}
		names[c.Trunks[i].Name] = i
	}
	return k.all
}

func (k *checker) listen(c *Config) {
	for path, addr := range map[string]string{"http.listen": c.HTTP.Listen, "http.tls": c.HTTP.TLS, "sip.udp": c.SIP.UDP, "sip.tcp": c.SIP.TCP,
		"sip.tls": c.SIP.TLS, "webrtc.udp": c.WebRTC.UDP, "webrtc.tcp": c.WebRTC.TCP} {
		if addr == "" {
			continue
		}
		if _, err := port(addr); err != nil {
			k.bad(path, fmt.Sprintf("%q is no listen address", addr), err.Error())
			continue
		}
		if host, _, _ := net.SplitHostPort(addr); host != "" && strings.HasPrefix(path, "sip") {
			if _, err := netip.ParseAddr(host); err != nil {
				k.bad(path, fmt.Sprintf("%q is a name", host), "listen on an IP address, or on all with \":5060\"")
			}
		}
	}
	if c.HTTP.Listen == "" && c.HTTP.TLS == "" {
		k.bad("http", "neither listen nor tls is set", "the page, the API and browser phones need one of them")
	}
	slices.SortFunc(k.all, func(a, b strict.Problem) int { return strings.Compare(a.Path, b.Path) })
}

func (k *checker) trunk(path string, t *Trunk) {
	if t.Name == "" {
		k.bad(path+".name", "is missing", "name the trunk; records and logs call it so")
	}
	if t.Server == "" {
		k.bad(path+".server", "is missing", "write the carrier's host, such as sip.acme.example or 203.0.113.5:5060")
	}
	for key, addr := range map[string]string{"server": t.Server, "proxy": t.Proxy} {
		if _, p, err := net.SplitHostPort(addr); err == nil {
			if _, err := strconv.ParseUint(p, 10, 16); err != nil {
				k.bad(path+"."+key, fmt.Sprintf("%q is no port", p), "write a number up to 65535, or the host alone")
			}
		}
	}
	k.oneOf(path+".transport", t.Transport, "udp", "tcp", "tls")
	k.oneOf(path+".number_format", t.NumberFormat, "e164", "plain", "national")
	k.oneOf(path+".caller_id", t.CallerID, "from", "pai", "both")
	k.oneOf(path+".privacy", t.Privacy, "id", "from")
	k.pair(path+".caller_username", t.CallerUsername, path+".caller_password", t.CallerPassword)
	for i, prefix := range t.Numbers {
		if strings.Trim(prefix, "0123456789") != "+" || prefix[0] != '+' {
			k.bad(fmt.Sprintf("%s.numbers[%d]", path, i), fmt.Sprintf("%q is no prefix of international numbers", prefix), `write it in E.164, such as "+49"`)
		}
	}
	if t.Expires != 0 && (t.Expires < time.Minute || t.Expires > 24*time.Hour) {
		k.bad(path+".expires", fmt.Sprintf("%v is out of range", t.Expires), "it must be 1m to 24h")
	}
	k.oneOf(path+".transfer", t.Transfer, "bridge", "refer")
	k.oneOf(path+".srtp", t.SRTP, "none", "optional", "required")
	if t.Register && t.Username == "" {
		k.bad(path+".username", "is missing", "register: true needs the account's user name")
	}
	for i, codec := range t.Codecs {
		k.oneOf(fmt.Sprintf("%s.codecs[%d]", path, i), codec, "opus", "G722", "PCMU", "PCMA")
	}
	k.notNegative(path+".max_calls", t.MaxCalls)
}

func (k *checker) oneOf(path, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		k.bad(path, fmt.Sprintf("%q is not known", value), "it must be one of "+strings.Join(allowed, ", "))
	}
}

func (k *checker) notNegative(path string, n int) {
	if n < 0 {
		k.bad(path, fmt.Sprintf("%d is negative", n), "0 means no limit")
	}
}

func (k *checker) pair(a, av, b, bv string) {
	if (av == "") != (bv == "") {
		k.bad(a, "needs "+b+" beside it", "set both, or neither")
	}
}
