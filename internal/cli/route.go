package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"cordon/internal/api"
	"cordon/internal/exposure"
	"cordon/internal/minimize"
)

type routeCmd struct {
	Test routeTestCmd `cmd:"" help:"Show what Cordon finds in a message and what would leave; nothing is sent."`
}

type routeTestCmd struct {
	File   string   `arg:"" optional:"" placeholder:"FILE" help:"A raw HTTP/1.1 request, or a mail, or with --url the body alone; - is stdin."`
	Vendor string   `placeholder:"VENDOR" help:"The manifest, when the host does not tell."`
	Method string   `placeholder:"METHOD" help:"With --url: the method (default POST). SMTP: FILE is a mail, as it follows DATA."`
	From   string   `placeholder:"ADDRESS" help:"With --method SMTP: the sender; or the line X-Envelope-From: at the top of FILE."`
	To     []string `placeholder:"ADDRESS" help:"With --method SMTP: a recipient; may be given several times; or lines X-Envelope-To:."`
	URL    string   `name:"url" placeholder:"URL" help:"FILE is only the body of a request to this URL (or path, with --vendor)."`
	Header []string `short:"H" placeholder:"'NAME: VALUE'" help:"With --url: a header; may be given several times." sep:"none"`
	Batch  string   `placeholder:"FILE" help:"Read JSON lines {id,vendor,method,url,headers,body_b64,envelope} and answer one line each."`
}

func (routeTestCmd) Examples() []string {
	return []string{
		"cordon route test request.http",
		"cordon route test --vendor acme-mail --url /v3/mail/send body.json",
		"cordon route test --vendor acme-mail --method SMTP --from shop@photos.example --to ada@example.org mail.eml",
		"cordon route test --batch messages.jsonl > answers.jsonl",
	}
}

// maxMessage bounds what is read of one file: a little more than the server
// takes, so that it can say what is too large.
const maxMessage = 32 << 20

