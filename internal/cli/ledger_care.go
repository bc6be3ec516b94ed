package cli

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/care"
	"cordon/internal/figure"
)

type ledgerBackupCmd struct {
	To     string `arg:"" placeholder:"DIR|FILE.tar" help:"A folder of backups, each in a folder of its own; or one file."`
	Verify string `enum:"open,full" default:"open" placeholder:"full" help:"full: read every entry of the copy before it counts (open: its newest)."`
	Keep   int    `placeholder:"N" help:"Keep this many backups in the folder; older ones are removed."`
}

func (ledgerBackupCmd) Help() string {
	return `The server may run. Tables that the backup before has are not written again. A
backup never holds keys: cordon keys backup makes one of those. It is recorded
in the ledger, signed with the checkpoint key, and opened once before it counts.`
}

func (ledgerBackupCmd) Examples() []string {
	return []string{"cordon ledger backup /mnt/backup/cordon --keep 14", "cordon ledger backup cordon.tar --verify full"}
}

func (c ledgerBackupCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Keep < 0 {
		return &Fault{Code: exitUsage, What: "--keep is a number of backups", Next: "cordon ledger backup DIR --keep 14"}
	}
	request := api.BackupRequest{To: c.To, Full: c.Verify == "full", Keep: c.Keep}
	bar := e.progress(0)
	show := bar.care()
	done, err := e.backup(ctx, request, show)
	bar.done()
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(done)
	}
	for _, w := range done.Warnings {
		e.Say("warning: %s", w)
	}
	e.Print("%s: %s, %s in %s, %s written", done.Path, figure.Count(done.Entries, "entry", "entries"), megabytes(done.Bytes),
		figure.Count(done.Files, "file", "files"), megabytes(done.Copied))
	if done.Verified == "full" {
		e.Print("every entry of it was read and verified")
	}
	for _, r := range done.Removed {
		e.Say("removed %s", r)
	}
	e.Say("next: keep it on another machine; its keys are not in it (cordon keys backup)")
	return nil
}

// backup asks the server, or does it in this process where none runs.
func (e *Env) backup(ctx context.Context, r api.BackupRequest, show func(care.Progress)) (*care.Done, error) {
	if e.Flags.Server == "" {
		c, specs, err := e.load()
		if err != nil {
			return nil, err
		}
		if r.To, err = filepath.Abs(r.To); err != nil {
			return nil, err
		}
		if !api.SocketAlive(c.Data) {
			if e.Flags.TokenFile != "" {
				return nil, &Fault{Code: exitError, What: "no server runs, and a token means nothing without one", Next: "start it with `cordon serve`"}
			}
			log := slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelError}))
			return app.Backup(ctx, c, specs, app.Options{Now: e.Now, Log: log},
				care.Order{To: r.To, By: api.LocalActor.Name, Full: r.Full, Keep: r.Keep, Progress: show})
		}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	return o.Backup(ctx, r, show)
}

type ledgerRestoreCmd struct {
	From       string  `arg:"" placeholder:"DIR|FILE.tar" help:"A backup, or a folder of backups, of which the newest is taken."`
	To         string  `name:"to" placeholder:"DIR" help:"The new data directory, empty or absent (--data is the same)."`
	AcceptLoss *uint64 `placeholder:"N" help:"Go on although so many entries that the mirror knows of are not in the backup."`
}

func (ledgerRestoreCmd) Help() string {
	return `Every file is compared with the signed manifest first. The keys must be there
already (cordon keys restore). The ledger comes up with every gate cut: what was
cut after the backup was made is not in it. cordon restore VENDOR opens each.`
}

func (ledgerRestoreCmd) Examples() []string {
	return []string{"cordon ledger restore /mnt/backup/cordon --data ./data-new", "cordon ledger restore cordon.tar --data ./data-new --accept-loss 12"}
}

func (c ledgerRestoreCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	to := c.To
	if to == "" {
		to = e.Flags.Data
	}
	if to == "" {
		return &Fault{Code: exitUsage, What: "a backup is restored into a new data directory", Next: "cordon ledger restore " + c.From + " --data ./data-new"}
	}
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if api.SocketAlive(to) {
		return &Fault{Code: exitError, What: "a server runs on " + to, Next: "restore into another folder, and stop the server before it gets the new one"}
	}
	cfg, specs, err := e.load()
	if err != nil {
		return err
	}
	bar := e.progress(0)
	r, err := app.Restore(ctx, cfg, specs, app.Options{Now: e.Now}, care.Return{
		From: c.From, Data: to, AcceptLoss: c.AcceptLoss, By: api.LocalActor.Name, Progress: bar.care(),
	})
	bar.done()
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(r)
	}
	e.Print("%s: %s, from the backup of %s", r.Data, figure.Count(r.Entries, "entry", "entries"), r.Made.Local().Format(time.DateTime))
	if r.Lost != nil {
		e.Print("lost: entries %d to %d; the old head is kept as %s", r.Lost.From, r.Lost.To, r.OldHead)
	}
	e.Print("every gate is cut: %s", strings.Join(r.Cut, " "))
	e.Say("next: set `data: %s` in cordon.yaml, start it, then `cordon restore VENDOR` for each that may be open", r.Data)
	return nil
}

type ledgerScrubCmd struct {
	Now bool `help:"Read everything now, as fast as the disk allows."`
}

func (ledgerScrubCmd) Help() string {
	return `A running server reads all of the ledger once in a while (scrub: in cordon.yaml),
so that damage is found before it is needed. Without --now: what it found last.`
}

func (ledgerScrubCmd) Examples() []string {
	return []string{"cordon ledger scrub", "cordon ledger scrub --now --json"}
}

func (c ledgerScrubCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	var s care.ScrubStatus
	if c.Now {
		bar := e.progress(0)
		s, err = o.ScrubNow(ctx, bar.care())
		bar.done()
	} else {
		s, err = o.Scrubbed(ctx)
	}
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		if err := e.JSON(s); err != nil {
			return err
		}
	} else {
		e.printScrub(s)
	}
	if !s.OK {
		return silent(exitNotVerified)
	}
	return nil
}

func (e *Env) printScrub(s care.ScrubStatus) {
	for _, d := range s.Damage {
		e.Print("%s %s: %s", e.Colour(red, "damaged:"), d.File, d.Problem)
		e.Print("  %s", d.Means)
	}
	switch {
	case s.Last.IsZero():
		e.Print("not yet read as a whole")
	case s.OK:
		e.Print("%s: all %s, %s", e.Colour(green, "whole"), megabytes(s.Bytes), figure.Ago(s.Last, e.Now()))
	default:
		e.Print("last read as a whole %s", figure.Ago(s.Last, e.Now()))
	}
	if s.At != "" {
		e.Print("reading: %s", s.At)
	}
}

func megabytes(n int64) string {
	if n < 10_000_000 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return figure.Grouped(n/1_000_000) + " MB"
}

// care draws the bar for what tells its progress by steps.
func (p *progress) care() func(care.Progress) {
	if !p.env.ErrTerminal {
		return nil
	}
	step := ""
	return func(c care.Progress) {
		now := p.env.Now()
		if c.Step != step {
			step, p.started = c.Step, now
		}
		if c.Total == 0 || now.Sub(p.drawn) < 100*time.Millisecond {
			return
		}
		p.drawn = now
		const width = 32
		part := min(1, float64(c.Done)/float64(c.Total))
		full := int(part * width)
		fmt.Fprintf(p.env.Err, "\r\x1b[K%s%s %3.0f %% %s", strings.Repeat("█", full), strings.Repeat("░", width-full), 100*part, c.Step)
	}
}
