//go:build !(linux && (amd64 || arm64))

package codec

import "errors"

// OpusLibrary is the system's libopus, which encodes. It is used on Linux, amd64 and arm64, only.
type OpusLibrary struct{ Settings OpusSettings }

// LoadOpus fails: libopus is not looked for on this system.
func LoadOpus() (*OpusLibrary, error) {
	return nil, errors.New("libopus: used on Linux (amd64, arm64) only")
}

// OpusEncoder encodes 16 kHz mono for one party.
type OpusEncoder struct{}

// OpusSettings of an encoder.
type OpusSettings struct {
	Bitrate  int
	FEC, DTX bool
}

// NewEncoder fails, see LoadOpus.
func (*OpusLibrary) NewEncoder(OpusSettings) (*OpusEncoder, error) {
	return nil, errors.New("libopus: not loaded")
}

type libraryDecoder struct{}

func (*libraryDecoder) decode([]byte, int, bool) []int16 { return nil }

// NewDecoder fails, see LoadOpus.
func (*OpusLibrary) NewDecoder() (*OpusDecoder, error) { return nil, errors.New("libopus: not loaded") }

// NewStereoEncoder fails, see LoadOpus.
func (*OpusLibrary) NewStereoEncoder() (*OpusEncoder, error) {
	return nil, errors.New("libopus: not loaded")
}

// Encode makes nothing.
func (*OpusEncoder) Encode([]byte, []int16) []byte { return nil }

// Copy does nothing.
func (*OpusEncoder) Copy(*OpusEncoder) {}
