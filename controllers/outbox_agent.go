// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// stopped adds to an agent's status that it was stopped, for those who want to
// hear of it. It is stopped once for each reason: was is what the Ready condition
// said before, nil where there was none, and said is what it says now.
func (o *Outbox) stopped(agent *v1alpha1.Agent, was *metav1.Condition, said readiness) {
	if o == nil {
		return
	}
	why, stopped := stopFor(agent.Spec.State)
	if !stopped || said.reason != why.ready || (was != nil && was.Reason == why.ready) {
		return
	}
	to := o.Subscriptions.Matching(agent.Namespace, agent.Name, v1alpha1.EventAgentSuspended)
	if len(to) == 0 {
		return
	}
	what := happening{v1alpha1.EventAgentSuspended, why.reason, fmt.Sprintf("agent %s %s; %s", agent.Name, why.was, said.message)}
	entries, dropped := newest(append(agent.Status.Notifications, entryOf(agent.UID, what, o.Clock.Now(), to)), maxAgentNotifications)
	for _, entry := range agent.Status.Notifications[:dropped] {
		o.drop(suspendedKey(agent), entry, fmt.Sprintf("more than %d notifications of the agent were waiting", maxAgentNotifications))
	}
	agent.Status.Notifications = entries
}

// tell delivers what there is to tell of an agent. It is called whenever one is
// looked at: the answer to the write may have been lost.
func (o *Outbox) tell(agent *v1alpha1.Agent) {
	if o != nil {
		o.deliver(suspendedKey(agent), agent.Status.Notifications)
	}
}
