package strict

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a sort of scalar that several keys share: a closed list of Values, or
// a Check that says what is wrong and what to write instead ("" is right).
type Kind struct {
	Noun    string // "category": a person's word for it
	Values  func() []string
	Check   func(value string) (problem, fix string)
	Pattern string // for the schema
	Format  string // for the schema, as JSON Schema names formats
}

// Kinds are Kinds by the name that tags use.
type Kinds map[string]Kind

// Common are the kinds that have nothing to do with Cordon.
var Common = Kinds{
	"url":      {Noun: "URL", Check: checkURL, Format: "uri"},
	"host":     {Noun: "host name", Check: checkHost, Pattern: `^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`},
	"hostport": {Noun: "address", Check: checkHostPort, Pattern: `^.*:[0-9]+$`},
	"listen":   {Noun: "address", Check: checkListen, Pattern: `^(.*:[0-9]+)?$`},
	"date":     {Noun: "date", Check: checkDate, Format: "date"},
	"sha256":   {Noun: "SHA-256", Check: pattern(`^[0-9a-f]{64}$`, "write 64 lower-case hex digits, as sha256sum prints them"), Pattern: `^[0-9a-f]{64}$`},
	"email":    {Noun: "mail address", Check: pattern(`^[^\s@<>,;]+@[A-Za-z0-9.-]+$`, "write it as name@example.org"), Format: "email"},
	"file":     {Noun: "file name", Check: checkPath},
	"folder":   {Noun: "folder name", Check: checkPath},
}

// With adds other kinds to a copy of k.
func (k Kinds) With(other Kinds) Kinds {
	all := Kinds{}
	for _, m := range []Kinds{k, other} {
		for name, kind := range m {
			all[name] = kind
		}
	}
	return all
}

// Get finds a kind; a tag that names none is a mistake in this program.
func (k Kinds) Get(name string) Kind {
	kind, ok := k[name]
	if !ok {
		panic("strict: no kind " + name)
	}
	return kind
}

// Problem says what is wrong with a value of the kind.
func (k Kind) Problem(value string) (problem, fix string) {
	if k.Values != nil {
		values := k.Values()
		if !slices.Contains(values, value) {
			return fmt.Sprintf("unknown %s %q", k.Noun, value), Suggest(value, values)
		}
	}
	if k.Check != nil {
		if problem, fix := k.Check(value); problem != "" {
			return problem, fix
		}
	}
	return "", ""
}

func pattern(expr, fix string) func(string) (string, string) {
	re := regexp.MustCompile(expr)
	return func(v string) (string, string) {
		if re.MatchString(v) {
			return "", ""
		}
		return fmt.Sprintf("%q is not written as it must be", v), fix
	}
}

// checkURL takes http and https addresses without credentials: a password in
// an address ends up in logs.
func checkURL(v string) (string, string) {
	const fix = "write it as https://api.example.org"
	u, err := url.Parse(v)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not an address", v), fix
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%q is not an http or https address", v), fix
	case u.Hostname() == "" || u.Opaque != "":
		return fmt.Sprintf("%q has no host", v), fix
	case u.User != nil:
		return "the address holds a user name or password", "put the secret into the keys folder and name it there"
	case u.Fragment != "" || u.RawQuery != "" || u.ForceQuery:
		return fmt.Sprintf("%q has a query or a fragment", v), "leave only scheme, host and path"
	case u.Port() != "" && !validPort(u.Port(), 1):
		return fmt.Sprintf("%q has no usable port", v), "write a port from 1 to 65535"
	}
	return "", ""
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$`)

func checkHost(v string) (string, string) {
	if lower := strings.ToLower(v); lower != v {
		return fmt.Sprintf("host %q has capital letters", v), fmt.Sprintf("write %q", lower)
	}
	if len(v) <= 253 && (hostName.MatchString(v) || net.ParseIP(v) != nil) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a host name", v), "write the name alone, without scheme, port or path"
}

func checkHostPort(v string) (string, string) {
	host, port, err := net.SplitHostPort(v)
	if err != nil || host == "" || !validPort(port, 1) {
		return fmt.Sprintf("%q is not an address", v), `write host and port, such as "127.0.0.1:8400"`
	}
	return "", ""
}

// checkListen takes an empty host (every interface) and port 0 (any free one).
func checkListen(v string) (string, string) {
	host, port, err := net.SplitHostPort(v)
	if err != nil || !validPort(port, 0) {
		return fmt.Sprintf("%q is not an address to listen on", v), `write host and port, such as "127.0.0.1:8400"`
	}
	if host != "" && host != "localhost" && net.ParseIP(host) == nil {
		return fmt.Sprintf("%q does not begin with an IP address", v), "write the address of an interface, such as 127.0.0.1"
	}
	return "", ""
}

func validPort(port string, least int) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= least && n <= 65535 && strconv.Itoa(n) == port
}

func checkDate(v string) (string, string) {
	if _, err := time.Parse(time.DateOnly, v); err != nil {
		return fmt.Sprintf("%q is not a date", v), "write year-month-day, such as 2027-03-01"
	}
	return "", ""
}

func checkPath(v string) (string, string) {
	if strings.ContainsAny(v, "\x00\n\r") {
		return fmt.Sprintf("%q is not a path", v), "write the path of one file or folder"
	}
	return "", ""
}
