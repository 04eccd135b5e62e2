package bolt

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"strowger/store"
)

// Lists of calls are, page by page and for any filter, what sorting and filtering all records by hand gives.
func TestCallsLikeAList(t *testing.T) {
	path := t.TempDir()
	run := 0
	user := rapid.SampledFrom([]string{"a", "ann", "ann2", "bob"})
	rapid.Check(t, func(rt *rapid.T) {
		run++
		d, err := Open(filepath.Join(path, fmt.Sprint(run)), Options{noSync: true})
		check(t, err)
		defer d.Close()
		model := map[string]*store.CallRecord{}
		rt.Repeat(map[string]func(*rapid.T){
			"close": func(t *rapid.T) {
				rec := store.CallRecord{
					ID: rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "id"), Start: at(rapid.IntRange(0, 5).Draw(t, "minute")),
					Disposition:  rapid.SampledFrom([]string{store.Answered, store.Missed}).Draw(t, "disposition"),
					Participants: rapid.SliceOfNDistinct(user, 0, 3, rapid.ID[string]).Draw(t, "participants"),
				}
				rec.Unclaimed = rec.Disposition == store.Missed && rapid.Bool().Draw(t, "unclaimed")
				if old := model[rec.ID]; old != nil {
					rec.Start = old.Start // a call begins once
				}
				if err := d.CloseCall(rec); err != nil {
					t.Fatal(err)
				}
				if old := model[rec.ID]; old != nil && old.ClaimedBy != "" {
					rec.ClaimedBy, rec.Unclaimed, rec.Participants = old.ClaimedBy, false, old.Participants
				}
				model[rec.ID] = &rec
			},
			"claim": func(t *rapid.T) {
				id, who := rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "id"), user.Draw(t, "user")
				_, err := d.ClaimCall(id, who)
				rec := model[id]
				if want := rec != nil && (rec.Unclaimed || rec.ClaimedBy == who); (err == nil) != want {
					t.Fatalf("claim of %+v by %s: %v", rec, who, err)
				}
				if err == nil {
					rec.ClaimedBy, rec.Unclaimed, rec.Participants = who, false, []string{who}
				}
			},
			"": func(t *rapid.T) {
				f := store.CallFilter{User: rapid.SampledFrom([]string{"", "ann", "a"}).Draw(t, "list of"), Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
				f.Missed, f.Unclaimed = rapid.Bool().Draw(t, "missed"), rapid.Bool().Draw(t, "only unclaimed")
				if rapid.Bool().Draw(t, "since") {
					f.Since = at(rapid.IntRange(0, 6).Draw(t, "from"))
				}
				if rapid.Bool().Draw(t, "until") {
					f.Until = at(rapid.IntRange(0, 6).Draw(t, "to"))
				}
				var got string
				for range len(model) + 1 {
					page, err := d.Calls(f)
					if err != nil {
						t.Fatal(err)
					}
					got += ids(page)
					if len(page) < f.Limit {
						break
					}
					f.Before = page[len(page)-1].ID
				}
				if want := listed(model, f); got != want {
					t.Fatalf("%+v: got %q, want %q", f, got, want)
				}
			},
		})
	})
}

// listed filters and sorts by hand.
func listed(model map[string]*store.CallRecord, f store.CallFilter) string {
	var list []store.CallRecord
	for _, rec := range model {
		switch {
		case f.User != "" && !slices.Contains(rec.Participants, f.User),
			f.Missed && rec.Disposition != store.Missed,
			f.Unclaimed && !rec.Unclaimed,
			!f.Since.IsZero() && rec.Start.Before(f.Since),
			!f.Until.IsZero() && !rec.Start.Before(f.Until):
		default:
			list = append(list, *rec)
		}
	}
	slices.SortFunc(list, func(a, b store.CallRecord) int { return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(b.ID, a.ID)) })
	return ids(list)
}
