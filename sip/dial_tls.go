package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"

	sipmsg "github.com/emiago/sipgo/sip"
)

// sendNamed sends over TLS to an address that was found by a name, which the certificate must show (RFC 5922 §7.2). sipgo
// takes that name from the destination and would ask the DNS for it once more, so that all addresses of a name were one:
// the connection to the chosen address is opened here.
func (s *Server) sendNamed(ctx context.Context, req *sipmsg.Request, name string) (sipmsg.ClientTransaction, error) {
	dest := req.MessageData.Destination()
	if err := s.connectTLS(ctx, dest, name); err != nil {
		return nil, fmt.Errorf("sip: send %s to %s at %s over tls: %w", req.Method, name, dest, err)
	}
	return s.send(ctx, req)
}

// connectTLS opens the connection to a carrier unless it is open, and gives it to sipgo like one that was accepted.
func (s *Server) connectTLS(ctx context.Context, addr, name string) error {
	turn, _ := s.calls.trunks.dialing.LoadOrStore(addr, &sync.Mutex{})
	turn.(*sync.Mutex).Lock() // one connection per address
	defer turn.(*sync.Mutex).Unlock()
	if c := s.tp.Pool("tls").Get(addr); c != nil {
		_, err := c.TryClose() // only the use that Get counted ends
		return err
	}
	config := s.dialTLS()
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.ServerName = name
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	c := &dialedConn{Conn: conn, reading: make(chan struct{})}
	if err := s.listeners.dialed.feed(c); err != nil {
		return errors.Join(err, conn.Close())
	}
	select {
	case <-c.reading:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), conn.Close())
	}
}

// dialedConn tells when sipgo reads it for the first time: it is in its pool then.
type dialedConn struct {
	net.Conn
	reading chan struct{}
	once    sync.Once
}

func (c *dialedConn) Read(b []byte) (int, error) {
	c.once.Do(func() { close(c.reading) })
	return c.Conn.Read(b)
}
