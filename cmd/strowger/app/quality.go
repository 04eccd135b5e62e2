package app

import (
	"context"
	"time"
)

// qualityInterval is how often those who watch are told how the calls sound.
const qualityInterval = 5 * time.Second

// tellQuality measures all calls at once, now and then, while somebody watches.
func (a *App) tellQuality(ctx context.Context) {
	ticker := time.NewTicker(qualityInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if a.web.Watched() {
				a.web.Measured(a.calls.Measure())
			}
		}
	}
}
