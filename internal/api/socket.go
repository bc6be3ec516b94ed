package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketName is the file of the socket in the data directory.
const SocketName = "cordon.sock"

// SocketPath is where the socket of a data directory lies.
func SocketPath(data string) string { return filepath.Join(data, SocketName) }

// short gives a name for the socket that fits into the 108 bytes of a
// sockaddr_un, however deep the data directory lies: through the directory's
// open descriptor. The release function must be called once the name is used.
func short(data string) (name string, release func(), err error) {
	if path := SocketPath(data); len(path) < 104 {
		return path, func() {}, nil
	}
	dir, err := os.Open(data)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), SocketName), func() { dir.Close() }, nil
}

// ListenSocket opens the socket, mode 0600. The caller holds the store, so
// whoever left a socket file behind is gone.
func ListenSocket(data string) (net.Listener, error) {
	if err := os.Remove(SocketPath(data)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	name, release, err := short(data)
	if err != nil {
		return nil, err
	}
	defer release()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by name, which may be gone; see socketListener
	if err := os.Chmod(SocketPath(data), 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return &socketListener{l, SocketPath(data)}, nil
}

type socketListener struct {
	net.Listener
	path string
}

func (l *socketListener) Close() error {
	err := l.Listener.Close()
	if err == nil { // the first close
		os.Remove(l.path)
	}
	return err
}

func dialSocket(ctx context.Context, data string) (net.Conn, error) {
	name, release, err := short(data)
	if err != nil {
		return nil, err
	}
	defer release()
	return new(net.Dialer).DialContext(ctx, "unix", name)
}

// SocketAlive reports whether somebody accepts on the socket. A file that a
// killed server left behind refuses; a server that hangs has a full queue, and
// is still there.
func SocketAlive(data string) bool {
	name, release, err := short(data)
	if err != nil {
		return false
	}
	defer release()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: name})
	return err == nil || errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINPROGRESS)
}
