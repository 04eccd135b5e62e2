package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestRenewedCertificate: a certificate that is replaced is served without a restart, a broken one never.
func TestRenewedCertificate(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "c.pem"), filepath.Join(folder, "k.pem")
	age := time.Hour
	renew := func() {
		t.Helper()
		if err := makeCertificate(cert, key, []string{"phone.example"}); err != nil {
			t.Fatal(err)
		}
		age -= time.Minute
		for _, file := range []string{cert, key} {
			if err := os.Chtimes(file, time.Time{}, time.Now().Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
	}
	renew()
	pair, err := certificate(cert, key, folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{log: zerolog.Nop()}
	if a.tlsConfig(cert, key, pair).GetCertificate == nil {
		t.Fatal("the files are not looked at again")
	}
	r := &renewing{cert: cert, key: key, log: zerolog.Nop(), pair: &pair}
	r.stamp = r.files()
	served := func() []byte {
		t.Helper()
		c, err := r.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Certificate[0]
	}
	first := served()
	if !bytes.Equal(first, pair.Certificate[0]) {
		t.Error("not the certificate of the start")
	}
	renew()
	second := served()
	if bytes.Equal(first, second) {
		t.Error("the old certificate is still served")
	}
	if err := os.WriteFile(cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(served(), second) {
		t.Error("a broken file ended the good certificate")
	}
}
