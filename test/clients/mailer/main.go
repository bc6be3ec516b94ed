// Mailer sends one message with sendgrid-go to the addresses it is given
// (name <address>). BASE_URL leads it to a reverse route; without it, it
// speaks to https://api.sendgrid.com as in production.
package main

import (
	"fmt"
	"net/mail"
	"os"

	"github.com/sendgrid/sendgrid-go"
	sg "github.com/sendgrid/sendgrid-go/helpers/mail"
)

func main() {
	m := sg.NewV3Mail().SetFrom(sg.NewEmail("Example Photos", "hello@photos.example"))
	m.Subject = "The week in photos"
	m.AddContent(sg.NewContent("text/plain", "Three friends like your photo."))
	for _, arg := range os.Args[1:] {
		to, err := mail.ParseAddress(arg)
		check(err)
		p := sg.NewPersonalization()
		p.AddTos(sg.NewEmail(to.Name, to.Address))
		m.AddPersonalizations(p)
	}
	client := sendgrid.NewSendClient("SG.test")
	if base := os.Getenv("BASE_URL"); base != "" {
		client.BaseURL = base + "/v3/mail/send"
	}
	answer, err := client.Send(m)
	check(err)
	fmt.Println(answer.StatusCode, answer.Headers["X-Message-Id"])
	if answer.StatusCode != 202 {
		check(fmt.Errorf("answer %d: %s", answer.StatusCode, answer.Body))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
