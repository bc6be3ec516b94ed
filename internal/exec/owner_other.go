//go:build !linux

package exec

import "net"

// Without a table of socket owners the relay that adds the token is not started.
const canTellOwner = false

type ownListener struct{ net.Listener }
