package rig

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Wire is a vendor that keeps note of every byte it is sent, also of messages that break off in the middle. It
// lives in the test's process, so it survives whatever happens to cordon.
type Wire struct {
	Addr string

	l    net.Listener
	mu   sync.Mutex
	seen []Seen
	open int // connections
}

// Seen is one message on the wire, whole or broken off.
type Seen struct {
	Recipient string // the first address in To; "" if the message broke off before it
	At        time.Time
	Bytes     int
	Whole     bool
}

// Listen starts a vendor on loopback. Each answer takes up to delay, so that many messages are under way at once.
func Listen(delay time.Duration) (*Wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &Wire{Addr: l.Addr().String(), l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.count(1)
			go func() {
				defer w.count(-1)
				w.serve(c, delay)
			}()
		}
	}()
	return w, nil
}

func (w *Wire) Close() { w.l.Close() }

func (w *Wire) count(by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open += by
}

// Quiet waits until every connection is read to its end, as they are soon after the peer was killed.
func (w *Wire) Quiet(patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		if open == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d connections to the vendor are still open after %v", open, patience)
		}
	}
}

// Seen is everything so far.
func (w *Wire) Seen() []Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Seen(nil), w.seen...)
}

var recipient = regexp.MustCompile(`"to":\[\{"email":"([^"]+@[^"]+)"`)

// note enters a message with the time its first byte came.
func (w *Wire) note(message []byte, at time.Time, whole bool) {
	s := Seen{At: at, Bytes: len(message), Whole: whole}
	if m := recipient.FindSubmatch(message); m != nil {
		s.Recipient = string(m[1])
	}
	w.mu.Lock()
	w.seen = append(w.seen, s)
	w.mu.Unlock()
}

// serve reads requests by hand: net/http would not show the bytes of a request that broke off.
func (w *Wire) serve(c net.Conn, delay time.Duration) {
	defer c.Close()
	var (
		buf   []byte
		first time.Time
		chunk = make([]byte, 32<<10)
	)
	for {
		n, err := c.Read(chunk)
		if n > 0 && len(buf) == 0 {
			first = time.Now()
		}
		buf = append(buf, chunk[:n]...)
		for len(buf) > 0 {
			end := messageEnd(buf)
			if end < 0 || end > len(buf) {
				break
			}
			w.note(buf[:end], first, true)
			buf = append(buf[:0:0], buf[end:]...)
			first = time.Now()
			if delay > 0 {
				time.Sleep(rand.N(delay))
			}
			io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX-Message-Id: "+strconv.Itoa(rand.Int())+"\r\n\r\n")
		}
		if err != nil {
			if len(buf) > 0 {
				w.note(buf, first, false)
			}
			return
		}
	}
}

// messageEnd is the length of the first message in b, or -1 while that cannot be told.
func messageEnd(b []byte) int {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return -1
	}
	for line := range bytes.SplitSeq(b[:head], []byte("\r\n")) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(key, []byte("Content-Length")) {
			n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil {
				return -1
			}
			return head + 4 + n
		}
		if bytes.EqualFold(key, []byte("Transfer-Encoding")) {
			end := bytes.Index(b[head+4:], []byte("\r\n0\r\n\r\n"))
			if end < 0 {
				return -1
			}
			return head + 4 + end + len("\r\n0\r\n\r\n")
		}
	}
	return head + 4
}

// Mail is the body of a message to one recipient, as SendGrid's clients send it.
func Mail(to string) []byte {
	return fmt.Appendf(nil, `{"personalizations":[{"to":[{"email":"%s","name":"Robin Example"}]}],`+
		`"from":{"email":"hello@photos.example","name":"Example Photos"},"subject":"Your album is ready",`+
		`"content":[{"type":"text/plain","value":"The pictures you chose are printed and on their way."}]}`, to)
}
