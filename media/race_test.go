//go:build race

package media

// raceEnabled: under the race detector sync.Pool forgets at random, and the HMAC of SRTP uses one.
const raceEnabled = true
