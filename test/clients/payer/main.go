// Payer makes one customer with stripe-go: NAME EMAIL. BASE_URL leads it to a
// reverse route. stripe-go refuses a base URL with a path, so that then is
// what its HTTP client adds; without BASE_URL nothing is configured at all.
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/stripe/stripe-go/v82"
	"github.com/stripe/stripe-go/v82/customer"
)

func main() {
	stripe.Key = "sk_test_123"
	stripe.DefaultLeveledLogger = &stripe.LeveledLogger{Level: stripe.LevelError}
	if base := os.Getenv("BASE_URL"); base != "" {
		to, err := url.Parse(base)
		check(err)
		stripe.SetHTTPClient(&http.Client{Transport: under{to}})
	}
	c, err := customer.New(&stripe.CustomerParams{Name: stripe.String(os.Args[1]), Email: stripe.String(os.Args[2])})
	check(err)
	fmt.Println(c.ID)
}

// under sends every request below a base URL.
type under struct{ base *url.URL }

func (u under) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.URL.Path = u.base.Scheme, u.base.Host, u.base.Path+r.URL.Path
	r.Host = ""
	return http.DefaultTransport.RoundTrip(r)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
