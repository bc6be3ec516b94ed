package exec

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed preload/preload.cjs
var preload []byte

type variable struct{ name, value string }

type variables []variable

// files are what the variables point to.
type files struct {
	ca      string // ours and what NODE_EXTRA_CA_CERTS named before; added to a program's own roots
	bundle  string // the system's roots and ours, for variables that replace the roots
	trust   string // the same as a Java key store
	preload string // for Node
}

// prepare writes the files into dir and returns the variables to set.
func (p Plan) prepare(dir string, r relays) (variables, error) {
	if len(p.CA) == 0 {
		return nil, fmt.Errorf("the proxy's CA certificate is empty\nprint it with: cordon ca")
	}
	f := files{
		ca:      filepath.Join(dir, "ca.pem"),
		bundle:  filepath.Join(dir, "bundle.pem"),
		trust:   filepath.Join(dir, "trust.jks"),
		preload: filepath.Join(dir, "preload.cjs"),
	}
	bundle, err := withSystemRoots(p.CA, lookup(p.Environ, "SSL_CERT_FILE"))
	if err != nil {
		return nil, err
	}
	store, err := keyStore(bundle)
	if err != nil {
		return nil, err
	}
	extra := slices.Clone(p.CA)
	if before, err := os.ReadFile(lookup(p.Environ, "NODE_EXTRA_CA_CERTS")); err == nil {
		extra = append(append(extra, '\n'), before...)
	}
	vars, err := p.variables(f, r)
	if err != nil {
		return nil, err
	}
	settings, err := p.settings(vars, r)
	if err != nil {
		return nil, err
	}
	for path, content := range map[string][]byte{
		f.ca: extra, f.bundle: bundle, f.trust: store, f.preload: preload,
		filepath.Join(dir, "settings.json"): settings,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("writing %s: %w", filepath.Base(path), err)
		}
	}
	return vars, nil
}

// variables is the whole list. Each is overwritten, but for the two that hold
// other settings too (NODE_OPTIONS, JAVA_TOOL_OPTIONS), which are added to.
func (p Plan) variables(f files, r relays) (variables, error) {
	proxy := &url.URL{Scheme: "http", Host: p.address()}
	if r.limit != nil {
		proxy.Host = r.limit.address()
	}
	if p.Token != "" {
		proxy.User = url.UserPassword(p.App, p.Token)
	}
	java, err := p.javaOptions(f, r)
	if err != nil {
		return nil, err
	}
	through, direct := proxy.String(), strings.Join(p.direct(), ",")
	return variables{
		// Both cases: curl reads http_proxy in lower case only, Go and Python
		// read both, and where both are set the programs differ in which wins.
		{"HTTPS_PROXY", through}, {"https_proxy", through},
		{"HTTP_PROXY", through}, {"http_proxy", through},
		// For schemes without a variable of their own (wss, ftp, smtp in curl):
		// refused by the proxy with a reason instead of going past it.
		{"ALL_PROXY", through}, {"all_proxy", through},
		{"NO_PROXY", direct}, {"no_proxy", direct},
		{"SSL_CERT_FILE", f.bundle},                    // OpenSSL, Go, Ruby, httpx
		{"REQUESTS_CA_BUNDLE", f.bundle},               // Python requests
		{"CURL_CA_BUNDLE", f.bundle},                   // curl
		{"GIT_SSL_CAINFO", f.bundle},                   // git
		{"AWS_CA_BUNDLE", f.bundle},                    // AWS SDKs and command line
		{"CARGO_HTTP_CAINFO", f.bundle},                // cargo
		{"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", f.bundle}, // gRPC core
		{"DENO_CERT", f.ca},                            // added to Deno's own
		{"NODE_EXTRA_CA_CERTS", f.ca},                  // added to Node's own
		{"NODE_OPTIONS", join(lookup(p.Environ, "NODE_OPTIONS"), "--require="+nodeQuote(f.preload))},
		{"JAVA_TOOL_OPTIONS", join(lookup(p.Environ, "JAVA_TOOL_OPTIONS"), java)},
	}, nil
}

// javaOptions routes java.net, java.net.http and clients that use the system
// properties. Java has no property for a proxy's password and refuses Basic in
// tunnels, so with a token it goes through a relay of ours which adds it.
func (p Plan) javaOptions(f files, r relays) (string, error) {
	address := p.address()
	switch {
	case r.java != nil:
		address = r.java.address()
	case r.limit != nil:
		address = r.limit.address()
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("reading the proxy's address %q: %w\nlisten.proxy is host:port", p.Proxy, err)
	}
	direct := slices.Clone(p.direct())
	for i, d := range direct {
		switch d {
		case "127.0.0.1":
			direct[i] = "127.*"
		case "::1":
			direct[i] = "[::1]"
		}
	}
	options := []string{
		"-Dhttps.proxyHost=" + host, "-Dhttps.proxyPort=" + port,
		"-Dhttp.proxyHost=" + host, "-Dhttp.proxyPort=" + port,
		"-Dhttp.nonProxyHosts=" + strings.Join(direct, "|"),
		"-Djavax.net.ssl.trustStore=" + f.trust, "-Djavax.net.ssl.trustStoreType=JKS",
		"-Djavax.net.ssl.trustStorePassword=" + keyStorePassword,
	}
	for i, o := range options {
		if strings.ContainsAny(o, " \t") {
			options[i] = `"` + o + `"`
		}
	}
	return strings.Join(options, " "), nil
}

// settings is what the preload knows. env is given to child processes whose
// environment a program builds anew.
func (p Plan) settings(vars variables, r relays) ([]byte, error) {
	address, authorization := p.address(), ""
	if r.limit != nil {
		address = r.limit.address()
	}
	if p.Token != "" {
		authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(p.App+":"+p.Token))
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("reading the proxy's address %q: %w", p.Proxy, err)
	}
	env := map[string]string{}
	for _, v := range vars {
		env[v.name] = v.value
	}
	return json.Marshal(struct {
		Host          string            `json:"host"`
		Port          string            `json:"port"`
		Authorization string            `json:"authorization"`
		Vendors       []string          `json:"vendors"`
		Env           map[string]string `json:"env"`
	}{host, port, authorization, append([]string{}, p.Hosts...), env})
}

// direct lists the loopback names that belong to no vendor.
func (p Plan) direct() []string {
	return slices.DeleteFunc([]string{"localhost", "127.0.0.1", "::1"}, func(name string) bool {
		return matches(p.Hosts, name)
	})
}

// matches reports whether host is one of names, which may hold one *.
func matches(names []string, host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		host = ip.Unmap().String()
	}
	return slices.ContainsFunc(names, func(name string) bool {
		name = strings.ToLower(strings.Trim(name, "[]"))
		if before, after, wild := strings.Cut(name, "*"); wild {
			return strings.HasPrefix(host, before) && strings.HasSuffix(host, after) && len(host) > len(before)+len(after)
		}
		return name == host
	})
}

// over is environ with vs in place of whatever it said of them.
func (vs variables) over(environ []string) []string {
	out := slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.ContainsFunc(vs, func(v variable) bool { return v.name == name })
	})
	for _, v := range vs {
		out = append(out, v.name+"="+v.value)
	}
	return out
}

// lookup is the value of name in environ; the last one counts.
func lookup(environ []string, name string) (value string) {
	for _, pair := range environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// join puts ours behind what was there: the last of two equal options wins.
func join(before, ours string) string {
	return strings.TrimSpace(before + " " + ours)
}

// nodeQuote protects spaces in NODE_OPTIONS, which splits at them.
func nodeQuote(path string) string {
	if !strings.ContainsAny(path, ` "\`) {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
