package cli

import (
	"bufio"
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

	"cordon/internal/api"
	"cordon/internal/directory"
	"cordon/internal/figure"
)

type directoryCmd struct {
	Import directoryImportCmd `cmd:"" help:"Replace the directory of people by a file; who is not in it leaves."`
}

type directoryImportCmd struct {
	Source   string `arg:"" placeholder:"FILE" help:"CSV, JSON lines or Parquet with id,email,phone,name,country,state,language,birth_date,username; or postgres://…"`
	Query    string `placeholder:"SQL" help:"What the database is asked; its columns are named like those of a file."`
	DryRun   bool   `name:"dry-run" help:"Only say who would be new, who would leave, and what would not be taken. Nothing is stored, and no server is needed."`
	Yes      bool   `short:"y" help:"Do not ask, however many would leave."`
	Rejected string `placeholder:"FILE" help:"Write every line that is not taken, with the reason, as CSV. The source is read twice."`
}

func (directoryImportCmd) Examples() []string {
	return []string{
		"cordon directory import people.csv", "cordon directory import people.jsonl --json",
		"cordon directory import people.parquet --dry-run --rejected rejected.csv",
		"cordon directory import postgres://cordon@db/crm --query 'SELECT id, email, country FROM people'",
	}
}

func (directoryImportCmd) Help() string {
	return `The source replaces the directory: who is in it already is brought up to date, and
who is not in it any more leaves. Whoever left stays counted where data of theirs
went, but as somebody whom the directory does not name. If more than 20 people and
more than a tenth of the directory would leave, it is asked first, or --yes needed;
for that the source is looked through before anything is stored. A configured
file that a start loads is not asked about: the log and 'cordon status' warn.`
}

func (c directoryImportCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if _, err := directory.FormatOf(c.Source); err != nil {
		return &Fault{Code: exitUsage, What: err.Error(), Cause: err}
	}
	if c.DryRun || c.Rejected != "" {
		checked, err := c.check(ctx, e)
		if err != nil {
			return err
		}
		if c.DryRun {
			return c.preview(ctx, e, checked)
		}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	answer, err := c.send(ctx, e, o, c.Yes)
	if p, ok := errors.AsType[*api.Error](err); ok && p.Reason == "many-leave" && e.InTerminal && !e.Flags.JSON {
		e.Say("%s.", p.Detail)
		e.Say("Type yes to have them leave:")
		if typed, _ := bufio.NewReader(e.In).ReadString('\n'); strings.TrimSpace(typed) != "yes" {
			return &Fault{Code: exitRefused, What: "yes was not typed; nothing was changed"}
		}
		answer, err = c.send(ctx, e, o, true)
	}
	if err != nil {
		return err
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
	e.Print("%s: %s new, %s changed, %s left", figure.Count(answer.People, "person", "people"), figure.Grouped(answer.New), figure.Grouped(answer.Changed), figure.Grouped(answer.Left))
	if answer.Left > 0 {
		e.Say("who left was not in the file, which replaces the directory: what went to vendors about them stays counted, as about people whom the directory does not name")
	}
	c.printRejected(e, answer.Rejected, answer.RejectedRows, answer.Ignored)
	return nil
}

// send reads the source and has it imported.
func (c directoryImportCmd) send(ctx context.Context, e *Env, o *office, sure bool) (directory.Answer, error) {
	in, err := c.open(ctx)
	if err != nil {
		return directory.Answer{}, err
	}
	defer in.Close()
	bar := e.progress(in.Bytes).counting(in.Rows)
	defer bar.done()
	return o.ImportDirectory(ctx, in.Format, in.Version, sure, bar.reader(in))
}

// preview says what an import would do. Without a ledger everybody is new; where
// one cannot be asked it is left out who would be new and who would leave.
func (c directoryImportCmd) preview(ctx context.Context, e *Env, checked *directory.Answer) error {
	p, err := c.compare(ctx, e)
	if err != nil {
		p = api.DirectoryPreview{}
		if none, ok := errors.AsType[*api.Error](err); ok && none.Reason == "no-ledger" {
			p.There, p.New, p.Left = new(uint64), &checked.People, new(uint64)
		} else {
			e.Say("who would be new, and who would leave, cannot be told: %v", err)
		}
	}
	if p.DryRun = true; p.Rejected == nil {
		p.People, p.Rejected, p.RejectedRows, p.Ignored = checked.People, checked.Rejected, checked.RejectedRows, checked.Ignored
	}
	if e.Flags.JSON {
		return e.JSON(p)
	}
	e.Print("%s would be taken; nothing was stored", figure.Count(p.People, "person", "people"))
	if p.New != nil {
		e.Print("%s would be new; of %s in the directory now %s would leave", figure.Grouped(*p.New), figure.Count(*p.There, "person", "people"), figure.Grouped(*p.Left))
	}
	if p.Asks {
		e.Say("so many leave only with --yes")
	}
	c.printRejected(e, p.Rejected, p.RejectedRows, p.Ignored)
	return nil
}

func (c directoryImportCmd) compare(ctx context.Context, e *Env) (p api.DirectoryPreview, err error) {
	in, err := c.open(ctx)
	if err != nil {
		return p, err
	}
	defer in.Close()
	o, err := e.connect(ctx)
	if err != nil {
		return p, err
	}
	defer o.close()
	bar := e.progress(in.Bytes).counting(in.Rows)
	defer bar.done()
	return o.PreviewDirectory(ctx, in.Format, bar.reader(in))
}

func (c directoryImportCmd) printRejected(e *Env, list []directory.Rejected, rows uint64, ignored []string) {
	if rows > 0 {
		e.Print("%s not taken:", figure.Count(rows, "line", "lines"))
		for _, r := range list[:min(20, len(list))] {
			e.Print("  line %d: %s", r.Line, r.Problem)
		}
		if rows > 20 && c.Rejected == "" {
			e.Say("--rejected FILE lists them all")
		}
	}
	if len(ignored) > 0 {
		e.Say("columns not read: %s", strings.Join(ignored, ", "))
	}
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
