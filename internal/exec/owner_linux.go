package exec

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

const canTellOwner = true

// ownListener takes connections of this process's own user only: whoever else
// is on the machine must not speak with the app's token. The same user could
// read the token from the command's environment anyway.
type ownListener struct{ net.Listener }

func (l ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, ok := owner(c); ok && uid == os.Geteuid() {
			return c, nil
		}
		c.Close()
	}
}

// owner finds the user of the other end of a loopback connection in the
// kernel's table: "sl local remote state queues timer retransmits uid ...",
// addresses as hex with the port behind a colon. Java connects from a
// dual-stack socket, which stands in tcp6.
func owner(c net.Conn) (uid int, ok bool) {
	near, far := c.LocalAddr().(*net.TCPAddr), c.RemoteAddr().(*net.TCPAddr)
	local, remote := fmt.Sprintf(":%04X", far.Port), fmt.Sprintf(":%04X", near.Port)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 7 && strings.HasSuffix(f[1], local) && strings.HasSuffix(f[2], remote) {
				uid, err := strconv.Atoi(f[7])
				return uid, err == nil
			}
		}
	}
	return 0, false
}
