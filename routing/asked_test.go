package routing

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

// TestAskedAgain: a decision made again from what a record keeps is the same one, whatever became of the contacts.
func TestAskedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		ix, err := NewIndex(w.dir)
		if err != nil {
			t.Fatal(err)
		}
		asked := Asked{Request: &w.req, At: w.at, Live: w.live, Version: "v"}
		if rapid.Bool().Draw(t, "by a user") {
			asked.Request, asked.Dial = nil, &DialRequest{User: "u1", Dialled: w.req.To, CallFrom: w.req.From}
		}
		first := jsonOf(t, asked.Decide(ix))
		var kept Asked
		var dir store.Directory
		copied(t, asked, &kept)
		copied(t, w.dir, &dir)
		dir.Contacts = nil
		if ix, err = NewIndex(dir); err != nil {
			t.Fatal(err)
		}
		if second := jsonOf(t, kept.Again(ix)); first != second {
			t.Fatalf("asked %s\nfirst  %s\nsecond %s", jsonOf(t, kept), first, second)
		}
	})
}

func jsonOf(t interface{ Fatal(...any) }, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// copied copies a value as a store does.
func copied(t interface{ Fatal(...any) }, from, to any) {
	if err := json.Unmarshal([]byte(jsonOf(t, from)), to); err != nil {
		t.Fatal(err)
	}
}

// TestAskedKeeps what a decision reads of contacts, and no more of them than that.
func TestAskedKeeps(t *testing.T) {
	dir := smallOrg()
	dir.Contacts[0].Name, dir.Contacts[0].Source = "Dee Poe", "Zillow"
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"#7001":     `[{"id":"owned","owner":"bob"}]`,
		"#8000":     `[]`,
		"anonymous": `[]`,
	} {
		asked := Asked{Request: &Request{To: num("#0001"), From: num(from)}, At: time.Unix(0, 0)}
		asked.Decide(ix)
		if got := jsonOf(t, asked.Contacts); got != want {
			t.Errorf("%s: kept %s, want %s", from, got, want)
		}
	}
	if none := (Asked{}).Again(ix); none.Plan.End == nil || none.Plan.End.Reason != ReasonUnknownNumber {
		t.Errorf("nothing asked: %+v", none)
	}
}
