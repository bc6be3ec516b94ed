package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"cordon/internal/api"
	"cordon/internal/console"
	"cordon/internal/gateway"
	"cordon/internal/gateway/httproute"
	"cordon/internal/gateway/proxy"
	"cordon/internal/ledger"
)

// door is what stands behind a listener.
type door interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

type listener struct {
	key string // of the configuration: "listen.http"
	net.Listener
	door door
	done chan struct{}
}

// Start opens the listeners and records that Cordon now stands in the way of
// every vendor. Either all doors open or none does.
func (a *App) Start(ctx context.Context) error {
	reserveHeap()
	handler := api.NewHandler(a.desk)
	limits := gateway.Limits{
		Head: int(a.cfg.Limits.Header), HeadTimeout: time.Duration(a.cfg.Limits.HeaderTimeout),
		IdleTimeout: time.Duration(a.cfg.Limits.IdleTimeout), Connections: a.cfg.Limits.Connections,
	}
	doors := []struct {
		key, addr string
		into      *string
		door      door
	}{
		{"http", a.cfg.Listen.HTTP, &a.addresses.HTTP, httproute.New(a.gateway, limits)},
		{"proxy", a.cfg.Listen.Proxy, &a.addresses.Proxy, proxy.New(a.gateway, a.authority, limits)},
		{"console", a.cfg.Listen.Console, &a.addresses.Console, a.httpDoor(a.consoleHandler(handler))},
	}
	// First every address is taken, then any is served: a port that somebody
	// else has must not leave half a gateway behind.
	var opened []*listener
	undo := func() {
		for _, l := range opened {
			l.Close()
		}
	}
	for _, d := range doors {
		if d.addr == "" {
			continue
		}
		l, err := net.Listen("tcp", d.addr)
		if err != nil {
			undo()
			return listenError(d.key, d.addr, err)
		}
		*d.into = l.Addr().String()
		opened = append(opened, &listener{"listen." + d.key, l, d.door, make(chan struct{})})
	}
	socket, err := api.ListenSocket(a.cfg.Data)
	if err != nil {
		undo()
		return fmt.Errorf("opening the socket in the data directory: %w", err)
	}
	a.addresses.Socket = api.SocketPath(a.cfg.Data)
	opened = append(opened, &listener{"the socket", socket, a.httpDoor(a.access.Socket(handler)), make(chan struct{})})

	// Which manifests were in force from here on; it also gives a ledger that
	// knows no vendor yet a head to sign and to mirror.
	names := make([]string, 0, len(a.specs))
	for _, s := range a.specs {
		names = append(names, string(s.ID))
	}
	_, err = a.ledger.Append(ctx, ledger.Event{
		Kind: ledger.EventConfig, At: a.o.Now(), Actor: "cordon", Fields: map[string]any{"vendors": strings.Join(names, " ")},
	})
	if err != nil {
		undo()
		return fmt.Errorf("recording the configuration: %w", err)
	}
	// Coverage begins before the first message can pass and not after: a
	// message outside of any coverage would look like one that Cordon missed.
	if err := a.coverage(ctx, ledger.EventCoverageStart); err != nil {
		undo()
		return err
	}
	// A new ledger has a signed and mirrored head from its first message on.
	if err := a.ledger.Checkpoint(ctx); err != nil {
		undo()
		return fmt.Errorf("signing the ledger's head: %w", err)
	}
	a.listeners = opened
	for _, l := range opened {
		go func() {
			defer close(l.done)
			err := l.door.Serve(l.Listener)
			if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) && a.ctx.Err() == nil {
				a.failed <- fmt.Errorf("%s stopped serving: %w", l.key, err)
			}
		}()
	}
	a.tasks.Go(a.watch)
	a.tasks.Go(a.retain)
	if a.feed != nil {
		a.tasks.Go(func() { a.feed.Run(a.ctx) })
	}
	return nil
}

// coverage records from when, or until when, Cordon stands in a vendor's way,
// and under which manifest.
func (a *App) coverage(ctx context.Context, kind ledger.EventKind) error {
	for _, s := range a.specs {
		e := ledger.Event{Kind: kind, Vendor: s.ID, At: a.o.Now(), Actor: "cordon", Fields: map[string]any{"mode": string(s.Mode), "manifest": s.Digest()}}
		if _, err := a.ledger.Append(ctx, e); err != nil {
			return fmt.Errorf("recording the coverage of %s: %w", s.ID, err)
		}
	}
	return nil
}

// consoleHandler is everything on the console's address.
func (a *App) consoleHandler(handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(api.Prefix+"/", a.access.Console(handler))
	mux.Handle(api.LogPrefix+"/", a.access.PublishLog(a.ledger, a.cfg.PublicLog, a.o.Log))
	mux.Handle("/", console.New(a.ctx, a.desk, a.access, a.o.Log, a.o.Now))
	return a.access.Guard(mux)
}

func (a *App) httpDoor(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second, // no write timeout: tail and pages stream
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.o.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return a.ctx },
	}
}

// ListenError is an address that could not be taken.
type ListenError struct {
	Key, Addr string
	taken     bool
	err       error
}

func (e *ListenError) Error() string {
	if e.taken {
		return fmt.Sprintf("listen.%s: %s is already taken", e.Key, e.Addr)
	}
	return fmt.Sprintf("listen.%s: %v", e.Key, e.err)
}

func (e *ListenError) Unwrap() error { return e.err }

// Next is the step that helps.
func (e *ListenError) Next() string {
	host, _, _ := net.SplitHostPort(e.Addr)
	return fmt.Sprintf("give another one with --listen-%s %s:PORT, or as listen.%s in cordon.yaml", e.Key, strings.TrimSpace(host), e.Key)
}

func listenError(key, addr string, err error) error {
	return &ListenError{Key: key, Addr: addr, taken: errors.Is(err, syscall.EADDRINUSE), err: err}
}

// watch says once, loudly, that the ledger stopped recording, and keeps the
// mark of the fold fresh.
func (a *App) watch() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	told := false
	for n := 1; ; n++ {
		select {
		case <-a.ctx.Done():
			return
		case <-second.C:
		}
		if err := a.ledger.Status().Err; err != nil && !told {
			told = true
			a.o.Log.Error("the ledger does not record; nothing is forwarded", "error", err, "next", "repair it and restart; `cordon ledger verify` tells what is there")
		}
		if n%60 == 0 && !told {
			if err := a.fold.MarkAll(a.ctx); err != nil {
				a.o.Log.Warn("keeping users and gates", "error", err)
			}
		}
	}
}
