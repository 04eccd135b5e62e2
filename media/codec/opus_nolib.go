//go:build !(linux && (amd64 || arm64))

package codec

import "errors"

// OpusLibrary is the system's libopus, which encodes. It is used on Linux, amd64 and arm64, only.
type OpusLibrary struct{}

// LoadOpus fails: libopus is not looked for on this system.
func LoadOpus() (*OpusLibrary, error) {
	return nil, errors.New("libopus: used on Linux (amd64, arm64) only")
}

// OpusEncoder encodes 16 kHz mono for one party.
type OpusEncoder struct{}

// NewEncoder fails, see LoadOpus.
func (*OpusLibrary) NewEncoder() (*OpusEncoder, error) { return nil, errors.New("libopus: not loaded") }

// NewStereoEncoder fails, see LoadOpus.
func (*OpusLibrary) NewStereoEncoder() (*OpusEncoder, error) {
	return nil, errors.New("libopus: not loaded")
}

// Encode makes nothing.
func (*OpusEncoder) Encode([]byte, []int16) []byte { return nil }

// Copy does nothing.
func (*OpusEncoder) Copy(*OpusEncoder) {}
