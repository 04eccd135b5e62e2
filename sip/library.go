package sip

import (
	"context"
	"log/slog"
	"sync"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// maxDatagram is the largest message on any transport (RFC 3261 §18.1.1: a UDP datagram's 65,535 bytes).
const maxDatagram = 65535

// tuneLibrary sets sipgo's package variables, once for the process, since they can be set nowhere else: messages up to
// the size of a datagram (sipgo refuses to send more than 1300 bytes by UDP, and has no other way to send them), and
// silence from its default logger, which none of our layers uses on purpose.
var tuneLibrary = sync.OnceFunc(func() {
	sipmsg.UDPMTUSize = maxDatagram + 200
	sipmsg.TransportBufferReadSize = maxDatagram
	sipmsg.SetDefaultLogger(slog.New(slog.DiscardHandler))
})

// libraryLogger passes sipgo's warnings on. Whole datagrams, which it attaches to parse errors, carry credentials and
// are left out.
func libraryLogger(log zerolog.Logger) *slog.Logger {
	return slog.New(&libraryHandler{log: log.With().Str("from", "sipgo").Logger()})
}

// libraryHandler is a slog.Handler over zerolog for sipgo's own messages.
type libraryHandler struct {
	log zerolog.Logger
}

// quietMessage reports whether a peer can cause this error of sipgo's at will: it would fill the log.
func quietMessage(message string) bool {
	switch message {
	case "failed to parse", "Read filter error", "Read error", "Got TCP error", "Fail to upgrade", "Server tx failed to handle request",
		"Client tx failed to handle response":
		return true
	}
	return false
}

func (h *libraryHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h *libraryHandler) Handle(_ context.Context, r slog.Record) error {
	level := zerolog.WarnLevel
	if r.Level < slog.LevelError || quietMessage(r.Message) { // what matters of it, a leg or a trunk says with its call_id
		level = zerolog.DebugLevel
	}
	e := h.log.WithLevel(level)
	if h.log.GetLevel() > level {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "laddr", "raddr", "tx", "network":
			e = e.Str(a.Key, a.Value.String())
		}
		return true
	})
	e.Msg(r.Message)
	return nil
}

func (h *libraryHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h *libraryHandler) WithGroup(string) slog.Handler      { return h }
