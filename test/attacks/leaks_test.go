// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
)

// The last but one: what all attacks and faults before it have left behind is
// searched for what must not be there.
var leaks = []*breakage{
	{
		number: 36, name: "find a secret key, a token or a password in logs, records, Events, status, refusals or metrics",
		try: search, word: "absent", other: allModes,
		also: []row{
			{36, "find a seal in logs, records, Events, status, refusals or metrics", "absent"},
			{36, "find what a request holds in logs, records, Events, status, refusals or metrics", "absent"},
		},
	},
	{number: 31, name: "fill the metrics with names", try: fewSeries, word: "none is in them", other: allModes},
}

const allModes = "it looks at what all modes have left"

// canary is a secret that a request holds.
const canary = "CANARY-5d1f0c"

func search(ctx context.Context, s *scene) {
	provoke(ctx, s)
	places := places(ctx)
	secrets := secretsOf(ctx, s)
	seals := sealsOf(ctx)
	Expect(len(secrets)).To(BeNumerically(">", 5))
	Expect(len(seals)).To(BeNumerically(">", 3))
	for place, text := range places {
		Expect(text).NotTo(BeEmpty(), place)
		for what, secret := range secrets {
			Expect(strings.Contains(text, secret)).To(BeFalse(), "%s: %s", place, what)
		}
		for action, seal := range seals {
			Expect(strings.Contains(text, seal)).To(BeFalse(), "%s: the seal of %s", place, action)
		}
		Expect(strings.Contains(text, canary)).To(BeFalse(), place)
	}
}

// provoke has everything happen about which something is written, with a
// canary where secrets may be.
func provoke(ctx context.Context, s *scene) {
	GinkgoHelper()
	secret := fmt.Sprintf(`{actionType: database_read, resource: orders, parameters: {table: orders, password: %s}, context: {token: %s}}`, canary, canary)
	s.action = s.submit(ctx, secret, v1alpha1.DecisionPending)
	Expect(approve(ctx, s.mallory, s.action)).NotTo(Succeed())
	mustApprove(ctx, s, s.alice, s.bob)
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
	Expect(s.agent.Delete(ctx, copyOf(s.action))).NotTo(Succeed())
	refused := s.ask(secret)
	refused.Spec.AgentRef.Name = "nobody"
	Expect(s.agent.Create(ctx, refused)).NotTo(Succeed())

	adam := s.with(ctx, "adam", "ascend-admin")
	for _, url := range []string{"https://user:" + canary + "@hooks.example.com/", "http://169.254.169.254/" + canary, "https://hooks.example.com/#" + canary} {
		spy := s.parse(fmt.Sprintf(`{kind: WebhookSubscription, metadata: {generateName: spy-}, spec: {url: %q, events: [action.denied], secretRef: {name: s, key: k}}}`, url))
		err := adam.Create(ctx, spy)
		Expect(err).To(MatchError(ContainSubstring("spec.url")))
		Expect(err).NotTo(MatchError(ContainSubstring(canary)))
	}
}

// places are where people look, and secrets must not be.
func places(ctx context.Context) map[string]string {
	GinkgoHelper()
	read := func(name ...string) string {
		text, err := os.ReadFile(filepath.Join(append([]string{lab.folder}, name...)...))
		Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	var core corev1.EventList
	Expect(lab.admin.List(ctx, &core)).To(Succeed())
	var events eventsv1.EventList
	Expect(lab.admin.List(ctx, &events)).To(Succeed())
	var told strings.Builder
	for _, r := range lab.refusals.since(0) {
		told.WriteString(r.message + "\n")
	}
	return map[string]string{
		"the operator's log": read("logs", "operator.log"), "the audit trail": read("audit.log"),
		"the metrics": lab.metrics(ctx), "the Events": toJSON(core.Items) + toJSON(events.Items),
		"status and metadata": besidesSpec(ctx), "what was told to people": told.String(),
	}
}

var kinds = []string{"AgentAction", "Agent", "SmartRule", "ApprovalWorkflow", "RiskModel", "WebhookSubscription"}

// besidesSpec is everything that objects of this group hold but their spec.
func besidesSpec(ctx context.Context) string {
	GinkgoHelper()
	var text strings.Builder
	for _, kind := range kinds {
		all := &unstructured.UnstructuredList{}
		all.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		Expect(lab.admin.List(ctx, all)).To(Succeed())
		for i := range all.Items {
			delete(all.Items[i].Object, "spec")
			text.WriteString(toJSON(all.Items[i].Object) + "\n")
		}
	}
	return text.String()
}

// secretsOf are all secrets of the operator, and tokens that were used, in every
// spelling one may expect.
func secretsOf(ctx context.Context, s *scene) map[string]string {
	GinkgoHelper()
	out := map[string]string{"the agent's token": s.agent.config.BearerToken}
	for _, account := range []string{"ascend-controller-manager", "tutorial-agent"} {
		config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(lab.folder, "identities", account+".kubeconfig"))
		Expect(err).NotTo(HaveOccurred())
		out["the token of "+account] = config.BearerToken
	}
	keys := &corev1.Secret{}
	Expect(lab.admin.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, keys)).To(Succeed())
	for id, text := range keys.Data {
		var entry struct{ Key []byte }
		Expect(json.Unmarshal(text, &entry)).To(Succeed())
		Expect(len(entry.Key)).To(BeNumerically(">=", 32))
		out["seal key "+id] = string(entry.Key)
		out["seal key in base64 "+id] = strings.TrimRight(base64.StdEncoding.EncodeToString(entry.Key), "=")
		out["seal key for URLs "+id] = base64.RawURLEncoding.EncodeToString(entry.Key)
		out["seal key in hexadecimal "+id] = hex.EncodeToString(entry.Key)
		out["seal key in the Secret "+id] = strings.TrimRight(base64.StdEncoding.EncodeToString(text), "=")
	}
	for name, text := range certificateSecret(ctx).Data {
		if strings.HasSuffix(name, ".key") {
			out[name] = strings.Split(string(text), "\n")[1] // the first line within the PEM block
			out[name+" in the Secret"] = base64.StdEncoding.EncodeToString(text)
		}
	}
	for what, secret := range out {
		Expect(len(secret)).To(BeNumerically(">=", 32), what)
	}
	return out
}

// sealsOf are the parts of seals that only a key can make.
func sealsOf(ctx context.Context) map[string]string {
	GinkgoHelper()
	var all v1alpha1.AgentActionList
	Expect(lab.admin.List(ctx, &all)).To(Succeed())
	out := map[string]string{}
	note := func(whose, seal string) {
		if parts := strings.Split(seal, "."); len(parts) == 3 && !strings.HasPrefix(parts[2], "AAAA") {
			out[whose] = parts[2]
		}
	}
	for i := range all.Items {
		action := &all.Items[i]
		if action.Spec.Requester != nil {
			note(action.Name, action.Spec.Requester.Seal)
		}
		for _, a := range action.Spec.Approvals {
			note(action.Name+" by "+a.Approver, a.Seal)
		}
	}
	return out
}

// fewSeries: no name that anybody can make up is a label of a metric.
func fewSeries(ctx context.Context, s *scene) {
	series := 0
	for line := range strings.Lines(lab.metrics(ctx)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, name := range []string{s.namespace, "attack-", "mallory", "alice", "database_read"} {
			Expect(line).NotTo(ContainSubstring(name))
		}
		if strings.HasPrefix(line, "ascend_") {
			series++
		}
	}
	Expect(series).To(And(BeNumerically(">", 10), BeNumerically("<", 200)))
}
