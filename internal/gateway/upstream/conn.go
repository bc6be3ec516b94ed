package upstream

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"syscall"
	"time"

	"cordon/internal/isolate"
)

// maxHead bounds the head of an answer, as http.Transport does.
const maxHead = 1 << 20

// Conn is one connection to a vendor, used by one message at a time.
type Conn struct {
	// Reused says that messages went over it before.
	Reused bool

	client    *Client
	target    Target
	tracked   *isolate.Conn // the socket, beneath TLS
	conn      net.Conn
	br        *bufio.Reader
	headLeft  int64 // what may still be read of a head
	idleSince time.Time
}

func newConn(client *Client, t Target, tracked *isolate.Conn, conn net.Conn) *Conn {
	c := &Conn{client: client, target: t, tracked: tracked, conn: conn}
	c.br = bufio.NewReaderSize(limited{c}, 4096)
	return c
}

// limited bounds what http.ReadResponse reads before it knows a head's end.
type limited struct{ c *Conn }

var errHeadTooLarge = errors.New("the vendor's response head is larger than 1 MiB")

func (l limited) Read(p []byte) (int, error) {
	if l.c.headLeft <= 0 {
		return 0, errHeadTooLarge
	}
	n, err := l.c.conn.Read(p[:min(int64(len(p)), l.c.headLeft)])
	if l.c.headLeft != math.MaxInt64 {
		l.c.headLeft -= int64(n)
	}
	return n, err
}

// alive asks the kernel, without waiting, whether an idle connection is quiet.
// The end of the stream means that the vendor closed it; bytes are an answer
// to nothing. Either way it is of no use. Asking costs one system call and saves
// handing a message to a dead socket, of which nobody could say what became.
func (c *Conn) alive() bool {
	if c.br.Buffered() > 0 {
		return false
	}
	sc, ok := c.tracked.Conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Control(func(fd uintptr) { // not Read: a deadline that is over means nothing here
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err == nil && quiet
}

// Close ends the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// body is the answer's body; it gives the connection back when it was read to
// its end, and ends it when it was not.
type body struct {
	io.ReadCloser
	c        *Conn
	stop     func() bool // takes back what ctx does when it ends
	reusable bool        // as far as the answer's head says
	written  chan error  // see exchange; nil: the message went out in one piece
	ended    bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

// Waiting reports whether a read would have to wait for the vendor: what was
// read so far should be shown to the client now.
func (b *body) Waiting() bool { return b.c.br.Buffered() == 0 }

func (b *body) Close() error {
	b.end(false)
	return nil
}

func (b *body) end(whole bool) {
	if b.ended {
		return
	}
	b.ended = true
	if !b.stop() || !whole || !b.reusable || !b.allWritten() {
		b.c.Close()
		return
	}
	b.c.tracked.Carry(nil)
	b.c.client.push(b.c)
}

func (b *body) allWritten() bool {
	if b.written == nil {
		return true
	}
	select {
	case err := <-b.written:
		return err == nil
	default:
		return false // answered before it heard all
	}
}

// Raw gives the socket itself for a tunnel that nobody inspects. Its bytes count
// as p's, and it obeys the gate.
func (c *Conn) Raw(p *isolate.Passage) (*isolate.Conn, error) {
	if err := c.tracked.Carry(p); err != nil {
		c.Close()
		return nil, err
	}
	c.conn.SetDeadline(time.Time{}) // a tunnel has none
	return c.tracked, nil
}
