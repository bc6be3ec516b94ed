package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"cordon/internal/api"
	"cordon/internal/care"
	"cordon/internal/config"
	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/gateway/ca"
	"cordon/internal/isolate"
	"cordon/internal/vendor"
	"cordon/internal/watch"
)

// Options are what a configuration does not say.
type Options struct {
	Log *slog.Logger // nil: slog.Default()
	// Talk is where a person is told what they must know: the addresses, the
	// link to the console, keys that were made. Nil: nowhere.
	Talk io.Writer
	Now  func() time.Time // nil: time.Now
}

// App is one Cordon. Make it with New; it owns the data directory until Stop.
type App struct {
	cfg   *config.Config
	specs []*vendor.Spec
	o     Options

	*parts
	gates     *isolate.Gates
	gateway   *gateway.Gateway
	watcher   *watch.Watch
	authority *ca.Authority
	access    *api.Access

	// ctx ends when Stop begins: pages that stream and watches end with it.
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	// failed gets the first error of a listener that should still be serving.
	failed chan error

	listeners []*listener
	addresses Addresses
	stopOnce  sync.Once
	stopErr   error
}

// Addresses are where the doors are, host:port, "" for a door that is shut.
type Addresses struct {
	HTTP, Proxy, Console string
	// Socket is the path of the Unix socket.
	Socket string
}

// New opens keys, ledger, gates and index, in this order, and listens nowhere
// yet. The directory that the configuration names is loaded. On an error
// everything that was opened is closed again.
func New(ctx context.Context, cfg *config.Config, specs []*vendor.Spec, o Options) (_ *App, err error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Talk == nil {
		o.Talk = io.Discard
	}
	a := &App{cfg: cfg, specs: specs, o: o, failed: make(chan error, 8)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			a.Stop(context.Background())
		}
	}()

	// Keys and ledger. The ledger compares its heads with the mirror's and
	// refuses what was tampered with; it also settles as unknown what a crash
	// left without an outcome.
	if a.parts, err = open(ctx, cfg, specs, o, false); err != nil {
		return nil, err
	}
	if made := a.vault.Created(); len(made) > 0 {
		fmt.Fprintf(o.Talk, "made keys, back them up with `cordon keys backup`: %s\n", strings.Join(made, ", "))
	}
	for _, w := range a.ledger.Status().Warnings {
		o.Log.Warn("ledger", "found", w)
	}
	// The gates, before anything could listen. Each is the more closed of what
	// its file and what the ledger say.
	if err := a.openGates(ctx); err != nil {
		return nil, err
	}
	if err := a.openCare(); err != nil {
		return nil, err
	}
	a.watcher, err = watch.Open(watch.Options{Store: a.ledger.Store(), Findings: a.fold.Findings, Who: a.ledger.Lookup, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	if err := a.openGateway(); err != nil {
		return nil, err
	}
	a.desk.Gates, a.desk.Traffic, a.desk.Watch = a.gates, a.gateway, a.watcher
	if a.feed != nil {
		a.desk.Witness = a.feed
	}
	a.access = api.NewAccess(a.fold.Users, o.Now, hostOf(cfg.Listen.Console))
	if err := a.loadDirectory(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// openGates loads the gates, and tells the ledger of those that were closed
// past it while no server ran.
func (a *App) openGates(ctx context.Context) error {
	known := make([]isolate.Known, 0, len(a.specs))
	for _, s := range a.specs {
		k := isolate.Known{Vendor: s.ID, Last: a.fold.Gates(s.ID)}
		for _, r := range s.Routes {
			k.Routes = append(k.Routes, r.Name)
		}
		known = append(known, k)
	}
	came, err := a.cameBack()
	if err != nil {
		return err
	}
	gates, err := isolate.Load(a.cfg.Data, known)
	if err != nil {
		return fmt.Errorf("loading the gates: %w", err)
	}
	a.gates = gates
	if came != nil {
		if err := a.recordReturn(ctx, came); err != nil {
			return err
		}
	}
	for _, r := range gates.Reports() {
		if came != nil {
			r.Problem = reasonOf(came) + r.Problem
		}
		a.o.Log.Warn("gate", "vendor", r.Vendor, "problem", r.Problem, "in_force", r.InForce.String(), "next", r.Next)
		if err := a.adopt(ctx, r); err != nil {
			return err
		}
	}
	if came != nil {
		return care.Recorded(a.cfg.Data)
	}
	return nil
}

// openGateway makes what forwards. It dials nobody.
func (a *App) openGateway() error {
	apps := make([]gateway.App, 0, len(a.cfg.Apps))
	for _, c := range a.cfg.Apps {
		token, err := a.vault.Secret(c.Token)
		if err != nil {
			return fmt.Errorf("reading the token of app %s: %w", c.App, err)
		}
		app := gateway.App{Name: c.App, Token: token}
		if c.Vendors != nil { // nil means all to the gateway: an empty list must stay one
			app.Vendors = []exposure.VendorID{}
		}
		for _, v := range c.Vendors {
			app.Vendors = append(app.Vendors, exposure.VendorID(v))
		}
		apps = append(apps, app)
	}
	g, err := gateway.New(gateway.Options{
		Recorder: a.ledger, Journal: a.ledger, Gates: a.gates, Specs: a.specs, Secrets: a.vault, Apps: apps, Watch: a.watcher,
		Known: a.ledger, Tokens: a.desk.Tokens, Table: a.ledger, Learn: a.ledger,
		RevealsPerMinute: a.cfg.Limits.RevealsPerMinute, RevealsPerHour: a.cfg.Limits.RevealsPerHour,
		BodyLimit: int64(a.cfg.Limits.Body), VendorTimeout: time.Duration(a.cfg.Limits.VendorTimeout),
		Observe: a.cfg.Proxy.UnknownHosts == "observe", Log: a.o.Log, Now: a.o.Now,
	})
	if err != nil {
		return fmt.Errorf("preparing the gateway: %w", err)
	}
	a.gateway = g
	keys := a.vault.Keys()
	if a.authority, err = ca.New(keys.CACert, []byte(keys.CAKey.Reveal()), a.o.Now); err != nil {
		return fmt.Errorf("preparing the proxy's certificates: %w", err)
	}
	return nil
}

// Desk answers for this Cordon, in whose name ctx says (api.WithActor).
func (a *App) Desk() *api.Desk { return a.desk }

// Addresses are known once Start has returned.
func (a *App) Addresses() Addresses { return a.addresses }

// LoginLink makes a link that opens the console once, as the owner.
func (a *App) LoginLink() string {
	_, port, _ := net.SplitHostPort(a.addresses.Console)
	return "http://localhost:" + port + "/login?code=" + a.access.OneTimeCode()
}

// Run starts, says `ready`, and stops when ctx ends or a listener fails.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
	}
	shown := func(addr string) string {
		if addr == "" {
			return "-"
		}
		return addr
	}
	// smtp and public come with later issues; a script reads their absence.
	fmt.Fprintf(a.o.Talk, "ready http=%s proxy=%s smtp=- console=%s public=-\n",
		shown(a.addresses.HTTP), shown(a.addresses.Proxy), shown(a.addresses.Console))
	if a.addresses.Console != "" {
		fmt.Fprintf(a.o.Talk, "console: %s (once, within 15 minutes)\n", a.LoginLink())
	}
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-a.failed:
	}
	stopping, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := a.Stop(stopping); failure == nil {
		failure = err
	}
	return failure
}

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return host
}
