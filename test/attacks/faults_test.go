// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, webhookAttacks...) }

// While the webhook is away nothing can be written, and everything read.
var webhookAttacks = []*attack{
	{
		number: 23, name: "(allowed) submit an action",
		attempt: func(ctx context.Context, s *scene) error {
			s.action = s.ask(readOrders)
			return s.agent.Create(ctx, s.action)
		},
		up:      without("decided", func(ctx context.Context, s *scene) { s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending) }),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "Who may submit: a subject of the Agent", "kubectl get mutatingwebhookconfigurations", "restores it with: kubectl apply"),
	},
	{
		number: 23, name: "(allowed) read actions and policy",
		prepare: waits,
		attempt: reads,
		up:      readable, down: readable, deleted: readable,
	},
}

var readable = without("can be read", func(context.Context, *scene) {})

// reads is what an agent and an approver read.
func reads(ctx context.Context, s *scene) error {
	GinkgoHelper()
	for _, p := range []person{s.agent, s.alice} {
		if err := p.Get(ctx, client.ObjectKeyFromObject(s.action), &v1alpha1.AgentAction{}); err != nil {
			return err
		}
		var all v1alpha1.AgentActionList
		if err := p.List(ctx, &all, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		Expect(all.Items).NotTo(BeEmpty())
	}
	return s.alice.List(ctx, &v1alpha1.ApprovalWorkflowList{}, client.InNamespace(s.namespace))
}

var faults = []*breakage{
	{
		number: 23, name: "(by who administers the cluster) have the API server trust another CA",
		try: badCertificates, word: "refused by API server, and repaired", other: elsewhere,
		also: []row{
			{23, "(by who administers the cluster) put an expired certificate into the operator's Secret", "not served, and repaired"},
			{23, "(by who administers the cluster) put into the operator's Secret what cannot be read", "not served, and repaired"},
		},
	},
	{
		number: 23, name: "a webhook that does not answer",
		try: breakAll, word: "refused by API server", other: elsewhere,
		also: []row{
			{24, "purge an action while no record can be kept", "refused by webhook"},
			{24, "report an outcome while no record can be kept", "refused by webhook"},
			{24, "raise an agent's limit while no record can be kept", "refused by webhook"},
			{24, "(allowed) suspend an agent while no record can be kept", "stopped, and recorded"},
			{19, "(by who administers the cluster) exempt a namespace from the webhook by a label", "the alarm is raised"},
			{19, "(by who administers the cluster) set a webhook's failurePolicy to Ignore", "the alarm is raised"},
			{19, "(by who administers the cluster) delete a policy's binding", "the alarm is raised"},
			{19, "(by who administers the cluster) leave somebody out of the webhook by a matchCondition", "the alarm is raised"},
			{19, "(by who administers the cluster) delete the validating configuration alone", "the alarm is raised"},
			{19, "(by who administers the cluster) have a policy's binding only audit", "the alarm is raised"},
			{19, "submit in the name of another, past webhook and policy", "stored, and denied"},
			{19, "approve in the name of others, past webhook and policy", "stored, and does not count"},
		},
	},
}

// breakAll breaks one thing after the other, and repairs all at the end: to find
// that all is in order takes the operator longest.
func breakAll(ctx context.Context, s *scene) {
	s.approved(ctx)
	approved := s.action
	s.pending(ctx)
	waiting := s.action
	Expect(lab.admin.Create(ctx, s.parse(`{kind: Agent, metadata: {name: spare}, spec: {owner: olga, maxRiskScore: "5.0"}}`))).To(Succeed())
	lab.whole = lab.configurations(ctx)
	binding := bindingOf(ctx)
	DeferCleanup(repair, binding, NodeTimeout(2*patience))

	silence(ctx, s)
	s.action = approved
	auditFull(ctx, s)
	s.action = waiting
	weakenOnce(ctx, s)
	weakenTwice(ctx, s, binding)

	repair(ctx, binding)
	calm(ctx, s)
	recovered(ctx, s)
}

// repair puts back what was there before.
func repair(ctx context.Context, binding *admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	GinkgoHelper()
	restoreBinding(ctx, binding)
	lab.restore(ctx)
}

// approved has an action approved by alice and bob.
func (s *scene) approved(ctx context.Context) {
	GinkgoHelper()
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	mustApprove(ctx, s, s.alice, s.bob)
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
}

// calledAt has the API server call every webhook at that address.
func calledAt(ctx context.Context, address string) {
	GinkgoHelper()
	move := func(url *string) *string {
		_, path, _ := strings.Cut(strings.TrimPrefix(*url, "https://"), "/")
		moved := "https://" + address + "/" + path
		return &moved
	}
	c := lab.configurations(ctx)
	for i := range c.mutating.Webhooks {
		c.mutating.Webhooks[i].ClientConfig.URL = move(c.mutating.Webhooks[i].ClientConfig.URL)
	}
	for i := range c.validating.Webhooks {
		c.validating.Webhooks[i].ClientConfig.URL = move(c.validating.Webhooks[i].ClientConfig.URL)
	}
	Expect(lab.admin.Update(ctx, &c.mutating)).To(Succeed())
	Expect(lab.admin.Update(ctx, &c.validating)).To(Succeed())
}

// recovered waits until actions can be submitted and are decided about, and
// rules are looked at, by the operator that ran before.
func recovered(ctx context.Context, s *scene) {
	GinkgoHelper()
	action := s.ask(readOrders)
	Eventually(func() error { return s.agent.Create(ctx, action) }).WithContext(ctx).Should(Succeed())
	s.awaitDecision(ctx, action, v1alpha1.DecisionPending)
	lab.await(ctx, up)
	Expect(strings.Count(lab.log(), `"Serving metrics server"`)).To(Equal(1), "the operator was started again")
}

// silence: the webhook accepts connections and says nothing.
func silence(ctx context.Context, s *scene) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	called, over := make(chan struct{}), make(chan struct{})
	DeferCleanup(func() error {
		close(over)
		return listener.Close()
	})
	go func() {
		var once sync.Once
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			once.Do(func() { close(called) })
			go func() {
				<-over
				_ = connection.Close()
			}()
		}
	}()
	calledAt(ctx, listener.Addr().String())
	refused := make(chan error, 1)
	go func() {
		defer GinkgoRecover()
		for { // until the API server acts by it
			if err := s.agent.Create(ctx, s.ask(readOrders)); err != nil {
				refused <- err
				return
			}
		}
	}()
	Eventually(called).WithContext(ctx).Should(BeClosed())
	Expect(reads(ctx, s)).To(Succeed(), "while somebody waits for the webhook")
	Eventually(refused).WithContext(ctx).Should(Receive(MatchError(And(
		ContainSubstring("failed calling webhook"), Or(ContainSubstring("deadline exceeded"), ContainSubstring("timeout"))))))
	Expect(reads(ctx, s)).To(Succeed())
}

