package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v82"
	"github.com/stripe/stripe-go/v82/customer"
	"github.com/stripe/stripe-go/v82/paymentintent"
)

// purchase makes a user a customer and charges for a print, through stripe-go
// with its own retries and idempotency keys. stripe-go refuses a base URL with
// a path (so does npm's stripe), so this program speaks to https://api.stripe.com
// through Cordon's forward proxy; the manifest leads that to the simulator.
func (s *service) purchase() func(context.Context, *rand.Rand) result {
	stripe.DefaultLeveledLogger = &stripe.LeveledLogger{Level: stripe.LevelNull}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		HTTPClient:        &http.Client{Timeout: 10 * time.Second, Transport: s.proxied},
		MaxNetworkRetries: stripe.Int64(2),
		EnableTelemetry:   stripe.Bool(false),
	})
	customers := customer.Client{B: backend, Key: "sk_test_from_cordon"}
	intents := paymentintent.Client{B: backend, Key: "sk_test_from_cordon"}
	var known sync.Map // user -> customer at the vendor
	return func(ctx context.Context, r *rand.Rand) result {
		p := s.anybody(r)
		id, again := known.Load(p.ID)
		if !again {
			params := &stripe.CustomerParams{
				Name: stripe.String(p.Name), Email: stripe.String(p.Email),
				Address: &stripe.AddressParams{Country: stripe.String(p.Country)},
			}
			if p.Phone != "" {
				params.Phone = stripe.String(p.Phone)
			}
			if p.State != "" {
				params.Address.State = stripe.String(p.State)
			}
			params.Context = ctx
			params.AddMetadata("user_id", p.ID)
			c, err := customers.New(params)
			if err != nil {
				return paymentOutcome(err)
			}
			id = c.ID
			known.Store(p.ID, id)
		}
		params := &stripe.PaymentIntentParams{
			Amount: stripe.Int64(int64(490 + 100*r.IntN(40))), Currency: stripe.String("eur"),
			Customer: stripe.String(id.(string)), ReceiptEmail: stripe.String(p.Email),
			Description: stripe.String("Prints"),
		}
		params.Context = ctx
		_, err := intents.New(params)
		return paymentOutcome(err)
	}
}

func paymentOutcome(err error) result {
	if err == nil {
		return result{what: "ok"}
	}
	if e := (*stripe.Error)(nil); errors.As(err, &e) && e.HTTPStatusCode != 0 {
		return result{what: fmt.Sprintf("answer %d", e.HTTPStatusCode)}
	}
	if e := (noTunnel{}); errors.As(err, &e) {
		return result{what: fmt.Sprintf("refused by the gate (%s)", e.reason), gate: true}
	}
	// stripe-go gives back what it cannot read as its text: Cordon's refusal.
	var problem struct{ Reason string }
	if json.Unmarshal([]byte(err.Error()), &problem) == nil && problem.Reason != "" {
		return result{what: fmt.Sprintf("refused by the gate (%s)", problem.Reason), gate: true}
	}
	return result{what: "no answer"}
}

// throughProxy is what `cordon exec` makes of a Go program by environment: the
// proxy's address and its CA. It needs no change of the program's code.
func throughProxy(proxy string, ca []byte) (http.RoundTripper, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("keys/ca.pem holds no certificate")
	}
	return &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}),
		TLSClientConfig: &tls.Config{RootCAs: roots},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
			if r.StatusCode == http.StatusOK {
				return nil
			}
			var problem struct{ Reason string }
			if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&problem); err != nil || problem.Reason == "" {
				problem.Reason = r.Status
			}
			return noTunnel{problem.Reason}
		},
	}, nil
}

// noTunnel is the proxy's refusal to open a tunnel.
type noTunnel struct{ reason string }

func (e noTunnel) Error() string { return "the proxy opens no tunnel: " + e.reason }
