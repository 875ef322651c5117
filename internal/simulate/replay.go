// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// replayer makes decisions again under one policy. It may be used by many
// goroutines at once.
type replayer struct {
	policy *decision.Snapshot

	mu    sync.Mutex
	stand map[standKey]*decision.Snapshot // policy with what stands in, by what that is
}

type standKey struct {
	namespace, agent string
	facts            uint64 // a hash over what stands in
}

// maxStands bounds how many policies with something that stands in are kept.
const maxStands = 1024

var seed = maphash.MakeSeed()

func newReplayer(policy *decision.Snapshot) *replayer {
	return &replayer{policy: policy, stand: map[standKey]*decision.Snapshot{}}
}

// verdict is what the policy says about what was asked; missing says why it
// cannot say anything. It fails with the error of ctx only.
func (r *replayer) verdict(ctx context.Context, what *asked, recordedReason string) (v Verdict, missing string, err error) {
	req := what.request
	if r.policy.Agent(req.Namespace, req.Agent) == nil && what.agent == nil && recordedReason != v1alpha1.ReasonAgentNotFound {
		return Verdict{}, fmt.Sprintf("agent %s/%s is not there", req.Namespace, req.Agent), nil
	}
	outcome, err := decision.Decide(ctx, r.policyFor(what), req, nil, req.SubmittedAt)
	if err != nil {
		return Verdict{}, "", fmt.Errorf("replay %s/%s: %w", req.Namespace, req.Name, err)
	}
	v = Verdict{Decision: outcome.Decision, Reason: outcome.Reason, Message: outcome.Message}
	v.describe(outcome.Risk, outcome.MatchedRules, outcome.DecidingRule, outcome.Approval)
	return v, "", nil
}

// policyFor is the policy, with the recorded Agent and namespace where it has none.
func (r *replayer) policyFor(what *asked) *decision.Snapshot {
	req := what.request
	needsAgent := what.agent != nil && r.policy.Agent(req.Namespace, req.Agent) == nil
	needsNamespace := what.namespace != nil && r.policy.Namespace(req.Namespace).Object == nil
	if !needsAgent && !needsNamespace {
		return r.policy
	}
	var stand struct {
		Agent     *audit.Agent
		Namespace *audit.Namespace
	}
	if needsAgent {
		stand.Agent = what.agent
	}
	if needsNamespace {
		stand.Namespace = what.namespace
	}
	text, err := json.Marshal(stand) // maps are written in order, so the same facts are the same text
	key := standKey{req.Namespace, req.Agent, maphash.Bytes(seed, text)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.stand[key]; known != nil && err == nil {
		return known
	}
	if len(r.stand) >= maxStands {
		clear(r.stand)
	}
	made := standIn(r.policy, req.Namespace, req.Agent, stand.Agent, stand.Namespace)
	r.stand[key] = made
	return made
}

// standIn is the policy with an Agent and the facts about a namespace; nil is
// what is left as it is.
func standIn(policy *decision.Snapshot, namespace, name string, agent *audit.Agent, facts *audit.Namespace) *decision.Snapshot {
	own := *policy.Namespace(namespace)
	if agent != nil {
		own.Agents = maps.Clone(own.Agents)
		if own.Agents == nil {
			own.Agents = map[string]*decision.Agent{}
		}
		own.Agents[name] = decision.NewAgent(agent.Object(namespace, name))
	}
	if facts != nil {
		own.Object = &rules.NamespaceObject{Name: namespace, Labels: facts.Labels, Annotations: facts.Annotations}
	}
	next := &decision.Snapshot{Model: policy.Model, Namespaces: maps.Clone(policy.Namespaces)}
	if next.Namespaces == nil {
		next.Namespaces = map[string]*decision.Namespace{}
	}
	next.Namespaces[namespace] = &own
	return next
}
