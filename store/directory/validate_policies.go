package directory

import (
	"fmt"
	"maps"
	"slices"

	"strowger/store"
	"strowger/store/directory/strict"
)

// The words of policies (routing contract, section 4).
var (
	// BuiltinPolicies are there without being written.
	BuiltinPolicies = []string{"standard", "closemaster", "erasne", "loftyworks", "marketomation", "tekmatix"}

	policyModes = []string{"cascade", "first_match"}
	policySteps = []string{
		"workflow", "number_user", "contact_owner", "unknown_rules", "ring_group", "forwarding", "company_phone", "voicemail", "hangup",
	}
	policyWhens = []string{"contact_owned", "personal", "company", "unknown", "open", "closed"}
)

// maxSteps bounds a policy.
const maxSteps = 50

func (v *validator) policies() {
	for _, name := range slices.Sorted(maps.Keys(v.dir.Policies)) {
		p, path := v.dir.Policies[name], strict.Join("policies", name)
		if name == "" {
			v.add(path, "give it a name", "the policy has no name")
		}
		switch {
		case p.Mode == "":
			v.add(path, "add mode: cascade or mode: first_match", "policy %q has no mode", clip(name))
		case !slices.Contains(policyModes, p.Mode):
			v.add(path+".mode", strict.OneOf(p.Mode, policyModes), "there is no mode %q", clip(p.Mode))
		}
		if p.Reach != "" && p.Reach != store.Phone {
			v.add(path+".reach", "use phone, or remove the key", "reach cannot be %q", clip(p.Reach))
		}
		if len(p.Steps) == 0 || len(p.Steps) > maxSteps {
			v.add(path, fmt.Sprintf("name 1 to %d steps", maxSteps), "policy %q has %d steps", clip(name), len(p.Steps))
		}
		for i, s := range p.Steps {
			at := strict.Index(path+".steps", i)
			if !slices.Contains(policySteps, s.Step) {
				v.add(at, strict.OneOf(s.Step, policySteps), "there is no step %q", clip(s.Step))
			}
			if s.When != "" && !slices.Contains(policyWhens, s.When) {
				v.add(at+".when", strict.OneOf(s.When, policyWhens), "there is no condition %q", clip(s.When))
			}
		}
	}
}
