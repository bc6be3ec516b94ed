package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cordon/test/rig"
)

// A peer is one proxy under measurement, running in processes of its own.
type peer struct {
	name    string
	does    string // what it does for each request, for the table's legend
	prefix  string // path in front of the vendor's
	host    string
	version string
	command func(p *peer, upstream string) ([]string, error) // writes its configuration into p.dir

	dir, addr string
	pid       int
	stop      func()
}

func peers(s settings, self string) []*peer {
	return []*peer{
		{
			name: "plain", does: "httputil.ReverseProxy; reads and records nothing", host: "api.sendgrid.com",
			version: "Go",
			command: func(p *peer, upstream string) ([]string, error) {
				return []string{self, "plain", p.addr, upstream}, nil
			},
		},
		{
			name: "cordon", does: "classifies, minimises, records durably, then forwards with the vendor's credential",
			prefix: "/acme-mail", host: "127.0.0.1", version: "built from this tree",
			command: func(p *peer, upstream string) ([]string, error) { return cordonServe(p, upstream, s) },
		},
		{
			name: "nginx", does: "forwards with another Authorization; reads and records nothing", host: "api.sendgrid.com",
			command: nginxServe,
		},
		{
			name: "haproxy", does: "forwards with another Authorization; reads and records nothing", host: "api.sendgrid.com",
			command: haproxyServe,
		},
		{
			name: "mitmproxy", does: "add-on walks the JSON, finds personal values, appends a line to a file; no sync", host: "api.sendgrid.com",
			command: mitmproxyServe,
		},
	}
}

// up writes the peer's configuration, starts it and waits until it forwards a request.
func (p *peer) up(upstream string) error {
	addr, err := rig.FreeAddr()
	if err != nil {
		return err
	}
	p.addr = addr
	command, err := p.command(p, upstream)
	if err != nil {
		return err
	}
	log := filepath.Join(p.dir, "log")
	if p.pid, p.stop, err = start(log, command...); err != nil {
		return err
	}
	if err := answers(p.addr, mailSend(p.prefix, p.host, 1024)); err != nil {
		p.stop()
		said, _ := os.ReadFile(log)
		return fmt.Errorf("%w\n%s", err, tail(said, 800))
	}
	return nil
}

// answers waits until a request is answered with 2xx.
func answers(addr string, req template) error {
	last := errors.New("nothing listened")
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			continue
		}
		c.SetDeadline(time.Now().Add(5 * time.Second))
		status, err := exchange(c, bufio.NewReader(c), req.bytes)
		c.Close()
		if err == nil && status/100 == 2 {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("it answered %d", status)
		}
	}
	return fmt.Errorf("not ready after 20 s: %w", last)
}

func cordonServe(p *peer, upstream string, s settings) ([]string, error) {
	binary, err := filepath.Abs(s.cordon)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%s is not there: make build", s.cordon)
	}
	org, err := rig.New(binary, p.dir, upstream, s.people)
	if err != nil {
		return nil, err
	}
	p.addr = org.HTTP
	return org.ServeCommand(), nil
}

func nginxServe(p *peer, upstream string) ([]string, error) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		return nil, errors.New("not installed (apt-get install nginx-light)")
	}
	said, _ := exec.Command(binary, "-v").CombinedOutput()
	p.version = firstLine(said)
	conf := fmt.Sprintf(`worker_processes 2;
daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_buffer_size 64k;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  keepalive_requests 1000000000;
  upstream vendor { server %[2]s; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen %[3]s;
    location / {
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer the-vendor-credential";
    }
  }
}
`, p.dir, upstream, p.addr)
	file := filepath.Join(p.dir, "nginx.conf")
	return []string{binary, "-c", file, "-e", filepath.Join(p.dir, "error.log")}, os.WriteFile(file, []byte(conf), 0o600)
}

func haproxyServe(p *peer, upstream string) ([]string, error) {
	binary, err := exec.LookPath("haproxy")
	if err != nil {
		return nil, errors.New("not installed (apt-get install haproxy)")
	}
	said, _ := exec.Command(binary, "-v").Output()
	p.version = firstLine(said)
	conf := fmt.Sprintf(`global
  nbthread 2
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind %s
  http-request set-header Authorization "Bearer the-vendor-credential"
  default_backend vendor
backend vendor
  server s1 %s pool-max-conn 512
`, p.addr, upstream)
	file := filepath.Join(p.dir, "haproxy.cfg")
	return []string{binary, "-db", "-f", file}, os.WriteFile(file, []byte(conf), 0o600)
}

//go:embed mitmproxy_addon.py
var mitmproxyAddon []byte

func mitmproxyServe(p *peer, upstream string) ([]string, error) {
	binary, err := exec.LookPath("mitmdump")
	if err != nil {
		return nil, errors.New("not installed (apt-get install mitmproxy)")
	}
	said, _ := exec.Command(binary, "--version").Output()
	p.version = firstLine(said)
	addon := filepath.Join(p.dir, "addon.py")
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return nil, err
	}
	return []string{
		binary, "-q", "--mode", "reverse:http://" + upstream, "--listen-host", host, "--listen-port", port,
		"--set", "confdir=" + p.dir, "--set", "record=" + filepath.Join(p.dir, "disclosures.jsonl"), "-s", addon,
	}, os.WriteFile(addon, mitmproxyAddon, 0o600)
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
