// Package config reads the server's configuration: one YAML file, overridden by STROWGER_ environment variables.
//
// configs/strowger.yaml is the annotated example of every key; a test holds it to these structs.
package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config is the whole file. A zero Config with Defaults applied is a working server on the standard ports.
type Config struct {
	Data          string `yaml:"data"`           // folder of everything that is kept
	PublicAddress string `yaml:"public_address"` // IP address by which phones and carriers outside reach us
	// PublicAddress6 is the IPv6 one beside an IPv4 PublicAddress.
	PublicAddress6 string    `yaml:"public_address6"`
	HTTP           HTTP      `yaml:"http" envPrefix:"HTTP_"`
	SIP            SIP       `yaml:"sip" envPrefix:"SIP_"`
	RTP            RTP       `yaml:"rtp" envPrefix:"RTP_"`
	WebRTC         WebRTC    `yaml:"webrtc" envPrefix:"WEBRTC_"`
	Opus           Opus      `yaml:"opus" envPrefix:"OPUS_"`
	Trunks         []Trunk   `yaml:"trunks" envPrefix:"TRUNKS_"`
	Limits         Limits    `yaml:"limits" envPrefix:"LIMITS_"`
	Calls          Calls     `yaml:"calls" envPrefix:"CALLS_"`
	Log            Log       `yaml:"log" envPrefix:"LOG_"`
	Voicemail      Voicemail `yaml:"voicemail" envPrefix:"VOICEMAIL_"`
	Recording      Recording `yaml:"recording" envPrefix:"RECORDING_"`
	Mail           Mail      `yaml:"mail" envPrefix:"MAIL_"`
}

// HTTP is the web server: pages, API, live events and the browser phones' WebSocket on one port.
type HTTP struct {
	Listen string `yaml:"listen"` // plain HTTP; "" = off
	TLS    string `yaml:"tls"`    // HTTPS; "" = off
	Cert   string `yaml:"cert"`   // PEM files for HTTPS
	Key    string `yaml:"key"`
	URL    string `yaml:"url"` // how people reach it, for links; "" = made from the listener
	// Origins are other web sites whose pages may open the phone's WebSocket; they register with digest.
	Origins []string `yaml:"origins"`
	// TrustedProxies are reverse proxies before us, whose X-Forwarded-For is believed.
	TrustedProxies []Addresses `yaml:"trusted_proxies"`
}

// SIP is the SIP edge.
type SIP struct {
	UDP     string   `yaml:"udp"` // listen addresses, "" = off
	TCP     string   `yaml:"tcp"`
	TLS     string   `yaml:"tls"`
	Cert    string   `yaml:"cert"` // PEM files for TLS; "" = a self-signed one in the data folder
	Key     string   `yaml:"key"`
	Realm   string   `yaml:"realm"`
	Domains []string `yaml:"domains"`
	// Expires bounds what a REGISTER may ask (RFC 3261 §10.3).
	MinExpires     time.Duration `yaml:"min_expires"`
	MaxExpires     time.Duration `yaml:"max_expires"`
	SessionExpires time.Duration `yaml:"session_expires"` // RFC 4028
	// TellMessages tells phones of voicemail also when they have not subscribed (RFC 3842).
	TellMessages bool `yaml:"tell_messages"`
}

// RTP is the media ports for phones and trunks.
type RTP struct {
	Listen string    `yaml:"listen"` // IP address; "" = that of sip.udp
	Ports  PortRange `yaml:"ports"`
}

// PortRange is "FROM-TO", both inside.
type PortRange struct{ From, To int }

// Opus is what we send where we encode it ourselves: prompts, conferences, and calls between parties without a common codec.
type Opus struct {
	Bitrate int  `yaml:"bitrate"` // bit/s, 6000 to 64000; 0 = 24000, or 32000 with fec
	FEC     bool `yaml:"fec"`     // in-band forward error correction, for lossy networks
	DTX     bool `yaml:"dtx"`     // send next to nothing while nothing is said
}

// WebRTC is the one UDP and one TCP port for all browsers.
type WebRTC struct {
	UDP string `yaml:"udp"`
	TCP string `yaml:"tcp"`
}

// Trunk is a carrier.
type Trunk struct {
	Name           string         `yaml:"name"`
	Server         string         `yaml:"server"` // host or host:port; SRV is asked when there is no port
	Transport      string         `yaml:"transport"`
	Proxy          string         `yaml:"proxy"`
	Register       bool           `yaml:"register"`
	Username       string         `yaml:"username"`
	AuthUsername   string         `yaml:"auth_username"`
	Password       string         `yaml:"password"`
	Domain         string         `yaml:"domain"`
	Expires        time.Duration  `yaml:"expires"`
	Qualify        *time.Duration `yaml:"qualify"`
	Addresses      []Addresses    `yaml:"addresses"`
	CallerUsername string         `yaml:"caller_username"` // the carrier answers our digest challenge with these
	CallerPassword string         `yaml:"caller_password"`
	Numbers        []string       `yaml:"numbers"`
	Privacy        string         `yaml:"privacy"`
	NumberFormat   string         `yaml:"number_format"`
	Region         string         `yaml:"region"`
	CallerID       string         `yaml:"caller_id"`
	Diversion      *bool          `yaml:"diversion"`
	Codecs         []string       `yaml:"codecs"`
	SRTP           string         `yaml:"srtp"`
	EarlyMedia     bool           `yaml:"early_media"`
	Transfer       string         `yaml:"transfer"` // bridge | refer
	MaxCalls       int            `yaml:"max_calls"`
	Priority       int            `yaml:"priority"`
	TLSSkipVerify  bool           `yaml:"tls_skip_verify"`
}

