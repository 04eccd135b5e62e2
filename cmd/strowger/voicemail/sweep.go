package voicemail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sweepEvery is how often what is due is removed.
const sweepEvery = 10 * time.Minute

// Run sweeps from time to time, until ctx is done.
func (b *Boxes) Run(ctx context.Context) {
	every, late := time.NewTicker(sweepEvery), time.NewTicker(lateEvery)
	defer every.Stop()
	defer late.Stop()
	for {
		if _, err := b.Sweep(); err != nil {
			b.cfg.Log.Error().Err(err).Msg("old messages could not be removed: check the data folder")
		}
		for sweep := false; !sweep; {
			select {
			case <-every.C:
				sweep = true
			case <-late.C:
				b.keepLate()
			case <-ctx.Done():
				return
			}
		}
	}
}

// Sweep removes for good what was deleted Limits.Undo ago, what was heard, not saved and is older than Limits.Keep, and the boxes
// whose user or number has been gone for goneKeep. It returns how many messages went. The audio goes first: what a crash leaves between the two is swept the next time.
func (b *Boxes) Sweep() (removed int, err error) {
	list, err := b.cfg.Store.AllVoicemails()
	if err != nil {
		return 0, err
	}
	now := b.cfg.Now()
	var failed []error
	for _, vm := range list {
		deleted := !vm.Deleted.IsZero() && now.Sub(vm.Deleted) >= b.cfg.Limits.Undo
		old := b.cfg.Limits.Keep > 0 && vm.Heard && !vm.Saved && now.Sub(vm.Left) >= b.cfg.Limits.Keep
		if !deleted && !old {
			continue
		}
		if err := b.remove(vm.ID, b.Path(vm)); err != nil {
			failed = append(failed, err)
			continue
		}
		removed++
		b.changed(vm, true)
	}
	n, err := b.sweepBoxes(list)
	removed, failed = removed+n, append(failed, err)
	return removed, errors.Join(errors.Join(failed...), b.sweepDrafts(now))
}

// keepDraft is how long a recording may wait for its caller to keep it: longer than any call spends on one.
const keepDraft = 2 * time.Hour

// sweepDrafts removes what callers recorded and hung up over.
func (b *Boxes) sweepDrafts(now time.Time) error {
	entries, err := os.ReadDir(b.drafts())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the folder of drafts: %w", err)
	}
	var failed []error
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > keepDraft {
			failed = append(failed, os.Remove(filepath.Join(b.drafts(), e.Name())))
		}
	}
	return errors.Join(failed...)
}

// remove removes a message and its audio for good.
func (b *Boxes) remove(id, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the audio of voicemail %s: %w", id, err)
	}
	_, err := b.cfg.Store.DeleteVoicemail(id)
	return err
}
