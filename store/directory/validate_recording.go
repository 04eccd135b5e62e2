package directory

import (
	"slices"

	"strowger/store"
	"strowger/store/directory/strict"
)

var (
	recordModes = []string{store.RecordAlways, store.RecordNever, store.RecordOnDemand}
	listeners   = []string{store.ListenAdmins, store.ListenParticipants}
)

// record checks a rule that says whether calls are recorded.
func (v *validator) record(path, mode string) {
	if mode != "" && !slices.Contains(recordModes, mode) {
		v.add(path, strict.OneOf(mode, recordModes), "calls cannot be recorded %q", clip(mode))
	}
}

func (v *validator) recording(path string, r *store.RecordingRules) {
	v.record(path+".inbound", r.Inbound)
	v.record(path+".outbound", r.Outbound)
	v.record(path+".internal", r.Internal)
	if r.Listen != "" && !slices.Contains(listeners, r.Listen) {
		v.add(path+".listen", strict.OneOf(r.Listen, listeners), "nobody is called %q", clip(r.Listen))
	}
}
