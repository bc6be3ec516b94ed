package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"photos/people"
	"photos/vendorsim"
)

// plainGate forwards as Cordon's reverse routes do, and nothing more; closed
// answers for Cordon when it refuses a vendor.
func plainGate(t *testing.T, vendors map[string]*vendorsim.Vendor, closed func(vendor string) bool) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		vendor, _, _ := strings.Cut(r.URL.Path[1:], "/")
		if closed(vendor) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"title":"x","status":503,"reason":"vendor-cut"}`))
			return
		}
		to, err := url.Parse(vendors[vendor].URL())
		if err != nil {
			t.Error(err)
		}
		http.StripPrefix("/"+vendor, httputil.NewSingleHostReverseProxy(to)).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// asProxy leads api.stripe.com to the gate's acme-pay, in place of the proxy.
func asProxy(t *testing.T, gate string) http.RoundTripper {
	to, err := url.Parse(gate)
	if err != nil {
		t.Fatal(err)
	}
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "api.stripe.com" {
			t.Errorf("a payment went to %s", r.URL.Host)
		}
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.URL.Path = "http", to.Host, "/acme-pay"+r.URL.Path
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func threeVendors(t *testing.T) map[string]*vendorsim.Vendor {
	t.Helper()
	out := map[string]*vendorsim.Vendor{}
	for name, start := range map[string]func(string, vendorsim.Options) (*vendorsim.Vendor, error){
		"acme-mail": vendorsim.Mail, "acme-pay": vendorsim.Payments, "acme-insight": vendorsim.Analytics,
	} {
		v, err := start("127.0.0.1:0", vendorsim.Options{Keep: true, FailureRate: 0.02, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		out[name] = v
	}
	return out
}

func TestServiceSpeaksToItsVendorsAsTheyExpect(t *testing.T) {
	vendors := threeVendors(t)
	gate := plainGate(t, vendors, func(string) bool { return false })
	s := &service{gate: gate, proxied: asProxy(t, gate), people: people.Generate(200, 1), rate: 5, seed: 1}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	s.run(ctx)
	for name, v := range vendors {
		if s.results[name]["ok"] < 10 {
			t.Errorf("%s: %v", name, s.results[name])
		}
		for _, m := range v.Messages() {
			if m.Status >= 400 && m.Status < 500 {
				t.Fatalf("%s answered %d to %s %s %s", name, m.Status, m.Method, m.Path, m.Body)
			}
			if !bytes.Contains(v.Wire(), m.Body) {
				t.Fatalf("%s: a body is missing from the bytes on the wire", name)
			}
		}
	}
}

func TestServiceNoticesThatCordonRefusesAVendor(t *testing.T) {
	gate := plainGate(t, nil, func(string) bool { return true })
	s := &service{gate: gate, proxied: asProxy(t, gate), people: people.Generate(200, 1), rate: 5, seed: 1}
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	s.run(ctx)
	for _, vendor := range []string{"acme-mail", "acme-pay", "acme-insight"} {
		if s.closed[vendor] != "refused by the gate (vendor-cut)" {
			t.Errorf("%s: %v", vendor, s.results[vendor])
		}
	}
}
