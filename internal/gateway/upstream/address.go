package upstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// forbidden are the ranges that no vendor lives in: ourselves, our own
// networks, our cloud's metadata service, and what nobody may route to
// (IANA special-purpose registries, RFC 6890).
var forbidden = func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range strings.Fields(`
		0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
		192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
		198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
		::/96 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16
		64:ff9b:1::/48 fc00::/7 fe80::/10 fec0::/10 ff00::/8`) {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// nat64 carries an IPv4 address in its last four bytes (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// Public reports whether a vendor may have this address.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a = a.Unmap(); nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, p := range forbidden {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// ForbiddenAddress says that a name led to an address where no vendor lives.
type ForbiddenAddress struct{ Host string }

func (e *ForbiddenAddress) Error() string {
	return fmt.Sprintf("%s leads to a loopback, private or reserved address; name that address as upstream in the manifest to allow it", e.Host)
}

// guardAddresses looks at the address that is about to be connected to: after
// resolution, so that a name cannot lead elsewhere between a check and its use
// (DNS rebinding). What the manifest names is allowed exactly: an address is
// that address, localhost is loopback, any other name gives no permission.
func guardAddresses(private []string, target string) func(context.Context, string, string, syscall.RawConn) error {
	host, _, _ := net.SplitHostPort(target)
	named := slices.ContainsFunc(private, func(p string) bool { return strings.EqualFold(p, host) })
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &ForbiddenAddress{host}
		}
		a := ap.Addr()
		if Public(a) {
			return nil
		}
		if named {
			if own, err := netip.ParseAddr(host); err == nil && own.Unmap() == a.Unmap() {
				return nil
			}
			if IsLocalhost(host) && a.Unmap().IsLoopback() {
				return nil
			}
		}
		return &ForbiddenAddress{host}
	}
}

// IsLocalhost reports whether the name always means this machine (RFC 6761).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// NamesPrivate reports whether an upstream's host is itself a private address
// or this machine, which is the permission to reach it.
func NamesPrivate(host string) bool {
	a, err := netip.ParseAddr(host)
	return IsLocalhost(host) || (err == nil && !Public(a))
}
