package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A load is one raw HTTP/1.1 generator for every peer: keep-alive connections that write bytes built
// beforehand and read one answer, so that what differs between two figures is the peer alone.
type load struct {
	addr    string
	request template
	conns   int
	warm    time.Duration // not counted; connections, pools and caches fill
	measure time.Duration
	people  int // recipients are drawn from this many addresses
}

// sample is one round: counts and latencies of the requests that ended in the measured time.
type sample struct {
	Requests int
	Errors   int // answers other than 2xx, and broken connections
	Elapsed  time.Duration
	P50, P99 time.Duration
	CPU      time.Duration // of the peer's process tree, user and system
	FirstErr string
}

// run drives the peer; cpu is asked for the peer's CPU time when the measured time begins and ends.
func (l load) run(cpu func() time.Duration) (sample, error) {
	var (
		wg        sync.WaitGroup
		measuring atomic.Bool
		stop      atomic.Bool
		mu        sync.Mutex
		all       []time.Duration
		failed    int
		first     error
	)
	conns := make([]net.Conn, l.conns)
	for i := range conns {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			return sample{}, fmt.Errorf("connecting to the peer: %w", err)
		}
		conns[i] = c
	}
	// A peer that hangs must not hang the bench: past the measured time the sockets give up.
	deadline := time.Now().Add(l.warm + l.measure + 5*time.Second)
	for _, c := range conns {
		c.SetDeadline(deadline)
		wg.Go(func() {
			defer c.Close()
			var (
				took []time.Duration
				errs int
				werr error
			)
			req := l.request.clone()
			br := bufio.NewReaderSize(c, 16<<10)
			for !stop.Load() {
				start := time.Now()
				req.address(rand.IntN(l.people))
				status, err := exchange(c, br, req.bytes)
				if err == nil && status/100 != 2 {
					err = fmt.Errorf("the peer answered %d", status)
				}
				if err != nil {
					errs++
					if werr == nil {
						werr = err
					}
					if status == 0 {
						break // the connection is gone
					}
				} else if measuring.Load() {
					took = append(took, time.Since(start))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			failed += errs
			if first == nil {
				first = werr
			}
		})
	}
	time.Sleep(l.warm)
	before, begun := cpu(), time.Now()
	measuring.Store(true)
	time.Sleep(l.measure)
	measuring.Store(false)
	elapsed, after := time.Since(begun), cpu()
	stop.Store(true)
	wg.Wait()

	s := sample{Requests: len(all), Errors: failed, Elapsed: elapsed, CPU: after - before}
	if first != nil {
		s.FirstErr = first.Error()
	}
	if len(all) == 0 {
		if first == nil {
			first = errTooShort
		}
		return s, first
	}
	slices.Sort(all)
	s.P50, s.P99 = all[len(all)/2], all[len(all)*99/100]
	return s, nil
}

// errTooShort says that not one request ended in the measured time, and none failed either.
var errTooShort = errors.New("no request ended within the round")

// exchange writes one request and reads one answer, its body discarded. Status 0 means the connection broke.
func exchange(c net.Conn, br *bufio.Reader, request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	line, err := br.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, errors.New("short status line")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, chunked := 0, false
	for {
		line, err = br.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(key, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case bytes.EqualFold(key, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if !chunked {
		_, err := br.Discard(length)
		if err != nil {
			return 0, err
		}
		return status, nil
	}
	for {
		line, err = br.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return 0, err
		}
		if _, err := io.CopyN(io.Discard, br, n+2); err != nil {
			return 0, err
		}
		if n == 0 {
			return status, nil
		}
	}
}
