package app

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// renewing serves a certificate from files that are replaced while we run, as certificates are that live for weeks: a
// restart would cost calls.
type renewing struct {
	cert, key string
	every     time.Duration // how often the files are looked at
	log       zerolog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	stamp  string // of the files that pair is from
}

const renewEvery = time.Minute

// tlsConfig is for a listener with this certificate; without files it does not change.
func (a *App) tlsConfig(cert, key string, pair tls.Certificate) *tls.Config {
	if cert == "" {
		return &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	r := &renewing{cert: cert, key: key, every: renewEvery, log: a.log, pair: &pair, looked: time.Now()}
	r.stamp = r.files()
	return &tls.Config{GetCertificate: r.get}
}

// get implements tls.Config.GetCertificate. Files that do not fit together, perhaps half-replaced, are read again later.
func (r *renewing) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.looked) < r.every {
		return r.pair, nil
	}
	r.looked = time.Now()
	stamp := r.files()
	if stamp == r.stamp {
		return r.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(r.cert, r.key)
	if err != nil {
		r.log.Error().Err(err).Str("cert", r.cert).Str("key", r.key).Msg("the renewed certificate cannot be read; going on with the old one")
		return r.pair, nil
	}
	r.log.Info().Str("cert", r.cert).Msg("using the renewed certificate")
	r.pair, r.stamp = &pair, stamp
	return r.pair, nil
}

// files tells whether the files are others than before.
func (r *renewing) files() string {
	stamp := ""
	for _, file := range []string{r.cert, r.key} {
		if info, err := os.Stat(file); err == nil {
			stamp += info.ModTime().String()
		}
	}
	return stamp
}
