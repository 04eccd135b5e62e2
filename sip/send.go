package sip

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// errFlowGone: the connection over which the peer could be reached is closed, and only the peer can open another.
var errFlowGone = errors.New("sip: the connection to the peer is closed")

// branchMaker makes Via branches that we know again: a request that comes back to us with one of them went in a circle.
type branchMaker struct {
	prefix string
}

func newBranchMaker() branchMaker {
	return branchMaker{prefix: sipmsg.RFC3261BranchMagicCookie + "-" + randomHex(4) + "-"}
}

func (b branchMaker) next() string           { return b.prefix + randomHex(8) }
func (b branchMaker) own(branch string) bool { return strings.HasPrefix(branch, b.prefix) }

// newBranch is a fresh Via branch (RFC 3261 §8.1.1.7).
func (s *Server) newBranch() string { return s.branches.next() }

// newTag is a fresh From or To tag with 64 random bits (RFC 3261 §19.3).
func (s *Server) newTag() string { return randomHex(8) }

// randomHex is n random bytes in hex.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// localFor is the host and port to put into Via and Contact toward dest ("ip:port"): the public host toward those who reach
// us there, else the address of the interface that leads there. The port is 0 for WebSockets.
func (s *Server) localFor(transport, dest string) (host string, port int) {
	transport = strings.ToLower(transport)
	listen := s.listeners.of(transport)
	bound, err := netip.ParseAddrPort(listen)
	if err == nil {
		port = int(bound.Port())
	}
	target, _ := netip.ParseAddr(hostOf(dest))
	if public := s.publicHost(target); public != "" {
		return public, port
	}
	if bound.IsValid() && !bound.Addr().IsUnspecified() {
		return bracketed(bound.Addr()), port
	}
	return bracketed(addrToward(target)), port
}

// publicHost is the public host of target's family, as a URI writes it, where target reaches us there: from beyond our
// NAT, or, where the public host is an address of the office itself, from anywhere but this machine: we are behind a NAT
// within the office then, in a container. "" = the address of an interface.
func (s *Server) publicHost(target netip.Addr) string {
	host := s.cfg.PublicHost
	public, err := netip.ParseAddr(host)
	if target = target.Unmap(); err == nil && public.Is4() && target.Is6() {
		host = s.cfg.PublicHost6
		public, err = netip.ParseAddr(host)
	}
	switch {
	case err == nil && public.Is6() && target.Is4():
		return ""
	case isLocalNetwork(target) && (err != nil || !isLocalNetwork(public) || target.IsLoopback()):
		return ""
	case err == nil:
		return bracketed(public)
	}
	return host
}

// sharedSpace is what carriers use between their NAT and their customers' (RFC 6598), and virtual private networks too:
// nobody on the Internet is reached or seen there.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// isLocalNetwork reports whether a is reached without passing our NAT. Unknown addresses are taken for public.
func isLocalNetwork(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a))
}

// addrToward is our address on the interface that leads to a. No packet is sent: connecting a UDP socket only asks the
// routing table.
func addrToward(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		a = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // RFC 5737; stands for "the Internet"
	}
	conn, err := net.Dial("udp", netip.AddrPortFrom(a, 9).String())
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return local.Addr()
}

// bracketed is a as a URI writes it.
func bracketed(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// connectTimeout bounds opening a connection; sipgo would wait a minute.
const connectTimeout = 5 * time.Second

// send sends a request whose transport, destination ("ip:port") and Via are set. It leaves from our listening socket
// (UDP), over the peer's connection when there is one, or over a new one (TCP, TLS to a trunk). It never asks the DNS: the
// Contacts of browsers end in .invalid. An ACK has no transaction: nil is returned for it.
func (s *Server) send(ctx context.Context, req *sipmsg.Request) (sipmsg.ClientTransaction, error) {
	transport, dest := strings.ToLower(req.Transport()), req.MessageData.Destination()
	addr, err := netip.ParseAddrPort(dest)
	if err != nil {
		return nil, fmt.Errorf("sip: send %s: destination %q is not ip:port", req.Method, dest)
	}
	switch transport {
	case "udp":
		if err := s.fromListener(req); err != nil {
			return nil, err
		}
	case "ws", "wss":
		if s.flows.find(transport, dest) == nil {
			return nil, errFlowGone
		}
	case "tcp", "tls":
		// With a local address sipgo would take the connection that was accepted last, whosever it is.
		req.Laddr = sipmsg.Addr{}
	default:
		return nil, fmt.Errorf("sip: send %s to %s: unknown transport %q", req.Method, addr, transport)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if req.IsAck() {
		conn, err := s.tp.ClientRequestConnection(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("sip: send ACK to %s over %s: %w", addr, transport, err)
		}
		defer func() { _, _ = conn.TryClose() }()
		return nil, conn.WriteMsg(req)
	}
	tx, err := s.txl.Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("sip: send %s to %s over %s: %w", req.Method, addr, transport, err)
	}
	return tx, nil
}

// fromListener makes a UDP request leave from the socket that we listen on, so that it passes NATs and firewalls.
func (s *Server) fromListener(req *sipmsg.Request) error {
	host, port, err := net.SplitHostPort(s.listeners.of("udp"))
	if err != nil {
		return errors.New("sip: no UDP listener")
	}
	req.Laddr = sipmsg.Addr{IP: net.ParseIP(host)}
	req.Laddr.Port, err = strconv.Atoi(port)
	return err
}
