package routing

import (
	"encoding/json"
	"strconv"
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

// TestAskedKeepsNoOthers: of the moment's state a record keeps what the decision asked for; a draft that asks for others
// finds them reachable.
func TestAskedKeepsNoOthers(t *testing.T) {
	dir := smallOrg()
	dir.Numbers[0].User = "bob"
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	live := Live{Registered: map[string][]string{}, Busy: []string{"elsewhere", "nobody"}, Active: map[string]int{num("#9999"): 3}}
	for _, u := range dir.Users {
		live.Registered[u.ID] = []string{store.Desk}
	}
	for n := range 1000 {
		live.Registered["other"+strconv.Itoa(n)] = []string{store.Browser, store.Desk}
	}
	at, err := time.Parse(time.RFC3339, openHour)
	if err != nil {
		t.Fatal(err)
	}
	asked := Asked{Request: &Request{Kind: "call", To: num("#0001"), From: num("#8000")}, At: at, Live: live}
	asked.Decide(ix)
	if kept := jsonOf(t, asked.Live); len(asked.Live.Registered) == 0 || len(asked.Live.Registered) > len(dir.Users) || len(asked.Live.Busy)+len(asked.Live.Active) > 0 {
		t.Errorf("kept of the moment: %s", kept)
	}
	if got := ix.With(asked.Live).Registered("other7"); got != browser|desk|mobile {
		t.Errorf("somebody of whom nothing was noted: %v", got.Names())
	}
}
