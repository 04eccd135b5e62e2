package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
)

const (
	// handshakeTime is how long a browser may take from the SDP exchange to the end of the DTLS handshake.
	handshakeTime = 30 * time.Second
	// goodbyeGrace is how long a browser's close_notify waits for its BYE: signalling is slower, and says why.
	goodbyeGrace = 3 * time.Second
)

// association is one DTLS connection and the goroutine that runs it: handshake, keys, then reading until the end. The
// goroutine belongs to the hub, whose close waits for it.
type association struct {
	l      *webrtcLink
	pipe   *dtlsPipe
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	started bool
	client  bool
}

func newAssociation(l *webrtcLink) *association {
	a := &association{l: l, pipe: newDTLSPipe(l.agent)}
	a.ctx, a.cancel = context.WithCancel(l.hub.ctx)
	return a
}

// start begins the handshake with the holder of one of these certificates, once, and says whether we are its client.
func (a *association) start(want []certHash, client bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.started {
		a.started, a.client = true, client
		a.l.hub.start(func() { a.run(want, client) })
	}
	return a.client
}

func (a *association) run(want []certHash, client bool) {
	ctx, cancel := context.WithTimeout(a.ctx, handshakeTime)
	conn, keys, err := dtlsHandshake(ctx, a.l.hub.id, a.pipe, client, want)
	cancel()
	if err != nil {
		a.lost(a.reason(err))
		return
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(a.ctx, func() {
		_ = conn.Close() // sends close_notify, ends the read below
		close(closed)
	})
	a.unlessClosed(func() {
		a.l.keys.Store(keys)
		a.l.s.linkReady()
	})
	a.read(conn)
	if stop() {
		_ = conn.Close()
	} else {
		<-closed
	}
	select {
	case <-a.ctx.Done():
	case <-time.After(goodbyeGrace):
		a.lost("the browser closed the connection")
	}
}

// read waits for the end. There is no data to come: the audio goes beside DTLS, not through it.
func (a *association) read(conn *dtls.Conn) {
	buf := make([]byte, 256)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

func (a *association) reason(err error) string {
	switch {
	case !a.l.agent.Remote().IsValid():
		return "no ICE check of the browser arrived: is the WebRTC port reachable from it?"
	case errors.Is(err, context.DeadlineExceeded):
		return "the browser did not finish the DTLS handshake"
	}
	return err.Error()
}

// lost tells the session, unless the end was ours.
func (a *association) lost(why string) { a.unlessClosed(func() { a.l.s.linkLost(why) }) }

// unlessClosed keeps the session from being told anything after close has returned.
func (a *association) unlessClosed(tell func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() == nil {
		tell()
	}
}

// close ends the association without waiting for it.
func (a *association) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cancel()
}
