// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// notary seals as admission does. What an attacker writes while admission is
// away, the specs write as administrator.
type notary struct{ ring atomic.Pointer[seal.Ring] }

// keys gives the notary keys, the first of which seals.
func (n *notary) keys(ids ...string) {
	GinkgoHelper()
	var keys []seal.Key
	for _, id := range ids {
		keys = append(keys, seal.Key{ID: id, Secret: bytes.Repeat([]byte(id), 4)})
	}
	ring, err := seal.NewRing(ids[0], keys)
	Expect(err).NotTo(HaveOccurred())
	n.ring.Store(ring)
}

// share takes a key that operators which read the Secret have, too.
func (n *notary) share(ctx context.Context, id string) {
	GinkgoHelper()
	n.keys(id)
	long := time.Now().Add(-time.Hour).Format(time.RFC3339)
	entry, err := json.Marshal(map[string]any{"key": bytes.Repeat([]byte(id), 4), "createdAt": long, "activeFrom": long})
	Expect(err).NotTo(HaveOccurred())
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName},
		Data:       map[string][]byte{id: entry},
	}
	Expect(api.Create(ctx, secret)).To(Succeed())
	DeferCleanup(func() { Expect(api.Delete(context.WithoutCancel(ctx), secret)).To(Succeed()) })
}

// admit stamps and seals the requester of an action that is to be submitted.
func (n *notary) admit(action *v1alpha1.AgentAction, at time.Time) {
	GinkgoHelper()
	action.Name, action.GenerateName = "act-"+rand.String(8), ""
	admitted := metav1.NewMicroTime(at.UTC())
	requester := v1alpha1.Requester{Username: "system:serviceaccount:shop:agent", Groups: []v1alpha1.UserName{"system:serviceaccounts"}, AdmittedAt: &admitted}
	digest, err := request.Digest(&action.Spec)
	Expect(err).NotTo(HaveOccurred())
	requester.Seal, err = n.ring.Load().SealSubmission(seal.Submission{Namespace: action.Namespace, Name: action.Name, Digest: digest, Requester: requester})
	Expect(err).NotTo(HaveOccurred())
	action.Spec.Requester = &requester
}

// verdict is somebody's approval of the waiting stage, sealed.
func (n *notary) verdict(action *v1alpha1.AgentAction, approver string) v1alpha1.Approval {
	GinkgoHelper()
	now := metav1.NewMicroTime(time.Now().UTC())
	given := v1alpha1.Approval{
		Verdict: v1alpha1.VerdictApprove, Approver: approver, As: "user:" + approver, Stage: action.Status.Approval.Stage, Time: &now,
		SpecDigest: action.Status.SpecDigest, WorkflowRevision: action.Status.Approval.Revision,
	}
	n.seal(action, &given)
	return given
}

// seal seals a verdict as it is.
func (n *notary) seal(action *v1alpha1.AgentAction, given *v1alpha1.Approval) {
	GinkgoHelper()
	var err error
	given.Seal, err = n.ring.Load().SealVerdict(seal.Verdict{
		Namespace: action.Namespace, Name: action.Name, UID: string(action.UID), Approval: *given,
	})
	Expect(err).NotTo(HaveOccurred())
}

// give adds an approval to an action as it is.
func give(ctx context.Context, action *v1alpha1.AgentAction, given v1alpha1.Approval) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		action.Spec.Approvals = append(action.Spec.Approvals, given)
		g.Expect(api.Update(ctx, action)).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}

