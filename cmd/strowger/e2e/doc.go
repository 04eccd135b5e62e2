// Package e2e holds the end-to-end tests: the real binary, called by real parties. SIPp is the carrier, baresip and linphone
// are desk phones, Chromium is the browser with our page, or with another site's over JsSIP or SIP.js; each sends a tone of its
// own and the tests assert who hears whom.
//
// The binary is the one of STROWGER_BIN (`make e2e` sets it), or is built for the run. `make setup` installs the parties.
package e2e
