package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/sip/call"
)

// TrunkConfig is one carrier. Only Name and Server are required.
type TrunkConfig struct {
	Name string // unique; what records, logs and call.Endpoint.Trunk say

	// Server is the carrier's host, IP address or domain, with an optional port. Without a port its SRV records are asked
	// first (RFC 3263 §4.2). Domain stands in From, To and the request URI of calls; "" = Server's host.
	Server string
	Domain string
	// OutboundProxy (host[:port]) takes all requests instead of Server, as a loose route.
	OutboundProxy string
	Transport     string // udp | tcp | tls; "" = udp

	// Username is the account: the user part of REGISTER and of From in CallerID mode pai. AuthUsername is the digest
	// username, "" = Username. Realm limits digest to one realm; "" = answer any.
	Username, AuthUsername, Password, Realm string

	Register bool
	Expires  time.Duration // wish of a registration, 0 = 10 minutes; 1 minute to 24 hours

	// Addresses from which the carrier calls, besides those that Server resolves to.
	Addresses []netip.Prefix
	// CallerUsername and CallerPassword are what a carrier that calls from anywhere answers our digest challenge with.
	CallerUsername, CallerPassword string

	// TLSSkipVerify takes any certificate of the carrier: for gateways with one that nobody signed.
	TLSSkipVerify bool

	// CallerID says where our number goes: "from", "pai" (From is the account), or "both"; "" = both.
	CallerID string
	// Privacy of anonymous callers: "id" = an anonymous From with P-Asserted-Identity and Privacy: id (RFC 3323, 3325);
	// "from" = an anonymous From and nothing else; "" = id.
	Privacy string
	// NumberFormat of numbers we send: "e164" (+12025550100), "plain" (12025550100), "national" (2025550100); "" = e164.
	NumberFormat string
	Region       string // ISO 3166 alpha-2, for the national format; "" = the company's, as it is now
	// Diversion adds Diversion headers (RFC 5806) to forwarded calls.
	Diversion bool

	Codecs []string // allowed, in order; nil = all
	SRTP   call.SRTPPolicy
	// Refer: the carrier is asked by REFER to join two of its own parties when a user transfers one to the other, so that the
	// call leaves us. Few carriers do so; when they refuse, the call goes on over us.
	Refer      bool
	EarlyMedia bool // callers of this trunk want 183 with early media instead of a bare 180

	Qualify time.Duration // interval of OPTIONS, 0 = 60 s, negative = never
	// NoResponse is how long an INVITE may go without any response before the next address is tried, or, after the last one,
	// the leg fails with 408. 0 = 6 s; 1 to 32 s (Timer B of RFC 3261 §17.1.1.2).
	NoResponse time.Duration

	MaxCalls int // calls at once in both directions, 0 = no limit
	// Priority sorts trunks for a call, lowest first; among equals Weight, highest first, then the order of the list.
	Priority, Weight int
	// Numbers limits outgoing calls to E.164 numbers with one of these prefixes ("+1", "+49"); nil = all.
	Numbers []string
}

// Defaults and limits of TrunkConfig.
const (
	defaultTrunkExpires = 10 * time.Minute
	defaultQualify      = time.Minute
	defaultNoResponse   = 6 * time.Second
)

// withDefaults fills what may be left empty.
func (c TrunkConfig) withDefaults() TrunkConfig {
	c.Transport = strings.ToLower(orString(c.Transport, "udp"))
	host, _ := splitHostPort(c.Server)
	c.Domain = orString(c.Domain, host)
	c.AuthUsername = orString(c.AuthUsername, c.Username)
	c.CallerID = orString(c.CallerID, "both")
	c.Privacy = orString(c.Privacy, "id")
	c.NumberFormat = orString(c.NumberFormat, "e164")
	if c.Expires == 0 {
		c.Expires = defaultTrunkExpires
	}
	if c.Qualify == 0 {
		c.Qualify = defaultQualify
	}
	if c.NoResponse == 0 {
		c.NoResponse = defaultNoResponse
	}
	return c
}

// Validate reports everything that is wrong with the trunk, each with what would be right.
func (c TrunkConfig) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("trunk %q: "+format, append([]any{c.Name}, args...)...))
	}
	oneOf := func(key, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			bad("%s is %q; it must be one of %s", key, value, strings.Join(allowed, ", "))
		}
	}
	if c.Name == "" {
		bad("name is missing; give every trunk a unique name")
	}
	hostPort := func(key, value string) {
		if host, port := splitHostPort(value); value != "" && (host == "" || port < 0) {
			bad("%s is %q; it must be HOST or HOST:PORT", key, value)
		}
	}
	if c.Server == "" {
		bad("server is missing; give the carrier's host name or address")
	}
	hostPort("server", c.Server)
	hostPort("outbound_proxy", c.OutboundProxy)
	oneOf("transport", strings.ToLower(c.Transport), "udp", "tcp", "tls")
	oneOf("caller_id", c.CallerID, "from", "pai", "both")
	oneOf("privacy", c.Privacy, "id", "from")
	oneOf("number_format", c.NumberFormat, "e164", "plain", "national")
	if c.Register && c.Username == "" {
		bad("register needs a username")
	}
	if (c.CallerUsername == "") != (c.CallerPassword == "") {
		bad("caller_username and caller_password go together")
	}
	if c.Expires != 0 && (c.Expires < time.Minute || c.Expires > 24*time.Hour) {
		bad("expires is %v; it must be 1m to 24h", c.Expires)
	}
	if c.NoResponse != 0 && (c.NoResponse < time.Second || c.NoResponse > 32*time.Second) {
		bad("no_response is %v; it must be 1s to 32s", c.NoResponse)
	}
	if c.MaxCalls < 0 {
		bad("max_calls is %d; it must be 0 (no limit) or more", c.MaxCalls)
	}
	return errors.Join(errs...)
}

// splitHostPort splits HOST, HOST:PORT, [IPv6] and [IPv6]:PORT. The port is 0 when there is none and -1 when it is no port.
func splitHostPort(s string) (host string, port int) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.String(), 0
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return s, 0
	}
	if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
		return host, -1
	}
	return host, port
}

func orString(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
