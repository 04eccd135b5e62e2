package media

import (
	"context"
	"fmt"
	"sync"

	"strowger/media/icelite"
)

// browserHub is the place where all browsers arrive: one UDP port, one TCP port, one DTLS certificate.
//
// Why not pion's PeerConnection: it negotiates like a browser, not like SIP (it answers a hold with sendrecv, stops a
// transceiver for good on inactive, drops a receiver whose re-offer names another SSRC), and costs some twenty goroutines and
// four queues per connection. What a server needs of ICE is the lite half, which is package icelite; DTLS and SRTP are pion's.
type browserHub struct {
	mux *icelite.Mux
	id  *dtlsIdentity

	ctx    context.Context // ends the associations
	cancel context.CancelFunc

	mu     sync.Mutex // guards wg against a start after close
	closed bool
	wg     sync.WaitGroup // of the associations' goroutines
}

func newWebRTCHub(cfg Config) (webrtcHub, error) {
	id, err := newDTLSIdentity()
	if err != nil {
		return nil, err
	}
	ports := icelite.Config{UDP: cfg.WebRTCUDP, TCP: cfg.WebRTCTCP}
	if cfg.PublicIP.IsValid() && !cfg.PublicIP.IsUnspecified() {
		ports.Public = append(ports.Public, cfg.PublicIP)
	}
	if cfg.PublicIP6.IsValid() {
		ports.Public = append(ports.Public, cfg.PublicIP6)
	}
	mux, err := icelite.Listen(ports)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &browserHub{mux: mux, id: id, ctx: ctx, cancel: cancel}, nil
}

func (h *browserHub) addr() string { return h.mux.Addr().String() }

// start runs f in a goroutine that close waits for.
func (h *browserHub) start(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.wg.Go(f)
	}
}

// close ends what is left of associations and closes the ports.
func (h *browserHub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.wg.Wait()
	h.mux.Close()
}

func (h *browserHub) newLink(s *Session) (link, error) {
	return newWebRTCLink(h, s)
}
