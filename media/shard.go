package media

import "runtime"

func (c *Config) completeShards() error {
	if c.Shards <= 0 {
		c.Shards = max(1, runtime.NumCPU()/2)
	}
	return nil
}

// shard owns a part of the sessions: the goroutine that reads their sockets and the one that ticks their players and reports.
type shard struct{ engine *Engine }

func newShard(e *Engine) (*shard, error) { return &shard{engine: e}, nil }
func (sh *shard) add(s *Session)         {}
func (sh *shard) close()                 {}
