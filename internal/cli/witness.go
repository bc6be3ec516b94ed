package cli

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"cordon/internal/figure"
	"cordon/internal/witness"
)

type witnessCmd struct {
	Init   witnessInitCmd   `cmd:"" help:"Make a witness and print its key."`
	AddLog witnessAddLogCmd `cmd:"" name:"add-log" help:"Have a ledger's heads cosigned from now on."`
	Serve  witnessServeCmd  `cmd:"" help:"Run the witness."`
	Show   witnessShowCmd   `cmd:"" help:"Show what the witness cosigned last, and what it refused."`
	Retire witnessRetireCmd `cmd:"" help:"Set a ledger aside that lost entries for good, so that it can begin anew."`
}

func (witnessCmd) Help() string {
	return `A witness countersigns the heads of a ledger (C2SP tlog-witness), so that not
even those who run the ledger and hold its keys can rewrite it unnoticed. Run it
on another machine, under another administrator; it needs nothing of Cordon's.`
}

// state is where a witness keeps its key and what it cosigned.
type witnessState struct {
	State string `required:"" placeholder:"DIR" help:"The witness's folder."`
}

type witnessInitCmd struct {
	witnessState
	Name string `required:"" placeholder:"NAME" help:"Its name in every cosignature, a host and a path: witness.example/w1."`
}

func (witnessInitCmd) Examples() []string {
	return []string{"cordon witness init --name witness.example/w1 --state /var/lib/cordon-witness"}
}

func (c witnessInitCmd) Run(e *Env) error {
	vkey, err := witness.Init(c.State, c.Name)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(map[string]string{"name": c.Name, "key": vkey, "state": c.State})
	}
	e.Print("%s", vkey)
	e.Say("next: cordon witness add-log --state %s ORIGIN VKEY, with the ledger's keys/checkpoint.pub;", c.State)
	e.Say("      then `witness: {url: \"http://HOST:8490\", key: \"%s\"}` in the gateway's cordon.yaml", vkey)
	return nil
}

type witnessAddLogCmd struct {
	witnessState
	Origin string `arg:"" placeholder:"ORIGIN" help:"The ledger's name: DOMAIN/cordon."`
	Key    string `arg:"" placeholder:"VKEY" help:"Its verifier key, or the file that holds it (keys/checkpoint.pub)."`
}

func (witnessAddLogCmd) Examples() []string {
	return []string{
		"cordon witness add-log --state DIR photos.example/cordon photos.example/cordon+e6265a26+AYhmsaTU/xTDJ3QFzgSc/3l8nDqgiZENdzgNsVPaztZk",
		"cordon witness add-log --state DIR photos.example/cordon checkpoint.pub",
	}
}

func (c witnessAddLogCmd) Run(e *Env) error {
	key := c.Key
	if b, err := os.ReadFile(key); err == nil {
		key = strings.TrimSpace(string(b))
	}
	if err := witness.AddLog(c.State, c.Origin, key); err != nil {
		return &Fault{Code: exitError, What: err.Error(), Cause: err,
			Next: "the key is the one line of keys/checkpoint.pub; its name, before the first +, is ORIGIN"}
	}
	if e.Flags.JSON {
		return e.JSON(map[string]string{"origin": c.Origin, "key": key})
	}
	e.Print("%s: cosigned from now on", c.Origin)
	return nil
}

type witnessServeCmd struct {
	witnessState
	Listen string `default:"127.0.0.1:8490" placeholder:"ADDR" help:"The address to listen on (127.0.0.1:8490)."`
}

func (witnessServeCmd) Examples() []string {
	return []string{
		"cordon witness serve --state /var/lib/cordon-witness",
		"cordon witness serve --state /var/lib/cordon-witness --listen 10.0.0.7:8490",
	}
}

func (witnessServeCmd) Help() string {
	return `Answers POST /add-checkpoint, and for monitors GET /HASH/checkpoint. It wants no
credentials: only what a known ledger's key signed is looked at. Put TLS in
front of it where the way to it is not yours. A new ledger needs no restart.`
}

func (c witnessServeCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	log := slog.New(slog.NewTextHandler(e.Err, nil))
	w, err := witness.Open(c.State, witness.Options{Now: e.Now, Log: log})
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Cause: err, Next: "cordon witness init --name witness.example/w1 --state " + c.State}
	}
	defer w.Close()
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Cause: err, Next: "give another address with --listen"}
	}
	server := &http.Server{
		Handler:           w.Handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	e.Say("ready witness=%s key=%s", l.Addr(), w.Key())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(l, 256)) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = server.Close() // nobody waits for more than one cosignature, and asks again
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

type witnessShowCmd struct{ witnessState }

func (witnessShowCmd) Examples() []string {
	return []string{"cordon witness show --state DIR", "cordon witness show --state DIR --json | jq '.logs[] | select(.refused != [])'"}
}

func (c witnessShowCmd) Run(e *Env) error {
	w, err := witness.Open(c.State, witness.Options{Now: e.Now, ReadOnly: true})
	if err != nil {
		return err
	}
	defer w.Close()
	states := w.States()
	if e.Flags.JSON {
		err := e.JSON(struct {
			Name  string          `json:"name"`
			Key   string          `json:"key"`
			State string          `json:"state"`
			Logs  []witness.State `json:"logs"`
		}{w.Key().Name(), w.Key().String(), c.State, states})
		if err != nil {
			return err
		}
	} else {
		e.Print("%s", w.Key())
		t := e.table("log", ">size", "root", "cosigned")
		for _, s := range states {
			when := "never"
			if !s.At.IsZero() {
				when = figure.Ago(s.At, e.Now())
			}
			t.row(s.Origin, figure.Grouped(s.Size), s.Root, when)
		}
		t.print()
		for _, s := range states {
			if s.Problem != "" {
				e.Print("%s: %s", s.Origin, e.Colour(red, s.Problem))
			}
			for _, f := range s.Refused {
				e.Print("%s: refused %s", s.Origin, e.Colour(red, f))
			}
		}
	}
	for _, s := range states {
		if s.Problem != "" || len(s.Refused) > 0 {
			return silent(exitNotVerified)
		}
	}
	return nil
}

type witnessRetireCmd struct {
	witnessState
	Origin string `arg:"" placeholder:"ORIGIN" help:"The ledger's name."`
	Yes    bool   `help:"Do not ask."`
}

func (witnessRetireCmd) Examples() []string {
	return []string{"cordon witness retire --state DIR photos.example/cordon --yes"}
}

func (witnessRetireCmd) Help() string {
	return `A ledger that lost entries is a rewritten one to its witness, and is never
cosigned again. Where the loss is for good and its owner has declared it, this
sets aside what was cosigned (it is kept, and stays true), and add-log begins
anew. Whoever only runs the ledger must not be able to do this.`
}

func (c witnessRetireCmd) Run(e *Env) error {
	if !c.Yes {
		return &Fault{Code: exitUsage, What: "the witness would forget that it ever cosigned " + c.Origin, Next: "give --yes if its owner has declared the loss"}
	}
	kept, err := witness.Retire(c.State, c.Origin, e.Now())
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(map[string]string{"origin": c.Origin, "kept": kept})
	}
	e.Print("%s is set aside; what was cosigned is kept in %s", c.Origin, kept)
	e.Say("next: cordon witness add-log --state %s %s VKEY", c.State, c.Origin)
	return nil
}
