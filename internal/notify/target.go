// SPDX-License-Identifier: Apache-2.0

// Package notify sends the events of actions to those who asked for them.
package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// CheckURL says why a subscription of that namespace may not name the URL; nil
// when it may. It is pure, and sees only what the URL says by itself: what its
// name resolves to is checked when it is dialled.
//
// The URL is absolute and https, or http to a Service of the subscription's own
// namespace. It has no user, no password and no fragment. It names neither this
// machine, nor a metadata service, nor the API server, nor an address that
// stands for one of them in another spelling. An error never repeats the URL,
// which may hold a secret.
func CheckURL(raw, namespace string) error { return URLChecker(nil)(raw, namespace) }

// URLChecker is CheckURL where the operator allows networks beside: this
// machine may be named, and by http as well, when its address is in one of them
// (127.0.0.1 for the name localhost). Metadata services, link-local addresses,
// the API server and many machines at once stay refused.
func URLChecker(allowed []netip.Prefix) func(raw, namespace string) error {
	return func(raw, namespace string) error { return checkURL(raw, namespace, allowed) }
}

func checkURL(raw, namespace string, allowed []netip.Prefix) error {
	parsed, err := url.Parse(raw)
	switch {
	case err != nil || parsed.Opaque != "" || parsed.Scheme == "" || parsed.Host == "":
		return errors.New("must be an absolute URL such as https://hooks.example.com/ascend")
	case parsed.Scheme != "https" && parsed.Scheme != "http":
		return fmt.Errorf("must begin with https://, or with http:// for a Service of namespace %s", namespace)
	case parsed.User != nil:
		return errors.New("must not hold a user or a password, which everybody who may read the subscription would see; " +
			"the receiver knows a delivery by its signature")
	case strings.Contains(raw, "#"):
		return errors.New("must not have a fragment (#...), which is never sent; remove it")
	}
	if err := checkPort(parsed); err != nil {
		return err
	}
	host := strings.ToLower(strings.TrimSuffix(parsed.Hostname(), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkLiteral(parsed.Scheme, addr, namespace, allowed)
	}
	if host == "localhost" && contains(allowed, loopback) {
		return nil
	}
	return checkName(parsed.Scheme, host, namespace)
}

func checkPort(parsed *url.URL) error {
	port := parsed.Port()
	if port == "" && !strings.HasSuffix(parsed.Host, ":") {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("must have a port from 1 to 65535, or none")
	}
	return nil
}

// checkName checks a host that is no address.
func checkName(scheme, host, namespace string) error {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case !isName(host):
		return errors.New("must name a host by letters, digits, '-' and '.'; write a name of other letters in its xn-- form")
	case isNumber(last):
		return errors.New("names a host that some programs take for an address; write the address as four numbers from 0 to 255")
	case last == "localhost" || last == "localdomain" || host == "ip6-localhost" || host == "ip6-loopback":
		return errors.New("names this machine itself, which nothing may be sent to")
	case metadataNames[host]:
		return errors.New("names a metadata service, which nothing may be sent to")
	case isAPIServer(labels):
		return errors.New("names the API server, which nothing may be sent to")
	case scheme == "http" && !isOwnService(labels, namespace):
		return fmt.Errorf("must begin with https://; http:// is only for a Service of the subscription's own namespace, "+
			"such as http://NAME.%s.svc/", namespace)
	default:
		return nil
	}
}

// metadataNames are under which clouds serve the credentials of a machine.
var metadataNames = map[string]bool{
	"metadata": true, "metadata.google.internal": true, "metadata.goog": true,
	"instance-data": true, "instance-data.ec2.internal": true,
}

func isName(host string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	return host != "" && len(host) <= 253 && strings.Trim(host, letters) == "" &&
		!strings.HasPrefix(host, ".") && !strings.Contains(host, "..")
}

