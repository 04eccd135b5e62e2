package sip

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener accepts the connections given to it.
type pipeListener struct {
	net.Listener
	conns chan net.Conn
}

func (l pipeListener) Accept() (net.Conn, error) { return <-l.conns, nil }

// acceptPipe is a connection as our listeners accept it, with its flow and the peer's end.
func acceptPipe(t *testing.T, table *flowTable) (ours *watchedConn, peer net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	l := pipeListener{conns: make(chan net.Conn, 1)}
	l.conns <- server
	conn, err := table.watch(l, "tcp").Accept()
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*watchedConn), client
}

// A message that trickles in holds a connection no longer than silence does; whoever has proved who he is may take his time.
func TestStrangersConnectionEnds(t *testing.T) {
	for _, known := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, peer := acceptPipe(t, newFlowTable())
			var trickle sync.WaitGroup
			defer trickle.Wait()
			defer ours.Close()
			defer peer.Close()
			trickle.Go(func() {
				for range 4 {
					if _, err := peer.Write([]byte("OPT")); err != nil {
						return
					}
					time.Sleep(2 * proveWithin / 5)
				}
			})
			if known {
				ours.table.prove(ours.flow)
			}
			buf, count := make([]byte, 100), 0
			var err error
			for err == nil && count < 4 {
				_, err = ours.Read(buf)
				count++
			}
			if ended := errors.Is(err, os.ErrDeadlineExceeded); ended == known {
				t.Errorf("known %t: after %d reads %v", known, count, err)
			}
		})
	}
}

// A peer that does not read what it is answered loses its connection.
func TestDeafConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newFlowTable()
		ended := ""
		table.onClose = func(id string) { ended = id }
		ours, peer := acceptPipe(t, table)
		defer peer.Close()
		begin := time.Now()
		_, err := ours.Write([]byte("SIP/2.0 200 OK\r\n"))
		if took := time.Since(begin); err == nil || took != flowWriteTimeout {
			t.Errorf("wrote for %v, then %v", took, err)
		}
		if ended != ours.flow.id || len(table.byAddr) != 0 {
			t.Error("the flow is still known")
		}
	})
}
