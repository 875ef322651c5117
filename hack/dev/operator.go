// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	operatorTimeout = 3 * time.Minute
	operatorGrace   = 25 * time.Second
)

// operator is bin/manager while it runs.
type operator struct {
	*child
	metrics  string // host:port
	probes   string // host:port
	webhooks string // host:port
}

// checkBuilt says what to do where the programs have not been built.
func (s shell) checkBuilt() error {
	for _, name := range []string{"manager", "ascend", "kubectl-approve"} {
		if _, err := os.Stat(filepath.Join(s.root, "bin", name)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("bin/%s is missing; run `make build`", name)
		}
	}
	return nil
}

// startOperator installs the webhooks, starts bin/manager as its own
// ServiceAccount, and waits until it is ready and the API server asks it. The
// operator is returned with an error too, once it runs; the caller stops it.
func (s shell) startOperator(ctx context.Context) (*operator, error) {
	if _, err := s.impersonate(ctx, operatorNamespace, operatorAccount); err != nil {
		return nil, fmt.Errorf("token of the operator's ServiceAccount: %w", err)
	}
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return nil, err
	}
	o := &operator{metrics: ports[0], probes: ports[1], webhooks: ports[2]}
	if err := s.installWebhooks(ctx, o.webhooks); err != nil {
		return nil, fmt.Errorf("install the webhooks: %w", err)
	}
	kubeconfig := s.folder.identity(operatorAccount)
	o.child, err = startChild("operator", []string{
		filepath.Join(s.root, "bin", "manager"),
		"--kubeconfig=" + kubeconfig,
		"--metrics-bind-address=" + o.metrics,
		"--health-probe-bind-address=" + o.probes,
		"--webhook-bind-address=" + o.webhooks,
		"--webhook-hosts=127.0.0.1",
		"--webhook-client-ca-file=" + s.folder.callerCA(),
		"--webhook-client-name=" + callerName,
		"--leader-elect",
		"--leader-election-namespace=" + operatorNamespace,
		"--audit-log=" + s.folder.auditLog(),
		"--notification-allowed-networks=127.0.0.0/8,::1/128", // receivers on this machine
	}, s.environ(kubeconfig), s.folder.log("operator"))
	if err != nil {
		return nil, err
	}
	if err := o.awaitReady(ctx); err != nil {
		return o, err
	}
	return o, s.awaitAdmission(ctx, o)
}

// awaitReady waits until /readyz says yes.
func (o *operator) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, operatorTimeout,
		fmt.Errorf("the operator was not ready within %s. The end of its log, %s:\n%s", operatorTimeout, o.log, lastLines(o.log, 15)))
	defer cancel()
	return poll(ctx, func() (bool, error) {
		if o.ended() {
			return false, o.died()
		}
		return answers(ctx, "http://"+o.probes+"/readyz"), nil
	})
}

// answers says whether the URL answers 200.
func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Free ports are looked for below the range out of which Linux and macOS take
// the local ports of outgoing connections: a port found free there can be gone
// a moment later.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// freePorts returns that many addresses on loopback that are free.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var addresses []string
	var config net.ListenConfig
	var held []net.Listener // open until the end, so that no port is chosen twice
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	for range 200 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowestPort+rand.IntN(highestPort-lowestPort))) //nolint:gosec // a port, no secret
		listener, err := config.Listen(ctx, "tcp4", address)
		if err != nil {
			continue
		}
		held = append(held, listener)
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("no free port on 127.0.0.1 between %d and %d after 200 tries", lowestPort, highestPort)
}
