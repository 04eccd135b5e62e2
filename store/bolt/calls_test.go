package bolt

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"strowger/store"
)

func at(minute int) time.Time { return time.Date(2026, 11, 20, 9, minute, 0, 0, time.UTC) }

func ids(list []store.CallRecord) string {
	var s string
	for _, c := range list {
		s += c.ID + " "
	}
	return s
}

func TestCallsNewestFirst(t *testing.T) {
	d := open(t)
	for i, disposition := range []string{store.Answered, store.Missed, store.Answered, store.Missed, store.Missed} {
		rec := store.CallRecord{
			ID: fmt.Sprintf("c%d", i), Start: at(i), End: at(i + 1), Disposition: disposition,
			Participants: []string{"ann"}, Unclaimed: disposition == store.Missed,
		}
		if i == 3 {
			rec.Participants = []string{"ann", "bob"}
		}
		if err := d.OpenCall(rec); err != nil {
			t.Fatal(err)
		}
		if err := d.CloseCall(rec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.ClaimCall("c4", "ann"); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		f    store.CallFilter
		want string
	}{
		"all":              {store.CallFilter{}, "c4 c3 c2 c1 c0 "},
		"limit":            {store.CallFilter{Limit: 2}, "c4 c3 "},
		"next page":        {store.CallFilter{Limit: 2, Before: "c3"}, "c2 c1 "},
		"unknown before":   {store.CallFilter{Before: "nope"}, ""},
		"since":            {store.CallFilter{Since: at(3)}, "c4 c3 "},
		"until":            {store.CallFilter{Until: at(3)}, "c2 c1 c0 "},
		"between":          {store.CallFilter{Since: at(1), Until: at(3)}, "c2 c1 "},
		"missed":           {store.CallFilter{Missed: true}, "c4 c3 c1 "},
		"unclaimed":        {store.CallFilter{Unclaimed: true}, "c3 c1 "},
		"user":             {store.CallFilter{User: "bob"}, "c3 "},
		"user, missed":     {store.CallFilter{User: "ann", Missed: true, Limit: 2}, "c4 c3 "},
		"user, before":     {store.CallFilter{User: "ann", Before: "c2"}, "c1 c0 "},
		"user, until":      {store.CallFilter{User: "ann", Until: at(1)}, "c0 "},
		"nobody":           {store.CallFilter{User: "an"}, ""},
		"before and until": {store.CallFilter{Before: "c4", Until: at(2)}, "c1 c0 "},
	} {
		list, err := d.Calls(tc.f)
		if err != nil || ids(list) != tc.want {
			t.Errorf("%s: got %q, %v; want %q", name, ids(list), err, tc.want)
		}
	}
}

func TestClaimFirstWins(t *testing.T) {
	d := open(t)
	rec := store.CallRecord{ID: "c", Start: at(0), Disposition: store.Missed, Unclaimed: true}
	for i := range 8 {
		rec.Participants = append(rec.Participants, fmt.Sprintf("u%d", i))
	}
	if err := d.CloseCall(rec); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	won := make(chan string, len(rec.Participants))
	for _, user := range rec.Participants {
		wg.Go(func() {
			_, err := d.ClaimCall("c", user)
			switch {
			case err == nil:
				won <- user
			case !errors.Is(err, store.ErrClaimed):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(won)
	winner := <-won
	if other, ok := <-won; ok {
		t.Fatalf("both %s and %s won", winner, other)
	}
	for _, user := range rec.Participants {
		list, err := d.Calls(store.CallFilter{User: user})
		if err != nil || len(list) > 0 != (user == winner) {
			t.Errorf("%s's list: %d calls, %v; %s won", user, len(list), err, winner)
		}
	}
	if err := d.CloseCall(rec); err != nil { // a late repetition does not undo the claim
		t.Fatal(err)
	}
	if got, err := d.Call("c"); err != nil || got.ClaimedBy != winner || got.Unclaimed {
		t.Errorf("after repeated close: claimed by %q, %v", got.ClaimedBy, err)
	}
}
