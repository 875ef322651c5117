// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The services' addresses. Nothing routes them; the first is the one of the
// service "kubernetes" and is in the API server's certificate for that reason.
const (
	serviceRange = "10.0.0.0/24"
	serviceIP    = "10.0.0.1"
)

// controllers are the ones that run: what an operator relies on and a cluster
// without nodes can do. Those that make or place pods would only leave pods
// behind that never start.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"garbage-collector-controller",
	"namespace-controller",
	"resourcequota-controller", // without it a quota's use is never counted, and admission refuses
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"validatingadmissionpolicy-status-controller", // type-checks policies and their CRDs
}

// Arg is one flag of a component, without the leading dashes.
type Arg struct{ Key, Value string }

// ParseArg reads "key=value", with or without leading dashes.
func ParseArg(text string) (Arg, error) {
	key, value, found := strings.Cut(strings.TrimLeft(text, "-"), "=")
	if !found || key == "" || strings.ContainsAny(key, " \t") {
		return Arg{}, fmt.Errorf("%q is not of the form key=value, e.g. max-requests-inflight=800", text)
	}
	return Arg{Key: key, Value: value}, nil
}

// join makes a command line: the defaults, without those that extra sets
// itself, then extra. A default is replaced and not merely followed, because
// flags that hold lists would add up.
func join(program string, defaults, extra []Arg) []string {
	argv := []string{program}
	for _, arg := range defaults {
		if !slices.ContainsFunc(extra, func(own Arg) bool { return own.Key == arg.Key }) {
			argv = append(argv, "--"+arg.Key+"="+arg.Value)
		}
	}
	for _, arg := range extra {
		argv = append(argv, "--"+arg.Key+"="+arg.Value)
	}
	return argv
}

func loopbackURL(port int) string {
	return fmt.Sprintf("https://127.0.0.1:%d", port)
}

// etcdArgs: clients and peers need a certificate of etcd's own authority, since
// every local user can reach a loopback port.
func (d Dir) etcdArgs(ports Ports, fsync bool) []Arg {
	client, peer := loopbackURL(ports.Etcd), loopbackURL(ports.EtcdPeer)
	args := []Arg{
		{"name", "devcluster"},
		{"data-dir", d.etcdData()},
		{"listen-client-urls", client},
		{"advertise-client-urls", client},
		{"listen-peer-urls", peer},
		{"initial-advertise-peer-urls", peer},
		{"initial-cluster", "devcluster=" + peer},
		{"client-cert-auth", "true"},
		{"trusted-ca-file", d.pki("etcd-ca.crt")},
		{"cert-file", d.pki("etcd.crt")},
		{"key-file", d.pki("etcd.key")},
		{"peer-client-cert-auth", "true"},
		{"peer-trusted-ca-file", d.pki("etcd-ca.crt")},
		{"peer-cert-file", d.pki("etcd.crt")},
		{"peer-key-file", d.pki("etcd.key")},
		{"quota-backend-bytes", "8589934592"}, // 8 GiB, etcd's advised maximum: a benchmark can fill the default 2
	}
	if !fsync {
		args = append(args, Arg{"unsafe-no-fsync", "true"})
	}
	return args
}

func (d Dir) apiserverArgs(ports Ports, auditPolicy string) []Arg {
	args := []Arg{
		{"bind-address", "127.0.0.1"},
		{"advertise-address", "127.0.0.1"},
		{"secure-port", strconv.Itoa(ports.APIServer)},
		// Endpoints must not be loopback addresses, so none are written.
		{"endpoint-reconciler-type", "none"},
		{"etcd-servers", loopbackURL(ports.Etcd)},
		{"etcd-cafile", d.pki("etcd-ca.crt")},
		{"etcd-certfile", d.pki("etcd-client.crt")},
		{"etcd-keyfile", d.pki("etcd-client.key")},
		{"tls-cert-file", d.pki("apiserver.crt")},
		{"tls-private-key-file", d.pki("apiserver.key")},
		{"client-ca-file", d.pki("ca.crt")},
		{"requestheader-client-ca-file", d.pki("front-proxy-ca.crt")},
		{"requestheader-allowed-names", frontProxyName},
		{"requestheader-username-headers", "X-Remote-User"},
		{"requestheader-group-headers", "X-Remote-Group"},
		{"requestheader-extra-headers-prefix", "X-Remote-Extra-"},
		{"proxy-client-cert-file", d.pki("front-proxy-client.crt")},
		{"proxy-client-key-file", d.pki("front-proxy-client.key")},
		{"authorization-mode", "RBAC"},
		{"service-account-issuer", "https://kubernetes.default.svc"},
		{"service-account-key-file", d.pki("sa.key")},
		{"service-account-signing-key-file", d.pki("sa.key")},
		{"service-cluster-ip-range", serviceRange},
		{"allow-privileged", "true"},
		{"profiling", "false"},
	}
	if auditPolicy != "" {
		args = append(args, Arg{"audit-policy-file", auditPolicy}, Arg{"audit-log-path", d.Log("audit")})
	}
	return args
}

func (d Dir) controllerManagerArgs(ports Ports) []Arg {
	kubeconfig := d.pki("controller-manager.kubeconfig")
	return []Arg{
		{"bind-address", "127.0.0.1"},
		{"secure-port", strconv.Itoa(ports.ControllerManager)},
		{"tls-cert-file", d.pki("controller-manager.crt")},
		{"tls-private-key-file", d.pki("controller-manager.key")},
		{"client-ca-file", d.pki("ca.crt")},
		{"kubeconfig", kubeconfig},
		{"authentication-kubeconfig", kubeconfig},
		{"authorization-kubeconfig", kubeconfig},
		{"root-ca-file", d.pki("ca.crt")},
		{"service-account-private-key-file", d.pki("sa.key")},
		// Each controller acts as its own service account, with the rights that
		// Kubernetes ships for it, as in a real cluster.
		{"use-service-account-credentials", "true"},
		{"controllers", strings.Join(controllers, ",")},
		{"leader-elect", "false"},
		{"kube-api-qps", "200"},
		{"kube-api-burst", "400"},
		{"profiling", "false"},
	}
}

// childEnv is the environment of the components: etcd would read every ETCD_*
// variable as one of its flags, so those of the caller are taken out.
func childEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		return strings.HasPrefix(pair, "ETCD_")
	})
}
