package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cordon/internal/detect/detecttest"
)

//go:embed peers/peers.mjs
var peersScript []byte

// packages are npm's redactors of personal data. Each is installed by itself, as
// some bring much with them and one that cannot be had must not cost the others.
var packages = []string{"@redactpii/node@1.0.17", "@coffeeandfun/remove-pii@3.0.1", "@cdssnc/sanitize-pii@2.1.1", "redact-pii@3.4.0"}

// node is one process of Node.js that runs the packages when told to.
type node struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	folder  string // temporary
	speeds  []*speed
	missing []string
}

// startNode installs the packages where they are not, and starts the process.
// Without Node.js, npm or a registry there are no peers, and the note says so.
func startNode(folder string, docs []detecttest.Document) (*node, string) {
	if _, err := exec.LookPath("node"); err != nil {
		return nil, "The npm packages were not measured: there is no node."
	}
	n := &node{}
	if folder == "" {
		dir, err := os.MkdirTemp("", "cordon-bench-npm")
		if err != nil {
			return nil, "The npm packages were not measured: " + err.Error()
		}
		n.folder, folder = dir, dir
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o644); err != nil {
			n.stop()
			return nil, "The npm packages were not measured: " + err.Error()
		}
		for _, p := range packages {
			c := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", p)
			c.Dir = dir
			if err := c.Run(); err != nil {
				n.missing = append(n.missing, fmt.Sprintf("%s was not measured: npm could not install it (%v).", p, err))
			}
		}
	}
	if err := n.start(folder, docs); err != nil {
		n.stop()
		return nil, "The npm packages were not measured: " + err.Error()
	}
	return n, ""
}

func (n *node) start(folder string, docs []detecttest.Document) error {
	// The script lies beside node_modules, where import looks.
	script := filepath.Join(folder, "cordon-peers.mjs")
	if err := os.WriteFile(script, peersScript, 0o644); err != nil {
		return err
	}
	texts := make([]string, len(docs))
	for i := range docs {
		texts[i] = docs[i].Text
	}
	corpus := filepath.Join(folder, "cordon-corpus.json")
	if err := writeJSON(corpus, texts); err != nil {
		return err
	}
	n.command = exec.Command("node", script, corpus)
	n.command.Dir = folder
	n.command.Stderr = os.Stderr
	var err error
	if n.in, err = n.command.StdinPipe(); err != nil {
		return err
	}
	out, err := n.command.StdoutPipe()
	if err != nil {
		return err
	}
	n.out = bufio.NewScanner(out)
	if err := n.command.Start(); err != nil {
		return err
	}
	var ready struct {
		Node  string `json:"node"`
		Peers []struct{ Name, Version, Does, Error string }
	}
	if err := n.read(&ready); err != nil {
		return err
	}
	for _, p := range ready.Peers {
		if p.Error != "" {
			n.missing = append(n.missing, fmt.Sprintf("%s was not measured: %s.", p.Name, p.Error))
			continue
		}
		n.speeds = append(n.speeds, &speed{Name: p.Name, Version: p.Version + ", Node.js " + strings.TrimPrefix(ready.Node, "v"), Does: p.Does, NPM: true})
	}
	return nil
}

func (n *node) read(v any) error {
	if !n.out.Scan() {
		if err := n.out.Err(); err != nil {
			return err
		}
		return errors.New("node has ended")
	}
	return json.Unmarshal(n.out.Bytes(), v)
}

// round lets one package go over the messages for about so long.
func (n *node) round(name string, d time.Duration) (took time.Duration, passes float64, err error) {
	line, err := json.Marshal(map[string]any{"name": name, "ms": d.Milliseconds()})
	if err != nil {
		return 0, 0, err
	}
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		return 0, 0, err
	}
	var done struct {
		Seconds float64
		Passes  float64
	}
	if err := n.read(&done); err != nil {
		return 0, 0, err
	}
	return time.Duration(done.Seconds * float64(time.Second)), done.Passes, nil
}

func (n *node) stop() {
	if n.in != nil {
		n.in.Close()
	}
	if n.command != nil && n.command.Process != nil {
		n.command.Wait()
	}
	if n.folder != "" {
		os.RemoveAll(n.folder)
	}
}
