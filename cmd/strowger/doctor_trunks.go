package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"strowger/cmd/strowger/config"
)

// trunks asks every carrier by OPTIONS whether it is there.
func (e *examination) trunks() {
	for _, t := range e.cfg.Trunks {
		what := "trunk " + t.Name
		addr, err := carrierAddress(t)
		if err != nil {
			e.bad(what, err.Error(), "check trunks.server for a typing error, and the machine's DNS")
			continue
		}
		start := time.Now()
		answer, err := askOptions(t.Transport, addr)
		switch {
		case errors.Is(err, errSilent):
			e.warn(what, fmt.Sprintf("%s at %s does not answer OPTIONS over %s", t.Server, addr, t.Transport), "some carriers never do; otherwise a firewall, the port or the transport is wrong")
		case err != nil:
			e.bad(what, err.Error(), "check address, port, transport and firewall")
		default:
			e.ok(what, "%s answers %q after %d ms", addr, answer, time.Since(start).Milliseconds())
		}
	}
}

// carrierAddress is the first address that a call would be sent to: by SRV when there is no port (RFC 3263 §4.2).
func carrierAddress(t config.Trunk) (string, error) {
	server := t.Server
	if t.Proxy != "" {
		server = t.Proxy
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = server, map[string]string{"tls": "5061"}[t.Transport]
		if port == "" {
			port = "5060"
		}
		service, proto := "sip", t.Transport
		if proto == "tls" {
			service, proto = "sips", "tcp"
		}
		if _, records, err := net.DefaultResolver.LookupSRV(ctx, service, proto, host); err == nil && len(records) > 0 {
			host, port = strings.TrimSuffix(records[0].Target, "."), fmt.Sprint(records[0].Port)
		}
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", fmt.Errorf("%s cannot be resolved: %w", host, err)
	}
	return net.JoinHostPort(ips[0], port), nil
}

var errSilent = errors.New("no answer")

// askOptions sends an OPTIONS (RFC 3261 §11) and returns the status line of whatever comes back.
func askOptions(transport, addr string) (string, error) {
	var conn net.Conn
	var err error
	if transport == "tls" {
		// The certificate is not what is examined here; the call itself verifies it.
		conn, err = tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{InsecureSkipVerify: true})
	} else {
		conn, err = net.DialTimeout(transport, addr, 5*time.Second)
	}
	if err != nil {
		return "", err
	}
	defer conn.Close()
	local, id := conn.LocalAddr().String(), rand.Uint64()
	request := fmt.Sprintf("OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/%[2]s %[3]s;branch=z9hG4bK%[4]x;rport\r\nFrom: <sip:doctor@%[3]s>;tag=%[4]x\r\nTo: <sip:%[1]s>\r\n"+
		"Call-ID: %[4]x@doctor\r\nCSeq: 1 OPTIONS\r\nContact: <sip:doctor@%[3]s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", addr, strings.ToUpper(transport), local, id)
	buf := make([]byte, 4096)
	for range 3 {
		if _, err := conn.Write([]byte(request)); err != nil {
			return "", err
		}
		conn.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
		n, err := conn.Read(buf)
		if err == nil {
			line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
			return line, nil
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return "", err
		}
	}
	return "", errSilent
}
