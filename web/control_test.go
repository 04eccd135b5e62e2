package web_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"strowger/sip/call"
	"strowger/store"
)

// Commands reach the call with the user on whose behalf they are given; what the call says is worded for people.
func TestControl(t *testing.T) {
	r := newRig(t)
	ann, admin := r.as("ann"), r.script()
	const live = "live"
	r.fake.Live = []call.Snapshot{{ID: live, FromUser: "ann", AnsweredBy: "cyd", Legs: []call.LegSnapshot{{ID: "page", User: "ann", Kind: store.Browser, State: "ringing", SIPCallID: "x"}}}}
	at := "/api/active/" + live
	for _, c := range []struct {
		path, body string
		want       call.Command
	}{
		{"/hold", `{}`, call.Hold{User: "ann"}},
		{"/resume", `{}`, call.Resume{User: "ann"}},
		{"/transfer", `{"to":"202"}`, call.TransferTo{User: "ann", Target: "202"}},
		{"/transfer", `{"to":"202","voicemail":true}`, call.TransferTo{User: "ann", Target: "*96202"}},
		{"/complete", `{"with":"other"}`, call.Complete{User: "ann", With: "other"}},
		{"/park", `{"orbit":"701"}`, call.ParkOn{User: "ann", Orbit: "701"}},
		{"/digits", `{"digits":"1#"}`, call.SendDigits{User: "ann", Digits: "1#"}},
	} {
		r.fake.Commands = nil
		ann.want(204, "POST", at+c.path, c.body)
		if got := r.fake.Commands; len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s gave %#v, want %#v", c.path, got, c.want)
		}
	}
	r.fake.Commands = nil
	admin.want(204, "POST", at+"/hold", `{"user":"bob"}`)
	admin.want(204, "POST", at+"/play", `{"leg":"l1","prompt":"hello"}`)
	if want := []call.Command{call.Hold{User: "bob"}, call.PlayTo{Leg: "l1", Prompt: "hello"}}; !reflect.DeepEqual(r.fake.Commands, want) {
		t.Errorf("the admin token gave %#v", r.fake.Commands)
	}
	admin.want(404, "POST", "/api/active/nothing/hold", `{}`)
	admin.want(422, "POST", at+"/digits", `{"digits":"1x"}`)
	for err, status := range map[error]int{
		call.ErrNoCall: 404, call.ErrNotInCall: 403, call.ErrNotNow("nobody is there"): 409, fmt.Errorf("call: %w", context.DeadlineExceeded): 503,
	} {
		r.fake.Refuses = err
		ann.want(status, "POST", at+"/hold", `{}`)
	}
}

// Agents act for themselves, in calls that they see.
func TestControlIsOnesOwn(t *testing.T) {
	r := newRig(t)
	cyd := r.as("cyd")
	const live = "live"
	r.fake.Live = []call.Snapshot{{ID: live, FromUser: "ann", AnsweredBy: "cyd"}}
	cyd.want(403, "POST", "/api/active/"+live+"/hold", `{"user":"ann"}`)
	cyd.want(403, "POST", "/api/active/"+live+"/play", `{"leg":"l1","prompt":"hello"}`)
	cyd.want(403, "POST", "/api/active", `{"to":"201","user":"ann"}`)
	cyd.want(403, "POST", "/api/active", `{"to":"201","phone":"+12025559999"}`)
	cyd.want(202, "POST", "/api/active", `{"to":"201"}`)
	r.as("ann").want(202, "POST", "/api/active", `{"to":"201","phone":"+12025559999"}`)
	if len(r.fake.Commands) != 0 {
		t.Errorf("the call was told %#v", r.fake.Commands)
	}
}

// What the feature codes switch can be switched here too.
func TestReach(t *testing.T) {
	r := newRig(t)
	cyd := r.as("cyd")
	cyd.want(200, "PUT", "/api/me/reach", `{"dnd":true,"forward":"201"}`)
	if got := cyd.want(200, "GET", "/api/me/reach", ""); got != `{"dnd":true,"forward":"201"}`+"\n" {
		t.Errorf("reach is %s", got)
	}
	cyd.want(422, "PUT", "/api/me/reach", `{"dnd":true,"forward":"nowhere"}`)
}
