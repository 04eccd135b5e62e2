package routing

import (
	"regexp"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// ParseNumber reads a telephone number as libphonenumber does and returns its E.164 form. National forms are read as
// those of region (ISO 3166 alpha-2; empty = only international forms). ok is false for anonymous callers, extensions
// and everything else that cannot be a number.
func ParseNumber(s, region string) (e164 string, ok bool) {
	if isE164(s) {
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

// isE164 recognises a number that libphonenumber would return as it is: in international form, of a possible length, and
// without a national prefix that is dropped in that form. Carriers send most callers so, and it saves them the parser's
// microseconds. What it does not recognise may be a number all the same.
func isE164(s string) bool {
	const longest = 1 + 3 + 17 // "+", calling code, libphonenumber's longest national number
	if len(s) < 4 || len(s) > longest || s[0] != '+' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	plans, code := numberingPlans(), 0
	for i := 1; i <= 3; i++ { // no calling code is the beginning of another one
		code = code*10 + int(s[i]-'0')
		if plan := plans[code]; plan != nil {
			national := s[i+1:]
			return plan.lengths&(1<<len(national)) != 0 && !plan.strips(national)
		}
	}
	return false
}

// numberingPlan is what isE164 must know of a calling code.
type numberingPlan struct {
	lengths uint32         // of national numbers, as a set of bits
	prefix  string         // what parsing may take away at the beginning; "" = see pattern
	pattern *regexp.Regexp // what it may take away, where that is more than one prefix; nil = nothing
}

// strips reports whether parsing may take something away at the beginning of a national number.
func (p *numberingPlan) strips(national string) bool {
	if p.prefix != "" {
		return strings.HasPrefix(national, p.prefix)
	}
	return p.pattern != nil && p.pattern.MatchString(national)
}

// numberingPlans are libphonenumber's plans by calling code.
var numberingPlans = sync.OnceValue(func() *[1000]*numberingPlan {
	plans := &[1000]*numberingPlan{}
	metadata, err := phonenumbers.MetadataCollection()
	if err != nil {
		return plans
	}
	for _, m := range metadata.Metadata {
		code := int(m.GetCountryCode())
		if code <= 0 || code >= len(plans) || m.GetId() != phonenumbers.GetRegionCodeForCountryCode(code) {
			continue // several regions share a code: the main one's plan is the plan
		}
		plan := &numberingPlan{}
		for _, n := range m.GetGeneralDesc().GetPossibleLength() {
			if n > 0 && n < 18 {
				plan.lengths |= 1 << n
			}
		}
		if err := plan.setPrefix(m.GetNationalPrefixForParsing()); err != nil {
			continue
		}
		plans[code] = plan
	}
	return plans
})

func (p *numberingPlan) setPrefix(pattern string) error {
	if pattern == "" {
		return nil
	}
	anywhere, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	if prefix, whole := anywhere.LiteralPrefix(); whole {
		p.prefix = prefix
		return nil
	}
	p.pattern, err = regexp.Compile("^(?:" + pattern + ")")
	return err
}
