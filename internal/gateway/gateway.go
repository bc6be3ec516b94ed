package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/token"
	"cordon/internal/vault"
	"cordon/internal/vendor"
)

// Recorder is the durable record as the pipeline needs it; *ledger.Ledger is one.
// Record returns when the disclosure is durable. Settle and Note are queued
// and never waited for. All may be called by many goroutines.
type Recorder interface {
	Record(ctx context.Context, d ledger.Disclosure) (*ledger.Receipt, error)
	Settle(r *ledger.Receipt, o ledger.Outcome)
	Note(e ledger.Event)
}

// Journal is the durable record as a change of a gate needs it; *ledger.Ledger
// is one. Append returns when the event is durable.
type Journal interface {
	Append(ctx context.Context, e ledger.Event) (seq uint64, err error)
	Checkpoint(ctx context.Context) error
}

// Secrets reads what manifests name; *vault.Vault is one. Digest is keyed and
// tells nothing of the credential.
type Secrets interface {
	Secret(ref string) (vault.Secret, error)
	Digest(credential string) string
}

// Watcher is shown every message that is on record; *watch.Watch is one. It
// does not wait.
type Watcher interface {
	Recorded(f *classify.Findings, v exposure.VendorID, route string, at time.Time)
}

// Options are what a gateway is made of.
type Options struct {
	Recorder Recorder
	Journal  Journal
	Gates    *isolate.Gates // one for every spec; with Observe better one for ObservedVendor too
	Specs    []*vendor.Spec
	Secrets  Secrets
	Apps     []App
	Watch    Watcher // nil: nobody watches
	// Known is what the directory knows of people; nil: nobody is looked for.
	Known classify.Known
	// Tokens makes the tokens that policies ask for, and Table keeps what they
	// stand for; without either such policies refuse.
	Tokens *token.Maker
	Table  Table
	// Learn takes what answers tell of people; nil: nothing is learnt.
	Learn Learner
	// RevealsPerMinute and RevealsPerHour are how many people may be revealed to
	// one app in one vendor's answers; 0: 120 and 1,200.
	RevealsPerMinute, RevealsPerHour int
	// BodyLimit is the longest body that is read as a whole, in bytes; 0: 1 MiB.
	BodyLimit int64
	// VendorTimeout is how long a vendor may take to begin its answer; 0: a minute.
	VendorTimeout time.Duration
	// Observe lets the proxy tunnel to hosts that no manifest names, recorded as
	// not inspected, instead of refusing them.
	Observe bool
	Log     *slog.Logger     // nil: slog.Default()
	Now     func() time.Time // nil: time.Now
}

// ObservedVendor is the pseudo vendor under which traffic to hosts that no
// manifest names is recorded.
const ObservedVendor exposure.VendorID = "observed"

// Gateway serves exchanges. Make it with New, end it with Close.
type Gateway struct {
	o       Options
	apps    apps
	vendors map[exposure.VendorID]*Vendor
	hosts   *vendor.Hosts
	// observing is the pseudo vendor; nil without Observe.
	observing *Vendor
	seen      sightings
	replaced  once
	entries   pending
	lessons   lessons
}

// New compiles the specs and reads their credentials. It dials nobody. The
// error names the manifest and what to change in it.
func New(o Options) (*Gateway, error) {
	if o.BodyLimit == 0 {
		o.BodyLimit = 1 << 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RevealsPerMinute == 0 {
		o.RevealsPerMinute = 120
	}
	if o.RevealsPerHour == 0 {
		o.RevealsPerHour = 1200
	}
	g := &Gateway{o: o, vendors: map[exposure.VendorID]*Vendor{}}
	g.apps = newApps(o.Apps, o.Secrets)
	specs := o.Specs
	if o.Observe {
		if o.Gates.Gate(ObservedVendor) == nil {
			if _, err := o.Gates.Add(isolate.Known{Vendor: ObservedVendor}); err != nil {
				return nil, err
			}
		}
		specs = append(specs[:len(specs):len(specs)], observedSpec())
	}
	for _, spec := range specs {
		v, err := newVendor(o, spec)
		if err != nil {
			return nil, fmt.Errorf("vendor %s: %w", spec.ID, err)
		}
		g.vendors[spec.ID] = v
	}
	var err error
	if g.hosts, err = vendor.IndexHosts(specs); err != nil {
		return nil, err
	}
	g.observing = g.vendors[ObservedVendor]
	g.entries.start(g)
	return g, nil
}

// Close ends idle connections to vendors. Entries that are still pending are
// tried once more.
func (g *Gateway) Close() {
	g.entries.close()
	g.lessons.wait()
	for _, v := range g.vendors {
		v.out.client.Close()
	}
}

// Vendor is a vendor by its name, nil when no manifest has it.
func (g *Gateway) Vendor(id exposure.VendorID) *Vendor {
	if id == ObservedVendor {
		return nil // nobody sends to it by name
	}
	return g.vendors[id]
}

// Host is the vendor that a host name (lower case, without port) belongs to.
func (g *Gateway) Host(name string) *Vendor {
	if spec := g.hosts.Find(name); spec != nil {
		return g.vendors[spec.ID]
	}
	return nil
}

// Vendor is one vendor ready to be sent to.
type Vendor struct {
	spec       *vendor.Spec
	gate       *isolate.Gate
	classifier *classify.Classifier
	out        outlet
	credential *credential
	mints      bool // the policy asks for tokens
	reveals    reveals
	shown      shown // credentials of the apps' own
	counters   counters
}

// ID is the vendor's name.
func (v *Vendor) ID() exposure.VendorID { return v.spec.ID }

// Gate is the vendor's gate.
func (v *Vendor) Gate() *isolate.Gate { return v.gate }

func newVendor(o Options, spec *vendor.Spec) (*Vendor, error) {
	v := &Vendor{spec: spec, gate: o.Gates.Gate(spec.ID), mints: mints(spec)}
	if v.gate == nil {
		return nil, fmt.Errorf("its gate was not loaded")
	}
	var err error
	if v.classifier, err = classify.Compile(spec); err != nil {
		return nil, fmt.Errorf("compiling its mappings: %w", err)
	}
	if v.credential, err = newCredential(spec, o.Secrets); err != nil {
		return nil, err
	}
	if v.out, err = newOutlet(o, v); err != nil {
		return nil, err
	}
	return v, nil
}

// Limits bound what one client may cost; both front ends take them.
type Limits struct {
	Head        int           // bytes of a request head; 0: 64 KiB
	HeadTimeout time.Duration // from its first byte to its last; 0: 10 s
	BodyTimeout time.Duration // for the part that is read as a whole; 0: 1 min
	IdleTimeout time.Duration // 0: 2 min
	Connections int           // open at once; 0: 10,000
}

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	for d, def := range map[*time.Duration]time.Duration{&l.HeadTimeout: 10 * time.Second, &l.BodyTimeout: time.Minute, &l.IdleTimeout: 2 * time.Minute} {
		if *d == 0 {
			*d = def
		}
	}
	if l.Head == 0 {
		l.Head = 64 << 10
	}
	if l.Connections == 0 {
		l.Connections = 10_000
	}
	return l
}
