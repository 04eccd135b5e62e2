package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"strowger/media/codec"
)

// oggPackets takes the packets of the first logical stream out of an Ogg file (RFC 3533). pion's oggreader gives whole
// pages and not where the packets in them end.
type oggPackets struct {
	r       io.Reader
	serial  uint32
	begun   bool
	lacing  []byte // segment sizes of the page that are still to be read
	page    []byte // and their data
	last    bool   // the page is the stream's last
	granule int64  // of the last page that was read
}

var errOgg = fmt.Errorf("%w: the Ogg file is damaged", ErrClip)

// nextPage reads a page of the stream; those of other streams are passed over.
func (o *oggPackets) nextPage() error {
	for {
		var head [27]byte
		if _, err := io.ReadFull(o.r, head[:]); err != nil {
			return io.EOF // also a file that is cut off: what there was is good
		}
		if string(head[:4]) != "OggS" || head[4] != 0 {
			return errOgg
		}
		lacing := make([]byte, head[26])
		if _, err := io.ReadFull(o.r, lacing); err != nil {
			return io.EOF
		}
		size := 0
		for _, n := range lacing {
			size += int(n)
		}
		page := make([]byte, size)
		if _, err := io.ReadFull(o.r, page); err != nil {
			return io.EOF
		}
		serial := binary.LittleEndian.Uint32(head[14:])
		if !o.begun {
			o.begun, o.serial = true, serial
		}
		if serial == o.serial {
			o.lacing, o.page, o.last = lacing, page, head[5]&4 != 0
			o.granule = int64(binary.LittleEndian.Uint64(head[6:]))
			return nil
		}
	}
}

// next is the next packet; io.EOF at the end.
func (o *oggPackets) next() ([]byte, error) {
	var packet []byte
	for {
		for len(o.lacing) == 0 {
			if o.last {
				return nil, io.EOF
			}
			if err := o.nextPage(); err != nil {
				return nil, err
			}
		}
		n := int(o.lacing[0])
		packet = append(packet, o.page[:n]...)
		o.lacing, o.page = o.lacing[1:], o.page[n:]
		if len(packet) > maxClipBytes {
			return nil, errOgg
		}
		if n < 255 {
			return packet, nil
		}
	}
}

// readOggOpus decodes Opus in Ogg (RFC 7845).
func readOggOpus(r io.Reader, longest time.Duration) (Clip, error) {
	o := &oggPackets{r: r}
	head, err := o.next()
	if err != nil || len(head) < 19 || string(head[:8]) != "OpusHead" {
		return Clip{}, fmt.Errorf("%w: an Ogg file, but not of Opus", ErrClip)
	}
	if head[18] != 0 {
		return Clip{}, fmt.Errorf("%w: Opus with more than two channels", ErrClip)
	}
	if _, err := o.next(); err != nil { // OpusTags
		return Clip{}, errOgg
	}
	const perSample = 48000 / codec.OpusRate // RFC 7845 counts at 48 kHz
	skip := int(binary.LittleEndian.Uint16(head[10:]))
	d, err := codec.NewOpusDecoder()
	if err != nil {
		return Clip{}, err
	}
	var samples []int16
	var frame [codec.OpusRate * 120 / 1000]int16
	for {
		packet, err := o.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Clip{}, err
		}
		samples = append(samples, d.Decode(frame[:], packet)...)
		if err := tooLong(len(samples)-codec.OpusRate, codec.OpusRate, longest); err != nil {
			return Clip{}, err
		}
	}
	if end := int(o.granule / perSample); o.last && end > 0 && end < len(samples) {
		samples = samples[:end] // what pads the last packet
	}
	return Clip{samples[min(skip/perSample, len(samples)):], codec.OpusRate}, nil
}