// isNumber says whether a label makes a name an IPv4 address for those who
// read "127.1", "2130706433" or "0x7f.1" as one.
// Source: WHATWG URL, "ends in a number checker"; inet_aton(3).
func isNumber(label string) bool {
	if hex, isHex := strings.CutPrefix(label, "0x"); isHex {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// isAPIServer: kubernetes, kubernetes.default, kubernetes.default.svc and what follows.
func isAPIServer(labels []string) bool {
	known := [...]string{"kubernetes", "default", "svc"}
	for i, label := range labels[:min(len(labels), len(known))] {
		if label != known[i] {
			return false
		}
	}
	return true
}

// isOwnService: NAME.NAMESPACE.svc, and behind it the domain of the cluster.
func isOwnService(labels []string, namespace string) bool {
	return len(labels) >= 3 && labels[0] != "" && labels[1] == namespace && labels[2] == "svc" &&
		(len(labels) == 3 || strings.Join(labels[3:], ".") == "cluster.local")
}

func checkLiteral(scheme string, addr netip.Addr, namespace string, allowed []netip.Prefix) error {
	here := addr.IsLoopback() && contains(allowed, addr)
	if why := whyNotAddress(addr); why != "" && !here {
		return fmt.Errorf("names %s, which nothing may be sent to", why)
	}
	if scheme == "http" && !here {
		return fmt.Errorf("must begin with https://; http:// is only for a Service of the subscription's own namespace, "+
			"by its name, such as http://NAME.%s.svc/", namespace)
	}
	return nil
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// contains says whether an address is in one of the networks. Those of IPv4 have
// IPv4 addresses alone, in their own spelling.
func contains(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// metadataAddresses serve credentials. 169.254.169.254 and its neighbours are
// link-local, and refused as such.
var metadataAddresses = map[netip.Addr]bool{
	netip.MustParseAddr("fd00:ec2::254"):   true, // AWS
	netip.MustParseAddr("fd00:ec2::23"):    true, // AWS, EKS Pod Identity
	netip.MustParseAddr("fd20:ce::254"):    true, // Google
	netip.MustParseAddr("100.100.100.200"): true, // Alibaba
	netip.MustParseAddr("192.0.0.192"):     true, // Oracle
	netip.MustParseAddr("168.63.129.16"):   true, // Azure
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")       // RFC 1122, 3.2.1.3
	reserved    = netip.MustParsePrefix("240.0.0.0/4")     // RFC 1112, with 255.255.255.255
	compatible  = netip.MustParsePrefix("::/96")           // RFC 4291, 2.5.5.1
	translated  = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765, SIIT
	nat64       = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	localNAT64  = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215
	sixToFour   = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo      = netip.MustParsePrefix("2001::/32")       // RFC 4380
	siteLocal   = netip.MustParsePrefix("fec0::/10")       // RFC 3879
)

// whyNotAddress says what an address is that nothing may be sent to; empty for
// all others.
func whyNotAddress(addr netip.Addr) string {
	if addr.Zone() != "" {
		return "an address of one network card"
	}
	if embedded, is := embeddedIPv4(addr); is {
		if why := whyNotAddress(embedded); why != "" {
			return why + " in an IPv6 address"
		}
	}
	addr = addr.Unmap()
	switch {
	case addr.IsLoopback(), addr.IsUnspecified(), thisNetwork.Contains(addr):
		return "this machine itself"
	case metadataAddresses[addr]:
		return "a metadata service"
	case addr.IsLinkLocalUnicast(), siteLocal.Contains(addr):
		return "a link-local address, where metadata services are"
	case addr.IsMulticast(), reserved.Contains(addr):
		return "an address of many machines"
	case localNAT64.Contains(addr), teredo.Contains(addr):
		return "an IPv4 address in an IPv6 address"
	default:
		return ""
	}
}

// embeddedIPv4 is the IPv4 address that an IPv6 address stands for.
func embeddedIPv4(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	b := addr.As16()
	switch {
	case addr.Is4In6(), nat64.Contains(addr), translated.Contains(addr), compatible.Contains(addr) && !addr.IsUnspecified() && !addr.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	default:
		return netip.Addr{}, false
	}
}
