//go:build !linux

package media

import "time"

// newTransport is the best transport of this platform.
func newTransport(now func() time.Duration) (transport, error) { return &netTransport{now: now}, nil }
