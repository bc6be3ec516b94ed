package main

import (
	"bytes"
	"fmt"
	"strings"
)

// A template is a whole HTTP/1.1 request with seven digits that name the recipient (rig.Address), overwritten in
// place for each request, so that nobody is served from a cache of one.
type template struct {
	bytes []byte
	at    int // where the digits stand
}

const digits = "0000000"

func (t template) clone() template { return template{bytes.Clone(t.bytes), t.at} }

func (t template) address(n int) {
	for i := t.at + len(digits) - 1; i >= t.at; i-- {
		t.bytes[i] = byte('0' + n%10)
		n /= 10
	}
}

// mailSend is a request of the shape that SendGrid's clients send (POST /v3/mail/send), its body exactly size bytes.
func mailSend(prefix, host string, size int) template {
	body := func(pad int) string {
		return `{"personalizations":[{"to":[{"email":"user` + digits + `@people.test","name":"Robin Example"}],` +
			`"dynamic_template_data":{"first_name":"Robin","order":"A-1001","plan":"pro"},"custom_args":{"campaign":"autumn"}}],` +
			`"from":{"email":"hello@photos.example","name":"Example Photos"},"subject":"Your album is ready",` +
			`"content":[{"type":"text/html","value":"` + text(pad) + `"}],"categories":["album","autumn"],` +
			`"tracking_settings":{"click_tracking":{"enable":false}}}`
	}
	b := body(size - len(body(0)))
	head := "POST " + prefix + "/v3/mail/send HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: sendgrid/3.16.1;go\r\n" +
		"Authorization: Bearer an-application-token\r\nContent-Type: application/json\r\nAccept: application/json\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(b))
	whole := head + b
	return template{[]byte(whole), strings.Index(whole, digits)}
}

// text is prose of n bytes, as the content of a mail is: no long runs that a scanner could skip for free.
func text(n int) string {
	const prose = `<p>Hello Robin, the twelve pictures you chose are printed and on their way.</p> `
	return strings.Repeat(prose, n/len(prose)+1)[:n]
}
