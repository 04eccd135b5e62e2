package routing

import (
	"fmt"
	"testing"
	"time"

	"strowger/store"
)

// BenchmarkDecide decides calls in an organisation of 200 users, 100 numbers and 100,000 contacts. The aim is 3 µs.
func BenchmarkDecide(b *testing.B) {
	dir := bigOrg(200, 100, 100_000)
	ix, err := NewIndex(dir)
	if err != nil {
		b.Fatal(err)
	}
	live := Live{Registered: map[string][]string{}, Active: map[string]int{"+12025550000": 3}}
	for i := range 200 {
		live.Registered[fmt.Sprintf("u%d", i)] = []string{store.Browser, store.Desk}
		if i%10 == 0 {
			live.Busy = append(live.Busy, fmt.Sprintf("u%d", i))
		}
	}
	view := ix.With(live)
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	for name, req := range map[string]Request{
		"owned":   {To: "+12025550001", From: "+13035000042"},
		"unknown": {To: "+12025550001", From: "+13039999999"},
		"rules":   {To: "+12025550002", From: "+13039999999"},
		"foreign": {To: "+12025550001", From: "+442079460958"},
		"text":    {Kind: KindText, To: "+12025550001", From: "+13035000042"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(req, view, now)
			}
		})
	}
}

// bigOrg makes an organisation of some size.
func bigOrg(users, numbers, contacts int) store.Directory {
	weekdays := []string{"mon", "tue", "wed", "thu", "fri"}
	dir := store.Directory{Company: store.Company{Phone: "+12025559999", Timezone: "America/New_York", Region: "US",
		Hours: []store.Window{{Days: weekdays, From: "09:00", To: "17:30"}}, Closed: []string{"2026-12-25"}}}
	for i := range users {
		dir.Users = append(dir.Users, store.User{ID: fmt.Sprintf("u%d", i), Phone: fmt.Sprintf("+1404500%04d", i),
			Hours: []store.Window{{Days: weekdays, From: "08:00", To: "18:00"}}})
	}
	for i := range numbers {
		n := store.Number{Number: fmt.Sprintf("+1202555%04d", i), Kind: store.CompanyNumber, ForwardTo: "+14045558888",
			Ring: []string{"u1", "u2", "u3", "u4", "u5"}, DefaultRule: &store.Rule{SpecificUser: "u7"}}
		for day := range 7 {
			n.Rules = append(n.Rules, store.Rule{Name: fmt.Sprint(day), Blast: []string{"u8", "u9"},
				Hours: []store.Window{{Days: []string{dayNames()[day]}, From: "22:00", To: "06:00"}}})
		}
		dir.Numbers = append(dir.Numbers, n)
	}
	for i := range contacts {
		dir.Contacts = append(dir.Contacts, store.Contact{ID: fmt.Sprintf("c%d", i), Owner: fmt.Sprintf("u%d", i%users),
			Phones: []string{fmt.Sprintf("+130350%05d", i)}})
	}
	return dir
}
