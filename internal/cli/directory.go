package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"cordon/internal/directory"
	"cordon/internal/figure"
)

type directoryCmd struct {
	Import directoryImportCmd `cmd:"" help:"Load a file of people; who is in it already is brought up to date."`
}

type directoryImportCmd struct {
	Source   string `arg:"" placeholder:"FILE" help:"CSV, JSON lines or Parquet with id,email,phone,name,country,state,language,birth_date,username; or postgres://…"`
	Query    string `placeholder:"SQL" help:"What the database is asked; its columns are named like those of a file."`
	DryRun   bool   `name:"dry-run" help:"Only say what would not be taken. Nothing is stored, and no server is needed."`
	Rejected string `placeholder:"FILE" help:"Write every line that is not taken, with the reason, as CSV. The source is read twice."`
}

func (directoryImportCmd) Examples() []string {
	return []string{
		"cordon directory import people.csv", "cordon directory import people.jsonl --json",
		"cordon directory import people.parquet --dry-run --rejected rejected.csv",
		"cordon directory import postgres://cordon@db/crm --query 'SELECT id, email, country FROM people'",
	}
}

func (c directoryImportCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if _, err := directory.FormatOf(c.Source); err != nil {
		return &Fault{Code: exitUsage, What: err.Error(), Cause: err}
	}
	var answer directory.Answer
	if c.DryRun || c.Rejected != "" {
		checked, err := c.check(ctx, e)
		if err != nil {
			return err
		}
		answer = *checked
	}
	if !c.DryRun {
		in, err := c.open(ctx)
		if err != nil {
			return err
		}
		defer in.Close()
		o, err := e.connect(ctx)
		if err != nil {
			return err
		}
		defer o.close()
		bar := e.progress(in.Bytes).counting(in.Rows)
		answer, err = o.ImportDirectory(ctx, in.Format, in.Version, bar.reader(in))
		bar.done()
		if err != nil {
			return err
		}
	}
	if answer.WentOnBehind > 0 {
		e.Say("went on behind row %s of the interrupted import", figure.Grouped(answer.WentOnBehind))
	}
	if answer.BegunAnew != "" {
		e.Say("an earlier import was interrupted and could not be gone on with, all was read anew: %s", answer.BegunAnew)
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	if c.DryRun {
		e.Print("%s would be taken; nothing was stored", figure.Count(answer.People, "person", "people"))
	} else {
		e.Print("%s: %s new, %s changed, %s left", figure.Count(answer.People, "person", "people"), figure.Grouped(answer.New), figure.Grouped(answer.Changed), figure.Grouped(answer.Left))
	}
	if answer.RejectedRows > 0 {
		e.Print("%s not taken:", figure.Count(answer.RejectedRows, "line", "lines"))
		for _, r := range answer.Rejected[:min(20, len(answer.Rejected))] {
			e.Print("  line %d: %s", r.Line, r.Problem)
		}
		if answer.RejectedRows > 20 && c.Rejected == "" {
			e.Say("--rejected FILE lists them all")
		}
	}
	if len(answer.Ignored) > 0 {
		e.Say("columns not read: %s", strings.Join(answer.Ignored, ", "))
	}
	return nil
}

func (c directoryImportCmd) open(ctx context.Context) (*directory.Opened, error) {
	in, err := directory.Open(ctx, c.Source, c.Query)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Fault{Code: exitError, What: err.Error(), Next: "name a file that exists", Cause: err}
	case err != nil:
		return nil, &Fault{Code: exitError, What: err.Error(), Cause: err}
	}
	return in, nil
}

// check reads the source here, without a server.
func (c directoryImportCmd) check(ctx context.Context, e *Env) (*directory.Answer, error) {
	in, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	o := directory.Options{Now: e.Now()}
	var list *csv.Writer
	if c.Rejected != "" {
		f, err := os.OpenFile(c.Rejected, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, &Fault{Code: exitError, What: err.Error(), Next: "name a file that can be written", Cause: err}
		}
		defer f.Close()
		list = csv.NewWriter(f)
		_ = list.Write([]string{"line", "problem"}) // Flush says whether it was written
		o.Rejected = func(r directory.Rejected) { _ = list.Write([]string{strconv.FormatUint(r.Line, 10), r.Problem}) }
	}
	bar := e.progress(in.Bytes).counting(in.Rows)
	answer, err := directory.Check(ctx, in.Format, bar.reader(in), o)
	bar.done()
	if err != nil {
		return nil, &Fault{Code: exitError, What: err.Error(), Cause: err}
	}
	if list != nil {
		if list.Flush(); list.Error() != nil {
			return nil, fmt.Errorf("writing %s: %w", c.Rejected, list.Error())
		}
	}
	return answer, nil
}

// progress draws a bar on a terminal's stderr, and nothing anywhere else.
type progress struct {
	env     *Env
	total   int64 // bytes
	rows    int64 // where the bytes are not known
	counts  bool  // lines are rows, and are shown
	read    int64
	lines   int64
	started time.Time
	drawn   time.Time
}

func (e *Env) progress(total int64) *progress {
	return &progress{env: e, total: total, started: e.Now()}
}

// counting shows rows too; all is how many there are, 0 if nobody knows.
func (p *progress) counting(all int64) *progress {
	p.counts, p.rows = true, all
	return p
}

func (p *progress) reader(r io.Reader) io.Reader {
	if !p.env.ErrTerminal || p.total == 0 && !p.counts {
		return r
	}
	return io.TeeReader(r, p)
}

// Write counts what passed.
func (p *progress) Write(b []byte) (int, error) {
	p.read += int64(len(b))
	p.lines += int64(bytes.Count(b, []byte{'\n'}))
	if now := p.env.Now(); now.Sub(p.drawn) > 100*time.Millisecond {
		p.drawn = now
		p.draw(now)
	}
	return len(b), nil
}

func (p *progress) draw(now time.Time) {
	rows := ""
	if p.counts {
		rows = figure.Grouped(uint64(p.lines)) + " rows"
	}
	of, total, size := p.read, p.total, fmt.Sprintf(" of %s MB", figure.Grouped(p.total/1_000_000))
	if total <= 0 {
		of, total, size = p.lines, p.rows, ""
	}
	if total <= 0 {
		fmt.Fprintf(p.env.Err, "\r\x1b[K%s", rows)
		return
	}
	if rows != "" {
		rows = ", " + rows
	}
	const width = 32
	part := min(1, float64(of)/float64(total))
	full := int(part * width)
	left := ""
	if elapsed := now.Sub(p.started); part > 0.02 && elapsed > time.Second {
		left = fmt.Sprintf(", %s left", (time.Duration(float64(elapsed) * (1 - part) / part)).Round(time.Second))
	}
	fmt.Fprintf(p.env.Err, "\r\x1b[K%s%s %3.0f %%%s%s%s", strings.Repeat("█", full), strings.Repeat("░", width-full),
		100*part, size, rows, left)
}

func (p *progress) done() {
	if !p.drawn.IsZero() {
		fmt.Fprint(p.env.Err, "\r\x1b[K")
	}
}
