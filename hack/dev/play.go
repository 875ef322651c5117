// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
)

// play tells the whole story and fails if anything was not as expected.
func (d *demo) play(ctx context.Context, strict bool) error {
	if err := d.introduce(ctx, strict); err != nil {
		return err
	}
	story := chapters(strict)
	for i, c := range story {
		d.title(i+1, c.title)
		for j, s := range c.scenes {
			if j > 0 {
				d.tell("\n")
			}
			if err := d.perform(ctx, s); err != nil {
				return err
			}
		}
	}
	n := len(story)
	for i, look := range []struct{ title, command string }{
		{"What the agent sees of it", "ascend actions list --limit 10"},
		{"Why, in one tree", "ascend explain update-billing-address"},
	} {
		d.title(n+i+1, look.title)
		if err := d.perform(ctx, scene{command: look.command, by: theAgent}); err != nil {
			return err
		}
	}
	if err := d.auditTrail(n + 3); err != nil {
		return err
	}
	if err := d.failure(); err != nil {
		return err
	}
	d.tell("\n%s\n", paint(green, fmt.Sprintf("✔ Every decision as expected: %d of %d.", d.played, d.played)))
	return nil
}

// introduce says who acts under which policy.
func (d *demo) introduce(ctx context.Context, strict bool) error {
	rules, err := d.count(ctx, "smartrules")
	if err != nil {
		return err
	}
	workflows, err := d.count(ctx, "approvalworkflows")
	if err != nil {
		return err
	}
	policy := policyFolder
	if strict {
		policy = strictPolicyFolder
	}
	d.tell("%s\n\n", paint(bold, "Ascend Operator: an AI agent asks before it acts."))
	d.prose("", fmt.Sprintf("The agent works in a sandbox, as ServiceAccount %s/%s, which may submit actions, choose where it hears of them, and nothing else. "+
		"The policy is %s: %d rules, %d approval workflows and a risk model.", d.agent.namespace, d.agent.name, policy, rules, workflows))
	return nil
}

// count is how many objects of a kind are global.
func (d *demo) count(ctx context.Context, kind string) (int, error) {
	out, err := d.kubectl(ctx, "get", kind, "--namespace="+operatorNamespace, "--output=name")
	return strings.Count(out, "\n"), err
}

// perform runs the command of a scene and tells what became of it.
func (d *demo) perform(ctx context.Context, s scene) error {
	if s.before != "" {
		d.prose("   ", s.before)
		d.tell("\n")
	}
	d.nextSecond(ctx)
	d.typed(s.command)
	kubeconfig := d.folder.kubeconfig()
	if s.by == theAgent {
		kubeconfig = d.folder.identity(agentAccount)
	}
	out, err := d.run(ctx, s.command, kubeconfig)
	d.printed(out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.wrong = append(d.wrong, s.mistakes(out, err)...)
	if s.refused != "" && err != nil {
		d.tell("\n   %s\n", paint(red, "✘ REFUSED"))
	}
	if s.settle != "" {
		if _, err := d.kubectl(ctx, "wait", s.settle, "--namespace="+operatorNamespace, "--for=condition=Ready", "--timeout="+waitTimeout); err != nil {
			return err
		}
	}
	if s.action == "" {
		return nil
	}
	status, err := d.await(ctx, s.action, s.expect.decision)
	if err != nil {
		return err
	}
	d.played++
	d.verdict(status)
	d.wrong = append(d.wrong, s.expect.differences(s.action, status)...)
	return nil
}

// auditTrail shows the record of it all and checks its chain.
func (d *demo) auditTrail(number int) error {
	d.title(number, "The record, written before each decision")
	records, err := readAudit(d.folder.auditLog())
	if err != nil {
		return err
	}
	d.printed(auditTable(records))
	if err := checkChain(records); err != nil {
		d.wrong = append(d.wrong, err.Error())
		return nil
	}
	d.tell("\n")
	d.prose("   ", "Not shown: who submitted each action, what it was evaluated to, and who had written the policy. "+
		"Each record has the SHA-256 of the one before: the chain is whole.")
	return nil
}
