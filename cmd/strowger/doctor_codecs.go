package main

import "strowger/media/codec"

// codecs looks for libopus.
func (e *examination) codecs() {
	if _, err := codec.LoadOpus(); err != nil {
		e.warn("opus", "Opus is passed on between parties that both have it, but not converted: "+err.Error(),
			"install libopus (Debian: apt-get install libopus0), if parties with Opus alone shall reach others and voicemail")
		return
	}
	e.ok("opus", "libopus is installed: Opus is converted where a party has nothing else")
}
