package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Ready says where a running server listens, for scripts and tests.
type Ready struct {
	HTTP       string `json:"http"`                 // URL
	SIPUDP     string `json:"sip_udp,omitempty"`    // host:port
	SIPTCP     string `json:"sip_tcp,omitempty"`    // host:port
	SIPTLS     string `json:"sip_tls,omitempty"`    // host:port
	WebRTC     string `json:"webrtc,omitempty"`     // host:port, UDP
	SigninURL  string `json:"signin_url,omitempty"` // works once
	Carrier    string `json:"carrier,omitempty"`    // host:port of the demo's carrier
	AdminToken string `json:"admin_token"`          // bearer token of the API
}

// WriteFile writes the file whole or not at all, readable by its owner only: it holds secrets.
func (r Ready) WriteFile(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(path, append(data, '\n'))
}

// writeWhole replaces a file by way of a temporary one beside it, so that a reader never sees half of it.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
