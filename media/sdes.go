package media

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/srtp/v3"
)

// SDES keys in SDP (RFC 4568; the AEAD suites: RFC 7714 §14.2; 256 bit: RFC 6188 §4).

// suite is a crypto suite.
type suite struct {
	name      string
	profile   srtp.ProtectionProfile
	key, salt int // octets
}

// suites in our order of preference: GCM costs a tenth of HMAC-SHA1.
var suites = []*suite{
	{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	{"AEAD_AES_256_GCM", srtp.ProtectionProfileAeadAes256Gcm, 32, 12},
	{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
	{"AES_256_CM_HMAC_SHA1_80", srtp.ProtectionProfileAes256CmHmacSha1_80, 32, 14},
	{"AES_CM_128_HMAC_SHA1_32", srtp.ProtectionProfileAes128CmHmacSha1_32, 16, 14},
}

// cryptoKey is one a=crypto line: a suite with its master key and salt.
type cryptoKey struct {
	tag   int
	suite *suite
	key   string // master key and salt, raw octets; comparable
}

func newCryptoKey(tag int, s *suite) *cryptoKey {
	b := make([]byte, s.key+s.salt)
	_, _ = rand.Read(b)
	return &cryptoKey{tag, s, string(b)}
}

// line is the value of the a=crypto attribute.
func (k *cryptoKey) line() string {
	return fmt.Sprintf("%d %s inline:%s", k.tag, k.suite.name, base64.StdEncoding.EncodeToString([]byte(k.key)))
}

// context makes the pion context for one direction. It is not safe for concurrent use.
func (k *cryptoKey) context() (*srtp.Context, error) {
	b := []byte(k.key)
	return srtp.CreateContext(b[:k.suite.key], b[k.suite.key:], k.suite.profile,
		srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(128))
}

// cryptoKeys reads the a=crypto lines that we can use. Lines that we cannot use are refused by not choosing them
// (RFC 4568 §7.1.2); why says what was wrong with the last of those.
func (m *sdpMedia) cryptoKeys() (keys []*cryptoKey, why error) {
	for _, a := range m.attrs {
		if a.name != "crypto" {
			continue
		}
		k, err := parseCrypto(a.value)
		if err != nil {
			why = &sdpError{a.line, "a=crypto: " + err.Error()} // the line itself holds a key: never quoted
			continue
		}
		keys = append(keys, k)
	}
	return keys, why
}

// parseCrypto reads "1 AES_CM_128_HMAC_SHA1_80 inline:BASE64|2^31 [session parameters]".
func parseCrypto(value string) (*cryptoKey, error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return nil, fmt.Errorf("want a tag, a suite and a key")
	}
	tag, err := strconv.ParseUint(f[0], 10, 31)
	if err != nil {
		return nil, fmt.Errorf("tag %.20q is not a number", f[0])
	}
	k := &cryptoKey{tag: int(tag)}
	for _, s := range suites {
		if strings.EqualFold(s.name, f[1]) {
			k.suite = s
		}
	}
	if k.suite == nil {
		return nil, fmt.Errorf("suite %.40q is not supported", f[1])
	}
	if k.key, err = parseInline(f[2], k.suite); err != nil {
		return nil, err
	}
	return k, checkSessionParams(f[3:])
}

// parseInline reads "inline:key||lifetime". Several keys, and keys with an MKI, are not supported.
func parseInline(param string, s *suite) (string, error) {
	method, info, ok := strings.Cut(param, ":")
	if !ok || !strings.EqualFold(method, "inline") {
		return "", fmt.Errorf("key method %.20q is not inline", method)
	}
	if strings.Contains(info, ";") {
		return "", fmt.Errorf("several keys on one line are not supported")
	}
	parts := strings.Split(info, "|")
	for _, p := range parts[1:] {
		if strings.Contains(p, ":") {
			return "", fmt.Errorf("a master key identifier (MKI) is not supported")
		}
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[0], "="))
	if err != nil {
		return "", fmt.Errorf("the key is not base64")
	}
	if len(b) != s.key+s.salt {
		return "", fmt.Errorf("the key has %d octets, %s needs %d", len(b), s.name, s.key+s.salt)
	}
	return string(b), nil
}

// checkSessionParams refuses what would change the protection (RFC 4568 §6.3). WSH is a hint; what begins with "-" may be
// ignored.
func checkSessionParams(params []string) error {
	for _, p := range params {
		if strings.HasPrefix(p, "-") || strings.HasPrefix(strings.ToUpper(p), "WSH=") {
			continue
		}
		return fmt.Errorf("session parameter %.30q is not supported", p)
	}
	return nil
}

// chooseKey takes the best suite of an offer.
func chooseKey(keys []*cryptoKey) *cryptoKey {
	for _, s := range suites {
		for _, k := range keys {
			if k.suite == s {
				return k
			}
		}
	}
	return nil
}
