package call

import "context"

// Call control and shutdown.

// Hangup ends a call. The error is ErrNoCall.
func (m *Manager) Hangup(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.calls[id]
	if a == nil {
		return ErrNoCall
	}
	a.tell(noLeg, HangupCall{Reason{"SIP", 480, "Ended by operator"}})
	return nil
}

// SetDraining refuses new calls with 503, or takes them again. Calls in progress go on.
func (m *Manager) SetDraining(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = on
}

// Drain refuses new calls and waits until the last one has ended by itself. The error is ctx's.
func (m *Manager) Drain(ctx context.Context) error {
	m.SetDraining(true)
	return m.empty(ctx)
}

// empty waits until there is no call.
func (m *Manager) empty(ctx context.Context) error {
	for {
		m.mu.Lock()
		n, gone := len(m.calls), m.gone
		m.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends all calls, gives their peers until ctx is done to confirm, and returns when every record is written.
func (m *Manager) Close(ctx context.Context) error {
	m.deaf()
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.each(HangupCall{Reason{"SIP", 503, "Shutting down"}})
	err := m.empty(ctx)
	if err != nil {
		m.each(crashed{"shut down before the peers confirmed"})
	}
	m.wg.Wait()
	m.cancel()
	return err
}

func (m *Manager) each(what any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.calls {
		a.mail.post(letter{what: what})
	}
}
