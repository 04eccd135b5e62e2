package bolt

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"strowger/store"
)

// killedEnv names the store file to the process that TestKilledProcess starts.
const killedEnv = "STROWGER_TEST_KILLED_DB"

// A process that is killed while many calls are written loses none whose write had returned, and leaves a file that opens.
func TestKilledProcess(t *testing.T) {
	if path := os.Getenv(killedEnv); path != "" {
		writeUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "s.db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
	cmd.Env = append(os.Environ(), killedEnv+"="+path)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	var acknowledged []string
	lines := bufio.NewScanner(out)
	for len(acknowledged) < 500 && lines.Scan() {
		acknowledged = append(acknowledged, lines.Text())
	}
	check(t, cmd.Process.Kill())
	for lines.Scan() { // what was acknowledged before the end
		acknowledged = append(acknowledged, lines.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it ended by itself")
	}
	d := openAt(t, path, Options{})
	for _, id := range acknowledged {
		if _, err := d.Call(id); err != nil {
			t.Errorf("%s was acknowledged: %v", id, err)
		}
	}
	recovered := must[[]store.CallRecord](t)(d.RecoverInterrupted())
	records := must[[]store.CallRecord](t)(d.Calls(store.CallFilter{Limit: 1 << 20}))
	if len(records) < len(acknowledged) || len(recovered) == 0 {
		t.Errorf("%d records, %d of them interrupted; %d were acknowledged", len(records), len(recovered), len(acknowledged))
	}
}

// writeUntilKilled journals calls from many goroutines, closes every other one, and prints each id when it is durable.
func writeUntilKilled(t *testing.T, path string) {
	d := openAt(t, path, Options{})
	var out sync.Mutex
	for worker := range 16 {
		go func() {
			for i := 0; ; i++ {
				rec := store.CallRecord{ID: fmt.Sprintf("w%d-%d", worker, i), Start: at(i % 60)}
				err := d.OpenCall(rec)
				if err == nil && i%2 == 0 {
					err = d.CloseCall(rec)
				}
				if err != nil {
					return
				}
				out.Lock()
				fmt.Println(rec.ID)
				out.Unlock()
			}
		}()
	}
	select {}
}