// auditFull has the webhooks answered by an operator that can keep no record.
// That nothing is decided without one, and that readiness says why, the suite
// of cmd/manager shows.
func auditFull(ctx context.Context, s *scene) {
	adam := s.with(ctx, "adam", "ascend-admin")
	calledAt(ctx, startSecond(ctx, "--audit-log=/dev/full"))
	const said = "no record can be kept of it"
	path, succeeded := "agentactions/"+s.action.Name, `{"spec":{"outcome":{"result":"Succeeded"}}}`
	Eventually(func() error { return s.send(ctx, s.agent, http.MethodPatch, path, "", succeeded) }).WithContext(ctx).Should(MatchError(And(
		ContainSubstring("503"), ContainSubstring(said), ContainSubstring("no space left on device"), ContainSubstring("try again"))))
	Expect(s.send(ctx, adam, http.MethodDelete, path, "", "")).To(MatchError(And(ContainSubstring("503"), ContainSubstring(said))))
	now := s.fresh(ctx)
	Expect(now.UID).To(Equal(s.action.UID))
	Expect(now.Spec.Outcome).To(BeNil())
	Expect(now.DeletionTimestamp).To(BeNil())
	// The kill switch alone works. Who has pulled it is recorded by the operator that
	// let it through, once it can; what it has done by the one that leads.
	spared := func(spec string) error { return s.send(ctx, adam, http.MethodPatch, "agents/spare", "", spec) }
	// The API server takes the two configurations over one after the other.
	Eventually(func() error { return spared(`{"spec":{"maxRiskScore":"9.0"}}`) }).WithContext(ctx).Should(MatchError(And(
		ContainSubstring("503"), ContainSubstring(said))))
	Expect(spared(`{"spec":{"maxRiskScore":"9.0","state":"Suspended"}}`)).To(MatchError(ContainSubstring("503")))
	Expect(spared(`{"spec":{"state":"Suspended"}}`)).To(Succeed())
	Expect(spared(`{"spec":{"state":"Active"}}`)).To(MatchError(ContainSubstring("503")))
	Eventually(lab.records).WithContext(ctx).Should(ContainElement(And(HaveField("Event", v1alpha1.EventAgentSuspended),
		HaveField("Namespace", s.namespace), HaveField("Name", "spare"))))
	// A refusal needs no record to stand.
	Expect(s.send(ctx, s.alice, http.MethodPatch, path, "", succeeded)).To(MatchError(ContainSubstring("403")))
}
