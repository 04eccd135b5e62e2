package sip

import (
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// dialogOrder lets the requests of one dialog through one at a time and in the order of their CSeq. sipgo gives each
// message a goroutine, and UDP may swap packets: a BYE could overtake the ACK before it, or a re-INVITE another.
type dialogOrder struct {
	mu        sync.Mutex
	cur, prev map[dialogKey]*dialogSeq // prev is forgotten at the next rotation
	rotated   time.Time
}

// dialogKey names the peer's side of a dialog. Both our tags and theirs would be needed to tell forks apart, but forks of
// one INVITE number their requests alike only from our side.
type dialogKey struct{ callID, fromTag string }

type dialogSeq struct {
	last   uint32 // highest CSeq let through, 0 = none known
	ackDue uint32 // CSeq of an INVITE whose ACK has not come
	busy   bool
	free   chan struct{} // closed and replaced whenever something was let through or finished
}

const (
	// orderGap is how long a request waits for one before it that is missing. CSeq numbers may have gaps (a request that
	// was challenged, or lost), so it is short.
	orderGap = 40 * time.Millisecond
	// orderBusy ends the wait for a handler that does not return, which would be a bug of ours.
	orderBusy = 5 * time.Second

	orderRotation = 10 * time.Minute
	orderMax      = 50000
)

func newDialogOrder() *dialogOrder {
	return &dialogOrder{cur: make(map[dialogKey]*dialogSeq), prev: make(map[dialogKey]*dialogSeq), rotated: time.Now()}
}

func keyOf(req *sipmsg.Request) dialogKey {
	return dialogKey{callID(req), tagOf(req.From().Params)}
}

// begin notes the INVITE that may begin a dialog.
func (o *dialogOrder) begin(req *sipmsg.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.get(keyOf(req))
	d.last = max(d.last, req.CSeq().SeqNo)
	d.ackDue = req.CSeq().SeqNo
}

// enter waits until it is req's turn. The caller calls release when req is handled.
func (o *dialogOrder) enter(req *sipmsg.Request) (release func()) {
	seq, arrived := req.CSeq().SeqNo, time.Now()
	o.mu.Lock()
	d := o.get(keyOf(req))
	for {
		limit := time.Duration(0)
		switch {
		case d.busy:
			limit = orderBusy
		case d.early(req.Method, seq):
			limit = orderGap
		}
		wait := limit - time.Since(arrived)
		if limit == 0 || wait <= 0 {
			break
		}
		free := d.free
		o.mu.Unlock()
		pause(free, wait)
		o.mu.Lock()
	}
	d.last = max(d.last, seq)
	switch {
	case req.Method == sipmsg.INVITE:
		d.ackDue = seq
	case seq >= d.ackDue:
		d.ackDue = 0
	}
	d.busy = true
	o.mu.Unlock()
	return func() {
		o.mu.Lock()
		d.busy = false
		close(d.free)
		d.free = make(chan struct{})
		o.mu.Unlock()
	}
}

// early reports whether something is missing before this request. The ACK of an INVITE comes before a BYE or another
// INVITE, not before an UPDATE or INFO, which an early dialog also has.
func (d *dialogSeq) early(method sipmsg.RequestMethod, seq uint32) bool {
	switch method {
	case sipmsg.ACK:
		return false
	case sipmsg.BYE, sipmsg.INVITE:
		if d.ackDue != 0 && seq > d.ackDue {
			return true
		}
	}
	return d.last != 0 && seq > d.last+1
}

// pause waits for a signal or until the time is over.
func pause(signal <-chan struct{}, limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-signal:
	case <-t.C:
	}
}

// get is the dialog's entry; the caller holds mu. Dialogs without requests for two rotations lose theirs, and with it
// nothing but the wait for a gap.
func (o *dialogOrder) get(key dialogKey) *dialogSeq {
	if d := o.cur[key]; d != nil {
		return d
	}
	if len(o.cur) >= orderMax || time.Since(o.rotated) > orderRotation {
		o.cur, o.prev, o.rotated = make(map[dialogKey]*dialogSeq), o.cur, time.Now()
	}
	d := o.prev[key]
	if d == nil {
		d = &dialogSeq{free: make(chan struct{})}
	}
	o.cur[key] = d
	return d
}

// mergedTable finds requests that arrive twice by different ways (RFC 3261 §8.2.2.2).
type mergedTable struct {
	mu      sync.Mutex
	ongoing map[mergedKey]string // branch of the transaction that came first
}

type mergedKey struct {
	dialogKey
	seq uint32
}

func newMergedTable() *mergedTable { return &mergedTable{ongoing: make(map[mergedKey]string)} }

// enter notes an INVITE until its transaction ends, and is false when the same INVITE is there already by another way.
func (m *mergedTable) enter(req *sipmsg.Request, tx *sipmsg.ServerTx) bool {
	key := mergedKey{keyOf(req), req.CSeq().SeqNo}
	branch, _ := req.Via().Params.Get("branch")
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, ok := m.ongoing[key]; ok {
		return first == branch
	}
	m.ongoing[key] = branch
	if !tx.OnTerminate(func(string, error) { m.leave(key) }) {
		delete(m.ongoing, key)
	}
	return true
}

func (m *mergedTable) leave(key mergedKey) {
	m.mu.Lock()
	delete(m.ongoing, key)
	m.mu.Unlock()
}
