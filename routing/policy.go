package routing

import (
	"fmt"
	"slices"

	"strowger/store"
)

// Modes of a policy.
const (
	Cascade    = "cascade"     // every step that applies makes a stage
	FirstMatch = "first_match" // the first step that can ring somebody makes the only stage
)

// DefaultPolicy is the policy of numbers that name none.
const DefaultPolicy = "standard"

// Steps of a policy.
const (
	StepWorkflow     = "workflow"
	StepNumberUser   = "number_user"
	StepContactOwner = "contact_owner"
	StepUnknownRules = "unknown_rules"
	StepRingGroup    = "ring_group"
	StepForwarding   = "forwarding"
	StepCompanyPhone = "company_phone"
	StepVoicemail    = "voicemail"
	StepHangup       = "hangup"
)

// StepNames lists the steps that a policy can have.
func StepNames() []string {
	return []string{StepWorkflow, StepNumberUser, StepContactOwner, StepUnknownRules, StepRingGroup, StepForwarding,
		StepCompanyPhone, StepVoicemail, StepHangup}
}

// Conditions of a step.
const (
	WhenContactOwned = "contact_owned" // the matched contacts have an owner
	WhenPersonal     = "personal"      // the number's kind
	WhenCompany      = "company"
	WhenUnknown      = "unknown" // no contact matches
	WhenOpen         = "open"    // the company's hours and holidays
	WhenClosed       = "closed"
)

// WhenNames lists the conditions that a step can have.
func WhenNames() []string {
	return []string{WhenContactOwned, WhenPersonal, WhenCompany, WhenUnknown, WhenOpen, WhenClosed}
}

// BuiltinPolicies returns the policies that every organisation has; a custom one of the same name replaces it.
func BuiltinPolicies() map[string]store.Policy {
	step := func(names ...string) (steps []store.PolicyStep) {
		for _, name := range names {
			steps = append(steps, store.PolicyStep{Step: name})
		}
		return steps
	}
	direct := step(StepNumberUser, StepContactOwner, StepForwarding, StepCompanyPhone, StepVoicemail)
	return map[string]store.Policy{
		"closemaster": {Mode: Cascade, Steps: step(StepWorkflow, StepNumberUser, StepContactOwner, StepRingGroup,
			StepForwarding, StepCompanyPhone, StepVoicemail)},
		"erasne": {Mode: FirstMatch, Reach: store.Phone, Steps: append(
			[]store.PolicyStep{{Step: StepNumberUser, When: WhenContactOwned}},
			step(StepForwarding, StepCompanyPhone, StepVoicemail)...)},
		"tekmatix":      {Mode: FirstMatch, Reach: store.Phone, Steps: direct},
		"marketomation": {Mode: FirstMatch, Reach: store.Phone, Steps: slices.Clone(direct)},
		"loftyworks": {Mode: FirstMatch, Steps: []store.PolicyStep{
			{Step: StepNumberUser, When: WhenPersonal}, {Step: StepContactOwner, When: WhenCompany},
			{Step: StepUnknownRules, When: WhenCompany}, {Step: StepVoicemail}}},
		DefaultPolicy: {Mode: Cascade, Steps: step(StepWorkflow, StepNumberUser, StepContactOwner, StepUnknownRules,
			StepRingGroup, StepForwarding, StepCompanyPhone, StepVoicemail)},
	}
}

// Policy is a policy in compiled form.
type Policy struct {
	Steps      []store.PolicyStep // shared: do not change them
	firstMatch bool
	phoneOnly  bool // reach: phone
}

func compilePolicy(p store.Policy) (*Policy, error) {
	switch {
	case p.Mode != Cascade && p.Mode != FirstMatch:
		return nil, fmt.Errorf("mode %q: use cascade or first_match", p.Mode)
	case p.Reach != "" && p.Reach != store.Phone:
		return nil, fmt.Errorf("reach %q: use phone, or leave it out", p.Reach)
	}
	for i, s := range p.Steps {
		if !slices.Contains(StepNames(), s.Step) {
			return nil, fmt.Errorf("step %d: there is no step %q", i+1, s.Step)
		}
		if s.When != "" && !slices.Contains(WhenNames(), s.When) {
			return nil, fmt.Errorf("step %d: there is no condition %q", i+1, s.When)
		}
	}
	return &Policy{slices.Clone(p.Steps), p.Mode == FirstMatch, p.Reach == store.Phone}, nil
}

// ends reports whether a step ends a plan.
func ends(step string) bool { return step == StepVoicemail || step == StepHangup }

// takesTexts reports whether a step has a say in texts.
func takesTexts(step string) bool {
	switch step {
	case StepNumberUser, StepContactOwner, StepUnknownRules, StepRingGroup:
		return true
	}
	return false
}
