package webtest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"strowger/routing"
	"strowger/store"
	"strowger/web"
)

// AdminToken is the admin token of NewLakeside's configuration.
const AdminToken = "lakeside-admin-token"

// NewLakeside is a small estate agency in the middle of its day. Ann owns it, Bob and Cyd are agents. Nobody has a
// password yet.
func NewLakeside(now time.Time) *Fake {
	f := &Fake{
		Directory: store.Directory{
			Company: store.Company{Name: "Lakeside Homes", Phone: "+12025550100", Region: "US"},
			Users: []store.User{
				{ID: "ann", Name: "Ann Lee", Role: store.Owner, Email: "ann@lakeside.example", Extension: "201"},
				{ID: "bob", Name: "Bob Ray", Role: store.Agent, Email: "bob@lakeside.example", Extension: "202"},
				{ID: "cyd", Name: "Cyd Moe", Email: "cyd@lakeside.example", Extension: "203"},
			},
			Numbers: []store.Number{
				{Number: "+12025550001", Kind: store.CompanyNumber, Label: "Main line", Ring: []string{"ann", "bob"},
					Rules:       []store.Rule{{Name: "Weekend", Blast: []string{"bob", "cyd"}}},
					DefaultRule: &store.Rule{SpecificUser: "ann"}},
				{Number: "+12025550002", Kind: store.PersonalNumber, Label: "Bob's line", User: "bob"},
				{Number: "+12025550003", Kind: store.CompanyNumber, Label: "Lettings", User: "ann"},
			},
			Contacts: []store.Contact{
				{ID: "c1", Name: "Dee Poe", Phones: []string{"+12025550900"}, Owner: "bob"},
				{ID: "c2", Name: "Max Voss", Phones: []string{"+12025550901"}, Owner: "ann"},
			},
		},
		Creds: map[string]store.Credential{},
		Audio: Tone(440, 2*time.Second),
		Bindings: []store.Binding{
			{User: "bob", Device: "bob-desk", Kind: store.Desk, Transport: "udp", Source: "192.0.2.20:5060", UserAgent: "baresip",
				Registered: now.Add(-time.Hour), Expires: now.Add(time.Hour)},
			{User: "ann", Device: "ann-desk", Kind: store.Desk, Transport: "tls", Source: "192.0.2.21:40511", UserAgent: "linphone",
				Registered: now.Add(-time.Hour), Expires: now.Add(time.Hour)},
		},
		Lines: []web.TrunkStatus{{Name: "carrier", State: "up", Registered: true, Since: now.Add(-6 * time.Hour)}},
		Dial: []web.DemoNumber{
			{Where: "carrier", Number: "+12025559000", Label: "Echo", What: "Answers and sends back what you say"},
			{Where: "carrier", Number: "+12025559486", Label: "Busy", What: "Is busy: 486"},
			{Where: "carrier", Number: "+12025559480", Label: "No answer", What: "Rings and never answers"},
			{Where: "carrier", Number: "+12025559404", Label: "Unknown", What: "Does not exist: 404"},
			{Where: "carrier", Number: "+12025559503", Label: "Congestion", What: "The carrier is out of lines: 503"},
			{Where: "carrier", Number: "+12025559183", Label: "Silent", What: "Answers and sends no audio"},
			{Where: "carrier", Number: "+12025559001", Label: "Short", What: "Answers and hangs up after a second"},
		},
	}
	f.Records = lakesideCalls(now)
	f.Messages = []store.Voicemail{
		{ID: "vm2", Mailbox: store.Mailbox{Number: "+12025550001"}, Call: "call4", From: "+12025550777", Left: now.Add(-2 * time.Hour), Seconds: 17},
		{ID: "vm1", Mailbox: store.Mailbox{User: "bob"}, Call: "call2", From: "+12025550900", Left: now.Add(-26 * time.Hour), Seconds: 42, Heard: true, HeardBy: "bob"},
	}
	return f
}

