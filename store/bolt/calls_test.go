package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

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

func TestJournalAndRecovery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	d, err := Open(path, Options{})
	check(t, err)
	rec := store.CallRecord{
		ID: "c1", Start: at(0), Answer: at(1), Participants: []string{"ann"},
		Legs:   []store.LegRecord{{Peer: "caller"}, {Peer: "ann", End: at(1)}},
		Events: []store.RecordEvent{{At: at(2), What: "hold"}},
	}
	check(t, d.OpenCall(rec))
	rec.AnsweredBy = "ann"
	check(t, d.OpenCall(rec))
	if got := must[store.CallRecord](t)(d.Call("c1")); !got.End.IsZero() || got.AnsweredBy != "ann" {
		t.Errorf("in progress: %+v", got)
	}
	if list := must[[]store.CallRecord](t)(d.Calls(store.CallFilter{})); len(list) != 0 {
		t.Errorf("listed while in progress: %+v", list)
	}
	check(t, d.Close())
	died := at(7)
	check(t, os.Chtimes(path, died, died))

	d = openAt(t, path, Options{})
	list := must[[]store.CallRecord](t)(d.RecoverInterrupted())
	if len(list) != 1 || list[0].Disposition != store.Interrupted || !list[0].End.Equal(died) || list[0].AnsweredBy != "ann" ||
		!list[0].Legs[0].End.Equal(died) || !list[0].Legs[1].End.Equal(at(1)) {
		t.Errorf("recovered %+v", list)
	}
	if again := must[[]store.CallRecord](t)(d.RecoverInterrupted()); len(again) != 0 {
		t.Errorf("recovered twice: %+v", again)
	}
	if got := must[[]store.CallRecord](t)(d.Calls(store.CallFilter{User: "ann"})); len(got) != 1 || got[0].End.IsZero() {
		t.Errorf("recorded %+v", got)
	}
}

func TestClaimOfWhatCannotBeClaimed(t *testing.T) {
	d := open(t)
	check(t, d.CloseCall(store.CallRecord{ID: "answered", Start: at(0), Disposition: store.Answered, Participants: []string{"ann"}}))
	for _, id := range []string{"answered", "nothing"} {
		if _, err := d.ClaimCall(id, "ann"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if list := must[[]store.CallRecord](t)(d.Calls(store.CallFilter{User: "ann"})); len(list) != 1 {
		t.Errorf("a refused claim changed the lists: %+v", list)
	}
}

func TestUpdateCallKeepsIndexesTrue(t *testing.T) {
	d := open(t)
	check(t, d.CloseCall(store.CallRecord{ID: "c", Start: at(0), Disposition: store.Missed, Unclaimed: true, Participants: []string{"ann", "bob"}}))
	_, err := d.UpdateCall("c", func(rec *store.CallRecord) error {
		rec.Participants, rec.Tag, rec.Start, rec.ID = []string{"cyd"}, "vip", at(9), "other"
		return nil
	})
	check(t, err)
	for user, want := range map[string]string{"ann": "", "bob": "", "cyd": "c "} {
		if got := ids(must[[]store.CallRecord](t)(d.Calls(store.CallFilter{User: user, Unclaimed: true}))); got != want {
			t.Errorf("%s: %q", user, got)
		}
	}
	if rec := must[store.CallRecord](t)(d.Call("c")); rec.Tag != "vip" || !rec.Start.Equal(at(0)) {
		t.Errorf("%+v", rec)
	}
}

// Many calls at once need far fewer transactions than calls, and each is there when its method has returned.
func TestConcurrentCallsShareCommits(t *testing.T) {
	d := open(t)
	before := transactions(d)
	const calls = 400
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			rec := store.CallRecord{ID: fmt.Sprintf("c%03d", i), Start: at(i % 60)}
			if err := errors.Join(d.OpenCall(rec), d.CloseCall(rec)); err != nil {
				t.Error(err)
			}
			if _, err := d.Call(rec.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := transactions(d) - before; n >= calls*2 {
		t.Errorf("%d transactions", n)
	}
	if got := len(must[[]store.CallRecord](t)(d.Calls(store.CallFilter{Limit: 1000}))); got != calls {
		t.Errorf("%d records", got)
	}
}

// transactions counts the write transactions so far.
func transactions(d *DB) (n int) {
	d.view(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	})
	return n
}
