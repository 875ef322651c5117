// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// attack is one thing that must not work.
type attack struct {
	// number groups what is alike, as in docs/reference/attacks.md.
	number int
	// name is unique.
	name string
	// prepare makes what is attacked, while everything is in place. What it
	// registers with scene.guard must be the same afterwards.
	prepare func(ctx context.Context, s *scene)
	// attempt is what the attacker does, and returns the answer.
	attempt func(ctx context.Context, s *scene) error
	// up, down and deleted are what has to come of it in each mode. The zero
	// down is the API server's own refusal, for it cannot reach the webhook.
	up, down, deleted outcome
}

// outcome is what has to come of an attempt.
type outcome struct {
	// by is who refuses, for the table: webhook, policy, schema, RBAC, API server.
	by string
	// says is what the refusal has to say, all of it. Empty: the request passes.
	says []string
	// harmless shows that a request that passed has no effect, and word says so
	// in the table.
	harmless func(ctx context.Context, s *scene)
	word     string
	// skipped is why the attack cannot be tried in this mode.
	skipped string
}

// webhookDown is what the API server says of a webhook that does not answer.
var webhookDown = outcome{by: "API server", says: []string{"failed calling webhook"}}

// refusedBy is a refusal that says all of that.
func refusedBy(by string, says ...string) outcome { return outcome{by: by, says: says} }

// without is a request that passes and has no effect.
func without(word string, harmless func(ctx context.Context, s *scene)) outcome {
	return outcome{word: word, harmless: harmless}
}

// not says why the attack cannot be tried.
func not(why string) outcome { return outcome{skipped: why} }

func (a *attack) String() string { return fmt.Sprintf("%2d %s", a.number, a.name) }

func (a *attack) in(m mode) outcome {
	switch m {
	case up:
		return a.up
	case down:
		if a.down.by == "" && a.down.harmless == nil && a.down.skipped == "" {
			return webhookDown
		}
		return a.down
	default:
		return a.deleted
	}
}

// set prepares the attack in a namespace of its own.
func (a *attack) set(ctx context.Context, m mode) *scene {
	GinkgoHelper()
	s := newScene(ctx, a, m)
	if a.prepare != nil {
		a.prepare(ctx, s)
	}
	return s
}

// try tries the attack and holds it to what has to come of it.
func (a *attack) try(ctx context.Context, m mode, s *scene) {
	GinkgoHelper()
	want := a.in(m)
	if want.skipped != "" {
		summary.note(a, m, "n/a: "+want.skipped)
		return
	}
	s.intact = false
	before, seen := s.guarded(ctx), len(lab.refusals.since(0))
	err := a.attempt(ctx, s)
	switch {
	case want.harmless != nil:
		Expect(err).NotTo(HaveOccurred(), "the request was to pass, and be without effect")
		want.harmless(ctx, s)
		summary.note(a, m, want.word)
	default:
		Expect(err).To(HaveOccurred(), "the attack was not refused")
		for _, words := range want.says {
			Expect(err.Error()).To(ContainSubstring(words))
		}
		Expect(s.guarded(ctx)).To(Equal(before), "something has changed")
		if want.by == "webhook" {
			Expect(lab.refusals.since(seen)).NotTo(BeEmpty(), "it was not a webhook")
		}
		summary.note(a, m, "refused by "+want.by)
	}
	lab.expectRecords(ctx, lab.refusals.since(seen))
	s.intact = want.harmless == nil && len(s.objects) > 0
}

// guard has an object compared before and after the attempt.
func (s *scene) guard(object client.Object) {
	GinkgoHelper()
	kinds, _, err := lab.admin.Scheme().ObjectKinds(object)
	Expect(err).NotTo(HaveOccurred())
	watched := &unstructured.Unstructured{}
	watched.SetGroupVersionKind(kinds[0])
	watched.SetNamespace(object.GetNamespace())
	watched.SetName(object.GetName())
	s.objects = append(s.objects, watched)
}

// guarded are the guarded objects as they stand: their uid and spec, and what
// of their metadata and status a person could change.
func (s *scene) guarded(ctx context.Context) []map[string]any {
	GinkgoHelper()
	var out []map[string]any
	for _, watched := range s.objects {
		now := watched.DeepCopy()
		Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(now), now)).To(Succeed())
		decision, _, _ := unstructured.NestedString(now.Object, "status", "decision")
		out = append(out, map[string]any{
			"uid": string(now.GetUID()), "spec": now.Object["spec"], "decision": decision,
			"labels": now.GetLabels(), "annotations": now.GetAnnotations(),
			"owners": now.GetOwnerReferences(), "finalizers": now.GetFinalizers(), "deletion": now.GetDeletionTimestamp(),
		})
	}
	return out
}
