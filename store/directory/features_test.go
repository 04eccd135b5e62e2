package directory

import (
	"reflect"
	"strings"
	"testing"

	"strowger/store"
)

const featuresDoc = `company: {name: Example, region: US}
users:
  - {id: ann, name: Ann, extension: "201", forward_to: "+12025550123", location: Second floor}
  - {id: bob, name: Bob, extension: "202", forward_to: "201"}
numbers: []
contacts: []
features:
  codes: {echo: "*99", pickup: "off"}
  orbits: ["701-703", "710"]
  rooms:
    - {extension: "801", name: Board, pin: "4711", moderator_pin: "0815"}
  pages:
    - {extension: "850", users: [ann, bob]}
  pickup:
    - {users: [ann, bob]}
  emergency: {numbers: ["112"], callback: "+12025550100", location: Main Street 1}
`

func TestFeatures(t *testing.T) {
	dir, err := Parse("features.yaml", []byte(featuresDoc))
	if err != nil {
		t.Fatal(err)
	}
	codes := dir.Features.Codes.WithDefaults()
	if codes.Echo != "*99" || codes.Pickup != "" || codes.BlindTransfer != "##" {
		t.Errorf("codes are %+v", codes)
	}
	text, err := Encode(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("again.yaml", text)
	if err != nil || !reflect.DeepEqual(again, dir) {
		t.Errorf("reads back otherwise (%v):\n%s", err, text)
	}
}

// A document without features leaves them; one with features replaces them, and the plan says what changes.
func TestFeaturesOver(t *testing.T) {
	dir, err := Parse("features.yaml", []byte(featuresDoc))
	if err != nil {
		t.Fatal(err)
	}
	whole := ReadFrom("users.yaml", []byte("users: [{id: cyd, name: Cyd}]\n")).Over(dir, true)
	if !reflect.DeepEqual(whole.Features, dir.Features) {
		t.Errorf("features are now %+v", whole.Features)
	}
	whole = ReadFrom("less.yaml", []byte("features: {orbits: [\"720\"]}\n")).Over(dir, false)
	plan := Diff(dir, whole.Directory)
	if len(plan.Changes) != 1 || plan.Changes[0].Kind != "features" || len(plan.Changes[0].Fields) < 5 {
		t.Errorf("the plan is %+v", plan)
	}
}

func TestRange(t *testing.T) {
	for in, want := range map[string]int{"701": 1, "701-709": 9, "001-010": 10, "709-701": 0, "1-20": 0, "x": 0, "": 0, "1-": 0, "+1": 0, "0000-9999": 0} {
		if list, err := store.Range(in); len(list) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", in, list, err)
		}
	}
}

// The standard orbits are there when none are named, so that nothing else may have their extensions but a user.
func TestStandardOrbits(t *testing.T) {
	head := "company: {name: Example, region: US}\nusers:\n  - {id: ann, name: Ann, extension: \"701\"}\nfeatures:\n"
	for _, c := range []struct{ doc, want string }{
		{"  rooms: [{extension: \"705\"}]\n", `"705" is the extension of the standard orbits 701-709 already`},
		{"  pages: [{extension: \"709\", users: [ann]}]\n", `"709" is the extension of the standard orbits 701-709 already`},
		{"  orbits: [\"711-719\"]\n  rooms: [{extension: \"705\"}]\n", ""},
	} {
		_, err := Parse("org.yaml", []byte(head+c.doc))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.doc, err)
		}
	}
}