// DefaultTrunk is what a trunk's missing keys mean.
func DefaultTrunk() Trunk {
	qualify, diversion := 30*time.Second, true
	return Trunk{Transport: "udp", Expires: 10 * time.Minute, Qualify: &qualify, NumberFormat: "e164", CallerID: "both", Privacy: "id",
		Diversion: &diversion, Codecs: []string{"PCMU", "PCMA"}, SRTP: "none", Transfer: "bridge"}
}

// Addresses is a network, of a carrier or a proxy: an address, or a prefix such as 203.0.113.0/28.
type Addresses struct{ netip.Prefix }

// UnmarshalText reads an address or a prefix.
func (a *Addresses) UnmarshalText(text []byte) error {
	if addr, err := netip.ParseAddr(string(text)); err == nil {
		a.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is neither an IP address nor a network such as 203.0.113.0/28", text)
	}
	a.Prefix = prefix.Masked()
	return nil
}

// Prefixes are the networks from which the carrier calls.
func (t *Trunk) Prefixes() []netip.Prefix { return prefixes(t.Addresses) }

// Proxies are the networks of the reverse proxies before us.
func (h *HTTP) Proxies() []netip.Prefix { return prefixes(h.TrustedProxies) }

// Private are the networks inside that workflows' webhooks may reach.
func (c *Calls) Private() []netip.Prefix { return prefixes(c.WebhookPrivate) }

// OnlyHTTPS reports whether browsers come by HTTPS only: to us, or to the proxy at URL.
func (h *HTTP) OnlyHTTPS() bool {
	return h.Listen == "" || strings.HasPrefix(strings.ToLower(h.URL), "https://")
}

func prefixes(from []Addresses) []netip.Prefix {
	var list []netip.Prefix
	for _, a := range from {
		list = append(list, a.Prefix)
	}
	return list
}

// Limits protect the machine. 0 = no limit.
type Limits struct {
	Calls        int `yaml:"calls"`          // at once, in all
	CallsPerUser int `yaml:"calls_per_user"` // at once
}

// Calls is how calls behave.
type Calls struct {
	SilenceTimeout   time.Duration `yaml:"silence_timeout"`   // end a call whose party sends no RTP for so long
	VoicemailLimit   time.Duration `yaml:"voicemail_limit"`   // longest message
	VoicemailSilence time.Duration `yaml:"voicemail_silence"` // silence that ends a message
	Drain            time.Duration `yaml:"drain"`             // how long SIGTERM waits for calls to end
	// Speech is the command that speaks texts, with {text} and {file} (a WAV, 8 or 16 kHz mono); "" = texts are beeps.
	Speech string `yaml:"speech"`
	// Language of the prompts: a folder of the data folder's prompts, or a language that comes with the program.
	Language string `yaml:"language"`
	// WebhookPrivate are networks inside whose web servers workflows may ask; all others must be public.
	WebhookPrivate []Addresses `yaml:"webhook_private"`
}

// Log is where and how much to log.
type Log struct {
	Level  string `yaml:"level"`  // debug | info | warn | error
	Format string `yaml:"format"` // auto | json | text
}

// Default is the configuration that an empty file means.
func Default() Config {
	return Config{
		Data:      "./data",
		HTTP:      HTTP{Listen: ":8080"},
		SIP:       SIP{UDP: ":5060", TCP: ":5060", TLS: ":5061", Realm: "strowger", MinExpires: time.Minute, MaxExpires: time.Hour, SessionExpires: 30 * time.Minute, TellMessages: true},
		RTP:       RTP{Ports: PortRange{20000, 29999}},
		WebRTC:    WebRTC{UDP: ":8189", TCP: ":8189"},
		Limits:    Limits{Calls: 500, CallsPerUser: 8},
		Calls:     Calls{SilenceTimeout: 2 * time.Minute, VoicemailLimit: 3 * time.Minute, VoicemailSilence: 8 * time.Second, Drain: time.Minute, Language: "en"},
		Recording: Recording{Format: "wav", MinFree: 500, Longest: 4 * time.Hour},
		Voicemail: Voicemail{Messages: 100, Length: 2 * time.Hour, Undo: time.Hour, TranscribeTime: 2 * time.Minute},
		Mail:      Mail{TLS: "starttls", Messages: "attach"},
		Log:       Log{Level: "info", Format: "auto"},
	}
}
