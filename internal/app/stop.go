package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"cordon/internal/ledger"
)

// drain is how long messages on their way may take to end.
const drain = 10 * time.Second

// record is how long the last entries may take, whatever came before them.
const record = 5 * time.Second

// Stop shuts the doors, lets messages on their way end, records that Cordon no
// longer stands in the way, and closes everything. It may be called twice, and
// on an App that never started.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() { a.stopErr = a.stop(ctx) })
	return a.stopErr
}

func (a *App) stop(ctx context.Context) error {
	// Pages that stream would keep the console open for ever.
	a.cancel()
	limited, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	var mu sync.Mutex
	var errs []error
	var doors sync.WaitGroup
	for _, l := range a.listeners {
		doors.Go(func() {
			if err := l.door.Shutdown(limited); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
			l.Close()
			select {
			case <-l.done:
			case <-limited.Done():
			}
		})
	}
	doors.Wait()
	a.tasks.Wait()
	if a.gateway != nil {
		a.gateway.Close()
	}
	if a.watcher != nil { // after the last message, before the fold's last mark
		errs = append(errs, a.watcher.Close())
	}
	if a.parts != nil && a.ledger != nil && a.ledger.Status().Err == nil {
		if len(a.listeners) > 0 {
			// After the last message. Without this entry (a crash) the index
			// takes the last sign of life as the end. The time for it is its own:
			// one stream that never ends uses all of the drain's up.
			recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), record)
			errs = append(errs, a.coverage(recording, ledger.EventCoverageStop))
			cancel()
		}
		if a.fold != nil {
			errs = append(errs, a.fold.MarkAll(context.WithoutCancel(ctx)))
		}
	}
	if a.gates != nil {
		errs = append(errs, a.gates.Close())
	}
	if a.parts != nil {
		errs = append(errs, a.parts.close())
	}
	return errors.Join(errs...)
}
