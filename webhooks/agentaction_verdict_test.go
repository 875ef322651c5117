// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"encoding/json"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("A verdict", func() {
	It("is stamped, sealed, and counts; all that a person writes is the word", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		merge := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"approvals":[{"verdict":"Approve","comment":"fine"}]}}`))
		Expect(d.alice.Patch(ctx, action, merge)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		Expect(action.Spec.Approvals).To(HaveLen(2))
		first := action.Spec.Approvals[0]
		Expect(first.Approver).To(Equal("alice"))
		Expect(first.UID).To(Equal("uid-alice"))
		Expect(first.As).To(Equal("group:security"))
		Expect(first.Stage).To(Equal("review"))
		Expect(first.Comment).To(Equal("fine"))
		Expect(first.SpecDigest).To(Equal(action.Status.SpecDigest))
		Expect(first.WorkflowRevision).To(Equal(action.Status.Approval.Revision))
		d.evaluate(ctx, action)
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionApproved), action.Status.Message)
	})

	It("breaks the glass with the verb override and a reason, and only so", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		Expect(judge(ctx, as("zoe", "security"), action, `{"verdict":"Override","comment":"incident 12"}`)).To(MatchError(ContainSubstring("does not hold the verb override")))
		Expect(judge(ctx, d.alice, action, `{"verdict":"Override"}`)).To(MatchError(ContainSubstring("comment")))
		Expect(judge(ctx, d.alice, action, `{"verdict":"Override","comment":"incident 12"}`)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, `{"verdict":"Override","comment":"incident 12"}`)).To(Succeed())
		Expect(action.Spec.Approvals).To(HaveEach(And(HaveField("Stage", v1alpha1.OverrideStage), HaveField("As", "group:security"))))
		d.evaluate(ctx, action)
		Expect(action.Status.Reason).To(Equal(v1alpha1.ReasonEmergencyOverride))
	})

	It("is another person's in another stage, and says why where the workflow asks", func(ctx SpecContext) {
		d := newDesk(ctx)
		d.replaceWorkflow(ctx, `{"requireComment":true,"distinctApprovers":true,"stages":[
			{"name":"review","required":1,"approvers":{"groups":["security"]}},{"name":"release","required":1,"approvers":{"groups":["security"]}}]}`)
		action := d.pending(ctx)
		Expect(judge(ctx, d.alice, action, yes)).To(MatchError(And(ContainSubstring("asks for a comment"), ContainSubstring("nothing was written"))))
		Expect(judge(ctx, d.alice, action, `{"verdict":"Approve","comment":"fine"}`)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(action.Status.Approval.Stage).To(Equal("release"))
		Expect(judge(ctx, d.alice, action, `{"verdict":"Approve","comment":"fine, too"}`)).To(MatchError(ContainSubstring("wants different people")))
		Expect(judge(ctx, as("bob", "security"), action, `{"verdict":"Approve","comment":"fine"}`)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionApproved))
	})

	It("is told in the API server's own audit log, and so is a refusal", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		Expect(judge(ctx, as("zoe"), action, yes)).NotTo(Succeed())
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Eventually(serverEvents).WithArguments(d.namespace).Should(ContainElements(
			And(HaveKeyWithValue("requester", "bot"), HaveKeyWithValue("agent", "agent"), HaveKeyWithValue("specDigest", action.Status.SpecDigest)),
			Equal(map[string]string{"refused": "NotAnApprover"}),
			And(HaveKeyWithValue("approver", "alice"), HaveKeyWithValue("as", "group:security"), HaveKeyWithValue("verdict", "Approve"),
				HaveKeyWithValue("stage", "review"), HaveKeyWithValue("specDigest", action.Status.SpecDigest))))
	})

	It("may say what was seen, and is refused when that is not what is asked", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		for field, value := range map[string]string{"specDigest": "sha256:other", "workflowRevision": "sha256:other", "stage": "other"} {
			err := judge(ctx, d.alice, action, `{"verdict":"Approve","`+field+`":"`+value+`"}`)
			Expect(err).To(MatchError(And(ContainSubstring("other"), ContainSubstring("ascend explain"))), field)
		}
		Expect(judge(ctx, d.alice, action, `{"verdict":"Approve","stage":"review","specDigest":"`+action.Status.SpecDigest+`","workflowRevision":"`+action.Status.Approval.Revision+`"}`)).To(Succeed())
	})

	It("is not given on what has not been evaluated, or under workflows that have just changed", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.ask()
		Expect(d.bot.Create(ctx, action)).To(Succeed())
		err := judge(ctx, d.alice, action, yes)
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("has not been evaluated yet")))

		d.evaluate(ctx, action)
		d.replaceWorkflow(ctx, `{"timeout":"3h"}`)
		err = judge(ctx, d.alice, action, yes)
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("have just changed")))
		d.evaluate(ctx, action)
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
	})

	It("leaves no trace as a dry run", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		tried := action.DeepCopy()
		Expect(judge(ctx, d.alice, tried, yes, client.DryRunAll)).To(Succeed())
		Expect(tried.Spec.Approvals).To(ConsistOf(HaveField("Seal", HavePrefix("v1.00000000."))))
		Expect(judge(ctx, as("zoe"), action.DeepCopy(), yes, client.DryRunAll)).NotTo(Succeed())
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		Expect(action.Spec.Approvals).To(BeEmpty())
		Expect(records.of(d.namespace)).To(BeEmpty())
	})

	It("takes the place that a forged entry had taken", Serial, func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		now := metav1.NewMicroTime(time.Now().UTC().Truncate(time.Microsecond))
		unasked(ctx, func() {
			// The identity policy holds the name alone, and it is their own.
			entry := v1alpha1.Approval{
				Verdict: v1alpha1.VerdictApprove, Approver: "alice", UID: "uid-alice", As: "group:security", Stage: "review", Time: &now,
				SpecDigest: action.Status.SpecDigest, WorkflowRevision: action.Status.Approval.Revision, Seal: "v1.00000001." + strings.Repeat("A", 43),
			}
			forged := action.DeepCopy()
			forged.Spec.Approvals = []v1alpha1.Approval{entry}
			Expect(d.alice.Update(ctx, forged)).To(Succeed())
		})
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(action.Spec.Approvals).To(HaveLen(2))
		Expect(action.Spec.Approvals[1].Stage).To(HavePrefix("review@"))
	})
})

// serverEvents are what the webhook has had the API server's audit log say of
// actions of a namespace, an element a request.
func serverEvents(namespace string) []map[string]string {
	GinkgoHelper()
	const prefix = "agentactions.governance.ascendowkai.com/"
	text, err := os.ReadFile(serverLog)
	Expect(err).NotTo(HaveOccurred())
	var out []map[string]string
	for line := range strings.Lines(string(text)) {
		var event struct {
			ObjectRef   struct{ Namespace, Resource string }
			Annotations map[string]string
		}
		if json.Unmarshal([]byte(line), &event) != nil || event.ObjectRef.Namespace != namespace {
			continue // or the last line is half written
		}
		said := map[string]string{}
		for key, value := range event.Annotations {
			if name, ours := strings.CutPrefix(key, prefix); ours {
				said[name] = value
			}
		}
		if len(said) > 0 {
			out = append(out, said)
		}
	}
	return out
}
