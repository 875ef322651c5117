// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("What is written on an action", func() {
	label := func(ctx context.Context, by *person, action *v1alpha1.AgentAction, patch string) error {
		return by.Patch(ctx, action.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":`+patch+`}`)))
	}

	It("is the requester's until the decision, and nobody's afterwards", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		for _, by := range []*person{d.alice, as("admin", "system:masters")} {
			Expect(label(ctx, by, action, `{"labels":{"freeze":"no"}}`)).To(MatchError(And(
				ContainSubstring(by.name+" may not change labels and annotations of this action"), ContainSubstring("its requester's, bot"),
				ContainSubstring("kubectl approve "+action.Name))))
			Expect(label(ctx, by, action, `{"annotations":{"note":"mine"}}`)).NotTo(Succeed())
		}
		Expect(d.refusedFor("alice", "NotTheRequester")).To(HaveLen(2))
		Expect(label(ctx, d.bot, action, `{"labels":{"team":"data"},"annotations":{"note":"x"}}`)).To(Succeed())
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionApproved))
		for _, by := range []*person{d.bot, d.alice, as("admin", "system:masters")} {
			Expect(label(ctx, by, action, `{"labels":null}`)).To(MatchError(ContainSubstring("nobody's once it is decided")))
		}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		Expect(action.Labels).To(Equal(map[string]string{"team": "data"}))
		Expect(action.Annotations).To(Equal(map[string]string{"note": "x"}))
	})

	It("is not what another account of the requester's name may change, nor may that account cancel or report", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		own := configOf("bot", "system:authenticated")
		own.Impersonate.UID = "uid-of-the-new-bot"
		plain, err := client.New(own, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		again := &person{Client: plain, name: "bot"}
		Expect(label(ctx, again, action, `{"labels":{"a":"b"}}`)).To(MatchError(ContainSubstring("bot (uid uid-of-the-new-bot) may not")))
		for _, patch := range []string{`{"spec":{"cancelled":true}}`, `{"spec":{"outcome":{"result":"Succeeded"}}}`} {
			err := again.Patch(ctx, action.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
			Expect(err).To(MatchError(ContainSubstring("only its requester, bot (uid uid-bot), may")), patch)
		}
		Expect(d.bot.Patch(ctx, action, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"cancelled":true}}`)))).To(Succeed())
	})

	It("can be applied again by the requester, while it waits and afterwards", func(ctx SpecContext) {
		d := newDesk(ctx)
		manifest := func() *unstructured.Unstructured {
			o := document("AgentAction", d.namespace, "applied", `{agentRef: {name: agent}, actionType: database_read, parameters: {table: orders}}`)
			o.SetLabels(map[string]string{"team": "data"})
			return o
		}
		apply := func(options ...client.PatchOption) error { // kubectl apply --server-side
			options = append(options, client.FieldOwner("kubectl"))
			return d.bot.Patch(ctx, manifest(), client.Apply, options...) //nolint:staticcheck // of unstructured content
		}
		Expect(apply()).To(Succeed())
		Expect(apply()).To(Succeed())
		action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "applied"}}
		d.evaluate(ctx, action)
		Expect(apply()).To(Succeed())
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(action.Status.Decision.IsFinal()).To(BeTrue())
		Expect(apply()).To(Succeed())
		Expect(apply(client.FieldOwner("another"), client.ForceOwnership)).To(Succeed(), "who manages a field is not written on it")
	})

	It("does not grow until no decision fits any more", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		pad := func(n int) string { return strings.Repeat("x", n) }
		err := label(ctx, d.bot, action, `{"annotations":{"a":"`+pad(200<<10)+`"}}`)
		Expect(err).NotTo(HaveOccurred())
		// By server-side apply the fields of each manager are noted.
		fields := &strings.Builder{}
		for i := range 900 {
			fields.WriteString(`,"` + pad(50) + strconv.Itoa(i) + `":0`)
		}
		wide := d.ask()
		wide.Spec.Parameters.Raw = []byte(`{"table":"orders"` + fields.String() + `}`)
		Expect(d.bot.Create(ctx, wide)).To(Succeed())
		managers := 0
		Eventually(func() error {
			o := document("AgentAction", d.namespace, wide.Name, `{agentRef: {name: agent}, actionType: database_read}`)
			var parameters map[string]any
			Expect(json.Unmarshal(wide.Spec.Parameters.Raw, &parameters)).To(Succeed())
			Expect(unstructured.SetNestedMap(o.Object, parameters, "spec", "parameters")).To(Succeed())
			managers++
			owner := client.FieldOwner("manager-" + strconv.Itoa(managers))
			return d.alice.Patch(ctx, o, client.Apply, owner, client.ForceOwnership) //nolint:staticcheck // of unstructured content
		}).Should(MatchError(ContainSubstring("the limit is 524288 (512 KiB): beyond it no decision could be written any more")))
		d.evaluate(ctx, wide)
		Expect(judge(ctx, d.alice, wide, yes)).To(Succeed(), "a verdict may come on top")
		Expect(d.bot.Patch(ctx, wide, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"cancelled":true}}`)))).To(Succeed())
	})
})

var _ = Describe("A report", func() {
	It("is recorded when it is stored, and not when it is refused", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		d.evaluate(ctx, action)
		for _, spec := range []string{`"actionType":"shell"`, `"parameters":{"table":"customers"}`, `"ttlAfterDecision":"1s"`, `"cancelled":true`} {
			patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"outcome":{"result":"Succeeded"},`+spec+`}}`))
			Expect(d.bot.Patch(ctx, action.DeepCopy(), patch)).NotTo(Succeed(), spec)
		}
		stale := action.DeepCopy()
		stale.ResourceVersion = "1"
		stale.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeSucceeded}
		Expect(apierrors.IsConflict(d.bot.Update(ctx, stale))).To(BeTrue())
		Expect(records.of(d.namespace)).NotTo(ContainElement(HaveField("Event", v1alpha1.EventActionExecuted)))
		Expect(d.bot.Patch(ctx, action, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"outcome":{"result":"Succeeded"}}}`)))).To(Succeed())
		Expect(records.of(d.namespace)).To(ContainElement(HaveField("Event", v1alpha1.EventActionExecuted)))
	})
})
