package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// Refusal is why a store cannot be opened or used, with the next step.
type Refusal struct {
	What string
	Step string
	Err  error
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return r.What
	}
	return r.What + ": " + r.Err.Error()
}

func (r *Refusal) Unwrap() error { return r.Err }

// Next is what to do about it.
func (r *Refusal) Next() string { return r.Step }

const restore = "keep a copy of the data directory as it is, then restore the newest backup and compare with the mirrored head"

func explainOpen(dir string, err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EACCES) && strings.Contains(text, "LOCK"),
		strings.Contains(text, "lock held by current process"):
		return &Refusal{"the store in " + dir + " is in use by another process",
			"stop the other cordon, or let this command speak to it with --server", err}
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return &Refusal{"no store in " + dir + ", or its marker files are missing", restore, err}
	case errors.Is(err, syscall.ENOSPC):
		return &Refusal{"the disk of " + dir + " is full", "free some space and start again; nothing was lost", ErrFull}
	case errors.Is(err, fs.ErrPermission):
		return &Refusal{"the store in " + dir + " may not be read or written", "give the folder to the user that runs cordon", err}
	case strings.Contains(text, "format major version"):
		return &Refusal{"the store in " + dir + " was written by another version of cordon",
			"use the newest version that wrote it", err}
	case errors.Is(err, fs.ErrNotExist):
		return &Refusal{"a file of the store in " + dir + " is missing", restore, err}
	default:
		// What is not known to be harmless is damage.
		return &Refusal{"the store in " + dir + " is damaged", restore, err}
	}
}

func explainSick(cause error) error {
	var refusal *Refusal
	switch {
	case errors.As(cause, &refusal):
		return cause
	case errors.Is(cause, syscall.ENOSPC):
		return &Refusal{"the disk is full", "free some space, then restart cordon", fmt.Errorf("%w: %w", ErrFull, cause)}
	case pebble.IsCorruptionError(cause):
		return &Refusal{"the store is damaged", "stop cordon; " + restore, cause}
	default:
		return &Refusal{"the store cannot write", "check the disk (dmesg, smartctl), then restart cordon", cause}
	}
}
