// Photos is what `make run` starts: the example organisation Example Photos.
// It invents people, starts three simulated vendors, starts Cordon in front of
// them, and sends the steady traffic of a photo-sharing service through it,
// with the vendors' own SDKs where they exist for Go. Everything stays on
// 127.0.0.1. Ctrl-C ends all of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"photos/people"
	"photos/vendorsim"
)

type flags struct {
	cordon, dir string
	people      int
	seed        uint64
	rate        float64
	duration    time.Duration
}

func main() {
	var f flags
	flag.StringVar(&f.cordon, "cordon", "../../bin/cordon", "the cordon program")
	flag.StringVar(&f.dir, "dir", ".", "the folder with cordon.yaml; data, keys and people.csv are written there")
	flag.IntVar(&f.people, "people", 4000, "how many people to invent")
	flag.Uint64Var(&f.seed, "seed", 1, "the same seed invents the same people")
	flag.Float64Var(&f.rate, "rate", 1, "how busy the service is; 1 is about 12 messages a second")
	flag.DurationVar(&f.duration, "for", 0, "stop after this time; 0: at Ctrl-C")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "photos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) error {
	all := people.Generate(f.people, f.seed)
	if err := writeDirectory(filepath.Join(f.dir, "people.csv"), all); err != nil {
		return err
	}
	if err := writeSecrets(filepath.Join(f.dir, "keys")); err != nil {
		return err
	}
	vendors, err := startVendors(f.seed)
	if err != nil {
		return err
	}
	for _, v := range vendors {
		defer v.Close()
	}

	server, err := startCordon(ctx, f)
	if err != nil {
		return err
	}
	defer server.stop()
	ca, err := os.ReadFile(filepath.Join(f.dir, "keys", "ca.pem"))
	if err != nil {
		return fmt.Errorf("reading the proxy's certificate: %w", err)
	}
	proxied, err := throughProxy(server.proxy, ca)
	if err != nil {
		return err
	}
	say("%d invented people in many countries; three simulated vendors: acme-mail, acme-pay, acme-insight", len(all))
	service := &service{gate: "http://" + server.http, proxied: proxied, people: all, rate: f.rate, seed: f.seed}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var traffic sync.WaitGroup
	traffic.Go(func() { service.run(ctx) })
	hint := time.AfterFunc(3*time.Second, func() { server.hint() })
	defer hint.Stop()

	select {
	case <-ctx.Done():
	case <-server.done:
		err = errors.New("cordon ended; its last lines above say why")
	}
	// Traffic first, so that no message of ours meets a closing gateway.
	cancel()
	traffic.Wait()
	service.summary()
	return err
}

// startVendors starts the simulators where vendors/*.yaml expect them, with
// the manners of services that are a few networks away.
func startVendors(seed uint64) ([]*vendorsim.Vendor, error) {
	var started []*vendorsim.Vendor
	for _, s := range []struct {
		addr  string
		start func(string, vendorsim.Options) (*vendorsim.Vendor, error)
		o     vendorsim.Options
	}{
		{"127.0.0.1:8491", vendorsim.Mail, vendorsim.Options{Median: 45 * time.Millisecond, P99: 400 * time.Millisecond, PerSecond: 40, FailureRate: 0.004}},
		{"127.0.0.1:8492", vendorsim.Payments, vendorsim.Options{Median: 120 * time.Millisecond, P99: 900 * time.Millisecond, PerSecond: 25, FailureRate: 0.002}},
		{"127.0.0.1:8493", vendorsim.Analytics, vendorsim.Options{Median: 15 * time.Millisecond, P99: 150 * time.Millisecond, FailureRate: 0.003}},
	} {
		s.o.Seed = seed
		v, err := s.start(s.addr, s.o)
		if err != nil {
			for _, v := range started {
				v.Close()
			}
			return nil, fmt.Errorf("%w\nend what listens on %s (another `make run`?), or change the ports in vendors/*.yaml and main.go", err, s.addr)
		}
		started = append(started, v)
	}
	return started, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "photos: "+format+"\n", args...) }
