package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"cordon/internal/api"
	"cordon/internal/directory"
)

// loadDirectory loads the file of people that the configuration names, unless
// it is the very file that was loaded last (same length and modification time):
// reading 35 million people again at each start would keep the gates shut.
func (a *App) loadDirectory(ctx context.Context) error {
	path := a.cfg.Directory.File
	if path == "" {
		return nil
	}
	if _, err := directory.FormatOf(path); err != nil {
		return fmt.Errorf("directory.file: %w", err)
	}
	version, err := api.DirectoryVersion(a.cfg.Directory)
	if err != nil {
		return err
	}
	if version != "" && a.fold.DirectoryVersion() == version {
		return nil
	}
	// A database has no version: it is asked at each start, and who is as before
	// costs a look-up.
	f, err := directory.Open(ctx, path, a.cfg.Directory.Query)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("directory.file: %s does not exist\n  next: put it there, or take the key out of the configuration", path)
	}
	if err != nil {
		return fmt.Errorf("directory.file: %w", err)
	}
	defer f.Close()
	said := time.Now()
	answer, err := directory.ImportBlocks(ctx, f.Format, f, api.People(a.ledger, a.cfg.Directory), directory.Options{Now: a.o.Now(), Version: f.Version, Progress: func(bytes int64, lines uint64) {
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			fmt.Fprintf(a.o.Talk, "loading the directory: %d lines%s\n", lines, share(bytes, f.Bytes))
		}
	}})
	if err != nil {
		return fmt.Errorf("loading the directory: %w", err)
	}
	if answer.WentOnBehind > 0 {
		fmt.Fprintf(a.o.Talk, "loading the directory: went on behind row %d of the interrupted import\n", answer.WentOnBehind)
	}
	a.o.Log.Info("directory loaded", "people", answer.People, "new", answer.New, "changed", answer.Changed, "rejected", answer.RejectedRows)
	// A start does not ask, and keeps the gates shut for no file: whoever left is
	// still counted, as somebody unnamed, and comes back with a whole file.
	if there := answer.People - answer.New + answer.Left; api.MassLeave(answer.Left, there) {
		a.o.Log.Warn("many people left the directory", "file", path, "left", answer.Left, "people", answer.People)
		a.fold.AlarmDirectory(fmt.Sprintf("%d people left the directory when %s was loaded, and %d are in it: if that is not the whole file, put it right and run `cordon directory import %s`",
			answer.Left, path, answer.People, path))
	}
	for _, r := range answer.Rejected[:min(5, len(answer.Rejected))] {
		a.o.Log.Warn("directory: line not taken", "line", r.Line, "problem", r.Problem)
	}
	if version == "" {
		return nil
	}
	return a.fold.SetDirectoryVersion(version)
}

// share says how much of the bytes was read; nothing where nobody knows how many
// there are.
func share(read, all int64) string {
	if all <= 0 {
		return ""
	}
	return fmt.Sprintf(", %d %%", 100*read/all)
}