func (c routeTestCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if err := c.consistent(); err != nil {
		return err
	}
	if (c.Batch == "") == (c.File == "" && c.URL == "") {
		return &Fault{Code: exitUsage, What: "give a FILE, or --url, or --batch FILE", Next: "cordon route test --help"}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if c.Batch != "" {
		return c.batch(ctx, e, o)
	}
	test, err := c.message(e)
	if err != nil {
		return err
	}
	answer, err := o.TestRoute(ctx, test)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	e.printRouteTest(answer.Answer)
	return nil
}

func (c routeTestCmd) mail() bool { return strings.EqualFold(c.Method, "SMTP") }

// consistent refuses flags that do not go together: half of them would be
// passed over, and the answer be about another message.
func (c routeTestCmd) consistent() error {
	switch {
	case !c.mail() && (c.From != "" || len(c.To) > 0):
		return &Fault{Code: exitUsage, What: "--from and --to are the envelope of a mail", Next: "add --method SMTP"}
	case c.mail() && (c.URL != "" || len(c.Header) > 0):
		return &Fault{Code: exitUsage, What: "a mail has no URL and brings its own headers", Next: "leave out --url and -H"}
	}
	return nil
}

func (c routeTestCmd) message(e *Env) (api.RouteTest, error) {
	var data []byte
	var err error
	switch c.File {
	case "":
	case "-":
		data, err = e.readInput("the message", maxMessage)
	default:
		data, err = os.ReadFile(c.File)
	}
	if err != nil {
		return api.RouteTest{}, &Fault{Code: exitError, What: err.Error(), Next: "name a file with a raw HTTP request or a mail", Cause: err}
	}
	if c.mail() {
		t := api.RouteTest{Vendor: c.Vendor, Method: "SMTP", Body: data}
		if c.From != "" || len(c.To) > 0 {
			t.Envelope = &api.Envelope{From: c.From, To: c.To}
		}
		return t, nil
	}
	if c.URL == "" {
		return api.RouteTest{Vendor: c.Vendor, Raw: data}, nil
	}
	t := api.RouteTest{Vendor: c.Vendor, Method: c.Method, URL: c.URL, Header: map[string]string{}, Body: data}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return t, &Fault{Code: exitUsage, What: fmt.Sprintf("%q is no header", h), Next: "write it as 'Name: value'"}
		}
		t.Header[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if !hasHeader(t.Header, "content-type") && len(data) > 0 {
		t.Header["Content-Type"] = likelyType(data)
	}
	return t, nil
}

func hasHeader(h map[string]string, name string) bool {
	for k := range h {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

// likelyType is what a client would have declared for a bare body.
func likelyType(data []byte) string {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// batch sends messages in groups, so that neither side holds a large file.
func (c routeTestCmd) batch(ctx context.Context, e *Env, o *office) error {
	in := e.In
	if c.Batch != "-" {
		f, err := os.Open(c.Batch)
		if err != nil {
			return &Fault{Code: exitError, What: err.Error(), Next: "name a file of JSON lines", Cause: err}
		}
		defer f.Close()
		in = f
	}
	const groupMessages, groupBytes = 200, 4 << 20
	lines := jsontext.NewDecoder(in)
	var group api.RouteTestBatch
	size := 0
	flush := func() error {
		if len(group.Messages) == 0 {
			return nil
		}
		answers, err := o.TestRoutes(ctx, group)
		if err != nil {
			return err
		}
		for _, a := range answers.Answers {
			if err := api.Encode(e.Out, a, false); err != nil {
				return err
			}
		}
		group.Messages, size = group.Messages[:0], 0
		return nil
	}
	for n := 1; ; n++ {
		line, err := lines.ReadValue()
		if err == io.EOF {
			return flush()
		}
		if err != nil {
			return &Fault{Code: exitError, What: fmt.Sprintf("%s, message %d: %v", c.Batch, n, err), Next: "write one JSON object a line", Cause: err}
		}
		var t api.RouteTest
		if err := json.Unmarshal(line, &t); err != nil {
			return &Fault{Code: exitError, What: fmt.Sprintf("%s, message %d: %v", c.Batch, n, err),
				Next: `write {"id","vendor","method","url","headers":{},"body_b64","envelope":{"from","to":[]}}`, Cause: err}
		}
		group.Messages = append(group.Messages, t)
		if size += len(line); len(group.Messages) == groupMessages || size > groupBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

func (e *Env) printRouteTest(a minimize.Answer) {
	status := a.Status
	switch a.Status {
	case "classified":
		status = e.Colour(green, status)
	case "incomplete":
		status = e.Colour(yellow, status)
	default:
		status = e.Colour(red, status)
	}
	e.Print("vendor   %s", a.Vendor)
	e.Print("route    %s", a.Route)
	if a.Reason != "" {
		status += " (" + a.Reason + ")"
	}
	if a.Verdict != "" {
		status += ", would " + a.Verdict
	}
	e.Print("status   %s", status)
	if a.Detail != "" {
		e.Print("         %s", a.Detail)
	}
	for i, s := range a.Subjects {
		who := "nobody known"
		if len(s.Identifiers) > 0 {
			var parts []string
			for kind := exposure.KindEmail; kind.String() != ""; kind++ {
				if v, ok := s.Identifiers[kind.String()]; ok {
					parts = append(parts, kind.String()+" "+v)
				}
			}
			who = strings.Join(parts, ", ")
		}
		if s.DirectoryID != "" {
			who += " = " + s.DirectoryID + " in the directory"
		}
		e.Print("\n%s %s", e.Colour(dim, fmt.Sprintf("person %d", i+1)), e.Colour(bold, who))
		t := e.table("  category", "path", "value", "action")
		for _, f := range s.Fields {
			t.row("  "+f.Category, f.Path, shorten(f.Value, 40), f.Action)
		}
		t.print()
	}
	for _, u := range a.Unmapped {
		e.Print("unmapped %s", u)
	}
	if a.Cleared != "" {
		e.Print("\n%s\n%s", e.Colour(dim, "leaves as"), a.Cleared)
	}
	e.Say("nothing was sent, nothing was recorded")
}

func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
