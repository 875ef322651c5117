// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// names is a DNS server whose answers are those given, one set a query, the
// last one again and again.
type names struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][][]netip.Addr
	queries map[string]int // two a turn: for IPv4 and for IPv6, in any order
}

// resolver asks a DNS server with these names.
func resolver(t *testing.T, answers map[string][][]netip.Addr) *net.Resolver {
	t.Helper()
	server, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	n := &names{t: t, answers: answers, queries: map[string]int{}}
	go func() {
		for query := make([]byte, 1500); ; {
			size, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			if _, err := server.WriteTo(n.answer(query[:size]), from); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func (n *names) answer(query []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		n.t.Errorf("query: %v", err)
		return nil
	}
	q := m.Questions[0]
	host := strings.TrimSuffix(q.Name.String(), ".")
	sets, known := n.answers[host]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		turn := n.queries[host] / 2
		n.queries[host]++
		for _, addr := range sets[min(turn, len(sets)-1)] {
			head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, Type: q.Type}
			switch {
			case addr.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: addr.As4()}})
			case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
			}
		}
	}
	packed, err := m.Pack()
	if err != nil {
		n.t.Error(err)
	}
	return packed
}

func addresses(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// forbidden are addresses that nothing is sent to, whoever resolves to them.
var forbidden = []string{
	"127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "169.254.0.1", "168.63.129.16", "192.0.0.192",
	"100.100.100.200", "100.64.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
	"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "ff02::1", "2001:db8::1", "100::1",
	"::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1",
	"64:ff9b:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:a00:1::1", "2001::1", "2001:0:7f00:1::1",
}

// A name that resolves to where nothing may be sent to is not connected to, and
// the error says why without the name.
func TestNamesOfForbiddenAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range append(forbidden, "::ffff:127.0.0.1", "::ffff:169.254.169.254") {
		s := notify.NewSender(notify.SenderOptions{Resolver: resolver(t, map[string][][]netip.Addr{"canary.example.com": {addresses(address)}})})
		result := s.Send(t.Context(), target("https://canary.example.com:8443/"), sample())
		if !errors.Is(result.Err, notify.ErrBlocked) {
			t.Errorf("%s: %+v", address, result)
		}
		leaks(t, result)
		if result.Err != nil && strings.Contains(result.Err.Error(), address) {
			t.Errorf("%s: %v", address, result.Err)
		}
		s.Close()
	}
}

// once is a receiver that closes its connections, so that each delivery dials.
func once(t *testing.T) (url, port string, got *int) {
	t.Helper()
	got = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		*got++
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, port, got
}

// https reaches a plain receiver no further than its TLS handshake: what the
// error says tells a connection from a block.
const connected = "speaks no TLS"

// A name that resolves to something else the second time helps nobody: what is
// judged is what is connected to.
func TestDNSThatAnswersDifferently(t *testing.T) {
	t.Parallel()
	_, port, _ := once(t)
	for _, second := range []string{"169.254.169.254", "10.0.0.1", "100.100.100.200", "fd00:ec2::254"} {
		s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here, Resolver: resolver(t, map[string][][]netip.Addr{
			"rebind.example.com": {addresses("127.0.0.1"), addresses(second), addresses("127.0.0.1")}})})
		to := target("https://rebind.example.com:" + port)
		failed(t, s.Send(t.Context(), to, sample()), 0, connected)
		if result := s.Send(t.Context(), to, sample()); !errors.Is(result.Err, notify.ErrBlocked) {
			t.Errorf("the second time, %s: %+v", second, result)
		}
		failed(t, s.Send(t.Context(), to, sample()), 0, connected)
		s.Close()
	}
}

// Of several addresses only those are connected to that may be.
func TestNameOfManyAddresses(t *testing.T) {
	t.Parallel()
	_, port, _ := once(t)
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here, Resolver: resolver(t, map[string][][]netip.Addr{
		"many.example.com": {addresses("169.254.169.254", "10.0.0.1", "127.0.0.1")},
		"none.example.com": {addresses("169.254.169.254", "10.0.0.1")}})})
	t.Cleanup(s.Close)
	failed(t, s.Send(t.Context(), target("https://many.example.com:"+port), sample()), 0, connected)
	if result := s.Send(t.Context(), target("https://none.example.com:"+port), sample()); !errors.Is(result.Err, notify.ErrBlocked) {
		t.Errorf("got %+v", result)
	}
}

// A redirect to such an address is no way either.
func TestRedirectToForbidden(t *testing.T) {
	t.Parallel()
	for _, address := range forbidden {
		host := address
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		_, to := receive(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+host+"/latest/meta-data", http.StatusTemporaryRedirect)
		})
		result := sender(t).Send(t.Context(), to, sample())
		failed(t, result, http.StatusTemporaryRedirect, "redirects are not followed")
	}
}

