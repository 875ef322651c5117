// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// Where nothing may be sent to, and the words that say why.
var refused = map[string]string{
	"hooks.example.com/x":                    "absolute URL",
	"/x":                                     "absolute URL",
	"https:///x":                             "absolute URL",
	"https:hooks.example.com":                "absolute URL",
	"https://":                               "absolute URL",
	"https://a b/":                           "absolute URL",
	"ftp://hooks.example.com/":               "begin with https://",
	"file:///etc/passwd":                     "absolute URL",
	"http://hooks.example.com/":              "own namespace, such as http://NAME.shop.svc/",
	"http://8.8.8.8/":                        "own namespace",
	"http://hook.other.svc/":                 "own namespace",
	"http://hook.other.svc.cluster.local/":   "own namespace",
	"http://hook.shop/":                      "own namespace",
	"http://hook/":                           "own namespace",
	"http://hook.shop.svc.example.com/":      "own namespace",
	"http://shop.svc/":                       "own namespace",
	"http://.shop.svc/":                      "letters, digits",
	"https://user@hooks.example.com/":        "user or a password",
	"https://user:pass@hooks.example.com/":   "user or a password",
	"https://@hooks.example.com/":            "user or a password",
	"https://hooks.example.com/#x":           "fragment",
	"https://hooks.example.com/#":            "fragment",
	"https://hooks.example.com:0/":           "port from 1 to 65535",
	"https://hooks.example.com:65536/":       "port from 1 to 65535",
	"https://hooks.example.com:/":            "port from 1 to 65535",
	"https://127.0.0.1/":                     "this machine itself",
	"https://127.8.9.1:8443/":                "this machine itself",
	"https://[::1]/":                         "this machine itself",
	"https://0.0.0.0/":                       "this machine itself",
	"https://0.1.2.3/":                       "this machine itself",
	"https://[::]/":                          "this machine itself",
	"https://127.1/":                         "take for an address",
	"https://2130706433/":                    "take for an address",
	"https://0x7f000001/":                    "take for an address",
	"https://0x7f.0.0.1/":                    "take for an address",
	"https://0177.0.0.1/":                    "take for an address",
	"https://169.254.169.254/latest":         "link-local",
	"https://169.254.170.2/":                 "link-local",
	"https://[fe80::1]/":                     "link-local",
	"https://[fe80::1%25eth0]/":              "one network card",
	"https://[fd00:ec2::254]/":               "metadata service",
	"https://100.100.100.200/":               "metadata service",
	"https://metadata.google.internal/":      "metadata service",
	"https://METADATA.google.internal./":     "metadata service",
	"https://[::ffff:127.0.0.1]/":            "this machine itself in an IPv6 address",
	"https://[::ffff:a9fe:a9fe]/":            "link-local",
	"https://[::127.0.0.1]/":                 "this machine itself in an IPv6 address",
	"https://[::ffff:0:127.0.0.1]/":          "this machine itself in an IPv6 address",
	"https://[64:ff9b::7f00:1]/":             "this machine itself in an IPv6 address",
	"https://[64:ff9b::169.254.169.254]/":    "in an IPv6 address",
	"https://[64:ff9b:1::1]/":                "an IPv4 address in an IPv6 address",
	"https://[2002:7f00:1::]/":               "this machine itself in an IPv6 address",
	"https://[2002:a9fe:a9fe::1]/":           "in an IPv6 address",
	"https://[2001:0:1::1]/":                 "an IPv4 address in an IPv6 address",
	"https://224.0.0.1/":                     "many machines",
	"https://255.255.255.255/":               "many machines",
	"https://[ff02::1]/":                     "many machines",
	"https://localhost/":                     "this machine itself",
	"https://LOCALHOST./":                    "this machine itself",
	"https://a.localhost:8443/":              "this machine itself",
	"https://localhost.localdomain/":         "this machine itself",
	"https://ip6-localhost/":                 "this machine itself",
	"https://kubernetes/":                    "API server",
	"https://kubernetes.default/":            "API server",
	"https://kubernetes.default.svc/api":     "API server",
	"https://Kubernetes.Default.SVC./":       "API server",
	"https://kubernetes.default.svc.a.b:443": "API server",
	"https://１２７.0.0.1/":                     "letters, digits",
	"https://loc%61lhost/":                   "absolute URL",
	"https://hooks.exаmple.com/":             "letters, digits",
	"https://a..b/":                          "letters, digits",
}

var allowed = []string{
	"https://hooks.example.com/ascend", "https://HOOKS.example.com./ascend?token=x", "https://hooks.example.com:8443/",
	"https://8.8.8.8/", "https://10.1.2.3/", "https://[2001:db8::1]/", "https://[64:ff9b::8.8.8.8]/", "https://xn--bcher-kva.example/",
	"http://hook.shop.svc/", "http://hook.shop.svc:8080/x", "http://hook.shop.svc.cluster.local/", "http://hook.shop.svc.cluster.local./",
	"https://hook.shop.svc/", "https://kubernetes.example.com/", "https://kubernetes.default.example.com/", "http://kubernetes.shop.svc/",
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, want := range refused {
		if err := notify.CheckURL(url, "shop"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
	for _, url := range allowed {
		if err := notify.CheckURL(url, "shop"); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// No error repeats what may be a secret.
func TestCheckURLLeaksNothing(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"https://u:canary@h/", "ftp://h/canary", "http://h/?canary", "https://127.0.0.1/canary", "https://h:x/canary", "canary", "https://h/#canary", "https://\x7f/canary"} {
		if err := notify.CheckURL(url, "shop"); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for url := range refused {
		f.Add(url)
	}
	for _, url := range allowed {
		f.Add(url)
	}
	f.Fuzz(func(_ *testing.T, url string) { _ = notify.CheckURL(url, "shop") })
}

// What the operator allows lets in this machine, by http too, and nothing worse.
func TestURLChecker(t *testing.T) {
	t.Parallel()
	check := notify.URLChecker([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")})
	for _, url := range append([]string{"http://127.0.0.1:8080/x", "https://127.0.0.1/", "http://localhost:8080/", "https://LOCALHOST./"}, allowed...) {
		if err := check(url, "shop"); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for url, want := range refused {
		if strings.HasPrefix(url, "https://127.0.0.1") || strings.HasPrefix(url, "https://127.8.") || strings.EqualFold(url, "https://localhost./") || url == "https://localhost/" {
			continue
		}
		if err := check(url, "shop"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"http://10.1.2.3/", "http://[::1]/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "http://x.localhost/", "https://169.254.169.254/"} {
		if check(url, "shop") == nil {
			t.Errorf("%s is allowed", url)
		}
	}
	all := notify.URLChecker([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")})
	for _, url := range []string{"https://169.254.169.254/", "https://[fd00:ec2::254]/", "https://kubernetes.default.svc/", "https://metadata.google.internal/", "https://0.0.0.0/", "https://224.0.0.1/"} {
		if all(url, "shop") == nil {
			t.Errorf("%s is allowed", url)
		}
	}
}
