package routing

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ParseNumber reads a telephone number as libphonenumber does and returns its E.164 form. National forms are read as
// those of region (ISO 3166 alpha-2; empty = only international forms). ok is false for anonymous callers, extensions
// and everything else that cannot be a number.
func ParseNumber(s, region string) (e164 string, ok bool) {
	if isNANP(s) {
		return s, true
	}
	if len(s) < 3 || len(s) > 64 {
		return "", false
	}
	number, err := phonenumbers.Parse(s, strings.ToUpper(region))
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

// isNANP recognises a North American number in E.164, which parsing would return unchanged: it has neither a national
// prefix nor another length. It saves the calls of most callers the parser's microseconds.
func isNANP(s string) bool {
	if len(s) != 12 || s[0] != '+' || s[1] != '1' || s[2] < '2' || s[2] > '9' {
		return false
	}
	for i := 3; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