// The API server is not sent to, even where its network is allowed; its
// neighbours on the same machine are.
func TestAPIServerIsForbidden(t *testing.T) {
	t.Parallel()
	url, _, got := once(t)
	api, _, asked := once(t)
	at := netip.MustParseAddrPort(strings.TrimPrefix(api, "http://"))
	addresses := []netip.AddrPort{at}
	var unknown error
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here,
		APIServer: func(context.Context) ([]netip.AddrPort, error) { return addresses, unknown },
		ServiceIP: func(context.Context, string, string) (netip.Addr, error) { return at.Addr(), nil },
	})
	t.Cleanup(s.Close)
	if result := s.Send(t.Context(), target(url), sample()); result.Err != nil {
		t.Error(result.Err)
	}
	blocked := func(url string) {
		t.Helper()
		result := s.Send(t.Context(), target(url), sample())
		failed(t, result, 0, "the API server")
		if !errors.Is(result.Err, notify.ErrBlocked) {
			t.Error(result.Err)
		}
	}
	blocked(api)
	blocked(strings.Replace(api, "127.0.0.1", "hook.shop.svc", 1))
	addresses = []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("::ffff:127.0.0.1"), 0)}
	blocked(url)
	unknown = errors.New("canary")
	failed(t, s.Send(t.Context(), target(url), sample()), 0, "not known now")
	if *got != 1 || *asked != 0 {
		t.Errorf("%d deliveries and %d to the API server", *got, *asked)
	}
}

// A Service of the subscription's own namespace is found by the API, whatever
// DNS says; of another namespace by nothing.
func TestServices(t *testing.T) {
	t.Parallel()
	url, port, got := once(t)
	asked := []string{}
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here,
		Resolver: resolver(t, map[string][][]netip.Addr{
			"hook.shop.svc": {addresses("169.254.169.254")}, "hook.other.svc": {addresses("10.96.0.10")}, "hook.other.svc.cluster.local": {addresses("10.96.0.10")}}),
		ServiceIP: func(_ context.Context, namespace, name string) (netip.Addr, error) {
			asked = append(asked, namespace+"/"+name)
			switch name {
			case "elsewhere":
				return notify.ClusterIP(&corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "canary.example.com"}})
			case "metadata":
				return netip.MustParseAddr("169.254.169.254"), nil
			default:
				return netip.MustParseAddr("127.0.0.1"), nil
			}
		},
	})
	t.Cleanup(s.Close)
	for _, host := range []string{"hook.shop.svc", "HOOK.shop.svc.cluster.local", "hook.shop.svc."} {
		if result := s.Send(t.Context(), target(strings.Replace(url, "127.0.0.1", host, 1)), sample()); result.Err != nil {
			t.Errorf("%s: %v", host, result.Err)
		}
	}
	if *got != 3 || strings.Join(asked, " ") != "shop/hook shop/hook shop/hook" {
		t.Errorf("%d deliveries, asked for %v", *got, asked)
	}
	failed(t, s.Send(t.Context(), target("https://hook.shop.svc:"+port), sample()), 0, connected)
	failed(t, s.Send(t.Context(), target("http://elsewhere.shop.svc:"+port), sample()), 0, "Service elsewhere of namespace shop: it is of type ExternalName")
	failed(t, s.Send(t.Context(), target("http://metadata.shop.svc:"+port), sample()), 0, "link-local")
	failed(t, s.Send(t.Context(), target("http://hook.other.svc:"+port), sample()), 0, "own namespace")
	for _, url := range []string{"https://hook.other.svc:" + port, "https://hook.other.svc.cluster.local:" + port} {
		if result := s.Send(t.Context(), target(url), sample()); !errors.Is(result.Err, notify.ErrBlocked) {
			t.Errorf("%s: %+v", url, result)
		}
	}
	if *got != 3 {
		t.Errorf("%d deliveries", *got)
	}
	none := notify.NewSender(notify.SenderOptions{})
	failed(t, none.Send(t.Context(), target("http://hook.shop.svc"), sample()), 0, "cannot look up Services")
}

// An API server that does not answer holds a connection for as long as a
// receiver does, and no longer than the try.
func TestLookupsHaveATime(t *testing.T) {
	t.Parallel()
	hang := make(chan time.Duration, 2)
	ask := func(ctx context.Context) error {
		began := time.Now()
		select {
		case <-ctx.Done():
		case <-time.After(notify.SendTimeout + time.Second):
		}
		hang <- time.Since(began)
		return errors.New("it does not answer")
	}
	var both sync.WaitGroup
	for want, options := range map[string]notify.SenderOptions{
		"Service hook of namespace shop: it does not answer": {ServiceIP: func(ctx context.Context, _, _ string) (netip.Addr, error) { return netip.Addr{}, ask(ctx) }},
		"are not known now": {APIServer: func(ctx context.Context) ([]netip.AddrPort, error) { return nil, ask(ctx) }},
	} {
		both.Go(func() {
			s := notify.NewSender(options)
			defer s.Close()
			failed(t, s.Send(t.Context(), target("http://hook.shop.svc"), sample()), 0, want)
		})
	}
	both.Wait()
	for range 2 {
		if took := <-hang; took > notify.SendTimeout/2 {
			t.Errorf("the look-up took %v", took)
		}
	}
}

func TestClusterIP(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		spec corev1.ServiceSpec
		want string
		err  string
	}{
		{corev1.ServiceSpec{ClusterIP: "10.96.0.10"}, "10.96.0.10", ""},
		{corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIP: "fd12::1"}, "fd12::1", ""},
		{corev1.ServiceSpec{ClusterIP: "None"}, "", "no cluster IP"},
		{corev1.ServiceSpec{}, "", "no cluster IP"},
		{corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "x.example.com", ClusterIP: "10.96.0.10"}, "", "ExternalName"},
	} {
		got, err := notify.ClusterIP(&corev1.Service{Spec: test.spec})
		if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) || (err == nil && got.String() != test.want) {
			t.Errorf("%+v: %v, %v", test.spec, got, err)
		}
	}
}
