package call

// Tape records a call in stereo. The adapter in cmd implements it over package media. Its methods do not block, and do
// nothing once it is closed.
type Tape interface {
	// Add records a party: channel 0 is left, 1 is right, where several are mixed. A session is on one tape at most; one that is
	// closed leaves by itself.
	Add(s MediaSession, channel int) error
	Remove(s MediaSession)
	// Pause records silence until it is called with false. The time goes on in the file.
	Pause(on bool)
	// Close completes the file in the background; TapeEvent follows.
	Close()
}

// TapeOptions for a new tape.
type TapeOptions struct {
	CallID string
	File   string          // absolute path; it appears when it is complete
	Post   func(TapeEvent) // called once, when it has ended
}

// TapeEvent says that the file is complete, or as complete as it could be made.
type TapeEvent struct {
	Seconds float64 // of the file
	Missing float64 // seconds of it that are silent because the disk did not keep up
	Why     string  // stopped | limit | failed
	Err     error   // failed: why. The file is kept up to there
}
