// Package app is the whole server as one struct: it binds signalling, media, routing, the store and the web to each other.
// `serve` and `demo` run it, and so do the end-to-end tests.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/carrier"
	"strowger/cmd/strowger/config"
	"strowger/cmd/strowger/voicemail"
	"strowger/media"
	"strowger/media/codec"
	"strowger/sip"
	"strowger/sip/call"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/web"
)

// Options of a server.
type Options struct {
	Config  config.Config
	Demo    bool // with the example organisation and a simulated carrier
	AnyPort bool // take any free port where a configured one is in use
	Version string
	Log     zerolog.Logger
}

// App is a server. Start makes it listen; Drain and Close end it in two stages.
type App struct {
	cfg     config.Config
	opt     Options
	log     zerolog.Logger
	started time.Time

	db        *bolt.DB
	org       *organisation
	records   *records
	boxes     *voicemail.Boxes
	announces *announcer
	onMessage []func(vm store.Voicemail, gone bool) // told of changes in mailboxes
	engine    *media.Engine
	sip       *sip.Server
	presence  *presence
	lamps     *lamps
	waiting   *waiting
	calls     *call.Manager
	web       *web.Server
	carrier   *carrier.Carrier // demo only

	token   string // of the API, for scripts
	http    []*http.Server
	httpURL string
	admin   *http.Server
	failed  chan error
	undo    []func() // what Close takes back, last first

	callsStopped sync.Once
	life         context.Context // of background work
	background   sync.WaitGroup
}

// New opens the store and builds every part. Nothing listens yet, except the media ports of browsers and, in the demo, the
// carrier. On an error everything is closed again.
func New(o Options) (*App, error) {
	a := &App{cfg: o.Config, opt: o, log: o.Log, failed: make(chan error, 4)}
	life, end := context.WithCancel(context.Background())
	a.life = life
	a.onClose(func() { end(); a.background.Wait() })
	for _, part := range []func() error{a.openStore, a.openCarrier, a.openMedia, a.openSIP, a.openCalls, a.openWeb, a.openLamps} {
		if err := part(); err != nil {
			a.takeBack()
			return nil, err
		}
	}
	return a, nil
}

func (a *App) onClose(f func()) { a.undo = append(a.undo, f) }

// whileOpen runs f on a goroutine of its own, until Close comes to what was opened before.
func (a *App) whileOpen(f func(context.Context)) {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); f(ctx) }()
	a.onClose(func() { end(); <-ended })
}

func (a *App) takeBack() {
	for i := len(a.undo) - 1; i >= 0; i-- {
		a.undo[i]()
	}
	a.undo = nil
}

// openStore opens the data folder and mends what a crash left behind.
func (a *App) openStore() error {
	if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	db, err := bolt.Open(filepath.Join(a.cfg.Data, admin.StoreName), bolt.Options{})
	if err != nil {
		return err
	}
	a.db = db
	a.onClose(func() {
		if err := db.Close(); err != nil {
			a.log.Error().Err(err).Msg("the store did not close cleanly")
		}
	})
	if err := a.db.PutSetting(admin.SettingRealm, []byte(a.cfg.SIP.Realm)); err != nil {
		return err
	}
	if a.opt.Demo {
		if err := a.plantDemo(); err != nil {
			return err
		}
	}
	if a.org, err = newOrganisation(db, a.log); err != nil {
		return err
	}
	secret, err := db.Secret("admin-token")
	if err != nil {
		return err
	}
	a.token = fmt.Sprintf("%x", secret)
	if err := a.openMailboxes(); err != nil {
		return err
	}
	return a.recover()
}

// openMedia starts the media engine.
func (a *App) openMedia() error {
	bind, public, err := a.addresses()
	if err != nil {
		return err
	}
	if a.opt.AnyPort {
		a.cfg.WebRTC.UDP, a.cfg.WebRTC.TCP = freeOrAny("udp", a.cfg.WebRTC.UDP), freeOrAny("tcp", a.cfg.WebRTC.TCP)
	}
	public6, _ := netip.ParseAddr(a.cfg.PublicAddress6) // an address or nothing: the configuration was checked
	a.engine, err = media.NewEngine(media.Config{BindIP: bind, PublicIP: public, PublicIP6: public6, RTPMin: a.cfg.RTP.Ports.From, RTPMax: a.cfg.RTP.Ports.To,
		WebRTCUDP: a.cfg.WebRTC.UDP, WebRTCTCP: a.cfg.WebRTC.TCP, Opus: codec.OpusSettings(a.cfg.Opus), Log: a.log})
	if err != nil {
		return err
	}
	a.onClose(a.engine.Close)
	prompts, err := newPrompts(a.cfg.Data, a.cfg.Calls.Language)
	if err != nil {
		return fmt.Errorf("prompts: %w", err)
	}
	a.records = &records{db: a.db, prompts: prompts, boxes: a.boxes, review: a.cfg.Voicemail.Review, org: a.org, log: a.log,
		busy: func(user string) bool { return slices.Contains(busyUsers(a.calls.Active()), user) }}
	a.records.tapes = tapes{data: a.cfg.Data, opus: a.cfg.Recording.Format == "ogg", minFree: uint64(a.cfg.Recording.MinFree) << 20, trouble: a.recordingTrouble}
	a.records.late = &lateRecords{write: a.records.closeCall, log: a.log}
	a.whileOpen(a.records.late.run)
	a.whileOpen(a.keepRecordings)
	return nil
}

