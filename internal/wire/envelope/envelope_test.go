package envelope_test

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/wire/envelope"
	"cordon/internal/wire/wiretest"
)

// What @sentry/node sends of an error with an attachment.
const sent = `{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","sent_at":"2026-11-24T10:00:00.000Z","trace":{"user_id":"u-17"}}
{"type":"event"}
{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","user":{"email":"anna@example.com"}}
{"type":"attachment","length":23,"filename":"anna.csv","content_type":"text/csv","attachment_type":"event.attachment"}
email
anna@example.com

{"type":"session"}
{"did":"anna","attrs":{"ip_address":"192.0.2.1"}}
{"length":2,"type":"event"}
{}
`

func TestEnvelopeOfAnError(t *testing.T) {
	tree := wiretest.Read(t, sent, envelope.Read)
	tree.Want(
		`header={"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","sent_at":"2026-11-24T10:00:00.000Z","trace":{"user_id":"u-17"}} <application/json>`,
		`event[0]={"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","user":{"email":"anna@example.com"}} <application/json>`,
		`attachment[0].name=anna.csv`,
		"attachment[0].content=email\nanna@example.com\n <text/csv> name=anna.csv",
		`session[0]={"did":"anna","attrs":{"ip_address":"192.0.2.1"}} <application/json>`,
		`event[1]={} <application/json>`,
	)
	for pick := range uint64(64) {
		wiretest.Hold(t, sent, envelope.Read, pick)
	}
	for i := range 6 {
		wiretest.HoldValue(t, sent, envelope.Read, i, `{"much":"longer than what was there before, and with \"quotes\""}`)
	}
	wiretest.HoldValue(t, sent, envelope.Read, 3, "two\nlines")
	if _, ok := tree.Replace(map[int]string{1: "{\n}"}); ok {
		t.Error("a payload without length took a line end, which would end it")
	}
}

// A reader as Sentry's relay has it: by length, or by line.
func TestRewrittenLengthsAreReadByAnotherReader(t *testing.T) {
	tree := wiretest.Read(t, sent, envelope.Read)
	text, ok := tree.Replace(map[int]string{2: "someone.csv", 3: "email\nu.k4t7@relay.example.com\n"})
	if !ok {
		t.Fatal("refused")
	}
	text, ok = wiretest.Read(t, text, envelope.Read).Drop(4)
	if !ok {
		t.Fatal("refused")
	}
	r := bufio.NewReader(strings.NewReader(text))
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF && line == "" {
			break
		}
		var h struct {
			Type, Filename string
			Length         *int
		}
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		payload := ""
		if h.Length != nil {
			b := make([]byte, *h.Length)
			io.ReadFull(r, b)
			payload = string(b)
			if end, _ := r.ReadByte(); end != '\n' {
				t.Fatalf("%s: the payload %q is longer than it says", h.Type, payload)
			}
		} else {
			payload, _ = r.ReadString('\n')
		}
		got = append(got, h.Type+" "+h.Filename+" "+strings.TrimSpace(payload))
	}
	want := "event  {\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\",\"user\":{\"email\":\"anna@example.com\"}}|" +
		"attachment someone.csv email\nu.k4t7@relay.example.com|event  {}"
	if strings.Join(got, "|") != want {
		t.Errorf("read\n%q\nwanted\n%q", strings.Join(got, "|"), want)
	}
}

func TestBrokenEnvelopes(t *testing.T) {
	for _, text := range []string{
		"",
		"no JSON\n",
		"{}\n{\"type\":\"event\"\n{}\n",
		"{}\n{\"type\":\"event\",\"type\":\"session\"}\n{}\n",
		"{}\n{\"type\":\"event\",\"length\":4}\n{}\n",
		"{}\n{\"type\":\"event\",\"length\":1}\n{}\n",
		"{}\n{\"type\":\"event\",\"length\":-1}\n{}\n",
		"{}\n{\"type\":\"event\",\"length\":\"2\"}\n{}\n",
		"{}\n{\"type\":\"event\"}\r\n{}\r\n",
		"{}\n{\"length\":2}\n{}\n",
		"{}\n[]\n{}\n",
		"{}\r\n{\"type\":\"event\"}\n{}\n",
	} {
		tree := wiretest.Read(t, text, envelope.Read)
		broken := len(tree.Problems) > 0 && tree.Problems[0] == exposure.IncompleteSyntax
		for _, f := range tree.Leaves {
			broken = broken || !f.OK
		}
		if !broken {
			t.Errorf("%q: read without a problem:\n%s", text, tree)
		}
	}
}

func TestManyItemsAreReadInLinearTime(t *testing.T) {
	for name, unit := range map[string]string{
		"items": "{\"type\":\"event\"}\n{}\n", "headers": "{\"type\":\"event\"}\n", "lines": "\n", "lengths": "{\"length\":99999999}\n", "open": "{",
		"words": "\"a\":1,", "returns": "\r",
	} {
		wiretest.Linear(t, name, envelope.Read, func(n int) string { return "{}\n" + strings.Repeat(unit, n) })
		wiretest.Linear(t, name, envelope.Read, func(n int) string { return "{}\n{" + strings.Repeat(unit, n) + "\"type\":\"event\"}\n" })
	}
}

func FuzzEnvelope(f *testing.F) {
	for i, s := range []string{sent, "{}\n{\"type\":\"event\"}\n{}", "{}\n{\"type\":\"attachment\",\"length\":0,\"filename\":\"\\u00e4\"}\n\n\n{\"type\":\"x\",\"y\":[1]}\nz"} {
		f.Add(s, ^uint64(0), i, `{"a":1}`)
		f.Add(s, uint64(0x5555555555555555), 3, "x\ny")
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64, i int, value string) {
		if len(text) > 1<<12 || i < 0 {
			return
		}
		wiretest.Hold(t, text, envelope.Read, pick)
		wiretest.HoldValue(t, text, envelope.Read, i, value)
	})
}

func BenchmarkEnvelope(b *testing.B) {
	wiretest.Bench(b, "{}\n"+strings.Repeat("{\"type\":\"event\"}\n{\"user\":{\"email\":\"anna@example.com\"},\"message\":\""+strings.Repeat("x", 4000)+"\"}\n", 100), envelope.Read)
}
