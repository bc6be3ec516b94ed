package exec

import (
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEveryClientOfALanguageReachesTheProxy(t *testing.T) {
	java := `
import java.net.*; import java.net.http.*; import java.nio.charset.StandardCharsets;
public class A { public static void main(String[] a) throws Exception {
  var u = (HttpURLConnection) new URL("https://v.test/x").openConnection();
  u.setRequestMethod("POST"); u.setDoOutput(true); u.getOutputStream().write("hello".getBytes());
  System.out.println(u.getResponseCode()); } }`
	for name, c := range map[string]struct {
		needs []string
		argv  func(t *testing.T) []string
	}{
		"curl": {[]string{"curl"}, func(*testing.T) []string {
			return []string{"curl", "-sS", "-o", os.DevNull, "-w", "%{http_code}", "-d", "hello", "https://v.test/x"}
		}},
		"python urllib": {[]string{"python3"}, func(*testing.T) []string {
			return []string{"python3", "-c", "import urllib.request as u; print(u.urlopen('https://v.test/x', data=b'hello').status)"}
		}},
		"java": {[]string{"java"}, func(t *testing.T) []string {
			file := filepath.Join(t.TempDir(), "A.java")
			if err := os.WriteFile(file, []byte(java), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"java", file}
		}},
	} {
		for _, app := range []string{"", "web"} {
			t.Run(name+" app="+app, func(t *testing.T) {
				t.Parallel()
				for _, n := range c.needs {
					// Java and Python are not part of every CI machine.
					if _, err := osexec.LookPath(n); err != nil {
						t.Skipf("%s is not installed; this client is not tested here", n)
					}
				}
				proxy := startProxy(t)
				p := proxy.plan()
				p.Environ = append(p.Environ, "NO_PROXY=v.test", "no_proxy=*", "https_proxy=http://127.0.0.1:1")
				want := call{Method: "POST", Host: "v.test", Path: "/x", Body: "hello"}
				if app != "" {
					p.App, p.Token, want.Authorization = app, "t0ken", "Basic d2ViOnQwa2Vu"
				}
				code, out := run(t, p, c.argv(t)...)
				if got := proxy.calls(); code != 0 || !strings.Contains(out, "200") || !slices.Equal(got, []call{want}) {
					t.Fatalf("code %d, the proxy saw %+v, printed:\n%s", code, got, out)
				}
				if app != "" && name == "java" && strings.Contains(out, "t0ken") {
					t.Error("Java printed the app's token")
				}
			})
		}
	}
}

func TestGoProgramReachesTheProxy(t *testing.T) {
	proxy := startProxy(t)
	dir := t.TempDir()
	source := `package main
import ("fmt"; "net/http"; "strings")
func main() { r, err := http.Post("https://v.test/x", "text/plain", strings.NewReader("hello")); fmt.Println(err); fmt.Println(r.StatusCode) }`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if out, err := osexec.Command("go", "build", "-o", program, filepath.Join(dir, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	code, out := run(t, proxy.plan(), program)
	if got := proxy.calls(); code != 0 || len(got) != 1 || got[0].Host != "v.test" {
		t.Fatalf("code %d, the proxy saw %+v, printed:\n%s", code, got, out)
	}
}

func TestVendorLimitRefusesOtherHostsAndNamesThem(t *testing.T) {
	proxy := startProxy(t)
	p := proxy.plan()
	p.Only, p.App, p.Token = []string{"api.one.test", "*.two.test", "a*-live.three.test"}, "web", "t0ken"
	get := func(url string) string {
		needs(t, "curl")
		_, out := run(t, p, "curl", "-sS", "-v", url)
		return out
	}
	for _, u := range []string{"https://api.one.test/a", "http://api.one.test/b", "https://x.two.test/c", "https://ax-live.three.test/d"} {
		if out := get(u); !strings.Contains(out, `"success":true`) {
			t.Errorf("%s: %s", u, out)
		}
	}
	for _, u := range []string{"https://other.test/", "http://other.test/", "https://two.test/", "https://eviltwo.test/", "https://a-live.three.test/", "https://b-live.three.test/"} {
		if out := get(u); strings.Contains(out, `"success":true`) || !strings.Contains(out, "403") {
			t.Errorf("%s was not refused: %s", u, out)
		}
	}
	got := proxy.calls()
	if len(got) != 4 {
		t.Fatalf("the proxy saw %+v", got)
	}
	for _, c := range got {
		if c.Authorization != "Basic d2ViOnQwa2Vu" {
			t.Errorf("%s came without the app's token", c.Path)
		}
	}
}

func TestOverwritesWhatWouldLeadPastTheProxy(t *testing.T) {
	proxy := startProxy(t)
	p := proxy.plan()
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "NO_PROXY=api.sendgrid.com", "no_proxy=*", "ALL_PROXY=socks5://127.0.0.1:1",
		"NODE_OPTIONS=--max-old-space-size=300", "JAVA_TOOL_OPTIONS=-Xmx64m", "KEPT=yes"}
	code, out := run(t, p, "env")
	if code != 0 {
		t.Fatal(out)
	}
	env := strings.Split(out, "\n")
	for name, want := range map[string]string{
		"NO_PROXY": "localhost,127.0.0.1,::1", "no_proxy": "localhost,127.0.0.1,::1",
		"ALL_PROXY": "http://" + proxy.addr, "https_proxy": "http://" + proxy.addr, "KEPT": "yes",
	} {
		if got := lookup(env, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, prefix := range map[string]string{"NODE_OPTIONS": "--max-old-space-size=300 --require=", "JAVA_TOOL_OPTIONS": "-Xmx64m -D"} {
		if got := lookup(env, name); !strings.HasPrefix(got, prefix) {
			t.Errorf("%s is %q: what was there is gone", name, got)
		}
	}
	if _, err := os.Stat(lookup(env, "SSL_CERT_FILE")); !os.IsNotExist(err) {
		t.Errorf("the temporary files were left behind: %v", err)
	}
}

func TestLoopbackNameThatAManifestListsIsProxied(t *testing.T) {
	p := Plan{Hosts: []string{"localhost"}}
	if got, want := p.direct(), []string{"127.0.0.1", "::1"}; !slices.Equal(got, want) {
		t.Errorf("direct hosts are %v, want %v", got, want)
	}
}

func TestPassesTheExitCodeOn(t *testing.T) {
	proxy := startProxy(t)
	for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "kill -TERM $$": 128 + int(syscall.SIGTERM)} {
		if code, out := run(t, proxy.plan(), "sh", "-c", script); code != want {
			t.Errorf("%s: code %d, want %d: %s", script, code, want, out)
		}
	}
	if code, out := run(t, proxy.plan(), "no-such-program-here"); code != exitNotFound || !strings.Contains(out, "not found") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestForwardsSignals(t *testing.T) {
	proxy := startProxy(t)
	p := proxy.plan()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.Stdout = out
	done := make(chan int)
	go func() {
		code, _ := p.Run(context.Background(), []string{"sh", "-c", `trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 0.05; done`})
		done <- code
	}()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if text, _ := os.ReadFile(out.Name()); strings.Contains(string(text), "ready") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the command did not start")
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-done:
		if text, _ := os.ReadFile(out.Name()); code != 7 || !strings.Contains(string(text), "got") {
			t.Errorf("code %d, printed %s", code, text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the signal did not arrive")
	}
}

func TestSaysWhenNoProxyListens(t *testing.T) {
	p := Plan{Proxy: "127.0.0.1:1", CA: []byte("x"), Environ: os.Environ()}
	code, err := p.Run(context.Background(), []string{"true"})
	if code != 1 || err == nil || !strings.Contains(err.Error(), "cordon serve") {
		t.Errorf("code %d, %v", code, err)
	}
}

func TestPrintedExportsWorkInAShell(t *testing.T) {
	needs(t, "curl")
	proxy := startProxy(t)
	p := proxy.plan()
	p.App, p.Token = "we'b", "t0 ken"
	dir := filepath.Join(t.TempDir(), "a folder")
	var exports strings.Builder
	if err := p.Print(&exports, dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder with the token has mode %v, %v", info.Mode(), err)
	}
	out, err := osexec.Command("sh", "-c", exports.String()+"curl -sS -d hello https://v.test/x").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if node, err := osexec.LookPath("node"); err == nil {
		if out, err := osexec.Command("sh", "-c", exports.String()+node+` -e "fetch('https://v.test/y').then(r=>r.text())"`).CombinedOutput(); err != nil {
			t.Errorf("node with a space in the preload's path: %v: %s", err, out)
		}
	}
	if got := proxy.calls(); len(got) == 0 || got[0].Authorization == "" {
		t.Errorf("the proxy saw %+v", got)
	}
}
