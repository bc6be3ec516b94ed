package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/sendgrid/sendgrid-go"
	"github.com/sendgrid/sendgrid-go/helpers/mail"

	"photos/people"
)

// subjects by language; the rest gets English, as in real services.
var subjects = map[string]string{
	"de": "Drei Freunde mögen Ihr Foto", "fr": "Trois amis aiment votre photo", "es": "A tres amigos les gusta tu foto",
	"pt": "Três amigos curtiram sua foto", "ja": "3人の友達があなたの写真にいいねしました", "ar": "أعجب ثلاثة أصدقاء بصورتك",
	"zh": "三位朋友赞了你的照片", "ru": "Трём друзьям понравилось ваше фото", "uk": "Трьом друзям сподобалося ваше фото",
}

var from = mail.NewEmail("Example Photos", "hello@photos.example")

// notification tells one user what happened, through sendgrid-go.
func (s *service) notification() func(context.Context, *rand.Rand) result {
	return func(ctx context.Context, r *rand.Rand) result {
		p := s.anybody(r)
		subject := subjects[p.Language]
		if subject == "" {
			subject = "Three friends like your photo"
		}
		m := mail.NewSingleEmail(from, subject, mail.NewEmail(p.Name, p.Email), subject+".", "<p>"+subject+".</p>")
		m.Personalizations[0].SetCustomArg("user_id", p.ID)
		return s.sendMail(ctx, m)
	}
}

// digest is one message to many, and now and then to somebody who is no user:
// an invited friend.
func (s *service) digest() func(context.Context, *rand.Rand) result {
	return func(ctx context.Context, r *rand.Rand) result {
		m := mail.NewV3Mail().SetFrom(from).AddContent(mail.NewContent("text/plain", "The week in photos."))
		m.Subject = "The week in photos"
		for _, p := range s.distinct(r, 5+r.IntN(40)) {
			to := mail.NewPersonalization()
			to.AddTos(mail.NewEmail(p.Name, p.Email))
			m.AddPersonalizations(to)
		}
		if r.IntN(3) == 0 {
			to := mail.NewPersonalization()
			to.AddTos(mail.NewEmail("", fmt.Sprintf("invited.friend%d@guests.example", r.IntN(200))))
			m.AddPersonalizations(to)
		}
		return s.sendMail(ctx, m)
	}
}

func (s *service) distinct(r *rand.Rand, n int) (some []people.Person) {
	seen := map[string]bool{}
	for len(some) < n && len(seen) < len(s.people) {
		if p := s.anybody(r); !seen[p.ID] {
			seen[p.ID] = true
			some = append(some, p)
		}
	}
	return some
}

// sendMail retries a 429 as the SDK's MakeRequestRetryWithContext would, but
// keeps Cordon's refusals apart: those are not worth a retry.
func (s *service) sendMail(ctx context.Context, m *mail.SGMailV3) result {
	// Cordon replaces this key by the real one; the app never has it.
	client := sendgrid.NewSendClient("from-cordon")
	client.BaseURL = s.gate + "/acme-mail/v3/mail/send"
	for attempt := 0; ; attempt++ {
		answer, err := client.SendWithContext(ctx, m)
		if err != nil {
			return result{what: "no answer", gate: false}
		}
		r := outcome(answer.StatusCode, http.Header(answer.Headers), answer.Body)
		if answer.StatusCode != http.StatusTooManyRequests || attempt == 3 {
			return r
		}
		select {
		case <-time.After(time.Duration(1+attempt) * time.Second):
		case <-ctx.Done():
			return r
		}
	}
}
