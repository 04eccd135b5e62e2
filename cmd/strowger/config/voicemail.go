package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Voicemail is the mailboxes.
type Voicemail struct {
	Messages    int           `yaml:"messages"`      // most messages in a box; 0 = no limit
	Length      time.Duration `yaml:"length"`        // of all messages in a box together; 0 = no limit
	KeepDays    int           `yaml:"keep_days"`     // messages that were heard and not saved go after so many days; 0 = never
	Undo        time.Duration `yaml:"undo"`          // how long a deletion can be taken back
	Review      bool          `yaml:"review"`        // after #, who leaves a message may listen to it and record it again
	OwnPhonePIN bool          `yaml:"own_phone_pin"` // the PIN is asked for on the owner's own phones too
	// Transcribe is a command that writes down what it hears in {file}; TranscribeURL is asked by HTTP instead.
	Transcribe        string        `yaml:"transcribe"`
	TranscribeURL     string        `yaml:"transcribe_url"`
	TranscribeTime    time.Duration `yaml:"transcribe_time"`    // how long it may take
	TranscribePrivate []Addresses   `yaml:"transcribe_private"` // networks inside where transcribe_url may be
}

// Mail is the server by which mails are sent.
type Mail struct {
	Host     string `yaml:"host"` // host or host:port; "" = no mails
	TLS      string `yaml:"tls"`  // starttls | tls | none
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	From     string `yaml:"from"`      // sender's address
	Messages string `yaml:"voicemail"` // attach | link | off: for users who have chosen nothing else
}

// Private are the networks inside that may be asked for transcriptions.
func (v *Voicemail) Private() []netip.Prefix { return prefixes(v.TranscribePrivate) }

// HostPort is the mail server's host and port; 587 with starttls, 465 with tls and 25 else, unless it is given.
func (m *Mail) HostPort() (host, port string) {
	if h, p, err := net.SplitHostPort(m.Host); err == nil {
		return h, p
	}
	return m.Host, map[string]string{"tls": "465", "none": "25"}[m.TLS] + map[string]string{"starttls": "587"}[m.TLS]
}

func (k *checker) voicemail(v *Voicemail) {
	k.notNegative("voicemail.messages", v.Messages)
	k.notNegative("voicemail.keep_days", v.KeepDays)
	if v.Transcribe != "" && !strings.Contains(v.Transcribe, "{file}") {
		k.bad("voicemail.transcribe", "the command lacks {file}", "write it like whisper-cli --no-prints -f {file}")
	}
	if u, err := url.Parse(v.TranscribeURL); v.TranscribeURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		k.bad("voicemail.transcribe_url", "this is no address of a web server", "write it like https://text.example.com/transcribe")
	}
	if v.Transcribe != "" && v.TranscribeURL != "" {
		k.bad("voicemail.transcribe", "there is transcribe_url too", "set one of them")
	}
	if v.TranscribeTime < time.Second || v.TranscribeTime > time.Hour {
		k.bad("voicemail.transcribe_time", fmt.Sprintf("%v is out of range", v.TranscribeTime), "it must be 1s to 1h")
	}
}

func (k *checker) mail(m *Mail) {
	k.oneOf("mail.tls", m.TLS, "starttls", "tls", "none")
	k.oneOf("mail.voicemail", m.Messages, "attach", "link", "off")
	k.pair("mail.username", m.Username, "mail.password", m.Password)
	if m.Host == "" {
		return
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		k.bad("mail.from", fmt.Sprintf("%q is no mail address", m.From), "write the sender's, such as Phone <phone@example.com>")
	}
}
