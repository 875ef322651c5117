// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

var _ = Describe("Deletion", func() {
	It("takes the verb purge, one by one and all at once, and leaves a record", func(ctx SpecContext) {
		d := newDesk(ctx)
		action := d.pending(ctx)
		for _, err := range []error{
			d.bot.Delete(ctx, action.DeepCopy()),
			d.bot.DeleteAllOf(ctx, &v1alpha1.AgentAction{}, client.InNamespace(d.namespace)),
		} {
			Expect(err).To(MatchError(And(ContainSubstring("bot may not delete actions"), ContainSubstring("--verb=purge"))))
		}
		Expect(d.refusedFor("bot", "DeletionRefused")).To(HaveLen(2))
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())

		grant(ctx, d.namespace, "bot", []string{"purge"}, "agentactions")
		Expect(d.bot.Delete(ctx, action)).To(Succeed())
		purged := func(name string) gomegatypes.GomegaMatcher {
			return And(HaveField("Event", audit.EventPurged), HaveField("Actor", "bot"), HaveField("Name", name), HaveField("UID", Not(BeEmpty())))
		}
		Expect(records.of(d.namespace)).To(ContainElement(purged(action.Name)))
		two := []*v1alpha1.AgentAction{d.pending(ctx), d.pending(ctx)}
		before := len(records.of(d.namespace))
		Expect(d.bot.DeleteAllOf(ctx, &v1alpha1.AgentAction{}, client.InNamespace(d.namespace))).To(Succeed())
		Expect(records.of(d.namespace)[before:]).To(ConsistOf(purged(two[0].Name), purged(two[1].Name)), "one record each, and no other")
	})

	It("of what is not stored leaves no record, whoever asks the webhook for it", func(ctx SpecContext) {
		d := newDesk(ctx)
		grant(ctx, d.namespace, "bot", []string{"purge"}, "agentactions")
		action := d.pending(ctx)
		action.UID = "made-up"
		Expect(ask(ctx, d, "/mutate-agentaction", action, "bot").Allowed).To(BeFalse())
		action.Name = "made-up"
		Expect(ask(ctx, d, "/mutate-agentaction", action, "bot").Allowed).To(BeFalse())
		Expect(ask(ctx, d, "/agentaction-gone", action, "system:serviceaccount:kube-system:namespace-controller").Allowed).To(BeTrue())
		Expect(records.of(d.namespace)).NotTo(ContainElement(HaveField("Event", BeElementOf(audit.EventPurged, audit.EventGone))))

		Expect(api.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}})).To(Succeed())
		Expect(ask(ctx, d, "/agentaction-gone", action, "system:serviceaccount:kube-system:namespace-controller").Allowed).To(BeTrue())
		Expect(records.of(d.namespace)).NotTo(ContainElement(HaveField("Event", audit.EventGone)), "its namespace goes, but it is not there")
	})
})

// ask sends a review of a deletion to the webhooks themselves, past the API
// server, as whoever reaches their port can who is asked for no certificate.
func ask(ctx context.Context, d *desk, path string, action *v1alpha1.AgentAction, user string) *admissionv1.AdmissionResponse {
	GinkgoHelper()
	raw, err := json.Marshal(action)
	Expect(err).NotTo(HaveOccurred())
	review := &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Operation: admissionv1.Delete, Namespace: d.namespace, Name: action.Name,
			UserInfo: authenticationv1.UserInfo{Username: user}, OldObject: runtime.RawExtension{Raw: raw},
		},
	}
	body, err := json.Marshal(review)
	Expect(err).NotTo(HaveOccurred())
	hook := mutatingConfiguration(ctx).Webhooks[0].ClientConfig
	base, _, _ := strings.Cut(*hook.URL, "/mutate-agentaction")
	transport, err := rest.TransportFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: hook.CABundle}})
	Expect(err).NotTo(HaveOccurred())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", "application/json")
	answer, err := transport.RoundTrip(req)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(answer.Body.Close()).To(Succeed()) }()
	Expect(json.NewDecoder(answer.Body).Decode(review)).To(Succeed())
	return review.Response
}