// openCalls starts the call engine between signalling and media.
func (a *App) openCalls() error {
	perTrunk := map[string]int{}
	for _, t := range a.cfg.Trunks {
		if t.MaxCalls > 0 {
			perTrunk[t.Name] = t.MaxCalls
		}
	}
	silence := a.cfg.Calls.SilenceTimeout
	if silence == 0 {
		silence = -1
	}
	web := newWebhooks(a.cfg.Calls.Private())
	a.onClose(web.close)
	for _, name := range []string{"call-connect", "music-on-hold", "rec-notice"} { // unpacked now: the first who is held shall not wait for it
		if _, err := a.records.prompts.file(name); err != nil {
			return err
		}
	}
	decides := &router{org: a.org, registered: a.presence.registered}
	a.calls = call.New(call.Config{
		Router:    decides,
		Workflows: &workflows{router: decides, web: web},
		Speech: &speech{command: strings.Fields(a.cfg.Calls.Speech), prompts: a.records.prompts,
			cache: filepath.Join(a.cfg.Data, "speech")},
		Services: a.services(),
		Dialer:   a.sip,
		Media:    mediaFactory{a.engine, a.cfg.Recording.Longest, a.recordingTrouble},
		Records:  a.records,
		Limits: call.Limits{Calls: a.cfg.Limits.Calls, PerUser: a.cfg.Limits.CallsPerUser, PerTrunk: perTrunk, Silence: silence,
			MessageSeconds: int(a.cfg.Calls.VoicemailLimit.Seconds()), MessageSilence: int(a.cfg.Calls.VoicemailSilence.Seconds())},
		Opus: a.engine.Opus(),
		Log:  a.log,
	})
	a.onClose(a.stopCalls)
	return nil
}

// stopCalls ends every call while signalling still works, so that the other sides hear of it.
func (a *App) stopCalls() {
	a.callsStopped.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := a.calls.Close(ctx); err != nil {
			a.log.Warn().Err(err).Msg("some calls had to be cut")
		}
	})
}

// Start listens everywhere. On an error the caller closes the App.
func (a *App) Start(ctx context.Context) error {
	a.started = time.Now()
	a.background.Go(func() { a.boxes.Run(a.life) })
	a.background.Go(func() { a.announces.run(a.life) })
	if err := a.startSIP(ctx); err != nil {
		return err
	}
	if a.carrier != nil {
		a.connectCarrier()
	}
	if err := a.startHTTP(); err != nil {
		return err
	}
	return a.startAdmin()
}

// Failed delivers the error of a listener that died.
func (a *App) Failed() <-chan error { return a.failed }

// Drain refuses new calls and waits until the last call has ended by itself, the time is over, or a signal comes.
func (a *App) Drain(patience time.Duration, hurry <-chan os.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if hurry != nil {
		go func() {
			select {
			case <-hurry:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	a.sip.SetDraining(true)
	if n := len(a.calls.Active()); n > 0 {
		a.log.Warn().Int("calls", n).Stringer("patience", patience).Msg("stopping: no new calls; waiting for calls to end (signal again to stop now)")
	}
	if err := a.calls.Drain(ctx); err != nil && !errors.Is(err, context.Canceled) {
		a.log.Warn().Int("calls", len(a.calls.Active())).Msg("patience is over; ending the calls that are left")
	}
}

// Close ends what is left and frees everything.
func (a *App) Close() error {
	a.stopCalls()
	a.takeBack()
	return nil
}

// Ready says where the server listens.
func (a *App) Ready() Ready {
	addrs := a.sip.Addrs()
	r := Ready{HTTP: a.httpURL, SIPUDP: addrs.UDP, SIPTCP: addrs.TCP, SIPTLS: addrs.TLS, WebRTC: a.engine.WebRTCAddr(), AdminToken: a.token}
	if a.carrier != nil {
		r.Carrier = a.carrier.Addr().String()
	}
	if link, err := a.SigninLink(a.firstOwner()); err == nil {
		r.SigninURL = link
	}
	return r
}
