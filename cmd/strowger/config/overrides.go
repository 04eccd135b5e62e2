package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

const envPrefix = "STROWGER_"

// notKeys are variables of ours that are no keys of the file: the command line reads them.
var notKeys = []string{"STROWGER_DATA", "STROWGER_DEVICE_PASSWORD", "STROWGER_BIN", "STROWGER_SHOTS", "STROWGER_CONFIG"}

// Environment lets STROWGER_ variables override the keys. A variable that is no key is an error, as an unknown key is.
func (c *Config) Environment() error {
	known := map[string]bool{}
	for _, name := range notKeys {
		known[name] = true
	}
	count := 0
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, envPrefix+"TRUNKS_") {
			index, _, _ := strings.Cut(strings.TrimPrefix(kv, envPrefix+"TRUNKS_"), "_")
			if n, err := strconv.Atoi(index); err == nil && n < 100 {
				count = max(count, n+1)
			}
		}
	}
	if count > len(c.Trunks) {
		return fmt.Errorf("environment: %sTRUNKS_%d_... is set, but the file has %d trunks; trunks are declared in the file, variables only override their keys", envPrefix, count-1, len(c.Trunks))
	}
	options := env.Options{Prefix: envPrefix, UseFieldNameByDefault: true}
	list, err := env.GetFieldParamsWithOptions(c, options)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	for _, p := range list {
		known[p.Key] = true
	}
	if err := env.ParseWithOptions(c, options); err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	for i := range c.Trunks {
		prefix := fmt.Sprintf("%sTRUNKS_%d_", envPrefix, i)
		o := env.Options{Prefix: prefix, UseFieldNameByDefault: true}
		if list, err = env.GetFieldParamsWithOptions(&c.Trunks[i], o); err != nil {
			return fmt.Errorf("environment: %w", err)
		}
		for _, p := range list {
			known[p.Key] = true
		}
		if err := env.ParseWithOptions(&c.Trunks[i], o); err != nil {
			return fmt.Errorf("environment: %w", err)
		}
	}
	return unknownVariables(known)
}

func unknownVariables(known map[string]bool) error {
	var errs []error
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, envPrefix) && !known[name] {
			errs = append(errs, fmt.Errorf("environment: %s is no key of the configuration; see configs/strowger.yaml for those that are", name))
		}
	}
	return errors.Join(errs...)
}

// Flags stand over file and environment. "" = not given.
type Flags struct {
	HTTP string // host:port
	SIP  string // host:port, for UDP and TCP; TLS takes the next port
	RTP  string // FROM-TO
}

// Override applies the flags. Listening on one address with --sip also puts media there.
func (c *Config) Override(f Flags) error {
	if f.HTTP != "" {
		if _, err := port(f.HTTP); err != nil {
			return fmt.Errorf("--http %s: %w", f.HTTP, err)
		}
		c.HTTP.Listen = f.HTTP
	}
	if f.SIP != "" {
		n, err := port(f.SIP)
		if err != nil {
			return fmt.Errorf("--sip %s: %w", f.SIP, err)
		}
		host, _, _ := net.SplitHostPort(f.SIP)
		c.SIP.UDP, c.SIP.TCP = f.SIP, f.SIP
		if n > 0 {
			n++
		}
		if c.SIP.TLS != "" {
			c.SIP.TLS = net.JoinHostPort(host, strconv.Itoa(n))
		}
		if f.HTTP != "" || n == 0 { // a private instance: its WebRTC port must not meet another's
			c.WebRTC = WebRTC{UDP: net.JoinHostPort(host, "0"), TCP: net.JoinHostPort(host, "0")}
		}
	}
	if f.RTP != "" {
		if err := c.RTP.Ports.UnmarshalText([]byte(f.RTP)); err != nil {
			return fmt.Errorf("--rtp: %w", err)
		}
	}
	return nil
}

// Demo puts everything on the loopback interface.
func (c *Config) Demo() {
	c.HTTP.Listen, c.HTTP.TLS = "127.0.0.1:8080", ""
	c.SIP.UDP, c.SIP.TCP, c.SIP.TLS = "127.0.0.1:5060", "127.0.0.1:5060", "127.0.0.1:5061"
	c.WebRTC = WebRTC{UDP: "127.0.0.1:8189", TCP: "127.0.0.1:8189"}
}

func port(addr string) (int, error) {
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, fmt.Errorf("it must be HOST:PORT or :PORT, such as 127.0.0.1:5060")
	}
	n, err := strconv.Atoi(p)
	if err != nil || n < 0 || n > 65535 {
		return 0, fmt.Errorf("port %q must be 0 to 65535", p)
	}
	return n, nil
}

// UnmarshalText reads "FROM-TO".
func (r *PortRange) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(string(text), "-")
	a, err1 := strconv.Atoi(strings.TrimSpace(from))
	b, err2 := strconv.Atoi(strings.TrimSpace(to))
	if !ok || err1 != nil || err2 != nil || a < 1024 || b > 65535 || b-a < 3 {
		return fmt.Errorf("ports %q must be FROM-TO between 1024 and 65535, at least four of them, such as 20000-29999", text)
	}
	r.From, r.To = a, b
	return nil
}
