package exec

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// knownFailures are SDKs that no variable and no preload can help:
// mixpanel 0.24.0 calls an export of https-proxy-agent that is gone as soon as
// a proxy variable is set.
var knownFailures = []string{"mixpanel"}

// By hand, since the packages are 400 MB:
//
//	mkdir /tmp/sdks && cp test/clients/sdks/* /tmp/sdks && (cd /tmp/sdks && npm install --no-package-lock)
//	CORDON_NPM_SDKS=/tmp/sdks go test -run TestTwentyVendorSDKs -v ./internal/exec
//
// CORDON_NODE names another Node than the one in PATH.
func TestTwentyVendorSDKsReachTheProxyUnchanged(t *testing.T) {
	dir := os.Getenv("CORDON_NPM_SDKS")
	if dir == "" {
		t.Skip("CORDON_NPM_SDKS names no folder with the SDKs installed; see the comment above")
	}
	node := os.Getenv("CORDON_NODE")
	if node == "" {
		node = needs(t, "node")
	}
	script, err := os.ReadFile("../../test/clients/sdks/sdks.cjs")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sdks.cjs")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := osexec.Command(node, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var sdks []struct{ Name, Host string }
	if err := json.Unmarshal(list, &sdks); err != nil {
		t.Fatal(err)
	}
	reached := 0
	for _, s := range sdks {
		t.Run(s.Name, func(t *testing.T) {
			proxy := startProxy(t)
			code, out := run(t, proxy.plan(), node, path, s.Name)
			calls := proxy.calls()
			if slices.ContainsFunc(calls, func(c call) bool { return c.Host == s.Host && c.Method != "TLS" }) {
				reached++
				return
			}
			report := t.Errorf
			if slices.Contains(knownFailures, s.Name) {
				report = t.Logf
			}
			report("%s never reached %s: code %d, the proxy saw %+v\n%.600s", s.Name, s.Host, code, calls, out)
		})
	}
	t.Logf("%d of %d SDKs reached the proxy", reached, len(sdks))
}
