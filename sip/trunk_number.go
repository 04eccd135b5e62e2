package sip

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// reads is a number as the carrier writes it in E.164, as far as that is certain: a national number of the trunk's region, or
// an international one without its "+", which comes first where we write numbers so. Short codes and names stay as they are.
func (t *trunk) reads(number string) string {
	if len(number) < 7 || strings.Trim(number, "0123456789") != "" {
		return number
	}
	forms := []string{number, "+" + number}
	if t.cfg.NumberFormat == "plain" {
		slices.Reverse(forms)
	}
	for _, form := range forms {
		if n, err := phonenumbers.Parse(form, strings.ToUpper(t.region())); err == nil && phonenumbers.IsValidNumber(n) {
			return phonenumbers.Format(n, phonenumbers.E164)
		}
	}
	return number
}

// region is where the carrier's national numbers are at home: its own, or the company's.
func (t *trunk) region() string {
	if t.cfg.Region != "" || t.srv == nil {
		return t.cfg.Region
	}
	return *t.srv.region.Load()
}

// SetRegion is the company's region from now on (ISO 3166 alpha-2), for carriers without one of their own.
func (s *Server) SetRegion(region string) { s.region.Store(&region) }