// OwnerPlan is the routing of a call by Dee Poe, whom Bob owns, to the main line.
func OwnerPlan() *routing.Plan {
	return &routing.Plan{
		Policy: "standard", Caller: "+12025550900", Called: "+12025550001", Known: true, Contacts: []string{"c1"}, Owner: "bob",
		Trace: []routing.Row{
			{Step: "workflow", Outcome: "skipped", Reason: "no_workflow"},
			{Step: "number_user", Outcome: "skipped", Reason: "no_user"},
			{Step: "contact_owner", Outcome: "stage", Reason: "contact_owned", Users: []routing.RowUser{{User: "bob", Rings: []string{"browser", "desk"}}}},
			{Step: "unknown_rules", Outcome: "skipped", Reason: "has_owner"},
			{Step: "ring_group", Outcome: "stage", Reason: "ring_group", Users: []routing.RowUser{
				{User: "ann", Rings: []string{"browser"}}, {User: "bob", Rings: []string{"browser", "desk"}}}},
			{Step: "forwarding", Outcome: "skipped", Reason: "no_forwarding"},
			{Step: "company_phone", Outcome: "stage", Reason: "company_phone"},
			{Step: "voicemail", Outcome: "end", Reason: "voicemail"},
		},
		Stages: []routing.Stage{
			{Step: "contact_owner", RingSeconds: 20, Targets: []routing.Target{{User: "bob", Via: []string{"browser", "desk"}}}},
			{Step: "ring_group", RingSeconds: 20, Targets: []routing.Target{{User: "ann", Via: []string{"browser"}}, {User: "bob", Via: []string{"browser", "desk"}}}},
			{Step: "company_phone", RingSeconds: 20, Targets: []routing.Target{{Phone: "+12025550100"}}},
		},
		End: &routing.End{Action: routing.EndVoicemail, Mailbox: &routing.Mailbox{User: "bob"}},
	}
}

// WeekendPlan is the routing of a stranger's call on a Saturday.
func WeekendPlan() *routing.Plan {
	return &routing.Plan{
		Policy: "standard", Caller: "+12025550777", Called: "+12025550001", Contacts: []string{},
		Trace: []routing.Row{
			{Step: "workflow", Outcome: "skipped", Reason: "no_workflow"},
			{Step: "number_user", Outcome: "skipped", Reason: "no_user"},
			{Step: "contact_owner", Outcome: "skipped", Reason: "no_owner"},
			{Step: "unknown_rules", Outcome: "stage", Reason: "rule:Weekend", Users: []routing.RowUser{
				{User: "bob", Rings: []string{"browser"}}, {User: "cyd", Unavailable: "dnd"}}},
			{Step: "ring_group", Outcome: "dropped", Reason: "nobody_available", Match: "ring_group", Users: []routing.RowUser{{User: "ann", Unavailable: "busy"}}},
			{Step: "forwarding", Outcome: "skipped", Reason: "no_forwarding"},
			{Step: "company_phone", Outcome: "skipped", Reason: "no_company_phone"},
			{Step: "voicemail", Outcome: "end", Reason: "voicemail"},
		},
		Stages: []routing.Stage{{Step: "unknown_rules", RingSeconds: 20, Targets: []routing.Target{{User: "bob", Via: []string{"browser"}}}}},
		End:    &routing.End{Action: routing.EndVoicemail, Mailbox: &routing.Mailbox{Number: "+12025550001"}},
	}
}

