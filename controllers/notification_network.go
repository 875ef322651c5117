// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=get
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,resourceNames=kubernetes,verbs=get

// network is what notifications have to know of the cluster's addresses.
type network struct {
	live client.Reader
	host string // of the API server, as the operator calls it
	// clock tells the time.
	clock clock.PassiveClock

	mu      sync.Mutex
	servers []netip.AddrPort
	until   time.Time
}

// serversLast is how long the addresses of the API server are not read again.
const serversLast = time.Minute

// serviceIP is the address of a Service, as the API server gave it. What its
// name resolves to in DNS is not asked: whoever runs the namespace's DNS, or
// makes an ExternalName of it, would choose where deliveries go.
func (n *network) serviceIP(ctx context.Context, namespace, name string) (netip.Addr, error) {
	var service corev1.Service
	if err := n.live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &service); err != nil {
		if apierrors.IsNotFound(err) {
			return netip.Addr{}, errors.New("there is none of that name")
		}
		return netip.Addr{}, err
	}
	return notify.ClusterIP(&service)
}

// apiServer are the addresses under which the API server can be reached: the
// one that the operator calls, the Service kubernetes, and what is behind it.
func (n *network) apiServer(ctx context.Context) ([]netip.AddrPort, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := n.clock.Now(); now.Before(n.until) {
		return n.servers, nil
	}
	called, err := n.called(ctx)
	if err != nil {
		return nil, err
	}
	inside, err := n.inside(ctx)
	if err != nil {
		return nil, err
	}
	n.servers, n.until = slices.Concat(called, inside), n.clock.Now().Add(serversLast)
	return n.servers, nil
}

func (n *network) called(ctx context.Context) ([]netip.AddrPort, error) {
	parsed, err := url.Parse(n.host)
	if err != nil || parsed.Host == "" {
		parsed = &url.URL{Scheme: "https", Host: n.host}
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[parsed.Scheme]
	}
	if port == "" {
		port = "443"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("the address of the API server, %s, has no port that can be read: %w", parsed.Host, err)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", parsed.Hostname())
	if err != nil {
		return nil, fmt.Errorf("find the addresses of the API server: %w", err)
	}
	var servers []netip.AddrPort
	for _, addr := range found {
		servers = append(servers, netip.AddrPortFrom(addr.Unmap(), uint16(number)))
	}
	return servers, nil
}

// inside are the addresses of the Service kubernetes and of its endpoints. A
// cluster need not have either.
func (n *network) inside(ctx context.Context) ([]netip.AddrPort, error) {
	key := types.NamespacedName{Namespace: metav1.NamespaceDefault, Name: "kubernetes"}
	var servers []netip.AddrPort
	var service corev1.Service
	if err := client.IgnoreNotFound(n.live.Get(ctx, key, &service)); err != nil {
		return nil, fmt.Errorf("find the Service of the API server: %w", err)
	}
	for _, text := range service.Spec.ClusterIPs {
		if addr, err := netip.ParseAddr(text); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr.Unmap(), 0))
		}
	}
	var slice discoveryv1.EndpointSlice
	if err := client.IgnoreNotFound(n.live.Get(ctx, key, &slice)); err != nil {
		return nil, fmt.Errorf("find the endpoints of the API server: %w", err)
	}
	for _, endpoint := range slice.Endpoints {
		for _, text := range endpoint.Addresses {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				continue
			}
			for _, port := range slice.Ports {
				if port.Port != nil {
					servers = append(servers, netip.AddrPortFrom(addr.Unmap(), uint16(*port.Port))) //nolint:gosec // a port
				}
			}
		}
	}
	return servers, nil
}
