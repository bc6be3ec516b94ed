package exec

import (
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// needs finds a program, or skips; under CI, where it must be, it fails.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := osexec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed; CI installs it (.ci/tools)", program)
		}
		t.Skipf("%s is not installed; this client is not tested here", program)
	}
	return path
}

// run executes argv under the plan and returns its code and output.
func run(t *testing.T, p Plan, argv ...string) (int, string) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.Stdout, p.Stderr = out, out
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	code, err := p.Run(ctx, argv)
	text, _ := os.ReadFile(out.Name())
	if err != nil {
		return code, string(text) + err.Error()
	}
	return code, string(text)
}

func runNode(t *testing.T, p Plan, file, script string) (int, string) {
	t.Helper()
	node := needs(t, "node")
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, p, node, path)
}

func TestNodeTrafficReachesTheProxyHoweverItIsMade(t *testing.T) {
	for name, c := range map[string]struct{ file, script, host string }{
		"https.request with its default agent": {"a.cjs",
			`require('https').request('https://v.test/x',{method:'POST'},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"https with an agent of the program's own": {"a.cjs",
			`const h=require('https');h.request({host:'v.test',path:'/x',method:'POST',agent:new h.Agent({keepAlive:true})},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"https without an agent": {"a.cjs",
			`require('https').request({host:'v.test',path:'/x',method:'POST',agent:false},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"https with roots of the program's own": {"a.cjs",
			`require('https').request('https://v.test/x',{method:'POST',ca:require('tls').rootCertificates.slice(0,2)},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"https on a port of its own": {"a.cjs",
			`require('https').request('https://v.test:8443/x',{method:'POST'},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"plain http": {"a.cjs",
			`require('http').request('http://v.test/x',{method:'POST'},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"fetch": {"a.cjs",
			`fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})`, "v.test"},
		"fetch of plain http": {"a.cjs",
			`fetch('http://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})`, "v.test"},
		"http2": {"a.cjs",
			`const s=require('http2').connect('https://v.test');const r=s.request({':method':'POST',':path':'/x'});r.on('response',h=>console.log(h[':status']));r.resume();r.on('end',()=>s.close());r.end('hello')`, "v.test"},
		"a named import in an ES module": {"a.mjs",
			`import {request} from 'node:https';import {connect} from 'node:tls';if(!String(connect).includes('goesThrough'))throw new Error('named import of tls.connect escapes');request('https://v.test/x',{method:'POST'},r=>{r.resume();r.on('end',()=>console.log(r.statusCode))}).end('hello')`, "v.test"},
		"top-level await in an ES module": {"a.mjs",
			`const r=await fetch('https://v.test/x',{method:'POST',body:'hello'});await r.text();console.log(r.status)`, "v.test"},
		"a worker thread": {"a.cjs",
			`const {Worker}=require('worker_threads');new Worker("fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})",{eval:true})`, "v.test"},
		"a worker thread with its own environment and arguments": {"a.cjs",
			`const {Worker}=require('worker_threads');new Worker("fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})",{eval:true,env:{},execArgv:['--no-warnings']})`, "v.test"},
		"a child process": {"a.cjs",
			`require('child_process').spawn(process.execPath,['-e',"fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})"],{stdio:'inherit'})`, "v.test"},
		"a child process with an environment made anew": {"a.cjs",
			`require('child_process').spawn(process.execPath,['-e',"fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})"],{stdio:'inherit',env:{NODE_OPTIONS:'--no-warnings',NO_PROXY:'*'}})`, "v.test"},
		"a child process that is waited for": {"a.cjs",
			`console.log(require('child_process').execFileSync(process.execPath,['-e',"fetch('https://v.test/x',{method:'POST',body:'hello'}).then(async r=>{await r.text();console.log(r.status)})"],{env:{}}).toString())`, "v.test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := startProxy(t)
			p := proxy.plan()
			p.App, p.Token = "web", "t0ken"
			code, out := runNode(t, p, c.file, c.script)
			if code != 0 || !strings.Contains(out, "200") {
				t.Fatalf("code %d, printed:\n%s", code, out)
			}
			want := call{"POST", c.host, "/x", "hello", "Basic d2ViOnQwa2Vu"}
			if got := proxy.calls(); !slices.Equal(got, []call{want}) {
				t.Fatalf("the proxy saw %+v, want %+v", got, want)
			}
		})
	}
}

func TestNodeReusesIdleTunnelsAndEnds(t *testing.T) {
	proxy := startProxy(t)
	// undici keeps idle connections for 4 s and https agents for ever; neither
	// may keep the process. The time is taken inside, past a slow start.
	code, out := runNode(t, proxy.plan(), "a.mjs", `
		import https from 'node:https';
		const agent = new https.Agent({keepAlive: true});
		const once = (i) => new Promise((ok, no) => https.request({host:'v.test',path:'/'+i,agent}, r => {
			const p = r.socket.localPort; r.resume(); r.on('end', () => ok(p)) }).on('error', no).end());
		const ports = []; for (let i = 0; i < 5; i++) ports.push(await once(i));
		for (let i = 0; i < 5; i++) await (await fetch('https://f.test/'+i)).text();
		const done = Date.now();
		process.on('exit', () => console.log(new Set(ports).size, Date.now() - done < 2500 ? 'ended' : 'was kept'));`)
	if code != 0 || strings.TrimSpace(out) != "1 ended" {
		t.Fatalf("code %d, distinct connections, end: %s", code, out)
	}
	if n := len(proxy.calls()); n != 10 {
		t.Fatalf("%d requests arrived, want 10", n)
	}
}

func TestNodeBodiesOfAMegabyteBothWays(t *testing.T) {
	proxy := startProxy(t)
	code, out := runNode(t, proxy.plan(), "a.mjs", `
		const body = 'x'.repeat(3 << 20);
		const r = await fetch('https://v.test/big', {method:'POST', body});
		console.log(r.status, (await r.text()).length > 0)`)
	if code != 0 || strings.TrimSpace(out) != "200 true" {
		t.Fatalf("code %d: %s", code, out)
	}
	if got := proxy.calls(); len(got) != 1 || len(got[0].Body) != 3<<20 {
		t.Fatalf("the body arrived cut or twice: %d calls", len(got))
	}
}

func TestNodeSaysWhyAHostIsRefused(t *testing.T) {
	proxy := startProxy(t)
	proxy.accept = func(string) bool { return false }
	for _, script := range []string{
		`require('https').get('https://unknown.test/').on('error',e=>console.log(e.code,e.message))`,
		`require('http').get('http://unknown.test/').on('error',e=>console.log(e.code,e.message))`,
		`fetch('https://unknown.test/').catch(e=>console.log(e.cause.code,e.cause.message))`,
	} {
		code, out := runNode(t, proxy.plan(), "a.cjs", script)
		if code != 0 || !strings.Contains(out, "ERR_CORDON_REFUSED") || !strings.Contains(out, "host is no vendor's") {
			t.Errorf("%s\ncode %d, printed: %s", script, code, out)
		}
	}
}

func TestNodeShowsTheProblemThatCordonAnswersWith(t *testing.T) {
	proxy := startProxy(t)
	proxy.problem = `{"status":503,"detail":"acme-mail is cut","reason":"vendor-cut","next":"do without it"}`
	code, out := runNode(t, proxy.plan(), "a.cjs", `require('https').get('https://v.test/').on('error',e=>console.log(e.message))`)
	if code != 0 || !strings.Contains(out, "v.test:443: acme-mail is cut (vendor-cut). do without it") {
		t.Errorf("code %d, printed: %s", code, out)
	}
}

func TestNodeReachesItsOwnMachineDirectly(t *testing.T) {
	script := `
		const http = require('http');
		http.createServer((q, r) => r.end('mine')).listen(0, '127.0.0.1', async function () {
			const port = this.address().port;
			const a = await (await fetch('http://127.0.0.1:' + port)).text();
			const b = await (await fetch('http://localhost:' + port)).text().catch(String);
			console.log(a, b); process.exit(0);
		})`
	proxy := startProxy(t)
	if code, out := runNode(t, proxy.plan(), "a.cjs", script); code != 0 || !strings.HasPrefix(out, "mine") {
		t.Errorf("code %d: %s", code, out)
	}
	if got := proxy.calls(); len(got) != 0 {
		t.Errorf("loopback went through the proxy: %+v", got)
	}
	// A manifest that names a loopback host means it.
	p := proxy.plan()
	p.Hosts = []string{"127.0.0.1"}
	code, out := runNode(t, p, "a.cjs", `fetch('http://127.0.0.1:9000/x').then(async r=>{await r.text();console.log(r.status)})`)
	if got := proxy.calls(); code != 0 || len(got) != 1 || got[0].Host != "127.0.0.1" {
		t.Errorf("code %d, %s, the proxy saw %+v", code, out, got)
	}
}
