package config

import (
	"fmt"

	"cordon/evidence"
	"cordon/internal/strict"
)

// Check says what is wrong with keys as a whole: exactly one place.
func (k *Keys) Check(r *strict.Report) {
	given := 0
	for _, set := range []bool{k.Dir != "", k.Age != "", len(k.Command) > 0} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		r.Add("", "keys must be kept in exactly one place", "write a folder, or {age: FILE, identity: FILE}, or {command: [PROGRAM]}")
	case k.Age != "" && (k.Identity != "") == (k.Passphrase != "") && (k.Identity != "" || !r.Has("passphrase")):
		r.Add("age", "an age file needs an identity or a passphrase", "add identity: FILE, or passphrase: env:NAME")
	case k.Age == "" && k.Identity+k.Passphrase != "":
		r.Add("", "identity and passphrase belong to age", "remove them")
	}
}

// Check says where notices would have nowhere to go, or two places.
func (s *NoticeSMTP) Check(r *strict.Report) {
	if (s.Upstream != "") == (s.Vendor != "") && !r.Has("upstream") {
		r.Add("", "notices need one way out", `write {upstream: "127.0.0.1:25"}, or {vendor: NAME}`)
	} else if s.Upstream != "" && s.Vendor != "" {
		r.Add("vendor", "notices have two ways out", "keep either upstream or vendor")
	}
}

// Check wants both or neither: a witness whose signature nobody checks is none.
func (w *Witness) Check(r *strict.Report) {
	if (w.URL != "") != (w.Key != "") {
		r.Add("", "a witness has an address and a key", "add the other, or remove witness")
	}
	if _, err := evidence.ParseWitness(w.Key); w.Key != "" && err != nil {
		r.Add("key", err.Error(), "write the line that `cordon witness init` printed, of the form NAME+HASH+KEY")
	}
}

// Check finds a pace at which nothing is ever read.
func (s *Scrub) Check(r *strict.Report) {
	if s.Every > 0 && s.Rate <= 0 {
		r.Add("rate", "at this rate nothing is ever read", "write a size such as 20MiB, or every: 0s to read only when asked")
	}
}

// Check finds bounds that contradict one another.
func (l *Limits) Check(r *strict.Report) {
	if l.Body <= 0 || l.Header <= 0 {
		r.Add("", "body and header must be longer than nothing", "write a size such as 1MiB")
	}
	if l.Decompressed < l.Body {
		r.Add("decompressed", fmt.Sprintf("a decompressed body may be shorter (%s) than a plain one (%s)", l.Decompressed, l.Body), "raise decompressed or lower body")
	}
	if l.HeaderTimeout <= 0 || l.IdleTimeout <= 0 || l.VendorTimeout <= 0 {
		r.Add("", "a timeout of nothing refuses everything", "write a duration such as 10s")
	}
}

// Check finds apps that could not be told apart.
func (c *Config) Check(r *strict.Report) {
	apps, tokens := map[string]bool{}, map[string]string{}
	for i, a := range c.Apps {
		at := fmt.Sprintf("apps[%d]", i)
		if a.App == "anonymous" {
			r.Add(at+".app", `the name "anonymous" stands for senders without a token`, "choose another name")
		}
		if apps[a.App] && a.App != "" {
			r.Add(at+".app", fmt.Sprintf("the app %q comes twice", a.App), "write its vendors in one list")
		}
		if other, same := tokens[a.Token]; same && a.Token != "" {
			r.Add(at+".token", fmt.Sprintf("the apps %q and %q have the same token", other, a.App), "give each its own")
		}
		if a.Vendors != nil && len(a.Vendors) == 0 {
			r.Add(at+".vendors", fmt.Sprintf("the app %q has an empty list of vendors", a.App), "name the vendors it may send to; without the key it may send to all")
		}
		apps[a.App], tokens[a.Token] = true, a.App
	}
	if c.Directory.Query != "" && !isURL(c.Directory.File) {
		r.Add("directory.query", "only a database is asked a query", "remove query, or write file: postgres://…")
	}
}
