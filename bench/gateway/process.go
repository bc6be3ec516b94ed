package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// cpuOf is the CPU time, user and system, of a process and everything it started: a peer with workers is
// charged for all of them. Linux counts in ticks of 10 ms, 1 % of a round of one second.
func cpuOf(pid int) time.Duration {
	const tick = 10 * time.Millisecond
	type proc struct {
		parent int
		ticks  int64
	}
	procs := map[int]proc{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// The name stands in brackets and may hold anything; the fields after it are numbers (proc(5)).
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		parent, _ := strconv.Atoi(f[1])
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		procs[id] = proc{parent, user + system}
	}
	var total int64
	for id, p := range procs {
		for up := id; up > 1; up = procs[up].parent {
			if up == pid {
				total += p.ticks
				break
			}
		}
	}
	return time.Duration(total) * tick
}

// start runs a peer; stop ends it and waits. Its talk goes to a file, shown when it fails to come up.
func start(log string, command ...string) (pid int, stop func(), err error) {
	out, err := os.Create(log)
	if err != nil {
		return 0, nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		out.Close()
		return 0, nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	return cmd.Process.Pid, func() {
		cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-done
		}
		out.Close()
	}, nil
}
