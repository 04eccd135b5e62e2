package directory

import "testing"

func TestLoadOrganisation(t *testing.T) {
	dir, err := Load("testdata/org.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(dir.Users) != 6 || len(dir.Numbers) != 12 || len(dir.Contacts) != 8 || dir.Policies["clock"].Steps[0].When != "open" || dir.Policies["clock"].Steps[3].Step != "hangup" {
		t.Errorf("%+v", dir)
	}
}
