package api

import "cordon/internal/care"

// BackupRequest asks the server for a backup. To is a path on the server's machine.
type BackupRequest struct {
	To string `json:"to"`
	// Full reads the whole copied ledger before the backup counts.
	Full bool `json:"full,omitzero"`
	// Keep is how many backups stay in the folder; 0: all.
	Keep int `json:"keep,omitzero"`
}

// CareLine is one line of an answer that takes its time: any number with
// progress, then one with the result or the error.
type CareLine struct {
	Progress *care.Progress    `json:"progress,omitempty"`
	Backup   *care.Done        `json:"backup,omitempty"`
	Scrub    *care.ScrubStatus `json:"scrub,omitempty"`
	Error    *Error            `json:"error,omitempty"`
}

// FailoverStatus is the second place for new entries.
type FailoverStatus struct {
	// InUse says that the disk of the data directory does not answer, and new
	// entries go to the failover folder.
	InUse bool `json:"in_use"`
	// Turns counts how often that began or ended since the server started.
	Turns int `json:"turns"`
	// Error is why the first disk is not tried again before a restart.
	Error string `json:"error,omitempty"`
}
