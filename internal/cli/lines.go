package cli

import (
	"bytes"
	"fmt"
	"time"

	"cordon/internal/figure"
)

// lineProgress counts the lines of an export on a terminal's stderr, and does
// nothing anywhere else.
type lineProgress struct {
	env     *Env
	total   uint64
	written uint64
	started time.Time
	drawn   time.Time
}

func (p *lineProgress) Write(b []byte) (int, error) {
	if !p.env.ErrTerminal {
		return len(b), nil
	}
	p.written += uint64(bytes.Count(b, []byte{'\n'}))
	if now := p.env.Now(); now.Sub(p.drawn) > 100*time.Millisecond && now.Sub(p.started) > time.Second {
		p.drawn = now
		fmt.Fprintf(p.env.Err, "\r\x1b[K%s of %s people", figure.Grouped(min(p.written, p.total)), figure.Grouped(p.total))
	}
	return len(b), nil
}

func (p *lineProgress) done() {
	if !p.drawn.IsZero() {
		fmt.Fprint(p.env.Err, "\r\x1b[K")
	}
}
