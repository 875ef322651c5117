// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// The identities and folders of the checkout that are installed.
const (
	operatorNamespace = "ascend-system"
	operatorAccount   = "ascend-controller-manager"
	agentNamespace    = "default"
	agentAccount      = "tutorial-agent"

	policyFolder       = "config/starter-policy"
	strictPolicyFolder = "config/starter-policy-strict"

	// tokenLifetime is longer than anybody leaves a development cluster running.
	tokenLifetime = "720h"
	waitTimeout   = "60s"
)

// identity is a ServiceAccount that something runs as, and its token.
type identity struct {
	namespace, name string
	token           string
}

// installBase installs CRDs, RBAC, the admission policies, and the tutorial's
// ServiceAccount.
func (s shell) installBase(ctx context.Context) error {
	// Server-side, so that no copy of each CRD is kept in its annotations.
	if _, err := s.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", "config/dev"); err != nil {
		return err
	}
	if _, err := s.kubectl(ctx, "wait", "crd", "--selector=app.kubernetes.io/name=ascend-operator",
		"--for=condition=Established", "--timeout="+waitTimeout); err != nil {
		return err
	}
	if _, err := s.kubectl(ctx, "apply", "-f", "config/samples/tutorial-access.yaml"); err != nil {
		return err
	}
	return s.awaitPolicies(ctx)
}

// installPolicy installs the starter policy, or its strict form, and the
// tutorial's agents.
func (s shell) installPolicy(ctx context.Context, strict bool) error {
	policy := policyFolder
	if strict {
		policy = strictPolicyFolder
	}
	if _, err := s.kubectl(ctx, "apply", "-k", policy); err != nil {
		return err
	}
	_, err := s.kubectl(ctx, "apply", "-f", "config/samples/tutorial-agents.yaml")
	return err
}

// awaitPolicy waits until the operator has found the starter policy in order.
// What else a user keeps in the cluster is none of our business.
func (s shell) awaitPolicy(ctx context.Context) error {
	for _, what := range [][]string{
		{"smartrules,approvalworkflows", "--namespace=" + operatorNamespace, "--selector=app.kubernetes.io/part-of=ascend-starter-policy"},
		{"riskmodels/default"},
	} {
		args := append([]string{"wait", "--for=condition=Ready", "--timeout=" + waitTimeout}, what...)
		if _, err := s.kubectl(ctx, args...); err != nil {
			return fmt.Errorf("the policy is not ready; the operator's log is %s: %w", s.folder.log("operator"), err)
		}
	}
	return nil
}

// impersonate makes a kubeconfig with a token of the ServiceAccount.
func (s shell) impersonate(ctx context.Context, namespace, name string) (identity, error) {
	token, err := s.kubectl(ctx, "create", "token", name, "--namespace="+namespace, "--duration="+tokenLifetime)
	if err != nil {
		return identity{}, err
	}
	who := identity{namespace: namespace, name: name, token: strings.TrimSpace(token)}
	server, err := s.server()
	if err != nil {
		return identity{}, err
	}
	ca, err := os.ReadFile(s.folder.ca())
	if err != nil {
		return identity{}, err
	}
	text := serviceAccountKubeconfig(server, ca, namespace, name, who.token)
	return who, replaceFile(s.folder.identity(name), text, 0o600)
}
