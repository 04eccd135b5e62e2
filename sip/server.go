package sip

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"sync"
	"sync/atomic"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// Server is the SIP side of the phone system. Make it with New, start it with Start, end it with Close. It implements
// call.Dialer.
type Server struct {
	cfg Config
	log zerolog.Logger

	tp  *sipmsg.TransportLayer
	txl *sipmsg.TransactionLayer

	listeners listeners
	region    atomic.Pointer[string]
	flows     *flowTable
	guard     *guard
	auth      *authenticator
	location  *locationTable
	watchers  registerWatchers
	order     *dialogOrder
	merged    *mergedTable
	branches  branchMaker
	tagSeed   maphash.Seed
	calls     callState
	crew      crew
	subs      *subscriptions
	telling   serial // NOTIFYs outside subscriptions

	draining atomic.Bool
	done     sync.WaitGroup // of all goroutines that Start began
	stop     context.CancelFunc
}

// New checks cfg and loads the stored registrations. Nothing listens yet.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	tuneLibrary()
	s := &Server{
		cfg:      cfg,
		log:      cfg.Log.With().Str("component", "sip").Logger(),
		flows:    newFlowTable(),
		guard:    newGuard(cfg.RateLimit),
		order:    newDialogOrder(),
		merged:   newMergedTable(),
		branches: newBranchMaker(),
		tagSeed:  maphash.MakeSeed(),
	}
	s.auth = newAuthenticator(cfg)
	s.location = newLocationTable(cfg.Bindings, s.log)
	if err := s.location.load(time.Now()); err != nil {
		return nil, fmt.Errorf("sip: load registrations: %w", err)
	}
	s.subs = newSubscriptions(cfg)
	s.location.added = s.appeared
	s.flows.onClose = s.location.dropFlow
	s.tp = sipmsg.NewTransportLayer(net.DefaultResolver, newParser(), s.dialTLS(),
		sipmsg.WithTransportLayerLogger(libraryLogger(s.log)),
		sipmsg.WithTransportLayerReadFilter(s.filter))
	s.tp.OnMessage(s.arrived) // first of the handlers, so it runs before the transaction layer's
	s.txl = sipmsg.NewTransactionLayer(s.tp,
		sipmsg.WithTransactionLayerLogger(libraryLogger(s.log)),
		sipmsg.WithTransactionLayerTerminateOnConnClose(), // a carrier's broken connection fails its calls at once
		sipmsg.WithTransactionLayerUnhandledResponseHandler(s.onStrayResponse))
	s.txl.OnRequest(func(req *sipmsg.Request, tx *sipmsg.ServerTx) { s.crew.do(func() { s.handle(req, tx) }) })
	s.SetRegion(cfg.Region)
	if err := s.initCalls(); err != nil {
		return nil, err
	}
	return s, nil
}

// Start binds all listeners and then runs the server until Close. The error says which listener failed; nothing is left
// running then. ctx bounds the binding only.
func (s *Server) Start(ctx context.Context) error {
	if err := s.listeners.open(ctx, s.cfg); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.serve()
	s.done.Go(func() { s.location.run(run) })
	if s.listeners.udp != nil {
		s.done.Go(func() { s.keepAlive(run) })
	}
	if err := s.startTrunks(run); err != nil {
		return errors.Join(err, s.Close(ctx))
	}
	return nil
}

// serve hands the open listeners to sipgo's transport layer, which reads from them until they are closed.
func (s *Server) serve() {
	l := &s.listeners
	if l.udp != nil {
		s.keepUDP() // a request may be sent before sipgo's reader runs
		s.done.Go(s.serveUDP)
	}
	if l.tcp != nil {
		s.done.Go(func() { _ = s.tp.ServeTCP(s.flows.watch(l.tcp, "tcp")) })
	}
	if l.tls != nil {
		s.done.Go(func() { _ = s.tp.ServeTLS(s.flows.watch(l.tls, "tls")) })
	}
	s.done.Go(func() { _ = s.tp.ServeTLS(l.dialed) })
	s.done.Go(func() { _ = s.tp.ServeWS(l.ws) })
	s.done.Go(func() { _ = s.tp.ServeWSS(l.wss) })
}

// Addrs are the real addresses, valid after Start.
func (s *Server) Addrs() Addrs { return s.listeners.addrs() }

// SetDraining refuses new calls with 503 and Retry-After (RFC 3261 §21.5.4) while it is on. Calls in progress and
// registrations go on.
func (s *Server) SetDraining(on bool) { s.draining.Store(on) }

// Close ends trunks, listeners, connections and transactions, and writes what is not yet written of the registrations.
// ctx bounds the waiting.
func (s *Server) Close(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	s.draining.Store(true)
	s.subs.close(ctx)
	s.stopTrunks()
	s.flows.closing()
	s.stop()
	s.txl.Close()
	err := s.listeners.close()
	if e := s.tp.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	s.flows.closeAll()
	s.crew.disband()
	ended := make(chan struct{})
	go func() { s.done.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("sip: close: %w", ctx.Err()))
	}
	return errors.Join(err, s.location.flush())
}
