package config

import (
	"fmt"
	"net"
)

// door is one address with the key that names it.
type door struct{ key, address string }

func (l Listen) doors() []door {
	return []door{{"listen.http", l.HTTP}, {"listen.proxy", l.Proxy}, {"listen.smtp", l.SMTP}, {"listen.console", l.Console}, {"listen.public", l.Public}}
}

// checkListeners finds doors that would take each other's place, and those that
// strangers could use.
func (c *Config) checkListeners() {
	doors := c.Listen.doors()
	for i, a := range doors {
		for _, b := range doors[:i] {
			if overlap(a.address, b.address) {
				c.report.Add(a.key, fmt.Sprintf("%s is taken by %s already", a.address, b.key), "choose another port")
			}
		}
		sends := a.key == "listen.http" || a.key == "listen.proxy" || a.key == "listen.smtp"
		if host, _, err := net.SplitHostPort(a.address); err == nil && sends && len(c.Apps) == 0 && !isLoopback(host) {
			c.report.Add(a.key, "without apps, anybody who reaches this address could send as us", "add apps with tokens, or listen on 127.0.0.1")
		}
	}
}

// overlap reports whether two addresses cannot both be listened on. Port 0 is
// any free one.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return plain(hostA) == plain(hostB) || isAny(hostA) || isAny(hostB)
}

func plain(host string) string {
	if host == "localhost" {
		return "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.String()
	}
	return host
}

func isAny(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
