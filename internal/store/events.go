package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLog takes Pebble's log lines. Fatalf returns, which Pebble's callers
// survive: each gives the error back or leaves the write undone, and the store
// writes nothing more.
type pebbleLog struct{ s *Store }

func (l pebbleLog) Infof(format string, args ...any) {
	if l.s.log.Enabled(context.Background(), -8) { // below debug: a line per flush
		l.s.log.Log(context.Background(), -8, "store: "+fmt.Sprintf(format, args...))
	}
}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.s.log.Error("store: " + fmt.Sprintf(format, args...))
}

func (l pebbleLog) Fatalf(format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok { // keep what kind of error it is
			l.s.Fail(err)
			return
		}
	}
	l.s.Fail(errors.New(strings.TrimPrefix(fmt.Sprintf(format, args...), "pebble: ")))
}

func (s *Store) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if errors.Is(err, pebble.ErrCancelledCompaction) || errors.Is(err, pebble.ErrClosed) {
				return
			}
			s.Fail(fmt.Errorf("flushing or compacting the store: %w", err))
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.Fail(&Refusal{"the store is damaged in " + info.Path, "stop cordon; " + restore, info.Details})
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			s.log.Warn("the disk is slow", "operation", info.OpType.String(), "seconds", info.Duration.Seconds())
		},
	}
}
