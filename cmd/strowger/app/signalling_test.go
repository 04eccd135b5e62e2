package app

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"strowger/cmd/strowger/config"
)

// TestEveryTrunkKeyCounts: each key of a trunk in the file changes what the trunk does.
func TestEveryTrunkKeyCounts(t *testing.T) {
	hour, no := time.Hour, false
	set := map[string]any{
		"Qualify": &hour, "Diversion": &no, "Addresses": []config.Addresses{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}}, "SRTP": "required", "Transfer": "refer",
	}
	plain := trunkConfig(config.DefaultTrunk())
	for i := range reflect.TypeFor[config.Trunk]().NumField() {
		trunk := config.DefaultTrunk()
		field := reflect.ValueOf(&trunk).Elem().Field(i)
		name := reflect.TypeFor[config.Trunk]().Field(i).Name
		switch value := set[name]; {
		case value != nil:
			field.Set(reflect.ValueOf(value))
		case field.Kind() == reflect.String:
			field.SetString("other")
		case field.Kind() == reflect.Bool:
			field.SetBool(true)
		case field.Kind() == reflect.Slice:
			field.Set(reflect.ValueOf([]string{"other"}))
		case field.CanInt():
			field.SetInt(7)
		}
		if reflect.DeepEqual(trunkConfig(trunk), plain) {
			t.Errorf("the key of %s does nothing", name)
		}
	}
}
