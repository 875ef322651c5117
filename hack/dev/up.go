// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
)

// runUp is the command up.
func runUp(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("up", flag.ContinueOnError)
	dir := set.String("dir", ".dev", "`folder` of the cluster; made if missing, continued if not")
	strict := set.Bool("strict", false, "install the starter policy in strict mode")
	if err := parse(set, args); err != nil {
		return err
	}
	root, err := checkout()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	s, err := startStack(ctx, shell{root: root, folder: folder(path)}, *strict)
	defer s.stop()
	if err == nil {
		err = s.announce()
	}
	if err == nil {
		err = s.watch(ctx)
	}
	if errors.Is(err, context.Canceled) {
		return nil // it was asked to stop while it started
	}
	return err
}

// announce writes down what others need, `ready` last, and tells a person what
// to type next.
func (s *stack) announce() error {
	server, err := s.server()
	if err != nil {
		return err
	}
	if err := replaceFile(s.folder.env(), s.environmentFile(server), 0o600); err != nil {
		return err
	}
	if err := replaceFile(s.folder.ready(), server+"\n", 0o644); err != nil {
		return err
	}
	fmt.Print(s.hints())
	return nil
}

// hints are what to type next, in another terminal.
func (s *stack) hints() string {
	source, export := ". "+s.shown(s.folder.env()), "export KUBECONFIG="+s.shown(s.folder.kubeconfig())
	return fmt.Sprintf(`
Ascend Operator runs. Ctrl-C stops it. In another terminal, in %[1]s:

  %-[6]*[2]s   # ascend and kubectl in PATH, the agent's key: ascend is the agent
  %-[6]*[3]s   # kubectl is you, an administrator, who may act as anybody

An agent asks, a person looks at it and agrees, and you see why:

  ascend submit -f config/samples/update-billing-address.yaml
  ascend inbox --as alice --as-group ascend-approvers
  ascend review update-billing-address --as alice --as-group ascend-approvers
  kubectl approve update-billing-address --as alice --as-group ascend-approvers
  ascend wait update-billing-address
  ascend explain update-billing-address

The tutorial in Python, with the agent's key. While it waits, a person agrees:

  python3 -m venv .venv && .venv/bin/pip install ./sdk/python
  .venv/bin/python sdk/python/tests/tutorial/tutorial.py
  kubectl approve --agent-id tutorial-agent --yes --as alice --as-group ascend-approvers

Rules as tested code:

  ascend rules test config/starter-policy --cover
  ascend rules explain rule-no-bulk-delete --rules config/starter-policy

The policy, and the record of every decision:

  kubectl get smartrules,approvalworkflows -n ascend-system
  kubectl get ascend -A
  tail -f %[4]s
  curl -s http://%[5]s/metrics | grep ascend

`, s.root, source, export, s.shown(s.folder.auditLog()), s.operator.metrics, max(len(source), len(export)))
}