func lakesideCalls(now time.Time) []store.CallRecord {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	owner, _ := json.Marshal(OwnerPlan())     // a Plan always encodes
	weekend, _ := json.Marshal(WeekendPlan()) // likewise
	start := ago(12 * time.Minute)
	answered := store.CallRecord{
		ID: "call6", Direction: store.Inbound, From: "+12025550900", To: "+12025550001", Trunk: "carrier", Start: start,
		Ringing: start.Add(200 * time.Millisecond), Answer: start.Add(7 * time.Second), End: start.Add(4*time.Minute + 12*time.Second),
		Disposition: store.Answered, AnsweredBy: "bob", EndedBy: "caller", Code: 200, Reason: "hung up", Plan: owner,
		Participants: []string{"bob"},
		Legs: []store.LegRecord{
			{Peer: "carrier +12025550900", Kind: "trunk", Trunk: "carrier", Stage: -1, Start: start, Answer: start.Add(7 * time.Second), End: start.Add(252 * time.Second), Code: 200,
				Media: store.MediaStat{Codec: "PCMU", In: store.StreamStat{Packets: 12250, JitterMS: 1.2}, Out: store.StreamStat{Packets: 12251, JitterMS: 0.8, RTTMS: 21}}},
			{Peer: "Bob Ray", User: "bob", Kind: "browser", Start: start, Ringing: start.Add(200 * time.Millisecond), Answer: start.Add(7 * time.Second), End: start.Add(252 * time.Second), Code: 200,
				Media: store.MediaStat{Codec: "PCMU", SRTP: "dtls", In: store.StreamStat{Packets: 12240, Lost: 3, JitterMS: 4.1}, Out: store.StreamStat{Packets: 12248, JitterMS: 3.3, RTTMS: 9}}},
			{Peer: "Bob Ray", User: "bob", Kind: "desk", Start: start, Ringing: start.Add(400 * time.Millisecond), End: start.Add(7 * time.Second), Code: 487, Reason: "Call completed elsewhere"},
		},
		Events: []store.RecordEvent{
			{At: start, Leg: -1, What: "stage 1: contact_owner"},
			{At: start.Add(200 * time.Millisecond), Leg: 1, What: "ringing"},
			{At: start.Add(400 * time.Millisecond), Leg: 2, What: "ringing"},
			{At: start.Add(7 * time.Second), Leg: 1, What: "answered"},
			{At: start.Add(7 * time.Second), Leg: 2, What: "cancelled: answered elsewhere"},
			{At: start.Add(252 * time.Second), Leg: 0, What: "hung up"},
		},
	}
	missed := ago(35 * time.Minute)
	return []store.CallRecord{
		answered,
		{ID: "call5", Direction: store.Inbound, From: "+12025550777", To: "+12025550001", Trunk: "carrier", Start: missed,
			End: missed.Add(21 * time.Second), Disposition: store.Missed, EndedBy: "caller", Code: 487, Reason: "the caller gave up", Plan: weekend,
			Participants: []string{"ann", "bob", "cyd"}, Unclaimed: true,
			Legs: []store.LegRecord{{Peer: "carrier +12025550777", Kind: "trunk", Stage: -1, Start: missed, End: missed.Add(21 * time.Second), Code: 487},
				{Peer: "Bob Ray", User: "bob", Kind: "browser", Start: missed, Ringing: missed.Add(time.Second), End: missed.Add(21 * time.Second), Code: 487}},
			Events: []store.RecordEvent{{At: missed, Leg: -1, What: "stage 1: unknown_rules"}, {At: missed.Add(time.Second), Leg: 1, What: "ringing"}, {At: missed.Add(21 * time.Second), Leg: 0, What: "cancelled"}}},
		{ID: "call4", Direction: store.Inbound, From: "+12025550777", To: "+12025550001", Trunk: "carrier", Start: ago(2 * time.Hour), Answer: ago(2*time.Hour - 20*time.Second),
			End: ago(2*time.Hour - 40*time.Second), Disposition: store.VoicemailOK, EndedBy: "caller", Code: 200, Plan: weekend, Voicemail: "vm2",
			Participants: []string{"ann", "bob"}, Unclaimed: true},
		{ID: "call3", Direction: store.Outbound, From: "+12025550003", FromUser: "ann", To: "+12025550901", Start: ago(3 * time.Hour), Answer: ago(3*time.Hour - 9*time.Second),
			End: ago(3*time.Hour - 100*time.Second), Disposition: store.Answered, AnsweredBy: "+12025550901", EndedBy: "callee", Code: 200, Participants: []string{"ann"}},
		{ID: "call2", Direction: store.Inbound, From: "+12025550900", To: "+12025550002", Trunk: "carrier", Start: ago(26 * time.Hour), End: ago(26*time.Hour - time.Minute),
			Disposition: store.VoicemailOK, Code: 200, Voicemail: "vm1", Plan: owner, Participants: []string{"bob"}},
		{ID: "call1", Direction: store.Internal, From: "203", FromUser: "cyd", To: "201", Start: ago(30 * time.Hour), End: ago(30*time.Hour - 5*time.Second),
			Disposition: store.Busy, EndedBy: "callee", Code: 486, Reason: "Busy Here", Participants: []string{"cyd", "ann"}},
	}
}

// Tone is a WAV file with a sine tone: 8 kHz, mono, 16 bit.
func Tone(hz float64, d time.Duration) []byte {
	const rate = 8000
	n := int(d.Seconds() * rate)
	b := append([]byte("RIFF"), make([]byte, 4)...)
	b = append(b, "WAVEfmt "...)
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		b, _ = binary.Append(b, binary.LittleEndian, v) // fixed-size values always encode
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*n))
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/rate))))
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}
