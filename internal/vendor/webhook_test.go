package vendor

import "testing"

func TestZendeskSignsItsWebhooksItsOwnWay(t *testing.T) {
	s, problems := Parse("z.yaml", []byte("vendor: help\ncatalogue: zendesk\nupstream: https://photos.zendesk.com\nwebhook: {scheme: zendesk, secret: 'file:zendesk-webhook.secret', deliver_to: 'http://127.0.0.1:3000/hooks'}\n"))
	if len(problems) > 0 || s.ID != "help" {
		t.Fatalf("%+v %v", s, problems)
	}
}
