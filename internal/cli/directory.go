package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"cordon/internal/directory"
	"cordon/internal/figure"
)

type directoryCmd struct {
	Import directoryImportCmd `cmd:"" help:"Load a file of people; who is in it already is brought up to date."`
}

type directoryImportCmd struct {
	File string `arg:"" placeholder:"FILE" help:"CSV or JSON lines with id,email,phone,name,country,state,language,birth_date,username."`
}

func (directoryImportCmd) Examples() []string {
	return []string{"cordon directory import people.csv", "cordon directory import people.jsonl --json"}
}

func (c directoryImportCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	format, err := directory.FormatOf(c.File)
	if err != nil {
		return &Fault{Code: exitUsage, What: err.Error(), Cause: err}
	}
	f, err := os.Open(c.File)
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Next: "name a file that exists", Cause: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	bar := e.progress(info.Size())
	answer, err := o.ImportDirectory(ctx, format, bar.reader(f))
	bar.done()
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	e.Print("%s: %s new, %s changed, %s left", figure.Count(answer.People, "person", "people"), figure.Grouped(answer.New), figure.Grouped(answer.Changed), figure.Grouped(answer.Left))
	if answer.RejectedRows > 0 {
		e.Print("%s not taken:", figure.Count(answer.RejectedRows, "line", "lines"))
		for _, r := range answer.Rejected[:min(20, len(answer.Rejected))] {
			e.Print("  line %d: %s", r.Line, r.Problem)
		}
		if len(answer.Rejected) > 20 {
			e.Say("--json lists them all")
		}
	}
	if len(answer.Ignored) > 0 {
		e.Say("columns not read: %s", strings.Join(answer.Ignored, ", "))
	}
	return nil
}

// progress draws a bar on a terminal's stderr, and nothing anywhere else.
type progress struct {
	env     *Env
	total   int64
	read    int64
	started time.Time
	drawn   time.Time
}

func (e *Env) progress(total int64) *progress {
	return &progress{env: e, total: total, started: e.Now()}
}

func (p *progress) reader(r io.Reader) io.Reader {
	if !p.env.ErrTerminal || p.total == 0 {
		return r
	}
	return io.TeeReader(r, p)
}

// Write counts what passed.
func (p *progress) Write(b []byte) (int, error) {
	p.read += int64(len(b))
	if now := p.env.Now(); now.Sub(p.drawn) > 100*time.Millisecond {
		p.drawn = now
		p.draw(now)
	}
	return len(b), nil
}

func (p *progress) draw(now time.Time) {
	const width = 32
	part := min(1, float64(p.read)/float64(p.total))
	full := int(part * width)
	left := ""
	if elapsed := now.Sub(p.started); part > 0.02 && elapsed > time.Second {
		left = fmt.Sprintf(", %s left", (time.Duration(float64(elapsed) * (1 - part) / part)).Round(time.Second))
	}
	fmt.Fprintf(p.env.Err, "\r\x1b[K%s%s %3.0f %% of %s MB%s", strings.Repeat("█", full), strings.Repeat("░", width-full),
		100*part, figure.Grouped(p.total/1_000_000), left)
}

func (p *progress) done() {
	if !p.drawn.IsZero() {
		fmt.Fprint(p.env.Err, "\r\x1b[K")
	}
}