var _ = Describe("With admission's seals", Serial, Ordered, func() {
	var (
		w     world
		n     *notary
		own   *running
		known atomic.Pointer[seal.Ring] // by the operator, when it is not the notary's
	)

	BeforeAll(func() {
		n = &notary{}
		n.keys("00000001")
		alone()
		reload := func() error { known.Store(n.ring.Load()); return nil }
		own = start(settings{voucher: voucher.Sealed{Ring: known.Load, Reload: reload}})
		DeferCleanup(func() { own.stop() })
	})

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
	})

	admitted := func(ctx context.Context, document string) *v1alpha1.AgentAction {
		GinkgoHelper()
		action := w.action(document)
		n.admit(action, time.Now())
		Expect(api.Create(ctx, action)).To(Succeed())
		return action
	}
	pending := func(ctx context.Context) *v1alpha1.AgentAction {
		GinkgoHelper()
		action := admitted(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		return action
	}
	expectNotAdmitted := func(ctx context.Context, action *v1alpha1.AgentAction, why string) {
		GinkgoHelper()
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonNotAdmitted)
		Expect(got.Message).To(And(ContainSubstring(why), ContainSubstring("submit it again"), ContainSubstring("docs/security.md")))
		Expect(got.ValidUntil).To(BeNil())
		Expect(own.records(action)).To(ContainElement(And(
			HaveField("Event", v1alpha1.EventActionDenied), HaveField("Reason", v1alpha1.ReasonNotAdmitted), HaveField("Requester", ""))))
	}

	It("decides what was admitted, for whoever submitted it", func(ctx SpecContext) {
		action := admitted(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(own.records(action)).To(ContainElement(HaveField("Requester", "system:serviceaccount:shop:agent")))
	})

	It("approves by sealed approvals", func(ctx SpecContext) {
		action := pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		give(ctx, action, n.verdict(action, "bob"))
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	})

	It("denies what did not pass admission", func(ctx SpecContext) {
		expectNotAdmitted(ctx, w.submit(ctx, readCategories), "admission did not write spec.requester")
		By("the same with a requester that somebody has thought of")
		invented := w.action(readCategories)
		invented.Spec.Requester = &v1alpha1.Requester{Username: "system:admin"}
		Expect(api.Create(ctx, invented)).To(Succeed())
		expectNotAdmitted(ctx, invented, "it carries no seal")
		By("the same when it is withdrawn")
		cancelled := w.action(readCategories)
		cancelled.Spec.AgentRef.Name = "nobody"
		Expect(api.Create(ctx, cancelled)).To(Succeed())
		expectNotAdmitted(ctx, cancelled, "admission did not write spec.requester")
	})

	It("denies what uses the requester of another action", func(ctx SpecContext) {
		victim := admitted(ctx, readCategories)
		copied := w.action(readCategories)
		copied.Spec.Requester = victim.Spec.Requester.DeepCopy()
		Expect(api.Create(ctx, copied)).To(Succeed())
		expectNotAdmitted(ctx, copied, "its seal was not made for it")

		By("the same with another request under the same name")
		other := w.action(readCategories)
		n.admit(other, time.Now())
		other.Spec.ActionType = "database_delete"
		Expect(api.Create(ctx, other)).To(Succeed())
		expectNotAdmitted(ctx, other, "its seal was not made for it")

		By("the same with the same request under the same name, later")
		replayed := w.action(readCategories)
		n.admit(replayed, time.Now().Add(-seal.AdmissionWindow-2*time.Second))
		Expect(api.Create(ctx, replayed)).To(Succeed())
		expectNotAdmitted(ctx, replayed, "it was taken from an earlier action of the same name")
	})

	It("denies what a key has sealed that nobody knows", func(ctx SpecContext) {
		stranger := &notary{}
		stranger.keys("0000000f")
		action := w.action(readCategories)
		stranger.admit(action, time.Now())
		Expect(api.Create(ctx, action)).To(Succeed())
		expectNotAdmitted(ctx, action, "by a key that is not known: 0000000f")
	})

	It("counts no approval that is copied, forged or of an unknown key, and says so", func(ctx SpecContext) {
		elsewhere, action := pending(ctx), pending(ctx)
		stranger := &notary{}
		stranger.keys("0000000f")

		ofAnother := n.verdict(elsewhere, "alice")
		ofAnother.SpecDigest, ofAnother.WorkflowRevision = action.Status.SpecDigest, action.Status.Approval.Revision
		give(ctx, action, ofAnother)
		otherStage := n.verdict(action, "bob")
		otherStage.Stage = "people/board"
		give(ctx, action, otherStage)
		renamed := n.verdict(action, "alice")
		renamed.Approver, renamed.As = "bob", "user:bob"
		give(ctx, action, renamed)
		give(ctx, action, stranger.verdict(action, "carol"))
		unsealed := n.verdict(action, "dave")
		unsealed.Seal = ""
		give(ctx, action, unsealed)

		Eventually(status(ctx, action)).WithContext(ctx).Should(HaveField("Approval.Uncounted", HaveExactElements(
			And(HaveField("Approver", "alice"), HaveField("Reason", ContainSubstring("not made for it"))),
			And(HaveField("Stage", "people/board"), HaveField("Reason", ContainSubstring("not made for it"))),
			And(HaveField("Approver", "bob"), HaveField("Reason", ContainSubstring("not made for it"))),
			And(HaveField("Approver", "carol"), HaveField("Reason", ContainSubstring("key that is not known"))),
			And(HaveField("Approver", "dave"), HaveField("Reason", ContainSubstring("carries no seal"))),
		)))
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		Expect(action.Status.Approval.Granted).To(BeZero())
	})

	It("counts what was approved before the key was rotated", func(ctx SpecContext) {
		action := pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		Eventually(status(ctx, action)).Should(HaveField("Approval.Granted", BeEquivalentTo(1)))
		n.keys("00000002", "00000001") // the operator finds out by the seal of the new key
		give(ctx, action, n.verdict(action, "bob"))
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	})

	It("voids what a key has sealed that was taken away", func(ctx SpecContext) {
		action := pending(ctx)
		n.keys("00000003")
		known.Store(n.ring.Load())
		give(ctx, action, n.verdict(action, "alice"))
		expectNotAdmitted(ctx, action, "by a key that is not known")
	})

	It("decides nothing without keys, and goes on when there are some", func(ctx SpecContext) {
		ring := n.ring.Swap(nil)
		known.Store(nil)
		action := w.submit(ctx, readCategories)
		Consistently(status(ctx, action)).WithTimeout(time.Second).Should(HaveField("Decision", v1alpha1.DecisionNone))
		n.ring.Store(ring)
		expectNotAdmitted(ctx, action, "admission did not write spec.requester")
	})
})
