// Gosdks makes one call with a vendor's Go SDK, as its documentation shows it,
// about the people given: gosdks NAME BASE PEOPLE, as calls.cjs in ../sdks. BASE is a
// reverse route. What each call must tell about whom stands in calls_test.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/mailgun/mailgun-go/v4"
	"github.com/mrz1836/postmark"
	"github.com/posthog/posthog-go"
	"github.com/resend/resend-go/v2"
	"github.com/sendgrid/sendgrid-go"
	sg "github.com/sendgrid/sendgrid-go/helpers/mail"
	"github.com/slack-go/slack"
	"github.com/stripe/stripe-go/v82"
	"github.com/stripe/stripe-go/v82/customer"
)

type person struct{ ID, Email, Name, First, Last, Phone, Username, IP string }

func (p person) named() string { return fmt.Sprintf("%q <%s>", p.Name, p.Email) }

const from = "hello@photos.example"

var calls = map[string]func(base string, p, q person) error{
	"sendgrid": func(base string, p, q person) error {
		m := sg.NewV3Mail().SetFrom(sg.NewEmail("Photos", from))
		m.Subject = "Your photos"
		m.AddContent(sg.NewContent("text/plain", "Three new ones."))
		for _, who := range []person{p, q} {
			one := sg.NewPersonalization()
			one.AddTos(sg.NewEmail(who.Name, who.Email))
			m.AddPersonalizations(one)
		}
		client := sendgrid.NewSendClient("SG.test")
		client.BaseURL = base + "/v3/mail/send"
		answer, err := client.Send(m)
		if err == nil && answer.StatusCode != http.StatusAccepted {
			err = fmt.Errorf("answer %d: %s", answer.StatusCode, answer.Body)
		}
		return err
	},
	"mailgun": func(base string, p, q person) error {
		client := mailgun.NewMailgun("photos.example", "key-test")
		client.SetAPIBase(base + "/v3")
		m := mailgun.NewMessage("Photos <"+from+">", "Your seat", "You have seat %recipient.seat%.")
		for i, who := range []person{p, q} {
			if err := m.AddRecipientAndVariables(who.Email, map[string]any{"seat": 12 + i}); err != nil {
				return err
			}
		}
		_, _, err := client.Send(context.Background(), m)
		return err
	},
	"postmark": func(base string, p, q person) error {
		client := postmark.NewClient("test", "")
		client.BaseURL = base
		_, err := client.SendEmail(context.Background(), postmark.Email{From: from, To: p.named(), Cc: q.Email, Subject: "Your photos", TextBody: "Three new ones."})
		return err
	},
	"resend": func(base string, p, q person) error {
		client := resend.NewClient("re_test")
		var err error
		if client.BaseURL, err = url.Parse(base + "/"); err != nil {
			return err
		}
		_, err = client.Emails.Send(&resend.SendEmailRequest{From: from, To: []string{p.named()}, Cc: []string{q.Email}, Subject: "Your photos", Text: "Three new ones."})
		return err
	},
	// The backend takes no base URL with a path; what is below it does.
	"stripe": func(base string, p, _ person) error {
		to, err := url.Parse(base)
		if err != nil {
			return err
		}
		stripe.Key = "sk_test_123"
		stripe.DefaultLeveledLogger = &stripe.LeveledLogger{Level: stripe.LevelError}
		stripe.SetHTTPClient(&http.Client{Transport: under{to}})
		_, err = customer.New(&stripe.CustomerParams{Email: &p.Email, Name: &p.Name, Phone: &p.Phone,
			Address: &stripe.AddressParams{City: stripe.String("Leeds"), Country: stripe.String("GB")}})
		return err
	},
	// The token stands in the form.
	"slack": func(base string, p, _ person) error {
		_, err := slack.New("xoxb-test", slack.OptionAPIURL(base+"/api/")).GetUserByEmail(p.Email)
		return err
	},
	"sentry": func(base string, p, _ person) error {
		if err := sentry.Init(sentry.ClientOptions{Dsn: strings.Replace(base, "://", "://test@", 1) + "/1"}); err != nil {
			return err
		}
		sentry.ConfigureScope(func(s *sentry.Scope) {
			s.SetUser(sentry.User{ID: p.ID, Email: p.Email, Username: p.Username, IPAddress: p.IP, Name: p.Name})
		})
		sentry.CaptureException(errors.New("no such album"))
		if !sentry.Flush(10 * time.Second) {
			return errors.New("not flushed")
		}
		return nil
	},
	"posthog": func(base string, p, q person) error {
		client, err := posthog.NewWithConfig("phc_test", posthog.Config{Endpoint: base})
		if err != nil {
			return err
		}
		err = client.Enqueue(posthog.Identify{DistinctId: p.ID, Properties: posthog.NewProperties().Set("email", p.Email).Set("name", p.Name)})
		return errors.Join(err, client.Enqueue(posthog.Capture{DistinctId: q.ID, Event: "photo uploaded", Properties: posthog.NewProperties().Set("$ip", q.IP)}), client.Close())
	},
}

// under sends every request below a base URL.
type under struct{ base *url.URL }

func (u under) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.URL.Path = u.base.Scheme, u.base.Host, u.base.Path+r.URL.Path
	r.Host = ""
	return http.DefaultTransport.RoundTrip(r)
}

func main() {
	var people []person
	err := json.Unmarshal([]byte(os.Args[3]), &people)
	if err == nil {
		err = calls[os.Args[1]](os.Args[2], people[0], people[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
