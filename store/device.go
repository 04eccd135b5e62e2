package store

import "time"

// Device is a phone of a user with SIP credentials of its own: a desk phone or a mobile softphone. The browser phone is
// no Device: it is authenticated by the web session. Every device registers as a contact of its user's address of record.
type Device struct {
	ID       string    `json:"id"`       // unique; also the digest username, e.g. "ann-desk"
	User     string    `json:"user"`     // User.ID
	Kind     string    `json:"kind"`     // desk | mobile | browser (a foreign WebSocket phone)
	Label    string    `json:"label"`    // for people
	HA1MD5   string    `json:"ha1_md5"`  // hex of H(id:realm:password), RFC 7616 §3.4.2
	HA1SHA   string    `json:"ha1_sha"`  // the same with SHA-256
	Realm    string    `json:"realm"`    // the realm the hashes are for
	Disabled bool      `json:"disabled"` // refused with 403
	Created  time.Time `json:"created"`
}

// Binding is a registered contact of an address of record (RFC 3261 §10, RFC 5626).
type Binding struct {
	User       string    `json:"user"`      // address of record: User.ID
	Device     string    `json:"device"`    // Device.ID, or "browser:"+session for the browser phone
	Kind       string    `json:"kind"`      // browser | desk | mobile
	Contact    string    `json:"contact"`   // the Contact URI as registered
	Instance   string    `json:"instance"`  // +sip.instance, "" when absent
	RegID      int       `json:"reg_id"`    // reg-id, 0 when absent
	CallID     string    `json:"call_id"`   // of the REGISTER
	CSeq       uint32    `json:"cseq"`      // of the REGISTER
	Path       []string  `json:"path"`      // Path values, first = nearest to us (RFC 3327)
	Transport  string    `json:"transport"` // udp | tcp | tls | ws | wss
	Source     string    `json:"source"`    // host:port the REGISTER came from
	Flow       string    `json:"flow"`      // id of the connection for tcp, tls, ws; "" for udp
	UserAgent  string    `json:"user_agent"`
	Q          int       `json:"q"` // q value in thousandths
	Registered time.Time `json:"registered"`
	Expires    time.Time `json:"expires"`
}

// Credential lets a user sign in to the web page.
type Credential struct {
	User     string    `json:"user"` // User.ID
	Hash     string    `json:"hash"` // argon2id, encoded form
	Changed  time.Time `json:"changed"`
	Disabled bool      `json:"disabled"`
}
