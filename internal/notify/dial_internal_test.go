// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"net/netip"
	"testing"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// What the operator allows opens private networks and this machine, and nothing
// that is worse; a namespace's own Service opens its very address.
func TestGuard(t *testing.T) {
	t.Parallel()
	everything := prefixes("0.0.0.0/0", "::/0")
	for _, test := range []struct {
		to      string
		allowed []netip.Prefix
		service string
		want    bool
	}{
		{"8.8.8.8:443", nil, "", true},
		{"[2606:4700::1]:8443", nil, "", true},
		{"10.1.2.3:443", nil, "", false},
		{"10.1.2.3:443", prefixes("10.0.0.0/8"), "", true},
		{"10.1.2.3:443", prefixes("10.2.0.0/16"), "", false},
		{"10.1.2.3:443", nil, "10.1.2.3", true},
		{"10.1.2.4:443", nil, "10.1.2.3", false},
		{"[fd12::1]:443", nil, "fd12::1", true},
		{"[fd12::1]:443", nil, "", false},
		{"[fd12::1]:443", prefixes("fd12::/16"), "", true},
		{"127.0.0.1:80", nil, "", false},
		{"127.0.0.1:80", nil, "127.0.0.1", false},
		{"127.0.0.1:80", prefixes("127.0.0.0/8"), "", true},
		{"[::1]:80", prefixes("127.0.0.0/8"), "", false},
		{"[::1]:80", prefixes("::1/128"), "", true},
		{"[::ffff:127.0.0.1]:80", prefixes("127.0.0.0/8"), "", false},
		{"[64:ff9b::8.8.8.8]:443", nil, "", false},
		{"[64:ff9b::8.8.8.8]:443", prefixes("64:ff9b::/96"), "", true},
		{"[64:ff9b::127.0.0.1]:443", prefixes("64:ff9b::/96"), "", false},
		{"169.254.169.254:80", everything, "169.254.169.254", false},
		{"100.100.100.200:80", everything, "", false},
		{"[fd00:ec2::254]:80", everything, "fd00:ec2::254", false},
		{"[fe80::1]:80", everything, "", false},
		{"[fe80::1%eth0]:80", everything, "", false},
		{"224.0.0.1:80", everything, "", false},
		{"0.0.0.0:80", everything, "", false},
		{"[::]:80", everything, "", false},
		{"[2002:7f00:1::1]:80", everything, "", false},
		{"[2001:0:7f00:1::1]:80", everything, "", false},
		{"192.168.0.1:443", everything, "", true},
	} {
		var service netip.Addr
		if test.service != "" {
			service = netip.MustParseAddr(test.service)
		}
		err := newGuard(&SenderOptions{AllowedNetworks: test.allowed}).check(netip.MustParseAddrPort(test.to), service, nil)
		if (err == nil) != test.want || (err != nil && !errors.Is(err, ErrBlocked)) {
			t.Errorf("%s, allowed %v, service %q: %v", test.to, test.allowed, test.service, err)
		}
	}
}

// The API server is refused in every spelling of its address, whatever the
// operator allows; another port of its machine is not it.
func TestGuardKnowsTheAPIServer(t *testing.T) {
	t.Parallel()
	guard := newGuard(&SenderOptions{AllowedNetworks: prefixes("0.0.0.0/0", "::/0", "::ffff:0:0/96")})
	forbidden := []netip.AddrPort{netip.MustParseAddrPort("10.0.0.7:6443"), netip.MustParseAddrPort("[fd12::7]:6443"), netip.MustParseAddrPort("[::ffff:10.96.0.1]:0")}
	for to, want := range map[string]bool{
		"10.0.0.7:6443": false, "10.0.0.7:443": true, "10.0.0.8:6443": true, "10.96.0.1:80": false,
		"[fd12::7]:6443": false, "[fd12::7]:443": true,
		"[::ffff:10.0.0.7]:6443": false, "[64:ff9b::10.0.0.7]:6443": false, "[2002:a00:7::1]:6443": false, "[64:ff9b::10.96.0.1]:443": false,
	} {
		if err := guard.check(netip.MustParseAddrPort(to), netip.Addr{}, forbidden); (err == nil) != want {
			t.Errorf("%s: %v", to, err)
		}
	}
}
